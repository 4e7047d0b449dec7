/* as-root */
/* A child that runs as another user opens its streams again by their names, as programs do (/dev/stdout, /dev/stderr, /dev/stdin): pipes,
   captured output, lines, an output file, an input. */
/* covers: F18 */
#include "outputs.h"

enum { UID = 54321, GID = 54322 };

static const char script[] = "echo out > /dev/stdout; echo err > /dev/stderr; cat < /dev/stdin";

static ps_command *as_somebody(void)
{
    ps_error *error = NULL;
    ps_command *command = shell(script, NULL);
    CHECK_OK(ps_command_credentials(command, UID, GID, NULL, 0, &error), error);
    return command;
}

static void through_pipes(void)
{
    ps_command *command = as_somebody();
    for (int stream = 0; stream < 3; stream++)
        set_stdio(command, stream, PS_STDIO_PIPE, -1);
    ps_child *child = spawn_once(NULL, command);
    int in = pipe_end(child, 0), out = pipe_end(child, 1), err = pipe_end(child, 2);
    CHECK(write(in, "in\n", 3) == 3);
    close(in);
    char *said = read_all(out), *complained = read_all(err);
    CHECK_STR(said, "out\nin\n");
    CHECK_STR(complained, "err\n");
    free(said);
    free(complained);
    close(out);
    close(err);
    CHECK_INT(reap(child).code, 0);
    ps_child_free(child);
}

static void captured(void)
{
    ps_error *error = NULL;
    ps_command *command = as_somebody();
    feed(command, "in\n", 3);
    CHECK_OK(ps_command_capture(command, 4096, &error), error);
    ps_child *child = spawn_once(NULL, command);
    CHECK_INT(reap(child).code, 0);
    char text[64] = "";
    CHECK_OK(ps_child_output(child, text, sizeof text - 1, NULL, &error), error);
    CHECK_STR(text, "out\nerr\nin\n");
    ps_child_free(child);
}

static void line_by_line(void)
{
    ps_error *error = NULL;
    ps_supervisor *supervisor = supervisor_new();
    ps_command *command = as_somebody();
    feed(command, "in\n", 3);
    by_lines(command);
    ps_child *child = spawn_once(supervisor, command);
    take_event(supervisor, PS_EVENT_STARTED);
    int lines = 0;
    for (ps_event event = {.size = sizeof event}; event.kind != PS_EVENT_EXITED;) {
        CHECK_OK(ps_supervisor_next_event(supervisor, PATIENCE_MS, &event, &error), error);
        lines += event.kind == PS_EVENT_OUTPUT;
        if (event.kind == PS_EVENT_EXITED)
            CHECK_INT(event.exit.code, 0);
    }
    CHECK_INT(lines, 3);
    ps_child_free(child);
    ps_supervisor_free(supervisor);
}

/* The file is that user's, too, once it has its name. */
static void into_a_file(int32_t if_exists)
{
    const char *dir = new_dir(), *path = in_dir(dir, "out");
    ps_command *command = as_somebody();
    feed(command, "in\n", 3);
    to_file(command, path, if_exists);
    set_stdio(command, 2, PS_STDIO_MERGE, -1);
    ps_child *child = spawn_once(NULL, command);
    CHECK_INT(reap(child).code, 0);
    ps_child_free(child);
    /* each open of a file begins at its beginning */
    CHECK(content_is(path, "in\n\n"));
    struct stat found;
    CHECK(stat(path, &found) == 0);
    CHECK(found.st_uid == UID && found.st_gid == GID && (found.st_mode & 07777) == 0600);
    remove_dir(dir);
}

int main(void)
{
    if (geteuid() != 0)
        SKIP("needs root");
    through_pipes();
    captured();
    line_by_line();
    into_a_file(PS_OUTPUT_REFUSE);
    into_a_file(PS_OUTPUT_REPLACE);
    return 0;
}
