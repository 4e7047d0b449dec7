/* ps_child_pidfd: a descriptor of our own, readable when the child ends, close-on-exec; after the exit was taken there is none. */
#include "harness.h"
#include "children.h"

int main(void)
{
    ps_error *error = NULL;
    ps_child *child = spawn_once(NULL, pausing());
    int32_t one = -1, two = -1;
    CHECK_OK(ps_child_pidfd(child, &one, &error), error);
    CHECK_OK(ps_child_pidfd(child, &two, &error), error);
    CHECK(one >= 0 && two >= 0 && one != two);
    CHECK_INT(fcntl(one, F_GETFD), FD_CLOEXEC);
    close(one);

    struct pollfd p = {.fd = two, .events = POLLIN};
    CHECK_INT(poll(&p, 1, 0), 0);
    CHECK_OK(ps_signal(child, SIGTERM, &error), error);
    CHECK_INT(poll(&p, 1, PATIENCE_MS), 1);
    CHECK_INT(reap(child).signal, SIGTERM);

    CHECK_INT(poll(&p, 1, 0), 1); /* the reap has not touched it */
    CHECK_STATUS(ps_child_pidfd(child, &one, NULL), PS_ERR_EXITED);
    int32_t pid = 0;
    CHECK_OK(ps_child_pid(child, &pid, &error), error); /* the number stays for display */
    CHECK(pid > 0);
    close(two);
    ps_child_free(child);
    return 0;
}
