/* The listener that a server has stored (FDSTORE=1) is there when all generations are dead: who connects meanwhile waits in its line, and is answered by
   the next start, which finds it by LISTEN_FDNAMES. It goes on to later generations by the handoff, and by that alone: they are given nothing. */
/* covers: C16-5 */
/* variants: few */
#include "service_manager.h"

/* As systemd starts it: with what is in the store. */
static party *start_with(int stored, const char *name)
{
    fflush(NULL);
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        if (stored != 3 && dup2(stored, 3) != 3)
            _exit(126);
        fcntl(3, F_SETFD, 0);
        listen_variables("1", own_pid(), name);
        execl(helper_path("generation"), "generation", stage.meeting, (char *)NULL);
        _exit(127);
    }
    party *p = meet("started again");
    CHECK_INT(p->pid, pid);
    return p;
}

static ino_t inode_of(int fd)
{
    struct stat found;
    CHECK(fstat(fd, &found) == 0);
    return found.st_ino;
}

int main(void)
{
    manager_begin();
    stage_begin();
    stage.probation = 20;
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t length = sizeof name;
    int bound = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(bound >= 0 && bind(bound, (struct sockaddr *)&name, sizeof name) == 0 && listen(bound, 8) == 0);
    CHECK(getsockname(bound, (struct sockaddr *)&name, &length) == 0);
    ino_t inode = inode_of(bound);

    party *o = first("old");
    say_with(o, bound, "notify FDSTORE=1|FDNAME=web");
    answered(o, "notify", "PS_OK");
    close(bound); /* only the server had it, and the store has it now */
    manager_hears(o, "FDSTORE=1\nFDNAME=web", 1);
    int stored = manager.heard.fds[0];
    crash(o);

    int waiting = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(connect(waiting, (struct sockaddr *)&name, sizeof name) == 0 && write(waiting, "request", 7) == 7);

    o = start_with(stored, "web");
    ask_for(o, PS_ERR_NOT_FOUND, "given http");
    ask(o, "given web");
    int given = o->reply_fd;
    CHECK(given >= 0 && inode_of(given) == inode);
    enter(o, PS_HANDOFF_FIRST);
    expect(o, LIVE);
    say_with(o, given, "set web");
    answered(o, "set", "PS_OK");
    ask(o, "live");
    int accepted = accept(given, NULL, NULL);
    char request[8] = "";
    CHECK(accepted >= 0 && read(accepted, request, 7) == 7 && strcmp(request, "request") == 0);
    close(accepted);
    close(given);

    party *n = upgrade(o, "new", 20000);
    ask_for(n, PS_ERR_NOT_FOUND, "given web");
    bring(o, n, MET, LOADING);
    ask(n, "take web");
    CHECK(n->reply_fd >= 0 && inode_of(n->reply_fd) == inode);
    close(n->reply_fd);
    bring(o, n, LOADING, SETTLED);
    leave(o);
    leave(n);
    close(waiting);
    close(stored);
    stage_end();
    return 0;
}
