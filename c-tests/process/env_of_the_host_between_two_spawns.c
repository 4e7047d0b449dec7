/* What is kept of a command from spawn to spawn is never of the host's environment: each child gets that as it stands, whether the
   host has changed it by setenv, by writing into a string that it had given to putenv (also into its name), or by putting another
   array in its place. */
/* variants: few */
#include "harness.h"
#include "children.h"

extern char **environ;

static char *said_by(ps_command *command)
{
    ps_child *child = spawn(NULL, command);
    int fd = pipe_end(child, 1);
    char *text = read_all(fd);
    close(fd);
    reap_and_free(child);
    return text;
}

static ps_command *shown(int32_t base, int sets)
{
    ps_error *error = NULL;
    ps_command *command = helper_command("show_env", NULL);
    set_stdio(command, 1, PS_STDIO_PIPE, -1);
    CHECK_OK(ps_command_env_base(command, base, &error), error);
    if (sets) {
        CHECK_OK(ps_command_env(command, "SET", "by the command", &error), error);
        CHECK_OK(ps_command_env(command, "S", "short", &error), error);
        CHECK_OK(ps_command_env(command, "GONE", NULL, &error), error);
    }
    return command;
}

/* What a child of either must have of a variable; NULL: nothing. */
static void expect(ps_command *plain, ps_command *setting, const char *key, const char *in_plain, const char *in_setting)
{
    ps_command *commands[] = {plain, setting};
    const char *wanted[] = {in_plain, in_setting};
    for (int i = 0; i < 2; i++) {
        char *text = said_by(commands[i]);
        const char *value = line_after(text, key);
        if ((value == NULL) != (wanted[i] == NULL) || (value != NULL && strcmp(value, wanted[i]) != 0)) {
            fprintf(stderr, "command %d: %s%s, not %s\n", i, key, value ? value : "(none)", wanted[i] ? wanted[i] : "(none)");
            exit(1);
        }
        char *once = strstr(text, key);
        CHECK(i == 0 || once == NULL || strcmp(key, "SET=") != 0 || strstr(once + 1, "\nSET=") == NULL);
        free(text);
    }
}

int main(void)
{
    ps_command *plain = shown(PS_ENV_INHERIT, 0), *setting = shown(PS_ENV_INHERIT, 1), *basic = shown(PS_ENV_BASELINE, 1);
    unsetenv("SET");
    unsetenv("GONE");
    expect(plain, setting, "SET=", NULL, "by the command");

    /* by setenv: new, changed, removed */
    setenv("SET", "by the host", 1);
    setenv("GONE", "x", 1);
    setenv("OTHER", "1", 1);
    expect(plain, setting, "SET=", "by the host", "by the command");
    expect(plain, setting, "GONE=", "x", NULL);
    expect(plain, setting, "OTHER=", "1", "1");
    setenv("OTHER", "22", 1);
    expect(plain, setting, "OTHER=", "22", "22");
    unsetenv("OTHER");
    expect(plain, setting, "OTHER=", NULL, NULL);

    /* in place: the value, then the name becomes one that the command sets, or removes, or leaves; no pointer changes */
    static char mine[] = "NAME=value";
    CHECK_INT(putenv(mine), 0);
    expect(plain, setting, "NAME=", "value", "value");
    memcpy(mine + 5, "other", 5);
    expect(plain, setting, "NAME=", "other", "other");
    memcpy(mine, "GONE", 4);
    unsetenv("SET");
    expect(plain, setting, "SET=", NULL, "by the command");
    char *text = said_by(setting);
    CHECK(strstr(text, "GONE=") == NULL);
    free(text);
    memcpy(mine, "SET=12", 6);
    expect(plain, setting, "SET=", "12ther", "by the command");
    memcpy(mine, "S=", 3);
    expect(plain, setting, "S=", "", "short");
    strcpy(mine, "S");
    text = said_by(setting);
    CHECK(strstr(text, "\nS\n") == NULL && strncmp(text, "S\n", 2) != 0);
    free(text);
    strcpy(mine, "NAME=back");
    expect(plain, setting, "NAME=", "back", "back");

    /* a base of some names */
    setenv("LC_ALL", "C", 1);
    setenv("LCX", "x", 1);
    text = said_by(basic);
    CHECK_STR(line_after(text, "LC_ALL="), "C");
    CHECK(line_after(text, "LCX=") == NULL && line_after(text, "NAME=") == NULL);
    free(text);
    setenv("LC_TIME", "D", 1);
    unsetenv("LC_ALL");
    text = said_by(basic);
    CHECK_STR(line_after(text, "LC_TIME="), "D");
    CHECK(line_after(text, "LC_ALL=") == NULL);
    free(text);

    /* another array, with what is no NAME=value; then none at all */
    char *other[] = {(char *)"", (char *)"=odd", (char *)"bare", (char *)"GONE=y", (char *)"SET", (char *)"LAST=z", NULL};
    environ = other;
    ps_command *commands[] = {plain, setting};
    static const char *const whole[] = {"\n=odd\nbare\nGONE=y\nSET\nLAST=z\n", "\n=odd\nbare\nLAST=z\nSET=by the command\nS=short\n"};
    for (int i = 0; i < 2; i++) {
        text = said_by(commands[i]);
        CHECK_STR(text, whole[i]);
        free(text);
    }
    environ = NULL;
    text = said_by(plain);
    CHECK_STR(text, "");
    free(text);
    text = said_by(setting);
    CHECK_STR(text, "SET=by the command\nS=short\n");
    free(text);
    ps_command_free(plain);
    ps_command_free(setting);
    ps_command_free(basic);
    return 0;
}
