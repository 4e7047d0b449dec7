/* A daemon that ends before it accepts is an error at once, however long one would have waited; the next call may start it again, and its lock is
   free. The error says where on the way it was. */
/* covers: C13-6, CO-docker-docs-6751 */
#include "once.h"

int main(void)
{
    ps_error *error = NULL;
    ps_child *child = NULL;
    char text[4096];
    size_t length = 0;
    once_begin();
    ps_command *command = once_command("exit", "7", NULL);
    for (int round = 1; round <= 2; round++) {
        CHECK_ERROR(once_start(command, -1, &child, &error), PS_ERR_EXITED, &error);
        CHECK(child == NULL);
        CHECK_STR(ps_error_step(error), "ready");
        CHECK_OK(ps_error_render(error, PS_RENDER_JSON, text, sizeof text, &length), NULL);
        CHECK(strstr(text, "connect again") != NULL);
        ps_error_free(error);
        error = NULL;
        CHECK_INT(once_starts(), round);
        CHECK(!once_is_locked(ONCE_NAME ".lock"));
        CHECK(!once_is_locked(ONCE_NAME ".run"));
        CHECK_INT(child_count(), 0);
    }
    ps_command_free(command);
    command = once_command(NULL);
    CHECK_OK(once_start(command, ONCE_WAIT, &child, &error), error);
    CHECK(child != NULL);
    CHECK_OK(ps_terminate(child, 0, NULL, &error), error);
    ps_child_free(child);
    ps_command_free(command);
    once_end();
    return 0;
}
