/* PROCSUP_HANDOFF is in the successor's environment and never in the host's; a grandchild that inherits it, with another
   descriptor of that number or with none, is a process like any other, and so is one with nonsense in it. */
/* covers: S13, D1.10 */
#include "harness.h"
#include "handoff.h"

static party *start_with(const char *value, int fd_there, int number)
{
    fflush(NULL);
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        setenv("PROCSUP_HANDOFF", value, 1);
        if (number >= 0)
            dup2(fd_there, number);
        execl(helper_path("generation"), "generation", stage.meeting, (char *)NULL);
        _exit(127);
    }
    party *p = meet("inheritor");
    CHECK_INT(p->pid, pid);
    return p;
}

int main(void)
{
    char value[64];
    int number = -1, sockets[2];
    unsigned long inode = 0;
    stage_begin();
    stage.probation = 50;
    party *o = first("old");
    party *n = upgrade(o, "new", 20000);
    CHECK_STR(ask(o, "env PROCSUP_HANDOFF"), "");
    snprintf(value, sizeof value, "%s", ask(n, "env PROCSUP_HANDOFF"));
    CHECK_INT(sscanf(value, "%d:%lu", &number, &inode), 2);
    CHECK(number > 2 && inode > 0);
    hand_over(o, n);

    CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets) == 0);
    const struct { const char *value; int fd, number; } cases[] = {
        {value, -1, -1},           {value, sockets[0], number}, {value, 2, number}, {"", -1, -1},     {"3", -1, -1},
        {"-1:5", -1, -1},          {"1:2:3", -1, -1},           {"x:y", -1, -1},    {"0:0", -1, -1},  {"99999999999:1", -1, -1},
        {"5:99999999999999999999", -1, -1}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        party *p = start_with(cases[i].value, cases[i].fd, cases[i].number);
        enter(p, PS_HANDOFF_SUCCESSOR); /* by the control path, like anybody */
        ask(p, "failed it is only a test");
        expect(n, ABORTED);
        aborted(p, PS_ERR_ABORTED);
        leave(p);
    }
    char text[8];
    CHECK(recv(sockets[1], text, sizeof text, MSG_DONTWAIT) <= 0); /* nobody has said HELLO there */
    leave_in_order(n);
    stage_end();
    return 0;
}
