/* A host that is killed leaves its directories; the next one that starts in that place removes them, for their lock is free, and leaves those of hosts that
   live, whatever their age, and what only looks like one. */
/* covers: D-17, PA-31 */
/* variants: few */
#include "scripted.h"

static int sessions(void)
{
    int count = 0;
    DIR *dir = opendir(apps_dir());
    CHECK(dir != NULL);
    for (struct dirent *entry; (entry = readdir(dir));)
        count += strncmp(entry->d_name, "procsup.", 8) == 0;
    closedir(dir);
    return count;
}

/* A host with a worker; it says so, and waits to be killed. */
static pid_t host(void)
{
    int ready[2];
    char byte;
    CHECK(pipe(ready) == 0);
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        direct(NULL, script(":"));
        CHECK(write(ready[1], "x", 1) == 1);
        for (;;)
            pause();
    }
    close(ready[1]);
    CHECK(read(ready[0], &byte, 1) == 1);
    close(ready[0]);
    return pid;
}

static void kill_host(pid_t pid)
{
    CHECK(kill(pid, SIGKILL) == 0 && waitpid(pid, NULL, 0) == pid);
}

/* It ends in order. */
static void one_more_host(void)
{
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        end(direct(NULL, script(":")));
        _exit(0);
    }
    CHECK(waitpid(pid, NULL, 0) == pid);
}

int main(void)
{
    /* Nobody here has looked at the place yet: each host looks once. */
    char likeness[128];
    int hosts = 0;
    snprintf(likeness, sizeof likeness, "%s/procsup.of-somebody", apps_dir());
    CHECK(mkdir(likeness, 0700) == 0);
    pid_t dead = host(), living = host();
    CHECK_INT(sessions(), 3);
    kill_host(dead);
    CHECK_INT(sessions(), 3);
    ps_command *command = script(":");
    end(direct(NULL, command));
    /* As far as it goes in the 20 ms that such a look may take: where that is too little, the next host has its turn. */
    while (!wait_until((is_all_gone(), sessions() == 2), 200) && hosts++ < 20)
        one_more_host();
    CHECK_INT(sessions(), 2);
    CHECK(access(likeness, F_OK) == 0);
    kill_host(living);
    ps_command_free(command);
    return 0;
}
