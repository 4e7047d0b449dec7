/* What an application finds: the default environment with what was given on top, its directory as it was named, the limit of descriptors; and the same
   in the dumps. The steps before it are performed, the shell was not started, its own exec is under way. */
/* covers: PA-10, PA-12, PA-34, PA-39, PA-40, PA-41, PA-44, PA-46, PA-47, P-b8 */
/* variants: few */
#include "setup.h"

static void has(const char *text, const char *line)
{
    size_t length = strlen(line);
    for (const char *at = text; (at = strstr(at, line)); at += length)
        if ((at == text || at[-1] == '\n') && at[length] == '\n')
            return;
    harness_fail(__FILE__, __LINE__, "no line %s in %s", line, text);
}

/* A file of the only session there is; free() it. */
static char *file_of(const char *work, const char *name)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", work, name);
    int fd = open(path, O_RDONLY);
    CHECK(fd >= 0);
    char *text = read_all(fd);
    close(fd);
    return text;
}

int main(void)
{
    char root[96], link[96], line[256];
    ps_error *error = NULL;
    warm_up_direct();
    snprintf(root, sizeof root, "%s.app", apps_dir());
    snprintf(link, sizeof link, "%s.link", apps_dir());
    CHECK(mkdir(root, 0755) == 0 && symlink(root, link) == 0);
    ps_command *command = looking("echo first; env; ulimit -n; pwd -P; echo end $PASSENGER_SPAWN_WORK_DIR");
    say_argument(command, "app_root", link);
    say_argument(command, "app_env", "staging");
    say_argument(command, "base_uri", "/sub");
    say_argument(command, "node_libdir", "/usr/share/x/node");
    say_argument(command, "preload_bundler", "true");
    say_argument(command, "file_descriptor_ulimit", "123");
    say_argument(command, "environment_variables", "{\"GIVEN\": \"it's $(id)\", \"NODE_ENV\": \"mine\"}");
    say_argument(command, "debug_work_dir", "true");
    CHECK_OK(ps_command_env(command, "NODE_ENV", "lost", &error), error);
    CHECK_OK(ps_command_env(command, "WSGI_ENV", "said", &error), error);
    CHECK_OK(ps_command_env(command, "RUBYOPT", "-W0", &error), error);
    ps_worker *worker = direct(NULL, command);
    ps_child *child = child_of(worker);
    char *said = said_by(child);
    CHECK(strncmp(said, "first\n", 6) == 0); /* the whole list ran */
    const char *const lines[] = {"IN_PASSENGER=1", "PYTHONUNBUFFERED=1", "NODE_PATH=/usr/share/x/node", "RAILS_ENV=staging", "RACK_ENV=staging",
                                 "PASSENGER_APP_ENV=staging", "WSGI_ENV=said", "NODE_ENV=mine", "RUBYOPT=-W0 -r bundler/setup", "GIVEN=it's $(id)",
                                 "RAILS_RELATIVE_URL_ROOT=/sub", "RACK_BASE_URI=/sub", "PASSENGER_BASE_URI=/sub", "123"};
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        has(said, lines[i]);
    snprintf(line, sizeof line, "PWD=%s", link);
    has(said, line);
    has(said, root);
    char *work = strstr(said, "\nend ") + 5;
    work[strcspn(work, "\n")] = 0;
    char *dump = file_of(work, "envdump/envvars"), *user = file_of(work, "envdump/user_info"), *limits = file_of(work, "envdump/ulimits");
    has(dump, "GIVEN=it's $(id)");
    has(dump, "RUBYOPT=-W0 -r bundler/setup");
    has(limits, "nofiles              123");
    snprintf(line, sizeof line, "uid=%d(", (int)geteuid());
    CHECK(strncmp(user, line, strlen(line)) == 0 && strstr(user, " gid=") && strstr(user, " groups="));
    free(dump), free(user), free(limits);
    char *journey = journey_of(worker, PS_RENDER_JSON);
    CHECK(state_is(journey, "SUBPROCESS_BEFORE_FIRST_EXEC", "performed"));
    CHECK(state_is(journey, "SUBPROCESS_SPAWN_ENV_SETUPPER_BEFORE_SHELL", "performed"));
    CHECK(state_is(journey, "SUBPROCESS_OS_SHELL", "not started"));
    CHECK(state_is(journey, "SUBPROCESS_SPAWN_ENV_SETUPPER_AFTER_SHELL", "performed"));
    free(journey);
    end(worker);
    free(said);
    ps_command_free(command);

    /* Without a base, none is told, whatever the host has. */
    setenv("RACK_BASE_URI", "/host", 1);
    command = looking("echo ${RACK_BASE_URI-none}");
    said = said_when_ready(command);
    CHECK_STR(said, "none\n");
    free(said);
    ps_command_free(command);
    CHECK(unlink(link) == 0 && rmdir(root) == 0);
    return 0;
}
