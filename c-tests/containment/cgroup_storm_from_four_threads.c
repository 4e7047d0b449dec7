/* Four threads make and end children with control groups, some of which leave daemons, some of which cannot be started: at the end there is
   no process, no directory and no descriptor more than before. */
#include "harness.h"
#include "containment.h"

enum { THREADS = 4, ROUNDS = 30 };
static ps_supervisor *supervisor;
static struct escape escapes[THREADS];
static char place[500];

static void *run(void *argument)
{
    struct escape *escape = argument;
    for (int i = 0; i < ROUNDS; i++) {
        ps_error *error = NULL;
        ps_child *child = NULL;
        bool fails = i % 5 == 4;
        ps_command *command = helper_command("escape", "daemon", escape->file, i % 2 ? "exit" : NULL, NULL);
        if (fails)
            CHECK_OK(ps_command_cwd(command, "/nonexistent", &error), error);
        set_stdio(command, 1, PS_STDIO_NULL, -1);
        in_cgroup(command, place);
        CHECK_STATUS(ps_spawn(i % 3 ? supervisor : NULL, command, &child, NULL), fails ? PS_ERR_NOT_FOUND : PS_OK);
        ps_command_free(command);
        if (fails)
            continue;
        if (i % 2)
            CHECK_OK(ps_reap(child, PATIENCE_MS, NULL, &error), error);
        else if (i % 4)
            CHECK_OK(ps_terminate(child, 0, NULL, &error), error);
        else
            CHECK_OK(ps_signal(child, SIGKILL, &error), error);
        ps_child_free(child); /* the killed one is its supervisor's to reap */
    }
    return NULL;
}

int main(void)
{
    pthread_t thread[THREADS];
    snprintf(place, sizeof place, "%s/", cgroup_root());
    warm_up();
    ps_error *error = NULL;
    ps_child *first = spawn_once(NULL, pausing()); /* what the default supervisor makes to keep its first deadline, it keeps */
    CHECK_OK(ps_terminate_begin(first, -1, &error), error);
    ps_child_free(first);
    CHECK(wait_until((warm_up(), ps_live_count() == 0), 20000));
    leak_guard guard = leak_guard_begin();
    supervisor = supervisor_new();
    for (int i = 0; i < THREADS; i++) {
        escape_begin(&escapes[i]);
        thread_start(&thread[i], run, &escapes[i]);
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(thread[i], NULL);
    ps_supervisor_free(supervisor);
    CHECK(wait_until((warm_up(), ps_live_count() == 0 && subdirectories(cgroup_root()) == 0), 20000));
    for (int i = 0; i < THREADS; i++) {
        CHECK_INT(escape_survivors(&escapes[i]), 0);
        escape_end(&escapes[i]);
    }
    leak_guard_end(&guard);
    return 0;
}
