/* The accessors answer for NULL, freed and foreign errors too: a typed answer, never a NULL string, never a crash. */
#include "harness.h"
#include "children.h"

static void check(const ps_error *error)
{
    char text[64] = "untouched";
    size_t needed = 77;
    CHECK_STATUS(ps_error_status(error), PS_ERR_BAD_HANDLE);
    CHECK_INT(ps_error_errno(error), 0);
    CHECK_STR(ps_error_step(error), "");
    CHECK_STR(ps_error_message(error), "");
    CHECK_INT(ps_error_retry_after_ms(error), -1);
    CHECK_INT(ps_error_is_storm(error), 0);
    CHECK_STR(ps_error_category(error), "");
    for (int32_t which = PS_ERROR_TEXT_ID - 1; which <= PS_ERROR_TEXT_ADVANCED + 1; which++)
        CHECK_STR(ps_error_text(error, which), "");
    CHECK_STATUS(ps_error_output(error, text, sizeof text, &needed), PS_ERR_BAD_HANDLE);
    CHECK_STATUS(ps_error_render(error, PS_RENDER_TEXT, text, sizeof text, &needed), PS_ERR_BAD_HANDLE);
    CHECK_STATUS(ps_error_render(error, PS_RENDER_JSON, NULL, 0, &needed), PS_ERR_BAD_HANDLE);
    CHECK_INT(needed, 77);
    CHECK_STR(text, "untouched");
}

int main(void)
{
    ps_command *command = command_for("/nonexistent/program", NULL);
    ps_error *error = spawn_fails(command, PS_ERR_NOT_FOUND);
    CHECK_INT(ps_error_retry_after_ms(error), -1);
    CHECK_INT(ps_error_is_storm(error), 0);
    CHECK_STR(ps_error_category(error), ""); /* no application failed to start */
    CHECK_STR(ps_error_text(error, PS_ERROR_TEXT_PROBLEM), "");
    size_t needed = 77;
    CHECK_STATUS(ps_error_output(error, NULL, 0, &needed), PS_OK);
    CHECK_INT(needed, 0);

    /* what the error says is there until it is freed, whatever happens to the command */
    const char *step = ps_error_step(error), *message = ps_error_message(error);
    ps_command_free(command);
    CHECK_STR(step, "exec");
    CHECK(message[0] != 0 && step == ps_error_step(error) && message == ps_error_message(error));
    ps_error_free(error);

    check(NULL);
    check(error);
    ps_error_free(error);
    ps_error_free(error);
    ps_error_free(NULL);
    check((ps_error *)(uintptr_t)0xdeadbeef);
    ps_error_free((ps_error *)(uintptr_t)0xdeadbeef);
    return 0;
}
