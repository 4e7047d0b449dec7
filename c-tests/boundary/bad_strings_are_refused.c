/* NULL, empty and impossible strings: INVALID_ARGUMENT from the setter, not a surprise at the spawn. */
/* covers: RP-39 */
#include "harness.h"
#include "children.h"

int main(void)
{
    ps_command *command = (ps_command *)(uintptr_t)0x5a5a;
    CHECK_STATUS(ps_command_new(NULL, &command, NULL), PS_ERR_INVALID_ARGUMENT);
    CHECK_STATUS(ps_command_new("", &command, NULL), PS_ERR_INVALID_ARGUMENT);
    const char *const no_lines[] = {NULL, "", " \t\n", "# a comment", "''", "a 'b", "a \"b", "a \"b\\", "\\\n"};
    for (size_t i = 0; i < sizeof no_lines / sizeof *no_lines; i++)
        CHECK_STATUS(ps_command_parse(no_lines[i], &command, NULL), PS_ERR_INVALID_ARGUMENT);
    CHECK(command == (ps_command *)(uintptr_t)0x5a5a);
    CHECK_STATUS(ps_command_new("x", NULL, NULL), PS_ERR_INVALID_ARGUMENT);

    command = exiting("0");
    CHECK_STATUS(ps_command_arg(command, NULL, NULL), PS_ERR_INVALID_ARGUMENT);
    CHECK_STATUS(ps_command_args(command, NULL, NULL), PS_ERR_INVALID_ARGUMENT);
    CHECK_STATUS(ps_command_arg0(command, NULL, NULL), PS_ERR_INVALID_ARGUMENT);
    CHECK_STATUS(ps_command_env(command, NULL, "x", NULL), PS_ERR_INVALID_ARGUMENT);
    CHECK_STATUS(ps_command_env(command, NULL, NULL, NULL), PS_ERR_INVALID_ARGUMENT);
    CHECK_STATUS(ps_command_env(command, "", "x", NULL), PS_ERR_INVALID_ARGUMENT);
    CHECK_STATUS(ps_command_env(command, "A=B", "x", NULL), PS_ERR_INVALID_ARGUMENT);
    CHECK_STATUS(ps_command_env(command, "=", "x", NULL), PS_ERR_INVALID_ARGUMENT);
    CHECK_STATUS(ps_command_cwd(command, NULL, NULL), PS_ERR_INVALID_ARGUMENT);
    CHECK_STATUS(ps_command_cwd(command, "", NULL), PS_ERR_INVALID_ARGUMENT);
    CHECK_STATUS(ps_command_sandbox_dir(command, NULL, NULL), PS_ERR_INVALID_ARGUMENT);
    CHECK_STATUS(ps_command_sandbox_dir(command, "", NULL), PS_ERR_INVALID_ARGUMENT);
    CHECK_STATUS(ps_command_listen_fd(command, 2, "a:b", NULL), PS_ERR_INVALID_ARGUMENT); /* the list is separated by colons */
    static const char *const none[] = {NULL};
    CHECK_STATUS(ps_command_args(command, none, NULL), PS_OK);
    reap_and_free(spawn_once(NULL, command));

    ps_budget *budget = NULL;
    ps_budget_state state = {.size = sizeof state};
    uint64_t permit = 0;
    static char text[4098];
    memset(text, 'k', sizeof text - 1);
    CHECK_STATUS(ps_budget_new(0, 0, &budget, NULL), PS_OK);
    const char *const bad[] = {NULL, text};
    for (int i = 0; i < 2; i++) {
        CHECK_STATUS(ps_budget_begin(budget, bad[i], &permit, NULL), PS_ERR_INVALID_ARGUMENT);
        CHECK_STATUS(ps_budget_reset(budget, bad[i], NULL), PS_ERR_INVALID_ARGUMENT);
        CHECK_STATUS(ps_budget_snapshot(budget, bad[i], &state, NULL), PS_ERR_INVALID_ARGUMENT);
    }
    text[4096] = 0; /* as long as a key may be */
    CHECK_STATUS(ps_budget_begin(budget, text, &permit, NULL), PS_OK);
    CHECK_STATUS(ps_budget_begin(budget, "", &permit, NULL), PS_OK);
    ps_budget_free(budget);

    ps_spawn_lock *lock = NULL;
    const char *const no_files[] = {NULL, "", "/", ".", "..", "/tmp/", "/tmp/..", "/tmp/a/"};
    for (size_t i = 0; i < sizeof no_files / sizeof *no_files; i++) {
        CHECK_STATUS(ps_spawn_lock_acquire(no_files[i], 0, &lock, NULL), PS_ERR_INVALID_ARGUMENT);
        CHECK_STATUS(ps_spawn_lock_begin(no_files[i], 0, &lock, NULL), PS_ERR_INVALID_ARGUMENT);
    }
    CHECK(lock == NULL);
    return 0;
}
