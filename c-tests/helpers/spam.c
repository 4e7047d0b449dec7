/*
 * spam N [1|2]: writes N bytes to standard output (or error): byte number i of them is 'a' + i % 26. Exit 1 when the other end does
 * not take them.
 */
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    static char block[26 * 2520];
    unsigned long long left = argc > 1 ? strtoull(argv[1], NULL, 10) : 0;
    int fd = argc > 2 ? atoi(argv[2]) : 1;
    size_t at = 0;
    signal(SIGPIPE, SIG_IGN);
    for (size_t i = 0; i < sizeof block; i++)
        block[i] = (char)('a' + i % 26);
    while (left > 0) {
        size_t size = sizeof block - at < left ? sizeof block - at : (size_t)left;
        ssize_t written = write(fd, block + at, size);
        if (written <= 0)
            return 1;
        left -= (unsigned long long)written;
        at = (at + (size_t)written) % sizeof block;
    }
    return 0;
}
