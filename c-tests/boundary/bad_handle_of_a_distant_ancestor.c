/* A host that forks itself again and again, each copy using the library: a handle of any generation before is told as FORKED, also where
   a count of 2048 comes round. Each copy makes the same object in the same place. */
/* covers: F29, LAW-6 */
/* variants: none */
/* timeout: 120 */
#include "harness.h"
#include "children.h"

#include <sys/prctl.h>

enum { GENERATIONS = 2100 };

static void live(ps_command *first, int generation, int done)
{
    ps_command *own = NULL;
    CHECK_STATUS(ps_command_arg(first, "x", NULL), generation ? PS_ERR_FORKED : PS_OK);
    if (generation)
        CHECK_STATUS(ps_command_new("x", &own, NULL), PS_OK);
    CHECK(own != first);
    CHECK_STATUS(ps_command_arg(first, "x", NULL), generation ? PS_ERR_FORKED : PS_OK);
    if (generation == GENERATIONS && write(done, "x", 1) != 1)
        _exit(1);
}

int main(void)
{
    int done[2];
    ps_command *first = NULL;
    CHECK(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0 && pipe2(done, O_CLOEXEC) == 0);
    CHECK_STATUS(ps_command_new("x", &first, NULL), PS_OK);
    live(first, 0, done[1]);
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0)
        for (int generation = 1;; generation++) {
            live(first, generation, done[1]);
            if (generation == GENERATIONS)
                _exit(0);
            pid = fork();
            CHECK(pid >= 0);
            if (pid > 0)
                _exit(0);
        }
    close(done[1]);
    int status;
    while ((pid = waitpid(-1, &status, 0)) > 0 || errno == EINTR)
        CHECK(pid < 0 || (WIFEXITED(status) && WEXITSTATUS(status) == 0));
    char byte;
    CHECK(read(done[0], &byte, 1) == 1);
    ps_command_free(first);
    return 0;
}
