/* A worker that puts links in the place of everything that is read of it: none is followed, whatever it leads to, and it is a typed error. */
/* covers: PA-24, PA-65, LAW-17, C14-must-hostile */
#include "direct.h"

int main(void)
{
    warm_up_direct();
    leak_guard guard = leak_guard_begin();
    char secret[96], word[6][192];
    snprintf(secret, sizeof secret, "%s.secret", apps_dir());
    FILE *file = fopen(secret, "w");
    CHECK(file && fputs("{\"sockets\": []} TOP SECRET", file) >= 0 && fclose(file) == 0);
    const char *const places[] = {"response/error/summary", "response/error/problem_description.html", "response/error/category",
                                  "envdump/annotations/more", "response/properties.json", "response/steps/subprocess_listen/state"};
    for (int i = 0; i < 6; i++)
        snprintf(word[i], sizeof word[i], "link=%s:%s", places[i], secret);
    ps_command *command = app(word[0], word[1], word[2], word[3], word[4], word[5], "finish=0", "hang", NULL);
    ps_error *error = fails(NULL, command, PATIENCE_MS, PS_ERR_ABORTED);
    for (int32_t format = PS_RENDER_TEXT; format <= PS_RENDER_HTML; format++) {
        char *text = text_of(error, format);
        CHECK(!strstr(text, "TOP SECRET"));
        free(text);
    }
    ps_error_free(error);
    ps_command_free(command);

    command = app(word[4], "finish", "hang", NULL);
    error = fails(NULL, command, PATIENCE_MS, PS_ERR_PROTOCOL);
    CHECK(says(error, "properties.json"));
    ps_error_free(error);
    ps_command_free(command);
    unlink(secret);
    NOTHING_IS_LEFT();
    leak_guard_end(&guard);
    return 0;
}
