/* Paths that cannot be: too long, in no directory, empty, a directory; a lock that somebody holds who does not listen; and no
   descriptor or file is left of any. */
#include "harness.h"
#include "handoff.h"

#include <sys/file.h>

static void refused(const char *path, ps_status expected)
{
    ps_handoff *handoff = (ps_handoff *)(uintptr_t)0x5a5a;
    ps_error *error = NULL;
    CHECK_ERROR(ps_handoff_new(path, &handoff, &error), expected, &error);
    CHECK(handoff == (ps_handoff *)(uintptr_t)0x5a5a);
    CHECK(strlen(ps_error_message(error)) > 0);
    ps_error_free(error);
}

int main(void)
{
    char path[300];
    ps_handoff *handoff = NULL;
    ps_error *error = NULL;
    stage_begin();
    warm_up();
    leak_guard guard = leak_guard_begin();
    CHECK_STATUS(ps_handoff_new(NULL, &handoff, NULL), PS_ERR_INVALID_ARGUMENT);
    CHECK_STATUS(ps_handoff_new(stage.path, NULL, NULL), PS_ERR_INVALID_ARGUMENT);
    refused("", PS_ERR_INVALID_ARGUMENT);
    refused("/", PS_ERR_INVALID_ARGUMENT);
    memset(path, 'x', sizeof path);
    memcpy(path, stage.dir, strlen(stage.dir));
    path[strlen(stage.dir)] = '/';
    path[108] = 0;
    refused(path, PS_ERR_INVALID_ARGUMENT);
    refused("/nonexistent/directory/control", PS_ERR_NOT_FOUND);
    refused(stage.dir, PS_ERR_INVALID_ARGUMENT); /* a directory */
    snprintf(path, sizeof path, "%s.lock", stage.dir);
    CHECK(!exists(path)); /* nothing was made beside it */
    leak_guard_end(&guard);

    /* as long as it may be */
    memset(path, 'x', sizeof path);
    memcpy(path, stage.dir, strlen(stage.dir));
    path[strlen(stage.dir)] = '/';
    path[107] = 0;
    CHECK_OK(ps_handoff_new(path, &handoff, &error), error);
    CHECK(exists(path));
    ps_handoff_free(handoff);
    CHECK(!exists(path));
    strcat(path, ".lock");
    CHECK(unlink(path) == 0);

    /* somebody has the lock, and does not listen */
    int lock = open(stage.lock, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    CHECK(lock >= 0 && flock(lock, LOCK_EX | LOCK_NB) == 0);
    guard = leak_guard_begin();
    int64_t start = now_ms();
    refused(stage.path, PS_ERR_LOCKED);
    CHECK(now_ms() - start < 4000 * slowness());
    leak_guard_end(&guard);
    close(lock);
    guard = leak_guard_begin();
    CHECK_OK(ps_handoff_new(stage.path, &handoff, &error), error);

    /* a listener that says nothing is waited for 5 seconds; this one is ours, and we do not look after it */
    ps_handoff *other = NULL;
    start = now_ms();
    CHECK_STATUS(ps_handoff_new(stage.path, &other, NULL), PS_ERR_TIMEOUT);
    CHECK(now_ms() - start >= 4500 && now_ms() - start < 8000 * slowness());
    ps_handoff_free(handoff);
    leak_guard_end(&guard);
    stage_end();
    return 0;
}
