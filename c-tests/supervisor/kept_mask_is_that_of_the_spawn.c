/* A start that waits in line, and a restart, have the mask that the thread had when it called ps_spawn, whichever thread carries them out, and whatever
   that has blocked by then. */
/* variants: few */
#include "harness.h"
#include "spawning.h"

static ps_error *error;

static void set_mask(int first, int second)
{
    sigset_t mask;
    sigemptyset(&mask);
    sigaddset(&mask, first);
    sigaddset(&mask, second);
    CHECK(pthread_sigmask(SIG_SETMASK, &mask, NULL) == 0);
}

static ps_command *showing(int fd)
{
    ps_command *command = helper_command("show_signals", NULL);
    CHECK_OK(ps_command_keep_mask(command, 1, &error), error);
    set_stdio(command, 1, PS_STDIO_FD, fd);
    return command;
}

/* So many children have said this mask. */
static void said(int fd, int count, int first, int second)
{
    char line[64], expected[64];
    uint64_t mask = UINT64_C(1) << (first - 1) | UINT64_C(1) << (second - 1);
    snprintf(expected, sizeof expected, "blocked=%016" PRIx64, mask);
    while (count > 0) {
        CHECK(read_line(fd, line, sizeof line));
        line[strcspn(line, "\n")] = 0;
        if (strncmp(line, "blocked=", 8) != 0)
            continue;
        CHECK_STR(line, expected);
        count--;
    }
}

static void *drive(void *supervisor)
{
    set_mask(SIGUSR1, 50);
    ps_event event = {.size = sizeof event};
    int over = 0;
    while (over < 2) {
        CHECK_OK(ps_supervisor_next_event(supervisor, PATIENCE_MS, &event, &error), error);
        over += event.kind == PS_EVENT_GAVE_UP || (event.kind == PS_EVENT_EXITED && event.user_data == 1);
    }
    return NULL;
}

static void line_and_restarts(ps_supervisor *supervisor)
{
    int out[2];
    pthread_t thread;
    gate gate = new_gate();
    CHECK(pipe2(out, O_CLOEXEC) == 0);
    limit_running(supervisor, 1);
    set_mask(SIGUSR2, 40);
    ps_child *first = spawn_named(supervisor, at_gate(&gate), 1);
    /* It exits with 0, at once, which counts as a failure: three runs, then it is given up. */
    ps_command *command = name_it(giving_up_after(restarting(showing(out[1]), PS_RESTART_ALWAYS, 0, 0), 3), 2);
    ps_child *second = spawn_once(supervisor, command);
    CHECK_INT(state_of(second), PS_STATE_PENDING);
    close(out[1]);
    set_mask(SIGHUP, 60);
    thread_start(&thread, drive, supervisor);
    open_gate(&gate);
    pthread_join(thread, NULL);
    said(out[0], 3, SIGUSR2, 40);
    close(out[0]);
    ps_child_free(first);
    ps_child_free(second);
    ps_supervisor_free(supervisor);
}

int main(void)
{
    warm_up();
    line_and_restarts(supervisor_new());
    line_and_restarts(spawner_supervisor());
    CHECK(has_no_child());
    return 0;
}
