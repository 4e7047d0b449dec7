/* A full descriptor table gives LIMIT with EMFILE, nothing is started and nothing leaks; with room again the same command works. */
/* covers: EV-23 */
/* variants: not valgrind: it needs descriptors itself */
#include "harness.h"
#include "children.h"

int main(void)
{
    warm_up();
    ps_command *command = exiting("0");
    for (int stream = 0; stream < 3; stream++)
        set_stdio(command, stream, PS_STDIO_PIPE, -1);
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = 200;
    CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
    int filler[256], n = 0;
    while ((filler[n] = open("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0)
        n++;
    CHECK_INT(errno, EMFILE);

    /* from no free descriptor to a few: each count must fail cleanly or work completely */
    int worked = 0;
    for (int free_ones = 0; free_ones < 16; free_ones++) {
        ps_child *child = NULL;
        ps_error *error = NULL;
        ps_status status = ps_spawn(NULL, command, &child, &error);
        if (status == PS_OK) {
            worked = 1;
            reap_and_free(child);
        } else {
            CHECK(!worked);
            CHECK_STATUS(status, PS_ERR_LIMIT);
            CHECK_INT(ps_error_errno(error), EMFILE);
            ps_error_free(error);
        }
        CHECK(ps_live_count() == 0 && has_no_child());
        /* what was free is free again, not one more and not one less */
        int now_free[32], count = 0;
        while (count < 32 && (now_free[count] = open("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0)
            count++;
        CHECK_INT(count, free_ones);
        while (count > 0)
            close(now_free[--count]);
        close(filler[--n]);
    }
    CHECK(worked);
    ps_command_free(command);
    return 0;
}
