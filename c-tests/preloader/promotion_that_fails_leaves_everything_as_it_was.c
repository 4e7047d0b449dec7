/* A worker whose hook fails, or that dies in it, is not the next preloader: the error says why, the old preloader goes on with its generation, and the
   worker, if it lives, serves on. */
/* covers: FS-15, C15-3 */
/* variants: few */
#include "promotion.h"

static void still_bears(const place *p, pid_t preloader)
{
    CHECK_INT(preloader_pid(p), preloader);
    ps_worker *worker = worker_of(p);
    CHECK_INT(warmed_by(p, worker), 0);
    CHECK_INT(generation_of(worker), 1);
    end_worker(worker);
}

static void broken_hook(void)
{
    place p = place_begin(PS_FORK_SIBLING);
    say_mode(&p, "broken");
    ps_worker *worker = worker_of(&p);
    pid_t preloader = preloader_pid(&p), pid = worker_pid(worker);
    ps_error *error = promotion_refused(&p, worker, PATIENCE_MS, PS_ERR_ABORTED);
    CHECK(says(error, "the hook is broken"));
    ps_error_free(error);
    CHECK(wait_until(has_noted(&p, pid, ".serves"), PATIENCE_MS));
    CHECK(is_running(pid));
    still_bears(&p, preloader);
    /* It may be asked again. */
    say_mode(&p, "ok");
    promote(&p, worker);
    CHECK_INT(preloader_pid(&p), pid);
    let_go_of(worker);
    place_end(&p);
}

static void dies_in_its_hook(void)
{
    place p = place_begin(PS_FORK_SIBLING);
    say_mode(&p, "dies");
    ps_worker *worker = worker_of(&p);
    pid_t preloader = preloader_pid(&p);
    ps_error_free(promotion_refused(&p, worker, PATIENCE_MS, PS_ERR_EXITED));
    ps_exit exit = end_worker(worker);
    CHECK_INT(exit.kind, PS_EXIT_EXITED);
    CHECK_INT(exit.code, 7);
    still_bears(&p, preloader);
    place_end(&p);
}

/* It is ready, and ends over the first worker: the old one is there still, and the request gets its worker. */
static void dies_over_its_first_worker(void)
{
    place p = place_begin(PS_FORK_SIBLING);
    say_mode(&p, "exits");
    ps_worker *worker = worker_of(&p);
    promote(&p, worker);
    ps_worker *next = worker_of(&p);
    CHECK(worker_pid(next) > 0);
    end_worker(next);
    ps_exit exit = end_worker(worker);
    CHECK_INT(exit.code, 3);
    place_end(&p);
}

int main(void)
{
    broken_hook();
    dies_in_its_hook();
    dies_over_its_first_worker();
}
