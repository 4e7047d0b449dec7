/* However few descriptors are left, a worker comes to be or it is a typed error, and nothing is left of it. */
/* covers: LAW-12, LAW-17 */
/* variants: few */
#include "direct.h"

int main(void)
{
    warm_up_direct();
    ps_command *command = serving();
    leak_guard guard = leak_guard_begin();
    int first = open("/dev/null", O_RDONLY | O_CLOEXEC), came = 0;
    close(first);
    struct rlimit limit, few;
    CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0);
    for (int more = 0; more < 48 && came < 3; more++) {
        few = (struct rlimit){(rlim_t)(first + more), limit.rlim_max};
        CHECK(setrlimit(RLIMIT_NOFILE, &few) == 0);
        ps_worker *worker = NULL;
        ps_error *error = NULL;
        ps_status status = ps_spawn_direct(NULL, command, PATIENCE_MS, &worker, &error);
        CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
        if (status == PS_OK) {
            end(worker);
            came++;
        } else {
            if (status != PS_ERR_LIMIT)
                harness_fail_status(__FILE__, __LINE__, "with few descriptors", status, PS_ERR_LIMIT, error);
            ps_error_free(error);
        }
        NOTHING_IS_LEFT();
        leak_guard_end(&guard);
    }
    CHECK_INT(came, 3);
    ps_command_free(command);
    return 0;
}
