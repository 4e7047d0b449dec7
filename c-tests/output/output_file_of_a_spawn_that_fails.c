/* A child that could not be made, or not be watched, leaves no file, whatever its policy: nothing was run that anybody knows of. */
#include "outputs.h"

static void nothing_there(ps_supervisor *supervisor)
{
    const char *dir = new_dir();
    for (int replace = 0; replace < 2; replace++) {
        ps_command *command = command_for("/no/such/program", NULL);
        to_file(command, in_dir(dir, "out"), replace);
        ps_error_free(spawn_fails(command, PS_ERR_NOT_FOUND));
        ps_command_free(command);
        CHECK_INT(entries(dir), 0);
    }
    ps_command *command = shell("echo said", NULL);
    to_file(command, in_dir(dir, "out"), PS_OUTPUT_REFUSE);
    refuse_call(SYS_epoll_ctl, 0, 0, ENOSPC); /* the limit of epoll watches of a user */
    ps_child *child = NULL;
    ps_error *error = NULL;
    CHECK(ps_spawn(supervisor, command, &child, &error) < 0);
    CHECK_STR(ps_error_step(error), "epoll_ctl");
    ps_error_free(error);
    CHECK_INT(entries(dir), 0);
    CHECK_INT(child_count(), 0);
    ps_command_free(command);
    remove_dir(dir);
}

static void nameless(void)
{
    nothing_there(supervisor_new());
}

static void with_a_hidden_name(void)
{
    without_nameless_files(EOPNOTSUPP);
    nothing_there(supervisor_new());
}

int main(void)
{
    in_forked_process(nameless);
    in_forked_process(with_a_hidden_name);
    return 0;
}
