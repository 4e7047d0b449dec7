/* ps_command_render: sh, given the line, runs the same program with the same arguments, whatever bytes these hold; and ps_command_parse
   reads it back. */
/* variants: none */
#include "running.h"

static char *rendered(const ps_command *command)
{
    ps_error *error = NULL;
    size_t needed = 0;
    CHECK_OK(ps_command_render(command, NULL, 0, &needed, &error), error);
    char *line = malloc(needed);
    CHECK_OK(ps_command_render(command, line, needed, NULL, &error), error);
    CHECK_INT(strlen(line) + 1, needed);
    return line;
}

static void same(const char *const *args)
{
    ps_error *error = NULL;
    ps_command *command = command_for("/bin/sh", "-c", "printf '%s\\0' \"$@\"", "sh", NULL), *again = NULL;
    CHECK_OK(ps_command_args(command, args, &error), error);
    char *line = rendered(command);
    answer mine = run_once(command, 1 << 20), shells = run_once(command_for("/bin/sh", "-c", line, NULL), 1 << 20);
    CHECK(mine.exit.code == 0 && shells.exit.code == 0 && mine.length[1] > 0);
    CHECK(mine.length[1] == shells.length[1] && memcmp(mine.bytes[1], shells.bytes[1], mine.length[1]) == 0);
    CHECK_OK(ps_command_parse(line, &again, &error), error);
    char *second = rendered(again);
    CHECK_STR(second, line);
    answer parsed = run_once(again, 1 << 20);
    CHECK(mine.length[1] == parsed.length[1] && memcmp(mine.bytes[1], parsed.bytes[1], mine.length[1]) == 0);
    forget(&mine);
    forget(&shells);
    forget(&parsed);
    free(line);
    free(second);
}

int main(void)
{
    char all[256 + 2];
    for (int i = 1; i < 256; i++)
        all[i - 1] = (char)i;
    all[255] = 0;
    same((const char *const[]){NULL});
    same((const char *const[]){"plain", "", "a b", "it's", "\"", "\\", "$HOME", "`id`", "*", "~", "#x", "a\nb", "-n", "A=b", "!", "{a,b}", NULL});
    same((const char *const[]){all, all + 100, "\xff\xfe", "''", "'\\''", NULL});

    /* a program that a shell would take for something else; arg0, environment and directory are not of the line */
    ps_error *error = NULL;
    ps_command *command = command_for("if", "x", "then", NULL);
    CHECK_OK(ps_command_arg0(command, "zero", &error), error);
    CHECK_OK(ps_command_env(command, "A", "b", &error), error);
    CHECK_OK(ps_command_cwd(command, "/", &error), error);
    char *line = rendered(command);
    CHECK_STR(line, "'if' x then");
    free(line);
    ps_command_free(command);
    command = command_for("A=b", "x y", NULL);
    line = rendered(command);
    CHECK_STR(line, "'A=b' 'x y'");
    free(line);
    ps_command_free(command);
    return 0;
}
