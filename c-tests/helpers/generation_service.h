/*
 * What a generation (generation.c) says to who has started it, at the command of a test:
 *
 *     variable NAME VALUE    variable NAME      sets it; unsets it
 *     notify TEXT            with a descriptor: by ps_notify_fds. In TEXT a '|' is a new line
 *     main PID TEXT          ps_notify_main_process
 *     given NAME             ps_listen_fd_named, and sends it
 *     reloading  watchdog    check_service  service_check 0|1
 */
#ifndef PROCSUP_GENERATION_SERVICE_H
#define PROCSUP_GENERATION_SERVICE_H

static char *lines_of(char *text)
{
    for (char *at = text; *at; at++)
        if (*at == '|')
            *at = '\n';
    return text;
}

/* Whether it was for here. */
static bool obey_service(const char *word, char *rest, int fd)
{
    char *more;
    if (strcmp(word, "variable") == 0) {
        if ((more = strchr(rest, ' '))) {
            *more++ = 0;
            setenv(rest, more, 1);
        } else
            unsetenv(rest);
        say("PS_OK");
    } else if (strcmp(word, "notify") == 0)
        answer(fd >= 0 ? ps_notify_fds(lines_of(rest), &fd, 1, &error) : ps_notify(lines_of(rest), &error));
    else if (strcmp(word, "main") == 0) {
        int32_t pid = (int32_t)strtol(rest, &more, 10);
        answer(ps_notify_main_process(pid, *more ? lines_of(more + 1) : NULL, &error));
    } else if (strcmp(word, "given") == 0) {
        int32_t given = -1;
        ps_status status = ps_listen_fd_named(rest, &given, &error);
        if (status == PS_OK)
            say_with(given, "PS_OK %d", given);
        else
            answer(status);
    } else if (strcmp(word, "reloading") == 0)
        answer(ps_notify_reloading(&error));
    else if (strcmp(word, "watchdog") == 0) {
        int64_t usec = 0;
        ps_status status = ps_watchdog_enabled(&usec, &error);
        if (status == PS_OK)
            say("PS_OK %" PRId64, usec);
        else
            answer(status);
    } else if (strcmp(word, "check_service") == 0)
        answer(ps_handoff_check_service(&error));
    else if (strcmp(word, "service_check") == 0)
        answer(ps_handoff_set_service_check(handoff, atoi(rest), &error));
    else
        return false;
    return true;
}

#endif
