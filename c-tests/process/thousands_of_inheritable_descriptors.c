/* variants: few */
/* A host that has thousands of descriptors without close-on-exec gives them all to a child by their own numbers (what close_fds=False of Python is):
   those, each as it is, and no other one; also where they lie above a soft limit that was lowered since. Without a word the child has none of them. */
#include "harness.h"
#include "children.h"

enum { MANY = 4000, ROUND = 16 };

static int32_t passed[MANY];
static size_t count;

/* What an exec would keep, as a host finds it: by its list of descriptors. */
static void find(void)
{
    DIR *dir = opendir("/proc/self/fd");
    CHECK(dir != NULL);
    for (struct dirent *entry; (entry = readdir(dir));) {
        int fd = atoi(entry->d_name);
        if (isdigit((unsigned char)entry->d_name[0]) && fd > 2 && (fcntl(fd, F_GETFD) & FD_CLOEXEC) == 0) {
            CHECK(count < MANY);
            passed[count++] = fd;
        }
    }
    closedir(dir);
}

static bool is_passed(int fd)
{
    for (size_t i = 0; i < count; i++)
        if (passed[i] == fd)
            return true;
    return false;
}

/* Every line that the child says of itself is right, and there are as many as there must be. */
static void check(ps_command *command, size_t expected)
{
    char *text = output_of(command), *rest = text;
    size_t lines = 0;
    for (char *line; (line = strsep(&rest, "\n")) && *line;) {
        int fd, cloexec, at = 0;
        CHECK(sscanf(line, "%d %d %n", &fd, &cloexec, &at) == 2 && at > 0);
        if (fd <= 2)
            continue;
        lines++;
        CHECK(is_passed(fd) && !cloexec);
        CHECK_STR(line + at, fd % ROUND ? "/dev/null" : "/dev/zero");
    }
    free(text);
    CHECK_INT(lines, expected);
}

int main(void)
{
    struct rlimit limit;
    CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0);
    if (limit.rlim_max != RLIM_INFINITY && limit.rlim_max < 3 * MANY)
        SKIP("the hard limit of descriptors is too low");
    rlim_t soft = limit.rlim_cur;
    limit.rlim_cur = 3 * MANY;
    CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
    for (int fd = 0; fd < 3; fd++)
        if (fcntl(fd, F_GETFD) < 0)
            SKIP("a standard stream is closed");
    warm_up();
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC), zero = open("/dev/zero", O_RDONLY | O_CLOEXEC);
    CHECK(null >= 0 && zero >= 0);
    for (int fd = 3; fd < 1000; fd++) /* what the starter of this test has left open */
        if ((fcntl(fd, F_GETFD) & FD_CLOEXEC) == 0)
            close(fd);
    /* three of four numbers, of which some will not be inherited, and some stay free */
    for (int fd = 100, made = 0; made < MANY; fd++) {
        if (fd % 4 == 3)
            continue;
        bool keep = fd % 9 != 0;
        CHECK(dup3(fd % ROUND ? null : zero, fd, keep ? 0 : O_CLOEXEC) == fd);
        made += keep;
    }
    find();
    CHECK_INT(count, MANY);

    ps_error *error = NULL;
    ps_command *command = helper_command("show_fds", "-l", NULL);
    CHECK_OK(ps_command_pass_fds(command, passed, NULL, count, &error), error);
    check(command, count);
    check(helper_command("show_fds", "-l", NULL), 0);

    limit.rlim_cur = 256; /* most are above that */
    CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
    command = helper_command("show_fds", "-l", NULL);
    CHECK_OK(ps_command_pass_fds(command, passed, NULL, count, &error), error);
    check(command, count);
    check(helper_command("show_fds", "-l", NULL), 0);
    limit.rlim_cur = soft;
    CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
    for (size_t i = 0; i < count; i++)
        CHECK(fcntl(passed[i], F_GETFD) == 0);
    return 0;
}
