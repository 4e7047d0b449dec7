/*
 * A supervisor starts the first generation with the listener that it holds, and has it replaced: no client is refused, reset or left without an answer,
 * and what was acknowledged is in the log once. The events say what happens, the record what came of it.
 */
/* covers: C16-1, D1.3, HO-3, LAW-16 */
#include "supervised.h"

static void outcome_is(pid_t old, pid_t new)
{
    ps_outcome outcome = {.size = sizeof outcome};
    ps_error *error = NULL;
    CHECK_OK(ps_handoff_supervisor_outcome(sup, 0, &outcome, &error), error);
    CHECK(outcome.committed == 1 && outcome.reason == PS_OK);
    CHECK_INT(outcome.old_pid, old);
    CHECK_INT(outcome.new_pid, new);
    CHECK_INT(outcome.old_generation, 1);
    CHECK_INT(outcome.new_generation, 2);
    CHECK_INT(outcome.connections_open, 3);
    CHECK(outcome.gap_ns > 0);
    char text[65536];
    size_t needed;
    CHECK_OK(ps_handoff_supervisor_outcome_text(sup, 0, PS_RENDER_HTML, text, sizeof text, &needed, &error), error);
    CHECK(needed > 1000);
    CHECK_STATUS(ps_handoff_supervisor_outcome(sup, 1, &outcome, NULL), PS_ERR_NOT_FOUND);
}

int main(void)
{
    char metrics[8192];
    int32_t pid = 0;
    uint64_t generation = 0;
    scene_begin();
    sup_new();
    listener_is_theirs();
    CHECK_STATUS(ps_handoff_supervisor_owner(sup, &pid, NULL, NULL), PS_ERR_NOT_FOUND);
    pid_t old = first_generation("");
    answered_by(old);

    ps_command *command = server_with("");
    CHECK_STATUS(ps_command_stop_step(command, SIGINT, 20000, NULL), PS_OK);
    CHECK_STATUS(ps_handoff_supervisor_replace(sup, command, 0, 0, NULL), PS_OK);
    ps_command_free(command);
    pid_t new = expect(STARTED)->pid;
    CHECK(new != old);
    CHECK_INT(expect(COMMITTED)->pid, new);
    CHECK_INT(last.peer_pid, old);
    CHECK_INT(expect(SERVING)->pid, new);
    CHECK_INT(last.generation, 2);
    CHECK(ps_handoff_supervisor_owner(sup, &pid, &generation, NULL) == PS_OK && pid == new && generation == 2);
    answered_by(new);
    CHECK(wait_until((quiet(), process_gone(old)), IN_TIME)); /* reaped by the supervisor */
    outcome_is(old, new);
    CHECK_INT(scene.lost, 0);
    CHECK_STATUS(ps_handoff_supervisor_metrics(sup, metrics, sizeof metrics, NULL, NULL), PS_OK);
    CHECK(strstr(metrics, "\nhandoff_committed_total 1\n") && strstr(metrics, "\nhandoff_generation 2\n"));

    CHECK_STATUS(ps_handoff_supervisor_stop(sup, -1, NULL), PS_OK);
    scene.asks = false;
    CHECK_INT(expect(STOPPED)->pid, new);
    CHECK_INT(last.exit_code, 0);
    CHECK_INT(last.exit_signal, SIGINT); /* by its own stop plan, though it was nobody's child here any more */
    scene_end();
    return 0;
}
