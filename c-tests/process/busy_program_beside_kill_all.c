/* A program is open for writing, so its exec fails and is tried again; kill-all of another thread reaps the child that has failed. The place in the
   registry is over then: the spawn fails, or its child is one that can be seen, signalled and reaped as any other. */
/* covers: F20, LAW-7, LAW-11, LAW-18 */
/* serial */
/* variants: few */
#include "harness.h"
#include "children.h"

enum { ROUNDS = 150 };

static volatile int over, spawning, busy = -1;

static void *kill_all(void *unused)
{
    while (!over) {
        if (spawning)
            CHECK_STATUS(ps_kill_and_reap_all(PATIENCE_MS, NULL), PS_OK);
        else
            sched_yield();
    }
    return unused;
}

/* Lets the program go a little while after the first attempt. */
static void *let_go(void *unused)
{
    while (!over) {
        int fd = busy;
        if (fd >= 0) {
            poll(NULL, 0, 5);
            busy = -1;
            close(fd);
        } else {
            sched_yield();
        }
    }
    return unused;
}

int main(void)
{
    char program[200];
    snprintf(program, sizeof program, "%s/program", temp_dir());
    reap_and_free(spawn_once(NULL, command_for("/bin/cp", helper_path("pause_forever"), program, NULL)));
    CHECK(exists(program));
    pthread_t killer, closer;
    thread_start(&killer, kill_all, NULL);
    thread_start(&closer, let_go, NULL);
    for (int i = 0; i < ROUNDS; i++) {
        ps_error *error = NULL;
        ps_child *child = NULL;
        ps_command *command = command_for(program, NULL);
        busy = open(program, O_WRONLY | O_CLOEXEC);
        spawning = 1;
        ps_status status = ps_spawn(NULL, command, &child, &error);
        spawning = 0;
        ps_command_free(command);
        while (busy >= 0)
            sched_yield();
        if (status != PS_OK) {
            CHECK_INT(ps_error_errno(error), ETXTBSY);
            ps_error_free(error);
            continue;
        }
        /* Whether kill-all has met it or not: it ends by SIGKILL, and is seen to. */
        pid_t pid = pid_of(child);
        ps_status sent = ps_signal(child, SIGKILL, NULL);
        CHECK(sent == PS_OK || sent == PS_ERR_EXITED);
        CHECK_INT(reap(child).signal, SIGKILL);
        CHECK(kill(pid, 0) != 0);
        ps_child_free(child);
    }
    over = 1;
    pthread_join(killer, NULL);
    pthread_join(closer, NULL);
    CHECK(unlink(program) == 0);
    return 0;
}
