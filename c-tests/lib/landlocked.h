/*
 * For tests of ps_command_landlock: a directory of their own with
 *
 *   in/file  in/run (a program)      may be read
 *   out/old  out/deep/               may be written
 *   other/file  other/run            nobody speaks of
 *
 *   landlock_abi()              what this kernel has; 0: nothing
 *   landlocked_begin()          makes that, is there; skips where there is no Landlock
 *   allow(command, path, n)     allow_system(command): what a program needs to run at all
 *   trying(what, ..., NULL)     the command that tries it (helpers/try_paths), all of the above allowed
 */
#ifndef PROCSUP_TEST_LANDLOCKED_H
#define PROCSUP_TEST_LANDLOCKED_H

#include "children.h"

#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#endif

HARNESS int landlock_abi(void)
{
    long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, 1);
    return abi > 0 ? (int)abi : 0;
}

static char landlocked_dir[] = "/tmp/procsup-landlock-XXXXXX";

HARNESS void landlocked_end(void)
{
    pid_t pid = fork();
    if (pid == 0) {
        execlp("rm", "rm", "-rf", landlocked_dir, (char *)NULL);
        _exit(1);
    }
    CHECK(waitpid(pid, NULL, 0) == pid);
}

HARNESS void landlocked_file(const char *path, mode_t mode)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    CHECK(fd >= 0 && write(fd, "text\n", 5) == 5);
    close(fd);
}

/* A copy of a helper that needs no libraries. */
HARNESS void landlocked_program(const char *path)
{
    static char bytes[1 << 20];
    int from = open(HELPER_DIR "/nothing", O_RDONLY | O_CLOEXEC), to = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0755);
    ssize_t length = read(from, bytes, sizeof bytes);
    CHECK(length > 0 && length < (ssize_t)sizeof bytes && write(to, bytes, (size_t)length) == length);
    close(from);
    close(to);
}

HARNESS void landlocked_begin(void)
{
    if (landlock_abi() == 0)
        SKIP("this kernel has no Landlock, or it is off");
    CHECK(mkdtemp(landlocked_dir) != NULL && chmod(landlocked_dir, 0755) == 0 && chdir(landlocked_dir) == 0);
    static const char *const names[] = {"in", "out", "out/deep", "other"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        CHECK(mkdir(names[i], 0777) == 0 && chmod(names[i], 0777) == 0);
    landlocked_file("in/file", 0666);
    landlocked_file("out/old", 0666);
    landlocked_file("other/file", 0666);
    CHECK(symlink("/bin/true", "in/run") == 0 && symlink("/bin/true", "other/run") == 0);
}

HARNESS void allow(ps_command *command, const char *path, int access)
{
    ps_error *error = NULL;
    CHECK_OK(ps_command_landlock(command, path, access, &error), error);
}

HARNESS void allow_system(ps_command *command)
{
    static const char *const places[] = {"/usr", "/lib", "/lib64", "/lib32", "/bin", "/etc"};
    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        if (access(places[i], F_OK) == 0)
            allow(command, places[i], PS_ALLOW_READ | PS_ALLOW_EXECUTE);
    allow(command, HELPER_DIR, PS_ALLOW_READ | PS_ALLOW_EXECUTE);
}

HARNESS ps_command *trying(const char *first, ...)
{
    ps_error *error = NULL;
    ps_command *command = helper_command("try_paths", first, NULL);
    va_list list;
    va_start(list, first);
    for (const char *what; (what = va_arg(list, const char *)) != NULL;)
        CHECK_OK(ps_command_arg(command, what, &error), error);
    va_end(list);
    allow_system(command);
    allow(command, "in", PS_ALLOW_READ);
    allow(command, "out", PS_ALLOW_READ | PS_ALLOW_WRITE);
    return command;
}

#endif
