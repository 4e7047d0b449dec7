/* The size field of ps_exit, ps_event, ps_budget_state and ps_spawn_lock_event: too small (or larger than any) is refused and loses nothing; a larger struct of
   a newer caller is fine, and nothing beyond what we know is written. */
#include "harness.h"
#include "children.h"

int main(void)
{
    ps_error *error = NULL;
    ps_supervisor *supervisor = supervisor_new();
    ps_child *child = spawn_once(supervisor, exiting("6"));
    const uint32_t small[] = {0, 4, sizeof(ps_exit) - 8};
    for (int i = 0; i < 3; i++) {
        ps_exit end, before;
        memset(&end, 0x5a, sizeof end);
        end.size = small[i];
        before = end;
        CHECK_STATUS(ps_reap(child, PATIENCE_MS, &end, NULL), PS_ERR_INVALID_ARGUMENT);
        CHECK_STATUS(ps_reap_nonblock(child, &end, NULL), PS_ERR_INVALID_ARGUMENT);
        CHECK_STATUS(ps_terminate(child, -1, &end, NULL), PS_ERR_INVALID_ARGUMENT);
        CHECK(memcmp(&end, &before, sizeof end) == 0);
    }
    const uint32_t small_events[] = {0, 4, sizeof(ps_event) - sizeof(ps_exit)};
    for (int i = 0; i < 3; i++) {
        ps_event event, before;
        memset(&event, 0x5a, sizeof event);
        event.size = small_events[i];
        before = event;
        CHECK_STATUS(ps_supervisor_next_event(supervisor, 0, &event, NULL), PS_ERR_INVALID_ARGUMENT);
        CHECK(memcmp(&event, &before, sizeof event) == 0);
    }

    /* What is needed is said; and a size that no version can have is a field that was forgotten. */
    ps_exit sized = {.size = sizeof sized - 1};
    char wanted[32];
    snprintf(wanted, sizeof wanted, "at least %zu bytes", sizeof sized);
    CHECK_ERROR(ps_reap(child, PATIENCE_MS, &sized, &error), PS_ERR_INVALID_ARGUMENT, &error);
    CHECK(strstr(ps_error_message(error), wanted) != NULL);
    ps_error_free(error);
    error = NULL;
    const uint32_t absurd[] = {4097, 0x5a5a5a5a, UINT32_MAX};
    for (int i = 0; i < 3; i++) {
        ps_event event;
        memset(&event, 0x5a, sizeof event);
        event.size = sized.size = absurd[i];
        CHECK_STATUS(ps_reap(child, PATIENCE_MS, &sized, NULL), PS_ERR_INVALID_ARGUMENT);
        CHECK_STATUS(ps_supervisor_next_event(supervisor, 0, &event, NULL), PS_ERR_INVALID_ARGUMENT);
        CHECK(event.kind == 0x5a5a5a5a);
    }

    struct { ps_exit end; char newer[4096 - sizeof(ps_exit)]; } larger;
    memset(&larger, 0x5a, sizeof larger);
    larger.end.size = sizeof larger;
    CHECK_OK(ps_reap(child, PATIENCE_MS, &larger.end, &error), error);
    CHECK(larger.end.kind == PS_EXIT_EXITED && larger.end.code == 6);
    for (size_t i = 0; i < sizeof larger.end.reserved / sizeof *larger.end.reserved; i++)
        CHECK(larger.end.reserved[i] == 0);
    for (size_t i = 0; i < sizeof larger.newer; i++)
        CHECK_INT(larger.newer[i], 0x5a);

    take_event(supervisor, PS_EVENT_STARTED);
    struct { ps_event event; char newer[32]; } larger_event;
    memset(&larger_event, 0x5a, sizeof larger_event);
    larger_event.event.size = sizeof larger_event;
    CHECK_OK(ps_supervisor_next_event(supervisor, PATIENCE_MS, &larger_event.event, &error), error);
    CHECK(larger_event.event.kind == PS_EVENT_EXITED && larger_event.event.exit.code == 6);
    for (size_t i = 0; i < sizeof larger_event.newer; i++)
        CHECK_INT(larger_event.newer[i], 0x5a);
    ps_child_free(child);
    ps_supervisor_free(supervisor);

    ps_budget *budget = NULL;
    CHECK_OK(ps_budget_new(0, 0, &budget, &error), error);
    struct { ps_budget_state state; char newer[8]; } larger_state, before;
    memset(&larger_state, 0x5a, sizeof larger_state);
    larger_state.state.size = sizeof larger_state.state - 1;
    before = larger_state;
    CHECK_STATUS(ps_budget_snapshot(budget, "key", &larger_state.state, NULL), PS_ERR_INVALID_ARGUMENT);
    CHECK(memcmp(&larger_state, &before, sizeof before) == 0);
    larger_state.state.size = sizeof larger_state;
    CHECK_OK(ps_budget_snapshot(budget, "key", &larger_state.state, &error), error);
    CHECK(larger_state.state.size == sizeof larger_state && larger_state.state.remaining == 3 && larger_state.state.reserved == 0);
    for (size_t i = 0; i < sizeof larger_state.newer; i++)
        CHECK_INT(larger_state.newer[i], 0x5a);
    ps_budget_free(budget);

    char path[128];
    snprintf(path, sizeof path, "%s/lock", temp_dir());
    ps_spawn_lock *lock = NULL;
    CHECK_OK(ps_spawn_lock_begin(path, 0, &lock, &error), error);
    struct { ps_spawn_lock_event event; char newer[8]; } larger_told, before_told;
    memset(&larger_told, 0x5a, sizeof larger_told);
    larger_told.event.size = sizeof larger_told.event - 1;
    before_told = larger_told;
    CHECK_STATUS(ps_spawn_lock_next_event(lock, 0, &larger_told.event, NULL), PS_ERR_INVALID_ARGUMENT);
    CHECK(memcmp(&larger_told, &before_told, sizeof before_told) == 0);
    larger_told.event.size = sizeof larger_told;
    CHECK_OK(ps_spawn_lock_next_event(lock, 0, &larger_told.event, &error), error);
    CHECK(larger_told.event.kind == PS_SPAWN_LOCK_ACQUIRED && larger_told.event.reserved == 0);
    for (size_t i = 0; i < sizeof larger_told.newer; i++)
        CHECK_INT(larger_told.newer[i], 0x5a);
    ps_spawn_lock_release(lock);
    CHECK(unlink(path) == 0);
    *strrchr(path, '/') = 0;
    CHECK(rmdir(path) == 0);
    return 0;
}
