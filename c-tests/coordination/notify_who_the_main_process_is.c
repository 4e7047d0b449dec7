/* ps_notify_main_process: this process or another one, by its number and by its number on pidfs where the kernel has those; more lines in the
   same message. One that is not there is refused. ps_notify_reloading has the time of CLOCK_MONOTONIC, by which a reload is told from an older one. */
/* covers: C16-5 */
#include "service_manager.h"

int main(void)
{
    static struct heard it;
    static char long_state[4097];
    ps_error *error = NULL;
    CHECK_OK(ps_notify_main_process(0, "READY=1", &error), error); /* nobody asked */
    CHECK_OK(ps_notify_reloading(&error), error);
    int before = count_fds(), fd = notified_at(NULL);

    CHECK_OK(ps_notify_main_process(0, NULL, &error), error);
    hears(fd, main_process_text(getpid(), ""));
    CHECK_OK(ps_notify_main_process(0, "", &error), error);
    hears(fd, main_process_text(getpid(), ""));
    CHECK_OK(ps_notify_main_process(getpid(), "READY=1\nSTATUS=x", &error), error);
    hears(fd, main_process_text(getpid(), "READY=1\nSTATUS=x"));
    CHECK_OK(ps_notify_main_process(getppid(), NULL, &error), error);
    hears(fd, main_process_text(getppid(), ""));

    pid_t gone = fork();
    if (gone == 0)
        _exit(0);
    CHECK_INT(waitpid(gone, NULL, 0), gone);
    ps_status status = ps_notify_main_process(gone, NULL, &error);
    if (status == PS_OK) { /* pidfd_open is refused here: by number, as everybody has said it before */
        char text[32];
        CHECK(syscall(SYS_pidfd_open, getpid(), 0) < 0);
        snprintf(text, sizeof text, "MAINPID=%d", (int)gone);
        hears(fd, text);
    } else {
        CHECK_STATUS(status, PS_ERR_NOT_FOUND);
        ps_error_free(error);
    }
    CHECK_STATUS(ps_notify_main_process(-1, NULL, NULL), PS_ERR_INVALID_ARGUMENT);
    CHECK_STATUS(ps_notify_main_process(INT32_MIN, NULL, NULL), PS_ERR_INVALID_ARGUMENT);
    memset(long_state, 'x', 4096);
    CHECK_STATUS(ps_notify_main_process(0, long_state, NULL), PS_ERR_INVALID_ARGUMENT);

    int64_t least = now_ns() / 1000;
    CHECK_OK(ps_notify_reloading(&error), error);
    int64_t most = now_ns() / 1000, said = 0;
    int length = 0;
    CHECK(hear(fd, MSG_DONTWAIT, &it) && it.fd_count == 0 && it.sender.pid == getpid());
    CHECK(sscanf(it.text, "RELOADING=1\nMONOTONIC_USEC=%" SCNd64 "%n", &said, &length) == 1 && length == it.length);
    CHECK(said >= least && said <= most);
    CHECK(!hear(fd, MSG_DONTWAIT, &it));
    close(fd);
    CHECK_INT(count_fds(), before);
    return 0;
}
