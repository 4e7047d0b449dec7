/* A worker that ends before it is ready, and whose copy keeps its channel open, is told of at once: by the default supervisor, and by another one. */
/* covers: C15-1, P8 */
/* variants: few */
#include "native_app.h"

/* The default supervisor keeps what it measures time with. */
static void make_its_timer(void)
{
    ps_error *error = NULL;
    ps_command *command = NULL;
    ps_child *child = NULL;
    CHECK_OK(ps_command_new("/bin/true", &command, &error), error);
    CHECK_OK(ps_command_deadline(command, PATIENCE_MS, &error), error);
    CHECK_OK(ps_spawn(NULL, command, &child, &error), error);
    CHECK_OK(ps_reap(child, PATIENCE_MS, NULL, &error), error);
    ps_child_free(child);
    ps_command_free(command);
}

int main(void)
{
    make_its_timer();
    place p = app_begin("how=sibling", "worker=heir", NULL);
    ps_supervisor *own = p.supervisor;
    for (int i = 0; i < 2; i++) {
        p.supervisor = i == 0 ? own : NULL;
        ps_error *error = spawn_refused(&p, PATIENCE_MS, PS_ERR_EXITED);
        says(error, "exit code 7");
        ps_error_free(error);
    }
    p.supervisor = own;
    place_end(&p);
}
