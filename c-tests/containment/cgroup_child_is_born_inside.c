/* The child is in its control group at its very first instruction, on every tier, and so is everybody it makes. */
/* covers: P21 */
#include "harness.h"
#include "containment.h"

static int ends_with(const char *text, const char *end)
{
    return strlen(text) >= strlen(end) && strcmp(text + strlen(text) - strlen(end), end) == 0;
}

int main(void)
{
    char expected[128];
    snprintf(expected, sizeof expected, "/procsup-test-%d/own", (int)getpid());
    cgroup_root();

    /* what it sees itself */
    ps_command *command = command_for("/bin/sh", "-c", "while read line; do echo \"$line\"; done < /proc/self/cgroup", NULL);
    in_cgroup(command, cgroup_path("own"));
    char *text = output_of(command);
    CHECK(line_after(text, "0::") != NULL);
    CHECK(ends_with(line_after(text, "0::"), expected));
    free(text);

    /* what others see, as soon as there is a pid to look at */
    struct escape escape;
    command = escaping("daemon", &escape, 0);
    in_cgroup(command, cgroup_path("own"));
    ps_child *child = spawn(NULL, command);
    CHECK(ends_with(cgroup_of(pid_of(child)), expected));
    int fd = pipe_end(child, 1);
    char line[16];
    CHECK(read_line(fd, line, sizeof line));
    close(fd);
    escape_read(&escape);
    CHECK(ends_with(cgroup_of(escape.pid[0]), expected));
    CHECK(!ends_with(cgroup_of(getpid()), expected));
    kill_and_free(child);
    ps_command_free(command);
    CHECK_INT(escape_survivors(&escape), 0);
    escape_end(&escape);
    CHECK(wait_until(cgroup_gone(cgroup_path("own")), 20000));
    return 0;
}
