/* The id ties what a visitor sees to what stands in the log: the page for anybody, which says nothing else, has the same as message, text, JSON and the
   whole page. No two failures have the same. */
/* covers: PA-71, PA-74, PA-77, C14-2 */
/* variants: few */
#include "failures.h"

int main(void)
{
    warm_up_direct();
    leak_guard guard = leak_guard_begin();
    char ids[2][16];
    for (int i = 0; i < 2; i++) {
        ps_command *command = app("say=a secret of the house\\n", "exit=7", NULL);
        say_argument(command, "app_group_name", "the shop");
        ps_error *error = fails(NULL, command, PATIENCE_MS, PS_ERR_EXITED);
        snprintf(ids[i], sizeof ids[i], "%s", ps_error_text(error, PS_ERROR_TEXT_ID));
        CHECK_INT(strlen(ids[i]), 8);
        CHECK(strstr(ps_error_message(error), ids[i]) != NULL);
        for (int32_t format = PS_RENDER_TEXT; format <= PS_RENDER_HTML_BRIEF; format++)
            CHECK(has(error, format, ids[i]));
        const char *const inside[] = {"session_app", "secret", "shop", "exit", "PS_ERR", "INTERNAL", "SUBPROCESS", apps_dir()};
        for (size_t part = 0; part < sizeof inside / sizeof *inside; part++)
            CHECK(has_not(error, PS_RENDER_HTML_BRIEF, inside[part]));

        /* no application's word: that of the library, by category and step */
        CHECK_STR(ps_error_category(error), "INTERNAL_ERROR");
        CHECK(strstr(ps_error_text(error, PS_ERROR_TEXT_SUMMARY), "exit code 7") != NULL);
        CHECK(strstr(ps_error_text(error, PS_ERROR_TEXT_PROBLEM), "session_app") != NULL);
        CHECK(strstr(ps_error_text(error, PS_ERROR_TEXT_PROBLEM), "a secret of the house") != NULL); /* its last words */
        CHECK(strncmp(ps_error_text(error, PS_ERROR_TEXT_SOLUTION), "- ", 2) == 0);
        CHECK_STR(ps_error_text(error, PS_ERROR_TEXT_ADVANCED), "");
        CHECK_STR(ps_error_text(error, 0), "");
        CHECK_STR(ps_error_text(error, 6), "");
        ps_error_free(error);
        ps_command_free(command);
    }
    CHECK(strcmp(ids[0], ids[1]) != 0);
    NOTHING_IS_LEFT();
    leak_guard_end(&guard);
    return 0;
}
