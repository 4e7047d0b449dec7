/* What a preloader calls at the wrong time, or with what is none, is refused; the channel is opened once, and an ordinary copy of the process has none of it. */
/* covers: C15-1, FS-12, LAW-6 */
#include "native_host.h"

static ps_preload *preload;
static ps_error *error;

static void expect(ps_status got, ps_status expected)
{
    CHECK_INT(got, expected);
    ps_error_free(error);
    error = NULL;
}

/* An application that is told this number: what its open answered. */
static int opened(int theirs, int number, ...)
{
    host h = {.said = 1};
    pid_t answer = 0;
    va_list none;
    snprintf(h.p.base, sizeof h.p.base, "%s", temp_dir());
    snprintf(h.p.log, sizeof h.p.log, "%s.log", h.p.base);
    va_start(none, number);
    pid_t pid = host_start(&h, theirs, number, NULL, none);
    va_end(none);
    CHECK_INT(host_reap(pid), 4);
    CHECK_INT(logged(&h.p, "unopened", &answer), 1);
    unlink(h.p.log);
    rmdir(h.p.base);
    return answer;
}

static void what_the_environment_says(void)
{
    int theirs, pair[2];
    char text[8];
    CHECK_INT(opened(-1, 77), PS_ERR_NOT_FOUND);
    CHECK_INT(opened(-1, -1), PS_ERR_NOT_FOUND);
    CHECK_INT(opened(-1, 1), PS_ERR_NOT_FOUND);
    CHECK(pipe2(pair, O_CLOEXEC) == 0);
    CHECK_INT(opened(pair[0], pair[0]), PS_ERR_NOT_FOUND);
    close(pair[0]);
    close(pair[1]);
    /* A stranger's socket keeps what lies in it. */
    CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == 0);
    CHECK_INT(opened(pair[0], pair[0]), PS_ERR_NOT_FOUND);
    CHECK(send(pair[1], "mine", 4, 0) == 4);
    CHECK_INT(opened(pair[0], pair[0]), PS_ERR_NOT_FOUND);
    CHECK_INT(recv(pair[0], text, sizeof text, MSG_DONTWAIT), 4);
    close(pair[1]);
    CHECK_INT(opened(pair[0], pair[0]), PS_ERR_NOT_FOUND);
    close(pair[0]);
    int ours = host_channel(&theirs, 1, 0x00090009);
    CHECK_INT(opened(theirs, theirs), PS_ERR_VERSION_MISMATCH);
    close(ours);
    close(theirs);
}

static int in_a_copy(ps_status (*call)(void))
{
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0)
        _exit(-call());
    return -host_reap(pid);
}

static ps_status open_again(void)
{
    ps_preload *again = NULL;
    return ps_preload_open(&again, NULL);
}

static ps_status say_ready(void) { return ps_preload_ready(preload, PS_FORK_LIBC, NULL); }

static ps_status claim_birth(void) { return ps_preload_forked(preload, 4711, 0, NULL); }

int main(void)
{
    what_the_environment_says();

    int32_t role = 77, what = 77, fd = -1;
    uint64_t request = 77;
    int theirs, ours = host_channel(&theirs, 9, 0x00010001);
    char variable[16];
    CHECK_STATUS(ps_preload_open(&preload, NULL), PS_ERR_NOT_FOUND);
    snprintf(variable, sizeof variable, "%d", theirs);
    setenv("PROCSUP_PRELOAD_FD", variable, 1);
    CHECK_STATUS(ps_preload_open(NULL, NULL), PS_ERR_INVALID_ARGUMENT);
    CHECK_OK(ps_preload_open(&preload, &error), error);
    CHECK(fcntl(theirs, F_GETFD) & FD_CLOEXEC);
    CHECK_STR(getenv("PROCSUP_PRELOAD_FD"), variable);
    host_hear_kind(ours, W_HELLO);
    expect(open_again(), PS_ERR_STATE);
    CHECK_INT(in_a_copy(open_again), PS_ERR_STATE);
    CHECK_INT(in_a_copy(say_ready), PS_ERR_FORKED);
    CHECK_INT(in_a_copy(claim_birth), PS_ERR_INVALID_ARGUMENT);

    /* Not ready yet. */
    expect(ps_preload_fork(preload, 0, &role, &error), PS_ERR_STATE);
    expect(ps_preload_accept(preload, 0, &request, &error), PS_ERR_STATE);
    expect(ps_worker_ready(preload, &error), PS_ERR_STATE);
    expect(ps_worker_asked(preload, 0, &what, &error), PS_ERR_STATE);
    expect(ps_preload_ready(preload, 2, &error), PS_ERR_INVALID_ARGUMENT);
    expect(ps_preload_ready(preload, 0x200, &error), PS_ERR_INVALID_ARGUMENT);
    expect(ps_preload_failed(preload, NULL, &error), PS_ERR_INVALID_ARGUMENT);
    CHECK_OK(ps_preload_fd(preload, &fd, &error), error);
    struct pollfd one = {.fd = fd, .events = POLLIN};
    CHECK_INT(poll(&one, 1, 0), 0);
    CHECK_OK(ps_preload_ready(preload, PS_FORK_SIBLING, &error), error);
    host_hear_kind(ours, W_READY);

    expect(ps_preload_ready(preload, PS_FORK_SIBLING, &error), PS_ERR_STATE);
    expect(ps_preload_failed(preload, "no", &error), PS_ERR_STATE);
    expect(ps_preload_collapse(preload, &error), PS_ERR_STATE);
    expect(ps_preload_fork(preload, -2, &role, &error), PS_ERR_INVALID_ARGUMENT);
    expect(ps_preload_fork(preload, 0, NULL, &error), PS_ERR_INVALID_ARGUMENT);
    expect(ps_preload_fork(preload, 1, &role, &error), PS_ERR_TIMEOUT);
    expect(ps_preload_accept(preload, 1, &request, &error), PS_ERR_TIMEOUT);
    expect(ps_preload_accept(preload, 0, NULL, &error), PS_ERR_INVALID_ARGUMENT);
    expect(ps_preload_forked(preload, 4711, 1, &error), PS_ERR_INVALID_ARGUMENT);
    expect(ps_preload_forked(preload, 4711, 0, &error), PS_ERR_INVALID_ARGUMENT);
    CHECK_INT(role, 77);
    CHECK_INT(request, 77);
    CHECK_OK(ps_preload_fork(preload, 0, &role, &error), error);
    CHECK_INT(role, PS_ROLE_PRELOADER);

    /* What came of a birth is told before the next one is taken; a fork that failed is one. */
    host h = {.channel = ours, .said = 1};
    for (int i = 1; i <= 2; i++) {
        wire_message m = wire_begin(W_FORK, 9, ++h.said);
        int pair[2];
        CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == 0);
        wire_value(&m, T_BIRTH, (uint64_t)i, 8);
        wire_fd(&m, T_END, pair[1]);
        CHECK_INT(wire_send(ours, &m), 0);
        close(pair[0]);
        close(pair[1]);
    }
    CHECK_INT(poll(&one, 1, 0), 1);
    CHECK_OK(ps_preload_accept(preload, 0, &request, &error), error);
    CHECK_INT(request, 1);
    /* Read already, and not done: the descriptor says so. */
    CHECK_INT(poll(&one, 1, 0), 1);
    expect(ps_preload_accept(preload, 0, &request, &error), PS_ERR_STATE);
    expect(ps_preload_forked(preload, 2, 1, &error), PS_ERR_INVALID_ARGUMENT);
    CHECK_OK(ps_preload_forked(preload, 1, -EAGAIN, &error), error);
    wire_message m = host_hear_kind(ours, W_REFUSED);
    CHECK_INT((int32_t)wire_find(&m, T_STATUS, 0, 0), PS_ERR_LIMIT);
    CHECK_INT(wire_find(&m, T_ERRNO, 0, 0), EAGAIN);
    CHECK_OK(ps_preload_accept(preload, 0, &request, &error), error);
    CHECK_INT(request, 2);

    /* The host is gone. */
    close(ours);
    CHECK_OK(ps_preload_fork(preload, -1, &role, &error), error);
    CHECK_INT(role, PS_ROLE_STOP);
    ps_preload_free(preload);
    ps_preload_free(preload);
    ps_preload_free(NULL);
    expect(ps_preload_fork(preload, 0, &role, &error), PS_ERR_BAD_HANDLE);
    expect(ps_preload_fork(NULL, 0, &role, &error), PS_ERR_BAD_HANDLE);
    CHECK_INT(fcntl(theirs, F_GETFD), -1);
}
