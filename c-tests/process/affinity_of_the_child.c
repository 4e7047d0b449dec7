/* The child runs on the processors that it is given, or on the host's; what the machine does not have is left out, and a set of which nothing is left
   is a typed error. The host stays where it is. */
/* variants: few */
#include "harness.h"
#include "children.h"

static ps_error *error;

static char *shown(const uint32_t *cpus, size_t n, const char *by)
{
    static char text[8192];
    ps_command *command = helper_command("show_scheduling", by, NULL);
    CHECK_OK(ps_command_affinity(command, cpus, n, &error), error);
    char *said = output_of(command);
    snprintf(text, sizeof text, "%s", line_after(said, "cpus="));
    free(said);
    return text;
}
#define SHOWN(...) shown((const uint32_t[]){__VA_ARGS__}, sizeof((uint32_t[]){__VA_ARGS__}) / sizeof(uint32_t), NULL)

static void on(int cpu)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET((size_t)cpu, &set);
    CHECK(sched_setaffinity(0, sizeof set, &set) == 0);
}

int main(void)
{
    cpu_set_t before, now;
    CHECK(sched_getaffinity(0, sizeof before, &before) == 0);
    if (!CPU_ISSET(0, &before) || !CPU_ISSET(1, &before))
        SKIP("needs the processors 0 and 1");
    CHECK_STR(SHOWN(0), "0");
    CHECK_STR(SHOWN(1), "1");
    CHECK_STR(SHOWN(1, 0, 1), "0,1");
    CHECK_STR(SHOWN(1, 9999), "1");
    CHECK_STR(SHOWN(65535, 0), "0");
    CHECK_STR(shown((const uint32_t[]){1}, 1, "by its child"), "1");
    CHECK(sched_getaffinity(0, sizeof now, &now) == 0 && CPU_EQUAL(&before, &now));

    /* None: those of the host, as they are at the spawn. The last call counts. */
    on(1);
    CHECK_STR(shown(NULL, 0, NULL), "1");
    CHECK_STR(SHOWN(0), "0");
    on(0);
    ps_command *command = helper_command("show_scheduling", NULL);
    CHECK_OK(ps_command_affinity(command, (const uint32_t[]){1}, 1, &error), error);
    CHECK_OK(ps_command_affinity(command, NULL, 0, &error), error);
    char *said = output_of(command);
    CHECK_STR(line_after(said, "cpus="), "0");
    free(said);

    command = exiting("0");
    CHECK_OK(ps_command_affinity(command, (const uint32_t[]){4097, 65535}, 2, &error), error);
    error = spawn_fails(command, PS_ERR_SYSTEM);
    CHECK_INT(ps_error_errno(error), EINVAL);
    CHECK_STR(ps_error_step(error), PS_STEP_SCHED_SETAFFINITY);
    ps_error_free(error);

    CHECK_STATUS(ps_command_affinity(command, (const uint32_t[]){0, 65536}, 2, NULL), PS_ERR_INVALID_ARGUMENT);
    CHECK_STATUS(ps_command_affinity(command, (const uint32_t[]){UINT32_MAX}, 1, NULL), PS_ERR_INVALID_ARGUMENT);
    CHECK_STATUS(ps_command_affinity(command, NULL, 1, NULL), PS_ERR_INVALID_ARGUMENT);
    ps_command_free(command);
    CHECK(has_no_child() && ps_live_count() == 0);
    return 0;
}
