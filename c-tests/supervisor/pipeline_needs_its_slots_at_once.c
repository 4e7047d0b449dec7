/* A pipeline never stands in line: without a slot for each, or with others before it, it is refused as a whole, and nobody is held up by it. */
/* variants: none */
#include "harness.h"
#include "piping.h"

int main(void)
{
    warm_up();
    static event_log log;
    ps_error *error = NULL;
    ps_child *child[3], *held;
    ps_supervisor *supervisor = new_supervisor(3);
    fd_of(supervisor);
    ps_command *command = name_it(pausing(), 1);
    const ps_command *commands[] = {command, command, command, command};
    error = pipeline_fails(supervisor, commands, 4, PS_ERR_LIMIT);
    CHECK_STR(ps_error_step(error), "pipeline");
    CHECK(strstr(ps_error_message(error), "never") != NULL);
    ps_error_free(error);
    CHECK_COUNTS(supervisor, 0, 0, 0);

    held = spawn(supervisor, command);
    error = pipeline_fails(supervisor, commands, 3, PS_ERR_LIMIT);
    CHECK(strstr(ps_error_message(error), "1 of 3") != NULL);
    ps_error_free(error);
    error = NULL;
    CHECK_OK(ps_spawn_pipeline(supervisor, commands, 2, child, &error), error); /* two are free */
    CHECK_COUNTS(supervisor, 0, 3, 0);

    ps_child *waits = spawn(supervisor, command);
    limit_running(supervisor, 7); /* it has not been started yet: nobody has done any work */
    ps_error_free(pipeline_fails(supervisor, commands, 3, PS_ERR_LIMIT));
    take_until(supervisor, &log, PS_EVENT_STARTED, 1, 4);
    ps_child *more[3];
    CHECK_OK(ps_spawn_pipeline(supervisor, commands, 3, more, &error), error);
    CHECK_COUNTS(supervisor, 0, 7, 0);
    ps_supervisor_free(supervisor);
    CHECK(has_no_child());
    free_all(child, 2);
    free_all(more, 3);
    ps_child_free(held);
    ps_child_free(waits);
    ps_command_free(command);
    return 0;
}
