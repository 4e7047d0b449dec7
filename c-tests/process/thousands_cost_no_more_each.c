/* Variables and descriptors by the thousand, one by one: eight times as many take about eight times as long, not sixty-four times; and they
   arrive. (The bound is three times that: what it must tell apart is the square.) */
/* variants: none */
#include "harness.h"
#include "children.h"

enum { FEW = 1000, MANY = 8 * FEW, ROUNDS = 3 };

static int32_t lent;

static ps_command *with_variables(int count)
{
    ps_command *command = helper_command("nothing", NULL);
    for (int i = 0; i < count; i++) {
        char name[32];
        snprintf(name, sizeof name, "VARIABLE_%05d", i * 7919 % count);
        CHECK_STATUS(ps_command_env(command, name, "some value", NULL), PS_OK);
    }
    return command;
}

static ps_command *with_descriptors(int count)
{
    ps_command *command = helper_command("nothing", NULL);
    for (int i = 0; i < count; i++)
        CHECK_STATUS(ps_command_pass_fd(command, lent, 3 + i * 7919 % count, NULL), PS_OK);
    return command;
}

/* Of the processor, for others want it, too. */
static int64_t spent_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* The best of some rounds, in nanoseconds. */
static int64_t best(ps_command *(*made)(int), int count)
{
    int64_t least = INT64_MAX;
    for (int round = 0; round < ROUNDS; round++) {
        int64_t began = spent_ns();
        ps_command *command = made(count);
        int64_t took = spent_ns() - began;
        least = took < least ? took : least;
        ps_command_free(command);
    }
    return least;
}

int main(void)
{
    struct rlimit limit;
    CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0);
    if (limit.rlim_max < MANY + 64)
        SKIP("the hard limit of descriptors is too low");
    limit.rlim_cur = limit.rlim_max < 65536 ? limit.rlim_max : 65536;
    CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
    lent = open("/dev/null", O_RDONLY | O_CLOEXEC);
    CHECK(lent >= 0);
    warm_up();
    ps_command *(*const made[])(int) = {with_variables, with_descriptors};
    for (int i = 0; i < 2; i++) {
        int64_t few = best(made[i], FEW), many = best(made[i], MANY);
        printf("%s: %d take %lld us, %d %lld us\n", i ? "descriptors" : "variables", FEW, (long long)few / 1000, MANY,
               (long long)many / 1000);
        CHECK(many < 24 * few);
    }

    char last[32];
    snprintf(last, sizeof last, "VARIABLE_%05d=", MANY - 1);
    reap_and_free(spawn_once(NULL, with_variables(MANY)));
    reap_and_free(spawn_once(NULL, with_descriptors(MANY)));
    ps_command *show = helper_command("show_env", NULL);
    static char texts[MANY][32];
    static const char *block[MANY + 1];
    for (int i = 0; i < MANY; i++) {
        snprintf(texts[i], sizeof *texts, "VARIABLE_%05d=%d", i, i);
        block[i] = texts[i];
    }
    ps_error *error = NULL;
    CHECK_OK(ps_command_env_block(show, block, &error), error);
    char *text = output_of(show);
    snprintf(texts[0], sizeof *texts, "%d", MANY - 1);
    CHECK_STR(line_after(text, last), texts[0]);
    free(text);
    return 0;
}
