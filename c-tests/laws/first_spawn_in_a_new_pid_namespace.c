/* After unshare(CLONE_NEWPID) the host's first child is the init of the new namespace, and the second cannot be made once that has ended: the
   library must not waste the first one on finding out what the kernel can do. */
/* covers: LAW-2, D-15 */
/* variants: not asan, valgrind: neither works in a pid namespace of the test */
#include "harness.h"
#include "children.h"

static void first_child_is_init(void)
{
    ps_child *init = spawn_once(NULL, pausing());
    ps_child *second = spawn_once(NULL, exiting("7"));
    CHECK_INT(reap(second).code, 7);
    ps_error *error = NULL;
    CHECK_OK(ps_terminate(init, 0, NULL, &error), error);
    ps_child_free(second);
    ps_child_free(init);
}

int main(void)
{
    if (unshare(CLONE_NEWPID) != 0)
        SKIP("no pid namespace here");
    first_child_is_init();
    return 0;
}
