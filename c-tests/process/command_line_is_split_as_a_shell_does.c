/* ps_command_parse: words as sh splits and unquotes them, held against sh itself; what sh would expand or act on is a word like others. */
/* variants: none */
#include "running.h"

static answer words_of(const char *rest, bool by_the_shell)
{
    char line[4096];
    ps_error *error = NULL;
    ps_command *command = NULL;
    snprintf(line, sizeof line, "/bin/sh -c 'printf \"%%s\\0\" \"$@\"' sh %s", rest);
    if (by_the_shell)
        return run_once(command_for("/bin/sh", "-c", line, NULL), 1 << 16);
    CHECK_OK(ps_command_parse(line, &command, &error), error);
    return run_once(command, 1 << 16);
}

static void as_a_shell(const char *rest)
{
    answer mine = words_of(rest, false), shells = words_of(rest, true);
    if (mine.length[1] == 0 || mine.length[1] != shells.length[1] || memcmp(mine.bytes[1], shells.bytes[1], mine.length[1]) != 0)
        harness_fail(__FILE__, __LINE__, "%s: \"%s\" here, \"%s\" in sh", rest, mine.bytes[1], shells.bytes[1]);
    forget(&mine);
    forget(&shells);
}

static void by_itself(const char *rest, const char *same)
{
    answer mine = words_of(rest, false), shells = words_of(same, true);
    CHECK(mine.length[1] == shells.length[1] && memcmp(mine.bytes[1], shells.bytes[1], mine.length[1]) == 0);
    forget(&mine);
    forget(&shells);
}

int main(void)
{
    as_a_shell("");
    as_a_shell("a  b\tc");
    as_a_shell("'a b' \"c d\" e\\ f");
    as_a_shell("'' \"\" a''b \"a\"'b'c");
    as_a_shell("\"\\$x \\` \\\" \\\\ \\n\" '\\$x \\n'");
    as_a_shell("one \\\n  two\\\nthree \"four\\\nfive\" 'six\\\nseven'");
    as_a_shell("a \\\n b");
    as_a_shell("a # a comment 'with a quote");
    as_a_shell("a#b \\#c '#d'");
    as_a_shell("\xff\xc3 'caf\xe9'");
    by_itself("$HOME ~ * `id` a;b | > x & (y)", "'$HOME' '~' '*' '`id`' 'a;b' '|' '>' x '&' '(y)'");
    return 0;
}
