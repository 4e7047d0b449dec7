/*
 * PassengerAgent's spawn-env-setupper on our work directory: it sets the process up in two passes, then runs `start_command` of the arguments, all
 * in one process. The path of the directory is an argument of it, and known only to whom is started: so a shell stands before it, and is gone.
 *
 *   ps_command *command = agent(&p, "rack", "config.ru", RUBY " " PASSENGER_HELPERS "/rack-loader.rb")
 */
#ifndef PROCSUP_TEST_REAL_AGENT_H
#define PROCSUP_TEST_REAL_AGENT_H

#include "real_peers.h"

HARNESS ps_command *agent(const place *p, const char *app_type, const char *startup_file, const char *start_command)
{
    ps_command *command =
        command_for("/bin/sh", "-c", "exec \"$0\" spawn-env-setupper \"$PASSENGER_SPAWN_WORK_DIR\" --before", PASSENGER_AGENT, NULL);
    tell(command, p, app_type, startup_file);
    session(command, "start_command", start_command);
    session(command, "base_uri", "/");
    return command;
}

/* Sessions and sockets of another user are made there. */
HARNESS void open_to_others(const place *p)
{
    CHECK(chmod(p->spawns, 0711) == 0);
}

#endif
