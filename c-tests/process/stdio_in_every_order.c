/* variants: few */
/* The host's own 0, 1 and 2 become the child's in every order: none is overwritten before it has been used. With one of them closed, too, the other two
   go anywhere; what is not named stays as the host has it. */
#include "harness.h"
#include "children.h"

enum { SAVED = 200, KEPT = 210 };

static const int orders[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};

/* Files of this process: at 0 to 2, and kept above. */
static void put_files(void)
{
    for (int fd = 0; fd < 3; fd++) {
        int file = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
        CHECK(file >= 0);
        int high = fcntl(file, F_DUPFD_CLOEXEC, 300);
        close(file);
        CHECK(dup3(high, KEPT + fd, O_CLOEXEC) == KEPT + fd && dup2(high, fd) == fd);
        close(high);
    }
}

static const char *content(int fd)
{
    static char text[64];
    ssize_t length = pread(KEPT + fd, text, sizeof text - 1, 0);
    CHECK(length >= 0);
    text[length] = 0;
    return text;
}

/* Its input holds STDIN; what it reads it writes to 1, and a word to 2. */
static void all_three(void)
{
    for (int i = 0; i < 6; i++) {
        const int *from = orders[i];
        put_files();
        CHECK_INT(pwrite(KEPT + from[0], "STDIN\n", 6, 0), 6);
        ps_command *command = shell("read line; echo got $line; echo err >&2", "");
        for (int stream = 0; stream < 3; stream++)
            set_stdio(command, stream, PS_STDIO_FD, from[stream]);
        ps_child *child = spawn_once(NULL, command);
        CHECK_INT(reap(child).code, 0);
        ps_child_free(child);
        CHECK_STR(content(from[0]), "STDIN\n");
        CHECK_STR(content(from[1]), "got STDIN\n");
        CHECK_STR(content(from[2]), "err\n");
    }
}

/* Two go to two streams, in every way; each is written to by the number that it has in the child. */
static void one_is_closed(void)
{
    for (int closed = 0; closed < 3; closed++)
        for (int i = 0; i < 6; i++) {
            const int *to = orders[i];
            int open_ones[2] = {closed == 0 ? 1 : 0, closed == 2 ? 1 : 2};
            put_files();
            close(closed);
            ps_command *command = shell("for fd in $1; do echo $fd >&$fd; done", (char[]){(char)('0' + to[0]), ' ', (char)('0' + to[1]), 0});
            for (int k = 0; k < 2; k++)
                set_stdio(command, to[k], PS_STDIO_FD, open_ones[k]);
            ps_child *child = spawn_once(NULL, command);
            CHECK_INT(reap(child).code, 0);
            ps_child_free(child);
            for (int k = 0; k < 2; k++)
                CHECK_STR(content(open_ones[k]), ((const char *[]){"0\n", "1\n", "2\n"})[to[k]]);
            CHECK_STR(content(closed), "");
        }
}

static void in_their_place(void (*body)(void))
{
    for (int fd = 0; fd < 3; fd++)
        dup3(fd, SAVED + fd, O_CLOEXEC);
    in_forked_process(body);
}

int main(void)
{
    in_their_place(all_three);
    in_their_place(one_is_closed);
    return 0;
}
