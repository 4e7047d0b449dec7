/* as-root */
/* A file system that has no inode left: before the child it refuses the spawn, after it the file cannot be put in place. Both are typed
   errors, no child is lost, and what was there is untouched. */
#include "outputs.h"

enum { MANY = 64 };

static void fill(const char *dir)
{
    char name[32];
    for (int i = 0; i < MANY; i++) {
        snprintf(name, sizeof name, "filler-%d", i);
        int fd = open(in_dir(dir, name), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
        if (fd < 0) {
            CHECK_INT(errno, ENOSPC);
            return;
        }
        close(fd);
    }
    CHECK(!"the limit of inodes is not kept");
}

static void without_inodes(void)
{
    warm_up();
    own_mounts();
    const char *dir = small_disk("nr_inodes=16,mode=0700");
    without_renameat2(EINVAL); /* then a second name is needed, which costs an inode on tmpfs */
    for (int hidden = 0; hidden < 2; hidden++) {
        if (hidden)
            without_nameless_files(EOPNOTSUPP);
        for (int after = 0; after < 2; after++) {
            ps_command *command = shell("read go; exit 0", NULL);
            set_stdio(command, 0, PS_STDIO_PIPE, -1);
            to_file(command, in_dir(dir, "out"), PS_OUTPUT_REFUSE);
            if (after) {
                ps_child *child = spawn_once(NULL, command);
                fill(dir);
                int before = entries(dir);
                close(pipe_end(child, 0));
                ps_exit end = {.size = sizeof end};
                ps_error *error = NULL;
                ps_status status = ps_reap(child, PATIENCE_MS, &end, &error);
                if (status == PS_OK) { /* the first name of a nameless file is free */
                    CHECK(!hidden && exists(in_dir(dir, "out")));
                    CHECK_INT(unlink(in_dir(dir, "out")), 0);
                } else {
                    CHECK_INT(ps_error_errno(error), ENOSPC);
                    CHECK_STR(ps_error_step(error), "linkat");
                    CHECK_INT(ps_error_status(error), status);
                    CHECK_INT(entries(dir), before - hidden);
                }
                CHECK(!exists(in_dir(dir, "out")));
                CHECK_INT(state_of(child), PS_STATE_EXITED);
                ps_error_free(error);
                ps_child_free(child);
            } else {
                fill(dir);
                int before = entries(dir);
                ps_child *child = NULL;
                ps_error *error = NULL;
                CHECK(ps_spawn(NULL, command, &child, &error) < 0);
                CHECK_INT(ps_error_errno(error), ENOSPC);
                CHECK_INT(entries(dir), before);
                ps_error_free(error);
                ps_command_free(command);
            }
            for (int i = 0; i < MANY; i++) {
                char name[32];
                snprintf(name, sizeof name, "filler-%d", i);
                unlink(in_dir(dir, name));
            }
            CHECK_INT(entries(dir), 0);
        }
    }
    CHECK_INT(child_count(), 0);
    CHECK_INT(umount(dir), 0);
    CHECK_INT(rmdir(dir), 0);
}

int main(void)
{
    if (geteuid() != 0)
        SKIP("needs root for a mount namespace");
    in_forked_process(without_inodes);
    return 0;
}
