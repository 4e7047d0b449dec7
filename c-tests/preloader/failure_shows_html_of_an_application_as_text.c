/* An application may describe its failure in HTML, which then counts before its plain text; it is shown as what it says, and none of it becomes part of a
   page. Nor does its plain text, or anything else that it wrote. A category that is none, a state that is none, are noted, and end nobody. */
/* covers: PA-65, PA-71, PA-75, P-b12, C14-2 */
/* variants: few */
#include "failures.h"

int main(void)
{
    warm_up_direct();
    leak_guard guard = leak_guard_begin();
    ps_command *command = app("write=response/error/problem_description.html:<h1>No <b>moon</b></h1><script>evil()</script><ul><li>one &amp; two</ul>",
                              "write=response/error/problem_description.txt:plain words", "write=response/error/summary:<img src=x>",
                              "write=response/error/solution_description.txt:<i>wait</i>", "write=response/error/category:NO_SUCH_ERROR",
                              "write=response/steps/subprocess_listen/state:STEP_ON_FIRE", "say=</pre><script>out()</script>\\n", "finish=0", "serve", NULL);
    ps_error *error = fails(NULL, command, PATIENCE_MS, PS_ERR_ABORTED);
    CHECK_STR(ps_error_text(error, PS_ERROR_TEXT_PROBLEM), "No moon\n\n- one & two");
    CHECK_STR(ps_error_text(error, PS_ERROR_TEXT_SOLUTION), "<i>wait</i>");
    CHECK_STR(ps_error_text(error, PS_ERROR_TEXT_SUMMARY), "<img src=x>");
    CHECK_STR(ps_error_category(error), "INTERNAL_ERROR");
    CHECK(has(error, PS_RENDER_HTML, "<li>one &amp; two</li>") && has(error, PS_RENDER_HTML, "&lt;i&gt;wait&lt;/i&gt;"));
    CHECK(has(error, PS_RENDER_HTML, "category &quot;NO_SUCH_ERROR&quot; is none") && has(error, PS_RENDER_HTML, "is no state"));
    const char *const raw[] = {"<script", "<img", "<i>wait", "<b>moon"};
    for (size_t i = 0; i < sizeof raw / sizeof *raw; i++)
        CHECK(has_not(error, PS_RENDER_HTML, raw[i]));
    ps_error_free(error);
    ps_command_free(command);

    /* this one has ended the original */
    command = app("write=response/error/category:FILE_SYSTEM_ERROR", "finish=0", "serve", NULL);
    error = fails(NULL, command, PATIENCE_MS, PS_ERR_ABORTED);
    CHECK_STR(ps_error_category(error), "FILE_SYSTEM_ERROR");
    CHECK(ps_error_text(error, PS_ERROR_TEXT_PROBLEM)[0] != 0 && ps_error_text(error, PS_ERROR_TEXT_SOLUTION)[0] != 0);
    ps_error_free(error);
    ps_command_free(command);
    NOTHING_IS_LEFT();
    leak_guard_end(&guard);
    return 0;
}
