/* eat_memory MIB [then]: takes memory, page by page, and touches it; so much, and then
     exit CODE   ends with that code
     pause       says "full" and waits for ever
     at-signal   says "full", waits for SIGUSR1, and then takes all there is
   or all that there is: until it is killed (MIB is 0).
   eat_memory in-child CODE: has a child of its own that takes all there is; ends with CODE when that has been killed by SIGKILL, else with 99. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static void eat(long mebibytes)
{
    for (long had = 0; mebibytes == 0 || had < mebibytes; had++) {
        char *piece = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (piece == MAP_FAILED)
            _exit(98);
        for (long at = 0; at < 1 << 20; at += 4096)
            piece[at] = 1;
    }
}

int main(int argc, char **argv)
{
    sigset_t wanted;
    int signal = 0;
    sigemptyset(&wanted);
    sigaddset(&wanted, SIGUSR1);
    sigprocmask(SIG_BLOCK, &wanted, NULL);
    if (argc > 2 && strcmp(argv[1], "in-child") == 0) {
        int status = 0;
        pid_t pid = fork();
        if (pid == 0) {
            eat(0);
            _exit(97);
        }
        if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFSIGNALED(status) || WTERMSIG(status) != 9)
            return 99;
        if (strcmp(argv[2], "pause") != 0)
            return atoi(argv[2]);
    } else {
        eat(argc > 1 ? atol(argv[1]) : 0);
        if (argc > 3)
            return atoi(argv[3]);
    }
    puts("full");
    fflush(stdout);
    if (argc > 2 && strcmp(argv[2], "at-signal") == 0 && sigwait(&wanted, &signal) == 0)
        eat(0);
    for (;;)
        pause();
}
