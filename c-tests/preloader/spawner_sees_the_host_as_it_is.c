/* A command that a spawner has run before is run as if it were new: what the host has changed meanwhile, its child has, and what was changed of it. */
/* covers: C15-5 */
/* variants: only tier-fork, locked-down, asan: what it executes is itself, and valgrind does not execute valgrind */
#include "harness.h"
#include "spawning.h"

static ps_supervisor *supervisor;
static ps_error *error;
static char in_place[] = "IN_PLACE=before";

#define SET(...) CHECK_OK(__VA_ARGS__, error)

/* What its child says, through a pipe that is lent under one and the same number. */
static const char *said(ps_command *command, int number)
{
    static char text[4096];
    size_t length = 0;
    ps_child *child = NULL;
    ssize_t got;
    int ends[2];
    CHECK_INT(pipe2(ends, O_CLOEXEC), 0);
    CHECK_INT(dup3(ends[1], number, O_CLOEXEC), number);
    close(ends[1]);
    CHECK_OK(ps_spawn(supervisor, command, &child, &error), error);
    close(number);
    while ((got = read(ends[0], text + length, sizeof text - 1 - length)) > 0)
        length += (size_t)got;
    close(ends[0]);
    text[length] = 0;
    CHECK_OK(ps_reap(child, 20000, NULL, &error), error);
    ps_child_free(child);
    return text;
}

/* The same answer as often as it takes until it is sent as it was before. */
static void says(ps_command *command, int number, const char *wanted)
{
    int i;
    for (i = 0; i < 4; i++)
        CHECK_STR(said(command, number), wanted);
}

int main(int count, char **arguments)
{
    ps_command *command = shell("echo \"$IN_PLACE $SET_LATER\"; pwd; test -e /proc/self/fd/0 && readlink /proc/self/fd/0; echo \"$*\"", "");
    int number = 300, null = open("/dev/null", O_RDWR | O_CLOEXEC), zero = open("/dev/zero", O_RDWR | O_CLOEXEC), hold;
    (void)count;
    if (!getenv("IN_ROW")) {
        /* What a process is started with lies one behind the other. */
        CHECK_INT(setenv("IN_ROW", "one", 1) | setenv("BEHIND_IT", "all", 1), 0);
        execv("/proc/self/exe", arguments);
        return 1;
    }
    CHECK(null > 2 && zero > 2);
    CHECK_INT(dup2(null, 0), 0);
    CHECK_INT(putenv(in_place), 0);
    CHECK_INT(chdir("/"), 0);
    hold = dup3(null, number, O_CLOEXEC);
    CHECK_INT(hold, number);
    CHECK_OK(ps_supervisor_new(&supervisor, &error), error);
    CHECK_OK(ps_supervisor_set_spawner(supervisor, 1, &error), error);
    set_stdio(command, 1, PS_STDIO_FD, number);
    says(command, number, "before \n/\n/dev/null\n\n");

    memcpy(strchr(in_place, '=') + 1, "behind", 6);
    says(command, number, "behind \n/\n/dev/null\n\n");
    CHECK_INT(setenv("SET_LATER", "there", 1), 0);
    says(command, number, "behind there\n/\n/dev/null\n\n");
    CHECK_INT(unsetenv("SET_LATER"), 0);
    says(command, number, "behind \n/\n/dev/null\n\n");
    CHECK_INT(chdir("/usr"), 0);
    says(command, number, "behind \n/usr\n/dev/null\n\n");
    CHECK_INT(dup2(zero, 0), 0);
    says(command, number, "behind \n/usr\n/dev/zero\n\n");
    CHECK_INT(fcntl(0, F_SETFD, FD_CLOEXEC), 0);
    says(command, number, "behind \n/usr\n\n");
    CHECK_INT(fcntl(0, F_SETFD, 0), 0);
    says(command, number, "behind \n/usr\n/dev/zero\n\n");

    SET(ps_command_cwd(command, "/dev", &error));
    says(command, number, "behind \n/dev\n/dev/zero\n\n");
    SET(ps_command_cwd(command, "../usr", &error));
    CHECK_INT(chdir("/dev"), 0);
    says(command, number, "behind \n/usr\n/dev/zero\n\n");
    SET(ps_command_arg(command, "more", &error));
    CHECK(strstr(said(command, number), "more\n") != NULL);
    CHECK(strstr(said(command, number), "more\n") != NULL);
    SET(ps_command_env(command, "IN_PLACE", "the command's", &error));
    CHECK(strstr(said(command, number), "the command's \n") != NULL);

    ps_command_free(command);
    command = shell("echo $IN_ROW$BEHIND_IT", "");
    CHECK_INT(dup3(null, number, O_CLOEXEC), number);
    set_stdio(command, 1, PS_STDIO_FD, number);
    says(command, number, "oneall\n");
    memcpy(getenv("IN_ROW"), "two", 3);
    says(command, number, "twoall\n");
    getenv("IN_ROW")[1] = 0;
    says(command, number, "tall\n");
    memcpy(getenv("BEHIND_IT"), "end", 3);
    says(command, number, "tend\n");

    ps_command_free(command);
    ps_supervisor_free(supervisor);
    CHECK(has_no_child());
    return 0;
}
