/* Who is ready is not the new one yet: it must be found healthy, and stay alive for its probation. Until then the old one is not touched. */
/* covers: C16-3 */
/* variants: none */
#include "notify_supervised.h"

int main(void)
{
    stage_begin();
    health_by_own_socket(200);
    CHECK_OK(ps_handoff_supervisor_set_probation(sup, 150, &problem), problem);
    pid_t old = first_serves(daemon_of(NULL));
    replace(daemon_of("sick", NULL), 0, 0);
    rolled_back(old, expect(PS_HANDOFF_SUPERVISOR_STARTED)->pid, PS_ERR_TIMEOUT);
    char words[4096];
    CHECK_OK(ps_handoff_supervisor_outcome_text(sup, 0, PS_RENDER_TEXT, words, sizeof words, NULL, &problem), problem);
    CHECK(strstr(words, "healthy"));
    replace(daemon_of("dies", NULL), 0, 0);
    rolled_back(old, expect(PS_HANDOFF_SUPERVISOR_STARTED)->pid, PS_ERR_EXITED);

    int64_t begun = now_ms();
    replace(daemon_of(NULL), 0, 0);
    pid_t new = expect(PS_HANDOFF_SUPERVISOR_STARTED)->pid;
    committed(old, new);
    CHECK(now_ms() - begun >= 150);
    stage_end();
    return 0;
}
