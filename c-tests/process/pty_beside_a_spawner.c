/* A supervisor with a spawner makes a child with a terminal itself, at once or from its line; the others come from the spawner as ever. */
/* variants: none */
#include "spawning.h"
#include "terminals.h"

int main(void)
{
    ps_error *error = NULL;
    int32_t tier = 0;
    ps_supervisor *supervisor = spawner_supervisor();
    limit_running(supervisor, 1);
    ps_child *first = spawn_once(supervisor, on_terminal(shell("read a; exit 6", NULL)));
    ps_child *second = spawn_once(supervisor, on_terminal(shell("tty; exit 8", NULL)));
    ps_child *third = spawn_once(supervisor, exiting("0"));
    CHECK_OK(ps_child_spawn_tier(first, &tier, &error), error);
    CHECK(tier != PS_TIER_SPAWNER);
    int fd = terminal_of(first);
    types(fd, "\n");
    must_end(first, 6);
    close(fd);
    must_end(second, 8);
    CHECK_OK(ps_child_spawn_tier(second, &tier, &error), error);
    CHECK(tier != PS_TIER_SPAWNER);
    fd = terminal_of(second);
    char *said = drained(fd);
    CHECK(strncmp(said, "/dev/pts/", 9) == 0);
    free(said);
    close(fd);
    must_end(third, 0);
    CHECK_OK(ps_child_spawn_tier(third, &tier, &error), error);
    CHECK_INT(tier, PS_TIER_SPAWNER);
    ps_child_free(first);
    ps_child_free(second);
    ps_child_free(third);
    ps_supervisor_free(supervisor);
    return 0;
}
