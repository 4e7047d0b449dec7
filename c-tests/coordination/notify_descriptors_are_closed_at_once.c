/* Descriptors that come with a message, as many as can, are closed before the host goes on, with either access; and a host without a free number
   hears the words all the same. */
/* covers: C13-3, LAW-17 */
#include "notifying.h"

static void with(int32_t access, const char *count)
{
    ps_error *error = NULL;
    struct speaker child = speaking(NULL, access, 0, "fds", count, "FDSTORE=1\nFDNAME=x\nSTATUS=stored\nREADY=1", "say", "STATUS=later", "line",
                                    "fds", count, "STATUS=full", "pause", NULL);
    int before = count_fds();
    CHECK_OK(ps_wait_ready(child.child, PATIENCE_MS, &error), error);
    CHECK_INT(count_fds(), before);
    CHECK_STR(hear(&child), "closed");
    CHECK(wait_until(said(&child).messages == 2, 20000));

    struct rlimit limit, none;
    CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0);
    int lowest = dup(0);
    CHECK(lowest >= 0);
    close(lowest);
    none = (struct rlimit){(rlim_t)lowest, limit.rlim_max};
    CHECK(setrlimit(RLIMIT_NOFILE, &none) == 0);
    tell(&child);
    CHECK(wait_until(said(&child).messages == 3, 20000));
    CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
    CHECK_STR(status_text(&child), "full");
    CHECK_STR(hear(&child), "closed");
    CHECK_INT(count_fds(), before);
    speaker_end(&child);
}

int main(void)
{
    warm_up();
    with(PS_NOTIFY_MAIN, "1");
    with(PS_NOTIFY_MAIN, "253");
    with(PS_NOTIFY_GROUP, "1");
    with(PS_NOTIFY_GROUP, "253");
    return 0;
}
