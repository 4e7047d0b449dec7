/* A sandbox that cannot be removed (something is mounted in it): the record says so, and the event of the exit, also of a child with a restart
   policy. The rest of it is removed, no spawn pays for another try, and later calls make it when it can be. */
/* covers: F17, EV-12, LAW-12 */
#include "harness.h"
#include "supervising.h"
#include <sys/mount.h>

static char dir[64], inner[128], file[128];

static void hinder(void)
{
    CHECK(mkdir(dir, 0700) == 0 || errno == EEXIST);
    CHECK(mkdir(inner, 0700) == 0);
    if (mount("none", inner, "tmpfs", 0, NULL) != 0)
        SKIP("no tmpfs here");
    char kept[160];
    snprintf(kept, sizeof kept, "%s/kept", inner);
    write_file(kept, "x", 0600);
    write_file(file, "x", 0600);
}

static void check_told(ps_exit end)
{
    char kept[160];
    CHECK_INT(end.removal, PS_ERR_SYSTEM);
    CHECK_INT(end.removal_errno, EBUSY);
    snprintf(kept, sizeof kept, "%s/kept", inner);
    CHECK(exists(kept)); /* what is mounted is not entered */
    CHECK(!exists(file));
}

int main(void)
{
    if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", "", MS_REC | MS_PRIVATE, "") != 0)
        SKIP("no mount namespace here");
    strcpy(dir, temp_dir());
    snprintf(inner, sizeof inner, "%s/mounted", dir);
    snprintf(file, sizeof file, "%s/zfile", dir);
    ps_supervisor *supervisor = supervisor_new();
    ps_error *error = NULL;

    for (int restarts = 0; restarts < 2; restarts++) {
        hinder();
        ps_command *command = exiting("0");
        CHECK_OK(ps_command_sandbox_dir(command, dir, &error), error);
        if (restarts)
            restarting(command, PS_RESTART_ON_FAILURE, 0, 0);
        ps_child *child = spawn_once(supervisor, command);
        take_event(supervisor, PS_EVENT_STARTED);
        ps_event event = take_event(supervisor, PS_EVENT_EXITED);
        CHECK_INT(event.status, PS_ERR_SYSTEM);
        CHECK_INT(event.exit.code, 0);
        check_told(event.exit);
        ps_exit end = reap(child);
        CHECK_INT(end.code, 0);
        check_told(end);
        ps_child_free(child);

        CHECK(umount(inner) == 0);
        ps_child *others[20];
        for (int i = 0; i < 20; i++)
            others[i] = spawn_once(NULL, exiting("0"));
        CHECK(exists(dir));
        for (int i = 0; i < 20; i++)
            reap_and_free(others[i]);
        ps_event none = {.size = sizeof none};
        CHECK(wait_until((ps_supervisor_next_event(supervisor, 20, &none, NULL), !exists(dir)), 20000));
    }
    ps_supervisor_free(supervisor);
    return 0;
}
