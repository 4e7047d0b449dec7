/* Faults in a successor that takes over by the control path. Either it owns in the end and the old generation has retired, or it is told
   why not; then the old generation serves on, and the next attempt works. */
/* variants: none */
/* share: 13 */
#include "handoff_scenario.h"

#include <sys/socket.h>

/* The owner: no faults here. It tells over the socket when it serves and when it retires, and ends when nobody listens. */
static int peer(const char *control, int socket)
{
    ps_handoff *handoff = NULL;
    ps_error *error = NULL;
    int32_t fd = -1;
    CHECK_OK(ps_handoff_new(control, &handoff, &error), error);
    CHECK_OK(ps_handoff_set_fd(handoff, "event", 0, &error), error);
    CHECK_OK(ps_handoff_set_fd(handoff, "other", 0, &error), error);
    CHECK_OK(ps_handoff_set_state(handoff, "begun", 5, &error), error);
    CHECK(set_limits(handoff, &error));
    CHECK_OK(ps_handoff_fd(handoff, &fd, &error), error);
    for (;;) {
        ps_handoff_event event = {.size = sizeof event};
        ps_status status = ps_handoff_next_event(handoff, 0, &event, &error);
        if (status == PS_PENDING) {
            struct pollfd set[2] = {{.fd = fd, .events = POLLIN}, {.fd = socket, .events = POLLIN}};
            CHECK(poll(set, 2, 60000) > 0);
            if (set[1].revents) {
                ps_handoff_free(handoff);
                return 0;
            }
            continue;
        }
        CHECK_OK(status, error);
        switch (event.kind) {
        case PS_HANDOFF_LIVE:
            CHECK_OK(ps_handoff_live(handoff, &error), error);
            CHECK(write(socket, "L", 1) == 1);
            break;
        case PS_HANDOFF_DRAIN:
            CHECK_OK(ps_handoff_pass_connection(handoff, 0, NULL, 0, &error), error);
            CHECK_OK(ps_handoff_drained(handoff, 0, &error), error);
            break;
        case PS_HANDOFF_SEAL:
            CHECK_OK(ps_handoff_set_state(handoff, "sealed", 6, &error), error);
            CHECK_OK(ps_handoff_set_fd(handoff, "other", -1, &error), error);
            CHECK_OK(ps_handoff_pass_connection(handoff, 0, "half", 4, &error), error);
            CHECK_OK(ps_handoff_sealed(handoff, 7, &error), error);
            break;
        case PS_HANDOFF_RESUME: CHECK_OK(ps_handoff_set_fd(handoff, "other", 0, &error), error); break;
        case PS_HANDOFF_RETIRE:
            ps_handoff_free(handoff);
            CHECK(write(socket, "R", 1) == 1);
            return 0;
        default: break;
        }
    }
}

/* Not our child: those are counted. Gives a socket to it. */
static int owner_start(void)
{
    int pair[2], status = 0;
    char byte, number[16];
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
    pid_t between = fork();
    CHECK(between >= 0);
    if (between == 0) {
        if (fork() != 0)
            _exit(0);
        close(pair[0]);
        snprintf(number, sizeof number, "%d", pair[1]);
        execl("/proc/self/exe", "handoff_successor", "peer", control_path, number, (char *)NULL);
        _exit(127);
    }
    CHECK(waitpid(between, &status, 0) == between && status == 0);
    close(pair[1]);
    fcntl(pair[0], F_SETFD, FD_CLOEXEC);
    CHECK(read(pair[0], &byte, 1) == 1 && byte == 'L');
    return pair[0];
}

/* One attempt; true when this process stands alone. */
static bool take_over(ps_handoff **handoff, ps_error **error)
{
    int32_t fd = -1, role = -1;
    char state[16];
    size_t length = 0;
    ps_status status;
    /* What has failed before may still be known as a handoff under way: its process lives, so it is waited for a little. */
    for (int64_t until = now_ms() + 20000; (status = ps_handoff_new(control_path, handoff, error)) == PS_ERR_IN_PROGRESS && now_ms() < until;) {
        ps_error_free(*error);
        *error = NULL;
        poll(NULL, 0, 1);
    }
    if (!worked(status, error))
        return false;
    CHECK_OK(ps_handoff_role(*handoff, &role, error), *error);
    CHECK_INT(role, PS_HANDOFF_SUCCESSOR);
    if (!worked(ps_handoff_take_fd(*handoff, "event", &fd, error), error)) {
        CHECK_OK(ps_handoff_failed(*handoff, "no descriptor", error), *error);
    } else {
        close(fd);
        CHECK_OK(ps_handoff_warm(*handoff, error), *error);
    }
    for (;;) {
        const ps_handoff_event *event = next_of(*handoff, error);
        CHECK(event != NULL);
        if (event->kind == PS_HANDOFF_ABORTED) {
            check_reason(*handoff);
            ps_handoff_free(*handoff);
            *handoff = NULL;
            return false;
        }
        if (event->kind == PS_HANDOFF_COMMITTED) {
            ps_handoff_event next = {.size = sizeof next}; /* worked off: the owner is told RETIRE */
            ps_handoff_next_event(*handoff, 0, &next, NULL);
            return true;
        }
        if (event->kind == PS_HANDOFF_PATH_CHANGED) /* a look that was spoiled */
            continue;
        CHECK_INT(event->kind, PS_HANDOFF_LIVE);
        CHECK_INT(event->revision, 7);
        CHECK_INT(event->unsealed, 0);
        if (worked(ps_handoff_take_connection(*handoff, &fd, state, sizeof state, &length, error), error)) {
            CHECK(length == 4 && memcmp(state, "half", 4) == 0);
            close(fd);
        }
        if (worked(ps_handoff_state(*handoff, state, sizeof state, &length, error), error)) {
            CHECK(length == 6 && memcmp(state, "sealed", 6) == 0);
            CHECK_STATUS(ps_handoff_take_fd(*handoff, "other", &fd, NULL), PS_ERR_NOT_FOUND); /* was taken back at SEAL */
            CHECK_OK(ps_handoff_live(*handoff, error), *error);
        } else
            CHECK_OK(ps_handoff_failed(*handoff, "no state", error), *error);
    }
}

int main(int argc, char **argv)
{
    if (argc > 3 && strcmp(argv[1], "peer") == 0)
        return peer(argv[2], atoi(argv[3]));
    ps_error *error = NULL;
    ps_handoff *handoff = NULL;
    char byte;
    ps_command *command = NULL;
    CHECK_OK(ps_command_new("x", &command, &error), error); /* there is room for handles: without any an error could not be told */
    place_new();
    int owner = owner_start();

    scenario_no_child();
    scenario_begin(argc, argv);
    if (!take_over(&handoff, &error)) {
        inject_end(); /* L3: the old generation goes on, and the next attempt works */
        CHECK(take_over(&handoff, &error));
    }
    while (read(owner, &byte, 1) != 1)
        CHECK_INT(errno, EINTR);
    CHECK(byte == 'R');
    ps_handoff_free(handoff);
    scenario_end();
    close(owner);
    ps_command_free(command);
    place_end();
    return 0;
}
