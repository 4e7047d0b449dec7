/* Of more than max_bytes the first bytes are kept, of each stream by itself; what is beyond is read, so that the program goes on, and
   counted. Memory is what has come, not the bound. */
/* variants: few */
#include "running.h"

static void check(unsigned long long said, size_t most)
{
    char number[32];
    snprintf(number, sizeof number, "%llu", said);
    answer all = run_once(helper_command("spam", number, "2", NULL), most);
    size_t kept = said < most ? (size_t)said : most;
    CHECK_INT(all.exit.code, 0);
    CHECK(all.length[1] == 0 && all.lost[1] == 0);
    CHECK_INT(all.length[2], kept);
    CHECK_INT(all.lost[2], said - kept);
    for (size_t i = 0; i < kept; i++)
        CHECK(all.bytes[2][i] == (char)('a' + i % 26));
    forget(&all);
}

int main(void)
{
    check(1000, 1001);
    check(1000, 1000);
    check(1000, 999);
    check(1000, 1);
    check(1000, 0);
    check(5000000, 70000);
    long before = resident_kib();
    check(100000, 1u << 30);
    CHECK(resident_kib() - before < 100 * 1024);

    /* each stream has the bound to itself, and is cut by itself */
    answer all = run_once(shell("echo 12345678; echo 1234 >&2", ""), 5);
    CHECK_STR(all.bytes[1], "12345");
    CHECK_STR(all.bytes[2], "1234\n");
    CHECK(all.lost[1] == 4 && all.lost[2] == 0);
    forget(&all);
    return 0;
}
