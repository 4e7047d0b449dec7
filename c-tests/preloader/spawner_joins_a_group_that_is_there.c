/* A spawner's child joins the group that its command names, though the same command was run by it before under another; one that is not there is a
   typed failure of the start. What it is given of oom_score_adj, masks and ignored signals is its own: the spawner has none of it afterwards. */
/* variants: few */
#include "harness.h"
#include "spawning.h"

static ps_error *error;
static ps_supervisor *supervisor;

static char *status_of(pid_t pid, const char *file)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, file);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    CHECK(fd >= 0);
    char *text = read_all(fd);
    close(fd);
    return text;
}

/* What it ignores. */
static char *signals_of(pid_t pid)
{
    char *text = status_of(pid, "status"), *ignored = strdup(line_after(text, "SigIgn:"));
    free(text);
    return ignored;
}

static ps_child *leader(void)
{
    ps_command *command = pausing();
    CHECK_OK(ps_command_survivors(command, PS_SURVIVORS_LEAVE, &error), error);
    ps_child *child = spawn_once(supervisor, command);
    await_event(supervisor, PS_EVENT_STARTED);
    return child;
}

static void join(ps_command *command, ps_child *lead)
{
    CHECK_OK(ps_command_process_group(command, pid_of(lead), &error), error);
    for (int i = 0; i < 4; i++) { /* as often as it takes until others are sent again as they were */
        ps_child *child = spawn(supervisor, command);
        await_event(supervisor, PS_EVENT_STARTED);
        CHECK_INT(getpgid(pid_of(child)), pid_of(lead));
        ps_exit end;
        CHECK_OK(ps_signal(child, SIGTERM, &error), error);
        await_end(child, PS_OK, &end);
        CHECK_INT(end.signal, SIGTERM);
        ps_child_free(child);
    }
    CHECK_INT(process_state(pid_of(lead)), 'S');
}

int main(void)
{
    const int32_t hangup[] = {SIGHUP};
    warm_up();
    supervisor = spawner_supervisor();
    ps_child *one = leader(), *other = leader();
    pid_t spawner = spawner_pid();
    char *before = status_of(spawner, "oom_score_adj"), *signals = signals_of(spawner);
    ps_command *command = pausing();
    CHECK_OK(ps_command_oom_score_adj(command, 1000, &error), error);
    CHECK_OK(ps_command_keep_ignored(command, hangup, 1, &error), error);
    join(command, one);
    join(command, other);

    CHECK_OK(ps_command_process_group(command, INT32_MAX, &error), error);
    ps_child *nobody = spawn(supervisor, command);
    ps_event event = await_event(supervisor, PS_EVENT_FAILED);
    CHECK_INT(event.status, PS_ERR_PERMISSION);
    CHECK_ERROR(ps_reap(nobody, 20000, NULL, &error), PS_ERR_PERMISSION, &error);
    CHECK_STR(ps_error_step(error), PS_STEP_SETPGID);
    CHECK_INT(ps_error_errno(error), EPERM);
    ps_error_free(error);
    ps_child_free(nobody);

    CHECK_INT(spawner_pid(), spawner);
    char *after = status_of(spawner, "oom_score_adj"), *later = signals_of(spawner);
    CHECK_STR(after, before);
    CHECK_STR(later, signals);
    free(before);
    free(after);
    free(signals);
    free(later);
    ps_command_free(command);
    kill_and_free(one);
    kill_and_free(other);
    ps_supervisor_free(supervisor);
    CHECK(has_no_child());
    return 0;
}
