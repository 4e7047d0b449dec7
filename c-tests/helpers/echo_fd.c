/* echo_fd N: copies what comes from descriptor N to standard output until its end of file. Exit 2 when N is not open. */
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    char block[65536];
    int fd = argc > 1 ? atoi(argv[1]) : 0;
    if (fcntl(fd, F_GETFD) < 0)
        return 2;
    for (;;) {
        ssize_t length = read(fd, block, sizeof block);
        if (length <= 0)
            return length < 0;
        for (ssize_t at = 0, written; at < length; at += written)
            if ((written = write(1, block + at, (size_t)(length - at))) <= 0)
                return 1;
    }
}
