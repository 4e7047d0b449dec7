/* Passenger's own rack-preloader.rb: several workers are forked from it, each is who it is said to be and answers a real request; each leaves when
   its stdin ends, and so does the preloader. Nothing is left: no socket, no work directory. */
/* covers: C14-4, IT-1, PA-6, PA-79, PA-81, PA-85, PA-89, PA-92, PA-56 */
/* variants: only tier-fork, old-kernel-5.4: what else is refused is refused to these programs, too, and they start threads */
#include "real_preloader.h"

enum { WORKERS = 3 };

int main(void)
{
    need_rack();
    place p = place_new();
    app_file(&p, "config.ru", RACK_APP);

    ps_preloader *preloader = rack_preloader(&p);
    ps_worker *workers[WORKERS];
    for (int i = 0; i < WORKERS; i++)
        workers[i] = ready_worker(&p, preloader);
    pid_t forked_by = parent_of(worker_pid(workers[0]));
    CHECK(forked_by != getpid());
    for (int i = 0; i < WORKERS; i++) {
        CHECK_INT(parent_of(worker_pid(workers[i])), forked_by);
        CHECK_INT(getpgid(worker_pid(workers[i])), getpgid(forked_by));
        CHECK_INT(generation_of(workers[i]), 1);
        struct ps_worker_socket socket = main_socket(workers[i]);
        CHECK_STR(socket.protocol, "session");
        CHECK_STR(socket.name, "main");
        CHECK_INT(socket.concurrency, 1);
        answers_as(workers[i], "rack");
    }
    /* Its journey: each step of both sides was done. */
    char journey[16384];
    size_t needed = 0;
    ps_error *error = NULL;
    CHECK_OK(ps_worker_journey(workers[0], PS_RENDER_JSON, journey, sizeof journey, &needed, &error), error);
    CHECK(strstr(journey, "SPAWNING_KIT_CONNECT_TO_PRELOADER") && strstr(journey, "SUBPROCESS_LISTEN"));
    CHECK(!strstr(journey, "ERRORED"));

    for (int i = 0; i < WORKERS; i++) {
        ps_exit end = leaves_at_end_of_stdin(workers[i]);
        CHECK(end.kind == PS_EXIT_LOST || (end.kind == PS_EXIT_EXITED && end.code == 0));
    }
    CHECK_OK(ps_preloader_stop(preloader, 5000, &error), error);
    CHECK(wait_until(process_gone(forked_by), PATIENCE_MS));
    ps_preloader_free(preloader);
    place_end(&p);
    return 0;
}
