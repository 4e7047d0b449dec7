/* A command that says what its stream is where that is to be a pipe, or that is to be started again, is refused by name before anything is
   started; in another place it is right. And so are no commands, and no place for the children. */
/* variants: none */
#include "harness.h"
#include "piping.h"

static const char *file;
static ps_error *error;

static void input(ps_command *command) { CHECK_OK(ps_command_input(command, "x", 1, &error), error); }
static void input_stream(ps_command *command) { fed(command, 10); }
static void stdio_0(ps_command *command) { set_stdio(command, 0, PS_STDIO_NULL, -1); }
static void stdio_1(ps_command *command) { set_stdio(command, 1, PS_STDIO_PIPE, -1); }
static void pass_0(ps_command *command) { CHECK_OK(ps_command_pass_fd(command, 2, 0, &error), error); }
static void pass_1(ps_command *command) { CHECK_OK(ps_command_pass_fd(command, 2, 1, &error), error); }
static void output(ps_command *command) { CHECK_OK(ps_command_output_file(command, file, PS_OUTPUT_REPLACE, &error), error); }
static void restart(ps_command *command) { restarting(command, PS_RESTART_ALWAYS, 1, 1); }

static const struct {
    void (*say)(ps_command *command);
    const char *step;
    int stream; /* -1: refused everywhere */
} wrong[] = {{input, "input", 0},   {input_stream, "input_stream", 0}, {stdio_0, "stdio", 0},       {pass_0, "pass_fd", 0},   {stdio_1, "stdio", 1},
             {pass_1, "pass_fd", 1}, {output, "output_file", 1}, {restart, "restart", -1}};

int main(void)
{
    warm_up();
    char path[96];
    const char *dir = temp_dir();
    snprintf(path, sizeof path, "%s/out", dir);
    file = path;
    ps_command *plain = helper_command("nothing", NULL);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        ps_command *command = helper_command("nothing", NULL);
        wrong[i].say(command);
        for (int place = 0; place < 3; place++) {
            const ps_command *commands[3] = {plain, plain, plain};
            commands[place] = command;
            if (wrong[i].stream == -1 || (wrong[i].stream == 0 ? place > 0 : place < 2)) {
                error = pipeline_fails(NULL, commands, 3, PS_ERR_INVALID_ARGUMENT);
                CHECK_STR(ps_error_step(error), wrong[i].step);
                char expected[16];
                snprintf(expected, sizeof expected, "commands[%d]", place);
                CHECK(strncmp(ps_error_message(error), expected, strlen(expected)) == 0);
                ps_error_free(error);
                error = NULL;
            } else {
                ps_child *child[3];
                CHECK_OK(ps_spawn_pipeline(NULL, commands, 3, child, &error), error);
                for (int c = 0; c < 3; c++)
                    reap_and_free(child[c]);
            }
        }
        ps_command_free(command);
    }
    const ps_command *two[] = {plain, plain}, *bad[] = {plain, NULL};
    ps_child *child[2];
    ps_error_free(pipeline_fails(NULL, two, 0, PS_ERR_INVALID_ARGUMENT));
    ps_error_free(pipeline_fails(NULL, NULL, 0, PS_ERR_INVALID_ARGUMENT));
    ps_error_free(pipeline_fails(NULL, NULL, 1, PS_ERR_INVALID_ARGUMENT));
    ps_error_free(pipeline_fails(NULL, NULL, 2, PS_ERR_INVALID_ARGUMENT));
    ps_error_free(pipeline_fails(NULL, bad, 2, PS_ERR_BAD_HANDLE));
    CHECK_STATUS(ps_spawn_pipeline(NULL, two, 2, NULL, NULL), PS_ERR_INVALID_ARGUMENT);
    CHECK_STATUS(ps_spawn_pipeline((ps_supervisor *)plain, two, 2, child, NULL), PS_ERR_BAD_HANDLE);
    ps_error_free(pipeline_fails(NULL, two, SIZE_MAX, PS_ERR_INVALID_ARGUMENT));
    CHECK_STATUS(ps_command_output_lines((ps_command *)plain, 1, NULL), PS_OK);
    ps_error_free(pipeline_fails(NULL, two, 2, PS_ERR_INVALID_ARGUMENT)); /* nobody would take the lines */
    CHECK(has_no_child());
    ps_command_free(plain);
    unlink(path);
    CHECK(rmdir(dir) == 0);
    return 0;
}
