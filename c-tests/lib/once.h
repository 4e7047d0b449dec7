/*
 * A daemon that is started once (helpers/once_daemon.c), and its place: a directory of its own, in which it listens, counts its starts, and has the
 * files of ps_spawn_once. Daemons outlive those who start them: this process becomes their reaper, so that a test that fails ends them as well.
 */
#ifndef PROCSUP_ONCE_H
#define PROCSUP_ONCE_H

#include "harness.h"

#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>

static char once_dir[64], once_socket[96], once_address[112], once_log[96], once_gate[96];

#define ONCE_NAME "d"
#define ONCE_WAIT (20000 * (int64_t)slowness())

HARNESS char *once_path(const char *name)
{
    static __thread char paths[8][256];
    static __thread unsigned next;
    char *path = paths[next++ % 8];
    snprintf(path, sizeof paths[0], "%s/%s", once_dir, name);
    return path;
}

/* The paths in a directory that is there. */
HARNESS void once_use(const char *dir)
{
    snprintf(once_dir, sizeof once_dir, "%s", dir);
    snprintf(once_socket, sizeof once_socket, "%s/socket", once_dir);
    snprintf(once_address, sizeof once_address, "unix:%s", once_socket);
    snprintf(once_log, sizeof once_log, "%s/log", once_dir);
    snprintf(once_gate, sizeof once_gate, "%s/gate", once_dir);
}

HARNESS void once_begin(void)
{
    char dir[] = "/tmp/procsup-once-XXXXXX";
    CHECK(mkdtemp(dir) != NULL);
    once_use(dir);
    CHECK_INT(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
}

/* The daemon as a command, with these options (NULL ends them). */
HARNESS ps_command *once_command(const char *option, ...)
{
    ps_error *error = NULL;
    ps_command *command = helper_command("once_daemon", once_socket, once_log, NULL);
    va_list options;
    va_start(options, option);
    for (; option; option = va_arg(options, const char *))
        CHECK_OK(ps_command_arg(command, option, &error), error);
    va_end(options);
    CHECK_OK(ps_command_stdio(command, 0, PS_STDIO_NULL, -1, &error), error);
    CHECK_OK(ps_command_isolate(command, PS_ISOLATE_SESSION, &error), error);
    return command;
}

/* The pids in a log, up to `most`; gives how many lines it has. */
HARNESS int once_read(const char *path, pid_t *pids, int most)
{
    int count = 0;
    FILE *file = fopen(path, "re");
    for (int pid; file && fscanf(file, "%d", &pid) == 1; count++)
        if (count < most)
            pids[count] = pid;
    if (file)
        fclose(file);
    return count;
}

/* How often it was started. */
HARNESS int once_starts(void)
{
    return once_read(once_log, NULL, 0);
}

/* Whether a daemon of ours has this number, and runs: one that was born in another pid namespace has written the number that it has there. */
HARNESS bool once_is_ours(pid_t pid)
{
    char path[64], program[512];
    snprintf(path, sizeof path, "/proc/%d/exe", (int)pid);
    ssize_t length = readlink(path, program, sizeof program - 1);
    program[length > 0 ? length : 0] = 0;
    const char *name = strrchr(program, '/');
    return name && strcmp(name, "/once_daemon") == 0;
}

HARNESS bool once_runs(pid_t pid)
{
    char state = process_state(pid);
    return state && state != 'Z' && state != 'X';
}

/* Daemons of the log that run; `*pid` is one of them. */
HARNESS int once_running(pid_t *pid)
{
    pid_t pids[1024];
    int count = once_read(once_log, pids, 1024), running = 0;
    CHECK(count <= 1024);
    for (int i = 0; i < count; i++)
        if (once_runs(pids[i])) {
            running++;
            if (pid)
                *pid = pids[i];
        }
    return running;
}

/* Kills one and waits until it is gone; it is ours if its starter is dead, or we are. */
HARNESS void once_kill(pid_t pid)
{
    kill(pid, SIGKILL);
    CHECK(wait_until(waitpid(pid, NULL, WNOHANG) == pid || !once_runs(pid), 20000));
}

HARNESS void once_kill_all(void)
{
    pid_t pids[1024];
    char worker[192];
    snprintf(worker, sizeof worker, "%s.worker", once_log);
    const char *logs[] = {once_log, worker};
    for (int log = 0; log < 2; log++) {
        int count = once_read(logs[log], pids, 1024);
        for (int i = 0; i < count && i < 1024; i++)
            if (once_is_ours(pids[i]) && once_runs(pids[i]))
                once_kill(pids[i]);
    }
}

/* Ends what runs, and empties the directory. */
HARNESS void once_clear(void)
{
    once_kill_all();
    DIR *dir = opendir(once_dir);
    CHECK(dir != NULL);
    for (struct dirent *entry; (entry = readdir(dir));)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            CHECK_INT(unlinkat(dirfd(dir), entry->d_name, 0), 0);
    closedir(dir);
}

HARNESS void once_end(void)
{
    once_clear();
    CHECK_INT(rmdir(once_dir), 0);
}

HARNESS bool once_accepts(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s", once_socket);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(fd >= 0);
    bool accepts = connect(fd, (struct sockaddr *)&address, sizeof address) == 0;
    close(fd);
    return accepts;
}

HARNESS void once_open_gate(void)
{
    int fd = open(once_gate, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    CHECK(fd >= 0);
    close(fd);
}

/* Whether somebody holds the lock of this file of the directory. */
HARNESS bool once_is_locked(const char *name)
{
    int fd = open(once_path(name), O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    bool locked = flock(fd, LOCK_SH | LOCK_NB) != 0;
    close(fd);
    return locked;
}

/* ps_spawn_once with the default supervisor, at the place of this test. */
HARNESS ps_status once_start(const ps_command *command, int64_t timeout_ms, ps_child **child, ps_error **error)
{
    return ps_spawn_once(NULL, once_dir, ONCE_NAME, command, once_address, timeout_ms, child, error);
}

/* Whether the error says that it is about this process. */
HARNESS bool once_is_named(const ps_error *error, pid_t pid)
{
    char text[8192], number[32];
    size_t needed = 0;
    CHECK_OK(ps_error_render(error, PS_RENDER_JSON, text, sizeof text, &needed), NULL);
    snprintf(number, sizeof number, "\"pid\":%d", (int)pid);
    return strstr(text, number) != NULL;
}

/* Runs a function in a process of its own, which ends with what it gives. */
HARNESS pid_t once_fork(int (*function)(void *), void *argument)
{
    fflush(NULL);
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        int code = function(argument);
        fflush(NULL);
        _exit(code);
    }
    return pid;
}

/* Its exit code; -signal if one ended it. */
HARNESS int once_join(pid_t pid)
{
    int status = 0;
    CHECK(wait_until(waitpid(pid, &status, WNOHANG) == pid, 60000));
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

#endif
