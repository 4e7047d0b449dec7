/*
 * fill_pipe N: makes the pipe on standard output N bytes large, fills it with lines of 16 bytes ("0123456789abcde") in one write, and
 * exits. Exit 77 when so large a pipe is not to be had.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    int size = argc > 1 ? atoi(argv[1]) : 65536;
    char *all = malloc((size_t)size);
    if (!all || fcntl(1, F_SETPIPE_SZ, size) != size)
        return 77;
    for (int i = 0; i + 16 <= size; i += 16)
        memcpy(all + i, "0123456789abcde\n", 16);
    return write(1, all, (size_t)size) == size ? 0 : 1;
}
