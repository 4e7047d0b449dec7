/* A promoted preloader is its supervisor's child still: who kills it before it has borne a worker finds the old preloader where it was; after that the
   next worker starts a fresh one. */
/* covers: FS-15, C15-3, FS-6 */
/* variants: few */
#include "promotion.h"

int main(void)
{
    place p = place_begin(PS_FORK_SIBLING);
    say_mode(&p, "ok");
    ps_worker *worker = worker_of(&p);
    pid_t first = preloader_pid(&p);
    promote(&p, worker);
    end_worker(worker);
    worker = worker_of(&p);
    CHECK_INT(generation_of(worker), 1);
    CHECK_INT(warmed_by(&p, worker), 0);
    CHECK_INT(preloader_pid(&p), first);

    promote(&p, worker);
    ps_worker *next = worker_of(&p);
    CHECK_INT(generation_of(next), 3);
    CHECK(wait_until(!is_running(first), PATIENCE_MS));
    end_worker(worker);
    worker = worker_of(&p);
    CHECK_INT(generation_of(worker), 4);
    CHECK_INT(warmed_by(&p, worker), 0);

    /* Freed with its supervisor: the preloader goes with the worker that it was. */
    promote(&p, worker);
    end_worker(next);
    let_go_of(worker);
    place_end(&p);
}
