/* variants: only tier-fork, locked-down */
/* Inside, a program is what its command says, by the same code as anybody: its user, limits, directory, descriptors. It is number 2 of its
   namespace, or 3 where its init had to have the maps written; init is its parent and holds nothing of the host's. */
#include "harness.h"
#include "contained.h"

static void who(void)
{
    ps_error *error = NULL;
    ps_command *command = contained(helper_command("show_ids", NULL));
    CHECK_OK(ps_command_umask(command, 027, &error), error);
    CHECK_OK(ps_command_nice(command, 5, &error), error);
    CHECK_OK(ps_command_cwd(command, "/usr", &error), error);
    CHECK_OK(ps_command_no_new_privs(command, 1, &error), error);
    CHECK_OK(ps_command_rlimit(command, RLIMIT_NOFILE, 100, 200, &error), error);
    char *text = output_of(command);
    long long pid = number_of(text, "pid");
    CHECK(pid == 2 || pid == 3);
    CHECK_INT(number_of(text, "ppid"), 1);
    CHECK_INT(number_of(text, "pgid"), pid);
    CHECK_INT(number_of(text, "uid"), getuid());
    CHECK_INT(number_of(text, "euid"), geteuid());
    CHECK_INT(number_of(text, "gid"), getgid());
    CHECK_INT(number_of(text, "nice"), 5);
    CHECK_INT(number_of(text, "no_new_privs"), 1);
    CHECK(strstr(text, "umask=027\n") && strstr(text, "cwd=/usr\n") && strstr(text, "nofile=100:200\n"));
    free(text);
    if (geteuid() != 0)
        return;
    command = contained(helper_command("show_ids", NULL));
    CHECK_OK(ps_command_credentials(command, 65534, 65533, (const uint32_t[]){7, 8}, 2, &error), error);
    text = output_of(command);
    CHECK(strstr(text, "uid=65534\neuid=65534\ngid=65533\negid=65533\ngroups=7,8\n") != NULL);
    free(text);
}

static void variables(void)
{
    ps_error *error = NULL;
    ps_command *command = contained(shell("test $LISTEN_PID = $$ && test $LISTEN_FDS = 1 && echo right", NULL));
    CHECK_OK(ps_command_listen_fd(command, 0, "null", &error), error);
    CHECK(output_is(command, "right\n"));
    command = contained(shell("test $WATCHDOG_PID = $$ && echo right", NULL));
    CHECK_OK(ps_command_watchdog(command, 60000, &error), error);
    CHECK(output_is(command, "right\n"));
}

/* Its input ends when the host closes it; its output, when it closes that; and init is in nobody's way, nor in a directory. */
static void streams(void)
{
    char path[64], place[64];
    ps_command *command = contained(shell("cat; exec >&- 2>&-; read line </proc/self/stat; exec sleep 1000 </dev/null", NULL));
    set_stdio(command, 0, PS_STDIO_PIPE, -1);
    set_stdio(command, 1, PS_STDIO_PIPE, -1);
    ps_child *child = spawn_once(NULL, command);
    int in = pipe_end(child, 0), out = pipe_end(child, 1);
    CHECK(write(in, "hello", 5) == 5);
    close(in);
    char *text = read_all(out);
    CHECK_STR(text, "hello");
    free(text);
    close(out);
    CHECK_INT(state_of(child), PS_STATE_RUNNING);
    if (geteuid() == 0) {
        snprintf(path, sizeof path, "/proc/%d/fd", (int)pid_of(child));
        int count = 0;
        CHECK(wait_until(({
            DIR *dir = opendir(path);
            CHECK(dir != NULL);
            count = 0;
            for (struct dirent *entry; (entry = readdir(dir));)
                count += entry->d_name[0] != '.';
            closedir(dir);
            count == 1;
        }), 20000));
        snprintf(path, sizeof path, "/proc/%d/cwd", (int)pid_of(child));
        CHECK(wait_until(({
            ssize_t length = readlink(path, place, sizeof place);
            length == 1 && place[0] == '/';
        }), 20000));
    }
    kill_and_free(child);
}

/* Descriptors that are passed, where many others are open. */
static void descriptors(void)
{
    ps_error *error = NULL;
    int pipe_fds[2], spare[300], count = 0;
    CHECK(pipe(pipe_fds) == 0);
    while (count < 300 && (spare[count] = dup(pipe_fds[0])) >= 0)
        count++;
    ps_command *command = contained(shell("echo through >&9; ls /proc/self/fd | wc -l", NULL));
    CHECK_OK(ps_command_pass_fd(command, pipe_fds[1], 9, &error), error);
    char *text = output_of(command);
    CHECK_INT(atoi(text), 5); /* 0, 1, 2, 9, and the directory itself */
    free(text);
    close(pipe_fds[1]);
    text = read_all(pipe_fds[0]);
    CHECK_STR(text, "through\n");
    free(text);
    close(pipe_fds[0]);
    while (count > 0)
        close(spare[--count]);
}

/* The time of the program, and of all whom it has waited for. */
static void usage(void)
{
    ps_exit end = run_to_its_end(contained(shell("i=0; while [ $i -lt 30000 ]; do i=$((i+1)); done", NULL)));
    CHECK(end.user_us + end.system_us > 2000);
    CHECK(end.max_rss_kib > 0);
}

static void all(void)
{
    variables();
    leak_guard guard = leak_guard_begin();
    who();
    variables();
    streams();
    descriptors();
    usage();
    leak_guard_end(&guard);
}

int main(void)
{
    need_contained();
    as_root_and_as_nobody(all);
    return 0;
}
