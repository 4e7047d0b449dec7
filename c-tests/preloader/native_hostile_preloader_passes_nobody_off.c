/* A preloader that lies: who speaks at a gate is who the kernel says, and must be the preloader's newborn. What it writes neither blocks the host nor
   is believed. */
/* covers: C15-1, FS-7, FS-12, LAW-17, LAW-2 */
/* variants: few */
#include "native.h"

static void rejected(const char *mode, ps_status status, const char *step)
{
    place p = native_begin(mode, -1);
    ps_error *error = spawn_refused(&p, PATIENCE_MS, status);
    CHECK_STR(ps_error_step(error), step);
    ps_error_free(error);
    CHECK_INT(logged(&p, "go", NULL), 0);
    place_end(&p);
}

/* What it says is beside the point: the worker is who has spoken. */
static void ignored(const char *mode)
{
    place p = native_begin(mode, -1);
    ps_worker *worker = smart_worker(&p);
    pid_t pid = -1;
    CHECK(logged(&p, "worker", &pid) == 1);
    CHECK_INT(info_of(worker).pid, pid);
    end_native(worker);
    place_end(&p);
}

int main(void)
{
    rejected("hello-itself", PS_ERR_PEER_REJECTED, "NATIVE_PROOF");
    rejected("hello-is-ready", PS_ERR_PROTOCOL, "NATIVE_PROOF");
    rejected("worker-version", PS_ERR_PROTOCOL, "NATIVE_PROOF");
    rejected("refuse-oddly", PS_ERR_PROTOCOL, "NATIVE_FORK");
    ignored("keeps-the-end");
    ignored("garbage");
    ignored("spam-worker");
    if (can_keep_strangers()) {
        rejected("hello-of-another", PS_ERR_PEER_REJECTED, "NATIVE_PROOF");
        ignored("names-its-parent");
        ignored("names-itself");
        ignored("does-not-name");
        ignored("libc-spam");
    }

    /* It never stops talking. */
    place p = native_begin("flood", -1);
    ps_error *error = spawn_refused(&p, 500, PS_ERR_TIMEOUT);
    ps_error_free(error);
    place_end(&p);

    /* It hears nothing, and is killed. */
    p = native_begin("deaf", 0);
    end_native(smart_worker(&p));
    CHECK_OK(ps_preloader_stop(p.preloader, 50, &error), error);
    CHECK_INT(preloader_pid(&p), 0);
    place_end(&p);
}
