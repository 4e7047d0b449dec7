/* What a worker has for itself alone is the same in each generation, and does not grow with the number of workers: memory is settled (collapsed) once,
   when a preloader becomes ready, and never before a fork. */
/* covers: FS-15, CO-autotuner-7, C15-3 */
/* variants: none */
#include "promotion.h"

enum { MIB = 16, GENERATIONS = 5, WORKERS = 6, KIB = 1024 };

/* Of one that has just come; what another has that came WORKERS births earlier must not have changed. */
static long look(const place *p, ps_worker **worker)
{
    *worker = worker_of(p);
    pid_t first = worker_pid(*worker);
    long before = private_dirty_kib(first);
    for (int i = 0; i < WORKERS; i++) {
        ps_worker *other = worker_of(p);
        CHECK(private_dirty_kib(worker_pid(other)) < KIB);
        end_worker(other);
    }
    long after = private_dirty_kib(first);
    CHECK(before < KIB && after < KIB);
    return after;
}

static void generations(int32_t how)
{
    place p = place_of(how, MIB);
    ps_worker *worker;
    say_mode(&p, "ok");
    long first = look(&p, &worker), last = first;
    for (int generation = 1; generation < GENERATIONS; generation++) {
        ps_worker *next;
        promote(&p, worker);
        last = look(&p, &next);
        let_go_of(worker);
        worker = next;
    }
    printf("private dirty memory of a worker: %ld KiB in the first generation, %ld KiB in the last\n", first, last);
    CHECK(last <= first + KIB / 4);
    end_worker(worker);
    place_end(&p);
}

int main(void)
{
    generations(PS_FORK_SIBLING);
    generations(PS_FORK_LIBC);
    if (kernel_at_least(6, 1))
        generations(PS_FORK_SIBLING | PS_PRELOAD_COLLAPSE);
}
