/* Children that fail before their exec are reaped by the spawn itself; kill_and_reap_all of other threads meets them at that very moment. Each
   spawn must still come back: with its true error, or, if the kill was faster than the failure, with a child that died of it. */
/* serial */
/* timeout: 120 */
/* variants: only tier-fork, no-close_range, asan: it takes long, and valgrind does not survive a failed exec */
#include "harness.h"
#include "children.h"

static ps_command *missing;
static int over;

static void *fail(void *unused)
{
    for (int i = 0; i < 3000; i++) {
        ps_child *child = NULL;
        ps_error *error = NULL;
        if (ps_spawn(NULL, missing, &child, &error) == PS_OK) {
            ps_exit end = reap(child);
            if (end.signal != SIGKILL || end.cause != PS_CAUSE_KILL_ALL)
                harness_fail(__FILE__, __LINE__, "kind %d code %d signal %d cause %d", end.kind, end.code, end.signal, end.cause);
            ps_child_free(child);
            continue;
        }
        CHECK_INT(ps_error_status(error), PS_ERR_NOT_FOUND);
        CHECK_INT(ps_error_errno(error), ENOENT);
        ps_error_free(error);
    }
    return unused;
}

static void *kill_all(void *unused)
{
    while (!__atomic_load_n(&over, __ATOMIC_ACQUIRE))
        CHECK_STATUS(ps_kill_and_reap_all(PATIENCE_MS, NULL), PS_OK);
    return unused;
}

int main(void)
{
    missing = command_for("/nonexistent/program", NULL);
    pthread_t failing[2], killing[2];
    for (int i = 0; i < 2; i++)
        thread_start(&failing[i], fail, NULL);
    for (int i = 0; i < 2; i++)
        thread_start(&killing[i], kill_all, NULL);
    for (int i = 0; i < 2; i++)
        pthread_join(failing[i], NULL);
    __atomic_store_n(&over, 1, __ATOMIC_RELEASE);
    for (int i = 0; i < 2; i++)
        pthread_join(killing[i], NULL);
    CHECK(ps_live_count() == 0 && has_no_child());
    return 0;
}
