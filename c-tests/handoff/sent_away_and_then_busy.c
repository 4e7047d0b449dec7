/* The connection of a candidate is closed (its owner looks at nobody, and too many others wait), and when it comes again the owner is
   busy with another handoff: it is told PS_ERR_IN_PROGRESS and not, in the end, that nobody answers. */
/* covers: L6 */
#include "harness.h"
#include "handoff.h"

enum { GUESTS = 8 };

/* How many sockets bear a name in the directory of the stage: each that listens, and the other end of each connection to it. The library
   binds its own under another name than that of the path. */
static int ends_on_the_stage(void)
{
    char line[512];
    int count = 0;
    FILE *file = fopen("/proc/net/unix", "re");
    CHECK(file != NULL);
    while (fgets(line, sizeof line, file)) {
        const char *path = strchr(line, '/');
        count += path && strncmp(path, stage.dir, strlen(stage.dir)) == 0;
    }
    fclose(file);
    return count;
}

int main(void)
{
    stage_begin();
    stage.probation = 20;
    party *o = first("old"), *c = takeover("candidate");
    ask(o, "deaf 1");
    int before = ends_on_the_stage();
    say(c, "new %s", stage.path);
    CHECK(wait_until(ends_on_the_stage() == before + 1, 20000));
    int guests[GUESTS];
    for (int i = 0; i < GUESTS; i++)
        CHECK((guests[i] = guest()) >= 0);
    party *n = upgrade(o, "spawned", 20000);
    ask(o, "deaf 0");
    answered(c, "new", "PS_ERR_IN_PROGRESS");
    for (int i = 0; i < GUESTS; i++)
        close(guests[i]);
    leave(c);
    hand_over(o, n);
    stage_end();
    return 0;
}
