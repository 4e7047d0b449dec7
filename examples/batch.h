/*
 * The work that the loop_*.c examples do, each under another event loop: twenty children, four at a time. Most just end, some fail;
 * one prints lines, one ignores SIGTERM, one is too slow, one crashes, one is not there. batch_event() is what a program does with
 * an event, and checks that each child has exactly the events that it must have. For the event loop itself read loop_*.c.
 *
 *     ps_supervisor *supervisor = batch_start();     all twenty are queued, four of them run
 *     batch_event(supervisor, &event);               for each event that was taken
 *     batch_finished()                               true after the last one
 *     return batch_end(supervisor);                  0 if everything came as expected
 */
#ifndef PROCSUP_EXAMPLES_BATCH_H
#define PROCSUP_EXAMPLES_BATCH_H

#include <procsup.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

enum { JOBS = 20, AT_ONCE = 4, LINES = 50 };

/* What a job runs, how it must end, and what has come of it so far. Its index travels with its events, as user data. */
static struct job {
    const char *name, *script; /* for sh -c; without a script the name is the program */
    int code, signal, cause;   /* how it must end */
    int lines;                 /* how many it must print */
    int started, ended, printed;
} jobs[JOBS] = {
    {.name = "talks", .script = "i=0; while [ $i -lt 50 ]; do echo line $i; i=$((i + 1)); done", .lines = LINES},
    {.name = "ignores SIGTERM", .script = "trap '' TERM; echo ready; exec sleep 1000", .code = -1, .signal = SIGKILL,
     .cause = PS_CAUSE_STOP, .lines = 1},
    {.name = "too slow", .script = "exec sleep 1000", .code = -1, .signal = SIGTERM, .cause = PS_CAUSE_DEADLINE},
    {.name = "crashes", .script = "kill -SEGV $$", .code = -1, .signal = SIGSEGV},
    {.name = "no-such-program"},
    {.name = "fails", .script = "exit 3", .code = 3},
    {.name = "fails late", .script = "sleep 0.1; exit 4", .code = 4},
};
static int batch_ended, batch_done, batch_wrong;

/* ---- talking ---- */

static void batch_must(ps_status status, ps_error *error)
{
    if (status == PS_OK)
        return;
    fprintf(stderr, "%s\n", ps_error_message(error));
    ps_kill_and_reap_all(2000, NULL);
    exit(1);
}

static void batch_expect(int condition, const struct job *job, const char *what)
{
    if (!condition) {
        fprintf(stderr, "job %d (%s): not as expected: %s\n", job ? (int)(job - jobs) : -1, job ? job->name : "none", what);
        batch_wrong++;
    }
}

/* ---- the three things that a program does with a supervisor ---- */

/* Queues everything. With a limit of running children ps_spawn never waits: what finds no free slot is started later, by
   ps_supervisor_next_event. So an error of the start may come later too, as an event. */
static ps_supervisor *batch_start(void)
{
    ps_supervisor *supervisor = NULL;
    ps_error *error = NULL;
    batch_must(ps_supervisor_new(&supervisor, &error), error);
    batch_must(ps_supervisor_set_max_running(supervisor, AT_ONCE, &error), error);
    for (int i = 0; i < JOBS; i++) {
        struct job *job = &jobs[i];
        ps_command *command = NULL;
        ps_child *child = NULL; /* not kept: each event brings it along */
        if (job->name == NULL)
            *job = (struct job){.name = "just ends", .script = "exit 0"};
        batch_must(ps_command_new(job->script ? "sh" : job->name, &command, &error), error);
        if (job->script)
            batch_must(ps_command_args(command, (const char *const[]){"-c", job->script, NULL}, &error), error);
        batch_must(ps_command_user_data(command, (uint64_t)i, &error), error);
        batch_must(ps_command_stdio(command, 0, PS_STDIO_NULL, -1, &error), error);
        batch_must(ps_command_rlimit(command, RLIMIT_CORE, 0, 0, &error), error);
        batch_must(ps_command_output_lines(command, job->lines > 0, &error), error);
        batch_must(ps_command_stop_step(command, SIGTERM, 100, &error), error);
        batch_must(ps_command_stop_step(command, SIGKILL, -1, &error), error);
        batch_must(ps_command_deadline(command, job->cause == PS_CAUSE_DEADLINE ? 200 : 30000, &error), error);
        ps_status status = ps_spawn(supervisor, command, &child, &error);
        if (status == PS_ERR_NOT_FOUND && job->script == NULL) { /* it found a free slot, so the error came at once */
            job->ended++;
            batch_ended++;
            ps_error_free(error);
        } else {
            batch_must(status, error);
        }
        ps_command_free(command);
    }
    return supervisor;
}

/* A line that a child has printed; the bytes are kept until the next event is taken. */
static void batch_line(ps_supervisor *supervisor, const ps_event *event, struct job *job)
{
    char line[64], expected[64];
    size_t length = 0;
    ps_error *error = NULL;
    batch_must(ps_event_data(supervisor, line, sizeof line - 1, &length, &error), error);
    line[length] = 0;
    snprintf(expected, sizeof expected, job->lines == 1 ? "ready" : "line %d", job->printed);
    batch_expect(strcmp(line, expected) == 0 && event->stream == 1 && event->status == PS_OK, job, line);
    job->printed++;
    if (job->cause == PS_CAUSE_STOP) /* returns at once; the steps of its stop plan are wake-ups of the loop like all others */
        batch_must(ps_terminate_begin(event->child, -1, &error), error);
}

static void batch_event(ps_supervisor *supervisor, const ps_event *event)
{
    ps_error *error = NULL;
    if (event->kind == PS_EVENT_SHUTDOWN_DONE) {
        batch_expect(batch_ended == JOBS && !batch_done, NULL, "SHUTDOWN_DONE");
        batch_done = 1;
        return;
    }
    if (event->child == NULL || event->user_data >= JOBS) {
        batch_expect(0, NULL, "an event of no job");
        return;
    }

    struct job *job = &jobs[event->user_data];
    const ps_exit *end = &event->exit;
    uint32_t pending = 0, running = 0, stopping = 0;
    batch_must(ps_supervisor_counts(supervisor, &pending, &running, &stopping, &error), error);
    batch_expect(running + stopping <= AT_ONCE, job, "more of them run than may");

    switch (event->kind) {
    case PS_EVENT_STARTED:
        batch_expect(job->started++ == 0 && job->script != NULL, job, "STARTED");
        break;
    case PS_EVENT_OUTPUT:
        batch_line(supervisor, event, job);
        break;
    case PS_EVENT_EXITED:
        batch_expect(job->started == 1 && job->ended++ == 0, job, "EXITED");
        batch_expect(end->code == job->code && end->signal == job->signal && end->cause == job->cause, job, "how it ended");
        batch_expect(job->printed == job->lines, job, "how much it printed");
        printf("%-16s %s %-3d %5.0f ms\n", job->name, end->signal ? "signal   " : "exit code", end->signal ? end->signal : end->code,
               (double)(end->ended_ns - end->started_ns) / 1e6);
        ps_child_free(event->child); /* the handle that ps_spawn gave: here it is freed, and nowhere else */
        batch_ended++;
        break;
    case PS_EVENT_FAILED: /* it was queued, and could not be started when its turn came */
        batch_expect(job->script == NULL && job->ended++ == 0 && event->status == PS_ERR_NOT_FOUND, job, "FAILED");
        printf("%-16s %s\n", job->name, ps_status_name(event->status));
        ps_child_free(event->child);
        batch_ended++;
        break;
    default:
        batch_expect(0, job, "an event that nobody asked for");
    }
    if (batch_ended == JOBS) /* a server would do this at its end. It returns at once too, and one last event says that all is over */
        batch_must(ps_supervisor_shutdown(supervisor, 1000, &error), error);
}

static int batch_finished(void)
{
    return batch_done;
}

/* Call it when the loop no longer watches the supervisor's descriptor: it is closed here. */
static int batch_end(ps_supervisor *supervisor)
{
    ps_event event = {.size = sizeof event};
    batch_expect(batch_done && ps_supervisor_next_event(supervisor, 0, &event, NULL) == PS_PENDING, NULL, "events after the last one");
    ps_supervisor_free(supervisor);
    for (int i = 0; i < JOBS; i++)
        batch_expect(jobs[i].ended == 1, &jobs[i], "it had no end");
    batch_expect(ps_live_count() == 0, NULL, "children are left");
    printf("%d children, %s\n", JOBS, batch_wrong ? "NOT as expected" : "each as expected");
    return batch_wrong ? 1 : 0;
}

#endif
