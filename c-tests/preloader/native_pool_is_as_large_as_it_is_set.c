/* Never more than were asked for; fewer are asked for, and the others end; stopping the preloader ends all; and so does kill-all, though nobody holds a handle
   of them. Each takes four descriptors of the host at the most, one of them a pidfd. */
/* covers: C15-2, LAW-5, LAW-12 */
/* variants: none: it is about who is born when */
#include "pool.h"
#include "native_app.h"

static int pidfds(void)
{
    int count = 0;
    for (int fd = 0; fd < 1024; fd++) {
        char path[64], target[64] = "";
        snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
        count += readlink(path, target, sizeof target - 1) > 0 && strcmp(target, "anon_inode:[pidfd]") == 0;
    }
    return count;
}

/* Siblings: some say HELLO before their preloader has said which pidfd is theirs. */
static void takes_few_descriptors(void)
{
    enum { IDLE = 24 };
    place p = app_begin("how=sibling", NULL);
    pool_of(&p, 1, -1);
    int fds = count_fds(), before = pidfds();
    pool_of(&p, IDLE, -1);
    CHECK(pidfds() <= before + IDLE - 1);
    CHECK(count_fds() <= fds + 4 * (IDLE - 1));
    place_end(&p);
}

int main(void)
{
    place p = native_begin("ok", 0);
    ps_error *error = NULL;
    pool_of(&p, 5, -1);
    CHECK_INT(idle(0), 5);
    CHECK_INT(logged(&p, "worker", NULL), 5);
    set_pool(&p, 2, -1);
    look_until(&p, idle(0) == 2);
    CHECK_OK(ps_preloader_stop(p.preloader, -1, &error), error);
    look_until(&p, ps_live_count() == 0);
    warm(&p);
    CHECK_INT(idle(0), 2);
    CHECK_INT(preloader_generation(&p), 2);
    uint32_t left = 77;
    CHECK_STATUS(ps_kill_and_reap_all(PATIENCE_MS, &left), PS_OK);
    CHECK_INT(left, 0);
    CHECK_INT(ps_live_count(), 0);
    look_until(&p, preloader_pid(&p) == 0);
    CHECK_INT(logged(&p, "go", NULL), 0);
    place_end(&p);
    takes_few_descriptors();
}
