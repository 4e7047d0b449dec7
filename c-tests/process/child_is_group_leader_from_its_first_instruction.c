/* The child is in its own group before it runs a single instruction of its program, so no signal to the group can miss it. */
/* covers: EV-7, RP-40 */
#include "harness.h"
#include "children.h"

int main(void)
{
    /* /proc/self/stat, field 5 is the group: what the program saw of itself, not what we see later */
    for (int i = 0; i < 50; i++) {
        ps_command *command = shell("read pid name state parent group rest < /proc/self/stat; echo $pid $group", "");
        char *text = output_of(command);
        int pid = 0, group = -1;
        CHECK(sscanf(text, "%d %d", &pid, &group) == 2);
        CHECK(pid == group);
        free(text);
    }
    return 0;
}
