/*
 * What the tests of recovery use: a supervisor of daemons that was killed, its journal, and the one that comes after it. Goes with
 * notify_supervised.h; `sup` is the later one.
 *
 *   journal()                          the path of the journal;  its text: journal_text();  journal_write(text)  changed(text, from, to)
 *   sup_again()                        another supervisor in this process, with listener and journal;  sup_without(listener)
 *   killed_supervisor(word, next, until)   a supervisor in a process of its own starts a daemon with this word (NULL: none), and then replaces it by one
 *                                      with that (NULL: by nobody; "": none); it is killed when the journal has a line that begins with this. Answers who serves.
 *                                      (PROBATION in the environment: so many ms of it)
 *   recovered()                        the status
 */
#ifndef PROCSUP_TEST_RECOVERING_H
#define PROCSUP_TEST_RECOVERING_H

#include "notify_supervised.h"

HARNESS const char *journal(void)
{
    static char path[96];
    snprintf(path, sizeof path, "%s/journal", stage.dir);
    return path;
}

/* "": there is none. */
HARNESS const char *journal_text(void)
{
    static char text[16384];
    ssize_t length = 0;
    int fd = open(journal(), O_RDONLY | O_CLOEXEC);
    if (fd >= 0) {
        length = read(fd, text, sizeof text - 1);
        close(fd);
    }
    text[length > 0 ? length : 0] = 0;
    return text;
}

HARNESS void journal_write(const char *text)
{
    int fd = open(journal(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    CHECK(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    close(fd);
}

/* The rest of the line that begins so in the text; NULL: there is none. */
HARNESS const char *journal_line(const char *text, const char *begin)
{
    for (const char *line = text; *line; line = strchr(line, '\n') + 1) {
        if (strncmp(line, begin, strlen(begin)) == 0)
            return line + strlen(begin);
        if (!strchr(line, '\n'))
            break;
    }
    return NULL;
}

/* The text, with what stands behind every `key` up to the next blank or end of line replaced. */
HARNESS const char *changed(const char *text, const char *key, const char *value)
{
    static char made[8][16384]; /* the text may be one of them */
    static int turn;
    char *out = made[turn = (turn + 1) % 8];
    size_t length = 0;
    while (*text) {
        CHECK(length + strlen(value) + strlen(key) + 2 < sizeof made[0]);
        if (strncmp(text, key, strlen(key)) == 0) {
            length += (size_t)snprintf(out + length, sizeof made[0] - length, "%s%s", key, value);
            text += strlen(key);
            text += strcspn(text, " \n");
        } else
            out[length++] = *text++;
    }
    out[length] = 0;
    return out;
}

HARNESS void sup_with(int listener)
{
    ps_handoff_supervisor_free(sup);
    CHECK_OK(ps_handoff_supervisor_new(NULL, &sup, &problem), problem);
    CHECK_OK(ps_handoff_supervisor_set_protocol(sup, PS_HANDOFF_PROTOCOL_NOTIFY, &problem), problem);
    CHECK_OK(ps_handoff_supervisor_set_journal(sup, journal(), &problem), problem);
    if (listener >= 0)
        CHECK_OK(ps_handoff_supervisor_listener(sup, "http", listener, &problem), problem);
}

HARNESS void sup_again(void)
{
    sup_with(stage.listener);
}

HARNESS ps_status recovered(void)
{
    ps_error *error = NULL;
    ps_status status = ps_handoff_supervisor_recover(sup, &error);
    if (getenv("RECOVERY_SAYS") && error)
        harness_print_error(error);
    ps_error_free(error);
    return status;
}

HARNESS pid_t killed_supervisor(const char *word, const char *next, const char *until)
{
    int told[2];
    pid_t serving = 0;
    CHECK(pipe2(told, O_CLOEXEC) == 0);
    pid_t first = fork();
    CHECK(first >= 0);
    if (first == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        sup = NULL; /* that is the parent's */
        sup_again();
        if (getenv("PROBATION"))
            CHECK_OK(ps_handoff_supervisor_set_probation(sup, atoi(getenv("PROBATION")), &problem), problem);
        start(daemon_of(word, NULL));
        serving = expect(PS_HANDOFF_SUPERVISOR_STARTED)->pid;
        if (next) {
            expect(PS_HANDOFF_SUPERVISOR_SERVING);
            replace(daemon_of(*next ? next : NULL, NULL), 0, 0);
        }
        CHECK(write(told[1], &serving, sizeof serving) == sizeof serving);
        for (;;) {
            last = (ps_handoff_supervisor_event){.size = sizeof last};
            ps_handoff_supervisor_next_event(sup, -1, &last, NULL);
        }
    }
    close(told[1]);
    CHECK(read(told[0], &serving, sizeof serving) == sizeof serving);
    close(told[0]);
    CHECK(wait_until(journal_line(journal_text(), until) != NULL, IN_TIME));
    kill(first, SIGKILL);
    CHECK(waitpid(first, NULL, 0) == first);
    return serving;
}

HARNESS pid_t pid_in(const char *begin)
{
    const char *line = journal_line(journal_text(), begin);
    return line ? (pid_t)atoi(strstr(line, "pid=") + 4) : 0;
}

#endif
