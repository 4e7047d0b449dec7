/* A worker whose handles are freed ends some day: it is reaped then, by the looks of its supervisor alone, and is no zombie for ever; also without a
   supervisor of the caller's. */
/* covers: PA-36, PA-37, LAW-12 */
/* variants: few */
#include "direct.h"

static void ends_by_itself(ps_supervisor *supervisor, const char *last)
{
    char file[96];
    snprintf(file, sizeof file, "%s/go", temp_dir());
    char await[128];
    snprintf(await, sizeof await, "await=%s", file);
    ps_command *command = app("listen", "properties", "finish", await, last, NULL);
    ps_worker *worker = direct(supervisor, command);
    ps_child *child = child_of(worker);
    pid_t pid = pid_of(child);
    int32_t lifeline = -1;
    ps_error *error = NULL;
    CHECK_OK(ps_worker_stdin(worker, &lifeline, &error), error);
    ps_worker_free(worker);
    ps_child_free(child);
    CHECK(process_state(pid) != 'Z');
    write_file(file, "", 0600);
    ps_event event = {.size = sizeof event};
    if (supervisor)
        CHECK(wait_until((ps_supervisor_next_event(supervisor, 10, &event, NULL), process_gone(pid)), PATIENCE_MS));
    else {
        ps_command *other = exiting("0"); /* any later call of the library looks */
        CHECK(wait_until((reap_and_free(spawn(NULL, other)), process_gone(pid)), PATIENCE_MS));
        ps_command_free(other);
    }
    close(lifeline);
    unlink(file);
    ps_command_free(command);
}

int main(void)
{
    warm_up_direct();
    ps_supervisor *supervisor = supervisor_new();
    ends_by_itself(supervisor, "exit=0");
    ends_by_itself(supervisor, "die=9");
    ends_by_itself(NULL, "exit=3");
    ps_supervisor_free(supervisor);
    CHECK(has_no_child());
    NOTHING_IS_LEFT();
    return 0;
}
