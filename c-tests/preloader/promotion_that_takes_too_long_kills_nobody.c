/* A worker that does not become the next preloader in its time is a worker still: nobody is killed. It hears of it when it is ready after all, and another
   one can be promoted meanwhile. */
/* covers: CO-puma-2786, C15-3, FS-8 */
/* variants: few */
#include "promotion.h"

int main(void)
{
    char text[512];
    place p = place_begin(PS_FORK_SIBLING);
    ps_worker *stuck = worker_of(&p), *other = worker_of(&p);
    pid_t preloader = preloader_pid(&p), pid = worker_pid(stuck);
    say_mode(&p, "stuck");
    ps_error_free(promotion_refused(&p, stuck, 50, PS_ERR_TIMEOUT));
    CHECK(wait_until(has_noted(&p, pid, ".asked"), PATIENCE_MS));
    CHECK(is_running(pid) && is_running(preloader));
    CHECK_INT(preloader_pid(&p), preloader);

    let_go(&p);
    CHECK(wait_until(has_noted(&p, pid, ".serves"), PATIENCE_MS));
    noted(&p, pid, ".refused", text, sizeof text);
    CHECK(strstr(text, "PS_ERR_TIMEOUT") || strstr(text, "PS_ERR_CANCELLED"));
    CHECK(is_running(pid));

    say_mode(&p, "slow");
    promote(&p, other);
    CHECK_INT(preloader_pid(&p), worker_pid(other));
    CHECK(is_running(pid) && is_running(preloader));
    end_worker(stuck);
    let_go_of(other);
    place_end(&p);
}
