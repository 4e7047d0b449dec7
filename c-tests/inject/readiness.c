/* Faults in readiness: a child of NULL that is ready by a descriptor, waited for; and one of a supervisor that is by a message, told by
   events. Whatever fails, it is ready, or there is a typed error; and what was not heard at once is heard later. */
/* variants: only tier-fork: how a child is made in between is swept by spawn_plain and spawn_reap */
/* share: 3 */
#include "scenario.h"

#include "ready.h"

static void by_descriptor(ps_command *command)
{
    ps_error *error = NULL;
    ps_child *child = NULL;
    ps_exit end = {.size = sizeof end};
    if (worked(ps_spawn(NULL, command, &child, &error), &error)) {
        worked(ps_wait_ready(child, 20000, &error), &error);
        worked(ps_terminate(child, 0, &end, &error), &error);
        ps_child_free(child);
    }
}

static void by_message(ps_command *command)
{
    ps_error *error = NULL;
    ps_supervisor *supervisor = NULL;
    ps_child *child = NULL;
    int32_t last = 0;
    if (worked(ps_supervisor_new(&supervisor, &error), &error)) {
        if (worked(ps_spawn(supervisor, command, &child, &error), &error)) {
            for (int turn = 0; turn < 20 && last != PS_EVENT_EXITED; turn++) {
                ps_event event = {.size = sizeof event};
                ps_status status = ps_supervisor_next_event(supervisor, 1000, &event, &error);
                if (!worked(status, &error)) {
                    if (status == PS_PENDING)
                        continue;
                    break;
                }
                /* A message that could not be taken in before its sender was reaped is not believed any more: only then is there no READY. */
                CHECK(event.kind == PS_EVENT_STARTED ? last == 0
                      : event.kind == PS_EVENT_READY ? last == PS_EVENT_STARTED
                                                     : last == PS_EVENT_READY || scenario_injected("recvmsg", NULL));
                last = event.kind;
            }
        }
        ps_supervisor_free(supervisor);
        ps_child_free(child);
    }
}

/* What the default supervisor waits and keeps time with stays, from the first child on that is not ready yet when it is waited for. */
static void keep_time(void)
{
    ps_command *command = ready_command(PS_READY_FD, "3", 30000, "pause", NULL);
    ps_child *child = NULL;
    CHECK_INT(ps_spawn(NULL, command, &child, NULL), PS_OK);
    CHECK_INT(ps_wait_ready(child, 5, NULL), PS_ERR_TIMEOUT);
    CHECK_INT(ps_terminate(child, 0, NULL, NULL), PS_OK);
    ps_child_free(child);
    ps_command_free(command);
}

int main(int argc, char **argv)
{
    ps_command *descriptor = ready_command(PS_READY_FD, "3", 30000, "newline:3", "pause", NULL);
    ps_command *message = ready_command(PS_READY_NOTIFY, NULL, 30000, "notify:READY=1", NULL);
    if (!(argc > 1 && strcmp(argv[1], "cold") == 0)) {
        by_descriptor(descriptor);
        keep_time();
    }
    scenario_begin(argc, argv);
    by_descriptor(descriptor);
    by_message(message);
    scenario_end();
    ps_command_free(descriptor);
    ps_command_free(message);
    return 0;
}
