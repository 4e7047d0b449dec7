/* P15: what a thousand variables cost. A host with 1 000 variables of 60 bytes spawns a program that does nothing, by procsup and by
 * posix_spawn: inherited, inherited with three set by the command, and cleared with a thousand set (posix_spawn: an array that stands
 * ready). Each round takes all of them in an order of its own, since what came before decides what is in the caches.
 *
 *   cc -O2 -Iinclude bench/c/environment.c -o environment -Ltarget/release -lprocsup
 *   LD_LIBRARY_PATH=target/release taskset -c 1 ./environment PROGRAM [ROUNDS]
 */
#define _GNU_SOURCE
#include <procsup.h>

#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

#define VARIABLES 1000
#define LENGTH 60
#define MOST 20000

enum way { INHERIT, SETS, CLEAR, NONE, WAYS };

static char *variables[VARIABLES + 1], *ready[VARIABLES + 1], *with_three[VARIABLES + 4], *none[1];
static ps_command *commands[WAYS];
static double took[WAYS][2][MOST];

static double now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1e6 + t.tv_nsec / 1e3;
}

static int by_procsup(enum way way)
{
    ps_child *child;
    ps_exit end = {.size = sizeof end};
    if (ps_spawn(NULL, commands[way], &child, NULL) != PS_OK || ps_reap(child, -1, &end, NULL) != PS_OK)
        return -1;
    ps_child_free(child);
    return end.code;
}

static int by_posix_spawn(const char *program, enum way way)
{
    char **const environments[WAYS] = {environ, with_three, ready, none};
    char *arguments[] = {(char *)program, NULL};
    pid_t pid;
    int status;
    if (posix_spawn(&pid, program, NULL, NULL, arguments, environments[way]) != 0 || waitpid(pid, &status, 0) != pid)
        return -1;
    return status;
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
    int rounds = argc > 2 ? atoi(argv[2]) : 1000;
    if (argc < 2 || rounds < 1 || rounds > MOST)
        return fprintf(stderr, "usage: environment PROGRAM [ROUNDS]\n"), 2;
    static char *three[] = {"ONE=1", "TWO=2", "THREE=3", NULL};
    clearenv();
    for (int i = 0; i < VARIABLES; i++) {
        char text[LENGTH + 1];
        int name = snprintf(text, sizeof text, "VARIABLE_%04d=", i);
        memset(text + name, 'x', LENGTH - name);
        text[LENGTH] = 0;
        putenv(variables[i] = strdup(text));
    }
    /* Of its own, as the command's are: the host's may be in the caches. */
    for (int i = 0; i < VARIABLES; i++)
        ready[i] = strdup(variables[i]);
    memcpy(with_three, variables, sizeof variables);
    memcpy(with_three + VARIABLES, three, sizeof three);
    for (int way = 0; way < WAYS; way++) {
        if (ps_command_new(argv[1], &commands[way], NULL) != PS_OK)
            return 1;
        ps_command_env_base(commands[way], way < CLEAR ? PS_ENV_INHERIT : PS_ENV_CLEAR, NULL);
    }
    ps_command_env_block(commands[SETS], (const char *const *)three, NULL);
    ps_command_env_block(commands[CLEAR], (const char *const *)variables, NULL);

    for (int round = -10; round < rounds; round++) {
        int order[2 * WAYS];
        for (int i = 0; i < 2 * WAYS; i++) {
            int other = rand() % (i + 1);
            order[i] = order[other];
            order[other] = i;
        }
        for (int i = 0; i < 2 * WAYS; i++) {
            enum way way = order[i] / 2;
            double begin = now_us();
            if ((order[i] % 2 == 0 ? by_procsup(way) : by_posix_spawn(argv[1], way)) != 0)
                return fprintf(stderr, "a child failed\n"), 1;
            if (round >= 0)
                took[way][order[i] % 2][round] = now_us() - begin;
        }
    }
    static const char *const names[] = {"inherit", "inherit and 3 sets", "clear and 1000 sets", "none"};
    double worst = 0;
    for (int way = 0; way < WAYS; way++) {
        for (int who = 0; who < 2; who++)
            qsort(took[way][who], rounds, sizeof(double), ascending);
        double ours = took[way][0][rounds / 2], theirs = took[way][1][rounds / 2];
        printf("%-20s procsup %7.1f us, posix_spawn %7.1f us, %.2f\n", names[way], ours, theirs, ours / theirs);
        worst = way != NONE && ours / theirs > worst ? ours / theirs : worst;
    }
    printf("P15-environment      1000 variables of %d bytes, the worst of the three, ours to posix_spawn: %.2f\n", LENGTH, worst);
    return 0;
}
