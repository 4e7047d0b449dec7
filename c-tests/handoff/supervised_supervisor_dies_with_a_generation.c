/*
 * Two die at once, and the supervisor is one of them. With the successor: the old generation serves on. With the owner: a successor that is warm promotes
 * itself, without anybody's help. A new supervisor finds who serves.
 */
/* covers: C16-1, L5, L4, D1.9 */
/* variants: few */
#include "supervised.h"

static void supervisor_again(pid_t owner)
{
    over_begin();
    over_count = 0;
    over("recover");
    CHECK_INT(over_expect(SERVING)->pid, owner);
}

int main(void)
{
    pid_t owner = scene_overseen("hold=seal");

    over("replace 20000 hang=offered");
    pid_t new = over_expect(STARTED)->pid;
    reached(new, "offered");
    kill(new, SIGKILL);
    over_end(SIGKILL);
    goes_on();
    answered_by(owner);
    CHECK_INT(scene.lost, 0);
    supervisor_again(owner);

    over("replace 20000");
    new = over_expect(STARTED)->pid;
    reached(owner, "seal");
    kill(owner, SIGKILL);
    over_end(SIGKILL);
    answered_by(new);
    supervisor_again(new);
    scene_end();
    return 0;
}
