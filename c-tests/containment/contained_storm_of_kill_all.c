/* timeout: 120 */
/* variants: only tier-clone, tier-fork: EPERM of clone3 leaves no threads */
/* Contained children are made while another thread kills everybody: an init that is killed between its clone and its exec leaves a program behind that
   still runs in the host's memory. Each spawn comes back, nobody is left, and the host lives. */
#include "harness.h"
#include "contained.h"

static int over;

static void *make(void *missing)
{
    for (int i = 0; i < 50; i++) {
        ps_command *command = missing ? contained(command_for("/no/such/program", NULL)) : contained(exiting("3"));
        ps_child *child = NULL;
        ps_error *error = NULL;
        ps_status status = ps_spawn(NULL, command, &child, &error);
        ps_command_free(command);
        if (status != PS_OK) {
            if (!missing || ps_error_errno(error) != ENOENT)
                harness_print_error(error);
            CHECK(missing && ps_error_errno(error) == ENOENT);
            ps_error_free(error);
            continue;
        }
        ps_exit end = reap(child);
        bool killed = end.kind == PS_EXIT_SIGNALED && end.signal == SIGKILL && end.cause == PS_CAUSE_KILL_ALL;
        if (!killed && (missing || end.kind != PS_EXIT_EXITED || end.code != 3))
            harness_fail(__FILE__, __LINE__, "kind %d code %d signal %d cause %d", end.kind, end.code, end.signal, end.cause);
        ps_child_free(child);
    }
    return NULL;
}

static void *kill_all(void *unused)
{
    while (!__atomic_load_n(&over, __ATOMIC_ACQUIRE)) {
        CHECK_STATUS(ps_kill_and_reap_all(PATIENCE_MS, NULL), PS_OK);
        let_others_run(200);
    }
    return unused;
}

static void all(void)
{
    pthread_t making[2], killing;
    thread_start(&making[0], make, NULL);
    thread_start(&making[1], make, "missing");
    thread_start(&killing, kill_all, NULL);
    pthread_join(making[0], NULL);
    pthread_join(making[1], NULL);
    __atomic_store_n(&over, 1, __ATOMIC_RELEASE);
    pthread_join(killing, NULL);
    CHECK(ps_live_count() == 0 && has_no_child());
}

int main(void)
{
    need_contained();
    as_root_and_as_nobody(all);
    return 0;
}
