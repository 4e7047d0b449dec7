/* Worker, child and supervisor are freed in every order, ready or not: the process goes with its supervisor and not before, but for its input, which is
   closed with the last handle of its child; and nothing is left. */
/* covers: LAW-6, LAW-12 */
#include "direct.h"

static void in_this_order(const char *order, bool ready)
{
    ps_error *error = NULL;
    ps_supervisor *supervisor = supervisor_new();
    ps_command *command = ready ? serving() : app("hang", NULL);
    ps_worker *worker = ready ? direct(supervisor, command) : direct_begin(supervisor, command);
    ps_child *child = NULL;
    int32_t pid = 0;
    ps_command_free(command);
    if (strchr(order, 'c')) {
        child = child_of(worker);
        CHECK(child_of(worker) == child);
        CHECK_OK(ps_child_pid(child, &pid, &error), error);
    }
    for (; *order; order++) {
        CHECK(!pid || strchr(order, 's') == NULL || !strchr(order, 'c') || !process_gone(pid));
        switch (*order) {
        case 'w': ps_worker_free(worker); break;
        case 'c': ps_child_free(child); break;
        default: ps_supervisor_free(supervisor);
        }
    }
    if (pid)
        CHECK(wait_until(process_gone(pid), 10000));
    CHECK_STATUS(ps_worker_wait(worker, 0, NULL), PS_ERR_BAD_HANDLE);
    NOTHING_IS_LEFT();
}

static ps_worker *inherited;

static int in_the_copy(void)
{
    uint32_t count = 0;
    int32_t fd = -1;
    size_t needed = 0;
    ps_child *child = NULL;
    bool all = ps_worker_wait(inherited, 0, NULL) == PS_ERR_FORKED && ps_worker_socket_count(inherited, &count, NULL) == PS_ERR_FORKED
               && ps_worker_stdin(inherited, &fd, NULL) == PS_ERR_FORKED && ps_worker_child(inherited, &child, NULL) == PS_ERR_FORKED
               && ps_worker_journey(inherited, PS_RENDER_TEXT, NULL, 0, &needed, NULL) == PS_ERR_FORKED;
    ps_worker_free(inherited);
    return all ? 0 : 1;
}

int main(void)
{
    warm_up_direct();
    ps_supervisor_free(supervisor_new());
    leak_guard guard = leak_guard_begin();
    const char *const orders[] = {"wcs", "wsc", "cws", "csw", "swc", "scw", "ws", "sw"};
    for (size_t i = 0; i < sizeof orders / sizeof *orders; i++) {
        in_this_order(orders[i], i % 2 == 0);
        in_this_order(orders[i], i % 2 != 0);
    }
    leak_guard_end(&guard);

    /* A forked copy owns nothing: neither the process nor its directory. */
    ps_command *command = serving();
    inherited = direct(NULL, command);
    struct ps_worker_socket at = socket_of(inherited, 0);
    pid_t copy = fork();
    if (copy == 0)
        _exit(in_the_copy());
    int status = 0;
    CHECK(waitpid(copy, &status, 0) == copy && status == 0);
    CHECK(access(at.address + strlen("unix:"), F_OK) == 0);
    end(inherited);
    ps_command_free(command);
    NOTHING_IS_LEFT();
    return 0;
}
