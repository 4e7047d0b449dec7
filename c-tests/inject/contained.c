/* Faults while a child is contained and leaves a daemon inside: typed errors, nobody left, no descriptor more. */
/* share: 5 */
/* variants: none */
#include "scenario.h"
#include "containment.h"
#include "contained.h"

int main(int argc, char **argv)
{
    struct escape escape;
    ps_error *error = NULL;
#ifdef AS_NOBODY
    CHECK(geteuid() != 0 || (setgroups(0, NULL) == 0 && setresgid(65534, 65534, 65534) == 0 && setresuid(65534, 65534, 65534) == 0));
#endif
    if (argc < 2 || strcmp(argv[1], "cold") != 0)
        need_contained(); /* what it keeps for good */
    ps_command *command = contained(escaping("daemon", &escape, 1));
    CHECK_OK(ps_command_stdio(command, 1, PS_STDIO_NULL, -1, &error), error);
    CHECK_OK(ps_command_die_with_host(command, 1, &error), error);

    scenario_begin(argc, argv);
    scenario_one_life(command);
    scenario_end();
    CHECK_INT(escape_survivors(&escape), 0);
    escape_end(&escape);
    ps_command_free(command);
    return 0;
}
