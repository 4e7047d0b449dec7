/*
 * dribble N [1|2]: copies standard input to standard output (or error) in pieces of N bytes, each when the reader has taken the one
 * before: so a reader sees every piece by itself. The output must be a pipe.
 */
#include <poll.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    static char piece[65536];
    size_t size = argc > 1 ? strtoul(argv[1], NULL, 10) : 1;
    int fd = argc > 2 ? atoi(argv[2]) : 1, waiting = 0;
    if (size == 0 || size > sizeof piece)
        return 2;
    for (ssize_t length; (length = read(0, piece, size)) > 0;) {
        for (ssize_t at = 0, written; at < length; at += written)
            if ((written = write(fd, piece + at, (size_t)(length - at))) <= 0)
                return 1;
        for (int turn = 0; ioctl(fd, FIONREAD, &waiting) == 0 && waiting > 0 && turn < 60000; turn++)
            poll(NULL, 0, turn < 1000 ? 0 : 1);
    }
    return 0;
}
