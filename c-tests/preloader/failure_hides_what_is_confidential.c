/* What was given as confidential stands in no form of the error: not in the configuration, not in the environment of the process, not under another name
   (an address that was made of it), not in an annotation. What is no secret can be read there, also of the host. */
/* covers: PA-14, PA-73, PA-74, PA-76 */
/* variants: few */
#include "failures.h"

int main(void)
{
    warm_up_direct();
    leak_guard guard = leak_guard_begin();
    ps_command *command = app("write=envdump/annotations/config:uses s3cr3t-Of-Mine", "exit=1", NULL);
    say_argument(command, "environment_variables", "{\"SHOP_PLAIN\": \"yes-or-No-7\", \"SHOP_PASSWORD\": \"s3cr3t-Of-Mine\"}");
    say_argument(command, "api_key", "key-Of-The-Api");
    ps_error *error = NULL;
    CHECK_OK(ps_command_env(command, "SHOP_URL", "db://shop:s3cr3t-Of-Mine@there/shop", &error), error);
    CHECK_OK(ps_command_env(command, "SHOP_OTHER", "db://shop:another@there/shop", &error), error);
    CHECK_OK(ps_command_env(command, "SHOP_COLOUR", "green", &error), error);
    error = fails(NULL, command, PATIENCE_MS, PS_ERR_EXITED);
    for (int32_t format = PS_RENDER_TEXT; format <= PS_RENDER_HTML_BRIEF; format++) {
        const char *const secret[] = {"s3cr3t-Of-Mine", "yes-or-No-7", "key-Of-The-Api", "another@"};
        for (size_t i = 0; i < sizeof secret / sizeof *secret; i++)
            CHECK(has_not(error, format, secret[i]));
    }
    for (int32_t format = PS_RENDER_JSON; format <= PS_RENDER_HTML; format++) {
        const char *const shown[] = {"SHOP_COLOUR=green", "SHOP_PASSWORD=(confidential)", "SHOP_PLAIN=(confidential)",
                                     "SHOP_URL=db://shop:(confidential)@there/shop", "uses (confidential)", "Max open files"};
        for (size_t i = 0; i < sizeof shown / sizeof *shown; i++)
            CHECK(has(error, format, shown[i]));
    }
    const char *const parts[] = {"\"basic\":{", "\"system\":{", "\"host\":{", "\"preloader\":{", "\"subprocess\":{", "\"api_key\":\"(confidential)\""};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        CHECK(has(error, PS_RENDER_JSON, parts[i]));
    ps_error_free(error);
    ps_command_free(command);
    NOTHING_IS_LEFT();
    leak_guard_end(&guard);
    return 0;
}
