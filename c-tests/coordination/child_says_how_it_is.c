/* What a child says of itself through its NOTIFY_SOCKET: status, reload, the end, an errno; NOTIFIED tells that there is something new, once
   however much is said before it is taken. It is there still after the end. */
/* covers: C13-3 */
#include "harness.h"

#include "ready.h"
#include "supervising.h"

static ps_error *error;

static ps_notified said(ps_child *child)
{
    ps_notified notified = {.size = sizeof notified};
    CHECK_OK(ps_child_notified(child, &notified, &error), error);
    return notified;
}

static void status_is(ps_child *child, const char *expected)
{
    char text[64];
    size_t needed;
    CHECK_OK(ps_child_status_text(child, text, sizeof text - 1, &needed, &error), error);
    text[needed] = 0;
    CHECK_STR(text, expected);
}

int main(void)
{
    ps_supervisor *supervisor = NULL;
    int gate[2];
    warm_up();
    CHECK_OK(ps_supervisor_new(&supervisor, &error), error);
    CHECK(pipe2(gate, O_CLOEXEC) == 0);
    ps_command *command = ready_command(PS_READY_NOTIFY, NULL, 60000, "notify:STATUS=loading", "notify:READY=1;STATUS=serving", "gate:9",
                                        "notify:RELOADING=1;MONOTONIC_USEC=123", "gate:9", "notify:READY=1", "gate:9", "notify:STATUS=a",
                                        "gate:9", "notify:STATUS=b", "notify:STATUS=b", "gate:9", "notify:STATUS=c", "notify:WATCHDOG=1", "notify:X_OTHER=1", "gate:9",
                                        "notify:STOPPING=1;STATUS=bye;ERRNO=28", "exit:1", NULL);
    CHECK_OK(ps_command_pass_fd(command, gate[0], 9, &error), error);
    ps_child *child = spawn_in(supervisor, command);
    expect(supervisor, PS_EVENT_STARTED, 0);
    /* NOTIFIED of the first status may come before READY or be the same as that of the second. */
    await_event(supervisor, PS_EVENT_READY);
    CHECK_OK(ps_wait_ready(child, 0, &error), error);
    status_is(child, "serving");
    ps_notified now = said(child);
    CHECK(now.ready && !now.reloading && !now.stopping && now.ready_ns > 0);
    CHECK_INT(now.messages, 2);
    expect(supervisor, PS_EVENT_NOTIFIED, 0);
    expect_nothing(supervisor);

    CHECK_INT(write(gate[1], "x", 1), 1);
    expect(supervisor, PS_EVENT_NOTIFIED, 0);
    now = said(child);
    CHECK(now.ready && now.reloading);
    CHECK_INT(now.reloading_ns, 123000);
    CHECK_INT(write(gate[1], "x", 1), 1);
    expect(supervisor, PS_EVENT_NOTIFIED, 0);
    CHECK(!said(child).reloading);
    expect_nothing(supervisor); /* a second READY is none */

    uint64_t before = said(child).messages;
    static const int heard[] = {1, 3, 5};
    for (int i = 0; i < 3; i++) { /* each is heard before the next is said */
        CHECK_INT(write(gate[1], "x", 1), 1);
        CHECK(wait_until(said(child).messages == before + (uint64_t)heard[i], 30000));
    }
    CHECK(said(child).messages == before + 5); /* what is not understood is not counted */
    status_is(child, "c");
    expect(supervisor, PS_EVENT_NOTIFIED, 0);
    expect_nothing(supervisor);

    CHECK_INT(write(gate[1], "x", 1), 1);
    expect(supervisor, PS_EVENT_NOTIFIED, 0);
    if (!said(child).stopping)
        CHECK(wait_until(said(child).stopping, 30000));
    ps_event end = await_event(supervisor, PS_EVENT_EXITED);
    CHECK(end.child == child);
    now = said(child);
    CHECK(now.ready && now.stopping);
    CHECK_INT(now.errno_said, 28);
    status_is(child, "bye");
    CHECK_ERROR(ps_wait_ready(child, 0, &error), PS_ERR_EXITED, &error);
    CHECK_INT(ps_error_errno(error), 28);
    ps_error_free(error);
    ps_child_free(child);

    /* The reason that it names before it dies stands in the error. */
    child = spawn_in(NULL, ready_command(PS_READY_NOTIFY, NULL, 60000, "notify:ERRNO=13;STATUS=no", "exit:1", NULL));
    CHECK_ERROR(ps_wait_ready(child, -1, &error), PS_ERR_EXITED, &error);
    CHECK_INT(ps_error_errno(error), 13);
    ps_error_free(error);
    ps_child_free(child);
    ps_supervisor_free(supervisor);
    close(gate[0]);
    close(gate[1]);
    return 0;
}
