/* The control path is bound under its own name, so /proc/net/unix, ss(8) and systemd-tmpfiles(8), which spares the files of living sockets,
   find it: in the first generation, in its successors, after a crash, by a relative name, and as long as a name may be. No other file is
   made for it, and none is left. */
/* covers: F30, S7 */
#include "harness.h"
#include "handoff.h"

/* How many listen by this name, as the kernel has it. */
static int listeners_at(const char *path)
{
    char line[512];
    int count = 0;
    FILE *file = fopen("/proc/net/unix", "re");
    if (!file)
        SKIP("no /proc/net/unix");
    while (fgets(line, sizeof line, file)) {
        unsigned flags = 0, type = 0;
        int at = 0;
        line[strcspn(line, "\n")] = 0;
        if (sscanf(line, "%*s %*x %*x %x %x %*x %*u %n", &flags, &type, &at) == 2 && at > 0 && strcmp(line + at, path) == 0)
            count += flags == 0x10000 && type == SOCK_SEQPACKET;
    }
    fclose(file);
    return count;
}

/* The names in the stage's directory, but for the meeting. */
static int files(void)
{
    DIR *dir = opendir(stage.dir);
    int count = 0;
    CHECK(dir != NULL);
    for (struct dirent *entry; (entry = readdir(dir));)
        count += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 && strcmp(entry->d_name, "meeting") != 0;
    closedir(dir);
    return count;
}

static void opens(const char *name, const char *path)
{
    ps_handoff *handoff = NULL;
    ps_error *error = NULL;
    CHECK_OK(ps_handoff_new(name, &handoff, &error), error);
    CHECK_INT(listeners_at(path), 1);
    ps_handoff_free(handoff);
    CHECK_INT(listeners_at(path), 0);
    CHECK(!exists(path));
}

int main(void)
{
    char longest[300];
    stage_begin();
    stage.probation = 20;
    party *o = first("old");
    CHECK_INT(listeners_at(stage.path), 1);
    CHECK_INT(files(), 2);
    int held = open(stage.path, O_PATH | O_NOFOLLOW | O_CLOEXEC); /* so that no other file gets its number */
    struct stat first_one, now;
    CHECK(held >= 0 && fstat(held, &first_one) == 0);
    for (int spawned = 1; spawned >= 0; spawned--) {
        party *n = successor(o, spawned, 20000);
        hand_over(o, n);
        CHECK_INT(listeners_at(stage.path), 1);
        CHECK(lstat(stage.path, &now) == 0 && now.st_ino == first_one.st_ino); /* never bound again */
        o = n;
    }
    close(held);
    crash(o);
    gone(o);
    CHECK(exists(stage.path) && listeners_at(stage.path) == 0);
    o = first("after a crash");
    CHECK_INT(listeners_at(stage.path), 1);
    leave_in_order(o);
    CHECK_INT(files(), 1); /* the lock file stays */

    CHECK(chdir(stage.dir) == 0);
    opens("./control", stage.path);
    /* as long as it may be; and its directory, too */
    memset(longest, 'x', sizeof longest);
    memcpy(longest, stage.dir, strlen(stage.dir));
    longest[strlen(stage.dir)] = '/';
    longest[105] = 0;
    CHECK(mkdir(longest, 0700) == 0);
    strcat(longest, "/c");
    CHECK_INT(strlen(longest), 107);
    opens(longest, longest);
    strcat(longest, ".lock");
    CHECK(unlink(longest) == 0);
    longest[105] = 0;
    CHECK(rmdir(longest) == 0);
    stage_end();
    return 0;
}
