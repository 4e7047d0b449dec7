/* One reap closes the owned descriptor, removes the sandbox and empties the registry slot. */
/* covers: LAW-12, EV-1, EV-12 */
#include "harness.h"
#include "children.h"

int main(void)
{
    const char *dir = temp_dir();
    char inner[128], file[160];
    snprintf(inner, sizeof inner, "%s/a", dir);
    snprintf(file, sizeof file, "%s/file", inner);
    CHECK(mkdir(inner, 0700) == 0);
    write_file(file, "x", 0400);

    warm_up();
    leak_guard guard = leak_guard_begin();
    ps_error *error = NULL;
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    ps_command *command = pausing();
    CHECK_OK(ps_command_own_fd(command, fd, &error), error);
    CHECK_OK(ps_command_sandbox_dir(command, dir, &error), error);
    ps_child *child = spawn(NULL, command);
    CHECK(fcntl(fd, F_GETFD) >= 0 && exists(file));

    terminate(child, -1);
    CHECK(fcntl(fd, F_GETFD) == -1 && errno == EBADF);
    CHECK(!exists(dir));
    CHECK(ps_live_count() == 0);
    ps_child_free(child);
    ps_command_free(command);
    leak_guard_end(&guard);
    return 0;
}
