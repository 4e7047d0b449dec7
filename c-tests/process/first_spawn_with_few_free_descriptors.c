/* A host that has used up nearly all its descriptors makes its first child, or its first supervisor: each works with what it really needs
   (the child's pidfd; the supervisor's set beside it), or fails with a typed error, and then every descriptor that was free is free
   again. The library never takes the last ones for its own convenience. */
/* covers: F6 */
/* variants: not valgrind: it needs descriptors itself */
#include "harness.h"
#include "children.h"

static int free_ones;
static bool supervised;

/* How many more can be opened. */
static int count_free(void)
{
    int fds[64], count = 0;
    while (count < 64 && (fds[count] = open("/dev/zero", O_RDONLY | O_CLOEXEC)) >= 0)
        count++;
    for (int i = 0; i < count; i++)
        close(fds[i]);
    return count;
}

static void with_few(void)
{
    struct rlimit limit;
    ps_command *command = exiting("0");
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = 150;
    CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
    int last = -1, fd;
    while ((fd = open("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0)
        last = fd;
    for (int i = 0; i < free_ones; i++)
        close(last - i);
    CHECK_INT(count_free(), free_ones);

    ps_error *error = NULL;
    ps_supervisor *supervisor = NULL;
    ps_child *child = NULL;
    ps_status status = supervised ? ps_supervisor_new(&supervisor, &error) : PS_OK;
    if (status == PS_OK)
        status = ps_spawn(supervisor, command, &child, &error);
    bool fork_tier = getenv("PROCSUP_SPAWN_TIER") && strcmp(getenv("PROCSUP_SPAWN_TIER"), "fork") == 0;
    int needed = (supervised ? 2 : 1) + (fork_tier || variant()[0] ? 2 : 0); /* a fork talks to its child meanwhile */
    if (status != PS_OK) {
        CHECK(free_ones < needed);
        CHECK_STATUS(status, PS_ERR_LIMIT);
        CHECK_INT(ps_error_errno(error), EMFILE);
        ps_error_free(error);
    } else {
        CHECK_INT(reap(child).code, 0);
        ps_child_free(child);
    }
    ps_supervisor_free(supervisor);
    /* what waits for children (the wake-up of the default supervisor) is all that may be kept, and never the last one */
    int left = count_free();
    CHECK(status == PS_OK && free_ones > 1 ? left >= free_ones - 1 && left > 0 : left == free_ones);
    CHECK(ps_live_count() == 0 && has_no_child());
}

int main(void)
{
    for (int round = 0; round < 2; round++)
        for (free_ones = 0; free_ones <= 20; free_ones++) {
            supervised = round == 1;
            in_forked_process(with_few);
        }
    return 0;
}
