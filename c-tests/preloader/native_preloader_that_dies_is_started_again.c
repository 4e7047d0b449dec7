/* A request is the host's until it is answered: a preloader that dies over it is started once more, and asked once more; one that dies again is an error, and
   is started again by the next spawn. */
/* covers: C15-2, CO-puma-3596, CO-spring-60 */
/* variants: few */
#include "native.h"

static void once(const char *mode)
{
    place p = native_begin(mode, 1);
    ps_worker *worker = smart_worker(&p);
    CHECK_INT(generation_of(worker), 2);
    CHECK_INT(logged(&p, "preloader", NULL), 2);
    CHECK_INT(logged(&p, "command", NULL), 2);
    end_native(worker);
    place_end(&p);
}

static void twice(void)
{
    place p = native_begin("die", 2);
    ps_error *error = spawn_refused(&p, PATIENCE_MS, PS_ERR_EXITED);
    says(error, "has died over it again");
    says(error, "loads die");
    ps_error_free(error);
    CHECK_INT(logged(&p, "command", NULL), 2);
    CHECK_INT(preloader_pid(&p), 0);
    ps_worker *worker = smart_worker(&p);
    CHECK_INT(generation_of(worker), 3);
    end_native(worker);
    place_end(&p);
}

/* It has forked, and is killed before it could say so: the newborn says it itself, or finds its gate shut. */
static void after_the_clone(void)
{
    place p = native_begin("die-after-clone", 1);
    ps_worker *worker = smart_worker(&p);
    CHECK(generation_of(worker) <= 2);
    end_native(worker);
    place_end(&p);
}

/* Killed while nobody asks: its workers live on. */
static void between(const char *mode)
{
    place p = native_begin(mode, 0);
    ps_worker *first = smart_worker(&p);
    CHECK(kill(preloader_pid(&p), SIGKILL) == 0);
    ps_worker *second = smart_worker(&p);
    CHECK_INT(generation_of(second), 2);
    CHECK(!is_gone(info_of(first).pid));
    end_native(first);
    end_native(second);
    place_end(&p);
}

int main(void)
{
    once("die");
    once("leave");
    once("end");
    twice();
    after_the_clone();
    between("ok");
    if (can_keep_strangers())
        between("libc");
}
