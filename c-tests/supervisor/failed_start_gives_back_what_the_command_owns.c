/* A spawn that fails although its program has begun, since its supervisor was shut down in that very moment: the error is told, nobody is left, and what
   the command owns (directory, descriptors) is the command's again, which gives it to its next child. With a restart policy, where the handle would
   have kept it, the same. */
/* as-root */
/* variants: only tier-fork: it needs threads */
#include "harness.h"
#include "supervising.h"

static ps_supervisor *supervisor;
static ps_command *command;
static ps_child *child;
static ps_status status;
static ps_error *failure;

static void *spawn_it(void *unused)
{
    status = ps_spawn(supervisor, command, &child, &failure);
    return unused;
}

/* `shutdown`: while the exec is held. */
static void spawn_held(held_exec *held, bool shutdown)
{
    pthread_t thread;
    supervisor = supervisor_new();
    child = NULL;
    thread_start(&thread, spawn_it, NULL);
    held_exec_await(held);
    if (shutdown)
        shut_down(supervisor, -1);
    held_exec_let_go(held);
    pthread_join(thread, NULL);
}

int main(void)
{
    ps_error *error = NULL;
    held_exec held;
    held_exec_begin(&held, "pause_forever");
    warm_up();
    for (int restarts = 0; restarts < 2; restarts++) {
        int owned[2];
        char dir[64], file[96];
        ps_event event = {.size = sizeof event};
        strcpy(dir, temp_dir());
        snprintf(file, sizeof file, "%s/file", dir);
        write_file(file, "x", 0600);
        CHECK(pipe2(owned, O_CLOEXEC) == 0);
        command = command_for(held.path, NULL);
        CHECK_OK(ps_command_sandbox_dir(command, dir, &error), error);
        CHECK_OK(ps_command_own_fd(command, owned[1], &error), error);
        if (restarts)
            restarting(command, PS_RESTART_ALWAYS, 0, 0);

        spawn_held(&held, true);
        CHECK_INT(status, PS_ERR_SHUTDOWN);
        CHECK(child == NULL);
        ps_error_free(failure);
        failure = NULL;
        CHECK(has_no_child());
        CHECK_INT(ps_live_count(), 0);
        CHECK(exists(file));
        CHECK_INT(fcntl(owned[1], F_GETFD), FD_CLOEXEC);
        expect(supervisor, PS_EVENT_SHUTDOWN_DONE, 0);
        CHECK_STATUS(ps_supervisor_next_event(supervisor, 0, &event, NULL), PS_PENDING);
        ps_supervisor_free(supervisor);
        CHECK(exists(file));

        spawn_held(&held, false);
        CHECK_OK(status, failure);
        terminate(child, 0);
        CHECK(!exists(dir));
        CHECK(fcntl(owned[1], F_GETFD) < 0);
        ps_child_free(child);
        ps_supervisor_free(supervisor);
        ps_command_free(command);
        close(owned[0]);
    }
    held_exec_end(&held);
    return 0;
}
