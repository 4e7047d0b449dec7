/* Somebody who may rename a directory above the sandbox swaps it with a link to a directory of somebody else's, again and again, while the
   host reaps: what is removed is the sandbox, wherever its parent is by then, and nothing of the other one. */
/* covers: F22, LAW-17 */
/* variants: few: what differs is openat2 */
#include "harness.h"
#include "children.h"
#include <sys/syscall.h>

static char base[64], parent[96], other[96];
static volatile int over;

static int exchange(void)
{
    return (int)syscall(SYS_renameat2, AT_FDCWD, parent, AT_FDCWD, other, 2u /* RENAME_EXCHANGE */);
}

static void *swap_all_the_time(void *unused)
{
    (void)unused;
    while (!over)
        exchange();
    return NULL;
}

static void run(char *sandbox)
{
    ps_error *error = NULL;
    ps_command *command = exiting("0");
    CHECK_OK(ps_command_sandbox_dir(command, sandbox, &error), error);
    ps_child *child = spawn_once(NULL, command);
    CHECK(exchange() == 0);
    CHECK_INT(reap(child).code, 0);
    ps_child_free(child);
}

int main(void)
{
    char victim[96], kept[128], file[160], sandbox[128], moved[128];
    strcpy(base, temp_dir());
    snprintf(parent, sizeof parent, "%s/parent", base);
    snprintf(other, sizeof other, "%s/other", base);
    snprintf(victim, sizeof victim, "%s/victim", base);
    snprintf(kept, sizeof kept, "%s/sandbox", victim);
    snprintf(sandbox, sizeof sandbox, "%s/sandbox", parent);
    snprintf(moved, sizeof moved, "%s/sandbox", other);
    CHECK(mkdir(parent, 0700) == 0 && mkdir(victim, 0700) == 0 && mkdir(kept, 0700) == 0 && symlink(victim, other) == 0);
    snprintf(file, sizeof file, "%s/precious", kept);
    write_file(file, "x", 0600);

    /* swapped once, before the reap */
    CHECK(mkdir(sandbox, 0700) == 0);
    run(sandbox);
    CHECK(exists(file));
    CHECK(!exists(moved));
    if (exchange() != 0)
        SKIP("names cannot be exchanged here");

    /* swapped all the time */
    for (int i = 0; i < 400; i++) {
        char inner[160];
        pthread_t thread;
        CHECK(mkdir(sandbox, 0700) == 0);
        snprintf(inner, sizeof inner, "%s/precious", sandbox);
        write_file(inner, "x", 0600);
        ps_error *error = NULL;
        ps_command *command = exiting("0");
        CHECK_OK(ps_command_sandbox_dir(command, sandbox, &error), error);
        ps_child *child = spawn_once(NULL, command);
        over = 0;
        thread_start(&thread, swap_all_the_time, NULL);
        reap_and_free(child);
        over = 1;
        pthread_join(thread, NULL);
        CHECK(exists(file));
        struct stat found;
        if (lstat(parent, &found) == 0 && S_ISLNK(found.st_mode))
            CHECK(exchange() == 0);
        CHECK(!exists(sandbox));
    }
    unlink(file);
    rmdir(kept);
    rmdir(victim);
    rmdir(parent);
    unlink(other);
    CHECK(rmdir(base) == 0);
    return 0;
}
