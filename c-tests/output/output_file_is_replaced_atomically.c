/* Who reads a file that is being replaced sees all of the old one or all of the new one, never a part, and never no file. */
/* covers: SC-11 */
#include "outputs.h"

enum { ROUNDS = 800, LENGTH = 9000 };
static const char *path;
static volatile bool over;
static int versions_seen;

/* Looks far more often than who reads it all. */
static void *look_always(void *nothing)
{
    while (!over)
        CHECK(access(path, F_OK) == 0);
    return nothing;
}

static void *read_always(void *nothing)
{
    char last = 0;
    while (!over) {
        size_t length = 0;
        char *bytes = file_bytes(path, &length);
        CHECK(bytes != NULL);
        CHECK_INT(length, LENGTH);
        for (size_t i = 1; i < length; i++)
            CHECK(bytes[i] == bytes[0]);
        versions_seen += bytes[0] != last;
        last = bytes[0];
        free(bytes);
    }
    return nothing;
}

int main(void)
{
    const char *dir = new_dir();
    static char text[LENGTH + 1];
    path = in_dir(dir, "out");
    memset(text, '0', LENGTH);
    write_file(path, text, 0600);
    pthread_t reader, looker;
    thread_start(&reader, read_always, NULL);
    thread_start(&looker, look_always, NULL);
    for (int round = 1; round <= repeats(ROUNDS); round++) {
        memset(text, 'a' + round % 26, LENGTH);
        ps_command *command = helper_command("echo_fd", "0", NULL);
        feed(command, text, LENGTH);
        to_file(command, path, PS_OUTPUT_REPLACE);
        reap_and_free(spawn_once(NULL, command));
        CHECK(content_is(path, text));
    }
    over = true;
    pthread_join(reader, NULL);
    pthread_join(looker, NULL);
    CHECK(versions_seen > 1);
    CHECK_INT(entries(dir), 1);
    remove_dir(dir);
    return 0;
}
