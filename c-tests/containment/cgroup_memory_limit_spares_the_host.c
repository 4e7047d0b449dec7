/* covers: F1, LAW-13, LAW-18 */
/* A child whose arguments do not fit into the memory of its control group: the spawn fails, or the child is killed, never the host, which
   may share its memory with it at that moment. From each kind of thread, with and without die_with_host and another user, in hosts to be
   sacrificed. */
#include "harness.h"
#include "containment.h"

static int die_with_host, other_user;

static void *spawn_starving(void *unused)
{
    static char kibibytes[125 * 1024];
    ps_error *error = NULL;
    ps_command *command = exiting("0");
    memset(kibibytes, 'x', sizeof kibibytes - 1);
    for (int i = 0; i < 12; i++)
        CHECK_OK(ps_command_arg(command, kibibytes, &error), error);
    in_cgroup(command, cgroup_path("small"));
    CHECK_OK(ps_command_cgroup_set(command, "memory.max", "1000000", &error), error);
    CHECK_OK(ps_command_die_with_host(command, die_with_host, &error), error);
    if (other_user)
        CHECK_OK(ps_command_credentials(command, 65534, 65534, NULL, 0, &error), error);
    ps_child *child = NULL;
    ps_status status = ps_spawn(NULL, command, &child, &error);
    if (status != PS_ERR_LIMIT && !(status == PS_ERR_SYSTEM && ps_error_errno(error) == E2BIG))
        harness_fail_status(__FILE__, __LINE__, "ps_spawn", status, PS_ERR_LIMIT, error);
    CHECK_STR(ps_error_step(error), "exec");
    ps_error_free(error);
    ps_command_free(command);
    return unused;
}

static void in_the_main_thread(void) { spawn_starving(NULL); }

static void in_another_thread(void)
{
    pthread_t thread;
    thread_start(&thread, spawn_starving, NULL);
    CHECK(pthread_join(thread, NULL) == 0);
}

int main(void)
{
    char controllers[512] = "", path[600];
    snprintf(path, sizeof path, "%s/cgroup.controllers", cgroup_root());
    FILE *file = fopen(path, "re");
    CHECK(file && (fgets(controllers, sizeof controllers, file) || feof(file)));
    fclose(file);
    if (!strstr(controllers, "memory"))
        SKIP("no memory controller of cgroup v2 here");
    snprintf(path, sizeof path, "%s/cgroup.subtree_control", cgroup_root());
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    CHECK(fd >= 0 && write(fd, "+memory", 7) == 7);
    close(fd);
    for (int i = 0; i < (getuid() == 0 ? 4 : 2); i++) {
        die_with_host = i & 1;
        other_user = i >> 1;
        in_forked_process(in_the_main_thread);
        in_forked_process(in_another_thread);
    }
    return 0;
}
