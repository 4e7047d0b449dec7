/* While a spawn that will fail holds the last slot, another one joins the line. The failure frees the slot, and no event tells of it:
   the line must be started all the same. */
/* covers: SC-5 */
/* as-root */
/* variants: only tier-fork, locked-down, asan: valgrind looks at a program itself, and the kernel is not asked for one that is none */
#include "harness.h"
#include "supervising.h"

static ps_supervisor *supervisor;
static ps_command *failing;

static void *spawn_in_vain(void *unused)
{
    ps_child *child = NULL;
    ps_error *error = NULL;
    CHECK_ERROR(ps_spawn(supervisor, failing, &child, &error), PS_ERR_SYSTEM, &error);
    CHECK_INT(ps_error_errno(error), ENOEXEC);
    ps_error_free(error);
    return unused;
}

int main(void)
{
    held_exec held;
    pthread_t thread;
    held_exec_begin(&held, "exit_with");
    CHECK(truncate(held.path, 100) == 0 || errno == ETXTBSY);
    int fd = open(held.path, O_WRONLY | O_CLOEXEC);
    CHECK(fd >= 0 && pwrite(fd, "no program", 10, 0) == 10);
    close(fd);
    supervisor = new_supervisor(1);
    failing = command_for(held.path, NULL);
    thread_start(&thread, spawn_in_vain, NULL);
    held_exec_await(&held);
    ps_child *child = spawn_named(supervisor, pausing(), 1);
    CHECK_INT(state_of(child), PS_STATE_PENDING);
    CHECK_COUNTS(supervisor, 1, 1, 0);
    held_exec_let_go(&held);
    pthread_join(thread, NULL);
    CHECK_COUNTS(supervisor, 0, 1, 0); /* without another call that would do work */
    CHECK(child_count() == 1 && !is_dead(pid_of(child)));
    kill(pid_of(child), SIGKILL);
    expect(supervisor, PS_EVENT_STARTED, 1);
    expect(supervisor, PS_EVENT_EXITED, 1);
    expect_nothing(supervisor);
    held_exec_end(&held);
    ps_child_free(child);
    ps_command_free(failing);
    ps_supervisor_free(supervisor);
    return 0;
}
