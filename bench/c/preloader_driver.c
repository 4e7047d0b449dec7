/* A bare driver of Passenger's rack-preloader.rb: the same protocol and the same content of the work directory as the library's, one poll loop, and
 * nothing else. It checks nothing of what it is told, proves no pid, keeps no record of steps, is no guest of an event loop, cannot start again what
 * has crashed, and believes the application. What a library adds, it adds to this. */
#define _GNU_SOURCE
#include "bench.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PATIENCE_MS = 20000, MAX_PATH = 256 };

struct bench_preloader {
    char base[64], app[128], dir[MAX_PATH], sockets[MAX_PATH];
    struct sockaddr_un socket;
    int dirfd, finish, input, output, pidfd;
    pid_t pid;
};

struct bench_rack_worker {
    char dir[MAX_PATH], properties[2048];
    int dirfd, finish, input, output, pidfd;
    pid_t pid;
};

/* What both put into args.json and, each by itself, into args/. */
static const char *const ARGUMENTS[][2] = {
    {"app_env", "\"production\""}, {"app_group_name", "\"bench\""}, {"app_root", NULL}, {"app_type", "\"rack\""}, {"base_uri", "\"/\""},
    {"bind_address", "\"127.0.0.1\""}, {"environment_variables", "{}"}, {"generic_app", "false"}, {"group", "\"root\""}, {"gupid", "\"1-abcdefghij\""},
    {"instance_dir", NULL}, {"integration_mode", "\"standalone\""}, {"load_shell_envvars", "false"}, {"log_level", "3"},
    {"passenger_agent_path", "\"/usr/lib/passenger/support-binaries/PassengerAgent\""},
    {"passenger_root", "\"/usr/lib/ruby/vendor_ruby/phusion_passenger/locations.ini\""}, {"passenger_version", "\"6.0.17\""},
    {"ruby_libdir", "\"/usr/lib/ruby/vendor_ruby\""}, {"socket_dir", NULL}, {"spawn_method", "\"smart\""}, {"start_command", "\"ruby\""},
    {"startup_file", NULL}, {"starts_using_wrapper", "true"}, {"UNIX_PATH_MAX", "107"}, {"user", "\"root\""},
    {"wrapper_supplied_by_third_party", "false"},
};
static const char *const START_STEPS[] = {
    "subprocess_before_first_exec", "subprocess_spawn_env_setupper_before_shell", "subprocess_os_shell", "subprocess_spawn_env_setupper_after_shell",
    "subprocess_exec_wrapper", "subprocess_wrapper_preparation", "subprocess_app_load_or_exec", "subprocess_listen", NULL};
static const char *const WORKER_STEPS[] = {
    "preloader_preparation", "preloader_fork_subprocess", "preloader_send_response", "preloader_finish",
    "subprocess_prepare_after_forking_from_preloader", "subprocess_listen", NULL};

static const char *value_of(const struct bench_preloader *preloader, size_t i, char *room, size_t cap)
{
    const char *name = ARGUMENTS[i][0];
    if (ARGUMENTS[i][1])
        return ARGUMENTS[i][1];
    if (strcmp(name, "app_root") == 0)
        snprintf(room, cap, "\"%s\"", preloader->app);
    else if (strcmp(name, "startup_file") == 0)
        snprintf(room, cap, "\"%s/config.ru\"", preloader->app);
    else
        snprintf(room, cap, "\"%s%s\"", preloader->base, strcmp(name, "socket_dir") == 0 ? "/apps.s" : "");
    return room;
}

static int put(int dir, const char *name, const char *bytes, size_t length)
{
    int fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return -errno;
    ssize_t put = write(fd, bytes, length);
    close(fd);
    return put == (ssize_t)length ? 0 : -EIO;
}

/* Directories, arguments, FIFOs; gives the directory, and the finish FIFO opened. */
static int make_dir(const struct bench_preloader *preloader, const char *const *steps, char *dir, int *dirfd, int *finish)
{
    static const char *const DIRS[] = {"args", "envdump", "envdump/annotations", "response", "response/error", "response/steps"};
    char json[8192] = "{", path[128], room[MAX_PATH];
    size_t length = 1;
    snprintf(dir, MAX_PATH, "%s/w.XXXXXX", preloader->base);
    if (!mkdtemp(dir) || (*dirfd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
        return -errno;
    for (size_t i = 0; i < sizeof DIRS / sizeof *DIRS; i++)
        if (mkdirat(*dirfd, DIRS[i], 0700) != 0)
            return -errno;
    for (; *steps; steps++) {
        snprintf(path, sizeof path, "response/steps/%s", *steps);
        if (mkdirat(*dirfd, path, 0700) != 0)
            return -errno;
    }
    for (size_t i = 0; i < sizeof ARGUMENTS / sizeof *ARGUMENTS; i++) {
        const char *name = ARGUMENTS[i][0], *value = value_of(preloader, i, room, sizeof room);
        length += (size_t)snprintf(json + length, sizeof json - length, "%s\"%s\":%s", i ? "," : "", name, value);
        snprintf(path, sizeof path, "args/%s%s", name, value[0] == '{' ? ".json" : "");
        size_t quoted = value[0] == '"';
        int error = put(*dirfd, path, value + quoted, strlen(value) - 2 * quoted);
        if (error)
            return error;
    }
    json[length++] = '}';
    int error = put(*dirfd, "args.json", json, length);
    if (!error && mkfifoat(*dirfd, "response/finish", 0600) != 0)
        error = -errno;
    if (!error && (*finish = openat(*dirfd, "response/finish", O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW)) < 0)
        error = -errno;
    return error;
}

/* Until the byte comes. */
static int handshake(int finish, int pidfd, int output)
{
    struct pollfd wanted[] = {{finish, POLLIN, 0}, {pidfd, POLLIN, 0}, {output, POLLIN, 0}};
    char said[4096], byte = 0;
    while (poll(wanted, 3, PATIENCE_MS) > 0) {
        if (wanted[2].revents && read(output, said, sizeof said) == 0)
            wanted[2].fd = -1;
        if (wanted[0].revents)
            return read(finish, &byte, 1) == 1 && byte == '1' ? 0 : -EPROTO;
        if (wanted[1].revents)
            return -ESRCH;
    }
    return -ETIMEDOUT;
}

static int properties(int dirfd, char *text, size_t cap)
{
    int fd = openat(dirfd, "response/properties.json", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    ssize_t length = fd < 0 ? -1 : read(fd, text, cap - 1);
    close(fd);
    text[length > 0 ? length : 0] = 0;
    return length > 0 ? 0 : -EPROTO;
}

static void remove_tree(int parent, const char *name)
{
    int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    for (struct dirent *entry; dir && (entry = readdir(dir));)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 && unlinkat(fd, entry->d_name, 0) != 0)
            remove_tree(fd, entry->d_name);
    if (dir)
        closedir(dir);
    unlinkat(parent, name, AT_REMOVEDIR);
}

/* `base`: a directory of this driver's own; `app`: where config.ru is. */
int bench_preloader_start(const char *base, const char *app, struct bench_preloader **out)
{
    struct bench_preloader *preloader = calloc(1, sizeof *preloader);
    char variable[MAX_PATH + 32], text[2048], *end;
    snprintf(preloader->base, sizeof preloader->base, "%s", base);
    snprintf(preloader->app, sizeof preloader->app, "%s", app);
    snprintf(preloader->sockets, sizeof preloader->sockets, "%s/apps.s", base);
    mkdir(preloader->sockets, 0700);
    int error = make_dir(preloader, START_STEPS, preloader->dir, &preloader->dirfd, &preloader->finish);
    int input[2], output[2];
    if (error || pipe2(input, O_CLOEXEC) != 0 || pipe2(output, O_CLOEXEC) != 0)
        return error ? error : -errno;
    snprintf(variable, sizeof variable, "PASSENGER_SPAWN_WORK_DIR=%s", preloader->dir);
    char *const argv[] = {"/usr/bin/ruby", "/usr/share/passenger/helper-scripts/rack-preloader.rb", NULL};
    char *const env[] = {"PATH=/usr/bin:/bin", "HOME=/", "LANG=C.UTF-8", "IN_PASSENGER=1", variable, NULL};
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, input[0], 0);
    posix_spawn_file_actions_adddup2(&actions, output[1], 1);
    posix_spawn_file_actions_adddup2(&actions, output[1], 2);
    posix_spawn_file_actions_addchdir_np(&actions, app);
    error = -posix_spawn(&preloader->pid, argv[0], &actions, NULL, argv, env);
    posix_spawn_file_actions_destroy(&actions);
    close(input[0]);
    close(output[1]);
    preloader->input = input[1];
    preloader->output = output[0];
    if (error)
        return error;
    preloader->pidfd = (int)syscall(SYS_pidfd_open, preloader->pid, 0);
    error = handshake(preloader->finish, preloader->pidfd, preloader->output);
    if (!error)
        error = properties(preloader->dirfd, text, sizeof text);
    char *path = error ? NULL : strstr(text, "unix:");
    if (!path || !(end = strchr(path, '"')) || (size_t)(end - path - 5) >= sizeof preloader->socket.sun_path)
        return error ? error : -EPROTO;
    preloader->socket.sun_family = AF_UNIX;
    memcpy(preloader->socket.sun_path, path + 5, (size_t)(end - path - 5));
    *out = preloader;
    return 0;
}

/* The timed part: from nothing until the worker is ready, its sockets are known, and its directory is gone. */
int bench_preloader_worker(struct bench_preloader *preloader, struct bench_rack_worker **out)
{
    struct bench_rack_worker *worker = calloc(1, sizeof *worker);
    char line[MAX_PATH + 64], answer[256];
    int error = make_dir(preloader, WORKER_STEPS, worker->dir, &worker->dirfd, &worker->finish);
    if (error || mkfifoat(worker->dirfd, "stdin", 0600) != 0 || mkfifoat(worker->dirfd, "stdout_and_err", 0600) != 0)
        return error ? error : -errno;
    worker->output = openat(worker->dirfd, "stdout_and_err", O_RDONLY | O_NONBLOCK | O_CLOEXEC);

    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&preloader->socket, sizeof preloader->socket) != 0)
        return -errno;
    int length = snprintf(line, sizeof line, "{\"command\":\"spawn\",\"work_dir\":\"%s\"}\n", worker->dir);
    if (send(fd, line, (size_t)length, MSG_NOSIGNAL) != length)
        return -errno;
    size_t have = 0;
    for (ssize_t got; have + 1 < sizeof answer && (got = read(fd, answer + have, sizeof answer - 1 - have)) > 0;)
        have += (size_t)got;
    answer[have] = 0;
    close(fd);
    char *pid = strstr(answer, "\"pid\":");
    if (!pid)
        return -EPROTO;
    worker->pid = atoi(pid + 6);
    worker->pidfd = (int)syscall(SYS_pidfd_open, worker->pid, 0);

    int dummy = openat(worker->dirfd, "stdin", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    worker->input = openat(worker->dirfd, "stdin", O_WRONLY | O_NONBLOCK | O_CLOEXEC);
    error = handshake(worker->finish, worker->pidfd, worker->output);
    close(dummy);
    if (!error)
        error = properties(worker->dirfd, worker->properties, sizeof worker->properties);
    remove_tree(AT_FDCWD, worker->dir); /* it has done its work: the library's is gone by then, too */
    *out = worker;
    return error;
}

/* Not timed. */
void bench_preloader_worker_end(struct bench_preloader *preloader, struct bench_rack_worker *worker)
{
    struct pollfd ended = {worker->pidfd, POLLIN, 0};
    (void)preloader;
    syscall(SYS_pidfd_send_signal, worker->pidfd, SIGKILL, NULL, 0);
    poll(&ended, 1, PATIENCE_MS);
    char *socket = strstr(worker->properties, "unix:"), *end = socket ? strchr(socket, '"') : NULL;
    if (end) {
        *end = 0;
        unlink(socket + 5);
    }
    const int fds[] = {worker->dirfd, worker->finish, worker->input, worker->output, worker->pidfd};
    for (size_t i = 0; i < sizeof fds / sizeof *fds; i++)
        close(fds[i]);
    free(worker);
}

void bench_preloader_stop(struct bench_preloader *preloader)
{
    struct pollfd ended = {preloader->pidfd, POLLIN, 0};
    close(preloader->input);
    if (poll(&ended, 1, 5000) == 0)
        kill(preloader->pid, SIGKILL);
    waitpid(preloader->pid, NULL, 0);
    const int fds[] = {preloader->dirfd, preloader->finish, preloader->output, preloader->pidfd};
    for (size_t i = 0; i < sizeof fds / sizeof *fds; i++)
        close(fds[i]);
    remove_tree(AT_FDCWD, preloader->dir);
    free(preloader);
}
