/* What was said with ps_command_session stands in args.json and in args/, each of its type, with what goes without saying; what is the host's own is not
   told, and what is confidential stands in no report. All that is wrong is told at once. Scenario 7.4 9 of the reference. */
/* covers: PA-3, PA-9, PA-13, PA-14, PA-17, PA-26, PA-27 */
/* variants: few */
#include "scripted.h"

static void refuses(ps_command *command, const char *name, const char *value)
{
    ps_error *error = NULL;
    CHECK_ERROR(ps_command_session(command, name, value, &error), PS_ERR_INVALID_ARGUMENT, &error);
    ps_error_free(error);
}

int main(void)
{
    ps_command *command = script("cd $W/args; for f in mine log_level preload_bundler nothing list.json UNIX_PATH_MAX base_uri; do echo \"$f=$(cat $f)\"; done;"
                                 "ls spawn_dir start_port_min 2>/dev/null; grep -c '\"mine\":\"it is\"' ../args.json; cat environment_variables.json");
    char name[] = "mine", value[] = "it is"; /* copied: theirs to change at once */
    say_argument(command, name, value);
    memset(name, 'x', sizeof name - 1), memset(value, 'x', sizeof value - 1);
    say_argument(command, "log_level", "5");
    say_argument(command, "preload_bundler", "true");
    say_argument(command, "nothing.json", "null");
    say_argument(command, "list.json", "[1,{\"a\":true}]");
    say_argument(command, "start_port_min", "6000");
    say_argument(command, "environment_variables", "QQBzZWNyZXQA"); /* A=secret */
    refuses(command, "../x", "y");
    refuses(command, "log_level", "much");
    refuses(command, "preload_bundler", "yes");
    refuses(command, "list.json", "[1");
    ps_worker *worker = direct(NULL, command);
    ps_child *child = child_of(worker);
    char *said = said_by(child);
    CHECK_STR(said, "mine=it is\nlog_level=5\npreload_bundler=true\nnothing=\nlist.json=[1,{\"a\":true}]\nUNIX_PATH_MAX=107\nbase_uri=/\n"
                    "1\n{\"A\":\"secret\"}");
    free(said);
    end(worker);

    say_argument(command, "app_env", "");
    say_argument(command, "base_uri", "");
    say_argument(command, "spawn_method", "sideways");
    say_argument(command, "file_descriptor_ulimit", "-1");
    say_argument(command, "socket_dir", "/a-directory-of-sockets-whose-name-is-so-long-that-every-loader-would-cut-it");
    ps_error *error = fails(NULL, command, PATIENCE_MS, PS_ERR_INVALID_ARGUMENT);
    CHECK(says(error, "app_env is empty") && says(error, "base_uri is empty") && says(error, "spawn_method is \"sideways\"") && says(error, "file_descriptor_ulimit is -1"));
    CHECK(says(error, "socket_dir has 76 bytes") && says(error, "98 bytes"));
    for (int32_t format = PS_RENDER_TEXT; format <= PS_RENDER_HTML; format++) {
        char *text = text_of(error, format);
        CHECK(!strstr(text, "secret"));
        free(text);
    }
    ps_error_free(error);
    ps_command_free(command);
    NOTHING_IS_LEFT();
    return 0;
}
