/* serial */
/* A handle freed in one thread while others use it: BAD_HANDLE from then on, never a crash, never another child's answer. */
/* variants: few: a handle does not know how its child was made */
#include "harness.h"
#include "children.h"

static ps_child *handle;
static int stop;

static void *use(void *unused)
{
    while (!__atomic_load_n(&stop, __ATOMIC_ACQUIRE)) {
        ps_child *child = __atomic_load_n(&handle, __ATOMIC_ACQUIRE);
        int32_t number = 0;
        ps_status status = ps_child_state(child, &number, NULL);
        CHECK(status == PS_OK || status == PS_ERR_BAD_HANDLE);
        status = ps_signal(child, 0, NULL);
        CHECK(status == PS_OK || status == PS_ERR_BAD_HANDLE || status == PS_ERR_EXITED);
        status = ps_reap(child, 1, NULL, NULL);
        CHECK(status == PS_OK || status == PS_ERR_BAD_HANDLE || status == PS_ERR_TIMEOUT);
    }
    return unused;
}

int main(void)
{
    handle = spawn_once(NULL, exiting("0"));
    pthread_t thread[3];
    for (int i = 0; i < 3; i++)
        thread_start(&thread[i], use, NULL);
    for (int i = 0; i < 300; i++) {
        ps_child *old = handle;
        __atomic_store_n(&handle, spawn_once(NULL, exiting("0")), __ATOMIC_RELEASE);
        ps_child_free(old);
    }
    __atomic_store_n(&stop, 1, __ATOMIC_RELEASE);
    for (int i = 0; i < 3; i++)
        pthread_join(thread[i], NULL);
    ps_child_free(handle);
    CHECK_STATUS(ps_kill_and_reap_all(PATIENCE_MS, NULL), PS_OK);
    return 0;
}
