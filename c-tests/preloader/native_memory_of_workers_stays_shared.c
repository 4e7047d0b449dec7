/* Whatever is done to the pages of an application before it serves is done once: the private memory of its workers is the same for the first and the
   twentieth, with huge pages and without. (Others compact before each fork: that dirties all again.) */
/* covers: CO-autotuner-7, FS-15, C15-3 */
/* variants: none: it is about memory, not about how processes are made */
#include "preloading.h"

enum { TABLE = 24 << 20, WORKERS = 20, NOISE_KIB = 512 };

static char *table;

static void loaded(ps_preload *preload, const char *mode)
{
    (void)preload;
    (void)mode;
    CHECK((table = malloc(TABLE)) != NULL);
    for (size_t i = 0; i < TABLE; i += 8)
        memcpy(table + i, &i, 8);
}

static long rollup(const char *name)
{
    char line[256];
    long kib = -1;
    FILE *file = fopen("/proc/self/smaps_rollup", "re");
    while (file && fgets(line, sizeof line, file))
        if (strncmp(line, name, strlen(name)) == 0)
            sscanf(line + strlen(name), ": %ld", &kib);
    if (file)
        fclose(file);
    return kib;
}

/* Reads all of the table first. */
static void say(const char *question, char *answer, size_t cap)
{
    size_t sum = 0;
    (void)question;
    for (size_t i = 0; i < TABLE; i += 512)
        sum += (unsigned char)table[i];
    snprintf(answer, cap, "%ld %ld %zu", rollup("Private_Dirty"), rollup("AnonHugePages"), sum);
}

static long stays_shared(const char *mode, long *huge)
{
    long first = 0, dirty = 0;
    house h = house_of(mode);
    worker w[WORKERS];
    for (int i = 0; i < WORKERS; i++) {
        w[i] = house_worker(&h);
        CHECK(sscanf(asked(w[i], "memory"), "%ld %ld", &dirty, huge) == 2);
        if (dirty < 0)
            SKIP("no smaps_rollup here");
        if (i == 0)
            first = dirty;
        CHECK(dirty <= first + NOISE_KIB);
        CHECK(dirty < TABLE / 1024 / 4);
    }
    for (int i = 0; i < WORKERS; i++)
        worker_end(&w[i]);
    house_end(&h);
    return first;
}

int main(int argc, char **argv)
{
    if (is_application(argc, argv))
        return be_application(argv[2], strcmp(argv[2], "collapsed") == 0 ? PS_FORK_SIBLING | PS_PRELOAD_COLLAPSE : PS_FORK_SIBLING, loaded, say);
    long huge = 0;
    stays_shared("plain", &huge);
    if (kernel_at_least(6, 1)) {
        stays_shared("collapsed", &huge);
        CHECK(huge > 0); /* the workers have the huge pages, too */
    }
    return 0;
}
