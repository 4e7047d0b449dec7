/* variants: only tier-fork, locked-down */
/* What is sent to a contained child reaches its program: the group, or the program alone; a stop too, and in the order in which it was sent. */
#include "harness.h"
#include "contained.h"

/* Says which of its two processes has got what; the second one is in the program's group. */
static const char counting[] =
    "trap 'echo one USR1' USR1; trap 'echo one USR2' USR2; trap 'echo one RT' 40;"
    "sh -c 'trap \"echo two USR1\" USR1; trap \"echo two USR2\" USR2; trap \"echo two RT\" 40; echo ready;"
    " while :; do sleep 1000 & wait $!; kill $!; done' &"
    "while :; do wait; done";

static struct {
    ps_child *child;
    int said;
} here;

static void begin(void)
{
    char line[64];
    ps_command *command = contained(shell(counting, NULL));
    set_stdio(command, 1, PS_STDIO_PIPE, -1);
    set_stdio(command, 2, PS_STDIO_NULL, -1);
    here.child = spawn_once(NULL, command);
    here.said = pipe_end(here.child, 1);
    CHECK(read_line(here.said, line, sizeof line));
    CHECK_STR(line, "ready");
}

static void hears(const char *one, const char *two)
{
    char first[64], second[64];
    CHECK(read_line(here.said, first, sizeof first));
    if (!two) {
        CHECK_STR(first, one);
        return;
    }
    CHECK(read_line(here.said, second, sizeof second));
    bool both = (strcmp(first, one) == 0 && strcmp(second, two) == 0) || (strcmp(first, two) == 0 && strcmp(second, one) == 0);
    if (!both)
        harness_fail(__FILE__, __LINE__, "\"%s\" and \"%s\", not \"%s\" and \"%s\"", first, second, one, two);
}

static void end(void)
{
    ps_exit end = terminate(here.child, -1);
    CHECK(end.kind == PS_EXIT_SIGNALED && end.signal == SIGTERM && end.cause == PS_CAUSE_STOP);
    close(here.said);
    ps_child_free(here.child);
}

/* The program's state, by the number that it has here. */
static char program_state(pid_t program, char expected)
{
    char state = 0;
    CHECK(wait_until((state = process_state(program)) == expected, 20000));
    return state;
}

static void all(void)
{
    ps_error *error = NULL;
    begin();
    CHECK_OK(ps_signal(here.child, SIGUSR1, &error), error);
    hears("one USR1", "two USR1");
    CHECK_OK(ps_signal_process(here.child, SIGUSR2, &error), error);
    hears("one USR2", NULL);
    CHECK_OK(ps_signal(here.child, 40, &error), error);
    hears("one RT", "two RT");
    CHECK(ps_signal_all(SIGUSR1) == PS_OK);
    hears("one USR1", "two USR1");
    /* Whoever sends it one from outside means its program. */
    CHECK(kill(pid_of(here.child), SIGUSR2) == 0);
    hears("one USR2", "two USR2");
    CHECK_OK(ps_signal(here.child, 0, &error), error);
    end();

    /* Stopped and continued, in this order; the host's child itself is not. */
    char line[64];
    ps_command *command = contained(shell("read pid rest </proc/self/stat; echo $pid; kill -USR1 1; kill -TERM 1; exec sleep 1000", NULL));
    set_stdio(command, 1, PS_STDIO_PIPE, -1);
    here.child = spawn_once(NULL, command);
    here.said = pipe_end(here.child, 1);
    CHECK(read_line(here.said, line, sizeof line));
    pid_t program = atoi(line);
    for (int i = 0; i < 20; i++) {
        CHECK_OK(ps_signal(here.child, SIGSTOP, &error), error);
        program_state(program, 'T');
        for (int j = 0; j < 5; j++) {
            CHECK_OK(ps_signal(here.child, SIGCONT, &error), error);
            CHECK_OK(ps_signal(here.child, SIGSTOP, &error), error);
        }
        CHECK_OK(ps_signal(here.child, SIGCONT, &error), error);
        program_state(program, 'S');
    }
    program_state(pid_of(here.child), 'S');
    CHECK_OK(ps_signal(here.child, SIGHUP, &error), error);
    ps_exit ended = reap(here.child);
    CHECK(ended.kind == PS_EXIT_SIGNALED && ended.signal == SIGHUP && ended.cause == PS_CAUSE_OWNER);
    CHECK_STATUS(ps_signal(here.child, SIGHUP, NULL), PS_ERR_EXITED);
    close(here.said);
    ps_child_free(here.child);

    /* One that is stopped dies, too: of the kill, unless it had not stopped yet when SIGTERM came. */
    here.child = spawn_once(NULL, contained(pausing()));
    CHECK_OK(ps_signal(here.child, SIGSTOP, &error), error);
    ended = terminate(here.child, 0);
    CHECK(ended.kind == PS_EXIT_SIGNALED && (ended.signal == SIGKILL || ended.signal == SIGTERM));
    ps_child_free(here.child);
}

int main(void)
{
    need_contained();
    as_root_and_as_nobody(all);
    return 0;
}
