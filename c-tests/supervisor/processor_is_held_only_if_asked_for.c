/* The thread that starts a child from the line is held on its processor only after ps_supervisor_set_hold_processor, and never for a contained child.
   The program is open for writing, so its start takes its time (ETXTBSY, tried again), and another thread looks meanwhile. */
/* variants: only tier-fork, locked-down, asan: valgrind ends a child whose exec fails after its own look at the program */
#include "harness.h"
#include "supervising.h"

#include <sched.h>

static char program[128];
static pid_t starter;
static int writer, over;

static int allowed(pid_t tid)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    CHECK(sched_getaffinity(tid, sizeof set, &set) == 0);
    return CPU_COUNT(&set);
}

/* As soon as the other one is held, its child may begin. */
static void *look(void *seen)
{
    while (!*(int *)seen && !__atomic_load_n(&over, __ATOMIC_ACQUIRE))
        if (allowed(starter) == 1) {
            *(int *)seen = 1;
            close(writer);
            writer = -1;
        } else
            usleep(100);
    return NULL;
}

static int is_held(ps_supervisor *supervisor, ps_isolation isolation)
{
    int seen = 0;
    pthread_t thread;
    ps_command *command = command_for(program, NULL);
    ps_event event = {.size = sizeof event};
    CHECK_STATUS(ps_command_isolate(command, isolation, NULL), PS_OK);
    writer = open(program, O_WRONLY | O_CLOEXEC);
    CHECK(writer >= 0);
    __atomic_store_n(&over, 0, __ATOMIC_RELEASE);
    thread_start(&thread, look, &seen);
    ps_child_free(spawn_once(supervisor, helper_command("nothing", NULL)));
    ps_child *child = spawn(supervisor, command);
    for (int ended = 0; ended < 2; ended += event.kind == PS_EVENT_EXITED || event.kind == PS_EVENT_FAILED) {
        CHECK_OK(ps_supervisor_next_event(supervisor, PATIENCE_MS, &event, NULL), NULL);
        CHECK(allowed(0) != 1);
    }
    __atomic_store_n(&over, 1, __ATOMIC_RELEASE);
    pthread_join(thread, NULL);
    if (!seen)
        close(writer);
    ps_child_free(child);
    ps_command_free(command);
    return seen;
}

/* Where a filter watches, nobody is. */
static int is_filtered(void)
{
    int fd = open("/proc/thread-self/status", O_RDONLY | O_CLOEXEC);
    char *text = read_all(fd);
    const char *mode = line_after(text, "Seccomp:\t");
    int filtered = !mode || strcmp(mode, "0") != 0;
    free(text);
    close(fd);
    return filtered;
}

int main(void)
{
    if (allowed(0) == 1)
        SKIP("there is one processor");
    const char *dir = temp_dir();
    snprintf(program, sizeof program, "%s/program", dir);
    char bytes[4096];
    int from = open(helper_path("nothing"), O_RDONLY | O_CLOEXEC), to = open(program, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);
    CHECK(from >= 0 && to >= 0);
    for (ssize_t got; (got = read(from, bytes, sizeof bytes)) > 0;)
        CHECK(write(to, bytes, (size_t)got) == got);
    close(from);
    close(to);
    starter = (pid_t)syscall(SYS_gettid);
    ps_supervisor *supervisor = new_supervisor(1);
    CHECK_INT(is_held(supervisor, PS_ISOLATE_GROUP), 0);
    CHECK_STATUS(ps_supervisor_set_hold_processor(supervisor, 1, NULL), PS_OK);
    CHECK_STATUS(ps_supervisor_set_hold_processor(supervisor, 2, NULL), PS_ERR_INVALID_ARGUMENT);
    int held = is_held(supervisor, PS_ISOLATE_GROUP);
    CHECK_INT(held, !is_filtered());
    CHECK_INT(is_held(supervisor, PS_ISOLATE_CONTAINED), 0);
    CHECK_STATUS(ps_supervisor_set_hold_processor(supervisor, 0, NULL), PS_OK);
    CHECK_STATUS(ps_supervisor_set_hold_processor(NULL, 1, NULL), PS_ERR_BAD_HANDLE);
    ps_supervisor_free(supervisor);
    unlink(program);
    CHECK(rmdir(dir) == 0);
    return 0;
}
