/* A wait for a child ends when the child does: stopped, killed with all others, with its supervisor shut down or freed; and a handle that is
   freed meanwhile changes nothing. */
/* covers: C13-3 */
#include "harness.h"

#include "ready.h"
#include "supervising.h"

static ps_supervisor *supervisor;
static ps_child *child;
static ps_status answer;
static _Atomic bool waits_now;

static void *waits(void *unused)
{
    (void)unused;
    waits_now = true;
    answer = ps_wait_ready(child, 60000, NULL);
    return NULL;
}

static void by_free(void) { ps_supervisor_free(supervisor), supervisor = NULL; }
static void by_shutdown(void) { ps_supervisor_shutdown(supervisor, 0, NULL); }
static void by_terminate(void) { ps_terminate_begin(child, 0, NULL); }
static void by_kill_all(void) { ps_kill_and_reap_all(60000, NULL); }
static void by_signal(void) { ps_signal(child, SIGKILL, NULL); }

int main(void)
{
    ps_error *error = NULL;
    struct kind_case cases[KIND_CASES];
    warm_up();
    static void (*const ends[])(void) = {by_free, by_shutdown, by_terminate, by_kill_all, by_signal};
    kind_cases(cases, "socket");
    for (int i = 0; i < KIND_CASES; i++) {
        for (int e = 0; e < 5; e++) {
            pthread_t thread;
            CHECK_OK(ps_supervisor_new(&supervisor, &error), error);
            child = spawn_in(supervisor, ready_command(cases[i].kind, cases[i].detail, -1, "pause", NULL));
            waits_now = false;
            thread_start(&thread, waits, NULL);
            CHECK(wait_until(waits_now, 30000));
            let_others_run(e * 500);
            ends[e]();
            pthread_join(thread, NULL);
            CHECK_INT(answer, PS_ERR_EXITED);
            ps_child_free(child);
            ps_supervisor_free(supervisor);
        }
        /* The handle goes; who waits goes on. */
        int gate[2];
        pthread_t thread;
        CHECK(pipe2(gate, O_CLOEXEC) == 0);
        CHECK_OK(ps_supervisor_new(&supervisor, &error), error);
        ps_command *command = ready_command(cases[i].kind, cases[i].detail, -1, "gate:9", cases[i].action, "pause", NULL);
        CHECK_OK(ps_command_pass_fd(command, gate[0], 9, &error), error);
        child = spawn_in(supervisor, command);
        thread_start(&thread, waits, NULL);
        let_others_run(2000);
        ps_child_free(child);
        close(gate[1]);
        close(gate[0]);
        pthread_join(thread, NULL);
        CHECK(answer == PS_OK || answer == PS_ERR_BAD_HANDLE);
        ps_supervisor_free(supervisor);
    }
    return 0;
}
