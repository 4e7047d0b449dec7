/*
 * Prints on which processors it may run and how, one "name=value" per line: cpus (numbers with commas), policy (OTHER, BATCH, IDLE,
 * FIFO, RR or a number), priority, nice, rtprio (soft:hard). With an argument a child of its own prints that.
 */
#define _GNU_SOURCE
#include <sched.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define CPUS 65536

int main(int argc, char **argv)
{
    if (argc > 1) {
        pid_t pid = fork();
        if (pid == 0)
            execv(argv[0], (char *[]){argv[0], NULL});
        return pid > 0 && waitpid(pid, NULL, 0) == pid ? 0 : 1;
    }
    static const char *const names[] = {"OTHER", "FIFO", "RR", "BATCH", "4", "IDLE"};
    cpu_set_t *set = CPU_ALLOC(CPUS);
    size_t size = CPU_ALLOC_SIZE(CPUS);
    struct sched_param param = {0};
    struct rlimit limit = {0, 0};
    int policy = sched_getscheduler(0);
    if (!set || policy < 0 || policy > 5 || sched_getaffinity(0, size, set) != 0 || sched_getparam(0, &param) != 0)
        return 1;
    getrlimit(RLIMIT_RTPRIO, &limit);
    printf("cpus=");
    for (int cpu = 0, first = 1; cpu < CPUS; cpu++)
        if (CPU_ISSET_S((size_t)cpu, size, set)) {
            printf(first ? "%d" : ",%d", cpu);
            first = 0;
        }
    printf("\npolicy=%s\npriority=%d\nnice=%d\n", names[policy], param.sched_priority, getpriority(PRIO_PROCESS, 0));
    printf("rtprio=%lld:%lld\n", (long long)limit.rlim_cur, (long long)limit.rlim_max);
    CPU_FREE(set);
    return 0;
}
