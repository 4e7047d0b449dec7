/* In a forked copy every function answers FORKED for the inherited handles, of every kind. */
/* covers: LAW-6, EV-6 */
#include "harness.h"
#include "every_call.h"

static void *inherited[KINDS];

static void in_the_copy(void)
{
    for (int kind = 0; kind < ERROR; kind++)
        check_every_call(kind, inherited[kind], PS_ERR_FORKED);
    for (int kind = 0; kind < KINDS; kind++)
        free_as(kind, inherited[kind]);
}

int main(void)
{
    make_handles(inherited);
    in_forked_process(in_the_copy);
    CHECK_INT(reap(inherited[CHILD]).code, 0);
    for (int kind = 0; kind < KINDS; kind++)
        free_as(kind, inherited[kind]);
    return 0;
}
