/* Strings that come with their length: no NUL is needed behind them, an empty one is one whatever its pointer, and one that holds a NUL is
   refused with its offset instead of being cut there. */
/* variants: few */
#include "harness.h"
#include "children.h"

#include <sys/mman.h>

/* The bytes at the very end of the memory that there is: who looks for a NUL behind them dies of it. */
static const char *at_the_edge(const char *text)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE), length = strlen(text);
    char *pages = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(pages != MAP_FAILED && mprotect(pages + page, page, PROT_NONE) == 0);
    return memcpy(pages + page - length, text, length);
}

#define REFUSED(call, parameter, offset)                                                                                           \
    do {                                                                                                                           \
        ps_error *refused_ = NULL;                                                                                                 \
        CHECK_ERROR(call, PS_ERR_INVALID_ARGUMENT, &refused_);                                                                     \
        CHECK_STR(ps_error_step(refused_), parameter);                                                                             \
        CHECK(strstr(ps_error_message(refused_), "offset " offset) != NULL);                                                       \
        ps_error_free(refused_);                                                                                                   \
    } while (0)

int main(void)
{
    ps_error *error = NULL;
    ps_command *command = NULL, *untouched = (ps_command *)(uintptr_t)0x5a5a;
    const char *program = helper_path("show_env");
    setenv("GONE", "1", 1);
    CHECK_OK(ps_command_new_bytes(at_the_edge(program), strlen(program), &command, &error), error);
    CHECK_OK(ps_command_env_base(command, PS_ENV_CLEAR, &error), error);
    CHECK_OK(ps_command_env_bytes(command, at_the_edge("NAME"), 4, at_the_edge("value=1"), 7, &error), error);
    CHECK_OK(ps_command_env_bytes(command, "PART_of_it", 4, "val", 1, &error), error);
    CHECK_OK(ps_command_env_bytes(command, "EMPTY", 5, NULL, 0, &error), error);
    CHECK_OK(ps_command_env_bytes(command, "REMOVED", 7, "x", 1, &error), error);
    CHECK_OK(ps_command_env_bytes(command, "REMOVED", 7, NULL, SIZE_MAX, &error), error);
    REFUSED(ps_command_env_bytes(command, "A\0B", 3, "x", 1, &refused_), "name", "1");
    REFUSED(ps_command_env_bytes(command, "A", 1, "x\0", 2, &refused_), "value", "1");
    CHECK_STATUS(ps_command_env_bytes(command, NULL, 0, "x", 1, NULL), PS_ERR_INVALID_ARGUMENT); /* an empty name is none */
    CHECK_STATUS(ps_command_env_bytes(command, "A=B", 3, "x", 1, NULL), PS_ERR_INVALID_ARGUMENT);
    CHECK_STATUS(ps_command_env_bytes(command, "A", 1, NULL, 1, NULL), PS_ERR_INVALID_ARGUMENT);
    CHECK(output_is(command, "NAME=value=1\nPART=v\nEMPTY=\n"));

    command = helper_command("show_args", NULL);
    CHECK_OK(ps_command_arg_bytes(command, at_the_edge("one two"), 7, &error), error);
    CHECK_OK(ps_command_arg_bytes(command, NULL, 0, &error), error);
    CHECK_OK(ps_command_arg_bytes(command, "", 0, &error), error);
    REFUSED(ps_command_arg_bytes(command, "12345\0", 6, &refused_), "data", "5");
    REFUSED(ps_command_arg_bytes(command, "\0", 1, &refused_), "data", "0");
    CHECK_STATUS(ps_command_arg_bytes(command, NULL, 3, NULL), PS_ERR_INVALID_ARGUMENT);
    CHECK_STATUS(ps_command_arg_bytes(command, "x", SIZE_MAX, NULL), PS_ERR_INVALID_ARGUMENT);
    char *text = output_of(command);
    ps_command *plain = helper_command("show_args", "one two", "", "", NULL);
    CHECK(output_is(plain, text));
    free(text);

    command = command_for("/bin/pwd", NULL);
    CHECK_OK(ps_command_cwd_bytes(command, at_the_edge("/usr"), 4, &error), error);
    REFUSED(ps_command_cwd_bytes(command, "/\0bin", 5, &refused_), "dir", "1");
    CHECK_STATUS(ps_command_cwd_bytes(command, NULL, 0, NULL), PS_ERR_INVALID_ARGUMENT);
    CHECK(output_is(command, "/usr\n"));

    command = untouched;
    REFUSED(ps_command_new_bytes("/bin/true\0", 10, &command, &refused_), "program", "9");
    CHECK_STATUS(ps_command_new_bytes("", 0, &command, NULL), PS_ERR_INVALID_ARGUMENT);
    CHECK_STATUS(ps_command_new_bytes(NULL, 0, &command, NULL), PS_ERR_INVALID_ARGUMENT);
    CHECK_STATUS(ps_command_new_bytes("x", 1, NULL, NULL), PS_ERR_INVALID_ARGUMENT);
    CHECK(command == untouched);
    return 0;
}
