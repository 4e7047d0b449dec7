/* Control groups that a child has nested a thousand deep go with it, by a thread with a small stack in a host with few descriptors left. */
/* covers: F2, LAW-17 */
/* variants: few: what differs is openat2 */
#include "harness.h"
#include "containment.h"
#include "deep.h"

enum { DEPTH = 1000, STACK = 256 * 1024, DESCRIPTORS = 14 };

static void *reap_it(void *child)
{
    leave_descriptors(DESCRIPTORS);
    reap(child);
    return NULL;
}

static void *nothing(void *unused) { return unused; }

int main(void)
{
    pthread_t thread;
    thread_start(&thread, nothing, NULL); /* or a skip, before there is a tree */
    pthread_join(thread, NULL);
    const char *path = cgroup_path("deep");
    ps_command *command = pausing();
    in_cgroup(command, path);
    ps_child *child = spawn_once(NULL, command);
    close(make_deep(path, DEPTH));
    ps_error *error = NULL;
    CHECK_OK(ps_signal(child, SIGKILL, &error), error);
    pthread_attr_t attributes;
    CHECK(pthread_attr_init(&attributes) == 0 && pthread_attr_setstacksize(&attributes, STACK) == 0);
    CHECK_INT(pthread_create(&thread, &attributes, reap_it, child), 0);
    pthread_join(thread, NULL);
    ps_child_free(child);
    CHECK(wait_until(cgroup_gone(path), 20000));
    return 0;
}
