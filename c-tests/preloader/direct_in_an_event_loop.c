/* Workers begun in an event loop that is told by edges alone and calls nothing that blocks: each is told to have started, and then either to be ready or to
   have failed, behind its end; and what failed is known by then. */
/* covers: PA-50, PA-92, LAW-4 */
#include "direct.h"

#include <sys/epoll.h>

int main(void)
{
    ps_error *error = NULL;
    warm_up();
    ps_supervisor *supervisor = supervisor_new();
    ps_command *good = serving(), *bad = app("say=no\\n", "finish=0", "hang", NULL), *dead = app("exit=9", NULL);
    ps_worker *worker[3] = {direct_begin(supervisor, good), direct_begin(supervisor, bad), direct_begin(supervisor, dead)};
    ps_child *child[3];
    for (int i = 0; i < 3; i++)
        child[i] = child_of(worker[i]);
    int32_t fd = -1, started = 0, exited = 0, told = 0;
    CHECK_OK(ps_supervisor_fd(supervisor, &fd, &error), error);
    int loop = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event one = {.events = EPOLLIN | EPOLLET};
    CHECK(loop >= 0 && epoll_ctl(loop, EPOLL_CTL_ADD, fd, &one) == 0);
    while (told < 3) {
        ps_event event = {.size = sizeof event};
        ps_status status;
        while ((status = ps_supervisor_next_event(supervisor, 0, &event, &error)) == PS_OK) {
            int which = event.child == child[0] ? 0 : event.child == child[1] ? 1 : 2;
            CHECK(event.child == child[which]);
            started += event.kind == PS_EVENT_STARTED;
            exited |= event.kind == PS_EVENT_EXITED ? 1 << which : 0;
            if (event.kind == PS_EVENT_EXITED && which == 1)
                CHECK_INT(event.exit.cause, PS_CAUSE_NOT_READY);
            if (event.kind == PS_EVENT_READY) {
                CHECK_INT(which, 0);
                CHECK_OK(ps_worker_wait(worker[0], 0, &error), error);
                CHECK(socket_of(worker[0], 0).accepts_http == 1);
                told++;
            }
            if (event.kind == PS_EVENT_FAILED) {
                CHECK(exited & 1 << which);
                CHECK_INT(event.status, which == 1 ? PS_ERR_ABORTED : PS_ERR_EXITED);
                ps_error *why = NULL;
                CHECK_ERROR(ps_worker_wait(worker[which], 0, &why), event.status, &why);
                CHECK(says(why, which == 1 ? "no" : "code 9"));
                ps_error_free(why);
                told++;
            }
        }
        CHECK_STATUS(status, PS_PENDING);
        if (told < 3)
            CHECK(epoll_wait(loop, &one, 1, PATIENCE_MS) == 1);
    }
    CHECK(started == 3 && exited == 6);
    close(loop);
    end(worker[0]);
    for (int i = 1; i < 3; i++) {
        ps_worker_free(worker[i]);
        ps_child_free(child[i]);
    }
    ps_command_free(good), ps_command_free(bad), ps_command_free(dead);
    ps_supervisor_free(supervisor);
    NOTHING_IS_LEFT();
    return 0;
}
