/* The same environment read by the real libsystemd and by us, and the same message sent by both: one answer. Where we are stricter on purpose (a
   number is decimal digits; what is said to another process is not looked at) it is said here. */
/* covers: C13-7 */
/* variants: few */
#include "service.h"

#include <dlfcn.h>

static int (*sd_listen_fds)(int, char ***);
static int (*sd_watchdog_enabled)(int, uint64_t *);
static int (*sd_notify)(int, const char *);
static int (*sd_notify_barrier)(int, uint64_t);

static void listening_agrees(const char *fds, const char *pid, const char *names)
{
    ps_error *error = NULL;
    char **theirs = NULL, name[64];
    int32_t count = -1;
    listen_variables(fds, pid, names);
    int answer = sd_listen_fds(0, &theirs);
    ps_status status = ps_listen_fds(&count, NULL);
    if (status == PS_OK && count > 0) /* where libsystemd looks at once, we look when a name is asked for */
        status = ps_listen_fd_name(3, name, sizeof name, NULL, NULL);
    if (status != (answer >= 0 ? PS_OK : PS_ERR_PROTOCOL) || (answer >= 0 && count != answer))
        printf("LISTEN_FDS=%s LISTEN_PID=%s LISTEN_FDNAMES=%s: %d and %s\n", fds ? fds : "-", pid ? pid : "-", names ? names : "-", answer,
               ps_status_name(status));
    CHECK_INT(status, answer >= 0 ? PS_OK : PS_ERR_PROTOCOL);
    CHECK(answer < 0 || count == answer);
    for (int i = 0; i < answer; i++) {
        CHECK_OK(ps_listen_fd_name(3 + i, name, sizeof name, NULL, &error), error);
        CHECK_STR(name, theirs[i]);
        free(theirs[i]);
    }
    free(theirs);
}

static void watchdog_agrees(const char *usec, const char *pid)
{
    uint64_t theirs = 0;
    int64_t ours = -1;
    variable("WATCHDOG_USEC", usec);
    variable("WATCHDOG_PID", pid);
    int answer = sd_watchdog_enabled(0, &theirs);
    ps_status status = ps_watchdog_enabled(&ours, NULL);
    if (status != (answer >= 0 ? PS_OK : PS_ERR_PROTOCOL))
        printf("WATCHDOG_USEC=%s WATCHDOG_PID=%s: %d and %s\n", usec ? usec : "-", pid ? pid : "-", answer, ps_status_name(status));
    CHECK_INT(status, answer >= 0 ? PS_OK : PS_ERR_PROTOCOL);
    CHECK(answer < 0 || ours == (answer ? (int64_t)theirs : 0));
}

static void messages_agree(int fd, const char *state)
{
    static struct heard theirs, ours;
    CHECK(sd_notify(0, state) > 0);
    CHECK_STATUS(ps_notify(state, NULL), PS_OK);
    CHECK(hear(fd, MSG_DONTWAIT, &theirs) && hear(fd, MSG_DONTWAIT, &ours));
    CHECK(theirs.length == ours.length && memcmp(theirs.text, ours.text, (size_t)ours.length) == 0);
    CHECK(memcmp(&theirs.sender, &ours.sender, sizeof ours.sender) == 0);
    CHECK(theirs.fd_count == 0 && ours.fd_count == 0);
}

static void barriers_agree(int fd)
{
    static struct heard theirs, ours;
    struct stat one, other;
    CHECK_INT(sd_notify_barrier(0, 1000), -ETIMEDOUT);
    CHECK_STATUS(ps_notify_barrier(1, NULL), PS_ERR_TIMEOUT);
    CHECK(hear(fd, MSG_DONTWAIT, &theirs) && hear(fd, MSG_DONTWAIT, &ours));
    CHECK_STR(ours.text, theirs.text);
    CHECK(memcmp(&theirs.sender, &ours.sender, sizeof ours.sender) == 0);
    CHECK(theirs.fd_count == 1 && ours.fd_count == 1);
    CHECK(fstat(theirs.fds[0], &one) == 0 && fstat(ours.fds[0], &other) == 0 && S_ISFIFO(one.st_mode) && S_ISFIFO(other.st_mode));
    CHECK_INT(fcntl(theirs.fds[0], F_GETFL) & O_ACCMODE, fcntl(ours.fds[0], F_GETFL) & O_ACCMODE);
    close(theirs.fds[0]);
    close(ours.fds[0]);
}

int main(void)
{
    char path[] = "/tmp/procsup-notify-XXXXXX", name[64];
    open_from_three(3);
    void *library = dlopen("libsystemd.so.0", RTLD_NOW);
    if (!library)
        SKIP("no libsystemd here");
    *(void **)&sd_listen_fds = dlsym(library, "sd_listen_fds_with_names");
    *(void **)&sd_watchdog_enabled = dlsym(library, "sd_watchdog_enabled");
    *(void **)&sd_notify = dlsym(library, "sd_notify");
    *(void **)&sd_notify_barrier = dlsym(library, "sd_notify_barrier");
    CHECK(sd_listen_fds && sd_watchdog_enabled && sd_notify);
    open_from_three(3); /* whatever loading has opened */

    static const char *const counts[] = {NULL, "", "0", "1", "3", "4", "-1", "two", "2147483645", "4294967297"};
    static const char *const names[] = {NULL, "a", "a:b:c", "", "::", "a::b", "a:b:c:d"};
    const char *const pids[] = {NULL, own_pid(), "1", "", "0", "-5", "x"};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
        for (size_t k = 0; k < sizeof pids / sizeof *pids; k++)
            if (counts[i] || !pids[k] || k < 3) /* without a count we do not read the pid */
                listening_agrees(counts[i], pids[k], NULL);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        listening_agrees("1", own_pid(), names[i]);
        listening_agrees("3", own_pid(), names[i]);
    }
    static const char *const times[] = {NULL, "", "0", "1", "20000000", "-1", "soon", "18446744073709551615", "18446744073709551616"};
    for (size_t i = 0; i < sizeof times / sizeof *times; i++)
        for (size_t k = 0; k < sizeof pids / sizeof *pids; k++)
            if (k != 2 || !times[i] || (times[i][0] >= '1' && times[i][0] <= '9' && strlen(times[i]) < 10)) /* said to another */
                watchdog_agrees(times[i], pids[k]);

    variable("NOTIFY_SOCKET", NULL);
    CHECK_INT(sd_notify(0, "READY=1"), 0);
    CHECK_STATUS(ps_notify("READY=1", NULL), PS_OK);
    static const char *const wrong[] = {"", "@", "relative", "tcp:1"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        variable("NOTIFY_SOCKET", wrong[i]);
        CHECK(sd_notify(0, "READY=1") < 0);
        CHECK_STATUS(ps_notify("READY=1", NULL), PS_ERR_PROTOCOL);
    }
    CHECK(mkdtemp(path) != NULL);
    snprintf(name, sizeof name, "%s/socket", path);
    for (int i = 0; i < 2; i++) {
        int fd = notified_at(i ? name : NULL);
        messages_agree(fd, "READY=1");
        messages_agree(fd, "READY=1\nSTATUS=\xff\nX_ANY=thing\n");
        if (sd_notify_barrier)
            barriers_agree(fd);
        close(fd);
    }
    unlink(name);
    rmdir(path);
    return 0;
}
