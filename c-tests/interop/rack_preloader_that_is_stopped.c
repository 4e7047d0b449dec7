/* The real preloader is stopped (SIGSTOP): connecting and sending still succeed, for the kernel does that, and no answer comes. That is a timeout
   within the budget, which is not tried again; when it goes on it is used again, and the request that was given up leaves no worker. */
/* covers: C14-4, IT-1, PA-52, PA-83, PA-84, CO-spring-265 */
#include "real_preloader.h"

static int workers_of(pid_t preloader)
{
    return for_each_child(preloader, NULL);
}

int main(void)
{
    need_rack();
    place p = place_new();
    app_file(&p, "config.ru", RACK_APP);

    ps_preloader *preloader = rack_preloader(&p);
    ps_worker *worker = ready_worker(&p, preloader), *untouched = worker, *none = worker;
    pid_t forked_by = parent_of(worker_pid(worker));
    CHECK(kill(forked_by, SIGSTOP) == 0);
    CHECK(wait_until(process_state(forked_by) == 'T', PATIENCE_MS));
    ps_error *error = NULL;
    int64_t began = now_ms();
    CHECK_ERROR(ps_preloader_spawn(preloader, p.supervisor, NULL, 300, &none, &error), PS_ERR_TIMEOUT, &error);
    CHECK(now_ms() - began >= 300);
    CHECK(none == untouched);
    says(error, "SPAWNING_KIT_READ_RESPONSE_FROM_PRELOADER");
    says(error, "TIMEOUT_ERROR");
    ps_error_free(error);

    CHECK(kill(forked_by, SIGCONT) == 0);
    ps_worker *next = ready_worker(&p, preloader);
    CHECK_INT(parent_of(worker_pid(next)), forked_by);
    CHECK(wait_until(workers_of(forked_by) == 2, PATIENCE_MS));
    answers_as(next, "rack");

    leaves_at_end_of_stdin(worker);
    leaves_at_end_of_stdin(next);
    ps_preloader_free(preloader);
    place_end(&p);
    return 0;
}
