/*
 * The status flags of the open file descriptions behind 0, 1 and 2: prints, on descriptor 7, one letter each: 'n' if it is non-blocking, 'b'
 * if it blocks, '-' if it is closed, and a newline. With an argument it makes all three non-blocking first. Then it waits for a byte on
 * descriptor 8.
 */
#include <fcntl.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    char said[4] = "---\n", byte;
    (void)argv;
    for (int fd = 0; fd < 3; fd++) {
        int flags = fcntl(fd, F_GETFL);
        if (flags >= 0 && argc > 1)
            fcntl(fd, F_SETFL, flags | O_NONBLOCK), flags = fcntl(fd, F_GETFL);
        if (flags >= 0)
            said[fd] = flags & O_NONBLOCK ? 'n' : 'b';
    }
    if (write(7, said, sizeof said) != sizeof said)
        return 1;
    return read(8, &byte, 1) < 0;
}
