/* as-root */
/* The child writes to the disk itself: a full one is its own error, and what it had written follows the policy. The target is untouched
   where it fails, and all space is free again. */
#include "outputs.h"

static void on_a_full_disk(void)
{
    own_mounts();
    const char *dir = small_disk("size=256k,mode=0700");
    for (int hidden = 0; hidden < 2; hidden++) {
        if (hidden)
            without_nameless_files(EOPNOTSUPP);
        for (int replace = 0; replace < 2; replace++)
            for (int drop = 0; drop < 2; drop++) {
                if (replace)
                    write_file(in_dir(dir, "out"), "old", 0600);
                ps_command *command = helper_command("spam", "1000000", NULL);
                to_file(command, in_dir(dir, "out"), replace);
                if (drop)
                    drop_on_failure(command);
                ps_child *child = spawn_once(NULL, command);
                CHECK_INT(reap(child).code, 1);
                ps_child_free(child);
                struct stat st = {.st_size = 0};
                if (drop) {
                    CHECK_INT(entries(dir), replace);
                    CHECK(!replace || content_is(in_dir(dir, "out"), "old"));
                } else {
                    CHECK_INT(stat(in_dir(dir, "out"), &st), 0);
                    CHECK(st.st_size > 65536 && st.st_size <= 262144);
                    CHECK_INT(entries(dir), 1);
                }
                unlink(in_dir(dir, "out"));
                ps_command *small = helper_command("spam", "200000", NULL);
                to_file(small, in_dir(dir, "out"), PS_OUTPUT_REFUSE);
                child = spawn_once(NULL, small);
                CHECK_INT(reap(child).code, 0);
                ps_child_free(child);
                CHECK_INT(unlink(in_dir(dir, "out")), 0);
            }
    }
    CHECK_INT(umount(dir), 0);
    CHECK_INT(rmdir(dir), 0);
}

int main(void)
{
    if (geteuid() != 0)
        SKIP("needs root for a mount namespace");
    in_forked_process(on_a_full_disk);
    return 0;
}
