/* A worker stands in line as any child does: its time begins with its turn, what it was lent is its own, it can be called off, and one that is waited for
   gives up its place when the time of the call is over. */
/* covers: PA-6, LAW-12 */
#include "direct.h"

int main(void)
{
    ps_error *error = NULL;
    warm_up();
    ps_supervisor *supervisor = supervisor_new();
    CHECK_OK(ps_supervisor_set_max_running(supervisor, 1, &error), error);
    ps_child *first = spawn_once(supervisor, pausing());
    ps_command *command = serving();
    ps_worker *called_off = direct_begin(supervisor, command), *turn = direct_begin(supervisor, command);
    int32_t state = -1;
    ps_child *child = child_of(called_off);
    CHECK_OK(ps_child_state(child, &state, &error), error);
    CHECK_INT(state, PS_STATE_PENDING);
    CHECK_STATUS(ps_worker_wait(called_off, 0, NULL), PS_ERR_TIMEOUT);
    CHECK_STATUS(ps_worker_stdin(called_off, &(int32_t){0}, NULL), PS_ERR_STATE);
    CHECK_STATUS(ps_worker_socket_count(called_off, &(uint32_t){0}, NULL), PS_ERR_STATE);

    ps_error *late = fails(supervisor, command, 50, PS_ERR_TIMEOUT);
    CHECK_STR(ps_error_step(late), "line");
    ps_error_free(late);

    CHECK_STATUS(ps_terminate(child, 0, NULL, NULL), PS_ERR_CANCELLED);
    CHECK_STATUS(ps_worker_wait(called_off, PATIENCE_MS, NULL), PS_ERR_CANCELLED);
    CHECK_STATUS(ps_worker_journey(called_off, PS_RENDER_TEXT, NULL, 0, &(size_t){0}, NULL), PS_ERR_STATE);
    ps_worker_free(called_off);
    ps_child_free(child);
    CHECK(entries_of(apps_dir()) == 0);

    CHECK_OK(ps_terminate(first, 0, NULL, &error), error);
    ps_child_free(first);
    CHECK_OK(ps_worker_wait(turn, PATIENCE_MS, &error), error);
    CHECK(socket_of(turn, 0).accepts_http == 1);
    end(turn);
    ps_command_free(command);
    ps_supervisor_free(supervisor);
    NOTHING_IS_LEFT();
    return 0;
}
