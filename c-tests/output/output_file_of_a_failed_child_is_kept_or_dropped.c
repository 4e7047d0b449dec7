/* Output of a child that failed (by itself, by a signal, stopped, too late) appears all the same, or never, as its command says. */
/* covers: SC-11 */
#include "outputs.h"

enum how { CODE_3, SIGNAL, STOPPED, TOO_LATE, WAYS };

static void ended(enum how how, bool drop, int32_t if_exists)
{
    static const char *const scripts[] = {"echo said; exit 3", "echo said; kill -9 $$", "echo said; echo ready >&2; read never",
                                          "read never"};
    const char *dir = new_dir();
    const char *path = in_dir(dir, "out");
    ps_error *error = NULL;
    ps_command *command = shell(scripts[how], NULL);
    set_stdio(command, 0, PS_STDIO_PIPE, -1);
    set_stdio(command, 2, PS_STDIO_PIPE, -1);
    to_file(command, path, if_exists);
    if (drop)
        drop_on_failure(command);
    if (how == TOO_LATE)
        CHECK_OK(ps_command_deadline(command, 50, &error), error);
    ps_child *child = spawn_once(NULL, command);
    if (if_exists == PS_OUTPUT_REPLACE)
        write_file(path, "old\n", 0600);
    if (how == STOPPED)
        await_ready(child);
    ps_exit end = how == STOPPED ? terminate(child, 10000) : reap(child);
    CHECK_INT(end.code, how == CODE_3 ? 3 : -1);
    CHECK_INT(end.cause, how == STOPPED ? PS_CAUSE_STOP : how == TOO_LATE ? PS_CAUSE_DEADLINE : PS_CAUSE_SELF);
    CHECK_INT(reap(child).kind, end.kind);

    if (!drop)
        CHECK(content_is(path, how == TOO_LATE ? "" : "said\n"));
    else if (if_exists == PS_OUTPUT_REPLACE)
        CHECK(content_is(path, "old\n"));
    CHECK_INT(entries(dir), !drop || if_exists == PS_OUTPUT_REPLACE);
    ps_child_free(child);
    remove_dir(dir);
}

int main(void)
{
    for (int how = 0; how < WAYS; how++)
        for (int drop = 0; drop < 2; drop++)
            for (int replace = 0; replace < 2; replace++)
                ended((enum how)how, drop, replace);
    return 0;
}
