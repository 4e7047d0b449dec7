/* as-root */
/* User, group and supplementary groups by number; no passwd entry is needed for any of them. */
#include "harness.h"
#include "children.h"

static void check(uint32_t uid, uint32_t gid, const uint32_t *groups, size_t n, const char *expected)
{
    ps_error *error = NULL;
    ps_command *command = command_for("/bin/sh", "-c",
        "while read key a b c d; do case $key in Uid:|Gid:|Groups:) echo $key $a $b $c $d;; esac; done < /proc/self/status", NULL);
    CHECK_OK(ps_command_credentials(command, uid, gid, groups, n, &error), error);
    CHECK(output_is(command, expected));
}

int main(void)
{
    if (geteuid() != 0)
        SKIP("needs root");
    const uint32_t groups[3] = {54321, 7, 65533};
    check(54321, 54322, groups, 3, "Uid: 54321 54321 54321 54321\nGid: 54322 54322 54322 54322\nGroups: 7 54321 65533\n");
    check(65534, 65534, NULL, 0, "Uid: 65534 65534 65534 65534\nGid: 65534 65534 65534 65534\nGroups:\n");
    CHECK(geteuid() == 0 && getegid() == 0);
    return 0;
}
