/* Without a word about stdio the child has our three streams, and nothing else. */
/* covers: SC-14 */
#include "harness.h"
#include "children.h"

static int report[2];

static void body(void)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    dup2(null, 0);
    dup2(null, 2);
    dup2(report[1], 1);
    ps_child *child = spawn_once(NULL, helper_command("show_fds", NULL));
    CHECK_INT(reap(child).code, 0);
}

int main(void)
{
    CHECK(pipe2(report, O_CLOEXEC) == 0);
    in_forked_process(body);
    close(report[1]);
    char *text = read_all(report[0]);
    CHECK_STR(text, "0 1 2\n");
    free(text);
    return 0;
}
