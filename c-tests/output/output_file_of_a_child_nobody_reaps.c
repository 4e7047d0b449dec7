/* However a child's end is taken notice of, its file is put in place: after ps_kill_and_reap_all by the next call, after ps_child_free by a
   later one, by ps_supervisor_free itself. */
#include "outputs.h"

static ps_command *says(const char *script, const char *path)
{
    ps_command *command = shell(script, NULL);
    set_stdio(command, 2, PS_STDIO_PIPE, -1);
    to_file(command, path, PS_OUTPUT_REFUSE);
    return command;
}

static int spawned_and_there(const char *path)
{
    warm_up();
    return exists(path);
}

static void in_every_way(void)
{
    const char *dir = new_dir();
    const char *killed = in_dir(dir, "killed"), *freed = in_dir(dir, "freed"), *closed = in_dir(dir, "closed");
    ps_command *command = says("echo said; echo ready >&2; exec sleep 1000", killed);
    ps_child *child = spawn_once(NULL, command);
    await_ready(child);
    CHECK_STATUS(ps_kill_and_reap_all(20000, NULL), PS_OK);
    CHECK_INT(reap(child).cause, PS_CAUSE_KILL_ALL);
    CHECK(content_is(killed, "said\n"));
    ps_child_free(child);

    child = spawn_once(NULL, says("echo said", freed));
    ps_child_free(child);
    CHECK(wait_until(spawned_and_there(freed), 20000));
    CHECK(content_is(freed, "said\n"));

    ps_supervisor *supervisor = supervisor_new();
    child = spawn_once(supervisor, says("echo said; echo ready >&2; exec sleep 1000", closed));
    await_ready(child);
    ps_supervisor_free(supervisor);
    CHECK(content_is(closed, "said\n"));
    CHECK_INT(reap(child).cause, PS_CAUSE_SHUTDOWN);
    ps_child_free(child);
    CHECK_INT(entries(dir), 3);
    remove_dir(dir);
}

static void without_nameless(void)
{
    without_nameless_files(EOPNOTSUPP);
    in_every_way();
}

int main(void)
{
    in_every_way();
    in_forked_process(without_nameless);
    return 0;
}
