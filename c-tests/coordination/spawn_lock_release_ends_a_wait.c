/* A thread waits for the event of a lock, another one releases the handle: PS_ERR_SHUTDOWN, and the lock is not taken by a wait that was given up.
   A lock that was acquired has no events. */
/* covers: C13-2 */
#include "locks.h"

static ps_spawn_lock *waiting;

static void *waiter(void *unused)
{
    ps_spawn_lock_event event = {.size = sizeof event};
    ps_error *error = NULL;
    arrive(1);
    ps_status status = ps_spawn_lock_next_event(waiting, -1, &event, &error);
    CHECK(status == PS_ERR_SHUTDOWN || status == PS_ERR_BAD_HANDLE); /* it was not in the call yet */
    ps_error_free(error);
    return unused;
}

int main(void)
{
    pthread_t threads[2];
    locks_begin();
    ps_spawn_lock *held = lock_at(lock_path, 0);
    int32_t fd = -1;
    ps_spawn_lock_event event = {.size = sizeof event};
    CHECK_STATUS(ps_spawn_lock_fd(held, &fd, NULL), PS_ERR_STATE);
    CHECK_STATUS(ps_spawn_lock_next_event(held, 0, &event, NULL), PS_ERR_STATE);
    CHECK_INT(fd, -1);
    for (int turn = 0; turn < 20; turn++) {
        arrive(0);
        waiting = begin_at(lock_path, -1);
        for (int i = 0; i < 2; i++)
            thread_start(&threads[i], waiter, NULL);
        await(1);
        let_others_run(turn * 200);
        ps_spawn_lock_release(waiting);
        for (int i = 0; i < 2; i++)
            CHECK(pthread_join(threads[i], NULL) == 0);
    }
    is_ours(held);
    ps_spawn_lock_release(held);
    is_free(lock_path);

    /* Released before its event was taken: free. */
    ps_spawn_lock_release(begin_at(lock_path, -1));
    is_free(lock_path);
    locks_end();
    return 0;
}
