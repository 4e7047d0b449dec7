/* Any mapping below the hard limit works, whatever the soft one is and however little lies free below it; the child begins with the soft limit
   that it is to have, and the host's is never another one. Above the hard limit: LIMIT, and the error names both numbers. */
/* covers: F13, LAW-1 */
/* variants: not valgrind: it keeps high numbers for itself */
#include "harness.h"
#include "children.h"

static struct rlimit limit;

static void set_limit(rlim_t soft, rlim_t hard)
{
    limit.rlim_cur = soft;
    limit.rlim_max = hard;
    CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
}

/* A file in memory that /proc calls by this number, as this number. */
static void put(int number)
{
    char name[16];
    snprintf(name, sizeof name, "n%d", number);
    int fd = (int)syscall(SYS_memfd_create, name, 1u);
    CHECK(fd >= 0);
    if (fd != number) {
        CHECK(dup3(fd, number, O_CLOEXEC) == number);
        close(fd);
    }
}

static void pass(ps_command *command, int from, int to)
{
    ps_error *error = NULL;
    CHECK_OK(ps_command_pass_fd(command, from, to, &error), error);
}

/* Whether the child has this number open on that file, in what `show_fds -l` has printed. */
static bool has(const char *text, int number, int file)
{
    char line[64];
    snprintf(line, sizeof line, "\n%d 0 /memfd:n%d (deleted)\n", number, file);
    return strstr(text, line) != NULL;
}

static char *shown(ps_command *command)
{
    int p[2];
    CHECK(pipe2(p, O_CLOEXEC) == 0);
    set_stdio(command, 1, PS_STDIO_FD, p[1]);
    ps_child *child = spawn_once(NULL, command);
    close(p[1]);
    char *text = read_all(p[0]);
    close(p[0]);
    CHECK_INT(reap(child).code, 0);
    ps_child_free(child);
    struct rlimit now;
    CHECK(getrlimit(RLIMIT_NOFILE, &now) == 0 && now.rlim_cur == limit.rlim_cur && now.rlim_max == limit.rlim_max);
    return text;
}

static void the_number_it_had_before_the_limit_was_lowered(void)
{
    put(600);
    put(601);
    set_limit(100, 4096);
    ps_command *command = helper_command("show_fds", "-l", NULL);
    pass(command, 600, 600);
    pass(command, 601, 700);
    char *text = shown(command);
    CHECK(has(text, 600, 600) && has(text, 700, 601));
    free(text);
}

static void the_highest_number_and_a_swap(void)
{
    put(50);
    put(48);
    put(49);
    set_limit(51, 51);
    ps_command *command = helper_command("show_fds", "-l", NULL);
    pass(command, 50, 50);
    pass(command, 48, 49);
    pass(command, 49, 48);
    char *text = shown(command);
    CHECK(has(text, 50, 50) && has(text, 49, 48) && has(text, 48, 49));
    free(text);
}

static void standard_streams_swapped(void)
{
    int p[2];
    CHECK(pipe2(p, O_CLOEXEC) == 0);
    int one = dup(1), two = dup(2);
    CHECK(dup2(p[1], 2) == 2);
    put(50);
    set_limit(51, 51);
    ps_command *command = shell("echo said", "");
    pass(command, 50, 50);
    pass(command, 1, 2);
    pass(command, 2, 1);
    ps_child *child = NULL;
    ps_error *error = NULL;
    ps_status status = ps_spawn(NULL, command, &child, &error);
    CHECK(dup2(two, 2) == 2 && dup2(one, 1) == 1);
    CHECK_OK(status, error);
    close(p[1]);
    char *text = read_all(p[0]);
    CHECK_STR(text, "said\n");
    free(text);
    reap_and_free(child);
    ps_command_free(command);
}

static void twenty_shifted_by_one(void)
{
    for (int number = 43; number < 63; number++)
        put(number);
    set_limit(64, 64);
    ps_command *command = helper_command("show_fds", "-l", NULL);
    for (int number = 43; number < 63; number++)
        pass(command, number, number + 1);
    char *text = shown(command);
    for (int number = 43; number < 63; number++)
        CHECK(has(text, number + 1, number));
    CHECK(!has(text, 43, 43));
    free(text);
}

/* Low numbers all taken, the highest one passed as itself: nothing collides. */
static void nothing_collides(void)
{
    for (int number = 3; number < 100; number++)
        put(number);
    set_limit(106, 200);
    ps_command *command = helper_command("show_fds", "-l", NULL);
    for (int number = 3; number < 100; number++)
        pass(command, number, number);
    pass(command, 99, 150);
    char *text = shown(command);
    for (int number = 3; number < 100; number++)
        CHECK(has(text, number, number));
    CHECK(has(text, 150, 99));
    free(text);
}

static void limits_of_the_child(void)
{
    ps_error *error = NULL;
    put(600);
    set_limit(100, 4096);
    ps_command *command = shell("ulimit -Sn; ulimit -Hn", "");
    pass(command, 600, 600);
    pass(command, 600, 601);
    CHECK(output_is(command, "100\n4096\n"));
    command = shell("ulimit -Sn; ulimit -Hn", "");
    pass(command, 600, 601);
    CHECK_OK(ps_command_rlimit(command, RLIMIT_NOFILE, 20, 30, &error), error);
    CHECK(output_is(command, "20\n30\n"));
}

static void above_the_hard_limit(void)
{
    ps_child *child = NULL;
    ps_error *error = NULL;
    put(60);
    set_limit(100, 200);
    warm_up();
    leak_guard guard = leak_guard_begin();
    ps_command *command = exiting("0");
    pass(command, 60, 61);
    pass(command, 60, 300);
    CHECK_ERROR(ps_spawn(NULL, command, &child, &error), PS_ERR_LIMIT, &error);
    CHECK(strstr(ps_error_message(error), "descriptor 60 cannot be 300") != NULL);
    CHECK(ps_error_errno(error) != 0);
    ps_error_free(error);
    ps_command_free(command);
    leak_guard_end(&guard);
}

static int stop;

static void *watch_the_limit(void *unused)
{
    while (!__atomic_load_n(&stop, __ATOMIC_ACQUIRE)) {
        struct rlimit now;
        CHECK(getrlimit(RLIMIT_NOFILE, &now) == 0 && now.rlim_cur == 100);
    }
    return unused;
}

static void the_hosts_limit_stays(void)
{
    put(600);
    set_limit(100, 4096);
    pthread_t thread;
    thread_start(&thread, watch_the_limit, NULL);
    ps_command *command = helper_command("nothing", NULL);
    pass(command, 600, 700);
    for (int i = 0; i < 200; i++)
        reap_and_free(spawn(NULL, command));
    __atomic_store_n(&stop, 1, __ATOMIC_RELEASE);
    pthread_join(thread, NULL);
    ps_command_free(command);
}

/* Random maps under a random soft limit, against what was asked for. */
static void random_maps(void)
{
    enum { FIRST = 20, COUNT = 40 };
    unsigned seed = 20240601;
    for (int number = FIRST; number < FIRST + COUNT; number++)
        put(number);
    for (int round = 0; round < 60; round++) {
        int source[COUNT];
        set_limit(45 + (rlim_t)(rand_r(&seed) % 40), limit.rlim_max ? limit.rlim_max : 4096);
        /* the helpers of the test itself need some numbers: what lies low is free */
        ps_command *command = helper_command("show_fds", "-l", NULL);
        for (int i = 0; i < COUNT; i++) {
            source[i] = rand_r(&seed) % 3 ? FIRST + rand_r(&seed) % COUNT : -1;
            if (source[i] >= 0)
                pass(command, source[i], FIRST + 10 + i);
        }
        char *text = shown(command);
        int lines = 0;
        for (char *at = text; *at; at++)
            lines += *at == '\n';
        for (int i = 0; i < COUNT; i++)
            if (source[i] >= 0) {
                lines--;
                if (!has(text, FIRST + 10 + i, source[i]))
                    harness_fail(__FILE__, __LINE__, "round %d: %d is not %d in\n%s", round, FIRST + 10 + i, source[i], text);
            }
        CHECK_INT(lines, 3);
        free(text);
    }
}

int main(void)
{
    in_forked_process(the_number_it_had_before_the_limit_was_lowered);
    in_forked_process(the_highest_number_and_a_swap);
    in_forked_process(standard_streams_swapped);
    in_forked_process(twenty_shifted_by_one);
    in_forked_process(nothing_collides);
    in_forked_process(limits_of_the_child);
    in_forked_process(above_the_hard_limit);
    in_forked_process(random_maps);
    in_forked_process(the_hosts_limit_stays); /* the last: it may have to skip for want of threads */
    return 0;
}
