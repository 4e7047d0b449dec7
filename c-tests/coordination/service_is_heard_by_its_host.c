/* A program that tells what it does by ps_notify, and one that does so by the real libsystemd, are heard alike by a host that waits for
   PS_READY_NOTIFY: what was said, the barrier before READY and after it, the descriptors that LISTEN_FDS counts beside it, the watchdog and the
   true pid that it is for. */
/* covers: C13-7, C13-3, C13-4, CO-systemd-25961 */
#include "service.h"

#define WATCHDOG_MS 600000 /* it is read here, and is not to bark */

static int serve(void)
{
    ps_error *error = NULL;
    int32_t count = 0;
    int64_t usec = 0;
    CHECK_OK(ps_watchdog_enabled(&usec, &error), error);
    printf("watchdog 1 %" PRId64 "\n", usec);
    CHECK_STR(getenv("WATCHDOG_PID"), own_pid());
    CHECK_OK(ps_notify("STATUS=loading", &error), error);
    CHECK_OK(ps_notify_barrier(PATIENCE_MS, &error), error);
    CHECK_OK(ps_listen_fds(&count, &error), error);
    CHECK_INT(count, 1);
    CHECK_OK(ps_notify("READY=1\nSTATUS=up", &error), error);
    CHECK_OK(ps_notify_barrier(PATIENCE_MS, &error), error);
    printf("listen 1 http all close-on-exec\n");
    CHECK_INT(read(0, &count, 1), 0); /* until the host has seen that we are ready, and live */
    return 0;
}

static void is_heard(ps_command *command, const char *output)
{
    ps_error *error = NULL;
    ps_child *child = NULL;
    ps_exit ended = {.size = sizeof ended};
    ps_notified said = {.size = sizeof said};
    char text[512];
    size_t needed = 0;
    int fd = some_listener();
    listen_fd(command, fd, "http");
    CHECK_OK(ps_command_watchdog(command, WATCHDOG_MS, &error), error);
    CHECK_OK(ps_command_capture(command, sizeof text, &error), error);
    set_stdio(command, 0, PS_STDIO_PIPE, -1);
    CHECK_OK(ps_command_readiness(command, PS_READY_NOTIFY, NULL, PATIENCE_MS, &error), error);
    CHECK_OK(ps_spawn(NULL, command, &child, &error), error);
    ps_status status = ps_wait_ready(child, PATIENCE_MS, &error);
    if (status == PS_ERR_EXITED && ps_reap(child, PATIENCE_MS, &ended, NULL) == PS_OK && ended.code == 77)
        SKIP("no libsystemd here");
    CHECK_OK(status, error);
    CHECK_OK(ps_child_notified(child, &said, &error), error);
    CHECK(said.ready == 1 && said.ready_ns > 0 && said.refused == 0);
    CHECK_OK(ps_child_status_text(child, text, sizeof text, &needed, &error), error);
    CHECK_INT(needed, 2);
    CHECK(memcmp(text, "up", 2) == 0);
    close(pipe_end(child, 0));
    CHECK_OK(ps_reap(child, PATIENCE_MS, &ended, &error), error);
    CHECK(ended.kind == PS_EXIT_EXITED && ended.code == 0);
    CHECK_OK(ps_child_notified(child, &said, &error), error);
    CHECK_INT(said.messages, 2); /* a barrier says nothing */
    CHECK_OK(ps_child_output(child, text, sizeof text, &needed, &error), error);
    CHECK(needed < sizeof text);
    text[needed] = 0;
    CHECK_STR(text, output);
    ps_child_free(child);
    ps_command_free(command);
    close(fd);
}

int main(int argc, char **argv)
{
    (void)argv;
    if (argc > 1)
        return serve();
    is_heard(itself("child", NULL), "watchdog 1 600000000\nlisten 1 http all close-on-exec\n");
    is_heard(helper_command("systemd_service", "watchdog", "notify", "STATUS=loading", "barrier", "20000000", "listen", "notify", "READY=1\nSTATUS=up",
                            "barrier", "20000000", "stdin", NULL),
             "watchdog 1 600000000\nnotify 1\nbarrier 1\nlisten 1 http all close-on-exec\nnotify 1\nbarrier 1\n");
    return 0;
}
