/* The sandbox belongs to the child from the spawn on: also a child ended by kill_and_reap_all leaves no directory behind. */
/* covers: EV-9 */
#include "harness.h"
#include "children.h"

int main(void)
{
    const char *dir = temp_dir();
    char file[128];
    snprintf(file, sizeof file, "%s/file", dir);
    write_file(file, "x", 0600);

    ps_error *error = NULL;
    ps_command *command = pausing();
    CHECK_OK(ps_command_sandbox_dir(command, dir, &error), error);
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    CHECK_OK(ps_command_own_fd(command, fd, &error), error);
    ps_child *child = spawn_once(NULL, command);
    CHECK(exists(file));

    CHECK(ps_kill_and_reap_all(PATIENCE_MS, NULL) == PS_OK);
    /* a signal handler cannot remove a tree, so the next ordinary call does */
    reap_and_free(child);
    CHECK(!exists(dir));
    CHECK(fcntl(fd, F_GETFD) == -1); /* nor what else it owned */
    return 0;
}
