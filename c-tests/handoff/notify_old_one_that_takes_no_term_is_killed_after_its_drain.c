/* The drain is the old one's grace: one that takes no TERM is killed when it is over, and the record says so. */
/* covers: C16-3, LAW-15 */
/* variants: none */
#include "notify_supervised.h"

int main(void)
{
    char words[8192];
    stage_begin();
    ps_command *deaf = daemon_of("deaf", NULL);
    CHECK_OK(ps_command_stop_step(deaf, SIGTERM, 3600000, &problem), problem); /* the drain takes the place of this */
    CHECK_OK(ps_command_stop_step(deaf, SIGKILL, -1, &problem), problem);
    pid_t old = first_serves(deaf);
    replace(daemon_of(NULL), 0, 150);
    pid_t new = expect(PS_HANDOFF_SUPERVISOR_STARTED)->pid;
    committed(old, new);
    int64_t begun = now_ms();
    CHECK(wait_until((quiet(), process_gone(old)), IN_TIME));
    CHECK(now_ms() - begun >= 100);
    CHECK(wait_until((quiet(), record().settled_ns != 0), IN_TIME));
    CHECK_OK(ps_handoff_supervisor_outcome_text(sup, 0, PS_RENDER_JSON, words, sizeof words, NULL, &problem), problem);
    CHECK(strstr(words, "was killed"));
    CHECK_INT(asked(), new);
    stage_end();
    return 0;
}
