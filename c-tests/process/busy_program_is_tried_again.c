/* covers: F20 */
/* A program that is open for writing cannot be run (ETXTBSY), but a moment later it can: ps_spawn tries again for a while. One that stays
   open is an error with step and errno, and leaves nothing. */
#include "harness.h"
#include "children.h"

static char program[128];
static pid_t spawner;
static int done;

static int copy_of_a_program(void)
{
    char bytes[4096];
    int from = open(helper_path("nothing"), O_RDONLY | O_CLOEXEC), to = open(program, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);
    CHECK(from >= 0 && to >= 0);
    for (ssize_t got; (got = read(from, bytes, sizeof bytes)) > 0;)
        CHECK(write(to, bytes, (size_t)got) == got);
    close(from);
    return to;
}

static void *spawn_it(void *child)
{
    ps_error *error = NULL;
    ps_command *command = command_for(program, NULL);
    __atomic_store_n(&spawner, (pid_t)syscall(SYS_gettid), __ATOMIC_RELEASE);
    ps_status status = ps_spawn(NULL, command, (ps_child **)child, &error);
    __atomic_store_n(&done, 1, __ATOMIC_RELEASE);
    CHECK_OK(status, error);
    ps_command_free(command);
    return NULL;
}

/* Asleep between two tries; while its child is on the way it is in no state that a signal could end ('D'). */
static int sleeps(void)
{
    pid_t tid = __atomic_load_n(&spawner, __ATOMIC_ACQUIRE);
    return tid != 0 && process_state(tid) == 'S';
}

int main(void)
{
    const char *dir = temp_dir();
    snprintf(program, sizeof program, "%s/program", dir);
    warm_up();
    int writer = copy_of_a_program();
    leak_guard guard = leak_guard_begin();
    pthread_t thread;
    ps_child *child = NULL;
    thread_start(&thread, spawn_it, &child);
    CHECK(wait_until(sleeps() || __atomic_load_n(&done, __ATOMIC_ACQUIRE), 20000));
    close(writer);
    CHECK(pthread_join(thread, NULL) == 0);
    CHECK_INT(reap(child).code, 0);
    ps_child_free(child);

    writer = open(program, O_WRONLY | O_CLOEXEC);
    ps_command *command = command_for(program, NULL);
    ps_error *error = spawn_fails(command, PS_ERR_SYSTEM);
    CHECK_INT(ps_error_errno(error), ETXTBSY);
    CHECK_STR(ps_error_step(error), "exec");
    ps_error_free(error);
    ps_command_free(command);
    CHECK(has_no_child());
    leak_guard_end(&guard);
    close(writer);
    unlink(program);
    CHECK(rmdir(dir) == 0);
    return 0;
}
