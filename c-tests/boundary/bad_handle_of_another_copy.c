/* Two copies of the library in one process, a host's and its plugin's: a handle of one is a foreign one for the other, although both have
   made the same objects in the same order. A forked copy of the host is told FORKED by the one that made it. */
/* covers: F40 */
#include "harness.h"
#include "every_call.h"
#include "second_copy.h"

static void *ours[KINDS], *theirs[KINDS];
static char control[128], locked[128];

static void make_theirs(void)
{
    ps_error *error = NULL;
    CHECK(SECOND(ps_command_new)("", (ps_command **)&theirs[COMMAND], &error) == PS_ERR_INVALID_ARGUMENT);
    theirs[ERROR] = error;
    CHECK(SECOND(ps_command_new)(helper_path("exit_with"), (ps_command **)&theirs[COMMAND], NULL) == PS_OK);
    CHECK(SECOND(ps_command_arg)(theirs[COMMAND], "7", NULL) == PS_OK);
    CHECK(SECOND(ps_supervisor_new)((ps_supervisor **)&theirs[SUPERVISOR], NULL) == PS_OK);
    CHECK(SECOND(ps_spawn)(theirs[SUPERVISOR], theirs[COMMAND], (ps_child **)&theirs[CHILD], NULL) == PS_OK);
    snprintf(control, sizeof control, "%s/control", temp_dir());
    CHECK(SECOND(ps_handoff_new)(control, (ps_handoff **)&theirs[HANDOFF], NULL) == PS_OK);
    CHECK(SECOND(ps_budget_new)(0, 0, (ps_budget **)&theirs[BUDGET], NULL) == PS_OK);
    snprintf(locked, sizeof locked, "%s/lock", temp_dir());
    CHECK(SECOND(ps_spawn_lock_begin)(locked, 0, (ps_spawn_lock **)&theirs[LOCK], NULL) == PS_OK);
    CHECK(SECOND(ps_spawn_direct_begin)(theirs[SUPERVISOR], theirs[COMMAND], 1000000, (ps_worker **)&theirs[WORKER], NULL) == PS_OK);
}

static void in_the_copy(void)
{
    for (int kind = 0; kind < ERROR; kind++)
        check_every_call(kind, ours[kind], PS_ERR_FORKED);
    ps_exit end = {.size = sizeof end};
    CHECK_STATUS(SECOND(ps_reap)(theirs[CHILD], 0, &end, NULL), PS_ERR_FORKED);
    CHECK_STATUS(SECOND(ps_reap)(ours[CHILD], 0, &end, NULL), PS_ERR_BAD_HANDLE);
}

int main(void)
{
    second_copy_load();
    make_handles(ours);
    make_theirs();
    for (int kind = 0; kind < KINDS; kind++) {
        CHECK(ours[kind] != theirs[kind]);
        check_every_call(kind, theirs[kind], PS_ERR_BAD_HANDLE);
        free_as(kind, theirs[kind]);
    }
    ps_exit end = {.size = sizeof end};
    CHECK_STATUS(SECOND(ps_reap)(ours[CHILD], 0, &end, NULL), PS_ERR_BAD_HANDLE);
    CHECK_STATUS(SECOND(ps_signal)(ours[CHILD], SIGKILL, NULL), PS_ERR_BAD_HANDLE);
    CHECK_STATUS(SECOND(ps_command_arg)(ours[COMMAND], "x", NULL), PS_ERR_BAD_HANDLE);
    SECOND(ps_child_free)(ours[CHILD]);
    in_forked_process(in_the_copy);

    CHECK_INT(reap(ours[CHILD]).code, 0);
    CHECK_STATUS(SECOND(ps_reap)(theirs[CHILD], PATIENCE_MS, &end, NULL), PS_OK);
    CHECK_INT(end.code, 7);
    for (int kind = 0; kind < KINDS; kind++)
        free_as(kind, ours[kind]);
    SECOND(ps_error_free)(theirs[ERROR]);
    SECOND(ps_child_free)(theirs[CHILD]);
    SECOND(ps_worker_free)(theirs[WORKER]);
    SECOND(ps_supervisor_free)(theirs[SUPERVISOR]);
    SECOND(ps_command_free)(theirs[COMMAND]);
    SECOND(ps_handoff_free)(theirs[HANDOFF]);
    SECOND(ps_budget_free)(theirs[BUDGET]);
    SECOND(ps_spawn_lock_release)(theirs[LOCK]);
    CHECK(unlink(locked) == 0);
    *strrchr(locked, '/') = 0;
    CHECK(rmdir(locked) == 0);
    strcat(control, ".lock");
    CHECK(unlink(control) == 0);
    *strrchr(control, '/') = 0;
    CHECK(rmdir(control) == 0);
    return 0;
}
