/* serial */
/* A thread of the host runs waitpid(-1) all the time and steals what it can. 500 children, every end is told, and
   where the kernel keeps the status it is the true one. */
/* covers: LAW-3, SC-16, P5, P20 */
#include "harness.h"
#include "children.h"

enum { CHILDREN = 500, AT_ONCE = 25 };

static int stop;

static void *steal(void *stolen)
{
    while (!__atomic_load_n(&stop, __ATOMIC_ACQUIRE)) {
        int status;
        if (waitpid(-1, &status, WNOHANG) > 0)
            ++*(int *)stolen;
        else
            sched_yield();
    }
    return NULL;
}

int main(void)
{
    int stolen = 0, lost = 0;
    pthread_t thief;
    thread_start(&thief, steal, &stolen);

    for (int i = 0; i < CHILDREN; i += AT_ONCE) {
        ps_child *child[AT_ONCE];
        for (int k = 0; k < AT_ONCE; k++) {
            char code[8];
            snprintf(code, sizeof code, "%d", (i + k) % 250);
            child[k] = spawn_once(NULL, exiting(code));
        }
        for (int k = 0; k < AT_ONCE; k++) {
            ps_exit end = reap(child[k]);
            if (end.kind == PS_EXIT_LOST)
                lost++;
            else
                CHECK(end.kind == PS_EXIT_EXITED && end.code == (i + k) % 250);
            ps_child_free(child[k]);
        }
    }
    ps_supervisor *supervisor = supervisor_new();
    for (int i = 0; i < 2 * AT_ONCE; i++) { /* by a look, by events */
        ps_child *child = spawn_once(i % 2 ? supervisor : NULL, exiting("41"));
        ps_exit end = {.size = sizeof end};
        if (i % 2) {
            take_event(supervisor, PS_EVENT_STARTED);
            end = take_event(supervisor, PS_EVENT_EXITED).exit;
        } else {
            CHECK(wait_until(ps_reap_nonblock(child, &end, NULL) == PS_OK, 20000));
        }
        if (end.kind == PS_EXIT_LOST)
            lost++;
        else
            CHECK(end.kind == PS_EXIT_EXITED && end.code == 41);
        ps_child_free(child);
    }
    ps_supervisor_free(supervisor);
    ps_child *stopped = spawn_once(NULL, pausing());
    ps_exit end = terminate(stopped, 600000);
    CHECK(end.kind == PS_EXIT_LOST || end.signal == SIGTERM);
    lost += end.kind == PS_EXIT_LOST;
    ps_child_free(stopped);
    ps_command *missing = command_for("/nonexistent/program", NULL);
    for (int i = 0; i < 20 && !variant_is("valgrind"); i++) { /* a failed exec is no child: valgrind does not survive it */
        ps_error *error = spawn_fails(missing, PS_ERR_NOT_FOUND);
        CHECK_INT(ps_error_errno(error), ENOENT);
        ps_error_free(error);
    }
    ps_command_free(missing);
    __atomic_store_n(&stop, 1, __ATOMIC_RELEASE);
    pthread_join(thief, NULL);

    CHECK(stolen > 0);
    if (stolen_status_is_kept())
        CHECK(lost == 0);
    CHECK(ps_live_count() == 0 && has_no_child());
    return 0;
}
