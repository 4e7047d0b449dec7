/*
 * Checksums of files by sha256sum, four at a time, under libuv. The same program in ten languages: docs/languages.md.
 *
 *     cc checksums.c $(pkg-config --cflags --libs procsup libuv) -o checksums && ./checksums FILE... +LATER...
 *
 * +LATER is a file that is not there yet: it is tried again until it is, and a child of libuv's own (uv_spawn) makes it meanwhile. Ctrl-C stops all
 * children by their stop plans; then the loop ends by itself.
 *
 * SIGCHLD is libuv's: its handler waits for its own children by their pids, so the two do not take each other's.
 */
/* needs-package: libuv */
#include <procsup.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

enum { AT_ONCE = 4 };

static struct file {
    const char *name;
    ps_child *child;
    char result[512];
} *files;
static int count, running, most, interrupted, ending;
static enum { NOT_STARTED, STARTED, ENDED } own;
static long long own_code;

static ps_supervisor *supervisor;
static uv_poll_t ready;
static uv_signal_t interrupt;
static uv_process_t own_child;

static void must(ps_status status, ps_error *error)
{
    if (status >= 0)
        return;
    fprintf(stderr, "%s: %s\n", ps_status_name(status), ps_error_message(error));
    exit(1); /* the children end with the supervisor's process only if asked to (ps_command_die_with_host) */
}

static void spawn(int number)
{
    struct file *file = &files[number];
    ps_command *command = NULL;
    ps_error *error = NULL;
    must(ps_command_new("sha256sum", &command, &error), error);
    if (file->name[0] == '+') {
        file->name++;
        must(ps_command_restart(command, PS_RESTART_ON_FAILURE, 10, 100, &error), error);
        must(ps_command_restart_limit(command, 0, 10000, &error), error); /* 0: it never gives up */
    }
    must(ps_command_arg(command, file->name, &error), error);
    must(ps_command_env(command, "LC_ALL", "C", &error), error);
    must(ps_command_stdio(command, 0, PS_STDIO_NULL, -1, &error), error);
    must(ps_command_capture(command, 400, &error), error);
    must(ps_command_user_data(command, (uint64_t)number, &error), error);
    must(ps_spawn(supervisor, command, &file->child, &error), error); /* or stands in line */
    ps_command_free(command);
}

static void end_if_all_is_over(void)
{
    ps_error *error = NULL;
    for (int i = 0; i < count; i++)
        if (files[i].result[0] == 0)
            return;
    if (own == STARTED || ending)
        return;
    ending = 1;
    must(ps_supervisor_shutdown(supervisor, 1000, &error), error); /* one last event says that all is over */
}

static void own_child_ended(uv_process_t *process, int64_t code, int signal)
{
    (void)signal;
    own = ENDED;
    own_code = code;
    uv_close((uv_handle_t *)process, NULL);
    end_if_all_is_over();
}

/* A child that procsup knows nothing of. */
static void make(const char *name)
{
    char *args[] = {"sh", "-c", "echo it has come >\"$0.new\" && mv \"$0.new\" \"$0\"; exit 7", (char *)name, NULL};
    uv_process_options_t options = {.file = args[0], .args = args, .exit_cb = own_child_ended};
    int failed = uv_spawn(uv_default_loop(), &own_child, &options);
    if (failed != 0) {
        fprintf(stderr, "uv_spawn: %s\n", uv_strerror(failed));
        exit(1);
    }
    own = STARTED;
}

static void ended(struct file *file, const ps_event *event)
{
    char output[400];
    size_t length = 0;
    ps_error *error = NULL;
    must(ps_child_output(file->child, output, sizeof output, &length, &error), error);
    while (length > 0 && output[length - 1] == '\n')
        length--;
    if (event->exit.kind != PS_EXIT_EXITED)
        snprintf(file->result, sizeof file->result, "%s, %s", ps_signal_name(event->exit.signal), ps_cause_name(event->exit.cause));
    else if (event->exit.code != 0)
        snprintf(file->result, sizeof file->result, "exit code %d: %.*s", event->exit.code, (int)length, output);
    else
        snprintf(file->result, sizeof file->result, "%.*s%s", (int)strcspn(output, " "), output, event->run > 1 ? " at a later run" : "");
}

static void on_event(const ps_event *event)
{
    struct file *file = &files[event->user_data]; /* not of SHUTDOWN_DONE, which has 0 */
    switch (event->kind) {
    case PS_EVENT_STARTED:
        if (++running > most)
            most = running;
        break;
    case PS_EVENT_EXITED:
        running--;
        ended(file, event);
        break;
    case PS_EVENT_RESTARTING: /* comes right behind EXITED: that was not the last run */
        file->result[0] = 0;
        if (own == NOT_STARTED)
            make(file->name);
        break;
    case PS_EVENT_FAILED:
    case PS_EVENT_CANCELLED:
        snprintf(file->result, sizeof file->result, "%s", ps_event_kind_name(event->kind));
        break;
    case PS_EVENT_SHUTDOWN_DONE: /* nothing watches any more: uv_run returns */
        uv_close((uv_handle_t *)&ready, NULL);
        uv_close((uv_handle_t *)&interrupt, NULL);
        break;
    }
}

static void readable(uv_poll_t *watcher, int status, int events)
{
    ps_event event = {.size = sizeof event};
    ps_error *error = NULL;
    ps_status taken;
    (void)watcher, (void)status, (void)events;
    while ((taken = ps_supervisor_next_event(supervisor, 0, &event, &error)) == PS_OK)
        on_event(&event);
    must(taken, error);
    end_if_all_is_over();
}

static void on_interrupt(uv_signal_t *watcher, int number)
{
    ps_error *error = NULL;
    (void)watcher, (void)number;
    interrupted = ending = 1;
    must(ps_supervisor_shutdown(supervisor, 1000, &error), error); /* the descriptor becomes readable */
}

int main(int argc, char **argv)
{
    ps_error *error = NULL;
    int32_t fd = -1;
    count = argc - 1;
    files = calloc((size_t)count + 1, sizeof *files);
    must(ps_supervisor_new(&supervisor, &error), error);
    must(ps_supervisor_set_max_running(supervisor, AT_ONCE, &error), error);
    must(ps_supervisor_fd(supervisor, &fd, &error), error);

    uv_loop_t *loop = uv_default_loop();
    if (uv_signal_init(loop, &interrupt) != 0 || uv_signal_start(&interrupt, on_interrupt, SIGINT) != 0 || uv_poll_init(loop, &ready, fd) != 0 ||
        uv_poll_start(&ready, UV_READABLE, readable) != 0) {
        fprintf(stderr, "libuv does not watch\n");
        return 1;
    }
    for (int i = 0; i < count; i++) {
        files[i].name = argv[i + 1];
        spawn(i);
    }
    uv_run(loop, UV_RUN_DEFAULT);
    uv_loop_close(loop);

    for (int i = 0; i < count; i++) {
        printf("%s %s\n", files[i].name, files[i].result);
        ps_child_free(files[i].child);
    }
    ps_supervisor_free(supervisor);
    free(files);
    if (own == ENDED)
        printf("own child: exit code %lld\n", own_code);
    if (interrupted)
        printf("interrupted\n");
    printf("%d files, %s %d at once, %u children left\n", count, most <= AT_ONCE ? "never more than" : "MORE THAN", AT_ONCE, ps_live_count());
    return interrupted ? 130 : 0;
}
