/* While the host removes a deep sandbox, somebody moves directories of it out to a place of his own and back. What lies in that place is not
   touched, however the removal finds its way back up; and in the end the sandbox is gone. */
/* covers: F22, F2, LAW-17 */
/* variants: few: what differs is openat2 */
#include "harness.h"
#include "deep.h"

enum { DEPTH = 40, ROUNDS = 60 };

static int sandbox, outside;
static volatile int over;

static void *move_all_the_time(void *unused)
{
    (void)unused;
    while (!over)
        for (int depth = 8; depth < DEPTH && !over; depth += 8) {
            char path[128] = "d";
            for (int i = 1; i < depth; i++)
                strcat(path, "/d");
            if (renameat(sandbox, path, outside, "moved") == 0)
                renameat(outside, "moved", sandbox, path);
        }
    return NULL;
}

int main(void)
{
    char dir[64], place[64], kept[128], moved[128];
    strcpy(place, temp_dir());
    snprintf(kept, sizeof kept, "%s/d", place);
    snprintf(moved, sizeof moved, "%s/moved", place);
    CHECK(mkdir(kept, 0700) == 0);
    snprintf(kept, sizeof kept, "%s/d/precious", place);
    write_file(kept, "x", 0600);
    outside = open(place, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    CHECK(outside >= 0);
    for (int i = 0; i < ROUNDS; i++) {
        ps_error *error = NULL;
        pthread_t thread;
        strcpy(dir, temp_dir());
        sandbox = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        close(make_deep(dir, DEPTH));
        ps_command *command = exiting("0");
        CHECK_OK(ps_command_sandbox_dir(command, dir, &error), error);
        ps_child *child = spawn_once(NULL, command);
        over = 0;
        thread_start(&thread, move_all_the_time, NULL);
        reap(child);
        over = 1;
        pthread_join(thread, NULL);
        CHECK(exists(kept));
        CHECK(wait_until(!exists(dir) || (ps_reap(child, 10, NULL, NULL), 0), 20000));
        ps_child_free(child);
        close(sandbox);
        /* what was outside just then is not the sandbox's any more */
        for (int level = 0; level < DEPTH && exists(moved); level++) {
            char deepest[256];
            strcpy(deepest, moved);
            for (;;) {
                size_t length = strlen(deepest);
                strcpy(deepest + length, "/d");
                if (!exists(deepest)) {
                    deepest[length] = 0;
                    break;
                }
            }
            CHECK(rmdir(deepest) == 0);
        }
    }
    unlink(kept);
    snprintf(kept, sizeof kept, "%s/d", place);
    CHECK(rmdir(kept) == 0);
    CHECK(rmdir(place) == 0);
    return 0;
}
