/* ps_signal and each stop step reach everybody in the control group, also who left the process group, and nobody twice. Real-time signals
   are queued, so a second one would show. */
/* covers: D-3 */
#include "harness.h"
#include "containment.h"

static int lines_of(const struct escape *escape, const char *word, pid_t pid)
{
    char line[64], wanted[64];
    int count = 0;
    snprintf(wanted, sizeof wanted, "%s %d\n", word, (int)pid);
    FILE *file = fopen(escape->file, "re");
    while (file && fgets(line, sizeof line, file))
        count += strcmp(line, wanted) == 0;
    if (file)
        fclose(file);
    return count;
}

static pid_t member[3];
static int marks;

/* Each has got it `expected` times by now: what came before this mark is counted. */
static void check_counts(const struct escape *escape, int expected)
{
    marks++;
    for (int i = 0; i < 3; i++)
        CHECK(kill(member[i], SIGRTMIN + 2) == 0);
    for (int i = 0; i < 3; i++) {
        CHECK(wait_until(lines_of(escape, "alive", member[i]) == marks, 20000));
        CHECK_INT(lines_of(escape, "got", member[i]), expected);
    }
}

/* The file has "got" lines, too, which are no pids. */
static void learn_members(const struct escape *escape)
{
    char line[64];
    int count = 0;
    FILE *file = fopen(escape->file, "re");
    CHECK(file != NULL);
    while (fgets(line, sizeof line, file))
        if (isdigit((unsigned char)line[0]) && count < 3)
            member[count++] = atoi(line);
    fclose(file);
    CHECK_INT(count, 3);
}

static void check(int32_t isolation)
{
    struct escape escape;
    ps_error *error = NULL;
    marks = 0;
    ps_command *command = escaping("counting", &escape, 0);
    in_cgroup(command, cgroup_path("signalled"));
    CHECK_OK(ps_command_isolate(command, isolation, &error), error);
    CHECK_OK(ps_command_stop_step(command, SIGRTMIN + 1, 60000, &error), error);
    CHECK_OK(ps_command_stop_step(command, SIGKILL, -1, &error), error);
    ps_child *child = spawn_escape(NULL, command, &escape);
    learn_members(&escape);

    check_counts(&escape, 0);
    CHECK_OK(ps_signal(child, 0, &error), error);
    check_counts(&escape, 0);
    CHECK_OK(ps_signal(child, SIGRTMIN + 1, &error), error);
    check_counts(&escape, 1);
    CHECK_OK(ps_terminate_begin(child, -1, &error), error);
    check_counts(&escape, 2);
    /* the last step */
    terminate(child, 0);
    CHECK(is_dead(member[0]));
    CHECK(wait_until(is_dead(member[1]) && is_dead(member[2]), 20000));
    ps_child_free(child);
    CHECK(wait_until(cgroup_gone(cgroup_path("signalled")), 20000));
    unlink(escape.file);
}

int main(void)
{
    cgroup_root();
    check(PS_ISOLATE_GROUP);
    check(PS_ISOLATE_SESSION);
    check(PS_ISOLATE_NONE);
    return 0;
}
