/* die_by SIGNAL [core]: ends itself by this signal number; without "core" no core file is written whatever the limits say. */
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    int signal_number = argc > 1 ? atoi(argv[1]) : SIGKILL;
    sigset_t set;
    if (argc < 3) {
        struct rlimit none = {0, 0};
        setrlimit(RLIMIT_CORE, &none);
    }
    signal(signal_number, SIG_DFL);
    sigemptyset(&set);
    sigaddset(&set, signal_number);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
    kill(getpid(), signal_number);
    return 99; /* the signal does not end a process */
}
