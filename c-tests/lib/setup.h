/*
 * What a process finds when it begins, seen through direct spawns of shell scripts: an application that looks around, says it, and is ready.
 *
 *   looking(script)                the command of one (on top of direct.h)          said_when_ready(command)   what it says; free() it
 *   state_is(json, step, state)    of a journey as JSON                             failed_at(command, status, step, part)
 *   home(text)                     a home whose shell files say this                login_shell_is_there()     whether this user's shell is one that is used
 */
#ifndef PROCSUP_TEST_SETUP_H
#define PROCSUP_TEST_SETUP_H

#include "direct.h"
#include <pwd.h>

#define AND_READY                                                                                                                          \
    "\nw=$PASSENGER_SPAWN_WORK_DIR/response; printf %s '{\"sockets\":[{\"address\":\"tcp://127.0.0.1:9\",\"protocol\":\"http\","           \
    "\"concurrency\":0,\"accept_http_requests\":true}]}' >$w/properties.json; printf 1 >$w/finish; exec cat >/dev/null"

HARNESS ps_command *command_of(const char *program)
{
    ps_command *command = NULL;
    ps_error *error = NULL;
    CHECK_OK(ps_command_new(program, &command, &error), error);
    say_argument(command, "spawn_dir", apps_dir());
    return command;
}

HARNESS ps_command *looking(const char *script)
{
    char text[4096];
    ps_error *error = NULL;
    ps_command *command = command_of("/bin/sh");
    CHECK(snprintf(text, sizeof text, "%s%s", script, AND_READY) < (int)sizeof text);
    CHECK_OK(ps_command_arg(command, "-c", &error), error);
    CHECK_OK(ps_command_arg(command, text, &error), error);
    return command;
}

HARNESS char *said_when_ready(ps_command *command)
{
    ps_worker *worker = direct(NULL, command);
    ps_child *child = child_of(worker);
    char *said = said_by(child);
    end(worker);
    return said;
}

HARNESS bool state_is(const char *json, const char *step, const char *state)
{
    char name[96], value[32] = "none";
    snprintf(name, sizeof name, "\"%s\"", step);
    const char *at = strstr(json, name), *found = at ? strstr(at, "\"state\"") : NULL;
    if (found)
        sscanf(found + 7, "%*[ :\"]%31[^\"]", value);
    if (strcmp(value, state))
        fprintf(stderr, "%s is %s in %s\n", step, value, json);
    return strcmp(value, state) == 0;
}

/* The command cannot be started: with this status, at this step, and this is said of it. */
HARNESS void failed_at(ps_command *command, ps_status status, const char *step, const char *part)
{
    ps_error *error = fails(NULL, command, PATIENCE_MS, status);
    CHECK_STR(ps_error_step(error), step);
    CHECK(says(error, part));
    ps_error_free(error);
}

HARNESS const char *home(const char *text)
{
    static char path[80];
    snprintf(path, sizeof path, "%s.home", apps_dir());
    mkdir(path, 0755);
    for (const char *name = ".profile\0.bash_profile\0.zprofile\0"; *name; name += strlen(name) + 1) {
        char file[112];
        snprintf(file, sizeof file, "%s/%s", path, name);
        FILE *out = fopen(file, "w");
        CHECK(out && fputs(text, out) >= 0 && fclose(out) == 0);
    }
    return path;
}

HARNESS bool login_shell_is_there(void)
{
    const struct passwd *user = getpwuid(geteuid());
    const char *name = user ? strrchr(user->pw_shell, '/') : NULL;
    if (!name || access(user->pw_shell, X_OK))
        return false;
    name++;
    return !strcmp(name, "bash") || !strcmp(name, "zsh") || !strcmp(name, "ksh") || !strcmp(name, "sh");
}

/* A command behind this user's login shell, which finds such a home. */
HARNESS ps_command *behind_a_shell(ps_command *command, const char *files)
{
    ps_error *error = NULL;
    CHECK_OK(ps_command_env(command, "HOME", home(files), &error), error);
    say_argument(command, "load_shell_envvars", "true");
    return command;
}

HARNESS void remove_home(void)
{
    char path[96];
    snprintf(path, sizeof path, "%s.home", apps_dir());
    nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

#endif
