/* A loop waits for the lock, level- and edge-triggered: it is not woken while another holds the lock (but now and then by the clock), it is when
   that one releases or dies, and there is silence after the event. */
/* covers: RP-11, C13-2 */
/* variants: few */
#include "locks.h"

static int loop, wake_ups;

/* Serves the loop until the event, or for so long. */
static bool serve(ps_spawn_lock *lock, int64_t ms, ps_spawn_lock_event *event)
{
    int64_t until = now_ms() + ms;
    for (;;) {
        struct epoll_event ready;
        int64_t left = until - now_ms();
        int count = epoll_wait(loop, &ready, 1, left > 0 ? (int)left : 0);
        if (count == 0 && now_ms() >= until)
            return false;
        wake_ups += count > 0;
        for (ps_status status = PS_OK; count > 0 && status != PS_PENDING;) {
            event->size = sizeof *event;
            status = ps_spawn_lock_next_event(lock, 0, event, NULL);
            if (status == PS_OK)
                return true;
            CHECK_STATUS(status, PS_PENDING);
        }
    }
}

static void watch(ps_spawn_lock *lock, uint32_t how)
{
    int32_t fd = -1;
    CHECK_STATUS(ps_spawn_lock_fd(lock, &fd, NULL), PS_OK);
    CHECK(fd > 2 && fcntl(fd, F_GETFD) == FD_CLOEXEC);
    struct epoll_event wanted = {.events = EPOLLIN | how};
    CHECK(epoll_ctl(loop, EPOLL_CTL_ADD, fd, &wanted) == 0);
    wake_ups = 0;
}

static void owner(void)
{
    lock_at(lock_path, 0);
    arrive(1);
    stay();
}

int main(void)
{
    ps_spawn_lock_event event;
    locks_begin();
    CHECK((loop = epoll_create1(EPOLL_CLOEXEC)) >= 0);
    for (int edges = 0; edges < 2; edges++) {
        uint32_t how = edges ? EPOLLET : 0;
        /* Free: an event all the same. */
        ps_spawn_lock *lock = begin_at(lock_path, -1);
        watch(lock, how);
        CHECK(serve(lock, PATIENCE_MS, &event) && event.kind == PS_SPAWN_LOCK_ACQUIRED);
        CHECK(!serve(lock, 50, &event));
        CHECK(wake_ups <= 1 + edges);
        ps_spawn_lock_release(lock); /* its descriptor leaves the loop with it */

        /* Released, beside others that hold and look without success. */
        ps_spawn_lock *held = lock_at(lock_path, 0);
        lock = begin_at(lock_path, -1);
        watch(lock, how);
        CHECK(!serve(lock, 600, &event));
        CHECK(wake_ups <= 3); /* the clock, each quarter of a second at first */
        for (int i = 0; i < 20; i++)
            is_locked(lock_path);
        CHECK(!serve(lock, 100, &event));
        ps_spawn_lock_release(held);
        CHECK(serve(lock, PATIENCE_MS, &event) && event.kind == PS_SPAWN_LOCK_ACQUIRED && event.status == PS_OK);
        wake_ups = 0;
        CHECK(!serve(lock, 300, &event));
        CHECK(wake_ups <= edges); /* one edge may have been under way */
        is_ours(lock);
        ps_spawn_lock_release(lock);

        /* Killed. */
        arrive(0);
        pid_t pid = forked(owner);
        await(1);
        lock = begin_at(lock_path, -1);
        watch(lock, how);
        killed(pid);
        CHECK(serve(lock, PATIENCE_MS, &event) && event.kind == PS_SPAWN_LOCK_ACQUIRED);
        ps_spawn_lock_release(lock);

        /* Its time is over; one try. */
        held = lock_at(lock_path, 0);
        for (int timeout = 0; timeout < 100; timeout += 60) {
            lock = begin_at(lock_path, timeout);
            watch(lock, how);
            CHECK(serve(lock, PATIENCE_MS, &event) && event.kind == PS_SPAWN_LOCK_FAILED && event.status == PS_ERR_LOCKED);
            CHECK(event.pid == getpid());
            CHECK(!serve(lock, 100, &event));
            ps_spawn_lock_release(lock);
        }
        ps_spawn_lock_release(held);
    }
    close(loop);
    locks_end();
    return 0;
}
