/* A line of exactly the limit is whole; one byte more comes as a piece and a rest; so with every multiple, at once or byte by byte. */
#include "outputs.h"

static void cut(size_t limit, const char *text, const char *const *pieces, const char *size)
{
    ps_error *error = NULL;
    ps_supervisor *supervisor = supervisor_new();
    ps_command *command = helper_command("dribble", size, NULL);
    feed(command, text, strlen(text));
    by_lines(command);
    CHECK_OK(ps_command_output_line_limit(command, limit, &error), error);
    ps_child *child = spawn_once(supervisor, command);
    take_event(supervisor, PS_EVENT_STARTED);
    for (; *pieces; pieces++) {
        size_t length = strlen(*pieces);
        bool whole = (*pieces)[length - 1] == '$'; /* a newline was there */
        char expected[64];
        snprintf(expected, sizeof expected, "%.*s", (int)(length - whole), *pieces);
        EXPECT_LINE(supervisor, 1, expected, whole ? PS_OK : PS_PENDING);
    }
    CHECK_INT(take_event(supervisor, PS_EVENT_EXITED).exit.code, 0);
    ps_child_free(child);
    ps_supervisor_free(supervisor);
}

static void the_default(void)
{
    enum { LIMIT = 65536 };
    static char text[2 * LIMIT + 3];
    memset(text, 'x', sizeof text);
    text[LIMIT] = '\n';
    text[sizeof text - 1] = '\n';
    ps_supervisor *supervisor = supervisor_new();
    ps_command *command = helper_command("echo_fd", "0", NULL);
    feed(command, text, sizeof text);
    by_lines(command);
    ps_child *child = spawn_once(supervisor, command);
    take_event(supervisor, PS_EVENT_STARTED);
    static const size_t lengths[] = {LIMIT, LIMIT, 1};
    for (int i = 0; i < 3; i++) {
        ps_event event = take_event(supervisor, PS_EVENT_OUTPUT);
        size_t length = 0;
        free(event_bytes(supervisor, &length));
        CHECK_INT(length, lengths[i]);
        CHECK_INT(event.status, i == 1 ? PS_PENDING : PS_OK);
    }
    take_event(supervisor, PS_EVENT_EXITED);
    ps_child_free(child);
    ps_supervisor_free(supervisor);
}

int main(void)
{
    static const char *const sizes[] = {"1", "2", "4", "5", "1000"};
    for (int i = 0; i < 5; i++) {
        cut(4, "abcd\nefgh\n", (const char *const[]){"abcd$", "efgh$", NULL}, sizes[i]);
        cut(4, "abcde\n", (const char *const[]){"abcd", "e$", NULL}, sizes[i]);
        cut(4, "abcdefgh\n\n", (const char *const[]){"abcd", "efgh$", "$", NULL}, sizes[i]);
        cut(4, "abcdefghi", (const char *const[]){"abcd", "efgh", "i", NULL}, sizes[i]);
        cut(4, "abcd", (const char *const[]){"abcd", NULL}, sizes[i]);
        cut(1, "a\n\nbc\n", (const char *const[]){"a$", "$", "b", "c$", NULL}, sizes[i]);
    }
    the_default();

    ps_command *command = shell("", NULL);
    static const size_t wrong[] = {0, ((size_t)1 << 24) + 1, SIZE_MAX};
    for (int i = 0; i < 3; i++) {
        ps_error *error = NULL;
        CHECK_ERROR(ps_command_output_line_limit(command, wrong[i], &error), PS_ERR_INVALID_ARGUMENT, &error);
        CHECK_STR(ps_error_step(error), "output_line_limit");
        ps_error_free(error);
    }
    CHECK_STATUS(ps_command_output_lines(command, 2, NULL), PS_ERR_INVALID_ARGUMENT);
    CHECK_STATUS(ps_command_output_line_limit(command, (size_t)1 << 24, NULL), PS_OK);
    ps_command_free(command);
    return 0;
}
