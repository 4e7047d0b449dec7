/* covers: F14, SC-14, D-5 */
/* variants: only tier-fork */
/* What each errno of the first candidate does to a PATH search: goes on, so that the second is run; or ends it, as execvp(3) does. And what is
   said if the second is not there. Files that answer so are hard to come by, so a tracer gives the answer (the table of docs/reference/spawn.md). */
#include "harness.h"
#include "children.h"

static const struct row {
    const char *name;
    int number;
    int goes_on;
    int in_the_end; /* if the second is missing (ENOENT) */
} table[] = {
    {"ENOENT", ENOENT, 1, ENOENT},       {"ENOTDIR", ENOTDIR, 1, ENOENT},     {"ESTALE", ESTALE, 1, ENOENT},
    {"ENODEV", ENODEV, 1, ENOENT},       {"ETIMEDOUT", ETIMEDOUT, 1, ENOENT}, {"EACCES", EACCES, 1, EACCES},
    {"ENAMETOOLONG", ENAMETOOLONG, 1, ENOENT},
    {"ELOOP", ELOOP, 0, ELOOP},          {"ENOEXEC", ENOEXEC, 0, ENOEXEC},    {"E2BIG", E2BIG, 0, E2BIG},
    {"ENOMEM", ENOMEM, 0, ENOMEM},       {"EPERM", EPERM, 0, EPERM},          {"EIO", EIO, 0, EIO},
    {"EINVAL", EINVAL, 0, EINVAL},       {"ELIBBAD", ELIBBAD, 0, ELIBBAD},    {"EMFILE", EMFILE, 0, EMFILE},
};

/* Under the tracer, who answers for the first candidate. `second`: whether there is another. */
static void search(const struct row *row, int second)
{
    char path[600];
    ps_error *error = NULL;
    ps_child *child = NULL;
    ps_command *command = command_for("exit_with", "7", NULL);
    snprintf(path, sizeof path, "/nonexistent/first:%s", second ? HELPER_DIR : "/nonexistent/second");
    CHECK_OK(ps_command_env(command, "PATH", path, &error), error);
    inject_begin();
    ps_status status = ps_spawn(NULL, command, &child, &error);
    inject_end();
    if (second && row->goes_on) {
        CHECK_OK(status, error);
        CHECK_INT(reap(child).code, 7);
        ps_child_free(child);
    } else {
        CHECK(status != PS_OK);
        CHECK_STR(ps_error_step(error), "exec");
        CHECK_INT(ps_error_errno(error), second ? row->number : row->in_the_end);
        ps_error_free(error);
    }
    ps_command_free(command);
}

static void under_the_tracer(const char *self, size_t i, const char *second)
{
    char number[16];
    snprintf(number, sizeof number, "%zu", i);
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        execl(helper_path("inject"), "inject", "--nth", "1", "--in", "child", "--call", "execve", "--errno", table[i].name, "--report",
              "/dev/null", "--", self, number, second, NULL);
        _exit(126);
    }
    int status = wait_for(pid);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
        SKIP("tracing is not permitted here");
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        harness_fail(__FILE__, __LINE__, "%s, second candidate there: %s: status 0x%x", table[i].name, second, (unsigned)status);
}

int main(int argc, char **argv)
{
    if (argc > 2) {
        warm_up();
        search(&table[atoi(argv[1])], atoi(argv[2]));
        return 0;
    }
    char self[512] = "";
    CHECK(readlink("/proc/self/exe", self, sizeof self - 1) > 0);
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        under_the_tracer(self, i, "1");
        under_the_tracer(self, i, "0");
    }
    return 0;
}
