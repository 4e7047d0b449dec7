/* BARRIER=1 is answered when all that was said before it has been read, and not before; its message is none. */
/* covers: C13-3 */
#include "notifying.h"

int main(void)
{
    ps_error *error = NULL;
    struct speaker child = speaking(NULL, PS_NOTIFY_MAIN, 0, "say", "STATUS=first", "barrier", "say", "READY=1", "pause", NULL);
    struct pollfd answer = {.fd = child.out, .events = POLLIN};
    CHECK_INT(poll(&answer, 1, 50), 0);
    CHECK_OK(ps_wait_ready(child.child, PATIENCE_MS, &error), error);
    CHECK(strncmp(hear(&child), "answered ", 9) == 0);
    CHECK_INT(said(&child).messages, 2);
    CHECK_INT(said(&child).refused, 0);
    speaker_end(&child);
    return 0;
}
