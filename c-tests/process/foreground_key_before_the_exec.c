/* ^Z and ^\ in the moment before the program begins neither stop nor end the child there, where the spawning thread waits for it: what comes early is
   sent once more when it has begun. (Right before the exec it may be lost.) */
/* variants: only tier-clone, tier-fork: threads cannot be made where it is locked down */
#include "held_execve.h"
#include "terminals.h"

static ps_command *in_the_foreground(ps_command *command)
{
    CHECK_OK(ps_command_foreground(command, 1, NULL), NULL);
    return command;
}

/* As the key does it; what is typed comes by a thread of the kernel's. */
static void key(pid_t pid, int signal) { CHECK(kill(-pid, signal) == 0); }

static int right_before_the_exec(void)
{
    uint64_t question, again;
    pthread_t thread;
    warm_up();
    pid_t pid = held_begin(&thread, in_the_foreground(exiting("7")), &question);
    key(pid, SIGTSTP);
    CHECK_INT(held_asks(&again), pid);
    key(pid, SIGQUIT);
    CHECK_INT(held_asks(&again), pid);
    held_let_go(again);
    ps_child *child = held_end(thread);
    must_end(child, 7);
    ps_child_free(child);
    return 11;
}

static int early(int signal)
{
    uint64_t question;
    pthread_t thread;
    warm_up();
    held_call = SYS_setpgid;
    pid_t pid = held_begin(&thread, in_the_foreground(pausing()), &question);
    CHECK(kill(pid, signal) == 0);
    held_let_go(question);
    ps_child *child = held_end(thread);
    ps_error *error = NULL;
    if (signal == SIGTSTP) {
        CHECK(wait_until(process_state(pid_of(child)) == 'T', 20000));
        CHECK_OK(ps_terminate(child, 0, NULL, &error), error);
    } else {
        ps_exit end = {.size = sizeof end};
        CHECK_OK(ps_reap(child, PATIENCE_MS, &end, &error), error);
        CHECK_INT(end.kind, PS_EXIT_SIGNALED);
        CHECK_INT(end.signal, signal);
    }
    ps_child_free(child);
    return 12;
}

static int stopped_early(void) { return early(SIGTSTP); }
static int quit_early(void) { return early(SIGQUIT); }

int main(void)
{
    struct rlimit no_core = {0, 0};
    int (*hosts[])(void) = {right_before_the_exec, stopped_early, quit_early}, wanted[] = {11, 12, 12};
    CHECK(setrlimit(RLIMIT_CORE, &no_core) == 0);
    for (size_t i = 0; i < 3; i++) {
        int master, code = host_ends(host_on_terminal(hosts[i], &master));
        if (code == 77)
            return code;
        CHECK_INT(code, wanted[i]);
        close(master);
    }
    return 0;
}
