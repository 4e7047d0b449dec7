/* Faults in a direct spawn: the session's directory, the process in it, the handshake, what is read back, and the end of all. Whatever fails, the worker is
   ready, or there is a typed error; and nothing is left of it, its directories included. */
/* variants: only tier-fork: how a child is made in between is swept by spawn_plain and spawn_reap */
/* share: 61 */
#include "scenario.h"

#include "direct.h"

/* What the worker has written could not be read: that is told as something wrong with it. */
static bool is_unread(ps_status status, ps_error **error)
{
    if (status != PS_ERR_PROTOCOL || !getenv("PROCSUP_TEST_FAULT"))
        return false;
    inject_end();
    CHECK(says(*error, "be read: ") || says(*error, "be looked at: ") || says(*error, "is a mount") || says(*error, "by this process: "));
    ps_error_free(*error);
    *error = NULL;
    return true;
}

/* Whatever was left to later calls is done by those of a supervisor. */
static void look(void)
{
    ps_supervisor *supervisor = supervisor_new();
    ps_event event = {.size = sizeof event};
    CHECK_STATUS(ps_supervisor_next_event(supervisor, 0, &event, NULL), PS_PENDING);
    ps_supervisor_free(supervisor);
}

static void come_and_go(ps_command *command)
{
    ps_error *error = NULL;
    ps_worker *worker = NULL;
    ps_child *child = NULL;
    ps_exit end = {.size = sizeof end};
    ps_status status = ps_spawn_direct(NULL, command, 20000, &worker, &error);
    if (is_unread(status, &error))
        return;
    if (worked(status, &error)) {
        if (worked(ps_worker_child(worker, &child, &error), &error)) {
            worked(ps_terminate(child, 0, &end, &error), &error);
            ps_child_free(child);
        }
        ps_worker_free(worker);
    }
}

/* More at once than there will be, so that the tables of the supervisor have grown as far as they ever do here. */
static void several(ps_command *command)
{
    ps_worker *workers[3];
    for (int i = 0; i < 3; i++)
        workers[i] = direct(NULL, command);
    for (int i = 0; i < 3; i++)
        end(workers[i]);
}

int main(int argc, char **argv)
{
    ps_command *command = serving();
    if (geteuid() == 0) { /* so that everything is given away */
        CHECK(chmod(apps_dir(), 0755) == 0);
        say_argument(command, "user", "nobody");
    }
    scenario_keeps(3); /* what could not be removed at once, as the time falls */
    scenario_asks_for_users();
    scenario_faults("write ENOSPC EDQUOT EIO");
    scenario_faults("openat ENOSPC EROFS EIO");
    scenario_faults("getdents64 EIO EACCES");
    scenario_faults("openat2 EIO EXDEV");
    if (!(argc > 1 && strcmp(argv[1], "cold") == 0))
        several(command);
    look();
    scenario_begin(argc, argv);
    come_and_go(command);
    inject_end();
    look();
    CHECK(wait_until(apps_dir_is_empty(), 10000));
    scenario_end();
    ps_command_free(command);
    return 0;
}
