/* variants: none */
/* A host that reaps everybody, or has no zombies at all: how a contained program has ended is told all the same, whatever the kernel keeps. */
#include "harness.h"
#include "contained.h"

static void stolen(int code)
{
    char text[8];
    snprintf(text, sizeof text, "%d", code);
    ps_child *child = spawn_once(NULL, contained(exiting(text)));
    wait_for(pid_of(child));
    ps_exit end = reap(child);
    CHECK(end.kind == PS_EXIT_EXITED && end.code == code);
    ps_child_free(child);
    child = spawn_once(NULL, contained(helper_command("die_by", "15", NULL)));
    wait_for(pid_of(child));
    end = reap(child);
    CHECK(end.kind == PS_EXIT_SIGNALED && end.signal == SIGTERM);
    ps_child_free(child);
}

int main(void)
{
    need_contained();
    stolen(3);
    /* Its init's children are not the host's to ignore. */
    signal(SIGCHLD, SIG_IGN);
    ps_exit end = run_to_its_end(contained(exiting("200")));
    CHECK(end.kind == PS_EXIT_EXITED && end.code == 200);
    end = run_to_its_end(contained(helper_command("die_by", "6", NULL)));
    CHECK(end.kind == PS_EXIT_SIGNALED && end.signal == SIGABRT);
    return 0;
}
