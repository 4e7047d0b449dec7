/* Nothing marks a child unless the host has asked for a subreaper: its limits are the host's. With one, RLIMIT_RTTIME alone
   differs, and a value that the command gives for it is left as it is. */
/* covers: LAW-1 */
#include "harness.h"
#include "containment.h"

static char *limits(ps_supervisor *supervisor, ps_command *command)
{
    set_stdio(command, 1, PS_STDIO_PIPE, -1);
    ps_child *child = spawn_once(supervisor, command);
    int fd = pipe_end(child, 1);
    char *text = read_all(fd);
    close(fd);
    reap_and_free(child);
    return text;
}

static ps_command *show_limits(void) { return command_for("/bin/cat", "/proc/self/limits", NULL); }

static char *own_limits(void)
{
    int fd = open("/proc/self/limits", O_RDONLY | O_CLOEXEC);
    CHECK(fd >= 0);
    char *text = read_all(fd);
    close(fd);
    return text;
}

int main(void)
{
    ps_error *error = NULL;
    ps_supervisor *supervisor = supervisor_new();
    char *own = own_limits(), *theirs = limits(supervisor, show_limits());
    CHECK_STR(theirs, own);
    free(theirs);

    be_subreaper(supervisor, 1);
    char *after = own_limits();
    CHECK_STR(after, own); /* the host's own never change */
    theirs = limits(supervisor, show_limits());
    CHECK(strcmp(theirs, own) != 0);
    const char *mark = line_after(theirs, "Max realtime timeout");
    CHECK(mark && strtoull(mark, NULL, 10) / 1000000 / 3600 / 24 / 365 > 1000); /* years */
    /* nothing else differs */
    char *place = strstr(theirs, "Max realtime timeout");
    CHECK(place && strncmp(theirs, own, (size_t)(place - theirs)) == 0);
    free(theirs);

    ps_command *command = show_limits();
    CHECK_OK(ps_command_rlimit(command, RLIMIT_RTTIME, 5000000, 7000000, &error), error);
    theirs = limits(supervisor, command);
    unsigned long long soft = 0, hard = 0;
    CHECK(sscanf(line_after(theirs, "Max realtime timeout"), "%llu %llu", &soft, &hard) == 2 && soft == 5000000 && hard == 7000000);
    free(theirs);
    free(after);
    free(own);
    ps_supervisor_free(supervisor);

    return 0;
}
