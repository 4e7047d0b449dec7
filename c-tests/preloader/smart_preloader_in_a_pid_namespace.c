/* A preloader in a pid namespace of its own names its workers by numbers that mean others here, or nobody: the kernel's word on who has answered counts, and
   the number that is told and signalled is the host's own. */
/* covers: P-b19, PA-85, D-15 */
/* variants: none */
/* as-root */
#include "smart.h"

int main(void)
{
    ps_error *error = NULL;
    if (system("unshare --pid --fork true 2>/dev/null") != 0) {
        printf("skipped: no pid namespace can be made here\n");
        return 77;
    }
    place p = place_begin("good", 0);
    ps_command *command = command_for("/usr/bin/unshare", "--pid", "--fork", "--kill-child", helper_path("fake_preloader"), p.log, "good", "0", NULL);
    session(command, "spawn_dir", p.base);
    session(command, "app_root", "/");
    session(command, "app_type", "fake");
    ps_preloader *apart = NULL;
    CHECK_OK(ps_preloader_new(command, &apart, &error), error);
    ps_command_free(command);
    ps_worker *worker = NULL;
    CHECK_OK(ps_preloader_spawn(apart, p.supervisor, NULL, PATIENCE_MS, &worker, &error), error);
    ps_child *child = child_of(worker);
    pid_t pid = pid_of(child), inside = 0;
    CHECK(logged(&p, "worker", &inside) == 1 && inside != pid);
    char own[64], its[64], here[64];
    snprintf(own, sizeof own, "/proc/%d/ns/pid", (int)pid);
    ssize_t length = readlink(own, its, sizeof its - 1), length_here = readlink("/proc/self/ns/pid", here, sizeof here - 1);
    CHECK(length > 0 && length_here > 0 && (length != length_here || memcmp(its, here, (size_t)length) != 0));
    CHECK_OK(ps_terminate(child, 1000, NULL, &error), error);
    CHECK(wait_until(process_gone(pid), PATIENCE_MS));
    ps_child_free(child);
    ps_worker_free(worker);
    ps_preloader_free(apart);
    unlink(p.log); /* its numbers are of the other namespace */
    place_end(&p);
    return 0;
}
