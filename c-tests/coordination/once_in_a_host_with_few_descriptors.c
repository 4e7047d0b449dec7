/* A host whose hard limit of descriptors is lower than the number that the daemon's lock has otherwise: it starts a daemon all the same, which has its
   lock by another number. */
/* covers: C13-6 */
/* variants: few: checkers need descriptors of their own */
#include "once.h"

static int start(void *limit)
{
    ps_error *error = NULL;
    ps_child *child = NULL;
    struct rlimit both = {*(rlim_t *)limit, *(rlim_t *)limit};
    CHECK_INT(setrlimit(RLIMIT_NOFILE, &both), 0);
    ps_command *command = once_command(NULL);
    CHECK_OK(once_start(command, ONCE_WAIT, &child, &error), error);
    CHECK(child != NULL);
    return 0;
}

int main(void)
{
    once_begin();
    for (rlim_t limit = 32; limit <= 128; limit *= 2) {
        CHECK_INT(once_join(once_fork(start, &limit)), 0);
        CHECK(once_is_locked(ONCE_NAME ".run"));
        once_clear();
    }
    once_end();
    return 0;
}
