/* The trick that makes a spawn O(1) in open descriptors could be lost without a sound: the child's first call of all must be the
   close_range that cuts the shared table, and there must be no walk through all dispositions. Seen by the tracer that injects faults. */
/* covers: D-7 */
/* variants: none: they change just these calls */
#include "harness.h"

int main(void)
{
    char command[9000], line[256], first[64] = "";
    snprintf(command, sizeof command, "'%s' --list -- '%s' warm 2>&1", helper_path("inject"), helper_path("../inject/spawn_plain"));
    FILE *list = popen(command, "r");
    CHECK(list != NULL);
    int calls = 0, parent = 0;
    while (fgets(line, sizeof line, list)) {
        char who[16], name[64];
        int at;
        if (sscanf(line, "%15s %d %63s", who, &at, name) != 3)
            continue;
        parent += strcmp(who, "parent") == 0;
        if (strcmp(who, "child") == 0 && strcmp(name, "rt_sigaction") != 0 && calls++ == 0)
            snprintf(first, sizeof first, "%s", name);
    }
    if (pclose(list) != 0 || parent == 0)
        SKIP("tracing is not permitted here");
    CHECK_STR(first, "close_range");
    CHECK(calls <= 8);
    return 0;
}
