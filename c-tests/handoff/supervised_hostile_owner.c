/*
 * Whoever answers as the owner decides neither the memory nor the descriptors of a supervisor, nor its time: of an estate in sixty thousand parts, each full of
 * descriptors, only what can be handed to a generation is kept, one that is told again and again without an end and reads nothing is left, one that hangs up
 * each time is not run after, and what makes no sense is dropped. All of it ends with that process.
 */
/* covers: C16-1, LAW-17, S10 */
/* variants: none: nothing of it depends on how a process is made */
#include "harness.h"

#include <endian.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>

enum { FULL = 250, MOST_HELD = 252 + 64, MOST_CONNECTIONS = 24, IN_TIME = 20000 };

static char dir[64], control[96];
static uint32_t seq;
static atomic_int *connections; /* of one that hangs up, over and over */

/* ---- the owner ------------------------------------------------------------------------------------------------------------ */

/* false: it is gone. With `count` times `fd`, each under another name. */
static bool tell(int to, int type, int part, int parts, int fd, int count)
{
    static unsigned char bytes[98304];
    static char space[CMSG_SPACE(sizeof(int[253]))];
    int fds[253];
    size_t at = 24;
    memset(bytes, 0, 24);
    memcpy(bytes, "PSHO", 4);
    bytes[4] = (unsigned char)type;
    seq++;
    memcpy(bytes + 16, &(uint32_t){htole32(seq)}, 4);
    memcpy(bytes + at, (unsigned char[]){3, 0, 6, 0, (unsigned char)part, (unsigned char)(part >> 8), (unsigned char)parts, (unsigned char)(parts >> 8), 0, 0}, 10);
    at += 10;
    memcpy(bytes + at, (unsigned char[]){16, 0, 8, 0, 1, 0, 0, 0, 0, 0, 0, 0}, 12);
    at += 12;
    for (int i = 0; i < count; i++) {
        char name[32];
        int length = snprintf(name, sizeof name, "l%d.%d", part, i);
        memcpy(bytes + at, (unsigned char[]){7, 0, (unsigned char)length, 0}, 4);
        memcpy(bytes + at + 4, name, (size_t)length);
        at += 4 + (size_t)length;
        fds[i] = fd;
    }
    memcpy(bytes + 20, &(uint32_t){htole32((uint32_t)at - 24)}, 4);
    struct iovec one = {.iov_base = bytes, .iov_len = at};
    struct msghdr message = {.msg_iov = &one, .msg_iovlen = 1};
    if (count) {
        message.msg_control = space;
        message.msg_controllen = CMSG_SPACE(sizeof(int) * (size_t)count);
        struct cmsghdr *rights = CMSG_FIRSTHDR(&message);
        *rights = (struct cmsghdr){.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(sizeof(int) * (size_t)count)};
        memcpy(CMSG_DATA(rights), fds, sizeof(int) * (size_t)count);
    }
    return sendmsg(to, &message, MSG_NOSIGNAL) >= 0;
}

static void owner(const char *how)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    char unread[4096];
    snprintf(address.sun_path, sizeof address.sun_path, "%s", control);
    int door = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0), fd = -1;
    int listening = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), plain = open("/dev/null", O_RDWR | O_CLOEXEC);
    CHECK(listen(listening, 1) == 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    CHECK(bind(door, (struct sockaddr *)&address, sizeof address) == 0 && listen(door, 8) == 0);
    for (;;) { /* it may leave, and come again */
        close(fd);
        fd = accept4(door, NULL, NULL, SOCK_CLOEXEC);
        if (fd < 0 || recv(fd, unread, sizeof unread, 0) <= 0)
            continue;
        seq = 0;
        bool there = true;
        if (strcmp(how, "plain") == 0)
            for (int part = 0; part < 60000 && there; part++)
                there = tell(fd, 12, part, 60001, plain, FULL);
        else if (strcmp(how, "listening") == 0)
            for (int part = 0; part < 60000 && there; part++)
                there = tell(fd, 12, part, 60001, listening, FULL);
        else if (strcmp(how, "again") == 0)
            while (there)
                there = tell(fd, 12, 0, 1, listening, 1);
        else if (strcmp(how, "hangs up") == 0) {
            tell(fd, 12, 0, 1, listening, 1);
            ++*connections;
        } else if (strcmp(how, "nonsense") == 0)
            for (int type = 0; there; type = (type + 1) % 20)
                there = tell(fd, type, type == 12 ? 7 : 0, 1, plain, type == 12 ? FULL : 0);
    }
}

/* ---- the supervisor ------------------------------------------------------------------------------------------------------- */

/* A generation that does not come to anything, and leaves nobody behind whatever becomes of the test. */
static ps_command *sleeper(void)
{
    ps_command *command = NULL;
    CHECK_STATUS(ps_command_new("sleep", &command, NULL), PS_OK);
    CHECK_STATUS(ps_command_arg(command, "60", NULL), PS_OK);
    return command;
}

static void met(const char *how)
{
    ps_handoff_supervisor *sup = NULL;
    ps_handoff_supervisor_event event = {.size = sizeof event};
    ps_command *command = sleeper();
    ps_error *error = NULL;
    unlink(control);
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0)
        owner(how);
    CHECK(wait_until(access(control, F_OK) == 0, IN_TIME));
    CHECK_OK(ps_handoff_supervisor_new(control, &sup, &error), error);
    CHECK_OK(ps_handoff_supervisor_start(sup, command, &error), error);
    int before = count_fds(), most = before;
    long memory = resident_kib();
    for (int64_t end = now_ms() + 500; now_ms() < end;) {
        ps_status status = ps_handoff_supervisor_next_event(sup, 1, &event, NULL);
        CHECK(status == PS_OK || status == PS_PENDING);
        int now = count_fds();
        most = now > most ? now : most;
    }
    printf("%s: %d descriptors, at the most %d; %ld kB more\n", how, before, most, resident_kib() - memory);
    CHECK(most <= before + MOST_HELD);
    CHECK(resident_kib() - memory < 8192);
    kill(pid, SIGKILL);
    CHECK(waitpid(pid, NULL, 0) == pid);
    ps_handoff_supervisor_stop(sup, 0, NULL);
    ps_handoff_supervisor_free(sup);
    ps_command_free(command);
    for_each_child(getpid(), harness_kill_tree);
    while (waitpid(-1, NULL, 0) > 0)
        ;
}

int main(void)
{
    struct rlimit files = {2048, 2048};
    CHECK(setrlimit(RLIMIT_NOFILE, &files) == 0);
    snprintf(dir, sizeof dir, "/tmp/hostile.XXXXXX");
    CHECK(mkdtemp(dir) != NULL);
    snprintf(control, sizeof control, "%s/control", dir);
    connections = mmap(NULL, sizeof *connections, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(connections != MAP_FAILED);
    warm_up();
    met("plain");
    met("listening");
    met("again");
    met("nonsense");
    met("hangs up");
    CHECK(*connections > 0 && *connections <= MOST_CONNECTIONS);
    remove_tree(dir);
    return 0;
}
