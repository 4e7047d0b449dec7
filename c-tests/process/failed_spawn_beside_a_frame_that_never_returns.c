/* The exec of a child fails while a frame of ps_kill_and_reap_all that never returns holds on to it: ps_spawn answers all the same. */
/* as-root */
/* variants: only tier-fork, tier-clone */
/* covers: F23, LAW-17 */
#include "harness.h"
#include "children.h"
#include "left_frame.h"
#include "supervising.h"

static held_exec held;
static atomic_int answered;

static void *spawn_it(void *unused)
{
    (void)unused;
    ps_error *error = NULL;
    ps_child *child = NULL;
    ps_command *command = command_for(held.path, NULL);
    CHECK_ERROR(ps_spawn(NULL, command, &child, &error), PS_ERR_PERMISSION, &error);
    CHECK_STR(ps_error_step(error), "exec");
    ps_error_free(error);
    ps_command_free(command);
    atomic_store(&answered, 1);
    return NULL;
}

int main(void)
{
    pthread_t thread;
    warm_up();
    held_exec_begin(&held, "nothing");
    thread_start(&thread, spawn_it, NULL);
    held_exec_await(&held);
    leave_a_frame(LOOKING, false);
    held_exec_refuse(&held);
    CHECK(wait_until(atomic_load(&answered), 20000));
    pthread_join(thread, NULL);
    held_exec_end(&held);

    CHECK_INT(ps_live_count(), 0);
    /* Where signals go by number the one that the lost frame may be about to use must stay the zombie's. */
    pid_t pid = fork();
    if (pid == 0) {
        setpgid(0, 0);
        int pidfd = (int)syscall(SYS_pidfd_open, getpid(), 0);
        _exit(syscall(SYS_pidfd_send_signal, pidfd, 0, NULL, 1 << 2) == 0 ? 0 : 1);
    }
    if (WEXITSTATUS(wait_for(pid)) == 0)
        CHECK(has_no_child());
    ps_child *child = spawn_once(NULL, exiting("3"));
    CHECK_INT(reap(child).code, 3);
    ps_child_free(child);
    return 0;
}
