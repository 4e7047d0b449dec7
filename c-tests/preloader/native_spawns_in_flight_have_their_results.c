/* Many spawns at once: each has its result; also when the preloader is killed with twenty in flight, replaced, stopped or freed meanwhile, the supervisor
   freed, or all children killed. */
/* covers: C15-1, C15-2, CO-puma-3596, CO-puma-2470, CO-puma-3853, CO-puma-2786, LAW-12 */
/* variants: only tier-fork */
#include "native.h"

#include "in_flight.h"

int main(void)
{
    for (int round = 0; round < (can_keep_strangers() ? 2 : 1); round++) {
        const char *mode = round ? "libc-slow" : "slow";
        ps_error *error = NULL;
        place p = native_begin(mode, 0);
        begin_all(&p, -1);
        CHECK_INT(results(&p), MANY);
        CHECK_INT(logged(&p, "preloader", NULL), 1);
        end_each(end_native);
        place_end(&p);

        /* Killed with twenty in flight: twenty results, and all good, for what was not answered is asked again. */
        p = native_begin(mode, -1);
        begin_all(&p, -1);
        await_commands(&p, 2);
        CHECK(kill(preloader_pid(&p), SIGKILL) == 0);
        CHECK_INT(results(&p), MANY);
        end_each(end_native);
        place_end(&p);

        /* Replaced: no worker is born of the old one afterwards. */
        p = native_begin(round ? "libc-old-stops" : "old-stops", 0);
        begin_all(&p, -1);
        await_commands(&p, 5);
        CHECK_OK(ps_preloader_reload(p.preloader, &error), error);
        CHECK_INT(results(&p), MANY);
        int old = 0;
        for (int i = 0; i < MANY; i++)
            old += generation_of(workers[i]) == 1;
        CHECK(old <= 3);
        CHECK_INT(generation_of(workers[MANY - 1]), 2);
        end_each(end_native);
        place_end(&p);

        /* Stopped: who is not born fails, who is goes on. */
        p = native_begin(mode, -1);
        begin_all(&p, -1);
        await_commands(&p, 1);
        CHECK_OK(ps_preloader_stop(p.preloader, -1, &error), error);
        CHECK_INT(preloader_pid(&p), 0);
        results(&p);
        end_each(end_native);
        end_native(smart_worker(&p));
        place_end(&p);

        /* Freed. */
        p = native_begin(mode, -1);
        begin_all(&p, -1);
        await_commands(&p, 1);
        ps_preloader_free(p.preloader);
        results(&p);
        end_each(end_native);
        place_end(&p);

        /* Its supervisor freed. */
        p = native_begin(mode, -1);
        begin_all(&p, -1);
        await_commands(&p, 1);
        ps_supervisor_free(p.supervisor);
        for (int i = 0; i < MANY; i++)
            ps_worker_free(workers[i]);
        p.supervisor = supervisor_new();
        end_native(smart_worker(&p));
        place_end(&p);

        /* Everybody killed. */
        p = native_begin(mode, -1);
        begin_all(&p, -1);
        await_commands(&p, 3);
        uint32_t left = 0;
        ps_kill_and_reap_all(PATIENCE_MS, &left);
        results(&p);
        end_each(end_native);
        end_native(smart_worker(&p));
        place_end(&p);
    }
}
