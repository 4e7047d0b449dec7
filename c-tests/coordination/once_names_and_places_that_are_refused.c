/* Names that lead elsewhere, directories in which others can write, files that are not what they should be, addresses that are none, and commands that
   tie their child to this process are refused, each with its status; nothing is started, and nothing is written. */
/* covers: C13-6, LAW-17 */
#include "once.h"

static ps_status ask(const char *dir, const char *name, const ps_command *command, const char *address)
{
    ps_child *child = (ps_child *)&once_dir;
    ps_status status = ps_spawn_once(NULL, dir, name, command, address, 1000, &child, NULL);
    if (status != PS_OK)
        CHECK(child == (ps_child *)&once_dir);
    return status;
}

static int entries(void)
{
    int count = 0;
    DIR *dir = opendir(once_dir);
    CHECK(dir != NULL);
    while (readdir(dir))
        count++;
    closedir(dir);
    return count - 2;
}

static void touch(const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    CHECK(fd >= 0);
    close(fd);
}

int main(void)
{
    ps_error *error = NULL;
    char long_name[66];
    once_begin();
    ps_command *command = once_command("silent", NULL);
    memset(long_name, 'a', 65);
    long_name[65] = 0;
    const char *const names[] = {"", ".", "..", "a/b", "/a", "../a", ".a", "-a", "a b", "a\n", "a;b", "a*", "\xff", long_name};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        CHECK_STATUS(ask(once_dir, names[i], command, NULL), PS_ERR_INVALID_ARGUMENT);
    CHECK_STATUS(ask(once_dir, NULL, command, NULL), PS_ERR_INVALID_ARGUMENT);
    CHECK_STATUS(ask(NULL, "a", command, NULL), PS_ERR_INVALID_ARGUMENT);
    CHECK_STATUS(ask("", "a", command, NULL), PS_ERR_INVALID_ARGUMENT);
    CHECK_STATUS(ask(once_path("nowhere"), "a", command, NULL), PS_ERR_NOT_FOUND);
    CHECK_STATUS(ask("/dev/null", "a", command, NULL), PS_ERR_NOT_FOUND);
    const char *const addresses[] = {"", "x", "unix:", "unix:relative", "tcp:80", "tcp:example.org:80", "\xff"};
    for (size_t i = 0; i < sizeof addresses / sizeof *addresses; i++)
        CHECK_STATUS(ask(once_dir, "a", command, addresses[i]), PS_ERR_INVALID_ARGUMENT);
    CHECK_STATUS(ps_spawn_once(NULL, once_dir, "a", command, NULL, -2, &(ps_child *){NULL}, NULL), PS_ERR_INVALID_ARGUMENT);

    CHECK_INT(chmod(once_dir, 0770), 0);
    CHECK_STATUS(ask(once_dir, "a", command, NULL), PS_ERR_PERMISSION);
    CHECK_INT(chmod(once_dir, 0777), 0);
    CHECK_STATUS(ask(once_dir, "a", command, NULL), PS_ERR_PERMISSION);
    CHECK_INT(entries(), 0);
    CHECK_INT(chmod(once_dir, 0700), 0);

    ps_command *tied = once_command("silent", NULL);
    CHECK_OK(ps_command_die_with_host(tied, 1, &error), error);
    CHECK_STATUS(ask(once_dir, "a", tied, NULL), PS_ERR_INVALID_ARGUMENT);
    ps_command_free(tied);
    tied = once_command("silent", NULL);
    CHECK_OK(ps_command_capture(tied, 100, &error), error);
    CHECK_STATUS(ask(once_dir, "a", tied, NULL), PS_ERR_INVALID_ARGUMENT);
    ps_command_free(tied);
    tied = once_command("silent", NULL);
    CHECK_OK(ps_command_restart(tied, PS_RESTART_ALWAYS, 1, 1, &error), error);
    CHECK_STATUS(ask(once_dir, "a", tied, NULL), PS_ERR_INVALID_ARGUMENT);
    ps_command_free(tied);
    CHECK_INT(entries(), 0);

    /* What has the name of one of the files. */
    const char *const files[] = {"a.lock", "a.run", "a.run.new"};
    touch(once_path("file"));
    for (int i = 0; i < 3; i++) {
        CHECK_INT(symlink(once_path("file"), once_path(files[i])), 0);
        CHECK_STATUS(ask(once_dir, "a", command, NULL), PS_ERR_PERMISSION);
        CHECK_INT(unlink(once_path(files[i])), 0);
        CHECK_INT(mkfifo(once_path(files[i]), 0600), 0);
        CHECK_STATUS(ask(once_dir, "a", command, NULL), PS_ERR_PERMISSION);
        CHECK_INT(unlink(once_path(files[i])), 0);
        CHECK_INT(mkdir(once_path(files[i]), 0700), 0);
        CHECK_STATUS(ask(once_dir, "a", command, NULL), PS_ERR_PERMISSION);
        CHECK_INT(rmdir(once_path(files[i])), 0);
        if (i < 2) {
            CHECK_INT(link(once_path("file"), once_path(files[i])), 0);
            CHECK_STATUS(ask(once_dir, "a", command, NULL), PS_ERR_PERMISSION);
            CHECK_INT(unlink(once_path(files[i])), 0);
        }
    }
    struct stat file;
    CHECK_INT(stat(once_path("file"), &file), 0);
    CHECK_INT(file.st_size, 0);
    CHECK_INT(once_starts(), 0);
    /* What a starter left that was killed is removed, also if it has another name. */
    CHECK_INT(link(once_path("file"), once_path("a.run.new")), 0);
    CHECK_STATUS(ask(once_dir, "a", command, NULL), PS_OK);
    CHECK(wait_until(once_starts() == 1, 20000));
    CHECK(access(once_path("a.run.new"), F_OK) != 0);
    CHECK_INT(stat(once_path("file"), &file), 0);
    CHECK_INT(file.st_size, 0);
    ps_kill_and_reap_all(20000, NULL);
    /* The sticky bit keeps the names of others safe. */
    CHECK_INT(chmod(once_dir, 01777), 0);
    CHECK_STATUS(ask(once_dir, "a", command, NULL), PS_OK);
    ps_kill_and_reap_all(20000, NULL);
    ps_command_free(command);
    once_end();
    return 0;
}
