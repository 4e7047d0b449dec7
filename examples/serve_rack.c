/*
 * Serves a rack application: Passenger's own rack-preloader.rb loads it once and forks the workers, and procsup is who drives that. A worker that
 * dies is replaced; a preloader that dies is started again at the next spawn. docs/guide/preloader.md goes through it.
 *
 *   serve_rack                              the story: serves examples/apps/rack to a client that also breaks it
 *   serve_rack DIRECTORY [PORT [WORKERS]]   serves the config.ru there until Ctrl-C
 *
 * The loop is in serve.h, HTTP in front.h. Needs passenger, ruby and ruby-rack.
 */
/* ctest */
#define _GNU_SOURCE
#include "serve.h"

#define PRELOADER "/usr/share/passenger/helper-scripts/rack-preloader.rb"

static ps_preloader *preloader;

/* Nothing is started here: the preloader's process is at its first use, and lives as long as somebody needs it. */
static void describe(const char *directory)
{
    ps_command *command = NULL;
    char startup[PATH_MAX + 16];
    snprintf(startup, sizeof startup, "%s/config.ru", directory);
    must(ps_command_new("/usr/bin/ruby", &command, &error));
    must(ps_command_arg(command, PRELOADER, &error));
    must(ps_command_cwd(command, directory, &error));
    must(ps_preloader_new(command, &preloader, &error));
    ps_command_free(command);

    /* What it wants to know, by Passenger's names. */
    const char *const arguments[][2] = {
        {"app_root", directory},
        {"startup_file", startup},
        {"app_type", "rack"},
        {"app_group_name", "example"},
        {"starts_using_wrapper", "true"},
        {"passenger_root", "/usr/lib/ruby/vendor_ruby/phusion_passenger/locations.ini"},
        {"ruby_libdir", "/usr/lib/ruby/vendor_ruby"},
    };
    for (size_t i = 0; i < sizeof arguments / sizeof *arguments; i++)
        must(ps_preloader_set(preloader, arguments[i][0], arguments[i][1], &error));
}

/* Returns at once. READY comes as an event when the worker can be asked, FAILED if it never can. */
static void ask_for(int number)
{
    ps_command *command = NULL;
    must(ps_command_new("worker", &command, &error)); /* nothing is run: it says what is this worker's own */
    must(ps_command_user_data(command, (uint64_t)number, &error));
    must(ps_preloader_spawn_begin(preloader, supervisor, command, READY_MS, &workers[number].handle, &error));
    ps_command_free(command);
}

int main(int argc, char **argv)
{
    int code = 0, story = argc < 2;
    if (access(PRELOADER, R_OK) != 0 || system("/usr/bin/ruby -e \"require 'rack'\" 2>/dev/null") != 0) {
        printf("skipped: passenger, ruby or rack is not here (Debian: passenger ruby ruby-rack)\n");
        return 77;
    }
    const char *directory = told(argc, argv, __FILE__, "apps/rack", &code);
    if (directory == NULL)
        return code;
    describe(directory);
    code = serve(directory, argc > 2 ? (uint16_t)atoi(argv[2]) : 0, story);
    must(ps_preloader_stop(preloader, 5000, &error));
    ps_preloader_free(preloader);
    return farewell(code);
}
