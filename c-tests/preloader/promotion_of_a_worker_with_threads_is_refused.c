/* Who promotes does not know what the worker has become: the check is made in the worker itself, when it says that it is ready to fork. It is refused there
   and here, by the name of the thread, and serves on. */
/* covers: FS-1, CO-pitchfork-60, C15-3 */
/* variants: few */
#include "promotion.h"

int main(void)
{
    char text[512];
    place p = place_begin(PS_FORK_SIBLING);
    say_mode(&p, "threads");
    ps_worker *worker = worker_of(&p);
    pid_t preloader = preloader_pid(&p), pid = worker_pid(worker);
    ps_error *error = promotion_refused(&p, worker, PATIENCE_MS, PS_ERR_STATE);
    CHECK(says(error, "collector"));
    ps_error_free(error);
    CHECK(wait_until(has_noted(&p, pid, ".serves"), PATIENCE_MS));
    noted(&p, pid, ".refused", text, sizeof text);
    CHECK(strstr(text, "PS_ERR_STATE") && strstr(text, "collector"));
    CHECK(is_running(pid));
    CHECK_INT(preloader_pid(&p), preloader);
    say_mode(&p, "ok");
    ps_worker *next = worker_of(&p);
    CHECK_INT(generation_of(next), 1);
    end_worker(next);
    end_worker(worker);
    place_end(&p);
}
