/* A child joins a group that is there, as process_group=N of CPython's subprocess and the programs of a shell's pipeline do. Signals to it are its own
   then, and its end sweeps nobody; but who leads the group has it as ever. */
/* variants: only tier-fork, no-pidfd-group-signal, no-pidfd_send_signal */
#include "harness.h"
#include "children.h"

static ps_error *error;

static ps_child *spawn_into(pid_t group)
{
    ps_command *command = pausing();
    CHECK_OK(ps_command_process_group(command, group, &error), error);
    return spawn_once(NULL, command);
}

static ps_child *leader(int32_t survivors)
{
    ps_command *command = pausing();
    CHECK_OK(ps_command_survivors(command, survivors, &error), error);
    return spawn_once(NULL, command);
}

static bool runs(const ps_child *child)
{
    return state_of(child) == PS_STATE_RUNNING && !is_dead(pid_of(child));
}

/* The signals of one that has joined are its own, however it is stopped. */
static void signals_reach_it_alone(void)
{
    ps_child *lead = leader(PS_SURVIVORS_LEAVE), *one = spawn_into(pid_of(lead)), *two = spawn_into(pid_of(lead));
    CHECK_INT(getpgid(pid_of(one)), pid_of(lead));
    CHECK_INT(getpgid(pid_of(two)), pid_of(lead));
    CHECK_OK(ps_signal(one, SIGUSR1, &error), error);
    CHECK_INT(reap(one).signal, SIGUSR1);
    CHECK(runs(lead) && runs(two));
    ps_child_free(one);
    one = spawn_into(pid_of(lead));
    CHECK_INT(terminate(one, -1).signal, SIGTERM);
    CHECK(runs(lead) && runs(two));
    ps_child_free(one);

    /* The leader's are the group's, and one that is a zombie pins the number: so it can be joined still. */
    CHECK_OK(ps_signal(lead, SIGUSR2, &error), error);
    CHECK_INT(reap(two).signal, SIGUSR2);
    CHECK(wait_until(process_state(pid_of(lead)) == 'Z', 20000));
    two = spawn_into(pid_of(lead));
    CHECK_INT(getpgid(pid_of(two)), pid_of(lead));
    CHECK_INT(reap(lead).signal, SIGUSR2);
    CHECK(runs(two)); /* PS_SURVIVORS_LEAVE */
    ps_child_free(lead);
    kill_and_free(two);
}

static void leader_sweeps_who_joined(void)
{
    ps_child *lead = leader(PS_SURVIVORS_SWEEP), *one = spawn_into(pid_of(lead));
    CHECK_OK(ps_signal_process(lead, SIGTERM, &error), error);
    CHECK_INT(reap(lead).signal, SIGTERM);
    CHECK_INT(reap(one).signal, SIGKILL);
    ps_child_free(lead);
    ps_child_free(one);
}

static void refuse(pid_t group)
{
    ps_command *command = pausing();
    CHECK_OK(ps_command_process_group(command, group, &error), error);
    ps_error *why = spawn_fails(command, PS_ERR_PERMISSION);
    CHECK_INT(ps_error_errno(why), EPERM);
    CHECK_STR(ps_error_step(why), PS_STEP_SETPGID);
    ps_error_free(why);
    ps_command_free(command);
}

static void group_must_be_there(void)
{
    refuse(INT32_MAX);
    ps_command *command = pausing();
    CHECK_OK(ps_command_isolate(command, PS_ISOLATE_SESSION, &error), error);
    ps_child *elsewhere = spawn_once(NULL, command);
    refuse(pid_of(elsewhere));
    kill_and_free(elsewhere);
    command = pausing();
    CHECK_STATUS(ps_command_process_group(command, -1, NULL), PS_ERR_INVALID_ARGUMENT);
    CHECK_STATUS(ps_command_process_group(command, INT32_MIN, NULL), PS_ERR_INVALID_ARGUMENT);
    ps_command_free(command);
}

static pid_t group_of(ps_command *command)
{
    ps_child *child = spawn(NULL, command);
    pid_t pid = pid_of(child), group = getpgid(pid);
    kill_and_free(child);
    return group == pid ? 0 : group;
}

static void last_word_counts(void)
{
    ps_child *lead = leader(PS_SURVIVORS_LEAVE);
    ps_command *command = pausing();
    CHECK_OK(ps_command_isolate(command, PS_ISOLATE_SESSION, &error), error);
    CHECK_OK(ps_command_process_group(command, pid_of(lead), &error), error);
    CHECK_INT(group_of(command), pid_of(lead));
    CHECK_OK(ps_command_isolate(command, PS_ISOLATE_NONE, &error), error);
    CHECK_INT(group_of(command), getpgrp());
    CHECK_OK(ps_command_process_group(command, pid_of(lead), &error), error);
    CHECK_OK(ps_command_isolate(command, PS_ISOLATE_GROUP, &error), error);
    CHECK_INT(group_of(command), 0);
    CHECK_OK(ps_command_process_group(command, getpgrp(), &error), error);
    CHECK_INT(group_of(command), getpgrp());
    CHECK_OK(ps_command_process_group(command, 0, &error), error);
    CHECK_INT(group_of(command), 0);
    ps_command_free(command);
    kill_and_free(lead);
}

int main(void)
{
    signals_reach_it_alone();
    leader_sweeps_who_joined();
    group_must_be_there();
    last_word_counts();
    CHECK(has_no_child());
    return 0;
}
