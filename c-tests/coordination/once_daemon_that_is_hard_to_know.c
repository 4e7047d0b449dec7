/* A daemon that has let its lock go is known whatever it has made of itself: a name that is no text, a new program in the same process, a first thread
   that has ended while another goes on. Also where pidfds have no inodes of their own (before Linux 6.9), and only /proc tells of it. */
/* covers: C13-6 */
#include "once.h"

static void without_inode(void)
{
    char text[1024];
    int fd = open(once_path(ONCE_NAME ".run"), O_RDWR | O_CLOEXEC);
    CHECK(fd >= 0);
    ssize_t length = pread(fd, text, sizeof text - 1, 0);
    CHECK(length > 0);
    text[length] = 0;
    memset(strstr(text, "\npidfs ") + 7, '0', 16);
    CHECK_INT(pwrite(fd, text, (size_t)length, 0), length);
    close(fd);
}

static void check(const char *kind)
{
    ps_error *error = NULL;
    ps_child *child = NULL, *other = NULL;
    pid_t pid = 0;
    ps_command *command = once_command("close-all", kind, NULL);
    CHECK_OK(once_start(command, ONCE_WAIT, &child, &error), error);
    CHECK(child != NULL);
    CHECK_INT(once_read(once_log, &pid, 1), 1);
    CHECK(!once_is_locked(ONCE_NAME ".run"));
    for (int look = 0; look < 2; look++) {
        CHECK_OK(ps_spawn_once(NULL, once_dir, ONCE_NAME, command, NULL, ONCE_WAIT, &other, &error), error);
        if (other)
            harness_fail(__FILE__, __LINE__, "%s, %s: a second one was started", kind, look ? "by its start time" : "by its pidfd");
        without_inode();
    }
    /* And its end is seen. */
    kill(pid, SIGKILL);
    CHECK_OK(ps_reap(child, 20000, NULL, &error), error);
    ps_child_free(child);
    CHECK_OK(once_start(command, ONCE_WAIT, &child, &error), error);
    CHECK(child != NULL);
    CHECK_OK(ps_terminate(child, 0, NULL, &error), error);
    ps_child_free(child);
    ps_command_free(command);
    once_clear();
}

int main(void)
{
    once_begin();
    check("name");
    check("exec");
    check("first-ends");
    once_end();
    return 0;
}
