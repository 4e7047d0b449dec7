/* The starter is killed at a system call, before it or behind it; or the child that is to be the daemon is, before its program begins. Whichever it
   was: at most one daemon runs, and the next one who needs it gets it, by one call. With PROCSUP_ONCE_SWEEP=all at each call (minutes), else at some
   of those that change something, others in each run. */
/* covers: C13-6 */
/* variants: none */
/* timeout: 900 */
#include "once.h"

enum { MOST = 4096 };
static char calls[MOST][40];
static int count;

/* What `inject` traces: one start, as a host makes it that has used the library before. */
static int starter(const char *dir)
{
    ps_error *error = NULL;
    ps_child *child = NULL;
    once_use(dir);
    warm_up();
    ps_command *command = once_command(NULL);
    inject_begin();
    ps_status status = once_start(command, ONCE_WAIT, &child, &error);
    inject_end();
    return status == PS_OK ? 0 : 3;
}

/* Runs the starter under `inject` with these arguments; gives its exit code. */
static int injected(const char *const *arguments)
{
    fflush(NULL);
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        const char *argv[32] = {helper_path("inject")};
        int n = 1;
        while (*arguments)
            argv[n++] = *arguments++;
        const char *rest[] = {"--report", once_path("report"), "--", "/proc/self/exe", "starter", once_dir, NULL};
        /* Not inject's own program: this one. */
        char self[512];
        ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
        self[length > 0 ? length : 0] = 0;
        rest[3] = self;
        for (int i = 0; rest[i]; i++)
            argv[n++] = rest[i];
        argv[n] = NULL;
        int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
        dup2(nowhere, 2);
        execv(argv[0], (char *const *)argv);
        _exit(126);
    }
    return once_join(pid);
}

/* Lists the calls of one start: "ROLE N NAME". */
static void list(void)
{
    const char *const arguments[] = {"--list", NULL};
    int code = injected(arguments);
    if (code == 77)
        SKIP("processes may not be traced here");
    CHECK_INT(code, 0);
    FILE *file = fopen(once_path("report"), "re");
    CHECK(file != NULL);
    while (count < MOST && fgets(calls[count], sizeof calls[count], file))
        count += strncmp(calls[count], "parent", 6) == 0 || strncmp(calls[count], "child", 5) == 0;
    fclose(file);
    CHECK(count > 20);
}

static void check_after(const char *call, const char *when)
{
    ps_error *error = NULL;
    ps_child *child = NULL;
    int before = once_running(NULL);
    ps_command *command = once_command(NULL);
    ps_status status = once_start(command, ONCE_WAIT, &child, &error);
    int running = once_running(NULL);
    if (status != PS_OK || running != 1 || before > 1 || !once_accepts()) {
        fprintf(stderr, "killed %s %s: %d ran, then %s, and %d run\n", when, call, before, ps_status_name(status), running);
        harness_print_error(error);
        harness_die();
    }
    if (child) {
        CHECK_OK(ps_terminate(child, 0, NULL, &error), error);
        ps_child_free(child);
    }
    ps_command_free(command);
}

/* Those at which something happens that another process can notice. */
static bool is_of_note(const char *call)
{
    static const char *const names[] = {"flock", "openat", "pwrite64", "renameat", "clone", "fork", "execve", "unlinkat",
                                        "dup3",  "close",  "connect",  "write",    "utimensat", "setsid", NULL};
    for (int i = 0; names[i]; i++)
        if (strstr(call, names[i]))
            return true;
    return false;
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "starter") == 0)
        return starter(argv[2]);
    once_begin();
    list();
    once_clear();
    const char *sweep = getenv("PROCSUP_ONCE_SWEEP");
    bool all = sweep && strcmp(sweep, "all") == 0;
    int tried = 0;
    unsigned chance = (unsigned)now_ms();
    for (int i = 0; i < count; i++) {
        char role[16], name[32];
        long n;
        CHECK_INT(sscanf(calls[i], "%15s %ld %31s", role, &n, name), 3);
        for (int after = 0; after < 2; after++) {
            chance = chance * 1103515245 + 12345;
            if (!all && (!is_of_note(name) || (chance >> 16) % 4))
                continue;
            char position[24];
            snprintf(position, sizeof position, "%ld", n);
            const char *arguments[] = {"--nth", position, "--in", role, "--kill", after ? "--after" : NULL, NULL};
            injected(arguments);
            check_after(calls[i], after ? "behind" : "before");
            once_clear();
            tried++;
        }
    }
    printf("%d of %d moments\n", tried, 2 * count);
    once_end();
    return 0;
}
