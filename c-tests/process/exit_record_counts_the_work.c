/* User time and memory of the child are its own: a busy child of 30 MiB shows both, an idle one neither. */
/* covers: D-6 */
/* variants: not valgrind: the times are those of the tool */
#include "harness.h"
#include "children.h"

int main(void)
{
    ps_child *idle = spawn_once(NULL, exiting("0"));
    ps_exit little = reap(idle);
    ps_child *busy = spawn_once(NULL, command_for("/bin/sh", "-c", "x=0123456789abcdef; i=0; while [ $i -lt 20 ]; do x=$x$x; i=$((i+1)); "
                                                  "[ $i -lt 21 ] && [ ${#x} -lt 8000000 ] || break; done; exit 0", NULL));
    ps_exit much = reap(busy);
    CHECK(much.code == 0);
    CHECK(much.user_us + much.system_us > little.user_us + little.system_us);
    CHECK(much.max_rss_kib > little.max_rss_kib + 4000);
    ps_child_free(idle);
    ps_child_free(busy);
    return 0;
}
