/* variants: only tier-clone */
/* A contained child is killed while its program is about to execute, in the host's memory: with the first process of the namespace the kernel lets the
   host go on, and kills the program only then. ps_spawn must not come back before that has left the memory. */
#include "harness.h"
#include "contained.h"
#include "held_execve.h"

static atomic_int program_number, shares_memory;

/* Whether it can still run in that memory. One that is on its way out (PF_EXITING in its flags, proc_pid_stat(5)) has it for a moment more, but will
   never do anything there again. */
static bool has_memory(pid_t pid)
{
    enum { EXITING = 4 };
    char path[64], text[1024] = "";
    unsigned flags = EXITING;
    unsigned long size = 0;
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    FILE *file = fopen(path, "re");
    if (file) {
        const char *end = fread(text, 1, sizeof text - 1, file) > 0 ? strrchr(text, ')') : NULL;
        CHECK(!end || sscanf(end, ") %*c %*d %*d %*d %*d %*d %u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %*u %lu", &flags, &size) == 2);
        fclose(file);
    }
    return size != 0 && !(flags & EXITING);
}

static void *make(void *unused)
{
    held_spawn(unused);
    if (has_memory(atomic_load(&program_number)))
        atomic_fetch_add(&shares_memory, 1);
    return NULL;
}

int main(void)
{
    need_contained();
    for (int i = 0; i < 60; i++) {
        struct seccomp_notif asked;
        pthread_t thread;
        held_command = contained(exiting("0"));
        atomic_store(&held_ready, 0);
        thread_start(&thread, make, NULL);
        CHECK(wait_until(atomic_load(&held_ready), 20000));
        struct pollfd p = {.fd = held_notify, .events = POLLIN};
        CHECK(poll(&p, 1, PATIENCE_MS) == 1);
        memset(&asked, 0, sizeof asked);
        CHECK(ioctl(held_notify, SECCOMP_IOCTL_NOTIF_RECV, &asked) == 0);
        atomic_store(&program_number, (int)asked.pid);
        CHECK(has_memory((pid_t)asked.pid));
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
