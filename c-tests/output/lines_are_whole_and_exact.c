/* Lines come whole, without their newline, byte for byte: empty ones, ones with NULs and bytes that are no text, and a last
   one without an end. Joined again they are the stream. */
/* covers: RP-35, D-11 */
#include "outputs.h"

int main(void)
{
    static const char text[] = "one\n\n\ntwo words\nwith\0nul\n\xff\xfe\x80\r\n\nlast";
    ps_supervisor *supervisor = supervisor_new();
    ps_command *command = helper_command("echo_fd", "0", NULL);
    feed(command, text, sizeof text - 1);
    by_lines(command);
    warm_up();
    ps_child *child = spawn(supervisor, command);
    CHECK(take_event(supervisor, PS_EVENT_STARTED).child == child);
    EXPECT_LINE(supervisor, 1, "one", PS_OK);
    EXPECT_LINE(supervisor, 1, "", PS_OK);
    EXPECT_LINE(supervisor, 1, "", PS_OK);
    EXPECT_LINE(supervisor, 1, "two words", PS_OK);
    ps_event event = take_event(supervisor, PS_EVENT_OUTPUT);
    CHECK(event.child == child && event.pid == pid_of(child) && event.run == 1 && event.time_ns > 0);
    size_t length = 0;
    char *bytes = event_bytes(supervisor, &length);
    CHECK(length == 8 && memcmp(bytes, "with\0nul", 8) == 0);
    free(bytes);
    EXPECT_LINE(supervisor, 1, "\xff\xfe\x80\r", PS_OK);
    EXPECT_LINE(supervisor, 1, "", PS_OK);
    EXPECT_LINE(supervisor, 1, "last", PS_PENDING);
    CHECK_INT(take_event(supervisor, PS_EVENT_EXITED).exit.code, 0);
    ps_child_free(child);

    child = spawn_once(supervisor, command);
    said all = listen_to(supervisor);
    CHECK(said_is(&all, 1, text, sizeof text - 1));
    CHECK_INT(all.events[1], 8);
    said_free(&all);
    ps_child_free(child);

    size_t big = 3000000;
    char *stream = noise(big, 90);
    command = helper_command("echo_fd", "0", NULL);
    feed(command, stream, big);
    by_lines(command);
    child = spawn_once(supervisor, command);
    all = listen_to(supervisor);
    CHECK(said_is(&all, 1, stream, big));
    CHECK_INT(all.length[2], 0);
    said_free(&all);
    ps_child_free(child);
    free(stream);
    ps_supervisor_free(supervisor);
    return 0;
}
