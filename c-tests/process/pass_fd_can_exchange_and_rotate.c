/* Targets that are other passed descriptors' sources: 3<->4 and 3->4->5->3 must not overwrite what is still needed. */
/* covers: D-7, P-b22 */
#include "harness.h"
#include "children.h"

/* Descriptor `fd` becomes the read end of a pipe that holds its own number, once. */
static void put(int fd)
{
    int p[2];
    char digit = (char)('0' + fd);
    CHECK(pipe2(p, O_CLOEXEC) == 0);
    CHECK_INT(write(p[1], &digit, 1), 1);
    close(p[1]);
    int high = fcntl(p[0], F_DUPFD_CLOEXEC, 200);
    close(p[0]);
    CHECK(dup3(high, fd, O_CLOEXEC) == fd);
    close(high);
}

/* `map` is pairs "source target"; the child reads 3, 4 and 5 in this order, as far as they are open. */
static void check(const char *map, const char *expected)
{
    ps_error *error = NULL;
    ps_command *command = shell("for fd in 3 4 5; do eval \"cat <&$fd\"; done 2>/dev/null; :", "");
    for (const char *m = map; *m; m += 2)
        CHECK_OK(ps_command_pass_fd(command, m[0] - '0', m[1] - '0', &error), error);
    char *text = output_of(command);
    if (strcmp(text, expected) != 0)
        fprintf(stderr, "map %s\n", map);
    CHECK_STR(text, expected);
    free(text);
}

static void body(void)
{
    static const struct { const char *map, *expected; } cases[] = {
        {"3344", "34"},    {"3443", "43"},  {"4334", "43"},   {"344553", "534"}, {"354354", "453"},
        {"554433", "345"}, {"3435", "3"},   {"353433", "3"},  {"344355", "435"}, {"5344", "54"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        for (int fd = 3; fd <= 5; fd++)
            put(fd);
        check(cases[i].map, cases[i].expected);
        for (int fd = 3; fd <= 5; fd++)
            close(fd);
    }
}

int main(void)
{
    /* in a copy that has not used the library yet, so that 3, 4 and 5 are free for the test */
    in_forked_process(body);
    return 0;
}
