/* Arguments are passed byte for byte: empty ones, blanks, quotes, newlines, no UTF-8; arg0 is what the caller says. */
/* covers: SC-14, RP-39 */
#include "harness.h"
#include "children.h"

int main(void)
{
    ps_error *error = NULL;
    static const char *const list[] = {"two", "", "a b", NULL};
    ps_command *command = helper_command("show_args", "one", NULL);
    CHECK_OK(ps_command_args(command, list, &error), error);
    CHECK_OK(ps_command_arg(command, "'\"$HOME\\ \xff\xfe", &error), error);
    CHECK_OK(ps_command_arg0(command, "-renamed", &error), error);
    CHECK(output_is(command, "-renamed\none\ntwo\n\na b\n'\"$HOME\\ \xff\xfe\n"));

    /* by default it is the program as it was named */
    command = helper_command("show_args", NULL);
    char expected[600];
    snprintf(expected, sizeof expected, "%s\n", helper_path("show_args"));
    CHECK(output_is(command, expected));
    return 0;
}
