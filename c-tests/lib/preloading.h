/* Tests that are their own application: the host is the test, and starts itself again as the preloader whose workers answer it.
 *
 *   static void say(const char *question, char *answer, size_t cap);       what a worker answers to a line
 *
 *   int main(int argc, char **argv)
 *   {
 *       if (is_application(argc, argv))
 *           return be_application(argv[2], PS_FORK_SIBLING, loaded, say);   argv[2]: the mode; loaded(preload, mode) is called before ready
 *       house h = house_of("mode");
 *       worker w = house_worker(&h);        ready, with a connection to the test (descriptor 9 in it)
 *       asked(w, "who")                     its answer
 *       worker_end(&w);                     closes the connection; gives its exit record
 *       house_end(&h);
 *   }
 *
 * Where a filter lets nobody be proven, the test is skipped. */
#ifndef PROCSUP_TEST_PRELOADING_H
#define PROCSUP_TEST_PRELOADING_H

#include "children.h"

#include <sys/socket.h>

enum { LINE = 4096, CONNECTION = 9 };

typedef struct house {
    ps_supervisor *supervisor;
    ps_preloader *preloader;
} house;

typedef struct worker {
    ps_worker *handle;
    ps_child *child;
    int32_t pid;
    int talk;
} worker;

/* ---- the application ---- */

HARNESS bool is_application(int argc, char **argv) { return argc == 3 && strcmp(argv[1], "application") == 0; }

/* A worker: answers until its connection ends. */
HARNESS int answer_lines(int talk, void (*say)(const char *question, char *answer, size_t cap))
{
    static char question[LINE], answer[LINE];
    while (read_line(talk, question, sizeof question)) {
        answer[0] = 0;
        say(question, answer, sizeof answer);
        if (dprintf(talk, "%s\n", answer) < 0)
            return 1;
    }
    return 0;
}

HARNESS int be_application(const char *mode, int32_t how, void (*loaded)(ps_preload *preload, const char *mode),
                           void (*say)(const char *question, char *answer, size_t cap))
{
    ps_preload *preload = NULL;
    ps_error *error = NULL;
    int32_t role = PS_ROLE_PRELOADER;
    CHECK_OK(ps_preload_open(&preload, &error), error);
    if (loaded)
        loaded(preload, mode);
    CHECK_OK(ps_preload_ready(preload, how, &error), error);
    while (role == PS_ROLE_PRELOADER) {
        ps_status status = ps_preload_fork(preload, -1, &role, &error);
        if (status == PS_ERR_STATE) /* refused, and the host has been told why */
            ps_error_free(error), error = NULL;
        else
            CHECK_OK(status, error);
    }
    if (role == PS_ROLE_WORKER) {
        CHECK_OK(ps_worker_ready(preload, &error), error);
        return answer_lines(CONNECTION, say);
    }
    ps_preload_free(preload);
    return 0;
}

/* ---- the host ---- */

/* The command that runs this program as the application. */
HARNESS ps_command *application_command(const char *mode)
{
    char self[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
    CHECK(length > 0);
    self[length] = 0;
    return command_for(self, "application", mode, NULL);
}

HARNESS house house_under(ps_supervisor *supervisor, ps_command *command)
{
    house h = {.supervisor = supervisor};
    ps_error *error = NULL;
    CHECK_OK(ps_preloader_new(command, &h.preloader, &error), error);
    CHECK_OK(ps_preloader_set_protocol(h.preloader, PS_PRELOADER_NATIVE, &error), error);
    ps_command_free(command);
    return h;
}

HARNESS house house_of(const char *mode) { return house_under(supervisor_new(), application_command(mode)); }

/* What a worker of this command is, with a connection; the command is the caller's. */
HARNESS ps_status try_worker(const house *h, ps_command *command, worker *w, ps_error **error)
{
    int ends[2];
    *w = (worker){.talk = -1};
    CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
    CHECK_OK(ps_command_pass_fd(command, ends[1], CONNECTION, error), *error);
    ps_status status = ps_preloader_spawn(h->preloader, h->supervisor, command, PATIENCE_MS, &w->handle, error);
    close(ends[1]);
    if (status != PS_OK) {
        close(ends[0]);
        return status;
    }
    w->talk = ends[0];
    CHECK_OK(ps_worker_child(w->handle, &w->child, error), *error);
    CHECK_OK(ps_child_pid(w->child, &w->pid, error), *error);
    return PS_OK;
}

/* One that is ready; the command is freed. */
HARNESS worker worker_with(const house *h, ps_command *command)
{
    worker w;
    ps_error *error = NULL;
    ps_status status = try_worker(h, command, &w, &error);
    if (status == PS_ERR_UNSUPPORTED)
        SKIP("no worker can be proven here");
    CHECK_OK(status, error);
    ps_command_free(command);
    return w;
}

HARNESS worker house_worker(const house *h) { return worker_with(h, command_for("worker", NULL)); }

/* The answer to a line; the next question overwrites it. */
HARNESS const char *asked(worker w, const char *question)
{
    static char answer[4][LINE];
    static unsigned next;
    char *at = answer[next++ % 4];
    CHECK(dprintf(w.talk, "%s\n", question) > 0);
    CHECK(read_line(w.talk, at, LINE));
    return at;
}

/* Closes its connection, waits for its end, and gives it. */
HARNESS ps_exit worker_end(worker *w)
{
    ps_exit end = {.size = sizeof end};
    ps_error *error = NULL;
    close(w->talk);
    CHECK_OK(ps_reap(w->child, PATIENCE_MS, &end, &error), error);
    ps_worker_free(w->handle);
    ps_child_free(w->child);
    return end;
}

HARNESS int32_t house_pid(const house *h)
{
    int32_t pid = 0;
    ps_error *error = NULL;
    CHECK_OK(ps_preloader_pid(h->preloader, &pid, &error), error);
    return pid;
}

HARNESS uint32_t house_generation(const house *h)
{
    uint32_t generation = 0;
    ps_error *error = NULL;
    CHECK_OK(ps_preloader_generation(h->preloader, &generation, &error), error);
    return generation;
}

HARNESS void house_end(house *h)
{
    ps_preloader_free(h->preloader);
    ps_supervisor_free(h->supervisor);
    CHECK_INT(ps_live_count(), 0);
}

#endif
