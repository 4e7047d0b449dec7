/* Killed for want of memory, killed by somebody else, or ended: each exit says which, and whose limit it was. Of PROCSUP_KILLS children
   (40, if nothing is said) a quarter reach the limit of their own control group, a quarter that of a group above, a quarter are killed by a
   stranger, a quarter exit; mixed, eight at a time. None may be told wrong, neither by its event nor by its
   record. */
/* variants: few */
/* timeout: 600 */
#include "harness.h"
#include "memory_groups.h"

enum way { OWN, ABOVE, KILLED, EXITS };

static const int told[] = {PS_OOM_OWN, PS_OOM_ABOVE, PS_OOM_NONE, PS_OOM_NONE};
static int right[4], wrong[4];

/* Each quarter alike, mixed. */
static enum way way_of(int number) { return (enum way)((number + number / 4 * 3 + number / 16) % 4); }

static ps_command *command_of(int number, int room)
{
    ps_error *error = NULL;
    char group[64], code[16];
    snprintf(code, sizeof code, "%d", number % 100);
    enum way way = way_of(number);
    ps_command *command = way == EXITS ? helper_command("eat_memory", "1", "exit", code, NULL)
        : way == KILLED                ? helper_command("eat_memory", "1", "pause", NULL)
                                       : helper_command("eat_memory", "0", NULL);
    snprintf(group, sizeof group, way == ABOVE ? "room%d/child" : "child%d", room);
    in_memory(command, group, way == ABOVE ? NULL : "12M");
    CHECK_OK(ps_command_user_data(command, (uint64_t)number, &error), error);
    if (way == KILLED)
        set_stdio(command, 1, PS_STDIO_PIPE, -1);
    return command;
}

/* How it ended is what was meant. */
static void judge(int number, const ps_exit *end)
{
    enum way way = way_of(number);
    bool peak = end->memory_peak == -1 ? !kernel_at_least(5, 19) : end->memory_peak > 1 << 20 && end->memory_peak < 64 << 20;
    bool ok = end->oom == told[way] && peak && end->oom_kills == (way == OWN || way == ABOVE) && end->cause == PS_CAUSE_SELF
        && (way == EXITS ? end->kind == PS_EXIT_EXITED && end->code == number % 100 : end->kind == PS_EXIT_SIGNALED && end->signal == SIGKILL);
    ++*(ok ? &right[way] : &wrong[way]);
    if (!ok)
        fprintf(stderr, "child %d (way %d): kind %d, code %d, signal %d, cause %d, %s, kills %d, peak %" PRId64 "\n", number, (int)way,
                end->kind, end->code, end->signal, end->cause, ps_oom_name(end->oom), end->oom_kills, end->memory_peak);
}

int main(void)
{
    enum { ROOMS = 8 };
    const char *wanted = getenv("PROCSUP_KILLS");
    int count = wanted && atoi(wanted) > 0 ? atoi(wanted) : 40, begun = 0, over = 0;
    ps_child *children[ROOMS] = {NULL};
    int room_of[4096];
    memory_begin();
    CHECK(count <= 4096);
    for (int room = 0; room < ROOMS; room++) {
        char name[32];
        snprintf(name, sizeof name, "room%d", room);
        group_above(name, "12M");
    }
    ps_supervisor *supervisor = supervisor_new();
    while (over < count) {
        for (int room = 0; room < ROOMS && begun < count; room++)
            if (!children[room]) {
                room_of[begun] = room;
                children[room] = spawn_once(supervisor, command_of(begun, room));
                if (way_of(begun) == KILLED) {
                    char line[16];
                    int fd = pipe_end(children[room], 1);
                    CHECK(read_line(fd, line, sizeof line));
                    close(fd);
                    CHECK(kill(pid_of(children[room]), SIGKILL) == 0); /* by its number: nobody of the library knows of it */
                }
                begun++;
            }
        ps_event event = {.size = sizeof event};
        ps_error *error = NULL;
        CHECK_OK(ps_supervisor_next_event(supervisor, PATIENCE_MS, &event, &error), error);
        if (event.kind != PS_EVENT_EXITED)
            continue;
        int number = (int)event.user_data, room = room_of[number];
        ps_exit record = reap(children[room]);
        CHECK(memcmp(&record, &event.exit, sizeof record) == 0);
        judge(number, &record);
        ps_child_free(children[room]);
        children[room] = NULL;
        if (++over % 100 == 0) {
            printf("%d of %d\n", over, count);
            fflush(stdout);
        }
    }
    ps_supervisor_free(supervisor);
    printf("right and wrong: own limit %d %d, limit above %d %d, killed by a stranger %d %d, exited %d %d\n", right[OWN], wrong[OWN],
           right[ABOVE], wrong[ABOVE], right[KILLED], wrong[KILLED], right[EXITS], wrong[EXITS]);
    CHECK_INT(right[OWN] + right[ABOVE] + right[KILLED] + right[EXITS], count);
    return 0;
}
