/* Faults while output goes to a file: one that must not be there, and one that is replaced. Whatever fails, the target is the old one
   or the new one, nothing else is left in the directory, and no child is lost. (output_file_named.c: the same where files need
   a name.) */
/* variants: none */
/* share: 5 */
#include "outputs.h"
#include "scenario.h"

static const char *dir;

/* Whether the file was put in place. Looks at nothing by itself: the test's own calls must not be hit by the faults. */
static bool published(ps_child *child)
{
    ps_error *error = NULL;
    ps_exit ended = {.size = sizeof ended};
    bool there = worked(ps_reap(child, 20000, &ended, &error), &error);
    if (!there) { /* either the wait failed, then it is as it was, or the file did: then that is the answer for good */
        there = worked(ps_reap(child, 20000, &ended, &error), &error);
        CHECK_INT(there, worked(ps_reap(child, 20000, &ended, &error), &error));
        CHECK_INT(state_of(child), PS_STATE_EXITED);
    }
    CHECK(!there || (ended.kind == PS_EXIT_EXITED && ended.code == 0));
    return there;
}

static void target_is(const char *name, const char *expected)
{
    if (expected)
        CHECK(content_is(in_dir(dir, name), expected));
    else
        CHECK(!exists(in_dir(dir, name)));
}

int main(int argc, char **argv)
{
    ps_error *error = NULL;
    ps_child *refusing = NULL, *replacing = NULL;
    ps_supervisor *supervisor = NULL;
    ps_command *refuse = shell("echo said", NULL), *replace = shell("echo said", NULL);
    dir = new_dir();
    write_file(in_dir(dir, "replaced"), "old", 0644);
    to_file(refuse, in_dir(dir, "refused"), PS_OUTPUT_REFUSE);
    to_file(replace, in_dir(dir, "replaced"), PS_OUTPUT_REPLACE);
    scenario_faults("openat ENOSPC EDQUOT EIO EROFS ENOENT");
    scenario_faults("statx EIO ENOENT");
    scenario_faults("epoll_ctl EINTR");
    scenario_faults("fcntl EAGAIN");
#ifdef FILES_NEED_A_NAME
    without_nameless_files(EOPNOTSUPP);
#endif

    scenario_begin(argc, argv);
    bool first = worked(ps_spawn(NULL, refuse, &refusing, &error), &error) && published(refusing);
    bool spawned = worked(ps_supervisor_new(&supervisor, &error), &error);
    spawned = spawned && worked(ps_spawn(supervisor, replace, &replacing, &error), &error);
    ps_event event = {.size = sizeof event};
    for (int turn = 0; spawned && event.kind != PS_EVENT_EXITED && turn < 20; turn++)
        worked(ps_supervisor_next_event(supervisor, 5000, &event, &error), &error);
    bool second = spawned && published(replacing);
    ps_child_free(refusing);
    ps_child_free(replacing);
    ps_supervisor_free(supervisor);
    scenario_end();

    if (spawned) {
        CHECK_INT(event.kind, PS_EVENT_EXITED);
        CHECK(event.exit.kind == PS_EXIT_EXITED && event.exit.code == 0);
        CHECK_INT(event.status == PS_OK, second);
    }
    target_is("refused", first ? "said\n" : NULL);
    target_is("replaced", second ? "said\n" : "old");
    CHECK(!first || mode_of(in_dir(dir, "refused")) == 0600);
    CHECK(!second || mode_of(in_dir(dir, "replaced")) == 0600);
    CHECK(entries(dir) == 1 + first || scenario_injected("unlinkat", NULL));
    ps_command_free(refuse);
    ps_command_free(replace);
    remove_dir(dir);
    return 0;
}
