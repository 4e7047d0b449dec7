/* What a survivor (PS_SURVIVORS_LEAVE) says within the drain window after the exit is still captured; the exit itself waits
   for nobody. */
/* covers: RP-36 */
#include "outputs.h"

static bool output_is_now(ps_child *child, const char *expected)
{
    char text[256];
    size_t length = 0;
    ps_error *error = NULL;
    CHECK_OK(ps_child_output(child, text, sizeof text - 1, &length, &error), error);
    text[length] = 0;
    return strcmp(text, expected) == 0;
}

/* Whether the survivor was heard: it says it at once, but a busy machine may take the two seconds. */
static bool heard(bool supervised)
{
    ps_error *error = NULL;
    ps_supervisor *supervisor = supervised ? supervisor_new() : NULL;
    int go[2];
    CHECK_INT(pipe2(go, O_CLOEXEC), 0);
    ps_command *command = shell("echo early; { read go; echo late >&2; read never; } <&3 3<&- &", NULL);
    set_stdio(command, 0, PS_STDIO_NULL, -1);
    CHECK_OK(ps_command_pass_fd(command, go[0], 3, &error), error);
    CHECK_OK(ps_command_capture(command, 200, &error), error);
    keep_survivors(command);
    ps_child *child = spawn_once(supervisor, command);
    close(go[0]);
    if (supervised) {
        take_event(supervisor, PS_EVENT_STARTED);
        take_event(supervisor, PS_EVENT_EXITED);
    }
    CHECK_INT(reap(child).code, 0);
    CHECK(output_is_now(child, "early\n"));
    CHECK_INT(write(go[1], "\n", 1), 1);
    bool late = wait_until(output_is_now(child, "early\nlate\n"), 1900 / slowness());
    close(go[1]);
    ps_child_free(child);
    ps_supervisor_free(supervisor);
    return late;
}

int main(void)
{
    for (int supervised = 0; supervised < 2; supervised++) {
        bool once = false;
        for (int attempt = 0; !once && attempt < 5; attempt++)
            once = heard(supervised);
        CHECK(once || slowness() > 1);
    }
    return 0;
}
