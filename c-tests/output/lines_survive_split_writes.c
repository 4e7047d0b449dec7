/* A line that comes in pieces, read one by one, is one line; so is one whose newline comes alone. */
/* covers: RP-35, D-11 */
#include "outputs.h"

static void in_pieces_of(const char *size, const char *stream_number)
{
    static const char text[] = "one\n\nthree is a longer line\n\0\n\xc3\xa4\nno end";
    ps_supervisor *supervisor = supervisor_new();
    ps_command *command = helper_command("dribble", size, stream_number, NULL);
    int stream = atoi(stream_number);
    feed(command, text, sizeof text - 1);
    by_lines(command);
    ps_child *child = spawn_once(supervisor, command);
    said all = listen_to(supervisor);
    CHECK_INT(all.exit.code, 0);
    CHECK(said_is(&all, stream, text, sizeof text - 1));
    CHECK(said_is(&all, 3 - stream, "", 0));
    CHECK_INT(all.events[stream], 6);
    said_free(&all);
    ps_child_free(child);
    ps_supervisor_free(supervisor);
}

int main(void)
{
    in_pieces_of("1", "1");
    in_pieces_of("1", "2");
    in_pieces_of("4", "1");
    in_pieces_of("7", "1");
    return 0;
}
