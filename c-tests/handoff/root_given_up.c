/* A generation that gives up its root directory (chroot(2)) after ps_handoff_new keeps its lock: what lies at the same name below the new root says
   nothing of its files. It is taken over from outside, by one that gives up its root as well, and no cold start comes beside it. There is no /proc below it, by which a process is known before Linux 6.5. */
/* covers: F30, F31 */
/* as-root */
#include "harness.h"
#include "bare_handoff.h"
#include "children.h"

#include <sys/stat.h>

static char path[256], jail[256];

static int successor(void)
{
    ps_handoff *handoff = NULL;
    ps_error *error = NULL;
    alarm(100);
    CHECK_OK(ps_handoff_new(path, &handoff, &error), error);
    CHECK(chroot(jail) == 0 && chdir("/") == 0);
    takes_over(handoff);
    ps_handoff_event event = {.size = sizeof event};
    CHECK_STATUS(ps_handoff_next_event(handoff, 300, &event, NULL), PS_PENDING); /* an owner, which looks after its files */
    CHECK(access(path, F_OK) != 0);
    ps_handoff_free(handoff);
    return 0;
}

int main(void)
{
    int status;
    char below[600];
    ps_handoff *handoff = NULL;
    ps_error *error = NULL;
    snprintf(jail, sizeof jail, "%s", temp_dir());
    for (int has_the_name = 0; has_the_name < 2; has_the_name++) {
        snprintf(path, sizeof path, "%s/control", temp_dir());
        if (has_the_name) {
            for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
                snprintf(below, sizeof below, "%s%.*s", jail, (int)(slash - path), path);
                CHECK(mkdir(below, 0700) == 0 || errno == EEXIST);
            }
        }
        pid_t owner = fork();
        CHECK(owner >= 0);
        if (owner == 0) {
            alarm(100);
            CHECK_OK(ps_handoff_new(path, &handoff, &error), error);
            CHECK_OK(ps_handoff_set_timeout(handoff, PS_HANDOFF_TIMEOUT_PROBATION, 50, &error), error);
            goes_live(handoff);
            pid_t next = fork();
            CHECK(next >= 0);
            if (next == 0) {
                ps_handoff_free(handoff);
                _exit(successor());
            }
            CHECK(chroot(jail) == 0 && chdir("/") == 0);
            hands_over(handoff);
            ps_handoff_free(handoff);
            CHECK(waitpid(next, &status, 0) == next && WIFEXITED(status));
            _exit(WEXITSTATUS(status));
        }
        CHECK(waitpid(owner, &status, 0) == owner && WIFEXITED(status));
        CHECK_INT(WEXITSTATUS(status), 0);
    }
    return 0;
}
