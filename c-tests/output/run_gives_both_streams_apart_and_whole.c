/* One call: how it ended, and what it said on each of its streams, byte for byte; nothing is left of it. */
/* variants: few */
#include "running.h"

/* A forked copy of the host runs programs of its own. */
static void in_a_copy(void)
{
    answer all = run_once(shell("echo copied", ""), 100);
    CHECK_INT(all.exit.code, 0);
    CHECK_STR(all.bytes[1], "copied\n");
    forget(&all);
}

int main(void)
{
    warm_up();
    leak_guard guard = leak_guard_begin();
    answer all = run_once(shell("printf 'a\\000b\\377\\n'; echo error >&2; echo $1; exit 7", "more"), 4096);
    CHECK(all.exit.kind == PS_EXIT_EXITED && all.exit.code == 7 && all.exit.cause == PS_CAUSE_SELF);
    CHECK(all.length[1] == 10 && memcmp(all.bytes[1], "a\0b\377\nmore\n", 10) == 0);
    CHECK_STR(all.bytes[2], "error\n");
    CHECK(all.lost[1] == 0 && all.lost[2] == 0);
    forget(&all);

    /* more than a pipe holds on both, in turns: who read one to its end before the other would wait for ever */
    all = run_once(shell("for i in 1 2 3 4 5; do \"$1\" 300000 1; \"$1\" 300000 2; done", helper_path("spam")), 10 << 20);
    CHECK_INT(all.exit.code, 0);
    for (int stream = 1; stream <= 2; stream++) {
        CHECK_INT(all.length[stream], 1500000);
        CHECK_INT(all.lost[stream], 0);
        for (size_t i = 0; i < all.length[stream]; i++)
            if (all.bytes[stream][i] != (char)('a' + i % 300000 % 26))
                harness_fail(__FILE__, __LINE__, "byte %zu of stream %d is %d", i, stream, all.bytes[stream][i]);
    }
    forget(&all);

    all = run_once(helper_command("die_by", "9", NULL), 10);
    CHECK(all.exit.kind == PS_EXIT_SIGNALED && all.exit.signal == SIGKILL && all.length[1] == 0 && all.length[2] == 0);
    forget(&all);
    in_forked_process(in_a_copy);
    leak_guard_end(&guard);
    return 0;
}
