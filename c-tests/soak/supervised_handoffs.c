/*
 * supervised_handoffs [COUNT [SEED [PAUSE]]]: so many supervised handoffs (100; `./x soak` asks for 10 000), during each of which, at a random moment, one or two of the three parties are killed or
 * stopped for a while: owner, successor, supervisor. A client asks all the time. No connection may be refused (a closed listener), no place of the log
 * acknowledged twice (a second writer), nothing that was acknowledged be missing, and after each round somebody serves, whom a supervisor knows and
 * replaces.
 */
/* covers: C16-1, S1, S3, S5, L1, L4, L5, HO-10 */
/* variants: none */
/* timeout: 300 */
#include "supervised.h"

static uint64_t state;

static unsigned dice(unsigned below)
{
    state = state * 6364136223846793005ull + 1442695040888963407ull;
    return (unsigned)(state >> 33) % below;
}

static int rounds_by_outcome[2];
static pid_t owner, next;

/* Its event is kept: who is who. */
static void heed(void)
{
    if (last.kind == SERVING)
        owner = last.pid;
    if (last.kind == STARTED)
        next = last.pid;
    if (last.kind == COMMITTED || last.kind == ABORTED)
        rounds_by_outcome[last.kind == COMMITTED]++;
    /* A supervisor that has recovered knows no command. */
    if (last.kind == GAVE_UP)
        CHECK_INT(last.reason, PS_ERR_NOT_FOUND);
}

static void hear_for(int ms)
{
    for (int64_t end = now_ms() + ms; now_ms() < end;) {
        while (over_count > 0) {
            last = over_events[0];
            memmove(over_events, over_events + 1, sizeof *over_events * (size_t)--over_count);
            heed();
        }
        struct pollfd set = {scene.from, POLLIN, 0};
        if (poll(&set, 1, 1) == 1 && over_line(IN_TIME) == 1)
            heed();
    }
}

static bool serves(void)
{
    hear_for(1);
    over_do("owner");
    return scene.over_status == PS_OK && scene.last_pid == scene.over_pid && (owner = scene.over_pid) > 0 && !process_gone(owner) &&
           process_state(owner) != 'Z';
}

static void supervisor_again(void)
{
    over_end(SIGKILL);
    over_begin();
    over_count = 0;
    over("restart 1000000 1000");
    ps_status status = over_do("recover");
    /* Nobody is there: its listener is the one that the test keeps for it. */
    if (status != PS_OK) {
        CHECK(status == PS_ERR_NOT_FOUND || status == PS_ERR_TIMEOUT);
        over("hold %d", scene.listener);
        status = over_do("start");
        CHECK(status == PS_OK || status == PS_ERR_STATE);
    }
}

static void round_of(unsigned number)
{
    (void)number;
    unsigned kills = dice(100) < 70 ? dice(3) : 0;
    int64_t end = now_ms() + (int64_t)IN_TIME * slowness();
    next = 0;
    /* The last round's may be on its way still; and one that none of ours has the command of is started again by us. */
    for (ps_status status; (status = over_do("replace 3000 probation=20 live=500")) != PS_OK; hear_for(1)) {
        CHECK(status == PS_ERR_STATE || status == PS_ERR_IN_PROGRESS);
        if (over_do("owner") == PS_ERR_NOT_FOUND)
            over_do("start probation=20 live=500");
        if (now_ms() > end)
            CHECK(!"a replacement has no end, or nobody serves");
    }
    for (unsigned i = 0; i < kills; i++) {
        hear_for((int)dice(30));
        pid_t victim = 0;
        bool stop = dice(2);
        switch (dice(3)) {
        case 0: victim = owner; break;
        case 1: victim = next; break;
        default: victim = scene.overseer;
        }
        if (victim <= 0)
            continue;
        if (stop) {
            kill(victim, SIGSTOP);
            usleep(dice(20000));
            kill(victim, SIGCONT);
        } else if (victim == scene.overseer)
            supervisor_again();
        else
            kill(victim, SIGKILL);
    }
    /* In the end somebody serves, whom the supervisor knows. */
    while (!serves()) {
        if (now_ms() > end) {
            fprintf(stderr, "round %u: owner %d, answered by %d\n", number, scene.over_pid, scene.last_pid);
            CHECK(!"nobody serves in the end");
        }
        if (scene.over_status == PS_ERR_NOT_FOUND)
            over_do("start probation=20 live=500");
        while (waitpid(-1, NULL, WNOHANG) > 0) /* the overseer is not among them */
            ;
    }
}

int main(int argc, char **argv)
{
    unsigned count = argc > 1 ? (unsigned)atoi(argv[1]) : 100;
    state = argc > 2 ? (uint64_t)atoll(argv[2]) : (uint64_t)now_ms();
    printf("seed %" PRIu64 "\n", state);
    scene_begin();
    scene.pause_us = argc > 3 ? atoi(argv[3]) : 300; /* microseconds between two requests */
    over_begin();
    over("restart 1000000 1000");
    over("hold %d", scene.listener);
    over("start probation=20 live=500");
    while (!serves())
        CHECK(over_count < 64);
    for (unsigned i = 0; i < count; i++) {
        round_of(i);
        if ((i + 1) % 100 == 0 && i + 1 < count) {
            printf("%u of %u: %d committed, %llu answers\n", i + 1, count, rounds_by_outcome[1], (unsigned long long)scene.answered);
            fflush(stdout);
        }
    }
    CHECK(wait_until(serves(), IN_TIME));
    printf("%u rounds: %d committed, %d aborted as told; %llu answers, %llu without one, slowest %llu us\n", count, rounds_by_outcome[1],
           rounds_by_outcome[0], (unsigned long long)scene.answered, (unsigned long long)scene.lost, (unsigned long long)scene.slowest_us);
    scene_end();
    return 0;
}
