/* With ps_supervisor_set_hold_processor the thread that starts a storm of short jobs is held on its processor meanwhile. It is let go before each
   call returns, and its children may run wherever it may; a thread that somebody has bound stays so, and so do its children, but for those that
   were told where to run. */
/* variants: few */
#include "harness.h"
#include "supervising.h"

#include <sched.h>

enum { JOBS = 300, SLOTS = 8, EACH = 30 };

static int allowed(void)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    CHECK(sched_getaffinity(0, sizeof set, &set) == 0);
    return CPU_COUNT(&set);
}

/* `binds`: nobody forbids it. */
static void storm(const char *self, bool binds)
{
    char expected[16];
    uint32_t here = (uint32_t)sched_getcpu();
    snprintf(expected, sizeof expected, "%d", allowed());
    ps_supervisor *supervisor = new_supervisor(SLOTS);
    CHECK_STATUS(ps_supervisor_set_hold_processor(supervisor, 1, NULL), PS_OK);
    ps_command *nothing = helper_command("nothing", NULL), *looks = command_for(self, expected, NULL), *told = command_for(self, "1", NULL);
    CHECK_STATUS(ps_command_affinity(told, &here, 1, NULL), PS_OK);
    const ps_command *last = binds ? told : looks;
    for (int i = 0; i < JOBS; i++)
        ps_child_free(spawn(supervisor, i % EACH == EACH - 1 ? looks : i % EACH == EACH - 2 ? last : nothing));
    for (int left = JOBS; left > 0;) {
        ps_event event = {.size = sizeof event};
        CHECK_OK(ps_supervisor_next_event(supervisor, PATIENCE_MS, &event, NULL), NULL);
        CHECK_INT(allowed(), atoi(expected));
        if (event.kind == PS_EVENT_EXITED) {
            CHECK(event.exit.kind == PS_EXIT_EXITED && event.exit.code == 0);
            left--;
        }
    }
    ps_command_free(nothing);
    ps_command_free(looks);
    ps_command_free(told);
    ps_supervisor_free(supervisor);
}

int main(int argc, char **argv)
{
    if (argc > 1)
        return allowed() != atoi(argv[1]);
    char self[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
    CHECK(length > 0);
    self[length] = 0;
    cpu_set_t set;
    CHECK(sched_getaffinity(0, sizeof set, &set) == 0);
    bool binds = sched_setaffinity(0, sizeof set, &set) == 0 || errno != EPERM; /* a filter */
    storm(self, binds);
    if (!binds)
        return 0;
    CPU_ZERO(&set);
    CPU_SET(sched_getcpu(), &set);
    CHECK(sched_setaffinity(0, sizeof set, &set) == 0);
    storm(self, binds);
    CHECK_INT(allowed(), 1);
    return 0;
}
