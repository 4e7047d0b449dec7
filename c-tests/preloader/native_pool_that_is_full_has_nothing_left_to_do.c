/* A worker of the pool has mapped what it will touch before it counts as one: whoever asks next has the processor for his own. */
/* covers: C15-2 */
/* variants: none: it is about when it is done, not how */
#include "native_app.h"
#include "pool.h"

/* How many pages a process has met for the first time; its state, as /proc tells it. */
static long faults_of(pid_t pid, char *state)
{
    char path[64], text[1024];
    long faults = -1;
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    FILE *file = fopen(path, "r");
    CHECK(file);
    size_t length = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    text[length] = 0;
    char *behind = strrchr(text, ')');
    CHECK(behind);
    CHECK_INT(sscanf(behind + 2, "%c %*d %*d %*d %*d %*d %*u %ld", state, &faults), 2);
    return faults;
}

/* The youngest child. */
static pid_t youngest(void)
{
    char path[64];
    int pid, found = 0;
    snprintf(path, sizeof path, "/proc/self/task/%d/children", (int)getpid());
    FILE *file = fopen(path, "r");
    if (!file)
        SKIP("this kernel does not tell whose children are whose");
    while (fscanf(file, "%d", &pid) == 1)
        found = pid;
    fclose(file);
    return found;
}

int main(void)
{
    place p = app_begin("how=sibling", NULL);
    for (uint32_t round = 1; round <= 8; round++) {
        char state;
        pool_of(&p, round, -1);
        pid_t pid = youngest();
        long full = faults_of(pid, &state), waiting;
        do
            waiting = faults_of(pid, &state);
        while (state != 'S');
        if (waiting - full > 8)
            harness_fail(__FILE__, __LINE__, "%ld pages of %ld were met when the pool was full", waiting - full, waiting);
    }
    place_end(&p);
}
