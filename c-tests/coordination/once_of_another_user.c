/* Files of another user are not trusted, nor is a directory of his, not even by root; in one that is everybody's and sticky, whoever comes first has
   the name. */
/* covers: C13-6, LAW-17 */
/* as-root */
#include "once.h"

static int ask_as_nobody(void *expected)
{
    ps_child *child = NULL;
    CHECK_INT(setgid(65534), 0);
    CHECK_INT(setuid(65534), 0);
    ps_command *command = once_command("silent", NULL);
    CHECK_STATUS(ps_spawn_once(NULL, once_dir, ONCE_NAME, command, NULL, 1000, &child, NULL), *(ps_status *)expected);
    ps_kill_and_reap_all(20000, NULL);
    return 0;
}

int main(void)
{
    ps_child *child = NULL;
    ps_status expected = PS_ERR_PERMISSION;
    if (geteuid() != 0)
        SKIP("only root can be two users");
    once_begin();
    ps_command *command = once_command("silent", NULL);
    /* Root's directory, in which others may not write. */
    CHECK_INT(chmod(once_dir, 0755), 0);
    CHECK_INT(once_join(once_fork(ask_as_nobody, &expected)), 0);
    /* A user's own, and root in it. */
    CHECK_INT(chown(once_dir, 65534, 65534), 0);
    CHECK_STATUS(ps_spawn_once(NULL, once_dir, ONCE_NAME, command, NULL, 1000, &child, NULL), PS_ERR_PERMISSION);
    CHECK(access(once_path(ONCE_NAME ".lock"), F_OK) != 0);
    /* Everybody's: root was first, ... */
    CHECK_INT(chown(once_dir, 0, 0), 0);
    CHECK_INT(chmod(once_dir, 01777), 0);
    CHECK_STATUS(ps_spawn_once(NULL, once_dir, ONCE_NAME, command, NULL, ONCE_WAIT, &child, NULL), PS_OK);
    CHECK(child != NULL);
    ps_kill_and_reap_all(20000, NULL);
    CHECK_INT(once_join(once_fork(ask_as_nobody, &expected)), 0);
    /* ... or the lock is, and the record is not. */
    CHECK_INT(unlink(once_path(ONCE_NAME ".lock")), 0);
    CHECK_INT(once_join(once_fork(ask_as_nobody, &expected)), 0);
    CHECK_INT(chown(once_path(ONCE_NAME ".run"), 65534, 65534), 0);
    CHECK_INT(unlink(once_path(ONCE_NAME ".lock")), 0);
    CHECK_STATUS(ps_spawn_once(NULL, once_dir, ONCE_NAME, command, NULL, 1000, &child, NULL), PS_ERR_PERMISSION);
    ps_command_free(command);
    once_end();
    return 0;
}
