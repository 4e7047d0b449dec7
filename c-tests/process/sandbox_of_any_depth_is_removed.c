/* How deep a sandbox is costs the host neither stack nor descriptors nor the length of a path: 15 000 levels, by a thread with a small stack
   in a host with few descriptors left. */
/* timeout: 120 */
/* covers: F2, LAW-17, LAW-12 */
/* variants: few: what differs is openat2 */
#include "harness.h"
#include "deep.h"

enum { DEPTH = 15000, STACK = 256 * 1024, DESCRIPTORS = 14 };

static char dir[64];

static void *spawn_and_reap(void *argument)
{
    ps_child *child = spawn(NULL, argument);
    leave_descriptors(DESCRIPTORS);
    CHECK_INT(reap(child).code, 0);
    /* On a slow disk that is more than one call does: later ones go on. */
    CHECK(wait_until(!exists(dir) || (ps_reap_nonblock(child, NULL, NULL), 0), 60000));
    ps_child_free(child);
    return NULL;
}

static void *nothing(void *unused) { return unused; }

int main(void)
{
    char file[128];
    pthread_t thread;
    thread_start(&thread, nothing, NULL); /* or a skip, before there is a tree */
    pthread_join(thread, NULL);
    strcpy(dir, "/dev/shm/procsup-test-XXXXXX"); /* in memory, if that is to be had */
    if (!mkdtemp(dir))
        strcpy(dir, temp_dir());
    close(make_deep(dir, DEPTH));
    snprintf(file, sizeof file, "%s/d/d/d/file", dir);
    write_file(file, "x", 0600);
    warm_up();

    ps_error *error = NULL;
    ps_command *command = exiting("0");
    CHECK_OK(ps_command_sandbox_dir(command, dir, &error), error);
    pthread_attr_t attributes;
    CHECK(pthread_attr_init(&attributes) == 0 && pthread_attr_setstacksize(&attributes, STACK) == 0);
    CHECK_INT(pthread_create(&thread, &attributes, spawn_and_reap, command), 0);
    pthread_join(thread, NULL);
    ps_command_free(command);
    CHECK(!exists(dir));
    return 0;
}
