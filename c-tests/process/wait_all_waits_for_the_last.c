/* ps_wait_all answers when the last of the list has ended, in whatever order they do; before that it is PS_ERR_TIMEOUT, which names one that has
   not. */
/* variants: few */
#include "harness.h"
#include "children.h"

enum { MANY = 8 };

static ps_child *list[MANY];
static _Atomic bool ends;

static void *end_backwards(void *unused)
{
    (void)unused;
    for (int i = MANY - 1; i >= 0; i--) {
        ends = i == 0;
        CHECK_STATUS(ps_signal(list[i], SIGKILL, NULL), PS_OK);
        let_others_run(500);
    }
    return NULL;
}

int main(void)
{
    ps_error *error = NULL;
    pthread_t thread;
    for (int i = 0; i < MANY; i++)
        list[i] = spawn_once(NULL, pausing());
    for (int i = 0; i < 3; i++)
        CHECK_STATUS(ps_signal(list[i], SIGKILL, NULL), PS_OK);
    CHECK_ERROR(ps_wait_all(list, MANY, 20, &error), PS_ERR_TIMEOUT, &error);
    char named[64];
    snprintf(named, sizeof named, "process %d ", (int)pid_of(list[3]));
    CHECK(strstr(ps_error_message(error), named));
    ps_error_free(error);
    error = NULL;
    CHECK_OK(ps_wait_all(list, 3, PATIENCE_MS, &error), error);
    for (int i = 0; i < 3; i++) {
        CHECK_INT(reap(list[i]).signal, SIGKILL);
        ps_child_free(list[i]);
        list[i] = spawn_once(NULL, pausing());
    }

    thread_start(&thread, end_backwards, NULL);
    CHECK_OK(ps_wait_all(list, MANY, PATIENCE_MS, &error), error);
    CHECK(ends);
    pthread_join(thread, NULL);
    for (int i = 0; i < MANY; i++) {
        CHECK_INT(state_of(list[i]), PS_STATE_EXITED);
        ps_child_free(list[i]);
    }
    CHECK(has_no_child());
    return 0;
}
