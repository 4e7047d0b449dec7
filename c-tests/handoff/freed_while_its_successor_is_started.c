/* The handle is freed by another thread while ps_handoff_upgrade starts the successor (the exec takes its time): the call
   answers, and the process that came of it is gone. */
/* covers: S8 */
/* as-root */
#include "harness.h"
#include "supervising.h"

static ps_handoff *handoff;
static ps_command *command;
static ps_status answer;

static void *upgrade(void *unused)
{
    answer = ps_handoff_upgrade(handoff, command, 20000, NULL);
    return unused;
}

int main(void)
{
    held_exec held;
    pthread_t thread;
    ps_error *error = NULL;
    ps_handoff_event event = {.size = sizeof event};
    char path[96], lock[104];
    held_exec_begin(&held, "pause_forever");
    snprintf(path, sizeof path, "%s/control", held.dir);
    snprintf(lock, sizeof lock, "%s.lock", path);
    warm_up();
    leak_guard guard = leak_guard_begin();
    CHECK_OK(ps_handoff_new(path, &handoff, &error), error);
    CHECK_OK(ps_handoff_next_event(handoff, PATIENCE_MS, &event, &error), error);
    CHECK_OK(ps_handoff_live(handoff, &error), error);
    command = command_for(held.path, NULL);
    thread_start(&thread, upgrade, NULL);
    held_exec_await(&held);

    /* nothing of the handle waits for that thread */
    int64_t start = now_ms();
    CHECK_STATUS(ps_handoff_next_event(handoff, 0, &event, NULL), PS_PENDING);
    CHECK_STATUS(ps_handoff_upgrade(handoff, command, 1000, NULL), PS_ERR_IN_PROGRESS);
    CHECK_STATUS(ps_handoff_cancel(handoff, NULL), PS_ERR_STATE);
    ps_handoff_free(handoff);
    CHECK(now_ms() - start < 4000 * slowness());
    held_exec_let_go(&held);
    pthread_join(thread, NULL);
    CHECK(answer != PS_OK);
    CHECK(wait_until(has_no_child(), 10000));
    CHECK_INT(ps_live_count(), 0);
    ps_command_free(command);
    unlink(lock);
    leak_guard_end(&guard);
    held_exec_end(&held);
    return 0;
}
