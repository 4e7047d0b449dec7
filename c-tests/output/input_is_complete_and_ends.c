/* The input is what was given, byte for byte, and then its end: also when it is empty. The host's copy may change or go. */
/* covers: RP-38 */
#include "outputs.h"

int main(void)
{
    static const char *const nothing[] = {NULL, ""};
    for (int i = 0; i < 2; i++) {
        ps_command *command = shell("cat; echo end", NULL);
        feed(command, nothing[i], 0);
        CHECK(output_is(command, "end\n"));
    }
    char text[] = "one\ntwo";
    ps_command *command = helper_command("echo_fd", "0", NULL);
    feed(command, "something that is given up", 26);
    feed(command, text, strlen(text));
    memset(text, 'x', sizeof text);
    CHECK(output_is(command, "one\ntwo"));

    size_t length = 5000000, got = 0;
    const char *dir = new_dir();
    char *bytes = noise(length, 1000);
    command = helper_command("echo_fd", "0", NULL);
    feed(command, bytes, length);
    to_file(command, in_dir(dir, "out"), PS_OUTPUT_REFUSE);
    reap_and_free(spawn_once(NULL, command));
    char *copy = file_bytes(in_dir(dir, "out"), &got);
    CHECK(got == length && memcmp(copy, bytes, length) == 0);
    free(copy);
    free(bytes);
    remove_dir(dir);

    command = pausing();
    ps_error *error = NULL;
    CHECK_ERROR(ps_command_input(command, NULL, 1, &error), PS_ERR_INVALID_ARGUMENT, &error);
    ps_error_free(error);
    error = NULL;
    CHECK_ERROR(ps_command_input(command, "x", SIZE_MAX, &error), PS_ERR_INVALID_ARGUMENT, &error);
    ps_error_free(error);
    ps_command_free(command);
    return 0;
}
