/*
 * A successor whose owner dies before it has an offer takes the lock, and is a first generation, on a page of its own. Its supervisor knows the old page
 * only, which says that it owns nothing; and the time of the replacement is over, and it does not answer just now. It serves, so it is not killed.
 */
/* covers: C16-1, S9, L5 */
/* variants: few */
#include "supervised.h"

static bool has_state(pid_t pid, char wanted)
{
    char state[2] = "";
    FILE *stat = NULL;
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    stat = fopen(path, "re");
    bool is = stat && fscanf(stat, "%*d (%*[^)]) %1s", state) == 1 && state[0] == wanted;
    if (stat)
        fclose(stat);
    return is;
}

int main(void)
{
    scene_begin();
    sup_new();
    listener_is_theirs();
    pid_t owner = first_generation("");
    goes_on();
    sup_replace(400 * slowness(), "hold=begun");
    int64_t until = now_ms() + 800 * slowness();
    pid_t new = expect(STARTED)->pid;
    CHECK(wait_until(is_reached(new, "begun"), IN_TIME));
    /* The supervisor sees nothing of all this: it is not asked. */
    kill(owner, SIGKILL);
    CHECK(wait_until(has_state(owner, 'Z'), IN_TIME));
    go();
    answered_by(new);
    CHECK(wait_until(now_ms() > until, IN_TIME));
    kill(new, SIGSTOP);
    CHECK(wait_until(has_state(new, 'T'), IN_TIME));
    CHECK_INT(expect(OWNER_ENDED)->pid, owner);
    ps_handoff_supervisor_event event = {.size = sizeof event};
    CHECK_STATUS(ps_handoff_supervisor_next_event(sup, 300, &event, NULL), PS_PENDING);
    CHECK(has_state(new, 'T'));
    kill(new, SIGCONT);
    CHECK_INT(expect_any(SERVING, COMMITTED)->pid, new);
    answered_by(new);
    scene_end();
    return 0;
}
