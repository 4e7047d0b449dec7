/* Faults within a preloader and its workers: the channel, the looks at it, the fork, what is said of it; a worker's greeting, its gate, the descriptors that
   it is given, its word that it is ready. Whatever fails, each call works or gives a typed error; no worker passes a gate that was not opened; when the host has
   gone all of them end, and nothing is left. The host is played by hand, by a process of its own. */
/* covers: C15-must-faults */
/* variants: only tier-fork: no child is made by a tier here */
/* share: 17 */
#include "scenario.h"

#include "native_host.h"

enum { BIRTHS = 2 };

static void send_fork(host *h, uint64_t birth, int *end)
{
    int pair[2], yes = 1;
    CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == 0);
    CHECK(setsockopt(pair[0], SOL_SOCKET, SO_PASSCRED, &yes, sizeof yes) == 0);
    wire_message m = host_message(h, W_FORK);
    wire_value(&m, T_BIRTH, birth, 8);
    wire_fd(&m, T_END, pair[1]);
    wire_send(h->channel, &m);
    close(pair[1]);
    *end = pair[0];
}

static void open_gate(int end, uint64_t birth)
{
    wire_message go = wire_begin(W_GO, birth, 1);
    go.fds[go.fd_count++] = 1;
    wire_value(&go, T_TO, 40, 4);
    wire_send(end, &go);
}

/* What the preloader says, in the time that one who is well needs. False: it has gone. */
static bool hear(host *h)
{
    wire_message m;
    if (!wire_receive(h->channel, &m))
        return false;
    for (int i = 0; i < m.fd_count; i++)
        close(m.fds[i]);
    if (m.kind == W_ENDED)
        host_say(h, W_RELEASE, wire_find(&m, T_BIRTH, 0, 0));
    return true;
}

/* The host: two births, one after the other; each is ready, or comes to nothing; then it stops. */
static void play(int channel)
{
    host h = {.channel = channel, .said = 1};
    bool there = true;
    for (uint64_t birth = 1; birth <= BIRTHS && there; birth++) {
        int end;
        send_fork(&h, birth, &end);
        for (bool waits = true; waits && there;) {
            struct pollfd watched[] = {{.fd = channel, .events = POLLIN}, {.fd = end, .events = POLLIN}};
            if (poll(watched, 2, 1000) <= 0)
                break;
            if (watched[1].revents) {
                wire_message m;
                waits = wire_receive(end, &m) && m.kind != W_READY && m.kind != W_FAILED;
                if (waits && m.kind == W_HELLO)
                    open_gate(end, birth);
            } else {
                there = hear(&h);
            }
        }
        close(end);
    }
    if (there) {
        wire_message stop = host_message(&h, W_STOP);
        wire_send(channel, &stop);
        struct pollfd watched = {.fd = channel, .events = POLLIN};
        while (poll(&watched, 1, 3000) > 0 && hear(&h))
            ;
    }
    _exit(0);
}

/* It had to be refused: another party's word, or that it cannot be known who else runs here, or whether this is a channel. */
static bool went(ps_status status, ps_error **error)
{
    if (getenv("PROCSUP_TEST_FAULT") && (status == PS_ERR_PROTOCOL || status == PS_ERR_STATE || status == PS_ERR_EXITED ||
                                          status == PS_ERR_NOT_FOUND)) {
        inject_end();
        CHECK(ps_error_status(*error) == status && ps_error_step(*error)[0]);
        /* One answer about the channel that fails makes it no other kind of file: it is asked again. */
        CHECK(status != PS_ERR_NOT_FOUND || !scenario_injected("getsockopt", NULL));
        printf("%s at %s\n", ps_status_name(status), ps_error_step(*error));
        ps_error_free(*error);
        *error = NULL;
        return false;
    }
    return worked(status, error);
}

static _Noreturn void work(ps_preload *preload)
{
    ps_error *error = NULL;
    int32_t what = PS_ASKED_NOTHING;
    /* Its gate was opened, or it would not be here. */
    if (fcntl(40, F_GETFD) < 0)
        _exit(9);
    if (ps_worker_ready(preload, &error) == PS_OK)
        while (what != PS_ASKED_STOP && ps_worker_asked(preload, -1, &what, &error) == PS_OK)
            ;
    _exit(0);
}

static void preload(void)
{
    ps_error *error = NULL;
    ps_preload *preload = NULL;
    if (!went(ps_preload_open(&preload, &error), &error))
        return;
    if (went(ps_preload_ready(preload, PS_FORK_LIBC, &error), &error)) {
        int32_t role = PS_ROLE_PRELOADER;
        for (int turn = 0; turn < 50 && role != PS_ROLE_STOP; turn++) {
            ps_status status = ps_preload_fork(preload, 5000, &role, &error);
            if (!went(status, &error))
                role = PS_ROLE_PRELOADER;
            else if (role == PS_ROLE_WORKER)
                work(preload);
        }
    }
    ps_preload_free(preload);
}

int main(int argc, char **argv)
{
    char number[16];
    int theirs, channel = host_channel(&theirs, GENERATION, 0x00010001);
    /* No child of this process, so that what it leaves is its own. */
    pid_t middle = fork();
    CHECK(middle >= 0);
    if (middle == 0) {
        if (fork() != 0)
            _exit(0);
        close(theirs);
        alarm(40);
        play(channel);
    }
    CHECK(waitpid(middle, NULL, 0) == middle);
    close(channel);
    snprintf(number, sizeof number, "%d", theirs);
    CHECK(setenv("PROCSUP_PRELOAD_FD", number, 1) == 0);
    scenario_begin(argc, argv);
    preload();
    inject_end();
    /* As many as before: it was the library's from its opening. */
    if (fcntl(theirs, F_GETFD) < 0)
        CHECK(dup2(0, theirs) == theirs);
    else if (argc > 1)
        CHECK(shutdown(theirs, SHUT_RDWR) == 0 || errno == ENOTSOCK);
    for (int64_t began = now_ns(); child_count() > 0;) {
        int status;
        pid_t ended = waitpid(-1, &status, WNOHANG);
        CHECK(elapsed_ms(began) < 50000);
        CHECK(ended <= 0 || !WIFEXITED(status) || WEXITSTATUS(status) != 9);
        if (ended <= 0)
            usleep(500);
    }
    scenario_end();
    return 0;
}
