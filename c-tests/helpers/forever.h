/*
 * How helpers wait to be killed. Not for ever: a test that dies must not leave programs behind for good, so after ten minutes they
 * end by themselves.
 */
#ifndef PROCSUP_FOREVER_H
#define PROCSUP_FOREVER_H

#include <unistd.h>

static void pause_forever(void)
{
    alarm(600);
    for (;;)
        pause();
}

#endif
