/* The host's thread blocks everything (as runtimes do); the child starts with an empty mask, or TERM would do nothing to it. */
/* covers: P16, D-8 */
#include "harness.h"
#include "children.h"

int main(void)
{
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, NULL);
    char *text = output_of(helper_command("show_signals", NULL));
    CHECK_STR(line_after(text, "blocked="), "0000000000000000");
    CHECK_STR(line_after(text, "pending="), "0000000000000000");
    free(text);

    ps_child *child = spawn_once(NULL, pausing());
    CHECK_INT(terminate(child, 600000).signal, SIGTERM);
    ps_child_free(child);
    return 0;
}
