/* One error, four renderings: each NUL-terminated, of exactly the length it says, with the facts in it, and safe to embed. */
#include "harness.h"
#include "children.h"

static char *render(const ps_error *error, int32_t format)
{
    size_t needed = 0, again = 0;
    CHECK_STATUS(ps_error_render(error, format, NULL, 0, &needed), PS_OK);
    CHECK(needed > 1);
    char *text = malloc(needed + 1);
    memset(text, '?', needed + 1);
    CHECK_STATUS(ps_error_render(error, format, text, needed, &again), PS_OK);
    CHECK_INT(again, needed);
    CHECK_INT(strlen(text) + 1, needed); /* the NUL is counted */
    CHECK_INT(text[needed], '?');
    CHECK_STATUS(ps_error_render(error, format, text, needed, NULL), PS_OK);

    /* one byte less is too little: LIMIT, the size again, and nothing is copied */
    again = 0;
    text[0] = '?';
    CHECK_STATUS(ps_error_render(error, format, text, needed - 1, &again), PS_ERR_LIMIT);
    CHECK_INT(again, needed);
    CHECK_INT(text[0], '?');
    CHECK_STATUS(ps_error_render(error, format, text, needed, &again), PS_OK);
    return text;
}

int main(void)
{
    ps_command *command = command_for("/nonexistent/<b>&\"quoted\"\n\xff", NULL);
    ps_error *error = spawn_fails(command, PS_ERR_NOT_FOUND);
    ps_command_free(command);

    char *text = render(error, PS_RENDER_TEXT);
    CHECK(strstr(text, "exec") != NULL);
    CHECK(strstr(text, "ENOENT") != NULL || strstr(text, "No such file") != NULL);
    CHECK(strstr(text, "PS_ERR_NOT_FOUND") != NULL || strstr(text, "/nonexistent/") != NULL);
    free(text);

    char *json = render(error, PS_RENDER_JSON);
    CHECK(json[0] == '{' && json[strlen(json) - 1] == '}');
    CHECK(strstr(json, "PS_ERR_NOT_FOUND") != NULL && strstr(json, "\"exec\"") != NULL);
    for (const char *c = json; *c; c++)
        CHECK((unsigned char)*c >= ' ' || *c == '\n'); /* a newline only between the fields, never raw inside a string */
    CHECK(strstr(json, "\"quoted\"") == NULL);
    free(json);

    char *html = render(error, PS_RENDER_HTML);
    CHECK(strstr(html, "exec") != NULL);
    CHECK(strstr(html, "<b>") == NULL && strstr(html, "&lt;b&gt;") != NULL);
    free(html);

    /* for anybody: it failed, and nothing of what or why */
    char *brief = render(error, PS_RENDER_HTML_BRIEF);
    CHECK(strstr(brief, "went wrong") != NULL && strstr(brief, "exec") == NULL && strstr(brief, "nonexistent") == NULL);
    free(brief);

    size_t needed = 77;
    CHECK_STATUS(ps_error_render(error, 99, NULL, 0, &needed), PS_ERR_INVALID_ARGUMENT);
    CHECK_STATUS(ps_error_render(error, -1, NULL, 0, &needed), PS_ERR_INVALID_ARGUMENT);
    CHECK_INT(needed, 77);
    ps_error_free(error);
    return 0;
}
