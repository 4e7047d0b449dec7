/* What has the name of the lock file need not be one: a hard link to any file of this user's (fs.protected_hardlinks=0 lets anybody put it
   there), somebody's notes, a link, a fifo. It is refused, neither locked nor written; an empty file, and zeros that a crash of the machine
   has left, are taken. */
/* covers: F24, LAW-17 */
#include "harness.h"
#include "handoff.h"

#include <sys/file.h>

static char victim[96];

static void refused(ps_status expected, const char *words)
{
    ps_handoff *handoff = NULL;
    ps_error *error = NULL;
    CHECK_ERROR(ps_handoff_new(stage.path, &handoff, &error), expected, &error);
    if (!strstr(ps_error_message(error), words) || !strstr(ps_error_message(error), stage.lock))
        harness_fail(__FILE__, __LINE__, "the message says neither %s nor where: %s", words, ps_error_message(error));
    ps_error_free(error);
    CHECK(!exists(stage.path));
}

static void check_content(const char *path, const char *expected)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    CHECK(fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0);
    char *text = read_all(fd);
    CHECK_STR(text, expected);
    free(text);
    close(fd);
}

static void is_used(void)
{
    ps_handoff *handoff = NULL;
    ps_error *error = NULL;
    CHECK_OK(ps_handoff_new(stage.path, &handoff, &error), error);
    ps_handoff_free(handoff);
    int fd = open(stage.lock, O_RDONLY | O_CLOEXEC);
    CHECK(fd >= 0);
    char *text = read_all(fd);
    CHECK(strncmp(text, "procsup handoff ", 16) == 0);
    free(text);
    close(fd);
    CHECK(unlink(stage.lock) == 0);
}

int main(void)
{
    char zeros[256] = {0};
    stage_begin();
    warm_up();
    leak_guard guard = leak_guard_begin();

    snprintf(victim, sizeof victim, "%s/victim", stage.dir);
    write_file(victim, "precious", 0600);
    CHECK(link(victim, stage.lock) == 0);
    refused(PS_ERR_PERMISSION, "hard links");
    check_content(victim, "precious");
    /* an empty one is no less another program's: it may be a lock file, too */
    CHECK(truncate(victim, 0) == 0);
    refused(PS_ERR_PERMISSION, "hard links");
    check_content(victim, "");
    CHECK(unlink(stage.lock) == 0);

    write_file(stage.lock, "4711\n", 0600);
    refused(PS_ERR_INVALID_ARGUMENT, "no lock file");
    check_content(stage.lock, "4711\n");
    CHECK(unlink(stage.lock) == 0);

    CHECK(symlink(victim, stage.lock) == 0);
    refused(PS_ERR_PERMISSION, "no regular file");
    check_content(victim, "");
    CHECK(unlink(stage.lock) == 0);

    CHECK(mkfifo(stage.lock, 0600) == 0);
    refused(PS_ERR_PERMISSION, "no regular file");
    CHECK(unlink(stage.lock) == 0);

    write_file(stage.lock, "", 0600);
    is_used();
    int fd = open(stage.lock, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    CHECK(fd >= 0 && write(fd, zeros, sizeof zeros) == sizeof zeros);
    close(fd);
    is_used();
    leak_guard_end(&guard);
    CHECK(unlink(victim) == 0);
    stage_end();
    return 0;
}
