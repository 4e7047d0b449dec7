/* A child may send a socket whose close waits for its unsent data (SO_LINGER), and let go of it: who hears the message is then the last to close it.
   That holds nobody up: neither who waits for the child, nor a supervisor with others to look after, nor the end of the child. */
/* covers: C13-3, LAW-4, LAW-17 */
#include "notifying.h"

#define WAITS "40"

int main(void)
{
    ps_error *error = NULL;
    warm_up();
    for (int access = PS_NOTIFY_MAIN; access <= PS_NOTIFY_GROUP; access++) {
        ps_supervisor *supervisor = supervisor_new();
        int64_t begun = now_ms();
        struct speaker child = speaking(access == PS_NOTIFY_MAIN ? supervisor : NULL, access, 0, "linger", WAITS, "READY=1", "linger", WAITS,
                                        "STATUS=one more", "print", "sent", "line", "linger", WAITS, "STATUS=last", "exit", "0", NULL);
        CHECK_OK(ps_wait_ready(child.child, PATIENCE_MS, &error), error);
        CHECK_STR(hear(&child), "sent");
        CHECK(wait_until(said(&child).messages == 2, 20000));
        tell(&child);
        CHECK_INT(end_of(NULL, &child).code, 0);
        CHECK_STR(status_text(&child), "last");
        CHECK(now_ms() - begun < 30000);
        speaker_end(&child);
        ps_supervisor_free(supervisor);
    }
    return 0;
}
