/* systemd-tmpfiles cleans the directory of a living generation: it spares the control path, by whose name somebody listens, and the lock file, which
   bears the sticky bit, also one that an older version has made without it. */
/* covers: F30 */
/* variants: none */
#include "harness.h"
#include "handoff.h"

static bool clean(void)
{
    char rules[128], text[160];
    int status = -1;
    snprintf(rules, sizeof rules, "%s/rules", stage.dir);
    snprintf(text, sizeof text, "d %s/run 0700 - - 1us\n", stage.dir);
    write_file(rules, text, 0600);
    fflush(NULL);
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        execlp("systemd-tmpfiles", "systemd-tmpfiles", "--clean", rules, (char *)NULL);
        _exit(77);
    }
    CHECK(waitpid(pid, &status, 0) == pid);
    CHECK(unlink(rules) == 0);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

int main(void)
{
    char run[128], old[160];
    struct stat st;
    stage_begin();
    snprintf(run, sizeof run, "%s/run", stage.dir);
    snprintf(old, sizeof old, "%.100s/old", run);
    snprintf(stage.path, sizeof stage.path, "%.80s/c", run);
    snprintf(stage.lock, sizeof stage.lock, "%.80s/c.lock", run);
    CHECK(mkdir(run, 0700) == 0);
    for (int older = 0; older < 2; older++) {
        if (older) {
            CHECK(unlink(stage.lock) == 0);
            write_file(stage.lock, "", 0600);
        }
        party *o = first("in use");
        write_file(old, "nobody's", 0600);
        CHECK(lstat(stage.lock, &st) == 0);
        CHECK_INT(st.st_mode & 07777, 01600);
        if (!clean() || exists(old)) /* it is clean when what is nobody's is gone */
            SKIP("no systemd-tmpfiles that cleans");
        CHECK(exists(stage.path) && exists(stage.lock));
        leave_in_order(o);
    }
    CHECK(unlink(stage.lock) == 0 && rmdir(run) == 0);
    stage_end();
    return 0;
}
