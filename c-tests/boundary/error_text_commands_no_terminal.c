/* What an error quotes may be anything that a file name, an argument or another process's words can hold: ESC, BEL, CR, newline, C1 controls, marks
   that turn the direction of writing, bytes that are no UTF-8. A message is one line, and no rendering has any of these raw; letters of
   every script stay, and a program finds the very characters in the JSON. */
/* covers: F27, LAW-17 */
#include "harness.h"
#include "children.h"

#define HOSTILE "\x1b[31m\a\r\n\t\x7f\xc2\x9b" "2J\xe2\x80\xae" "txt\xff gr\xc3\xbcn \xe6\xbc\xa2"
#define SHOWN "\\x1b[31m\\x07\\r\\n\\t\\x7f\\u009b" "2J\\u202e" "txt\xef\xbf\xbd gr\xc3\xbcn \xe6\xbc\xa2"
#define IN_JSON "\\u001b[31m\\u0007\\r\\n\\t\\u007f\\u009b" "2J\\u202e" "txt\xef\xbf\xbd gr\xc3\xbcn \xe6\xbc\xa2"

static void commands_nothing(const char *what, const char *text, const char *allowed)
{
    for (const unsigned char *at = (const unsigned char *)text; *at; at++) {
        bool control = (*at < 32 && !strchr(allowed, *at)) || *at == 127 || (*at == 0xc2 && at[1] < 0xa0);
        if (control || memcmp(at, "\xe2\x80\xae", 3) == 0)
            harness_fail(__FILE__, __LINE__, "%s has byte %#x at %td raw", what, *at, (const char *)at - text);
    }
}

static void quotes(ps_error **error, const char *what)
{
    char text[8192];
    size_t needed;
    const char *message = ps_error_message(*error);
    commands_nothing(what, message, "");
    commands_nothing(what, ps_error_step(*error), "");
    if (!strstr(message, SHOWN))
        harness_fail(__FILE__, __LINE__, "%s does not quote it: %s", what, message);
    CHECK_STATUS(ps_error_render(*error, PS_RENDER_TEXT, text, sizeof text, &needed), PS_OK);
    commands_nothing(what, text, "\n");
    CHECK(strstr(text, SHOWN));
    CHECK_STATUS(ps_error_render(*error, PS_RENDER_JSON, text, sizeof text, &needed), PS_OK);
    commands_nothing(what, text, "");
    CHECK(strstr(text, IN_JSON));
    CHECK_STATUS(ps_error_render(*error, PS_RENDER_HTML, text, sizeof text, &needed), PS_OK);
    commands_nothing(what, text, "\n\t");
    CHECK(strstr(text, "gr\xc3\xbcn \xe6\xbc\xa2"));
    ps_error_free(*error);
    *error = NULL;
}

#define QUOTED(call)                                                                                                               \
    do {                                                                                                                           \
        ps_error *error = NULL;                                                                                                    \
        ps_status status = (call);                                                                                                 \
        if (status >= 0)                                                                                                           \
            harness_fail(__FILE__, __LINE__, "%s gave %s", #call, ps_status_name(status));                                         \
        quotes(&error, #call);                                                                                                     \
    } while (0)

int main(void)
{
    ps_child *child = NULL;
    ps_handoff *handoff = NULL;
    char path[256];
    const char *home = temp_dir();
    warm_up();

    /* what the kernel refuses names the path */
    ps_command *command = command_for("/nonexistent/" HOSTILE, NULL);
    QUOTED(ps_spawn(NULL, command, &child, &error));
    ps_command_free(command);
    command = command_for("no such program " HOSTILE, NULL);
    QUOTED(ps_spawn(NULL, command, &child, &error));
    ps_command_free(command);
    command = pausing();
    CHECK_STATUS(ps_command_cwd(command, "/nonexistent/" HOSTILE, NULL), PS_OK);
    QUOTED(ps_spawn(NULL, command, &child, &error));
    ps_command_free(command);
    command = pausing();
    CHECK_STATUS(ps_command_output_file(command, "/nonexistent/" HOSTILE, PS_OUTPUT_REFUSE, NULL), PS_OK);
    QUOTED(ps_spawn(NULL, command, &child, &error));
    ps_command_free(command);

    /* so does what is refused before */
    QUOTED(ps_handoff_new("/nonexistent/" HOSTILE, &handoff, &error));
    snprintf(path, sizeof path, "%s/" HOSTILE, home);
    CHECK(mkdir(path, 0700) == 0);
    QUOTED(ps_handoff_new(path, &handoff, &error));
    CHECK(rmdir(path) == 0);
    strcat(path, ".lock");
    unlink(path);
    CHECK(rmdir(home) == 0);
    return 0;
}
