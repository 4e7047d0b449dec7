/* Whatever a command says, a child that a spawner makes is what one is that the host makes itself: the same programs say the same. */
/* covers: C15-5 */
/* variants: few */
#include "harness.h"
#include "landlocked.h"
#include "spawning.h"

static ps_supervisor *plain, *spawner;
static ps_error *error;
static char scratch[] = "/tmp/procsup-spawner-XXXXXX";

typedef struct call { const char *name; ps_command *(*make)(void); } call;

#define SET(...) CHECK_OK(__VA_ARGS__, error)

static ps_command *args(void)
{
    ps_command *command = helper_command("show_args", "one", "", "two  words", NULL);
    SET(ps_command_arg0(command, "another name", &error));
    return command;
}

static ps_command *long_args(void)
{
    static char text[100000];
    memset(text, 'x', sizeof text - 1);
    return helper_command("show_args", text, text, text, NULL);
}

static ps_command *environment(void)
{
    ps_command *command = helper_command("show_env", NULL);
    SET(ps_command_env(command, "SPAWNER_TEST", "value", &error));
    SET(ps_command_env(command, "HOME", NULL, &error));
    return command;
}

static ps_command *no_environment(void)
{
    ps_command *command = helper_command("show_env", NULL);
    SET(ps_command_env_base(command, PS_ENV_CLEAR, &error));
    SET(ps_command_env(command, "ONLY", "this", &error));
    return command;
}

static ps_command *who(void)
{
    ps_command *command = helper_command("show_ids", NULL);
    SET(ps_command_umask(command, 027, &error));
    SET(ps_command_nice(command, 7, &error));
    SET(ps_command_rlimit(command, RLIMIT_NOFILE, 99, 111, &error));
    SET(ps_command_rlimit(command, RLIMIT_CORE, 0, 0, &error));
    SET(ps_command_no_new_privs(command, 1, &error));
    SET(ps_command_cwd(command, "/usr", &error));
    return command;
}

static ps_command *processors(void)
{
    ps_command *command = helper_command("show_scheduling", NULL);
    SET(ps_command_affinity(command, (const uint32_t[]){1, 5000}, 2, &error));
    SET(ps_command_scheduling(command, PS_SCHED_IDLE, 0, &error));
    return command;
}

static ps_command *real_time(void)
{
    ps_command *command = helper_command("show_scheduling", NULL);
    struct sched_param param = {.sched_priority = 1};
    if (geteuid() == 0 && sched_setscheduler(0, SCHED_RR, &param) == 0) {
        param.sched_priority = 0;
        CHECK(sched_setscheduler(0, SCHED_OTHER, &param) == 0);
        SET(ps_command_scheduling(command, PS_SCHED_FIFO, 12, &error));
    }
    return command;
}

static ps_command *confined(void)
{
    ps_command *command = helper_command("try_paths", "read:/etc/passwd", "list:/", "write:/dev/null", "fd:3", "fd:9", NULL);
    if (landlock_abi() > 0) {
        allow_system(command);
        allow(command, "/dev/null", PS_ALLOW_WRITE);
    }
    static int null = -1;
    if (null < 0)
        CHECK((null = open("/dev/null", O_RDWR | O_CLOEXEC)) >= 0);
    SET(ps_command_pass_fd(command, null, 9, &error));
    return command;
}

static ps_command *as_the_host(void) { return helper_command("show_ids", NULL); }

static ps_command *another_user(void)
{
    static const uint32_t groups[] = {7, 9};
    ps_command *command = helper_command("show_ids", NULL);
    if (geteuid() == 0)
        SET(ps_command_credentials(command, 65534, 65533, groups, 2, &error));
    return command;
}

static ps_command *session(void)
{
    ps_command *command = helper_command("show_ids", NULL);
    SET(ps_command_isolate(command, PS_ISOLATE_SESSION, &error));
    SET(ps_command_die_with_host(command, 1, &error));
    return command;
}

static ps_command *in_the_group(void)
{
    ps_command *command = helper_command("show_ids", NULL);
    SET(ps_command_isolate(command, PS_ISOLATE_NONE, &error));
    return command;
}

static ps_command *signals(void) { return helper_command("show_signals", NULL); }

static ps_command *kept_signals(void)
{
    static const int32_t ignored[] = {SIGHUP, SIGPIPE, 64};
    sigset_t blocked;
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGUSR2);
    sigaddset(&blocked, 40);
    CHECK(pthread_sigmask(SIG_SETMASK, &blocked, NULL) == 0);
    ps_command *command = helper_command("show_signals", NULL);
    SET(ps_command_keep_ignored(command, ignored, 3, &error));
    SET(ps_command_keep_mask(command, 1, &error));
    return command;
}

static ps_command *score(void)
{
    ps_command *command = command_for("/bin/cat", "/proc/self/oom_score_adj", NULL);
    SET(ps_command_oom_score_adj(command, 987, &error));
    return command;
}

static ps_command *descriptors(void)
{
    ps_command *command = helper_command("show_fds", NULL);
    SET(ps_command_pass_fd(command, 1, 9, &error));
    SET(ps_command_pass_fd(command, 2, 200, &error));
    SET(ps_command_pass_fd(command, 0, 5, &error));
    set_stdio(command, 0, PS_STDIO_NULL, -1);
    return command;
}

static ps_command *listening(void)
{
    ps_command *command = shell("test \"$LISTEN_PID\" = $$ && echo $LISTEN_FDS $LISTEN_FDNAMES", "");
    SET(ps_command_listen_fd(command, 1, "one", &error));
    SET(ps_command_listen_fd(command, 2, "two", &error));
    return command;
}

static ps_command *by_search(void)
{
    ps_command *command = NULL;
    SET(ps_command_new("echo", &command, &error));
    SET(ps_command_arg(command, "found", &error));
    return command;
}

static ps_command *input(void)
{
    ps_command *command = NULL;
    SET(ps_command_new("cat", &command, &error));
    SET(ps_command_input(command, "what it is told", 15, &error));
    return command;
}

static ps_command *merged(void)
{
    ps_command *command = shell("echo out; echo err >&2", "");
    set_stdio(command, 2, PS_STDIO_MERGE, -1);
    return command;
}

static ps_command *ready(void)
{
    ps_command *command = helper_command("readily", "newline:9", "say:ready", NULL);
    SET(ps_command_readiness(command, PS_READY_FD, "9", 20000, &error));
    return command;
}

static ps_command *notifying(void)
{
    ps_command *command = helper_command("readily", "notify:READY=1", "say:notified", NULL);
    SET(ps_command_readiness(command, PS_READY_NOTIFY, NULL, 20000, &error));
    return command;
}

static const call calls[] = {
    {"args", args},           {"long args", long_args},   {"environment", environment}, {"no environment", no_environment},
    {"who", who},             {"as the host", as_the_host}, {"another user", another_user}, {"session", session},
    {"in the group", in_the_group}, {"signals", signals}, {"descriptors", descriptors}, {"listening", listening},
    {"by search", by_search}, {"input", input},           {"merged", merged},           {"ready", ready},
    {"notifying", notifying}, {"kept signals", kept_signals}, {"score", score},
    {"notifying", notifying}, {"processors", processors}, {"real time", real_time}, {"confined", confined},
};

/* Numbers that differ from process to process are left out. */
static void blind(char *text)
{
    static const char *const keys[] = {"pid=", "NOTIFY_SOCKET="};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        for (char *at = text; (at = strstr(at, keys[i])); at++)
            if (at == text || at[-1] == '\n')
                for (char *p = at + strlen(keys[i]); *p && *p != '\n'; p++)
                    *p = '.';
}

/* What leads a group of its own has its number there. */
static void blind_own(char *text)
{
    char own[32];
    const char *at = line_after(text, "pid=");
    if (!at)
        return;
    snprintf(own, sizeof own, "=%ld", strtol(at, NULL, 10));
    for (char *p = text; (p = strstr(p, own)); p++)
        for (size_t i = 1; i < strlen(own); i++)
            p[i] = '.';
}

static char *said_by(ps_supervisor *supervisor, const call *call)
{
    ps_command *command = call->make();
    int out[2];
    CHECK(pipe2(out, O_CLOEXEC) == 0);
    if (strcmp(call->name, "descriptors") != 0 && strcmp(call->name, "listening") != 0)
        set_stdio(command, 1, PS_STDIO_FD, out[1]);
    else
        SET(ps_command_capture(command, 100000, &error));
    ps_child *child = spawn(supervisor, command);
    close(out[1]);
    char *text = read_all(out[0]);
    close(out[0]);
    ps_exit end;
    await_end(child, PS_OK, &end);
    if (end.kind != PS_EXIT_EXITED || end.code != 0)
        harness_fail(__FILE__, __LINE__, "%s: kind %d, code %d, signal %d", call->name, end.kind, end.code, end.signal);
    if (!*text) {
        size_t needed = 0;
        text = realloc(text, 100001);
        SET(ps_child_output(child, text, 100000, &needed, &error));
        text[needed] = 0;
    }
    ps_child_free(child);
    ps_command_free(command);
    blind_own(text);
    blind(text);
    return text;
}

int main(void)
{
    warm_up();
    spawner = spawner_supervisor();
    plain = supervisor_new();
    for (int elsewhere = 0; elsewhere < 2; elsewhere++) {
        for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
            char *expected = said_by(plain, &calls[i]), *said = said_by(spawner, &calls[i]);
            if (strcmp(expected, said) != 0)
                harness_fail(__FILE__, __LINE__, "%s: a spawner's child says\n%s\nand the host's\n%s", calls[i].name, said, expected);
            CHECK(*said);
            free(expected);
            free(said);
        }
        /* The host may go elsewhere, and have other variables. */
        if (!elsewhere)
            CHECK(mkdtemp(scratch) && chdir(scratch) == 0 && setenv("SPAWNER_LATER", "1", 1) == 0);
    }
    CHECK(chdir("/") == 0 && rmdir(scratch) == 0);
    ps_supervisor_free(spawner);
    ps_supervisor_free(plain);
    CHECK(has_no_child());
    return 0;
}
