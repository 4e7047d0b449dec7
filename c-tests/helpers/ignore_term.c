/* Ignores SIGTERM, says so by the line "ready", and goes on until a stronger signal ends it. */
#include "forever.h"
#include <signal.h>
#include <stdio.h>

int main(void)
{
    signal(SIGTERM, SIG_IGN);
    puts("ready");
    fflush(stdout);
    pause_forever();
}
