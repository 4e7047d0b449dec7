/* So many workers in a row die before they are ready, and nothing is forked any more, until the preloader is reloaded; one that gets ready begins the row anew. */
/* covers: C15-2, FS-16, CO-pitchfork-79 */
/* variants: none: it is about who is born when */
#include "pool.h"

int main(void)
{
    place p = native_begin("die-at-work", 4);
    ps_error *error = NULL;
    CHECK_OK(ps_preloader_set_limits(p.preloader, 0, 2, &error), error);
    for (int i = 0; i < 2; i++)
        ps_error_free(spawn_refused(&p, PATIENCE_MS, PS_ERR_EXITED));
    for (int i = 0; i < 2; i++) {
        error = spawn_refused(&p, PATIENCE_MS, PS_ERR_STATE);
        says(error, "2 workers in a row");
        ps_error_free(error);
        error = NULL;
    }
    CHECK_INT(logged(&p, "command", NULL), 2);
    CHECK_OK(ps_preloader_reload(p.preloader, &error), error);
    ps_error_free(spawn_refused(&p, PATIENCE_MS, PS_ERR_EXITED));
    CHECK_OK(ps_preloader_set_limits(p.preloader, 0, 3, &error), error);
    ps_error_free(spawn_refused(&p, PATIENCE_MS, PS_ERR_EXITED));
    CHECK_INT(logged(&p, "command", NULL), 4);
    ps_worker *worker = smart_worker(&p);
    CHECK_INT(generation_of(worker), 2);
    end_native(worker);
    place_end(&p);
}
