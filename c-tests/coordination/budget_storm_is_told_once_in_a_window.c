/* The first refusal of a window is the storm: its error says so, in its words and in all renderings, and no other one does. A new window
   or a reset arms it again. */
/* covers: RP-5, C13-1 */
/* variants: none: no process is made, and nothing asked of the kernel but the time */
#include "budgets.h"

static bool says(const ps_error *error, int32_t format)
{
    char text[8192];
    CHECK_STATUS(ps_error_render(error, format, text, sizeof text, NULL), PS_OK);
    return strstr(text, format == PS_RENDER_JSON ? "\"storm\":true" : "storm") != NULL;
}

static bool storm_by_all_it_says(ps_budget *budget)
{
    uint64_t permit;
    ps_error *error = NULL;
    CHECK_ERROR(ps_budget_begin(budget, "key", &permit, &error), PS_ERR_BUDGET_EXHAUSTED, &error);
    bool storm = ps_error_is_storm(error);
    CHECK_INT(strstr(ps_error_message(error), "storm") != NULL, storm);
    for (int32_t format = PS_RENDER_TEXT; format <= PS_RENDER_HTML; format++)
        CHECK_INT(says(error, format), storm);
    ps_error_free(error);
    return storm;
}

int main(void)
{
    ps_budget *budget = budget_of(1, FOREVER_MS);
    for (int round = 0; round < 2; round++) {
        fail(budget, "key");
        CHECK_INT(look(budget, "key").storm, 0);
        CHECK(storm_by_all_it_says(budget));
        for (int i = 0; i < 20; i++) {
            CHECK(!storm_by_all_it_says(budget));
            CHECK_INT(look(budget, "key").storm, 1);
        }
        CHECK_OK(ps_budget_reset(budget, "key", NULL), NULL);
        CHECK_INT(look(budget, "key").storm, 0);
    }
    ps_budget_free(budget);

    budget = budget_of(1, 1);
    int storms = 0;
    for (int64_t until = now_ms() + PATIENCE_MS; storms < 2 && now_ms() < until;) {
        uint64_t permit;
        ps_error *error = NULL;
        ps_status status = ps_budget_begin(budget, "key", &permit, &error);
        if (status == PS_OK)
            finish(budget, permit, 0);
        else
            storms += ps_error_is_storm(error);
        ps_error_free(error);
    }
    CHECK(storms == 2); /* another window, another storm */
    ps_budget_free(budget);
    return 0;
}
