/* timeout: 120 */
/* A child that sheds a thousand orphans, which end at once, while others come and go: no zombie stays, no descriptor, and no event is
   made of them. */
/* covers: P7 */
#include "harness.h"
#include "containment.h"

int main(void)
{
    static struct escape escape;
    ps_supervisor *supervisor = supervisor_new();
    be_subreaper(supervisor, 1);
    ps_child *first = spawn_once(supervisor, exiting("0"));
    take_event(supervisor, PS_EVENT_STARTED);
    take_event(supervisor, PS_EVENT_EXITED);
    ps_child_free(first);
    int32_t fd = -1;
    CHECK_STATUS(ps_supervisor_fd(supervisor, &fd, NULL), PS_OK); /* what it waits on is made at its first wait, or here */
    ps_event none = {.size = sizeof none};
    CHECK_STATUS(ps_supervisor_next_event(supervisor, 1, &none, NULL), PS_PENDING);
    leak_guard guard = leak_guard_begin();

    escape_begin(&escape);
    ps_command *command = helper_command("escape", "orphans", escape.file, "1000", "exit", NULL);
    set_stdio(command, 1, PS_STDIO_NULL, -1);
    ps_child *storm = spawn_once(supervisor, command);
    int started = 0, exited = 0;
    int64_t until = now_ms() + 60000 * slowness();
    while (!(exited == 1 && started == 1 && child_count() == 0) && now_ms() < until) {
        ps_event event = {.size = sizeof event};
        if (ps_supervisor_next_event(supervisor, 5, &event, NULL) == PS_OK) {
            CHECK(event.child == storm);
            started += event.kind == PS_EVENT_STARTED;
            exited += event.kind == PS_EVENT_EXITED;
        }
    }
    CHECK_INT(started, 1);
    CHECK_INT(exited, 1);
    CHECK_INT(zombie_count(), 0);
    char word[64];
    int lines = 0;
    FILE *file = fopen(escape.file, "re");
    while (file && fgets(word, sizeof word, file))
        lines++;
    CHECK(file != NULL);
    fclose(file);
    CHECK_INT(lines, 1000);
    unlink(escape.file);
    ps_child_free(storm);
    leak_guard_end(&guard);
    ps_supervisor_free(supervisor);
    return 0;
}
