/* Who has waited for another's start has nothing open afterwards: a client may never call again, and of inotify instances a user has few. */
/* covers: C13-6 */
#include "once.h"

static int starter(void *nothing)
{
    ps_error *error = NULL;
    ps_child *child = NULL;
    (void)nothing;
    ps_command *command = once_command("gate", once_gate, NULL);
    CHECK_OK(once_start(command, ONCE_WAIT, &child, &error), error);
    return 0;
}

/* Opens the gate when its parent watches the lock: then that waits. */
static int opens(void *nothing)
{
    (void)nothing;
    bool watches = false;
    for (int64_t until = now_ms() + 20000; !watches && now_ms() < until; let_others_run(1000))
        for (int fd = 3; fd < 64 && !watches; fd++) {
            char path[64], link[64] = "";
            snprintf(path, sizeof path, "/proc/%d/fd/%d", (int)getppid(), fd);
            watches = readlink(path, link, sizeof link - 1) > 0 && strstr(link, "inotify");
        }
    once_open_gate();
    return watches ? 0 : 1;
}

int main(void)
{
    ps_error *error = NULL;
    ps_child *child = NULL;
    once_begin();
    warm_up();
    pid_t first = once_fork(starter, NULL);
    CHECK(wait_until(once_starts() == 1, 20000));
    ps_command *command = once_command(NULL);
    int before = count_fds();
    pid_t opener = once_fork(opens, NULL);
    CHECK_OK(once_start(command, ONCE_WAIT, &child, &error), error);
    CHECK(child == NULL);
    CHECK_INT(count_fds(), before);
    CHECK_INT(once_join(opener), 0);
    CHECK_INT(once_join(first), 0);
    ps_command_free(command);
    once_end();
    return 0;
}
