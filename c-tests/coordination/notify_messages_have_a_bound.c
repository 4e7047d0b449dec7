/* A message of 4096 bytes is heard, a longer one is none; nor are garbage, emptiness and other words, and nothing ends the child or the host. */
/* covers: C13-3, LAW-17 */
#include "notifying.h"

int main(void)
{
    ps_error *error = NULL;
    char text[5000];
    size_t length = 0;
    struct speaker child = speaking(NULL, PS_NOTIFY_MAIN, 0, "length", "4097", "bytes", "52454144593d3100ff", "line", "length", "4096", "line",
                                    "length", "100000", "bytes", "", "bytes", "00", "bytes", "fffe0a0a0a3d3d0a", "say", "READY=0\\nX=1", "say",
                                    "READY", "say", "STATUS=at the end", "pause", NULL);
    CHECK_OK(ps_wait_ready(child.child, PATIENCE_MS, &error), error); /* "READY=1" before a NUL */
    CHECK_INT(said(&child).refused, 1);
    tell(&child);
    CHECK(wait_until(said(&child).messages == 2, 20000));
    CHECK_OK(ps_child_status_text(child.child, text, sizeof text, &length, &error), error);
    CHECK_INT(length, 4096 - strlen("STATUS="));
    CHECK(text[0] == 'x' && text[length - 1] == 'x');
    tell(&child);
    CHECK(wait_until(said(&child).messages == 3, 20000));
    CHECK_STR(status_text(&child), "at the end");
    CHECK_INT(said(&child).refused, 2);
    CHECK_INT(said(&child).messages, 3);
    speaker_end(&child);
    return 0;
}
