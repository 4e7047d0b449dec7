/* Two copies of the library in one process are two guests that do not know each other. Each has its own children: ps_live_count counts, and
   ps_signal_all and ps_kill_and_reap_all reach, those of their own copy only, a subreaper reaps only orphans of its own, and a
   child inherits nothing of either. */
/* covers: F40, LAW-1, LAW-2 */
#include "harness.h"
#include "children.h"
#include "second_copy.h"

static ps_child *spawn_there(ps_supervisor *supervisor, const char *script)
{
    ps_command *command = NULL;
    ps_child *child = NULL;
    CHECK(SECOND(ps_command_new)("/bin/sh", &command, NULL) == PS_OK);
    CHECK(SECOND(ps_command_arg)(command, "-c", NULL) == PS_OK && SECOND(ps_command_arg)(command, script, NULL) == PS_OK);
    CHECK_STATUS(SECOND(ps_spawn)(supervisor, command, &child, NULL), PS_OK);
    SECOND(ps_command_free)(command);
    return child;
}

int main(void)
{
    ps_exit end = {.size = sizeof end};
    uint32_t left = 77;
    second_copy_load();
    warm_up();
    ps_child *there = spawn_there(NULL, "exec sleep 1000");
    CHECK_STATUS(SECOND(ps_kill_and_reap_all)(PATIENCE_MS, &left), PS_OK);
    CHECK_STATUS(SECOND(ps_reap)(there, PATIENCE_MS, NULL, NULL), PS_OK);
    SECOND(ps_child_free)(there);

    /* everything at once is everything of one copy */
    ps_child *here = spawn_once(NULL, pausing());
    there = spawn_there(NULL, "exec sleep 1000");
    CHECK_INT(ps_live_count(), 1);
    CHECK_INT(SECOND(ps_live_count)(), 1);
    CHECK_STATUS(SECOND(ps_signal_all)(SIGKILL), PS_OK);
    CHECK_STATUS(SECOND(ps_reap)(there, PATIENCE_MS, &end, NULL), PS_OK);
    CHECK_INT(end.signal, SIGKILL);
    SECOND(ps_child_free)(there);
    CHECK_STATUS(ps_reap_nonblock(here, &end, NULL), PS_PENDING);
    there = spawn_there(NULL, "exec sleep 1000");
    CHECK_STATUS(ps_kill_and_reap_all(PATIENCE_MS, &left), PS_OK);
    CHECK_STATUS(SECOND(ps_reap_nonblock)(there, &end, NULL), PS_PENDING);
    CHECK_STATUS(ps_reap(here, PATIENCE_MS, &end, NULL), PS_OK);
    ps_child_free(here);

    /* the subreaper of one is no reaper of the other's children and orphans */
    ps_supervisor *ours = supervisor_new(), *theirs = NULL;
    CHECK(SECOND(ps_supervisor_new)(&theirs, NULL) == PS_OK);
    CHECK_STATUS(ps_supervisor_set_subreaper(ours, 1, NULL), PS_OK);
    CHECK_STATUS(SECOND(ps_supervisor_set_subreaper)(theirs, 1, NULL), PS_OK);
    ps_child *dead = spawn_there(theirs, "setsid sleep 1000 & exit 3");
    CHECK(wait_until(child_count() >= 3, PATIENCE_MS)); /* `there`, the zombie, and its orphan */
    int64_t until = now_ms() + 1000;
    do {
        ps_event event = {.size = sizeof event};
        CHECK_STATUS(ps_supervisor_next_event(ours, 100, &event, NULL), PS_PENDING);
    } while (now_ms() < until);
    CHECK_INT(child_count(), 3);
    CHECK_STATUS(SECOND(ps_reap)(dead, PATIENCE_MS, &end, NULL), PS_OK);
    CHECK_INT(end.code, 3);
    SECOND(ps_child_free)(dead);
    SECOND(ps_supervisor_free)(theirs); /* its orphan goes with it */
    CHECK(wait_until(child_count() == 1, PATIENCE_MS));
    ps_supervisor_free(ours);

    CHECK_STATUS(SECOND(ps_kill_and_reap_all)(PATIENCE_MS, &left), PS_OK);
    SECOND(ps_child_free)(there);

    /* what one has reserved is no child's of the other */
    char *seen = output_of(shell("ls /proc/self/fd | wc -l", ""));
    CHECK_INT(atoi(seen), 4); /* 0, 1, 2 and the directory */
    free(seen);
    CHECK_INT(child_count(), 0);
    return 0;
}
