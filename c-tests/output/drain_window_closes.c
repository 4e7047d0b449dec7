/* After the drain window nobody listens any more: a survivor that goes on writing finds its pipe closed, what was captured
   stays as it is, and the host holds no descriptor for it. */
/* covers: RP-36, D-11 */
#include "outputs.h"

static size_t captured(ps_child *child)
{
    size_t length = 0;
    ps_status status = ps_child_output(child, NULL, 0, &length, NULL);
    CHECK(status == PS_OK || status == PS_ERR_LIMIT);
    return length;
}

static bool dead_while_somebody_looks(ps_child *child, pid_t pid)
{
    captured(child);
    return is_dead(pid);
}

/* Whether the reap was over before the window: it waits for nobody, but a busy machine may keep us that long. */
static bool reaped_in_time(void)
{
    ps_error *error = NULL;
    leak_guard guard = leak_guard_begin();
    ps_command *command = shell("{ trap '' HUP; while echo x; do sleep 0.05; done; } & echo $!", NULL);
    CHECK_OK(ps_command_capture(command, 100000, &error), error);
    keep_survivors(command);
    ps_child *child = spawn_once(NULL, command);
    int64_t start = now_ms();
    CHECK_INT(reap(child).code, 0);
    bool in_time = now_ms() - start < 1500 * slowness();
    char text[4096] = "";
    size_t length = 0;
    CHECK(wait_until(ps_child_output(child, text, sizeof text - 1, &length, &error) == PS_OK && strchr(text, '\n'), 20000));
    pid_t survivor = 0;
    for (const char *line = text; line && *line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL)
        if (isdigit((unsigned char)*line))
            survivor = atoi(line);
    CHECK(survivor > 0);
    CHECK(wait_until(dead_while_somebody_looks(child, survivor), 20000)); /* of SIGPIPE */
    CHECK(now_ms() - start >= 1500);
    size_t before = captured(child);
    CHECK(before > 2);
    CHECK_INT(captured(child), before);
    leak_guard_end(&guard);
    ps_child_free(child);
    return in_time;
}

int main(void)
{
    warm_up();
    bool in_time = false;
    for (int attempt = 0; !in_time && attempt < 5; attempt++)
        in_time = reaped_in_time();
    CHECK(in_time);
    return 0;
}
