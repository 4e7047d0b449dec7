/*
 * native_overseer DIRECTORY: a supervisor of the handoff in a process of its own, which a test may kill, stop and start again (c-tests/lib/supervised.h).
 * It obeys lines on its standard input and answers each with the status; the events it passes on by itself.
 *
 *     hold FD                  (an inherited descriptor) the listener "http"
 *     start OPTIONS...         replace DEADLINE_MS OPTIONS...      (of helpers/native_server)
 *     recover  cancel  stop GRACE_MS  restart ATTEMPTS WINDOW_MS  owner  free  exit
 */
#include "harness.h"

static ps_handoff_supervisor *supervisor;
static const char *directory;

static ps_command *server(char *options)
{
    char path[512] = "";
    ps_command *command = NULL;
    CHECK(readlink("/proc/self/exe", path, sizeof path - 1) > 0);
    strcpy(strrchr(path, '/'), "/native_server");
    CHECK_STATUS(ps_command_new(path, &command, NULL), PS_OK);
    CHECK_STATUS(ps_command_arg(command, directory, NULL), PS_OK);
    for (char *word = strtok(options, " "); word; word = strtok(NULL, " "))
        CHECK_STATUS(ps_command_arg(command, word, NULL), PS_OK);
    return command;
}

static void obey(char *line)
{
    ps_error *error = NULL;
    ps_status status = PS_OK;
    int32_t pid = 0;
    uint64_t generation = 0;
    char *rest = strchr(line, ' ');
    if (rest)
        *rest++ = 0;
    else
        rest = line + strlen(line);
    if (strcmp(line, "hold") == 0)
        status = ps_handoff_supervisor_listener(supervisor, "http", atoi(rest), &error);
    else if (strcmp(line, "start") == 0) {
        ps_command *command = server(rest);
        status = ps_handoff_supervisor_start(supervisor, command, &error);
        ps_command_free(command);
    } else if (strcmp(line, "replace") == 0) {
        long ms = strtol(rest, &rest, 10);
        ps_command *command = server(rest);
        status = ps_handoff_supervisor_replace(supervisor, command, ms, 0, &error);
        ps_command_free(command);
    } else if (strcmp(line, "recover") == 0)
        status = ps_handoff_supervisor_recover(supervisor, &error);
    else if (strcmp(line, "cancel") == 0)
        status = ps_handoff_supervisor_cancel(supervisor, &error);
    else if (strcmp(line, "stop") == 0)
        status = ps_handoff_supervisor_stop(supervisor, atol(rest), &error);
    else if (strcmp(line, "restart") == 0) {
        long attempts = strtol(rest, &rest, 10);
        status = ps_handoff_supervisor_set_restart(supervisor, (uint32_t)attempts, atol(rest), &error);
    } else if (strcmp(line, "owner") == 0)
        status = ps_handoff_supervisor_owner(supervisor, &pid, &generation, &error);
    else if (strcmp(line, "free") == 0)
        ps_handoff_supervisor_free(supervisor);
    else
        _exit(0);
    if (error && getenv("OVERSEER_SAYS"))
        harness_print_error(error);
    printf("did %d %d %" PRIu64 "\n", status, pid, generation);
    ps_error_free(error);
}

int main(int argc, char **argv)
{
    char path[256], line[512];
    int32_t fd;
    size_t length = 0;
    if (argc < 2)
        return 99;
    directory = argv[1];
    setvbuf(stdout, NULL, _IOLBF, 0);
    snprintf(path, sizeof path, "%s/control", directory);
    CHECK_STATUS(ps_handoff_supervisor_new(path, &supervisor, NULL), PS_OK);
    CHECK_STATUS(ps_handoff_supervisor_fd(supervisor, &fd, NULL), PS_OK);
    for (;;) {
        struct pollfd set[2] = {{0, POLLIN, 0}, {fd, POLLIN, 0}};
        poll(set, 2, -1);
        if (set[0].revents) {
            ssize_t count = read(0, line + length, 1);
            if (count <= 0)
                _exit(0); /* the test is over */
            if (line[length] == '\n') {
                line[length] = 0;
                length = 0;
                obey(line);
            } else
                length++;
        }
        ps_handoff_supervisor_event event = {.size = sizeof event};
        while (ps_handoff_supervisor_next_event(supervisor, 0, &event, NULL) == PS_OK)
            printf("event %d %d %d %" PRIu64 " %d %d %d %d\n", event.kind, event.pid, event.peer_pid, event.generation, event.phase,
                   event.reason, event.exit_code, event.exit_signal);
    }
}
