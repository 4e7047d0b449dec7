/* The time is over first: PS_ERR_LOCKED, by waiting and as an event, not before its time. A signal handler of the host does not end the wait for the
   lock; it ends one for the event (PS_PENDING), and the lock is waited for on. The holder notices nothing; nothing is left open. */
/* covers: RP-11, C13-2 */
/* variants: few */
#include "locks.h"

static volatile sig_atomic_t handled;
static void handler(int number) { handled += number == SIGALRM; }

int main(void)
{
    const int64_t wait_ms = 80 * slowness();
    locks_begin();
    ps_spawn_lock *held = lock_at(lock_path, 0);
    int before = count_fds();
    struct sigaction action = {.sa_handler = handler};
    CHECK(sigaction(SIGALRM, &action, NULL) == 0);
    const struct itimerval often = {{0, 5000}, {0, 5000}}, never = {{0, 0}, {0, 0}};
    CHECK(setitimer(ITIMER_REAL, &often, NULL) == 0);

    int64_t start = now_ns();
    ps_spawn_lock *lock = NULL;
    ps_error *error = NULL;
    CHECK_ERROR(ps_spawn_lock_acquire(lock_path, wait_ms, &lock, &error), PS_ERR_LOCKED, &error);
    CHECK(now_ns() - start >= wait_ms * 1000000);
    CHECK(strstr(ps_error_message(error), "waited for"));
    ps_error_free(error);

    start = now_ns();
    lock = begin_at(lock_path, wait_ms);
    ps_spawn_lock_event event = {.size = sizeof event};
    ps_status status;
    int pending = 0;
    while ((status = ps_spawn_lock_next_event(lock, PATIENCE_MS, &event, NULL)) == PS_PENDING)
        pending++;
    CHECK_INT(status, PS_OK);
    CHECK(pending > 3);
    CHECK(now_ns() - start >= wait_ms * 1000000);
    CHECK(event.kind == PS_SPAWN_LOCK_FAILED && event.status == PS_ERR_LOCKED && event.status_errno == EWOULDBLOCK);
    CHECK(event.time_ns >= start && event.time_ns <= now_ns());
    CHECK(nothing_told(lock)); /* once */
    error = NULL;
    CHECK_ERROR(ps_spawn_lock_check(lock, &error), PS_ERR_LOCKED, &error);
    ps_error_free(error);
    ps_spawn_lock_release(lock);

    /* The wait for the event has a time of its own: the lock is waited for on. */
    lock = begin_at(lock_path, -1);
    event.size = sizeof event;
    CHECK_STATUS(ps_spawn_lock_next_event(lock, 20, &event, NULL), PS_PENDING);
    CHECK(setitimer(ITIMER_REAL, &never, NULL) == 0);
    CHECK(handled > 3);
    is_ours(held);
    ps_spawn_lock_release(held);
    CHECK_INT(told(lock).kind, PS_SPAWN_LOCK_ACQUIRED);
    ps_spawn_lock_release(lock);
    let_watch_rest();
    CHECK_INT(count_fds(), before - 1);
    locks_end();
    return 0;
}
