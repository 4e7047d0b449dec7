/* Terminating a child that has ended already is not an error; its record says that it ended by itself. */
/* covers: LAW-11, EV-11 */
#include "harness.h"
#include "children.h"

int main(void)
{
    ps_child *child = spawn_once(NULL, exiting("5"));
    ps_exit first = reap(child);
    ps_exit again = terminate(child, 0);
    CHECK(memcmp(&first, &again, sizeof first) == 0);
    CHECK(again.code == 5 && again.cause == PS_CAUSE_SELF);
    ps_error *error = NULL;
    CHECK_OK(ps_terminate_begin(child, 0, &error), error);
    again = reap(child);
    CHECK(memcmp(&first, &again, sizeof first) == 0);
    ps_child_free(child);
    return 0;
}
