/* Programs that the holder has started live on when it is killed: none of them has the lock, however it was started. */
/* covers: RP-11, C13-2, CO-neon-1814 */
#include "locks.h"

static void owner(void)
{
    ps_spawn_lock *held = lock_at(lock_path, 0);
    ps_spawn_lock *waited = begin_at(lock_path, -1);
    CHECK(nothing_told(waited));
    ps_child *ours = spawn_once(NULL, helper_command("pause_forever", NULL));
    int ends[2];
    CHECK(pipe2(ends, O_CLOEXEC) == 0);
    pid_t plain = fork();
    CHECK(plain >= 0);
    if (plain == 0) {
        execl(helper_path("pause_forever"), "pause_forever", (char *)NULL);
        _exit(127);
    }
    close(ends[1]);
    CHECK(read_byte(ends[0]) == 0); /* it has begun */
    char *open_ones = output_of(helper_command("show_fds", "-l", NULL));
    CHECK(strstr(open_ones, lock_path) == NULL && strstr(open_ones, "inotify") == NULL);
    free(open_ones);
    is_ours(held);
    atomic_store(&meeting->done, pid_of(ours));
    atomic_store(&meeting->go, plain);
    arrive(1);
    stay();
}

int main(void)
{
    locks_begin();
    pid_t holds = forked(owner);
    await(1);
    pid_t ours = atomic_load(&meeting->done), plain = atomic_load(&meeting->go);
    is_locked(lock_path);
    killed(holds);
    is_free(lock_path);
    CHECK(!is_dead(ours) && !is_dead(plain));
    CHECK(kill(ours, SIGKILL) == 0 && kill(plain, SIGKILL) == 0);
    locks_end();
    return 0;
}
