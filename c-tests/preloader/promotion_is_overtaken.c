/* What replaces, stops or kills the preloader while a worker drains ends the promotion with a typed error, and the worker serves on; a second promotion
   meanwhile is refused. */
/* covers: C15-3, FS-8 */
/* variants: few */
#include "promotion.h"

typedef struct attempt {
    place *p;
    ps_worker *worker;
    ps_status status;
    pthread_t thread;
} attempt;

static void *run(void *argument)
{
    attempt *a = argument;
    a->status = ps_preloader_promote(a->p->preloader, a->worker, -1, NULL);
    return NULL;
}

/* Returns when the worker has been asked, and is stuck. */
static attempt *begin(place *p, attempt *a)
{
    *a = (attempt){.p = p, .worker = worker_of(p)};
    say_mode(p, "stuck");
    thread_start(&a->thread, run, a);
    CHECK(wait_until(has_noted(p, worker_pid(a->worker), ".asked"), PATIENCE_MS));
    return a;
}

static void ends_so(attempt *a, ps_status expected)
{
    char text[512];
    pid_t pid = worker_pid(a->worker);
    CHECK(pthread_join(a->thread, NULL) == 0);
    CHECK_STATUS(a->status, expected);
    let_go(a->p);
    CHECK(wait_until(has_noted(a->p, pid, ".serves"), PATIENCE_MS));
    noted(a->p, pid, ".refused", text, sizeof text);
    CHECK(strstr(text, "PS_ERR_CANCELLED") != NULL);
    CHECK(is_running(pid));
    say_mode(a->p, "ok");
    ps_worker *next = worker_of(a->p);
    CHECK_INT(warmed_by(a->p, next), 0);
    end_worker(next);
    end_worker(a->worker);
}

static void by_a_reload(void)
{
    attempt a;
    place p = place_begin(PS_FORK_SIBLING);
    begin(&p, &a);
    ps_worker *other = worker_of(&p);
    ps_error_free(promotion_refused(&p, other, PATIENCE_MS, PS_ERR_IN_PROGRESS));
    end_worker(other);
    CHECK_OK(ps_preloader_reload(p.preloader, NULL), NULL);
    ends_so(&a, PS_ERR_CANCELLED);
    place_end(&p);
}

static void by_a_stop(void)
{
    attempt a;
    place p = place_begin(PS_FORK_SIBLING);
    begin(&p, &a);
    CHECK_OK(ps_preloader_stop(p.preloader, -1, NULL), NULL);
    ends_so(&a, PS_ERR_CANCELLED);
    place_end(&p);
}

static void by_the_death_of_the_old_one(void)
{
    attempt a;
    place p = place_begin(PS_FORK_SIBLING);
    begin(&p, &a);
    CHECK(kill(preloader_pid(&p), SIGKILL) == 0);
    ends_so(&a, PS_ERR_CANCELLED);
    place_end(&p);
}

int main(void)
{
    by_a_reload();
    by_a_stop();
    by_the_death_of_the_old_one();
}
