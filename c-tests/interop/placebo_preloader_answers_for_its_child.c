/* A preloader that answers for its child, as the stub of Passenger's own tests does (our own one: placebo_preloader.py): the kernel's word on who wrote
   the answer is the preloader's, and must not be taken for the worker's. Its workers are Passenger's wsgi-loader.py, and answer. One that ends as soon
   as it is ready is given up, after one more start at the most. */
/* covers: C14-4, IT-4, PA-84, PA-86, D-2 */
#include "real_preloader.h"

static ps_preloader *placebo(const place *p, const char *word)
{
    static char script[512];
    snprintf(script, sizeof script, "%.*s/placebo_preloader.py", (int)(strrchr(__FILE__, '/') - __FILE__), __FILE__);
    char path[PATH_MAX];
    CHECK(realpath(script, path) != NULL);
    ps_command *command = command_for(PYTHON, path, word, NULL);
    tell(command, p, "wsgi", "passenger_wsgi.py");
    session(command, "start_command", PYTHON " -W ignore " PASSENGER_HELPERS "/wsgi-loader.py");
    session(command, "spawn_method", "smart");
    return preloader_of(command);
}

int main(void)
{
    need_wsgi();
    place p = place_new();
    app_file(&p, "passenger_wsgi.py", WSGI_APP);
    ps_preloader *preloader = placebo(&p, NULL);
    ps_worker *workers[2];
    for (int i = 0; i < 2; i++)
        workers[i] = ready_worker(&p, preloader);
    int32_t pid = 0;
    ps_error *error = NULL;
    CHECK_OK(ps_preloader_pid(preloader, &pid, &error), error);
    for (int i = 0; i < 2; i++) {
        CHECK_INT(parent_of(worker_pid(workers[i])), pid);
        CHECK(worker_pid(workers[i]) != pid);
        answers_as(workers[i], "wsgi");
    }
    killed_worker(workers[0]); /* it, and not who has answered */
    answers_as(workers[1], "wsgi");
    CHECK(!process_gone(pid) && process_state(pid) != 'Z');
    leaves_at_end_of_stdin(workers[1]);
    ps_preloader_free(preloader);

    preloader = placebo(&p, "exit-immediately");
    ps_worker *none = NULL;
    ps_status status = ps_preloader_spawn(preloader, p.supervisor, NULL, PATIENCE_MS, &none, &error);
    CHECK(status < 0 && status != PS_ERR_TIMEOUT && status != PS_ERR_INTERNAL && none == NULL);
    ps_error_free(error);
    uint32_t generation = 0;
    CHECK_OK(ps_preloader_generation(preloader, &generation, NULL), error);
    CHECK(generation == 1 || generation == 2); /* its end was seen before its word, or behind it */
    ps_preloader_free(preloader);
    place_end(&p);
    return 0;
}
