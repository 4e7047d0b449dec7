/* A host that forks itself into the next generation, which spawns, and so on: each has the descriptors that the first one had, and gives back
   what its predecessor had reserved. A number that the copy has reused meanwhile is left alone, whatever it holds. */
/* covers: F29, LAW-6, LAW-12 */
/* variants: not valgrind: it has descriptors of its own in each copy */
#include "harness.h"
#include "children.h"

enum { GENERATIONS = 5 };

static bool supervised;

static void work(void)
{
    ps_error *error = NULL;
    ps_supervisor *supervisor = supervised ? supervisor_new() : NULL;
    ps_command *command = helper_command("spam", "100", NULL);
    CHECK_OK(ps_command_capture(command, 100, &error), error);
    CHECK_OK(ps_command_deadline(command, 600000, &error), error);
    ps_child *child = spawn_once(supervisor, command);
    reap_and_free(child);
    reap_and_free(spawn_once(supervisor, exiting("0")));
    /* one whose handle goes before its end is watched */
    ps_child_free(spawn_once(supervisor, exiting("0")));
    ps_supervisor_free(supervisor);
    CHECK(wait_until((reap_and_free(spawn_once(NULL, exiting("0"))), ps_live_count() == 0), PATIENCE_MS));
}

static int kept, generation;

static void next(void)
{
    work();
    if (generation == 0)
        kept = count_fds();
    if (count_fds() != kept) {
        for_each_fd(harness_print_new_fd, &(leak_guard){0});
        harness_fail(__FILE__, __LINE__, "generation %d has %d descriptors, not %d", generation, count_fds(), kept);
    }
    if (++generation < GENERATIONS)
        in_forked_process(next);
}

/* A copy that becomes a daemon: it closes everything, and opens its own on the same numbers. */
static void reuses_all_numbers(void)
{
    enum { UP_TO = 40 };
    struct stat before[UP_TO], after;
    int epoll = fcntl(1, F_DUPFD_CLOEXEC, 200);
    for (int fd = 3; fd < UP_TO; fd++)
        close(fd);
    for (int fd = 3; fd < UP_TO; fd++) {
        int p[2];
        switch (fd % 4) {
        case 0: CHECK(open("/dev/null", O_RDWR | O_CLOEXEC) == fd); break;
        case 1: CHECK(syscall(SYS_memfd_create, "procsup-landing", 1u) == fd); break;
        case 2: CHECK(syscall(SYS_epoll_create1, O_CLOEXEC) == fd); break;
        default:
            CHECK(pipe2(p, O_CLOEXEC) == 0 && p[0] == fd);
            CHECK(fcntl(p[1], F_DUPFD_CLOEXEC, 300) >= 300 && close(p[1]) == 0);
        }
        CHECK(fstat(fd, &before[fd]) == 0);
    }
    close(epoll);
    work();
    for (int fd = 3; fd < UP_TO; fd++) {
        CHECK(fstat(fd, &after) == 0);
        CHECK(after.st_ino == before[fd].st_ino && after.st_dev == before[fd].st_dev);
    }
}

/* A copy that shares the table of descriptors has nothing of its own to give back: what it closed would be the original's. */
static void copy_that_shares_the_table(void)
{
    work();
    struct stat before[40], after;
    bool open_before[40];
    for (int fd = 3; fd < 40; fd++)
        open_before[fd] = fstat(fd, &before[fd]) == 0;
    pid_t pid = (pid_t)syscall(SYS_clone, CLONE_FILES | SIGCHLD, NULL, NULL, NULL, NULL);
    CHECK(pid >= 0);
    if (pid == 0) {
        work();
        _exit(0);
    }
    CHECK_INT(wait_for(pid), 0);
    for (int fd = 3; fd < 40; fd++)
        if (open_before[fd])
            CHECK(fstat(fd, &after) == 0 && after.st_ino == before[fd].st_ino && after.st_dev == before[fd].st_dev);
    work();
}

int main(void)
{
    for (int round = 0; round < 2; round++) {
        supervised = round == 1;
        generation = 0;
        in_forked_process(next);
    }
    work();
    in_forked_process(reuses_all_numbers);
    if (syscall(SYS_kcmp, getpid(), getppid(), 2, 0, 0) >= 0)
        in_forked_process(copy_that_shares_the_table);
    /* and the original is as it was */
    leak_guard guard = leak_guard_begin();
    work();
    leak_guard_end(&guard);
    return 0;
}
