/* Where files must have a name, the output has a hidden one beside its target, and it is gone after every kind of end: success, refusal,
   failure, a stop, an exec that fails, a command that contradicts itself. Every answer by which file systems and old kernels say "no". */
/* covers: SC-11 */
#include "outputs.h"

static int refusal;

static ps_command *with_file(const char *script, const char *dir, int32_t if_exists)
{
    ps_command *command = shell(script, NULL);
    to_file(command, in_dir(dir, "out"), if_exists);
    return command;
}

static void hidden_name_goes(void)
{
    ps_error *error = NULL;
    warm_up();
    leak_guard guard = leak_guard_begin();
    without_nameless_files(refusal);
    const char *dir = new_dir();

    ps_command *command = with_file("echo said; echo ready >&2; read go", dir, PS_OUTPUT_REFUSE);
    set_stdio(command, 0, PS_STDIO_PIPE, -1);
    set_stdio(command, 2, PS_STDIO_PIPE, -1);
    ps_child *child = spawn_once(NULL, command);
    await_ready(child);
    CHECK(!exists(in_dir(dir, "out")));
    DIR *open_dir = opendir(dir);
    int hidden = 0;
    for (struct dirent *entry; (entry = readdir(open_dir));)
        if (strncmp(entry->d_name, ".out.procsup-", 13) == 0) {
            CHECK_INT(mode_of(in_dir(dir, entry->d_name)), 0600);
            hidden++;
        }
    closedir(open_dir);
    CHECK_INT(hidden, 1);
    CHECK_INT(entries(dir), 1);
    close(pipe_end(child, 0));
    reap(child);
    CHECK_INT(entries(dir), 1);
    CHECK(content_is(in_dir(dir, "out"), "said\n"));
    ps_child_free(child);

    command = with_file("echo said", dir, PS_OUTPUT_REFUSE);
    ps_error_free(spawn_fails(command, PS_ERR_OUTPUT_EXISTS));
    ps_command_free(command);
    CHECK_INT(entries(dir), 1);
    reap_and_free(spawn_once(NULL, with_file("echo again", dir, PS_OUTPUT_REPLACE)));
    CHECK(content_is(in_dir(dir, "out"), "again\n"));
    CHECK_INT(unlink(in_dir(dir, "out")), 0);

    command = with_file("exit 3", dir, PS_OUTPUT_REPLACE);
    drop_on_failure(command);
    reap_and_free(spawn_once(NULL, command));
    CHECK_INT(entries(dir), 0);

    command = with_file("read never", dir, PS_OUTPUT_REPLACE);
    set_stdio(command, 0, PS_STDIO_PIPE, -1);
    drop_on_failure(command);
    child = spawn_once(NULL, command);
    CHECK_INT(entries(dir), 1);
    CHECK_INT(terminate(child, 10000).signal, SIGTERM);
    CHECK_INT(entries(dir), 0);
    ps_child_free(child);

    for (int replace = 0; replace < 2; replace++) {
        command = command_for(in_dir(dir, "no-such-program"), NULL);
        to_file(command, in_dir(dir, "out"), replace);
        ps_error_free(spawn_fails(command, PS_ERR_NOT_FOUND));
        CHECK_INT(entries(dir), 0);
        ps_command_free(command);
    }
    command = with_file("echo said", dir, PS_OUTPUT_REFUSE);
    set_stdio(command, 1, PS_STDIO_NULL, -1);
    error = spawn_fails(command, PS_ERR_INVALID_ARGUMENT);
    CHECK_STR(ps_error_step(error), "output_file");
    ps_error_free(error);
    CHECK_INT(entries(dir), 0);
    ps_command_free(command);
    leak_guard_end(&guard);
    remove_dir(dir);
}

int main(void)
{
    static const int refusals[] = {EOPNOTSUPP, EISDIR, ENOENT, EINVAL, ENOSYS};
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        refusal = refusals[i];
        in_forked_process(hidden_name_goes);
    }
    return 0;
}
