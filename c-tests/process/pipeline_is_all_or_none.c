/* Whichever cannot be started: the error names it and its step, nothing is left, what the commands own is theirs again, and they work
   as soon as they can. */
/* variants: tiers */
#include "harness.h"
#include "piping.h"

int main(void)
{
    warm_up();
    const char *dir = temp_dir();
    char missing[96], box[96], file[96], expected[32];
    snprintf(missing, sizeof missing, "%s/program", dir);
    snprintf(box, sizeof box, "%s/box", dir);
    snprintf(file, sizeof file, "%s/out", dir);
    ps_error *error = NULL;
    leak_guard guard = leak_guard_begin();
    for (int bad = 0; bad < 4; bad++) {
        CHECK(mkdir(box, 0700) == 0);
        ps_command *commands[4];
        int owned[2];
        for (int i = 0; i < 4; i++)
            commands[i] = i == bad ? command_for(missing, NULL) : helper_command("echo_fd", "0", NULL);
        CHECK(pipe2(owned, O_CLOEXEC) == 0);
        set_stdio(commands[0], 0, PS_STDIO_NULL, -1);
        CHECK_OK(ps_command_sandbox_dir(commands[1], box, &error), error);
        CHECK_OK(ps_command_own_fd(commands[2], owned[1], &error), error);
        CHECK_OK(ps_command_output_file(commands[3], file, PS_OUTPUT_REFUSE, &error), error);
        error = pipeline_fails(NULL, (const ps_command *const *)commands, 4, PS_ERR_NOT_FOUND);
        snprintf(expected, sizeof expected, "commands[%d]: ", bad);
        CHECK(strncmp(ps_error_message(error), expected, strlen(expected)) == 0);
        CHECK_STR(ps_error_step(error), "exec");
        CHECK_INT(ps_error_errno(error), ENOENT);
        ps_error_free(error);
        error = NULL;
        CHECK(has_no_child());
        CHECK_INT(ps_live_count(), 0);
        CHECK(exists(box) && !exists(file));
        CHECK_INT(fcntl(owned[1], F_GETFD), FD_CLOEXEC);

        CHECK(symlink(helper_path("echo_fd"), missing) == 0);
        ps_command *again = command_for(missing, "0", NULL);
        if (bad == 0)
            set_stdio(again, 0, PS_STDIO_NULL, -1);
        ps_command_free(commands[bad]);
        commands[bad] = again;
        ps_child *child[4];
        CHECK_OK(ps_spawn_pipeline(NULL, (const ps_command *const *)commands, 4, child, &error), error);
        for (int i = 0; i < 4; i++)
            reap_and_free(child[i]);
        CHECK(bad == 1 || !exists(box));
        CHECK(bad == 2 || fcntl(owned[1], F_GETFD) < 0);
        CHECK(bad == 3 || unlink(file) == 0);
        for (int i = 0; i < 4; i++)
            ps_command_free(commands[i]); /* closes what it still owns */
        close(owned[0]);
        rmdir(box);
        CHECK(unlink(missing) == 0);
    }
    leak_guard_end(&guard);
    CHECK(rmdir(dir) == 0);
    return 0;
}
