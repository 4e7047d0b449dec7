/* The real preloader is killed between two spawns: the next one starts it again, and its worker says that it is of another generation. A worker of
   the first one serves on: it outlives who forked it. */
/* covers: C14-4, IT-1, PA-84, CO-puma-2470 */
#include "real_preloader.h"

int main(void)
{
    need_rack();
    place p = place_new();
    app_file(&p, "config.ru", RACK_APP);

    ps_preloader *preloader = rack_preloader(&p);
    ps_worker *old = ready_worker(&p, preloader);
    pid_t first = parent_of(worker_pid(old));
    CHECK(kill(first, SIGKILL) == 0);
    CHECK(wait_until(process_gone(first) || process_state(first) == 'Z', PATIENCE_MS)); /* its socket file is still there */

    ps_worker *new = ready_worker(&p, preloader);
    CHECK(parent_of(worker_pid(new)) != first);
    CHECK_INT(generation_of(old), 1);
    CHECK_INT(generation_of(new), 2);
    answers_as(new, "rack");
    answers_as(old, "rack");

    leaves_at_end_of_stdin(old);
    leaves_at_end_of_stdin(new);
    ps_preloader_free(preloader);
    place_end(&p);
    return 0;
}
