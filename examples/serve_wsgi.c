/*
 * Serves a Python WSGI application: each worker is Passenger's own wsgi-loader.py, started by itself ("direct"), and procsup is who drives that. One
 * that dies is replaced; one that cannot start leaves a page that says why. docs/guide/preloader.md goes through it.
 *
 *   serve_wsgi                              the story: serves examples/apps/wsgi to a client that also breaks it
 *   serve_wsgi DIRECTORY [PORT [WORKERS]]   serves the passenger_wsgi.py there until Ctrl-C
 *
 * The loop is in serve.h, HTTP in front.h. Needs passenger, and as /usr/bin/python3 one that is not newer than 3.11.
 */
/* ctest */
#define _GNU_SOURCE
#include "serve.h"

#define PYTHON "/usr/bin/python3"
#define LOADER "/usr/share/passenger/helper-scripts/wsgi-loader.py"

static ps_command *application;

static void describe(const char *directory)
{
    char startup[PATH_MAX + 32];
    snprintf(startup, sizeof startup, "%s/passenger_wsgi.py", directory);
    must(ps_command_new(PYTHON, &application, &error));
    must(ps_command_args(application, (const char *const[]){"-W", "ignore", LOADER, NULL}, &error));
    must(ps_command_cwd(application, directory, &error));

    /* What the loader wants to know, by Passenger's names. */
    must(ps_command_session(application, "app_root", directory, &error));
    must(ps_command_session(application, "startup_file", startup, &error));
    must(ps_command_session(application, "app_type", "wsgi", &error));
    must(ps_command_session(application, "starts_using_wrapper", "true", &error));
    must(ps_command_session(application, "app_group_name", "example", &error));
}

/* Returns at once. READY comes as an event when the worker can be asked, FAILED if it never can. */
static void ask_for(int number)
{
    must(ps_command_user_data(application, (uint64_t)number, &error)); /* of the next one that is started with this command */
    must(ps_spawn_direct_begin(supervisor, application, READY_MS, &workers[number].handle, &error));
}

int main(int argc, char **argv)
{
    int code = 0, story = argc < 2;
    if (access(LOADER, R_OK) != 0 || system(PYTHON " -W ignore -c 'import imp' 2>/dev/null") != 0) {
        printf("skipped: passenger, or a " PYTHON " that can run its loader, is not here (Debian 12: passenger python3)\n");
        return 77;
    }
    const char *directory = told(argc, argv, __FILE__, "apps/wsgi", &code);
    if (directory == NULL)
        return code;
    describe(directory);
    code = serve(directory, argc > 2 ? (uint16_t)atoi(argv[2]) : 0, story);
    ps_command_free(application);
    return farewell(code);
}
