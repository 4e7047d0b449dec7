/*
 * Applications that are a line of sh, for what a session tells a process and what it makes of it: any user can run them, and they look at their work
 * directory ($W) as any program would.
 *
 *   script(line)       a command that runs it, then says where it is and that it is ready, and waits for the end of its input
 *   unprepared(command, status)    the error of a session that could not be prepared
 *   ALL_IS_GONE()      as NOTHING_IS_LEFT(), where a removal could not go at once and is tried again by later calls
 */
#ifndef PROCSUP_TEST_SCRIPTED_H
#define PROCSUP_TEST_SCRIPTED_H

#include "direct.h"

#define SCRIPTED_SOCKET "{\"sockets\":[{\"address\":\"tcp://127.0.0.1:9\",\"protocol\":\"http\",\"concurrency\":0,\"accept_http_requests\":true}]}"

HARNESS ps_command *script(const char *line)
{
    char whole[2048];
    int length = snprintf(whole, sizeof whole,
                          "W=$PASSENGER_SPAWN_WORK_DIR; %s\nprintf '%%s' '" SCRIPTED_SOCKET
                          "' > $W/response/properties.json; printf 1 > $W/response/finish; read x",
                          line);
    CHECK(length > 0 && (size_t)length < sizeof whole);
    ps_command *command = shell(whole, "x");
    say_argument(command, "spawn_dir", apps_dir());
    say_argument(command, "app_root", "/");
    return command;
}

/* Fails before there is a process: so says the journey. */
HARNESS ps_error *unprepared(ps_command *command, ps_status status)
{
    ps_error *error = fails(NULL, command, PATIENCE_MS, status);
    CHECK(says(error, "SPAWNING_KIT_PREPARATION"));
    return error;
}

/* A supervisor whose looks move removals along; made at the first use, so before leaks are counted. */
HARNESS bool is_all_gone(void)
{
    static ps_supervisor *passer_by;
    ps_event event = {.size = sizeof event};
    if (!passer_by)
        passer_by = supervisor_new();
    CHECK(ps_supervisor_next_event(passer_by, 0, &event, NULL) == PS_PENDING);
    return entries_of(apps_dir()) == 0;
}

#define ALL_IS_GONE() CHECK(wait_until(is_all_gone(), 10000))

#endif
