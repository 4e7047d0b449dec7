/* PS_ENV_BASELINE: PATH, HOME, USER, LOGNAME, SHELL, LANG, LC_*, TZ, TMPDIR and TERM of the host, and nothing else of it. */
/* covers: RP-42 */
#include "harness.h"
#include "children.h"

int main(void)
{
    static const char *const kept[] = {"PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LC_ALL", "LC_TIME", "TZ", "TMPDIR", "TERM"};
    clearenv();
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++)
        setenv(kept[i], "kept", 1);
    setenv("SECRET", "x", 1);
    setenv("PATHS", "x", 1);
    setenv("LCX", "x", 1);
    setenv("LD_LIBRARY_PATH_X", "x", 1);

    ps_error *error = NULL;
    ps_command *command = helper_command("show_env", NULL);
    CHECK_OK(ps_command_env_base(command, PS_ENV_BASELINE, &error), error);
    CHECK_OK(ps_command_env(command, "OWN", "set", &error), error);
    CHECK_OK(ps_command_env(command, "TERM", NULL, &error), error);
    char *text = output_of(command);
    size_t length = strlen("OWN=set\n");
    for (size_t i = 0; i + 1 < sizeof kept / sizeof *kept; i++) {
        char key[32];
        snprintf(key, sizeof key, "%s=", kept[i]);
        CHECK_STR(line_after(text, key), "kept");
        length += strlen(key) + strlen("kept\n");
    }
    CHECK_STR(line_after(text, "OWN="), "set");
    CHECK_INT(strlen(text), length);
    free(text);
    return 0;
}
