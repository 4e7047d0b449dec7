/* Where only the machine's count speaks (oom_kill of /proc/vmstat), a child that a stranger has killed by SIGKILL was probably killed for
   want of memory if the count has risen since a look before its spawn; nobody else was: not one that ended otherwise, not one that the host
   has killed. Whatever stands in the file or does not, the exit is told. Here the count is a file of the test's own, in a mount namespace. */
/* variants: few */
/* as-root */
#include "harness.h"
#include "children.h"

#include <sys/mount.h>

static char counted[128];

/* Written at one stroke: what is mounted there stays the same file. */
static void machine_says(const char *text)
{
    int fd = open(counted, O_WRONLY | O_TRUNC | O_CLOEXEC);
    CHECK(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    close(fd);
}

static void machine_has_killed(unsigned count)
{
    char text[128];
    snprintf(text, sizeof text, "nr_free_pages 1\noom_kill_disable 77\noom_kill %u\nthp_zero 3\n", count);
    machine_says(text);
}

static ps_exit killed_by_a_stranger(ps_child *child)
{
    CHECK(kill(pid_of(child), SIGKILL) == 0);
    ps_exit end = reap(child);
    ps_child_free(child);
    CHECK(end.kind == PS_EXIT_SIGNALED && end.signal == SIGKILL && end.cause == PS_CAUSE_SELF);
    CHECK(end.oom_kills == -1 && end.memory_peak == -1);
    return end;
}

/* A child whose life sees this in the file, and that a stranger ends. */
static int told_of(const char *text)
{
    ps_child *child = spawn_once(NULL, pausing());
    machine_says(text);
    return killed_by_a_stranger(child).oom;
}

int main(void)
{
    ps_error *error = NULL;
    if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", "", MS_REC | MS_PRIVATE, "") != 0)
        SKIP("no mount namespaces for this user");
    strcpy(counted, temp_dir());
    CHECK(mount("none", counted, "tmpfs", 0, "size=1m") == 0); /* goes with this process */
    rmdir(counted);
    strcat(counted, "/vmstat");
    write_file(counted, "oom_kill 0\n", 0644);
    CHECK(mount(counted, "/proc/vmstat", "", MS_BIND, "") == 0);

    machine_has_killed(5); /* the look at the first spawn finds these */
    ps_child *child = spawn_once(NULL, pausing()), *other = spawn_once(NULL, pausing());
    CHECK_INT(killed_by_a_stranger(child).oom, PS_OOM_NONE);
    machine_has_killed(6);
    CHECK_INT(killed_by_a_stranger(other).oom, PS_OOM_PROBABLE);

    /* Both lived when it rose, and the look of the first end does not take it from the second. */
    child = spawn_once(NULL, pausing());
    other = spawn_once(NULL, pausing());
    machine_has_killed(8);
    CHECK_INT(killed_by_a_stranger(child).oom, PS_OOM_PROBABLE);
    CHECK_INT(killed_by_a_stranger(other).oom, PS_OOM_PROBABLE);
    child = spawn_once(NULL, pausing());
    CHECK_INT(killed_by_a_stranger(child).oom, PS_OOM_NONE);

    /* No such end at all. */
    child = spawn_once(NULL, exiting("137"));
    machine_has_killed(9);
    ps_exit end = reap(child);
    CHECK(end.code == 137 && end.oom == PS_OOM_NONE && end.oom_kills == -1 && end.memory_peak == -1);
    ps_child_free(child);
    child = spawn_once(NULL, pausing());
    machine_has_killed(10);
    CHECK(kill(pid_of(child), SIGQUIT) == 0);
    CHECK_INT(reap(child).oom, PS_OOM_NONE);
    ps_child_free(child);

    /* The host's own kills, in each way. */
    ps_child *ours[5];
    ps_supervisor *supervisor = supervisor_new();
    for (int i = 0; i < 4; i++)
        ours[i] = spawn_once(NULL, pausing());
    ours[4] = spawn_once(supervisor, pausing());
    machine_has_killed(11);
    CHECK_OK(ps_signal(ours[0], SIGKILL, &error), error);
    CHECK_OK(ps_signal_process(ours[1], SIGKILL, &error), error);
    ps_child *deaf = spawn_deaf(NULL);
    machine_has_killed(12);
    CHECK_INT(terminate(deaf, 0).oom, PS_OOM_NONE);
    ps_child_free(deaf);
    ps_supervisor_free(supervisor);
    for (int i = 0; i < 5; i++)
        if (i < 2 || i > 3) {
            end = reap(ours[i]);
            CHECK(end.signal == SIGKILL && end.oom == PS_OOM_NONE);
        }
    CHECK_STATUS(ps_kill_and_reap_all(PATIENCE_MS, NULL), PS_OK);
    for (int i = 2; i < 4; i++)
        CHECK_INT(reap(ours[i]).oom, PS_OOM_NONE);
    for (int i = 0; i < 5; i++)
        ps_child_free(ours[i]);

    /* A kill that came to a zombie was none; and a stop plan that has not come to its kill has killed nobody. */
    child = spawn_once(NULL, pausing());
    machine_has_killed(13);
    CHECK(kill(pid_of(child), SIGKILL) == 0);
    CHECK(wait_until(process_state(pid_of(child)) == 'Z', PATIENCE_MS));
    ps_signal(child, SIGKILL, NULL);
    CHECK_INT(reap(child).oom, PS_OOM_PROBABLE);
    ps_child_free(child);
    deaf = spawn_deaf(NULL);
    CHECK_OK(ps_signal(deaf, SIGTERM, &error), error);
    machine_has_killed(14);
    CHECK_INT(killed_by_a_stranger(deaf).oom, PS_OOM_PROBABLE);

    /* By an event, for every run; and for people. */
    supervisor = supervisor_new();
    ps_command *command = pausing();
    CHECK_OK(ps_command_restart(command, PS_RESTART_ON_FAILURE, 0, 0, &error), error);
    child = spawn_once(supervisor, command);
    for (unsigned run = 0; run < 2; run++) {
        take_event(supervisor, PS_EVENT_STARTED);
        machine_has_killed(15 + run);
        CHECK(kill(pid_of(child), SIGKILL) == 0);
        CHECK_INT(take_event(supervisor, PS_EVENT_EXITED).exit.oom, PS_OOM_PROBABLE);
        CHECK_INT(take_event(supervisor, PS_EVENT_RESTARTING).exit.oom, PS_OOM_PROBABLE);
    }
    ps_supervisor_free(supervisor);
    ps_child_free(child);
    command = shell("echo 'oom_kill 20' > \"$1\"; kill -9 $$", counted);
    CHECK_ERROR(ps_run_checked(command, PATIENCE_MS, 0, NULL, &error), PS_ERR_EXITED, &error);
    CHECK(strstr(ps_error_message(error), ": signal 9 (SIGKILL), probably killed by the kernel for want of memory") != NULL);
    ps_error_free(error);
    error = NULL;
    ps_command_free(command);

    /* No descriptor to read it with. */
    int fillers[400], count = 0;
    struct rlimit few;
    child = spawn_once(NULL, pausing());
    pid_t pid = pid_of(child);
    machine_has_killed(30);
    CHECK(getrlimit(RLIMIT_NOFILE, &few) == 0);
    few.rlim_cur = 400;
    CHECK(setrlimit(RLIMIT_NOFILE, &few) == 0);
    while ((fillers[count] = open("/", O_RDONLY | O_CLOEXEC)) >= 0)
        count++;
    CHECK_INT(errno, EMFILE);
    CHECK(kill(pid, SIGKILL) == 0);
    end = reap(child);
    CHECK(end.signal == SIGKILL && (end.oom == PS_OOM_PROBABLE || end.oom == PS_OOM_NONE)); /* that of its pidfd is free by then */
    ps_child_free(child);
    while (count > 0)
        close(fillers[--count]);

    /* Files of every kind. */
    static const char *const odd[] = {"", "oom_kill\n", "oom_kill many\n", "oom_kill -3\n", "oom_kill 99999999999999999999999\n", "\n\n\n",
                                      "nr_free_pages 1\n"};
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++)
        CHECK_INT(told_of(odd[i]), PS_OOM_NONE);
    char *huge = malloc(1 << 16);
    memset(huge, 'x', (1 << 16) - 1);
    huge[(1 << 16) - 1] = 0;
    CHECK_INT(told_of(huge), PS_OOM_NONE);
    strcpy(huge + (1 << 16) - 20, "\noom_kill 31\n");
    CHECK_INT(told_of(huge), PS_OOM_PROBABLE);
    free(huge);
    CHECK_INT(told_of("oom_kill 18446744073709551615"), PS_OOM_PROBABLE);
    CHECK(mount("/dev/null", "/proc/vmstat", "", MS_BIND, "") == 0);
    CHECK_INT(told_of("oom_kill 1\n"), PS_OOM_NONE);
    CHECK(umount("/proc/vmstat") == 0);
    CHECK(mount("/proc/self/mem", "/proc/vmstat", "", MS_BIND, "") == 0); /* EIO */
    CHECK_INT(told_of("oom_kill 1\n"), PS_OOM_NONE);
    CHECK(umount("/proc/vmstat") == 0);
    return 0;
}
