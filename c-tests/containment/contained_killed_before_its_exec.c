/* variants: only tier-clone */
/* A contained child is killed while its program is about to execute, in the host's memory: with the first process of the namespace the kernel lets the
   host go on, and kills the program only then. ps_spawn must not come back before that has left the memory. */
#include "harness.h"
#include "contained.h"
#include "held_execve.h"

static atomic_int program_number, shares_memory;

static void *make(void *unused)
{
    held_spawn(unused);
    if (may_run_in_memory(atomic_load(&program_number)))
        atomic_fetch_add(&shares_memory, 1);
    return NULL;
}

int main(void)
{
    need_contained();
    for (int i = 0; i < 60; i++) {
        uint64_t question;
        pthread_t thread;
        held_command = contained(exiting("0"));
        atomic_store(&held_ready, 0);
        thread_start(&thread, make, NULL);
        CHECK(wait_until(atomic_load(&held_ready), 20000));
        pid_t program = held_asks(&question);
        atomic_store(&program_number, program);
        CHECK(may_run_in_memory(program));
        CHECK_STATUS(ps_kill_and_reap_all(PATIENCE_MS, NULL), PS_OK);
        pthread_join(thread, NULL);
        close(held_notify);
        ps_exit end = reap(held_child);
        CHECK(end.kind == PS_EXIT_SIGNALED && end.signal == SIGKILL && end.cause == PS_CAUSE_KILL_ALL);
        ps_child_free(held_child);
        ps_command_free(held_command);
    }
    CHECK_INT(atomic_load(&shares_memory), 0);
    return 0;
}
