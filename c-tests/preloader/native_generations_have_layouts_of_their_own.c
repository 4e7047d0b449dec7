/* All that are forked from one process have its layout of addresses: who has read a pointer of one worker knows it of all. A new generation is a new
   execution of the program, and has another layout; so has a process that is started by itself. */
/* covers: FS-14 */
/* variants: none: it is about addresses, not about how processes are made */
#include "preloading.h"

enum { GENERATIONS = 3 };

static int somewhere;

static void say(const char *question, char *answer, size_t cap)
{
    int on_the_stack;
    (void)question;
    snprintf(answer, cap, "%p %p", (void *)&somewhere, (void *)((uintptr_t)&on_the_stack & ~(uintptr_t)0xffff));
}

/* Of this program, executed by itself. */
static void alone(char *layout, size_t cap)
{
    size_t length = 0;
    ps_error *error = NULL;
    ps_command *command = application_command("");
    CHECK_OK(ps_command_env(command, "ALONE", "1", &error), error);
    CHECK_OK(ps_command_capture(command, 256, &error), error);
    ps_child *child = spawn_once(NULL, command);
    CHECK_INT(reap(child).code, 0);
    CHECK_OK(ps_child_output(child, layout, cap - 1, &length, &error), error);
    layout[length] = 0;
    ps_child_free(child);
}

int main(int argc, char **argv)
{
    char layout[GENERATIONS + 1][LINE], randomized[8] = "";
    if (is_application(argc, argv) && getenv("ALONE")) {
        say("", layout[0], sizeof layout[0]);
        return fputs(layout[0], stdout) < 0;
    }
    if (is_application(argc, argv))
        return be_application(argv[2], PS_FORK_SIBLING, NULL, say);
    FILE *file = fopen("/proc/sys/kernel/randomize_va_space", "re");
    if (!file || !fgets(randomized, sizeof randomized, file) || randomized[0] != '2')
        SKIP("addresses are not randomized here");
    fclose(file);
    ps_error *error = NULL;
    house h = house_of("plain");
    for (uint32_t generation = 1; generation <= GENERATIONS; generation++) {
        worker one = house_worker(&h), other = house_worker(&h);
        uint32_t its = 0;
        CHECK_OK(ps_worker_generation(one.handle, &its, &error), error);
        CHECK_INT(its, generation);
        snprintf(layout[generation - 1], sizeof layout[0], "%s", asked(one, "where"));
        CHECK_STR(asked(other, "where"), layout[generation - 1]);
        worker_end(&one);
        worker_end(&other);
        CHECK_OK(ps_preloader_reload(h.preloader, &error), error);
    }
    house_end(&h);
    alone(layout[GENERATIONS], sizeof layout[0]);
    int alike = 0; /* by chance two may be */
    for (int i = 0; i <= GENERATIONS; i++)
        for (int k = 0; k < i; k++)
            alike += strcmp(layout[i], layout[k]) == 0;
    CHECK(alike <= 1);
    return 0;
}
