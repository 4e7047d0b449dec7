/* Somebody removes lock file and control path as fast as they are made anew, and then leaves off: the owner has both again, also if they were removed
   while it made its watch. */
/* covers: F30 */
/* variants: only tier-fork, asan: where clone3 is EPERM, glibc starts no thread */
#include "harness.h"
#include "children.h"

#include <pthread.h>
#include <stdatomic.h>

static char path[128], lock[140];
static atomic_bool ends;

static void *remover(void *unused)
{
    unsigned seed = 1;
    (void)unused;
    while (!ends) {
        unlink(lock);
        unlink(path);
        usleep(rand_r(&seed) % 3000);
    }
    return NULL;
}

static void pump(ps_handoff *handoff, int ms)
{
    int64_t until = now_ms() + ms;
    while (now_ms() < until) {
        ps_handoff_event event = {.size = sizeof event};
        ps_status status = ps_handoff_next_event(handoff, 20, &event, NULL);
        CHECK(status == PS_PENDING || (status == PS_OK && event.kind == PS_HANDOFF_PATH_CHANGED));
    }
}

int main(void)
{
    pthread_t thread;
    ps_handoff *handoff = NULL;
    ps_error *error = NULL;
    ps_handoff_event event = {.size = sizeof event};
    snprintf(path, sizeof path, "%s/control", temp_dir());
    snprintf(lock, sizeof lock, "%s.lock", path);
    CHECK_OK(ps_handoff_new(path, &handoff, &error), error);
    CHECK_OK(ps_handoff_next_event(handoff, 0, &event, &error), error);
    CHECK_OK(ps_handoff_live(handoff, &error), error);
    for (int round = 0; round < 8; round++) {
        ends = false;
        CHECK(pthread_create(&thread, NULL, remover, NULL) == 0);
        pump(handoff, 250);
        ends = true;
        CHECK(pthread_join(thread, NULL) == 0);
        int64_t until = now_ms() + PATIENCE_MS;
        while (access(path, F_OK) != 0 || access(lock, F_OK) != 0) {
            CHECK(now_ms() < until);
            pump(handoff, 20);
        }
    }
    ps_handoff_free(handoff);
    unlink(lock);
    return 0;
}
