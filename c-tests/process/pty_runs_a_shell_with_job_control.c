/* A real shell at its prompt: jobs in the background and in the foreground, ^C and ^Z by what is typed, and its end by ^D. */
/* variants: none */
#include "terminals.h"

/* Before its exec a job of a shell may still ignore what is typed. */
static bool sleeps_in_front(int fd)
{
    int group = 0;
    char path[64], name[32] = "";
    CHECK(ioctl(fd, TIOCGPGRP, &group) == 0);
    snprintf(path, sizeof path, "/proc/%d/comm", group);
    FILE *file = fopen(path, "re");
    if (!file)
        return false;
    bool sleeps = fgets(name, sizeof name, file) && strcmp(name, "sleep\n") == 0 && process_state(group) == 'S';
    fclose(file);
    return sleeps;
}

int main(void)
{
    ps_error *error = NULL;
    const char *bash = program_or_skip("bash");
    warm_up();
    leak_guard guard = leak_guard_begin();
    ps_command *command = on_terminal(command_for(bash, "--norc", "--noprofile", "-i", NULL));
    CHECK_OK(ps_command_env(command, "PS1", "ready> ", &error), error);
    CHECK_OK(ps_command_env(command, "TERM", "dumb", &error), error);
    CHECK_OK(ps_command_env(command, "HISTFILE", NULL, &error), error);
    CHECK_OK(ps_command_env(command, "INPUTRC", "/dev/null", &error), error);
    ps_child *child = spawn_once(NULL, command);
    int fd = terminal_of(child);
    appears(fd, "ready> ");
    CHECK(!has_appeared("no job control"));
    types(fd, "sleep 1000 &\n");
    appears(fd, "[1] ");
    appears(fd, "ready> ");
    types(fd, "jobs\n");
    appears(fd, "Running");
    appears(fd, "ready> ");
    /* ^C ends who is in the foreground, and neither the shell nor the other job. */
    types(fd, "echo in-$((1+1)); sleep 2000; echo \"was $?\"\n");
    appears(fd, "in-2");
    CHECK(wait_until(sleeps_in_front(fd), 10000));
    types(fd, "\003");
    appears(fd, "ready> ");
    types(fd, "sleep 3000\n");
    appears(fd, "sleep 3000\r\n");
    CHECK(wait_until(sleeps_in_front(fd), 10000));
    types(fd, "\032");
    appears(fd, "Stopped");
    appears(fd, "ready> ");
    types(fd, "fg\n");
    appears(fd, "sleep 3000\r\n");
    CHECK(wait_until(sleeps_in_front(fd), 10000));
    types(fd, "\003");
    appears(fd, "ready> ");
    types(fd, "echo \"was $?\"\n");
    appears(fd, "was 130\r\n");
    appears(fd, "ready> ");
    types(fd, "kill %1; wait %1; tty; exit 5\n");
    appears(fd, "/dev/pts/");
    must_end(child, 5);
    close(fd);
    ps_child_free(child);
    leak_guard_end(&guard);
    return 0;
}
