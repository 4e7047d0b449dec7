/* A preloader that dies over a command is started once more, and the command is said once more with a work directory of its own; one that dies
   again is an error, and is started again by the next spawn. */
/* covers: P-b21, PA-84, PA-89, PA-7 */
/* variants: few */
#include "smart.h"

static void once(const char *mode)
{
    place p = place_begin(mode, 1);
    ps_worker *worker = smart_worker(&p);
    CHECK_INT(generation_of(worker), 2);
    CHECK_INT(logged(&p, "preloader", NULL), 2);
    CHECK_INT(logged(&p, "command", NULL), 2);
    end_worker(worker);
    place_end(&p);
}

/* It names its worker and dies: that is the worker. */
static void after_the_answer(void)
{
    place p = place_begin("die-after-answer", 1);
    ps_worker *first = smart_worker(&p), *second = smart_worker(&p);
    CHECK_INT(generation_of(first), 1);
    CHECK(generation_of(second) >= 1);
    end_worker(first);
    end_worker(second);
    place_end(&p);
}

static void twice(const char *mode)
{
    place p = place_begin(mode, 2);
    ps_error *error = spawn_refused(&p, PATIENCE_MS, PS_ERR_EXITED);
    says(error, "loads");
    ps_error_free(error);
    CHECK_INT(logged(&p, "command", NULL), 2);
    CHECK_INT(preloader_pid(&p), 0);
    ps_worker *worker = smart_worker(&p);
    CHECK_INT(generation_of(worker), 3);
    end_worker(worker);
    place_end(&p);
}

/* Killed while nobody asks. */
static void between(void)
{
    place p = place_begin("good", 0);
    end_worker(smart_worker(&p));
    CHECK(kill(preloader_pid(&p), SIGKILL) == 0);
    ps_worker *worker = smart_worker(&p);
    CHECK_INT(generation_of(worker), 2);
    end_worker(worker);
    place_end(&p);
}

/* Its socket is not where it was. */
static void moved(void)
{
    place p = place_begin("moved-socket", 1);
    end_worker(smart_worker(&p));
    ps_worker *worker = smart_worker(&p);
    CHECK_INT(generation_of(worker), 2);
    end_worker(worker);
    CHECK_OK(ps_preloader_stop(p.preloader, -1, NULL), NULL);
    place_end(&p);
}

int main(void)
{
    once("die-before-accept");
    once("die-after-accept");
    once("close");
    moved();
    twice("die-after-accept");
    after_the_answer();
    between();
}
