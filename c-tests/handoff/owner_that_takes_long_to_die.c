/* The owner was killed, and the kernel is still taking its memory when its successor's deadline passes. There is no proof of its death
   yet; giving up now would leave nobody. The successor waits for the proof, and follows.
   The moment is made so: both are stopped until the deadline is over, then the owner is killed and its successor goes on. */
/* covers: L1 */
/* variants: none: needs a gigabyte; and nothing here differs */
#include "harness.h"
#include "handoff.h"

static long available_mib(void)
{
    long kib = 0;
    char line[128];
    FILE *file = fopen("/proc/meminfo", "re");
    while (file && fgets(line, sizeof line, file) && sscanf(line, "MemAvailable: %ld", &kib) != 1)
        ;
    if (file)
        fclose(file);
    return kib / 1024;
}

int main(void)
{
    if (available_mib() < 3000)
        SKIP("too little memory");
    stage_begin();
    party *o = first("old");
    ask(o, "fatten 1024");
    party *n = upgrade(o, "new", 300);
    bring(o, n, MET, WARM);
    stop(o);
    stop(n);
    int64_t late = now_ms() + 300 * slowness() + 700; /* half a second is the successor's slack */
    CHECK(wait_until(now_ms() > late, 60000));
    kill(o->pid, SIGKILL);
    o->gone = true;
    go_on(n);
    CHECK_INT(expect(n, LIVE).unsealed, 1);
    CHECK(wait_until(is_dead(o->pid), 20000));
    ask(n, "live");
    expect(n, COMMITTED);
    served_by(n);
    leave_in_order(n);
    stage_end();
    return 0;
}
