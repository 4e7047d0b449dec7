/* A record of another boot whose lock is held, as in a directory that two machines share: somebody runs, and there is no second one. Where the lock is
   free the record is of before a reboot, and one is started. */
/* covers: C13-6 */
#include "once.h"

static ps_child *need(ps_command *command)
{
    ps_error *error = NULL;
    ps_child *child = NULL;
    CHECK_OK(ps_spawn_once(NULL, once_dir, ONCE_NAME, command, NULL, ONCE_WAIT, &child, &error), error);
    return child;
}

static void of_another_boot(void)
{
    char head[64];
    int fd = open(once_path(ONCE_NAME ".run"), O_RDWR | O_CLOEXEC);
    CHECK(fd >= 0);
    CHECK_INT(pread(fd, head, sizeof head, 0), sizeof head);
    CHECK(memcmp(head, "procsup once 1\nboot ", 20) == 0);
    memcpy(head + 20, "01234567", 8);
    CHECK_INT(pwrite(fd, head, sizeof head, 0), sizeof head);
    close(fd);
}

int main(void)
{
    ps_error *error = NULL;
    once_begin();
    ps_command *command = once_command("silent", NULL);
    ps_child *child = need(command);
    CHECK(child != NULL);
    CHECK(wait_until(once_starts() == 1, 20000));
    of_another_boot();
    CHECK(need(command) == NULL);
    CHECK_OK(ps_terminate(child, 0, NULL, &error), error);
    ps_child_free(child);
    of_another_boot();
    child = need(command);
    CHECK(child != NULL);
    CHECK(wait_until(once_starts() == 2, 20000));
    CHECK_OK(ps_terminate(child, 0, NULL, &error), error);
    ps_child_free(child);
    ps_command_free(command);
    once_end();
    return 0;
}
