/* What Passenger itself does: shell, agent, shell, agent, Ruby are one process, which is our child, and answers. As root the application is another
   user's: the agent finds it switched, with a work directory that is that user's in every entry. The same chain ends in rack-preloader.rb, and its
   workers are that user's, too. */
/* covers: C14-4, IT-3, IT-1, PA-20, PA-86, PA-37, PA-38, PA-43 */
/* as-root */
#include "real_agent.h"
#include "real_preloader.h"

#define LOADER RUBY " " PASSENGER_HELPERS "/rack-loader.rb"

static void serves(const place *p, const char *user, const char *group, uid_t uid)
{
    ps_command *command = agent(p, "rack", "config.ru", LOADER);
    if (user) {
        session(command, "user", user);
        session(command, "group", group);
    }
    ps_worker *worker = direct_worker(p, command);
    CHECK_INT(parent_of(worker_pid(worker)), getpid());
    answers_as(worker, "rack");
    char wanted[32], path[256], exe[64], program[256] = "";
    char *page = page_of(worker);
    snprintf(wanted, sizeof wanted, " uid %d ", (int)uid);
    CHECK(strstr(page, wanted));
    free(page);
    struct ps_worker_socket socket = main_socket(worker);
    struct stat status;
    snprintf(path, sizeof path, "%.255s", socket.address + strlen("unix:"));
    CHECK(lstat(path, &status) == 0);
    CHECK_INT(status.st_uid, uid);
    snprintf(exe, sizeof exe, "/proc/%d/exe", (int)worker_pid(worker));
    CHECK(readlink(exe, program, sizeof program - 1) > 0);
    CHECK(strstr(program, "ruby"));
    ps_exit end = leaves_at_end_of_stdin(worker);
    CHECK(end.kind == PS_EXIT_EXITED && end.code == 0);
}

static void preloads(const place *p, const char *user, const char *group, uid_t uid)
{
    ps_command *command = agent(p, "rack", "config.ru", RUBY " " PASSENGER_HELPERS "/rack-preloader.rb");
    session(command, "user", user);
    session(command, "group", group);
    ps_preloader *preloader = preloader_of(command);
    ps_worker *worker = ready_worker(p, preloader);
    int32_t pid = 0;
    ps_error *error = NULL;
    CHECK_OK(ps_preloader_pid(preloader, &pid, &error), error);
    CHECK_INT(parent_of(worker_pid(worker)), pid);
    CHECK_INT(parent_of(pid), getpid());
    answers_as(worker, "rack");
    char wanted[32], *page = page_of(worker);
    snprintf(wanted, sizeof wanted, " uid %d ", (int)uid);
    CHECK(strstr(page, wanted));
    free(page);
    leaves_at_end_of_stdin(worker);
    ps_preloader_free(preloader);
}

int main(void)
{
    need_rack();
    need_agent();
    place p = place_new();
    app_file(&p, "config.ru", RACK_APP);
    serves(&p, NULL, NULL, geteuid());
    if (geteuid() == 0) {
        open_to_others(&p);
        serves(&p, "nobody", "nogroup", 65534);
        preloads(&p, "nobody", "nogroup", 65534);
    }
    place_end(&p);
    return 0;
}
