/* A daemon that closes all descriptors above 2 can never say that it is ready: told at once, and it is killed. But one that dies closes its
   descriptors before it is dead: that is its death. */
/* covers: C13-3, CO-s6-20 */
/* variants: few */
#include "harness.h"

#include "ready.h"

int main(void)
{
    ps_error *error = NULL;
    ps_supervisor *supervisor = NULL;
    ps_exit exit = {.size = sizeof exit};
    warm_up();
    CHECK_OK(ps_supervisor_new(&supervisor, &error), error);
    static const char *const closes[] = {"closefrom:3", "close:7"};
    for (int i = 0; i < 4; i++) {
        ps_child *child = spawn_in(i % 2 ? supervisor : NULL, ready_command(PS_READY_FD, "7", 600000, "bytes:7:100", closes[i / 2], "pause", NULL));
        int64_t begun = now_ms();
        CHECK_ERROR(ps_wait_ready(child, 500000, &error), PS_ERR_PROTOCOL, &error);
        CHECK(now_ms() - begun < 100000);
        CHECK_STR(ps_error_step(error), "ready");
        CHECK(strstr(ps_error_message(error), "descriptor 7"));
        ps_error_free(error);
        CHECK_OK(ps_reap(child, 60000, &exit, &error), error);
        CHECK_INT(exit.cause, PS_CAUSE_NOT_READY);
        ps_child_free(child);
    }
    for (int i = 0; i < 200; i++) {
        ps_child *child = spawn_in(i % 2 ? supervisor : NULL, ready_command(PS_READY_FD, "7", 600000, "exit:5", NULL));
        CHECK_ERROR(ps_wait_ready(child, 500000, &error), PS_ERR_EXITED, &error);
        ps_error_free(error);
        CHECK_OK(ps_reap(child, 0, &exit, &error), error);
        CHECK_INT(exit.cause, PS_CAUSE_SELF);
        CHECK_INT(exit.code, 5);
        ps_child_free(child);
    }
    ps_supervisor_free(supervisor);
    return 0;
}
