/* A cleaner removes lock file and socket beside a living generation, and another one starts cold at the path. When the old one is freed, it
   removes nothing: the socket there is the other's. Nor does it remove one that a stranger has bound. */
/* covers: F24, LAW-17 */
#include "harness.h"
#include "handoff.h"

static ps_handoff *open_here(void)
{
    ps_handoff *handoff = NULL;
    ps_error *error = NULL;
    CHECK_OK(ps_handoff_new(stage.path, &handoff, &error), error);
    return handoff;
}

static ino_t inode_of(const char *path)
{
    struct stat st;
    CHECK(lstat(path, &st) == 0);
    return st.st_ino;
}

int main(void)
{
    stage_begin();
    ps_handoff *a = open_here();
    CHECK(unlink(stage.path) == 0 && unlink(stage.lock) == 0);
    ps_handoff *b = open_here();
    ino_t its = inode_of(stage.path);
    ps_handoff_free(a);
    CHECK(exists(stage.path) && inode_of(stage.path) == its);
    int fd = guest();
    CHECK(fd >= 0);
    close(fd);
    ps_handoff_free(b);
    CHECK(!exists(stage.path) && exists(stage.lock));

    /* nobody has come meanwhile: the path goes, whatever became of the lock file */
    a = open_here();
    CHECK(unlink(stage.lock) == 0);
    ps_handoff_free(a);
    CHECK(!exists(stage.path));

    /* a stranger's socket at the path, the lock file untouched */
    a = open_here();
    CHECK(unlink(stage.path) == 0);
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    snprintf(name.sun_path, sizeof name.sun_path, "%s", stage.path);
    int stranger = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(stranger >= 0 && bind(stranger, (struct sockaddr *)&name, sizeof name) == 0);
    ps_handoff_free(a);
    CHECK(exists(stage.path));
    close(stranger);
    stage_end();
    return 0;
}
