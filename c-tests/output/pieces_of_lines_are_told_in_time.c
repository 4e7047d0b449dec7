/* A prompt has no newline and is told all the same, as a piece, once, after its time; what follows is further pieces, and the end of the line.
   On each stream by itself. */
#include "outputs.h"

static ps_command *in_pieces(ps_command *command, int64_t ms)
{
    ps_error *error = NULL;
    by_lines(command);
    CHECK_OK(ps_command_output_partial(command, ms, &error), error);
    return command;
}

static void answer(int fd, const char *text)
{
    CHECK_INT(write(fd, text, strlen(text)), (int)strlen(text));
}

/* Who is spoken with answers what it is asked. */
static void a_prompt_is_answered(void)
{
    ps_supervisor *supervisor = supervisor_new();
    static const char script[] = "printf Pass; printf 'word: '; read a; echo \"<$a>\"; printf 'sure? ' >&2; read b; echo; echo bye >&2";
    ps_command *command = in_pieces(shell(script, NULL), 1);
    set_stdio(command, 0, PS_STDIO_PIPE, -1);
    ps_child *child = spawn_once(supervisor, command);
    int in = pipe_end(child, 0);
    take_event(supervisor, PS_EVENT_STARTED);
    char asked[64] = "";
    while (strcmp(asked, "Password: ") != 0) { /* it may be told between the two writes */
        CHECK_INT(take_event(supervisor, PS_EVENT_OUTPUT).status, PS_PENDING);
        char *bytes = event_bytes(supervisor, NULL);
        strncat(asked, bytes, sizeof asked - 1 - strlen(asked));
        free(bytes);
        CHECK(strncmp("Password: ", asked, strlen(asked)) == 0);
    }
    answer(in, "secret\n");
    EXPECT_LINE(supervisor, 1, "<secret>", PS_OK);
    EXPECT_LINE(supervisor, 2, "sure? ", PS_PENDING);
    answer(in, "yes\n");
    said rest = listen_to(supervisor);
    CHECK(said_is(&rest, 1, "\n", 1) && said_is(&rest, 2, "bye\n", 4));
    said_free(&rest);
    close(in);
    ps_child_free(child);
    ps_supervisor_free(supervisor);
}

/* The end of a line of which a piece was told is an event of its own, also where nothing else is left of it; and a piece that was told is not
   told again at the end. */
static void pieces_and_ends(void)
{
    ps_supervisor *supervisor = supervisor_new();
    static const char script[] = "printf one; read a; echo; printf 10%%; read a; printf '\\r20%%\\n'; printf end; read a";
    ps_command *command = in_pieces(shell(script, NULL), 1);
    set_stdio(command, 0, PS_STDIO_PIPE, -1);
    ps_child *child = spawn_once(supervisor, command);
    int in = pipe_end(child, 0);
    take_event(supervisor, PS_EVENT_STARTED);
    EXPECT_LINE(supervisor, 1, "one", PS_PENDING);
    answer(in, "\n");
    EXPECT_LINE(supervisor, 1, "", PS_OK);
    EXPECT_LINE(supervisor, 1, "10%", PS_PENDING);
    answer(in, "\n");
    EXPECT_LINE(supervisor, 1, "\r20%", PS_OK);
    EXPECT_LINE(supervisor, 1, "end", PS_PENDING);
    close(in);
    CHECK_INT(take_event(supervisor, PS_EVENT_EXITED).exit.code, 1);
    ps_child_free(child);
    ps_supervisor_free(supervisor);
}

/* What ends before its time is no piece; switched off, nothing is one but the end. */
static void what_is_in_time(void)
{
    static const int64_t times[] = {3600000, 0};
    for (int i = 0; i < 2; i++) {
        ps_supervisor *supervisor = supervisor_new();
        ps_command *command = in_pieces(in_pieces(shell("printf a; read x; echo b; printf c", NULL), 1), times[i]);
        set_stdio(command, 0, PS_STDIO_PIPE, -1);
        ps_child *child = spawn_once(supervisor, command);
        int in = pipe_end(child, 0);
        take_event(supervisor, PS_EVENT_STARTED);
        answer(in, "\n");
        EXPECT_LINE(supervisor, 1, "ab", PS_OK);
        EXPECT_LINE(supervisor, 1, "c", PS_PENDING);
        take_event(supervisor, PS_EVENT_EXITED);
        close(in);
        ps_child_free(child);
        ps_supervisor_free(supervisor);
    }
}

static void numbers(void)
{
    ps_error *error = NULL;
    ps_command *command = exiting("0");
    static const int64_t none[] = {-1, INT64_MIN, INT64_MAX};
    for (unsigned i = 0; i < sizeof none / sizeof *none; i++) {
        CHECK_ERROR(ps_command_output_partial(command, none[i], &error), PS_ERR_INVALID_ARGUMENT, &error);
        CHECK_STR(ps_error_step(error), "ms");
        ps_error_free(error);
        error = NULL;
    }
    CHECK_OK(ps_command_output_partial(command, 10, &error), error); /* without lines it does nothing */
    reap_and_free(spawn_once(NULL, command));
}

int main(void)
{
    a_prompt_is_answered();
    pieces_and_ends();
    what_is_in_time();
    numbers();
    return 0;
}
