/* For tests of PS_ISOLATE_CONTAINED. */
#ifndef PROCSUP_TEST_CONTAINED_H
#define PROCSUP_TEST_CONTAINED_H

#include "children.h"

#include <grp.h>
#include <sys/prctl.h>

HARNESS ps_command *contained(ps_command *command)
{
    ps_error *error = NULL;
    CHECK_OK(ps_command_isolate(command, PS_ISOLATE_CONTAINED, &error), error);
    return command;
}

/* Some places give no namespaces. */
HARNESS bool may_be_contained(void)
{
    ps_command *command = contained(exiting("0"));
    ps_child *child = NULL;
    ps_error *error = NULL;
    ps_status status = ps_spawn(NULL, command, &child, &error);
    ps_command_free(command);
    if (status == PS_ERR_UNSUPPORTED) {
        ps_error_free(error);
        return false;
    }
    CHECK_OK(status, error);
    reap_and_free(child);
    return true;
}

HARNESS void need_contained(void)
{
    if (!may_be_contained())
        SKIP("no pid namespaces are to be had here");
}

/* Runs it to its end. */
HARNESS ps_exit run_to_its_end(ps_command *command)
{
    ps_child *child = spawn_once(NULL, command);
    ps_exit end = reap(child);
    ps_child_free(child);
    return end;
}

/* In a forked process, as root and then as nobody, where this is root: nobody may make a pid namespace only in a user namespace. A process that
   has just given up root is not dumpable, which is the harder case; so both. */
static void (*contained_body)(void);

HARNESS void contained_as_nobody(void)
{
    CHECK(setgroups(0, NULL) == 0);
    CHECK(setresgid(65534, 65534, 65534) == 0 && setresuid(65534, 65534, 65534) == 0);
    need_contained();
    contained_body();
}

HARNESS void contained_as_nobody_dumpable(void)
{
    CHECK(setgroups(0, NULL) == 0);
    CHECK(setresgid(65534, 65534, 65534) == 0 && setresuid(65534, 65534, 65534) == 0);
    CHECK(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) == 0);
    need_contained();
    contained_body();
}

HARNESS void as_root_and_as_nobody(void (*body)(void))
{
    contained_body = body;
    in_forked_process(body);
    if (geteuid() == 0) {
        in_forked_process(contained_as_nobody);
        in_forked_process(contained_as_nobody_dumpable);
    }
}

#endif
