/* All that are forked from one process have its layout of addresses: who has read a pointer of one worker knows it of all. A new generation is a new
   execution of the program, and has another layout; so has a worker that is started by itself. */
/* covers: FS-14, FS-15, C15-2 */
/* variants: few */
#include "preloading.h"

static int somewhere;

static void say(const char *question, char *answer, size_t cap)
{
    int on_the_stack;
    void *heap = malloc(16);
    (void)question;
    snprintf(answer, cap, "%p %p", (void *)&somewhere, (void *)((uintptr_t)&on_the_stack & ~(uintptr_t)0xffff));
    free(heap);
}

int main(int argc, char **argv)
{
    if (is_application(argc, argv))
        return be_application(argv[2], PS_FORK_SIBLING, NULL, say);
    char layout[3][64], randomized[8] = "";
    ps_error *error = NULL;
    FILE *file = fopen("/proc/sys/kernel/randomize_va_space", "re");
    if (!file || !fgets(randomized, sizeof randomized, file) || randomized[0] != '2')
        SKIP("addresses are not randomized here");
    fclose(file);
    house h = house_of("plain");
    for (uint32_t generation = 1; generation <= 3; generation++) {
        worker one = house_worker(&h), other = house_worker(&h);
        uint32_t its = 0;
        CHECK_OK(ps_worker_generation(one.handle, &its, &error), error);
        CHECK_INT(its, generation);
        snprintf(layout[generation - 1], sizeof layout[0], "%.63s", asked(one, "where"));
        CHECK_STR(asked(other, "where"), layout[generation - 1]);
        worker_end(&one);
        worker_end(&other);
        CHECK_OK(ps_preloader_reload(h.preloader, &error), error);
    }
    CHECK(strcmp(layout[0], layout[1]) != 0 || strcmp(layout[1], layout[2]) != 0); /* by chance two may be alike */
    house_end(&h);
    return 0;
}
