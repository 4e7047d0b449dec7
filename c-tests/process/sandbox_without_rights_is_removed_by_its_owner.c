/* A child takes away rights to what it leaves in its sandbox, and to the sandbox itself: their owner, who the host is, gives them back to
   himself and removes it all. Links to what is outside are not followed for that either. */
/* covers: F17, LAW-12, EV-12 */
#include "harness.h"
#include "children.h"

static void as_an_ordinary_user(void)
{
    char dir[64], outside[64], kept[128], name[128];
    strcpy(outside, temp_dir());
    snprintf(kept, sizeof kept, "%s/kept", outside);
    CHECK(mkdir(kept, 0700) == 0);
    CHECK(chmod(kept, 0555) == 0);
    static const char *const scripts[] = {
        "mkdir d; touch d/f; chmod 555 d",
        "mkdir d d/e; touch d/f d/e/f; chmod 000 d/e; chmod 000 d",
        "mkdir d d/e; touch d/e/f; chmod 111 d/e; chmod 400 d; chmod 000 .",
        "mkdir d; ln -s \"$1\"/kept d/link; ln -s \"$1\"/kept link; chmod 555 d; chmod 300 .",
    };
    for (size_t i = 0; i < sizeof scripts / sizeof *scripts; i++) {
        strcpy(dir, temp_dir());
        ps_error *error = NULL;
        ps_command *command = shell(scripts[i], outside);
        CHECK_OK(ps_command_cwd(command, dir, &error), error);
        CHECK_OK(ps_command_sandbox_dir(command, dir, &error), error);
        ps_child *child = spawn_once(NULL, command);
        ps_exit end = reap(child);
        CHECK_INT(end.code, 0);
        CHECK_INT(end.removal, PS_OK);
        CHECK_INT(end.removal_errno, 0);
        ps_child_free(child);
        snprintf(name, sizeof name, "%s, script %d", dir, (int)i);
        if (exists(dir))
            harness_fail(__FILE__, __LINE__, "%s is still there", name);
    }
    struct stat found;
    CHECK(stat(kept, &found) == 0 && (found.st_mode & 0777) == 0555);
    CHECK(rmdir(kept) == 0 && rmdir(outside) == 0);
}

static void body(void)
{
    if (geteuid() == 0 && (setgid(54321) != 0 || setuid(54321) != 0))
        SKIP("cannot become an ordinary user here");
    as_an_ordinary_user();
}

int main(void)
{
    in_forked_process(body);
    return 0;
}
