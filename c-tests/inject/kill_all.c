/* Faults while everything is killed at once, children with a grandchild in their group among them. */
/* variants: only tier-fork: how a child is made in between is swept by spawn_plain and spawn_reap */
/* share: 2 */
#include "scenario.h"

int main(int argc, char **argv)
{
    ps_error *error = NULL;
    ps_child *children[3] = {NULL, NULL, NULL};
    uint32_t left = 99;
    ps_command *single = helper_command("pause_forever", NULL);
    ps_command *family = helper_command("spawn_grandchild", NULL);
    CHECK_OK(ps_command_stdio(family, 1, PS_STDIO_NULL, -1, &error), error);

    scenario_begin(argc, argv);
    for (int i = 0; i < 3; i++)
        if (!worked(ps_spawn(NULL, i == 1 ? family : single, &children[i], &error), &error))
            break;
    ps_status status = ps_kill_and_reap_all(2000, &left);
    CHECK(status == PS_OK ? left == 0 : status == PS_ERR_TIMEOUT && left > 0);
    for (int i = 0; i < 3; i++)
        ps_child_free(children[i]);
    scenario_end();
    ps_command_free(family);
    ps_command_free(single);
    return 0;
}
