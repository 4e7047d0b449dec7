/* What ps_preload_open finds in a process that a host has started: its greeting, in the channel that the environment names. Here nobody but this process
   itself is the host, and it asks for nothing. */
#ifndef PROCSUP_TEST_PRELOAD_GREETING_H
#define PROCSUP_TEST_PRELOAD_GREETING_H

#include "harness.h"

#include <sys/socket.h>

/* The host's end, which must stay open: its end would be the host's. (magic, HELLO, no flags; id 1; message 1, of 8 bytes; versions 1 to 1) */
HARNESS int greet_ourselves(void)
{
    static const char greeting[] = "PSPL\x01\0\0\0" "\x01\0\0\0\0\0\0\0" "\x01\0\0\0" "\x08\0\0\0" "\x01\0\x04\0" "\x01\0\x01";
    char number[16];
    int ends[2];
    CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == 0);
    CHECK(write(ends[0], greeting, sizeof greeting) == sizeof greeting);
    snprintf(number, sizeof number, "%d", ends[1]);
    CHECK(setenv("PROCSUP_PRELOAD_FD", number, 1) == 0);
    return ends[0];
}

#endif
