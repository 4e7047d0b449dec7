/* Spawns for a long time, in all the ways that own something (pipes, captured output, a sandbox, events, a stop plan, a failed exec), and
   holds descriptors, memory and registry against what they were after the first tenth: nothing may grow. Argument: how many spawns
   (50 000 by default; ./x soak runs a million). */
/* covers: LAW-12 */
/* timeout: 300 */
/* serial */
/* variants: none: a load, not a behaviour */
#include "harness.h"
#include "children.h"

static ps_supervisor *supervisor;
static char sandbox[] = "/tmp/procsup-soak-XXXXXX";

static void plain(ps_command *command)
{
    ps_child *child = spawn(NULL, command);
    ps_error *error = NULL;
    CHECK_OK(ps_reap(child, -1, NULL, &error), error);
    ps_child_free(child);
}

static void through_events(ps_command *command)
{
    ps_child *child = spawn(supervisor, command);
    ps_event event = {.size = sizeof event};
    ps_error *error = NULL;
    do
        CHECK_OK(ps_supervisor_next_event(supervisor, PATIENCE_MS, &event, &error), error);
    while (event.kind != PS_EVENT_EXITED);
    CHECK(event.child == child && event.exit.code == 0);
    ps_child_free(child);
}

/* The handle goes while the child runs: a later call reaps it. */
static void let_go(ps_command *command) { ps_child_free(spawn(NULL, command)); }

static void with_sandbox(ps_command *command)
{
    CHECK(mkdir(sandbox, 0700) == 0);
    plain(command);
    CHECK(access(sandbox, F_OK) != 0);
}

static void failing(ps_command *command)
{
    ps_child *child = NULL;
    ps_error *error = NULL;
    CHECK_STATUS(ps_spawn(NULL, command, &child, &error), PS_ERR_NOT_FOUND);
    ps_error_free(error);
}

static void stopped(ps_command *command)
{
    ps_child *child = spawn(supervisor, command);
    ps_error *error = NULL;
    CHECK_OK(ps_terminate(child, 1000, NULL, &error), error);
    ps_child_free(child);
}

int main(int argc, char **argv)
{
    long total = argc > 1 ? atol(argv[1]) : 50000;
    ps_error *error = NULL;
    CHECK(mkdtemp(sandbox) && rmdir(sandbox) == 0);
    CHECK_OK(ps_supervisor_new(&supervisor, &error), error);

    ps_command *simple = helper_command("nothing", NULL), *piped = helper_command("nothing", NULL);
    ps_command *captured = helper_command("nothing", NULL), *boxed = helper_command("nothing", NULL);
    ps_command *missing = command_for("/nonexistent/program", NULL), *waiting = pausing();
    for (int stream = 0; stream < 3; stream++)
        CHECK_OK(ps_command_stdio(piped, stream, PS_STDIO_PIPE, -1, &error), error);
    CHECK_OK(ps_command_capture(captured, 4096, &error), error);
    CHECK_OK(ps_command_sandbox_dir(boxed, sandbox, &error), error);

    int fds = 0;
    long resident = 0;
    for (long i = 0; i < total; i++) {
        switch (i % 16) {
        case 0: plain(piped); break;
        case 1: plain(captured); break;
        case 2: through_events(captured); break;
        case 3: through_events(simple); break;
        case 4: let_go(simple); break;
        case 5: failing(missing); break;
        case 6: stopped(waiting); break;
        case 7: i % 160 == 7 ? with_sandbox(boxed) : plain(simple); break;
        default: plain(simple);
        }
        if (i == total / 10) {
            CHECK(wait_until(ps_kill_and_reap_all(PATIENCE_MS, NULL) == PS_OK && ps_live_count() == 0, 20000));
            warm_up();
            fds = count_fds();
            resident = resident_kib();
        }
    }
    CHECK_INT(ps_kill_and_reap_all(PATIENCE_MS, NULL), PS_OK);
    warm_up();
    CHECK_INT(count_fds(), fds);
    CHECK_INT(ps_live_count(), 0);
    CHECK_INT(zombie_count(), 0);
    long grown = resident_kib() - resident;
    printf("%ld spawns: %d descriptors, %ld KiB resident, %+ld KiB since the first tenth\n", total, fds, resident, grown);
    CHECK(grown < 512);
    ps_supervisor_free(supervisor);
    return 0;
}
