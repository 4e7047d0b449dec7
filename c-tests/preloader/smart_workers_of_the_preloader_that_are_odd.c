/* Workers that exit early, never open their streams, say that they fail, close their output, have been written for by their preloader, or have
   lost their parent; and a preloader that is slow, answers more than asked for, or floods its output. */
/* covers: PA-55, PA-82, PA-87, PA-88, P-b3, P-b5, P-b18, D-2, C14-3 */
/* variants: few */
#include "smart.h"

static void fails(const char *mode, int64_t timeout_ms, ps_status expected)
{
    place p = place_begin(mode, 1);
    ps_error_free(spawn_refused(&p, timeout_ms, expected));
    end_worker(smart_worker(&p));
    CHECK_INT(preloader_generation(&p), 1);
    place_end(&p);
}

static void goes(const char *mode)
{
    place p = place_begin(mode, 1);
    end_worker(smart_worker(&p));
    end_worker(smart_worker(&p));
    CHECK_INT(preloader_generation(&p), 1);
    place_end(&p);
}

int main(void)
{
    fails("exits-early", PATIENCE_MS, PS_ERR_EXITED);
    fails("never-opens", 400 * slowness(), PS_ERR_TIMEOUT);
    fails("fails", PATIENCE_MS, PS_ERR_ABORTED);
    goes("closes-output");
    goes("parent-writes");
    goes("orphan");
    goes("slow");
    goes("flood");
    place p = place_begin("twice", 1);
    end_worker(smart_worker(&p));
    place_end(&p);
}
