/* A list of hundreds: the one that ends is found, the wait costs no processor time, and no descriptors; also where the host has lowered its limit of
   descriptors below their number, so that poll(2) refuses them. */
/* variants: none */
#include "harness.h"
#include "children.h"

enum { MANY = 300 };

static int64_t cpu_us(void)
{
    struct rusage used;
    CHECK(getrusage(RUSAGE_SELF, &used) == 0);
    return (used.ru_utime.tv_sec + used.ru_stime.tv_sec) * INT64_C(1000000) + used.ru_utime.tv_usec + used.ru_stime.tv_usec;
}

int main(void)
{
    static ps_child *list[MANY];
    size_t index = 99;
    ps_error *error = NULL;
    struct rlimit limit;
    CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0);
    if (limit.rlim_max < 2 * MANY)
        SKIP("too few descriptors may be open here");
    rlim_t soft = limit.rlim_cur;
    limit.rlim_cur = soft < 2 * MANY ? 2 * MANY : soft;
    CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
    warm_up();
    ps_command *command = helper_command("echo_fd", "0", NULL);
    int gate[2];
    CHECK(pipe2(gate, O_CLOEXEC) == 0);
    set_stdio(command, 0, PS_STDIO_FD, gate[0]);
    for (int i = 0; i < MANY; i++)
        list[i] = spawn(NULL, command);
    ps_command_free(command);
    CHECK_STATUS(ps_wait_any(list, MANY, 0, &index, NULL), PS_ERR_TIMEOUT); /* what the library keeps for waits is there now */

    int fds = count_fds();
    int64_t before = cpu_us(), start = now_ms();
    CHECK_STATUS(ps_wait_any(list, MANY, 150, &index, NULL), PS_ERR_TIMEOUT);
    CHECK(now_ms() - start >= 149);
    CHECK(cpu_us() - before < 50000 * slowness());
    CHECK_INT(count_fds(), fds);
    CHECK_STATUS(ps_signal(list[MANY - 1], SIGKILL, NULL), PS_OK);
    CHECK_OK(ps_wait_any(list, MANY, PATIENCE_MS, &index, &error), error);
    CHECK_INT(index, MANY - 1);

    limit.rlim_cur = 40;
    CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
    before = cpu_us(), start = now_ms();
    CHECK_STATUS(ps_wait_any(list, MANY - 1, 60, &index, NULL), PS_ERR_TIMEOUT);
    CHECK(now_ms() - start >= 59);
    CHECK(cpu_us() - before < 50000 * slowness());
    CHECK_STATUS(ps_signal(list[MANY / 2], SIGKILL, NULL), PS_OK);
    CHECK_OK(ps_wait_any(list, MANY - 1, PATIENCE_MS, &index, &error), error);
    CHECK_INT(index, MANY / 2);
    limit.rlim_cur = soft < 2 * MANY ? 2 * MANY : soft;
    CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);

    close(gate[0]);
    close(gate[1]); /* all others end */
    CHECK_OK(ps_wait_all(list, MANY, PATIENCE_MS, &error), error);
    for (int i = 0; i < MANY; i++) {
        CHECK_INT(reap(list[i]).kind, i == MANY - 1 || i == MANY / 2 ? PS_EXIT_SIGNALED : PS_EXIT_EXITED);
        ps_child_free(list[i]);
    }
    return 0;
}
