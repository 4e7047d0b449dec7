/* Faults in the side of the child: each call works or says what failed, a message that was refused was not sent, nothing stays open, and no
   descriptor is close-on-exec by half. */
/* variants: none */
#include "service.h"

#include "scenario.h"

/* Closes whatever comes along, until nobody holds the pipe's other end any more. No child of this process: what it leaves is counted. */
static void read_all_messages(int fd)
{
    static struct heard it;
    int life[2];
    CHECK(pipe2(life, O_CLOEXEC) == 0);
    pid_t middle = fork();
    CHECK(middle >= 0);
    if (middle > 0) {
        close(life[0]); /* the other end is open as long as this process lives */
        CHECK_INT(waitpid(middle, NULL, 0), middle);
        return;
    }
    if (fork() != 0)
        _exit(0);
    close(life[1]);
    for (struct pollfd set[2] = {{.fd = fd, .events = POLLIN}, {.fd = life[0]}};;) {
        poll(set, 2, -1);
        if (set[1].revents)
            _exit(0);
        if (hear(fd, MSG_DONTWAIT, &it))
            for (int i = 0; i < it.fd_count; i++)
                close(it.fds[i]);
    }
}

int main(int argc, char **argv)
{
    ps_error *error = NULL;
    int32_t recycled = -1, count = -1, fd = -1, three = 3;
    int64_t usec = 0;
    char name[16], read_address[128];
    static struct heard it;
    open_from_three(3);
    variable("WATCHDOG_USEC", "1000");
    int read_fd = notified_at(NULL);
    strcpy(read_address, getenv("NOTIFY_SOCKET"));
    read_all_messages(read_fd);
    int heard_fd = notified_at(NULL);
    scenario_faults("connect ECONNREFUSED ENOENT");
    scenario_faults("fstatfs ENOSYS EPERM");
    scenario_no_child();

    /* Only the library's calls stand between the markers (worked() ends that at the first failure). */
    scenario_begin(argc, argv);
    listen_variables("3", own_pid(), "http:admin:other");
    bool named = worked(ps_listen_fd_named("admin", &fd, &error), &error);
    variable("LISTEN_PIDFDID", "1"); /* the kernel says that this is another's, if it can */
    bool asked = worked(ps_listen_fds(&recycled, &error), &error);
    variable("LISTEN_PIDFDID", NULL);
    bool all = worked(ps_listen_fds(&count, &error), &error);
    bool has_name = worked(ps_listen_fd_name(3, name, sizeof name, NULL, &error), &error);
    bool watched = worked(ps_watchdog_enabled(&usec, &error), &error);
    bool sent = worked(ps_notify("READY=1", &error), &error);
    bool stored = worked(ps_notify_fds("FDSTORE=1", &three, 1, &error), &error);
    bool moved = worked(ps_notify_main_process(0, "READY=1", &error), &error);
    variable("NOTIFY_SOCKET", read_address);
    worked(ps_notify_barrier(20000, &error), &error);
    inject_end();

    CHECK(has_name && strcmp(name, "http") == 0 && watched && usec == 1000);
    CHECK(!named || (fd == 4 && closes_on_exec(4)));
    CHECK(!asked || recycled == 0 || recycled == 3);
    CHECK(!all || (count == 3 && closes_on_exec(3) && closes_on_exec(5)));
    if (sent)
        hears(heard_fd, "READY=1");
    if (stored) {
        CHECK(hear(heard_fd, MSG_DONTWAIT, &it) && strcmp(it.text, "FDSTORE=1") == 0 && it.fd_count == 1);
        close(it.fds[0]);
    }
    if (moved) { /* without its number on pidfs, where a pidfd was not to be had */
        int pid = 0, end = 0;
        CHECK(hear(heard_fd, MSG_DONTWAIT, &it) && it.fd_count == 0);
        CHECK(sscanf(it.text, "MAINPID=%d\n%n", &pid, &end) == 1 && pid == getpid());
        const char *ready = strstr(it.text, "READY=1");
        CHECK(ready && ready[7] == 0 && (ready == it.text + end || (strncmp(it.text + end, "MAINPIDFDID=", 12) == 0 && ready[-1] == '\n')));
    }
    CHECK(!hear(heard_fd, MSG_DONTWAIT, &it));
    /* Without faults all is as ever. */
    CHECK_OK(ps_notify_barrier(20000, &error), error);
    scenario_end();
    return 0;
}
