/* ps_notify_barrier: PS_OK when all that was said before has been read, also from a full queue; it is one message, with one descriptor, whose
   closing is what is awaited. A signal handler does not end the wait, bytes in the pipe do not, a reader that dies does. */
/* covers: C13-7, LAW-15 */
/* variants: few */
#include "service.h"

static struct { int messages, barriers, stage; } *shared;

static void read_until_a_barrier(int fd)
{
    static struct heard it;
    for (;;) {
        CHECK(hear(fd, 0, &it));
        if (it.fd_count == 0) {
            __atomic_add_fetch(&shared->messages, 1, __ATOMIC_SEQ_CST);
            continue;
        }
        CHECK_INT(it.fd_count, 1);
        CHECK_STR(it.text, "BARRIER=1");
        CHECK_INT(it.sender.pid, getppid());
        CHECK(fcntl(it.fds[0], F_GETFL) >= 0);
        __atomic_add_fetch(&shared->barriers, 1, __ATOMIC_SEQ_CST);
        close(it.fds[0]);
        return;
    }
}

/* One that writes into the pipe, and closes it only when it was told to. */
static void write_first(int fd)
{
    static struct heard it;
    CHECK(hear(fd, 0, &it) && it.fd_count == 1);
    CHECK_INT(write(it.fds[0], "done", 4), 4);
    kill(getppid(), SIGUSR1);
    __atomic_store_n(&shared->stage, 1, __ATOMIC_SEQ_CST);
    CHECK(wait_until(__atomic_load_n(&shared->stage, __ATOMIC_SEQ_CST) == 2, PATIENCE_MS));
}

static void die(int fd)
{
    static struct heard it;
    CHECK(hear(fd, 0, &it) && it.fd_count == 1);
    raise(SIGKILL);
}

static void keep(int fd)
{
    static struct heard it;
    CHECK(hear(fd, 0, &it) && it.fd_count == 1);
    for (;;)
        pause();
}

static void do_nothing(int signal) { (void)signal; }

int main(void)
{
    ps_error *error = NULL;
    shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(shared != MAP_FAILED);
    int before = count_fds(), status;
    int fd = notified_at(NULL);

    /* A full queue: the barrier waits for its own room, then for its turn. */
    int sent = 0;
    while (ps_notify("STATUS=x", NULL) == PS_OK)
        sent++;
    CHECK(sent > 0);
    pid_t reader = forked(read_until_a_barrier, fd);
    CHECK_OK(ps_notify_barrier(PATIENCE_MS, &error), error);
    CHECK_INT(shared->messages, sent);
    CHECK_INT(shared->barriers, 1);
    forked_went_well(reader);

    reader = forked(read_until_a_barrier, fd);
    CHECK_OK(ps_notify("READY=1", &error), error);
    CHECK_OK(ps_notify_barrier(-1, &error), error);
    CHECK_INT(shared->messages, sent + 1);
    forked_went_well(reader);

    /* What holds it up, and what does not. */
    struct sigaction handler = {.sa_handler = do_nothing};
    sigaction(SIGUSR1, &handler, NULL);
    reader = forked(write_first, fd);
    CHECK_ERROR(ps_notify_barrier(300, &error), PS_ERR_TIMEOUT, &error);
    CHECK(wait_until(__atomic_load_n(&shared->stage, __ATOMIC_SEQ_CST) == 1, PATIENCE_MS));
    __atomic_store_n(&shared->stage, 2, __ATOMIC_SEQ_CST);
    forked_went_well(reader);
    reader = forked(keep, fd);
    CHECK_STATUS(ps_notify_barrier(50, &error), PS_ERR_TIMEOUT);
    CHECK_STR(ps_error_step(error), "wait");
    ps_error_free(error);
    kill(reader, SIGKILL);
    CHECK_INT(waitpid(reader, &status, 0), reader);
    static struct heard it; /* the barrier that was given up may lie there still */
    while (hear(fd, MSG_DONTWAIT, &it))
        if (it.fd_count)
            close(it.fds[0]);
    reader = forked(die, fd);
    CHECK_OK(ps_notify_barrier(PATIENCE_MS, &error), error);
    CHECK_INT(waitpid(reader, &status, 0), reader);
    close(fd);
    CHECK_INT(count_fds(), before);
    return 0;
}
