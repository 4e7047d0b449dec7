/* A worker that says that it failed: the error has its texts, the step that it blames, what it wrote down of itself, and its output. Any byte but "1",
   and an end without a byte, is such a word. */
/* covers: PA-47, PA-51, PA-55, PA-73, PA-75 */
#include "direct.h"

static void word(const char *how, const char *part)
{
    ps_command *command = app("say=out\\n", how, "hang", NULL);
    ps_error *error = fails(NULL, command, PATIENCE_MS, PS_ERR_ABORTED);
    CHECK(says(error, "out") && says(error, part));
    ps_error_free(error);
    ps_command_free(command);
}

int main(void)
{
    warm_up_direct();
    leak_guard guard = leak_guard_begin();
    ps_command *command = app("say=loading\\n", "write=response/error/category:OPERATING_SYSTEM_ERROR", "write=response/error/summary:the moon is full",
                              "write=response/error/problem_description.txt:wolves <howl>", "write=response/error/solution_description.txt:wait a night",
                              "write=response/error/advanced_problem_details:at moon.rb line 7", "write=envdump/annotations/phase:waxing",
                              "step=subprocess_listen:STEP_ERRORED", "finish=0", "serve", NULL);
    ps_error *error = fails(NULL, command, PATIENCE_MS, PS_ERR_ABORTED);
    for (int32_t format = PS_RENDER_TEXT; format <= PS_RENDER_HTML; format++) {
        char *text = text_of(error, format);
        const char *const parts[] = {"loading", "the moon is full", "wait a night", "SUBPROCESS_LISTEN", "moon.rb", "OPERATING_SYSTEM_ERROR", "waxing"};
        for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
            if (!strstr(text, parts[i]))
                harness_fail(__FILE__, __LINE__, "%s is not in format %d: %s", parts[i], format, text);
        CHECK(format != PS_RENDER_HTML || (strstr(text, "wolves &lt;howl&gt;") && !strstr(text, "<howl>")));
        free(text);
    }
    CHECK_STR(ps_error_step(error), "SUBPROCESS_LISTEN");
    ps_error_free(error);
    ps_command_free(command);
    word("finish=0", "said so");
    word("finish=x", "0x78");
    word("finish-eof", "closed");
    NOTHING_IS_LEFT();
    leak_guard_end(&guard);
    return 0;
}
