/* What an application draws after its fork is drawn from the same seed in each worker, unless it is told of the fork: that is what the hook is for. */
/* covers: FS-5, CO-passenger-219, CO-simple_uuid-2, C15-1 */
/* variants: few */
#include "preloading.h"

enum { WORKERS = 10, EACH = 100, IDS = WORKERS * EACH };

static void reseed(void *data)
{
    unsigned seed;
    CHECK(data == (void *)4711);
    CHECK(syscall(SYS_getrandom, &seed, sizeof seed, 0) == sizeof seed);
    srandom(seed);
}

static void loaded(ps_preload *preload, const char *mode)
{
    ps_error *error = NULL;
    srandom(1);
    if (strcmp(mode, "hooked") == 0)
        CHECK_OK(ps_preload_on_fork(preload, NULL, NULL, reseed, (void *)4711, &error), error);
}

/* An identifier as many make them: 62 bits of the C library's numbers. */
static void say(const char *question, char *answer, size_t cap)
{
    (void)question;
    long high = random(), low = random();
    snprintf(answer, cap, "%08lx%08lx", high, low);
}

static int in_order(const void *a, const void *b) { return strcmp(a, b); }

static char ids[IDS][32];

int main(int argc, char **argv)
{
    if (is_application(argc, argv))
        return be_application(argv[2], PS_FORK_SIBLING, loaded, say);
    house told = house_of("hooked");
    for (int i = 0; i < WORKERS; i++) {
        worker w = house_worker(&told);
        for (int k = 0; k < EACH; k++)
            snprintf(ids[i * EACH + k], sizeof ids[0], "%.31s", asked(w, "id"));
        CHECK_INT(worker_end(&w).code, 0);
    }
    house_end(&told);
    qsort(ids, IDS, sizeof ids[0], in_order);
    for (int i = 1; i < IDS; i++)
        CHECK(strcmp(ids[i - 1], ids[i]) != 0);

    /* The trap itself, or the test would show nothing. */
    house untold = house_of("plain");
    worker one = house_worker(&untold), other = house_worker(&untold);
    CHECK_STR(asked(one, "id"), asked(other, "id"));
    worker_end(&one);
    worker_end(&other);
    house_end(&untold);
    return 0;
}
