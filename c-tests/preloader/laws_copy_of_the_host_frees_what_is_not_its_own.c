/* A forked copy of the host that frees all that it has inherited harms nothing: the preloader has its socket still, and the one that comes next is asked
   by it; nobody's directory goes, whether the supervisor that the preloader was used under is there or not. */
/* covers: LAW-6, P-b4 */
/* variants: few */
#include "smart.h"

static void free_in_a_copy(place *p, ps_worker *worker)
{
    pid_t copy = fork();
    CHECK(copy >= 0);
    if (copy == 0) {
        int32_t number = 0;
        ps_worker *none = NULL;
        CHECK_STATUS(ps_preloader_pid(p->preloader, &number, NULL), PS_ERR_FORKED);
        CHECK_STATUS(ps_preloader_spawn(p->preloader, NULL, NULL, 100, &none, NULL), PS_ERR_FORKED);
        CHECK_STATUS(ps_preloader_stop(p->preloader, 0, NULL), PS_ERR_FORKED);
        ps_worker_free(worker);
        ps_preloader_free(p->preloader);
        ps_supervisor_free(p->supervisor);
        _exit(0);
    }
    int how = -1;
    CHECK(waitpid(copy, &how, 0) == copy && how == 0);
}

int main(void)
{
    place p = place_begin("good", 0);
    ps_worker *worker = smart_worker(&p);
    free_in_a_copy(&p, worker);
    end_worker(worker);
    worker = smart_worker(&p);
    CHECK_INT(generation_of(worker), 1);
    end_worker(worker);

    /* Nobody looks after the preloader now but its own handle. */
    ps_supervisor_free(p.supervisor);
    free_in_a_copy(&p, NULL);
    p.supervisor = supervisor_new();
    worker = smart_worker(&p);
    CHECK_INT(generation_of(worker), 1);
    CHECK_INT(logged(&p, "preloader", NULL), 1);
    end_worker(worker);
    place_end(&p);
    return 0;
}
