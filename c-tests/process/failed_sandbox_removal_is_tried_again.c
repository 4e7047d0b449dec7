/* A sandbox that cannot be removed at first (something is mounted in it) neither fails the reap nor is it forgotten. */
/* covers: EV-12 */
#include "harness.h"
#include "children.h"
#include <sys/mount.h>

int main(void)
{
    if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", "", MS_REC | MS_PRIVATE, "") != 0)
        SKIP("no mount namespace here");
    const char *dir = temp_dir();
    char inner[128];
    snprintf(inner, sizeof inner, "%s/mounted", dir);
    CHECK(mkdir(inner, 0700) == 0);
    if (mount("none", inner, "tmpfs", 0, NULL) != 0)
        SKIP("no tmpfs here");

    ps_error *error = NULL;
    ps_command *command = exiting("4");
    CHECK_OK(ps_command_sandbox_dir(command, dir, &error), error);
    ps_child *child = spawn_once(NULL, command);
    CHECK(reap(child).code == 4);
    CHECK(exists(dir));
    CHECK(ps_live_count() == 0);
    ps_child_free(child);

    CHECK(umount(inner) == 0);
    /* any later reap tries again */
    CHECK(wait_until((reap_and_free(spawn_once(NULL, exiting("0"))), !exists(dir)), 20000));
    CHECK(!exists(dir));
    return 0;
}
