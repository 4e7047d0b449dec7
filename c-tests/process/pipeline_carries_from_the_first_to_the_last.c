/* Each reads what the one before it writes; stream 0 of the first, 1 of the last and 2 of each are their own; each has its own end. */
/* variants: few */
#include "harness.h"
#include "piping.h"

int main(void)
{
    warm_up();
    ps_child *child[4];
    ps_error *error = NULL;
    ps_command *first = shell("read line; echo $line; echo two; exit 3", NULL);
    ps_command *second = capturing(shell("echo beside >&2; exec tr a-z A-Z", NULL));
    ps_command *third = shell("while read line; do echo \"<$line>\" >&2; done; exit 5", NULL); /* merged: into the pipe */
    ps_command *last = capturing(shell("cat; echo end >&2", NULL));
    CHECK_OK(ps_command_input(first, "one\n", 4, &error), error);
    set_stdio(third, 2, PS_STDIO_MERGE, -1);
    leak_guard guard = leak_guard_begin();
    for (int round = 0; round < 2; round++) { /* the commands are as they were */
        CHECK_INT(pipeline(NULL, child, first, second, third, last, NULL), 4);
        for (int i = 0; i < 4; i++)
            CHECK_INT(reap(child[i]).code, ((int[]){3, 0, 5, 0})[i]);
        CHECK_STR(captured(child[1]), "beside\n");
        CHECK_STR(captured(child[3]), "<ONE>\n<TWO>\nend\n");
        free_all(child, 4);
    }
    leak_guard_end(&guard);
    ps_command_free(last);
    ps_command_free(first);
    ps_command_free(second);
    ps_command_free(third);
    return 0;
}
