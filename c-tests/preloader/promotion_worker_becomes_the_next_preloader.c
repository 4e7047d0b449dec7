/* A worker that has warmed up becomes the next preloader: what is spawned from then on is forked from it, is of its generation, and knows what it had
   learned. The one before stays until the first worker of the new generation is ready, and goes then; so on, generation by generation. */
/* covers: FS-15, C15-3 */
/* variants: few */
#include "promotion.h"
#include "strangers.h"

static void generations(int32_t how)
{
    place p = place_begin(how);
    say_mode(&p, "ok");
    ps_worker *worker = worker_of(&p);
    CHECK_INT(warmed_by(&p, worker), 0);
    for (uint32_t generation = 1; generation < 5; generation++) {
        pid_t before = preloader_pid(&p), chosen = worker_pid(worker);
        CHECK_INT(generation_of(worker), generation);
        promote(&p, worker);
        CHECK_INT(preloader_pid(&p), chosen);
        CHECK_INT(preloader_generation(&p), generation + 1);
        CHECK(is_running(before));
        ps_worker *next = worker_of(&p);
        CHECK_INT(generation_of(next), generation + 1);
        CHECK_INT(warmed_by(&p, next), chosen);
        CHECK(wait_until(!is_running(before), PATIENCE_MS));
        CHECK(is_running(chosen));
        let_go_of(worker);
        worker = next;
    }
    end_worker(worker);
    place_end(&p);
}

int main(void)
{
    if (can_keep_strangers())
        generations(PS_FORK_LIBC);
    generations(PS_FORK_SIBLING);
}
