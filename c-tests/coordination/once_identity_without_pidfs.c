/* Where pidfds have no inodes of their own (before Linux 6.9) the start time in the record tells that it is the daemon that runs; where not even
   that is there, the lock does. */
/* covers: C13-6 */
#include "once.h"

static void patch(const char *after, char fill, size_t count)
{
    char text[1024];
    int fd = open(once_path(ONCE_NAME ".run"), O_RDWR | O_CLOEXEC);
    CHECK(fd >= 0);
    ssize_t length = pread(fd, text, sizeof text - 1, 0);
    CHECK(length > 0);
    text[length] = 0;
    char *at = strstr(text, after) + strlen(after);
    memset(at, fill, count);
    CHECK_INT(pwrite(fd, text, (size_t)length, 0), length);
    close(fd);
}

static ps_child *need(ps_command *command)
{
    ps_error *error = NULL;
    ps_child *child = NULL;
    CHECK_OK(ps_spawn_once(NULL, once_dir, ONCE_NAME, command, NULL, ONCE_WAIT, &child, &error), error);
    return child;
}

int main(void)
{
    ps_error *error = NULL;
    once_begin();
    ps_command *command = once_command("close-all", "silent", NULL);
    ps_child *child = need(command);
    CHECK(child != NULL);
    CHECK(wait_until(!once_is_locked(ONCE_NAME ".run"), 20000));
    patch("\npidfs ", '0', 16);
    CHECK(need(command) == NULL);
    CHECK_OK(ps_terminate(child, 0, NULL, &error), error);
    ps_child_free(child);
    ps_command_free(command);

    command = once_command("silent", NULL);
    child = need(command);
    CHECK(child != NULL);
    patch("\npidfs ", '0', 16);
    patch("\nstat ", ' ', 100);
    CHECK(need(command) == NULL);
    CHECK_OK(ps_terminate(child, 0, NULL, &error), error);
    ps_child_free(child);
    child = need(command);
    CHECK(child != NULL);
    CHECK_OK(ps_terminate(child, 0, NULL, &error), error);
    ps_child_free(child);
    ps_command_free(command);
    once_end();
    return 0;
}
