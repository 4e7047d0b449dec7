/* A block as environ has it is what as many calls one by one would be: the last entry of a name counts, what it does not name stays, and an
   empty base makes it all there is. */
/* variants: few */
#include "harness.h"
#include "children.h"

extern char **environ;

int main(void)
{
    ps_error *error = NULL;
    static const char *const block[] = {"A=first", "EMPTY=", "PATHS=/a=/b:/c", "A=last", "KEPT=block", NULL};
    static const char *const nothing[] = {NULL};
    setenv("KEPT", "host", 1);
    setenv("HOSTS", "own", 1);

    ps_command *command = helper_command("show_env", NULL);
    CHECK_OK(ps_command_env(command, "BEFORE", "1", &error), error);
    CHECK_OK(ps_command_env(command, "A", "before", &error), error);
    CHECK_OK(ps_command_env_block(command, block, &error), error);
    CHECK_OK(ps_command_env_block(command, nothing, &error), error);
    CHECK_OK(ps_command_env(command, "EMPTY", NULL, &error), error);
    char *text = output_of(command);
    CHECK_STR(line_after(text, "HOSTS="), "own");
    CHECK_STR(line_after(text, "KEPT="), "block");
    CHECK_STR(line_after(text, "BEFORE="), "1");
    CHECK_STR(line_after(text, "PATHS="), "/a=/b:/c");
    CHECK_STR(line_after(text, "A="), "last");
    CHECK(strstr(text, "A=first") == NULL && strstr(text, "A=before") == NULL && strstr(text, "KEPT=host") == NULL);
    CHECK(line_after(text, "EMPTY=") == NULL);
    free(text);

    /* by itself, in its order */
    command = helper_command("show_env", NULL);
    CHECK_OK(ps_command_env_base(command, PS_ENV_CLEAR, &error), error);
    CHECK_OK(ps_command_env_block(command, block, &error), error);
    CHECK(output_is(command, "EMPTY=\nPATHS=/a=/b:/c\nA=last\nKEPT=block\n"));

    /* the host's own, as it stands */
    command = helper_command("show_env", NULL);
    CHECK_OK(ps_command_env_base(command, PS_ENV_CLEAR, &error), error);
    CHECK_OK(ps_command_env_block(command, (const char *const *)environ, &error), error);
    text = output_of(command);
    CHECK_STR(line_after(text, "HOSTS="), "own");
    free(text);
    return 0;
}
