/*
 * The records of the demo: each child that was asked for, its runs, and how they ended. All of it comes from events.
 */
#include "demo.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct child children[MAX_CHILDREN];
int child_count;

struct child *new_child(const char *program, const char *about)
{
    if (child_count == MAX_CHILDREN) {
        fprintf(stderr, "too many children for this demo\n");
        exit(1);
    }
    struct child *child = &children[child_count++];
    child->program = program;
    snprintf(child->about, sizeof child->about, "%s", about);
    return child;
}

ps_command *describe(struct child *child, const char *const *argv)
{
    ps_command *command = NULL;
    must(ps_command_new(argv[0], &command, &error));
    must(ps_command_args(command, argv + 1, &error));
    must(ps_command_stdio(command, 0, PS_STDIO_NULL, -1, &error));
    must(ps_command_user_data(command, (uintptr_t)child, &error));
    return command;
}

/* Starts a command, now or when there is a slot, and frees it: it is a description, and not needed any more. */
ps_status ask(struct child *child, ps_command *command)
{
    child->asked_ns = now_ns();
    ps_status status = ps_spawn(supervisor, command, &child->handle, &error);
    ps_command_free(command);
    if (status != PS_OK) {
        child->fate = NOT_STARTED;
        child->status = status;
        child->left_ns = now_ns();
    }
    return status;
}

int count_fate(enum fate fate)
{
    int count = 0;
    for (int i = 0; i < child_count; i++)
        count += children[i].fate == fate;
    return count;
}

enum ending ending_of(const ps_exit *end)
{
    switch (end->cause) {
    case PS_CAUSE_SELF:
        return end->kind != PS_EXIT_EXITED ? CRASHED : end->code == 0 ? SUCCEEDED : FAILED;
    case PS_CAUSE_DEADLINE:
        return OVERRAN;
    default:
        return STOPPED;
    }
}

/* Children that have ended for good in such a way. */
int count_endings(enum ending from, enum ending to)
{
    int count = 0;
    for (int i = 0; i < child_count; i++)
        if (children[i].fate == ENDED || children[i].fate == GAVE_UP) {
            enum ending ending = ending_of(&last_run(&children[i])->exit);
            count += ending >= from && ending <= to;
        }
    return count;
}

struct run *last_run(struct child *child)
{
    return child->run_count > 0 ? &child->runs[child->run_count - 1] : NULL;
}

const char *how_it_ended(const ps_exit *end)
{
    static const char *const causes[] = {"by itself", "stop plan", "deadline",  "shutdown",
                                         "kill-all",  "owner",     "not ready", "watchdog"};
    static char how[64];
    if (end->kind == PS_EXIT_SIGNALED)
        snprintf(how, sizeof how, "%s (%s)", strsignal(end->signal), causes[end->cause]);
    else if (end->kind == PS_EXIT_LOST)
        snprintf(how, sizeof how, "reaped by somebody else");
    else if (end->cause == PS_CAUSE_SELF)
        snprintf(how, sizeof how, "exit code %d", end->code);
    else
        snprintf(how, sizeof how, "exit code %d (%s)", end->code, causes[end->cause]);
    return how;
}

/* The slots have no numbers in procsup; we give the lowest that is free. An end comes before the start that it made room for. */
static int free_slot(void)
{
    for (int slot = 0;; slot++) {
        int taken = 0;
        for (int i = 0; i < child_count && !taken; i++)
            taken = children[i].fate == RUNNING && last_run(&children[i])->slot == slot;
        if (!taken)
            return slot;
    }
}

static void take_line(struct child *child)
{
    size_t length = 0;
    must(ps_event_data(supervisor, NULL, 0, &length, &error));
    char *line = malloc(length + 1);
    if (line == NULL || ps_event_data(supervisor, line, length, &length, NULL) != PS_OK)
        exit(1);
    snprintf(child->said, sizeof child->said, "%.*s", (int)length, line);
    child->lines++;
    free(line);
}

void take_event(const ps_event *event)
{
    struct child *child = (struct child *)(uintptr_t)event->user_data;
    struct run *run = child != NULL ? last_run(child) : NULL;
    switch (event->kind) {
    case PS_EVENT_STARTED: {
        int slot = free_slot();
        child->runs[child->run_count++] = (struct run){.pid = event->pid, .slot = slot, .started_ns = event->time_ns};
        child->fate = RUNNING;
        break;
    }
    case PS_EVENT_OUTPUT:
        take_line(child);
        break;
    case PS_EVENT_EXITED:
        run->exit = event->exit;
        run->started_ns = event->exit.started_ns;
        child->fate = ENDED;
        if (ending_of(&event->exit) != SUCCEEDED)
            view_note(child, ending_of(&event->exit) == STOPPED ? YELLOW : RED, "%s", how_it_ended(&event->exit));
        work_ended(child);
        break;
    case PS_EVENT_RESTARTING:
        child->fate = WAITING;
        view_note(child, YELLOW, "starts again in %lld ms", (long long)event->delay_ms);
        break;
    case PS_EVENT_GAVE_UP:
        child->fate = GAVE_UP;
        if (event->reason == PS_REASON_BUDGET)
            view_note(child, RED, "given up after %u runs; again in %.1f s at the earliest", event->run, event->retry_after_ms / 1e3);
        else
            view_note(child, RED, "given up after %u runs", event->run);
        break;
    case PS_EVENT_FAILED:
        child->fate = NOT_STARTED;
        child->status = event->status;
        child->left_ns = event->time_ns;
        view_note(child, RED, "%s", ps_status_name(event->status));
        break;
    case PS_EVENT_CANCELLED:
        child->fate = CANCELLED;
        child->left_ns = event->time_ns;
        view_note(child, DIM, "cancelled, was never started");
        break;
    case PS_EVENT_SHUTDOWN_DONE:
        break;
    }
}
