/* A host that is not root, and a child that has become it: helpers/become_root as a set-user-ID copy. Signals to such a child are refused. */
#ifndef PROCSUP_TEST_REFUSING_H
#define PROCSUP_TEST_REFUSING_H

#include "children.h"

#include <sys/statvfs.h>

static char refusing_dir[64], refusing_path[128];
static int refusing_in = -1; /* what the child reads; closed, it exits with 0 */
static pid_t refusing_helper;

/* To be called as root, before anything else. */
HARNESS void refusing_begin(void)
{
    struct statvfs fs;
    if (geteuid() != 0)
        SKIP("a program that becomes root can only be made by root");
    strcpy(refusing_dir, temp_dir());
    snprintf(refusing_path, sizeof refusing_path, "%s/program", refusing_dir);
    int from = open(helper_path("become_root"), O_RDONLY | O_CLOEXEC), to = open(refusing_path, O_WRONLY | O_CREAT | O_CLOEXEC, 0700);
    CHECK(from >= 0 && to >= 0);
    char block[65536];
    for (ssize_t length; (length = read(from, block, sizeof block)) > 0;)
        CHECK(write(to, block, (size_t)length) == length);
    close(from);
    CHECK(fchown(to, 0, 65534) == 0 && fchmod(to, 04750) == 0 && fstatvfs(to, &fs) == 0);
    close(to);
    CHECK(chmod(refusing_dir, 0755) == 0);
    if (fs.f_flag & ST_NOSUID) {
        unlink(refusing_path);
        rmdir(refusing_dir);
        SKIP("no set-user-ID programs on this file system");
    }
}

HARNESS void refusing_end(void)
{
    unlink(refusing_path);
    rmdir(refusing_dir);
}

/* In a forked process: from here on the host is nobody. */
HARNESS void become_nobody(void)
{
    CHECK(setresgid(65534, 65534, 65534) == 0 && setresuid(65534, 65534, 65534) == 0);
}

/* Spawns it, with a helper in its group that is no root. */
HARNESS ps_child *spawn_refusing(ps_supervisor *supervisor, int64_t deadline_ms)
{
    char line[16];
    ps_error *error = NULL;
    ps_command *command = command_for(refusing_path, "helper", NULL);
    set_stdio(command, 0, PS_STDIO_PIPE, -1);
    set_stdio(command, 1, PS_STDIO_PIPE, -1);
    if (deadline_ms >= 0)
        CHECK_OK(ps_command_deadline(command, deadline_ms, &error), error);
    ps_child *child = spawn_once(supervisor, command);
    int said = pipe_end(child, 1);
    refusing_in = pipe_end(child, 0);
    refusing_helper = (pid_t)read_number(said);
    CHECK(read_line(said, line, sizeof line));
    close(said);
    if (strcmp(line, "root") != 0)
        SKIP("a set-user-ID program does not become root here");
    return child;
}

#endif
