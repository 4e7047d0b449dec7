/* The record says who runs, as text; the daemon has the lock as descriptor 99, and nothing else that its starter held. */
/* covers: C13-6 */
#include "once.h"

static char *contents(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    CHECK(fd >= 0);
    char *text = read_all(fd);
    close(fd);
    return text;
}

int main(void)
{
    ps_error *error = NULL;
    ps_child *child = NULL;
    int32_t pid = 0;
    char line[64], path[64], link[256];
    once_begin();
    ps_command *command = once_command(NULL);
    CHECK_OK(once_start(command, ONCE_WAIT, &child, &error), error);
    CHECK(child != NULL);
    CHECK_OK(ps_child_pid(child, &pid, &error), error);
    char *text = contents(once_path(ONCE_NAME ".run"));
    snprintf(line, sizeof line, "\npid %010d\n", pid);
    CHECK(strncmp(text, "procsup once 1\nboot ", 20) == 0);
    CHECK(strstr(text, line) != NULL);
    snprintf(line, sizeof line, "\nstat %d (", pid);
    CHECK(strstr(text, line) != NULL);
    free(text);
    /* What the daemon holds: three streams, its lock, its listener. */
    int others = 0;
    for (int fd = 3; fd < 256; fd++) {
        snprintf(path, sizeof path, "/proc/%d/fd/%d", pid, fd);
        ssize_t length = readlink(path, link, sizeof link - 1);
        if (length < 0)
            continue;
        link[length] = 0;
        if (fd == 99)
            CHECK_STR(link, once_path(ONCE_NAME ".run"));
        else if (strncmp(link, "socket:", 7) != 0)
            others++;
    }
    CHECK_INT(others, 0);
    CHECK_OK(ps_terminate(child, 0, NULL, &error), error);
    ps_child_free(child);
    ps_command_free(command);
    once_end();
    return 0;
}
