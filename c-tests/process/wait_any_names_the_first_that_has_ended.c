/* ps_wait_any tells the first of the list that has ended, whether it was reaped already or is a zombie that nobody has looked at; takes nothing; and
   answers PS_ERR_TIMEOUT while none has, also at once. A list may name a child twice; a handle that is none is named by its place. */
/* variants: few */
#include "harness.h"
#include "children.h"

static size_t any_of(ps_child *const *list, size_t n)
{
    size_t index = 99;
    ps_error *error = NULL;
    CHECK_OK(ps_wait_any(list, n, PATIENCE_MS, &index, &error), error);
    return index;
}

static bool is_zombie(ps_child *child)
{
    return wait_until(process_state(pid_of(child)) == 'Z', 20000);
}

int main(void)
{
    ps_error *error = NULL;
    size_t index = 99;
    ps_child *list[5];
    warm_up();
    leak_guard guard = leak_guard_begin();
    for (int i = 0; i < 5; i++)
        list[i] = spawn_once(NULL, pausing());
    CHECK_ERROR(ps_wait_any(list, 5, 0, &index, &error), PS_ERR_TIMEOUT, &error);
    CHECK_STR(ps_error_step(error), "wait");
    ps_error_free(error);
    int64_t start = now_ms();
    CHECK_STATUS(ps_wait_any(list, 5, 30, &index, NULL), PS_ERR_TIMEOUT);
    CHECK(now_ms() - start >= 29);
    CHECK_INT(index, 99);

    /* one is reaped, and one before it a zombie */
    CHECK_STATUS(ps_signal(list[3], SIGKILL, NULL), PS_OK);
    CHECK_INT(any_of(list, 5), 3);
    CHECK_INT(state_of(list[3]), PS_STATE_EXITED);
    CHECK_STATUS(ps_signal(list[1], SIGKILL, NULL), PS_OK);
    CHECK(is_zombie(list[1]));
    CHECK_INT(any_of(list, 5), 1);
    CHECK_INT(any_of(list, 5), 1); /* nothing was taken */
    CHECK_INT(any_of(list + 2, 3), 1);

    /* zombies alone, and no time */
    CHECK_STATUS(ps_signal(list[0], SIGTERM, NULL), PS_OK);
    CHECK(is_zombie(list[0]));
    CHECK_OK(ps_wait_any(list, 1, 0, &index, &error), error);
    CHECK_INT(index, 0);
    CHECK_INT(reap(list[0]).signal, SIGTERM);
    CHECK_INT(any_of(list, 5), 0); /* reaped: it has ended, for good */

    ps_child *twice[] = {list[4], list[2], list[4], list[2]};
    CHECK_STATUS(ps_wait_any(twice, 4, 0, &index, NULL), PS_ERR_TIMEOUT);
    CHECK_STATUS(ps_signal(list[2], SIGKILL, NULL), PS_OK);
    CHECK_INT(any_of(twice, 4), 1);

    ps_child_free(list[2]);
    CHECK_ERROR(ps_wait_any(list, 5, -1, &index, &error), PS_ERR_BAD_HANDLE, &error);
    CHECK(strstr(ps_error_message(error), "children[2]"));
    ps_error_free(error);
    list[2] = NULL;
    CHECK_ERROR(ps_wait_all(list, 5, -1, &error), PS_ERR_BAD_HANDLE, &error);
    CHECK(strstr(ps_error_message(error), "children[2]"));
    ps_error_free(error);
    CHECK_STATUS(ps_wait_any(NULL, 1, 0, &index, NULL), PS_ERR_INVALID_ARGUMENT);
    CHECK_STATUS(ps_wait_any(list, 1, 0, NULL, NULL), PS_ERR_INVALID_ARGUMENT);

    CHECK_STATUS(ps_signal(list[4], SIGKILL, NULL), PS_OK);
    reap(list[4]);
    for (int i = 0; i < 5; i++)
        ps_child_free(list[i]);
    leak_guard_end(&guard);
    return 0;
}
