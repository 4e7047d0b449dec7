/* What is made of a worker's description is kept from one worker to the next, and is that of the description as it is at the call: one that was changed since,
   or freed and made anew, gives what it says now. */
/* variants: few */
#include "preloading.h"

#include <sys/mman.h>

enum { LENT = 30, OURS = 150 };

static void say(const char *question, char *answer, size_t cap)
{
    ssize_t got = pread(atoi(question), answer, cap - 1, 0);
    snprintf(answer + (got > 0 ? got : 0), cap - (size_t)(got > 0 ? got : 0), "%s", got < 0 ? strerror(errno) : "");
}

static int lent(const char *text)
{
    int low = memfd_create("lent", MFD_CLOEXEC), fd = fcntl(low, F_DUPFD_CLOEXEC, OURS + 10);
    close(low);
    CHECK(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    return fd;
}

static void nobody_there(void)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    CHECK(dup3(null, OURS, O_CLOEXEC) == OURS);
    close(null);
}

/* The connection has the same number each time: the description stays as it is. */
static worker one_by(const house *h, ps_command *command)
{
    ps_error *error = NULL;
    worker w = {.talk = -1};
    int ends[2];
    CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
    CHECK(dup3(ends[1], OURS, O_CLOEXEC) == OURS);
    close(ends[1]);
    ps_status status = ps_preloader_spawn(h->preloader, NULL, command, PATIENCE_MS, &w.handle, &error);
    nobody_there();
    if (status == PS_ERR_UNSUPPORTED)
        SKIP("no worker can be proven here");
    CHECK_OK(status, error);
    w.talk = ends[0];
    CHECK_OK(ps_worker_child(w.handle, &w.child, &error), error);
    return w;
}

static void says(const house *h, ps_command *command, const char *first, const char *second)
{
    worker w = one_by(h, command);
    CHECK_STR(asked(w, "30"), first);
    CHECK_STR(asked(w, "31"), second);
    worker_end(&w);
}

static ps_command *described(void)
{
    ps_error *error = NULL;
    ps_command *command = command_for("worker", NULL);
    CHECK_OK(ps_command_pass_fd(command, OURS, CONNECTION, &error), error);
    return command;
}

int main(int argc, char **argv)
{
    if (is_application(argc, argv))
        return be_application(argv[2], PS_FORK_SIBLING, NULL, say);
    ps_error *error = NULL;
    nobody_there();
    house h = house_under(NULL, application_command("plain"));
    int one = lent("one"), two = lent("two");
    const char *none = strerror(EBADF);
    ps_command *command = described();
    CHECK_OK(ps_command_pass_fd(command, one, LENT, &error), error);
    for (int i = 0; i < 2; i++)
        says(&h, command, "one", none);
    CHECK_OK(ps_command_pass_fd(command, two, LENT + 1, &error), error);
    for (int i = 0; i < 2; i++)
        says(&h, command, "one", "two");
    ps_command_free(command);
    for (int i = 0; i < 4; i++) {
        command = described();
        if (i % 2 == 1)
            CHECK_OK(ps_command_pass_fd(command, two, LENT, &error), error);
        says(&h, command, i % 2 == 1 ? "two" : none, none);
        ps_command_free(command);
    }
    close(one);
    close(two);
    house_end(&h);
}
