/* variants: none (it puts itself under filters of its own) */
/* Without Landlock in the kernel the spawn is refused as not supported, before anything is made; without the rule nothing is asked. */
#include "harness.h"
#include "landlocked.h"

static void behave(void)
{
    ps_error *error = NULL;
    ps_child *child = spawn_once(NULL, exiting("3"));
    CHECK_INT(reap(child).code, 3);
    ps_child_free(child);
    ps_command *command = exiting("0");
    allow(command, "/", PS_ALLOW_READ | PS_ALLOW_EXECUTE);
    CHECK_OK(ps_command_output_file(command, "/tmp/procsup-never-made", PS_OUTPUT_REFUSE, &error), error);
    error = spawn_fails(command, PS_ERR_UNSUPPORTED);
    CHECK_STR(ps_error_step(error), PS_STEP_LANDLOCK_CREATE_RULESET);
    CHECK(ps_error_errno(error) != 0);
    ps_error_free(error);
    ps_command_free(command);
    CHECK(has_no_child() && ps_live_count() == 0);
}

int main(int argc, char **argv)
{
    if (argc > 1) {
        behave();
        return 0;
    }
    static const char *const rules[] = {"landlock_create_ruleset=ENOSYS", "landlock_create_ruleset=EOPNOTSUPP", "landlock_create_ruleset=EPERM"};
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        pid_t pid = fork();
        if (pid == 0) {
            execl(helper_path("without"), "without", rules[i], "--", argv[0], "filtered", (char *)NULL);
            _exit(1);
        }
        int status = wait_for(pid);
        if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
            SKIP("no filter can be installed here");
        CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    }
    return 0;
}
