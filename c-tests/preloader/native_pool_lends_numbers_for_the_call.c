/* A worker out of the pool is handed over within the call that asks for it, with the caller's descriptors by their numbers: it has its own of them when the
   call returns, whatever becomes of the numbers; one that is none is told, costs nobody but that call, and what is missing in the pool is born later. */
/* covers: C15-2, P8 */
/* variants: few */
#include "preloading.h"

#include <sys/mman.h>

enum { LENT = 30 };

static void say(const char *question, char *answer, size_t cap)
{
    ssize_t got = pread(LENT, answer, cap - 1, 0);
    CHECK(strcmp(question, "read") == 0);
    snprintf(answer + (got > 0 ? got : 0), cap - (size_t)(got > 0 ? got : 0), "%s", got < 0 ? strerror(errno) : "");
}

static ps_command *lending(int fd)
{
    ps_error *error = NULL;
    ps_command *command = command_for("worker", NULL);
    CHECK_OK(ps_command_pass_fd(command, fd, LENT, &error), error);
    return command;
}

int main(int argc, char **argv)
{
    if (is_application(argc, argv))
        return be_application(argv[2], PS_FORK_SIBLING, NULL, say);
    enum { POOL = 2, WORKERS = 5 };
    ps_error *error = NULL;
    house h = house_under(NULL, application_command("plain"));
    worker all[WORKERS], none;
    CHECK_OK(ps_preloader_set_pool(h.preloader, POOL, -1, &error), error);
    ps_status warm = ps_preloader_warm(h.preloader, NULL, PATIENCE_MS, &error);
    if (warm == PS_ERR_UNSUPPORTED)
        SKIP("no worker can be proven here");
    CHECK_OK(warm, error);
    for (int i = 0; i < WORKERS; i++) {
        /* High, where nobody else puts anything meanwhile. */
        int low = memfd_create("lent", MFD_CLOEXEC), fd = fcntl(low, F_DUPFD_CLOEXEC, 150);
        close(low);
        CHECK(dprintf(fd, "%d", i) == 1);
        all[i] = worker_with(&h, lending(fd));
        close(fd);
        CHECK_INT(fcntl(0, F_DUPFD_CLOEXEC, fd), fd);
    }
    for (int i = 0; i < WORKERS; i++)
        CHECK_INT(atoi(asked(all[i], "read")), i);

    CHECK_OK(ps_preloader_warm(h.preloader, NULL, PATIENCE_MS, &error), error);
    for (int i = 0; i < POOL + 1; i++) {
        int gone = fcntl(0, F_DUPFD_CLOEXEC, 200);
        ps_command *command = lending(gone);
        close(gone);
        CHECK(try_worker(&h, command, &none, &error) != PS_OK);
        CHECK_INT(ps_error_errno(error), EBADF);
        ps_error_free(error);
        error = NULL;
        ps_command_free(command);
    }
    worker last = house_worker(&h);
    CHECK_STR(asked(last, "read"), strerror(EBADF));
    worker_end(&last);
    for (int i = 0; i < WORKERS; i++)
        worker_end(&all[i]);
    house_end(&h);
}
