/* None of these calls changes the environment, keeps a descriptor, or starts anything. (libsystemd can unset its variables; a library must not:
   another thread may read them.) */
/* covers: C13-7, LAW-1 */
#include "service.h"

int main(void)
{
    open_from_three(1);
    int fd = notified_at(NULL);
    listen_variables("1", own_pid(), "http");
    variable("WATCHDOG_USEC", "1000");
    variable("WATCHDOG_PID", own_pid());
    /* The host's own array: pointers and text. */
    char **array = environ;
    char *pointers[512], *texts[512];
    int count = 0, before = count_fds();
    for (; environ[count]; count++) {
        CHECK(count < 512);
        pointers[count] = environ[count];
        texts[count] = strdup(environ[count]);
    }
    for (int i = 0; i < 3; i++) {
        int32_t number;
        int64_t usec;
        char name[16];
        CHECK_STATUS(ps_listen_fds(&number, NULL), PS_OK);
        CHECK_INT(number, 1);
        CHECK_STATUS(ps_listen_fd_named("http", &number, NULL), PS_OK);
        CHECK_STATUS(ps_listen_fd_name(3, name, sizeof name, NULL, NULL), PS_OK);
        CHECK_STATUS(ps_watchdog_enabled(&usec, NULL), PS_OK);
        CHECK_INT(usec, 1000);
        CHECK_STATUS(ps_notify("READY=1", NULL), PS_OK);
        CHECK_STATUS(ps_notify_barrier(0, NULL), PS_ERR_TIMEOUT);
    }
    CHECK(environ == array && environ[count] == NULL);
    for (int i = 0; i < count; i++) {
        CHECK(environ[i] == pointers[i]);
        CHECK_STR(environ[i], texts[i]);
        free(texts[i]);
    }
    CHECK_INT(count_fds(), before);
    CHECK(child_count() == 0 && ps_live_count() == 0);
    close(fd);
    return 0;
}
