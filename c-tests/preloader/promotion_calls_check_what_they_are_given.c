/* Who may be promoted: a worker of this very preloader, of its present generation or one before that was not replaced, that is ready, of a preloader that
   lives. Everything else is a typed error, at once. */
/* covers: C15-3 */
/* variants: few */
#include "promotion.h"

int main(void)
{
    ps_error *error = NULL;
    place q = place_begin(PS_FORK_SIBLING);
    ps_worker *foreign = worker_of(&q);
    place p = place_begin(PS_FORK_SIBLING);
    say_mode(&p, "ok");
    ps_worker *worker = worker_of(&p);
    ps_error_free(promotion_refused(&p, foreign, PATIENCE_MS, PS_ERR_INVALID_ARGUMENT));
    CHECK_ERROR(ps_preloader_promote(p.preloader, worker, -2, &error), PS_ERR_INVALID_ARGUMENT, &error);
    ps_error_free(error);
    CHECK_STATUS(ps_preloader_promote(NULL, worker, 1000, NULL), PS_ERR_BAD_HANDLE);
    CHECK_STATUS(ps_preloader_promote(p.preloader, NULL, 1000, NULL), PS_ERR_BAD_HANDLE);

    /* One that was replaced meanwhile is old code. */
    CHECK_OK(ps_preloader_reload(p.preloader, &error), error);
    ps_error_free(promotion_refused(&p, worker, PATIENCE_MS, PS_ERR_STATE));
    ps_worker *next = worker_of(&p);
    ps_error_free(promotion_refused(&p, worker, PATIENCE_MS, PS_ERR_STATE));
    /* Without a preloader that stays there is nobody to go back to. */
    CHECK_OK(ps_preloader_stop(p.preloader, -1, &error), error);
    ps_error_free(promotion_refused(&p, next, PATIENCE_MS, PS_ERR_STATE));
    /* One that has ended. */
    ps_worker *last = worker_of(&p);
    kill(worker_pid(last), SIGKILL);
    ps_error_free(promotion_refused(&p, last, PATIENCE_MS, PS_ERR_EXITED));
    end_worker(last);
    end_worker(next);
    end_worker(worker);
    place_end(&p);
    end_worker(foreign);
    place_end(&q);
}
