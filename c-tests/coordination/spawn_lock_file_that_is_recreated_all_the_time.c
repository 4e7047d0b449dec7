/* One process deletes the lock file and makes it anew all the time. What holds then: of two holders of a lock on one path, at no instant both
   are answered PS_OK by ps_spawn_lock_check.

   As no file comes back here, a holder who is answered PS_OK twice had the path's own file all the time between. So each writes down such
   stretches, and no two of them may overlap. */
/* covers: RP-11, C13-2 */
/* variants: none */
#include "locks.h"

enum { PROCESSES = 6, STRETCHES = 60 };

static struct stretch {
    int64_t from, to;
} *stretches; /* shared */

static void recreate(void)
{
    while (!atomic_load(&meeting->go)) {
        unlink(lock_path);
        int fd = open(lock_path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        CHECK(fd >= 0);
        close(fd);
        let_others_run(300);
    }
}

static void one(void)
{
    int made = 0;
    while (made < STRETCHES) {
        ps_spawn_lock *lock = NULL;
        ps_error *error = NULL;
        ps_status status = ps_spawn_lock_acquire(lock_path, made % 2 ? 10 * PATIENCE_MS : 0, &lock, &error);
        if (status == PS_ERR_LOCKED || status == PS_ERR_LOCK_REPLACED) {
            CHECK(made % 2 == 0); /* nobody waits in vain */
            ps_error_free(error);
            let_others_run(100);
            continue;
        }
        CHECK_OK(status, error);
        struct stretch it;
        bool held = ps_spawn_lock_check(lock, NULL) == PS_OK;
        it.from = now_ns();
        sched_yield();
        it.to = now_ns();
        held = ps_spawn_lock_check(lock, NULL) == PS_OK && held;
        if (held) {
            int at = atomic_fetch_add(&meeting->at, 1);
            stretches[at] = it;
            made++;
        }
        ps_spawn_lock_release(lock);
    }
}

static int earlier(const void *a, const void *b)
{
    const struct stretch *one = a, *other = b;
    return (one->from > other->from) - (one->from < other->from);
}

int main(void)
{
    pid_t all[PROCESSES];
    enum { MOST = PROCESSES * STRETCHES };
    locks_begin();
    stretches = mmap(NULL, MOST * sizeof *stretches, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(stretches != MAP_FAILED);
    pid_t nuisance = forked(recreate);
    for (int i = 0; i < PROCESSES; i++)
        all[i] = forked(one);
    for (int i = 0; i < PROCESSES; i++)
        ended_well(all[i]);
    atomic_store(&meeting->go, 1);
    ended_well(nuisance);
    CHECK_INT(atomic_load(&meeting->at), MOST);
    qsort(stretches, MOST, sizeof *stretches, earlier);
    for (int i = 1; i < MOST; i++)
        CHECK(stretches[i - 1].to <= stretches[i].from);
    locks_end();
    return 0;
}
