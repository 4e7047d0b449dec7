/* Stream 0 a terminal, streams 1 and 2 pipes: what is typed is read as lines, and only its echo is on the screen. */
/* variants: none */
#include "terminals.h"

int main(void)
{
    ps_error *error = NULL;
    char line[64];
    warm_up();
    leak_guard guard = leak_guard_begin();
    ps_command *command = shell("read a; echo \"$a\"; cat >&2", NULL);
    set_stdio(command, 0, PS_STDIO_PTY, -1);
    set_stdio(command, 1, PS_STDIO_PIPE, -1);
    set_stdio(command, 2, PS_STDIO_PIPE, -1);
    ps_child *child = spawn_once(NULL, command);
    int fd = terminal_of(child);
    int32_t out = -1, err = -1;
    CHECK_OK(ps_child_stdio(child, 1, &out, &error), error);
    CHECK_OK(ps_child_stdio(child, 2, &err, &error), error);
    CHECK_STATUS(ps_child_stdio(child, 0, &out, NULL), PS_ERR_NOT_FOUND);
    types(fd, "onf\177e\n");
    CHECK(read_line(out, line, sizeof line));
    CHECK_STR(line, "one");
    types(fd, "two\n\004");
    char *rest = read_all(err);
    CHECK_STR(rest, "two\n");
    free(rest);
    must_end(child, 0);
    char *screen = drained(fd);
    CHECK_STR(screen, "onf\b \be\r\ntwo\r\n");
    free(screen);
    close(fd);
    close(out);
    close(err);
    ps_child_free(child);
    leak_guard_end(&guard);
    return 0;
}
