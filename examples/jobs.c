/*
 * The smallest program with a supervisor: more jobs than may run at once, each with a deadline, and how each ended.
 *
 *   cc jobs.c $(pkg-config --cflags --libs procsup) -o jobs && ./jobs
 */
/* ctest */
#include <poll.h>
#include <procsup.h>
#include <stdio.h>

int main(void)
{
    static const char *const jobs[] = {"sleep 0.2", "exit 3", "kill -TERM $$", "sleep 1000", "date"};
    int fd = -1, left = 5;
    ps_supervisor *supervisor = NULL;
    ps_event event = {.size = sizeof event};
    ps_supervisor_new(&supervisor, NULL); /* a real program looks at every status, as hello.c does */
    ps_supervisor_set_max_running(supervisor, 2, NULL);
    ps_supervisor_fd(supervisor, &fd, NULL);
    for (int i = 0; i < 5; i++) {
        ps_command *command = NULL;
        ps_child *child = NULL;
        ps_command_new("sh", &command, NULL);
        ps_command_args(command, (const char *const[]){"-c", jobs[i], NULL}, NULL);
        ps_command_deadline(command, 500, NULL);
        ps_command_user_data(command, i, NULL);      /* comes back with its events */
        ps_spawn(supervisor, command, &child, NULL); /* two run, three stand in line */
        ps_command_free(command);
    }
    while (left > 0) {
        poll(&(struct pollfd){.fd = fd, .events = POLLIN}, 1, -1); /* or your event loop */
        while (ps_supervisor_next_event(supervisor, 0, &event, NULL) == PS_OK)
            if (event.kind == PS_EVENT_EXITED) {
                printf("%s: exit code %d, signal %d%s\n", jobs[event.user_data], event.exit.code, event.exit.signal,
                       event.exit.cause == PS_CAUSE_DEADLINE ? ": too slow" : "");
                ps_child_free(event.child);
                left--;
            }
    }
    ps_supervisor_free(supervisor);
    return 0;
}
