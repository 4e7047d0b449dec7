/* Build ids and reasons are other people's words: in the page they are text, in JSON they are strings, and none commands a terminal. The page needs
   nothing else: it loads nothing and runs nothing. What is no build id, no index, no format and no buffer is refused. */
/* covers: C16-2, LAW-17 */
/* variants: none: nothing of it depends on how a process is made */
#include "harness.h"
#include "outcomes.h"

static int count_of(const char *text, char c)
{
    int count = 0;
    for (; *text; text++)
        count += *text == c;
    return count;
}

static void arguments(void)
{
    char path[128], text[65536];
    size_t needed = 0;
    ps_handoff *handoff = NULL;
    ps_error *error = NULL;
    struct {
        ps_outcome outcome;
        uint32_t behind;
    } at = {.outcome.size = sizeof(ps_outcome), .behind = 7};
    snprintf(path, sizeof path, "%s/arguments", stage.dir);
    CHECK_OK(ps_handoff_new(path, &handoff, &error), error);
    CHECK_INT(ps_handoff_outcome(handoff, 0, &at.outcome, NULL), PS_ERR_NOT_FOUND);
    CHECK_INT(ps_handoff_outcome(handoff, UINT32_MAX, &at.outcome, NULL), PS_ERR_NOT_FOUND);
    CHECK_INT(ps_handoff_outcome(handoff, 0, NULL, NULL), PS_ERR_INVALID_ARGUMENT);
    at.outcome.size = sizeof(ps_outcome) - 1;
    CHECK_INT(ps_handoff_outcome(handoff, 0, &at.outcome, NULL), PS_ERR_INVALID_ARGUMENT);
    CHECK_INT(at.behind, 7);
    CHECK_INT(ps_handoff_outcome_text(handoff, 0, PS_RENDER_TEXT, text, sizeof text, &needed, NULL), PS_ERR_NOT_FOUND);
    CHECK_INT(ps_handoff_outcome(NULL, 0, &at.outcome, NULL), PS_ERR_BAD_HANDLE);
    memset(text, 'x', 64);
    text[64] = 0;
    CHECK_OK(ps_handoff_set_build_id(handoff, text, &error), error);
    text[64] = 'x', text[65] = 0;
    CHECK_INT(ps_handoff_set_build_id(handoff, text, NULL), PS_ERR_INVALID_ARGUMENT);
    static const char *const wrong[] = {"", "a\nb", "\x1b[m", "gr\xc3\xbcn", "\x7f"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        CHECK_INT(ps_handoff_set_build_id(handoff, wrong[i], NULL), PS_ERR_INVALID_ARGUMENT);
    CHECK_INT(ps_handoff_set_build_id(handoff, NULL, NULL), PS_ERR_INVALID_ARGUMENT);
    ps_handoff_free(handoff);
    strcat(path, ".lock");
    unlink(path);
}

int main(void)
{
    static const char *const alone[] = {"<script", "<img", "http:", "https:", "src=\"", "href=", "url(", "\x1b"};
    stage_begin();
    arguments();
    party *o = first("old");
    ask(o, "build </title><script>alert(1)</script>'\"&");
    party *n = takeover("new");
    enter(n, PS_HANDOFF_SUCCESSOR);
    ask(n, "build <img src=x onerror=alert(2)>");
    ask(n, "failed \x1b[31m</pre><script src=//evil>\n\"}]");
    aborted(o, PS_ERR_ABORTED);
    aborted(n, PS_ERR_ABORTED);
    for (int i = 0; i < 2; i++) {
        party *p = i ? n : o;
        const char *page = outcome_text(p, 0, PS_RENDER_HTML);
        CHECK(strncmp(page, "<!DOCTYPE html>", 15) == 0 && strstr(page, "&lt;script&gt;alert(1)") && strstr(page, "&lt;img src=x"));
        for (size_t k = 0; k < sizeof alone / sizeof *alone; k++)
            CHECK(!strstr(page, alone[k]));
        CHECK_INT(count_of(page, '<'), count_of(page, '>'));
        const char *json = outcome_text(p, 0, PS_RENDER_JSON);
        CHECK(strstr(json, "\\u001b[31m</pre><script src=//evil>\\n\\\"}]\"") && !strchr(json, '\x1b') && json[0] == '{');
        CHECK(!strchr(outcome_text(p, 0, PS_RENDER_TEXT), '\x1b'));
    }
    ask_for(o, PS_ERR_INVALID_ARGUMENT, "outcome_text 0 %d", PS_RENDER_HTML_BRIEF);
    ask_for(o, PS_ERR_INVALID_ARGUMENT, "outcome_text 0 99");
    stage_end();
    return 0;
}
