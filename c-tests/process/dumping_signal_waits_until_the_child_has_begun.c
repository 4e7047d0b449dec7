/* ps_signal_all with a signal that dumps core meets a child between clone and exec, when it shares the host's memory: the child gets it when
   its program has begun, and not before. A signal that only ends it comes at once. */
/* covers: F25, LAW-13 */
#include "harness.h"
#include "children.h"
#include "held_execve.h"

/* Whether this signal has come to the process: it waits to be taken, or has ended it. */
static bool has_come(pid_t pid, int number)
{
    char path[64], line[256];
    unsigned long long pending = 0, mask;
    snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
    FILE *file = fopen(path, "re");
    while (file && fgets(line, sizeof line, file))
        if (sscanf(line, "SigPnd: %llx", &mask) == 1 || sscanf(line, "ShdPnd: %llx", &mask) == 1)
            pending |= mask;
    if (file)
        fclose(file);
    return is_dead(pid) || (pending >> (number - 1) & 1);
}

int main(void)
{
    static const int dumping[] = {SIGQUIT, SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGSEGV, SIGXCPU, SIGXFSZ, SIGSYS};
    pthread_t thread;
    uint64_t question;
    ps_error *error = NULL;
    warm_up();
    for (size_t i = 0; i < sizeof dumping / sizeof *dumping; i++) {
        ps_command *command = pausing();
        CHECK_OK(ps_command_rlimit(command, RLIMIT_CORE, 0, 0, &error), error);
        pid_t pid = held_begin(&thread, command, &question);
        CHECK_STATUS(ps_signal_all(dumping[i]), PS_OK);
        CHECK(!has_come(pid, dumping[i]));
        held_let_go(question);
        ps_child *child = held_end(thread);
        ps_exit end = reap(child);
        CHECK_INT(end.signal, dumping[i]);
        CHECK_INT(end.cause, PS_CAUSE_OWNER);
        ps_child_free(child);
    }

    pid_t pid = held_begin(&thread, pausing(), &question);
    CHECK_STATUS(ps_signal_all(SIGTERM), PS_OK);
    CHECK(wait_until(has_come(pid, SIGTERM), 20000));
    ps_child *child = held_end(thread);
    CHECK_INT(reap(child).signal, SIGTERM);
    ps_child_free(child);
    return 0;
}
