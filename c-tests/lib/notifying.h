/*
 * For tests of what children say through NOTIFY_SOCKET, and of watchdogs: children that speak as they are told (helpers/notifier.c). Include
 * harness.h first.
 *
 *   struct speaker s = speaking(supervisor, access, watchdog_ms, words..., NULL)    its stdin and stdout are pipes: tell(&s), hear(&s)
 *   unready_speaker(...)    the same, and its exec is all that is asked of it
 *   said(&s)   what counted of what it has said so far       speaker_end(&s)    kills what may run still
 */
#ifndef PROCSUP_NOTIFYING_H
#define PROCSUP_NOTIFYING_H

#include "harness.h"

#include "supervising.h"

#include "ready.h"

#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>

struct speaker {
    ps_child *child;
    int in, out;
    char line[256];
};

HARNESS ps_command *speaker_command(int32_t kind, int32_t access, int64_t watchdog_ms, va_list words)
{
    ps_error *error = NULL;
    ps_command *command = NULL;
    CHECK_OK(ps_command_new(helper_path("notifier"), &command, &error), error);
    for (const char *word; (word = va_arg(words, const char *));)
        CHECK_OK(ps_command_arg(command, word, &error), error);
    if (kind != PS_READY_EXEC)
        CHECK_OK(ps_command_readiness(command, kind, NULL, 60000 * slowness(), &error), error);
    CHECK_OK(ps_command_notify_access(command, access, &error), error);
    CHECK_OK(ps_command_watchdog(command, watchdog_ms, &error), error);
    set_stdio(command, 0, PS_STDIO_PIPE, -1);
    set_stdio(command, 1, PS_STDIO_PIPE, -1);
    return command;
}

HARNESS ps_command *notifier_for(int32_t access, int64_t watchdog_ms, ...)
{
    va_list words;
    va_start(words, watchdog_ms);
    ps_command *command = speaker_command(PS_READY_NOTIFY, access, watchdog_ms, words);
    va_end(words);
    return command;
}

/* Spawns it, and forgets the command. */
HARNESS struct speaker speaker_of(ps_supervisor *supervisor, ps_command *command)
{
    struct speaker speaker = {.in = -1, .out = -1};
    ps_error *error = NULL;
    speaker.child = spawn_in(supervisor, command);
    CHECK_OK(ps_child_stdio(speaker.child, 0, &speaker.in, &error), error);
    CHECK_OK(ps_child_stdio(speaker.child, 1, &speaker.out, &error), error);
    return speaker;
}

HARNESS struct speaker speaking(ps_supervisor *supervisor, int32_t access, int64_t watchdog_ms, ...)
{
    va_list words;
    va_start(words, watchdog_ms);
    ps_command *command = speaker_command(PS_READY_NOTIFY, access, watchdog_ms, words);
    va_end(words);
    return speaker_of(supervisor, command);
}

/* One that is ready with its exec. */
HARNESS struct speaker unready_speaker(ps_supervisor *supervisor, int64_t watchdog_ms, ...)
{
    va_list words;
    va_start(words, watchdog_ms);
    ps_command *command = speaker_command(PS_READY_EXEC, PS_NOTIFY_MAIN, watchdog_ms, words);
    va_end(words);
    return speaker_of(supervisor, command);
}

/* Its next line; empty at the end. */
HARNESS const char *hear(struct speaker *speaker)
{
    if (!read_line(speaker->out, speaker->line, sizeof speaker->line))
        speaker->line[0] = 0;
    return speaker->line;
}

/* Lets it go on from `line`. */
HARNESS void tell(struct speaker *speaker)
{
    CHECK(write(speaker->in, "\n", 1) == 1);
}

HARNESS ps_notified said(struct speaker *speaker)
{
    ps_notified notified = {.size = sizeof notified};
    ps_error *error = NULL;
    CHECK_OK(ps_child_notified(speaker->child, &notified, &error), error);
    return notified;
}

HARNESS const char *status_text(struct speaker *speaker)
{
    size_t length = 0;
    ps_error *error = NULL;
    CHECK_OK(ps_child_status_text(speaker->child, speaker->line, sizeof speaker->line - 1, &length, &error), error);
    speaker->line[length] = 0;
    return speaker->line;
}

HARNESS void speaker_end(struct speaker *speaker)
{
    close(speaker->in);
    close(speaker->out);
    end_child(speaker->child);
}

/* A socket from which this process speaks to such an address ("@..."). */
HARNESS int connected_to(const char *address)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    size_t length = strlen(address);
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    CHECK(fd >= 0 && address[0] == '@' && length < sizeof name.sun_path);
    memcpy(name.sun_path + 1, address + 1, length - 1);
    CHECK(connect(fd, (struct sockaddr *)&name, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length)) == 0);
    return fd;
}

/* Does the supervisor's work until its child has ended, and tells how. */
HARNESS ps_exit end_of(ps_supervisor *supervisor, struct speaker *speaker)
{
    ps_exit exit = {.size = sizeof exit};
    ps_error *error = NULL;
    if (supervisor) {
        ps_event event;
        do
            event = await_event(supervisor, PS_EVENT_EXITED);
        while (event.child != speaker->child);
    }
    CHECK_OK(ps_reap(speaker->child, PATIENCE_MS, &exit, &error), error);
    return exit;
}

#endif
