/* Many descriptors in one call: all arrive on their numbers, or the bad one is named by its index and none is given. */
/* variants: few */
#include "harness.h"
#include "children.h"

enum { MANY = 100 };

static void refused(ps_command *command, const int32_t *fds, const int32_t *child_fds, size_t n, const char *entry, int errno_wanted)
{
    ps_error *error = NULL;
    CHECK_ERROR(ps_command_pass_fds(command, fds, child_fds, n, &error), PS_ERR_INVALID_ARGUMENT, &error);
    CHECK_STR(ps_error_step(error), "pass_fds");
    CHECK(strstr(ps_error_message(error), entry) != NULL);
    CHECK_INT(ps_error_errno(error), errno_wanted);
    ps_error_free(error);
}

int main(void)
{
    ps_error *error = NULL;
    int32_t fds[MANY], numbers[MANY];
    char wanted[1024] = "0 1 2 7", *end = wanted + strlen(wanted);
    for (int i = 0; i < MANY; i++) {
        fds[i] = 2;
        numbers[i] = 299 - i;
        end += sprintf(end, " %d", 200 + i);
    }
    sprintf(end, "\n");
    int closed = open("/dev/null", O_RDONLY | O_CLOEXEC);
    close(closed);

    ps_command *command = helper_command("show_fds", NULL);
    CHECK_OK(ps_command_pass_fd(command, 2, 7, &error), error);
    for (int at = 0; at < MANY; at += 33) {
        char entry[32];
        snprintf(entry, sizeof entry, "entry %d:", at);
        fds[at] = closed;
        refused(command, fds, numbers, MANY, entry, EBADF);
        fds[at] = 2;
        int32_t number = numbers[at];
        static const int32_t none[] = {-1, 1 << 20, INT32_MIN, 7};
        for (int i = 0; i < 4; i++) {
            numbers[at] = none[i];
            refused(command, fds, numbers, MANY, entry, 0);
        }
        numbers[at] = number;
    }
    numbers[MANY - 1] = numbers[3];
    refused(command, fds, numbers, MANY, "entry 99:", 0);
    numbers[MANY - 1] = 200;
    CHECK_STATUS(ps_command_pass_fds(command, NULL, numbers, 1, NULL), PS_ERR_INVALID_ARGUMENT);
    CHECK_STATUS(ps_command_pass_fds(command, fds, numbers, SIZE_MAX, NULL), PS_ERR_INVALID_ARGUMENT);
    CHECK_OK(ps_command_pass_fds(command, NULL, NULL, 0, &error), error);
    CHECK_OK(ps_command_pass_fds(command, fds, numbers, MANY, &error), error);
    refused(command, fds, numbers, 1, "entry 0:", 0); /* it is given by now */
    CHECK(output_is(command, wanted));

    /* without numbers: the same ones */
    int ends[2];
    CHECK(pipe2(ends, O_CLOEXEC) == 0);
    CHECK_INT(fcntl(ends[0], F_DUPFD_CLOEXEC, 50), 50);
    CHECK_INT(fcntl(ends[1], F_DUPFD_CLOEXEC, 51), 51);
    static const int32_t same[] = {51, 50};
    command = helper_command("show_fds", NULL);
    CHECK_OK(ps_command_pass_fds(command, same, NULL, 2, &error), error);
    CHECK(output_is(command, "0 1 2 50 51\n"));
    return 0;
}
