/* A program that cannot be executed is told by an event, and by every wait, with the status, step and errno that ps_spawn would have given; what is
   known here is refused at once. Nothing is left of any of them. */
/* covers: C15-5, LAW-12 */
/* variants: few */
#include "harness.h"
#include "spawning.h"

static ps_supervisor *supervisor;
static ps_error *error;

static void fails(ps_command *command, ps_status expected, const char *step, int number)
{
    for (int by_event = 0; by_event < 2; by_event++) {
        ps_child *child = spawn(supervisor, command);
        if (by_event) {
            ps_event event = expect(supervisor, PS_EVENT_FAILED, 0);
            CHECK_INT(event.status, expected);
            CHECK_INT(event.pid, 0);
        }
        CHECK_ERROR(ps_reap(child, PATIENCE_MS, NULL, &error), expected, &error);
        CHECK_STR(ps_error_step(error), step);
        CHECK_INT(ps_error_errno(error), number);
        ps_error_free(error), error = NULL;
        CHECK_ERROR(ps_wait_ready(child, 0, &error), expected, &error);
        ps_error_free(error), error = NULL;
        CHECK_INT(state_of(child), PS_STATE_CANCELLED);
        if (!by_event)
            expect(supervisor, PS_EVENT_FAILED, 0);
        ps_child_free(child);
    }
    ps_command_free(command);
    CHECK(wait_until((ps_supervisor_counts(supervisor, NULL, NULL, NULL, NULL), only_the_spawner_is_left()), 20000));
}

int main(void)
{
    char path[] = "/tmp/procsup-no-program-XXXXXX";
    warm_up();
    leak_guard guard = leak_guard_begin();
    supervisor = spawner_supervisor();
    fails(command_for("/no/such/program", NULL), PS_ERR_NOT_FOUND, "exec", ENOENT);
    fails(command_for("no-such-program-anywhere", NULL), PS_ERR_NOT_FOUND, "exec", ENOENT);
    int file = mkstemp(path);
    CHECK(file >= 0 && write(file, "no program", 10) == 10);
    fails(command_for(path, NULL), PS_ERR_PERMISSION, "exec", EACCES);
    CHECK(fchmod(file, 0755) == 0);
    fails(command_for(path, NULL), PS_ERR_SYSTEM, "exec", ETXTBSY);
    close(file);
    fails(command_for(path, NULL), PS_ERR_SYSTEM, "exec", ENOEXEC);
    unlink(path);
    ps_command *command = exiting("0");
    CHECK_OK(ps_command_cwd(command, "/no/such/directory", &error), error);
    fails(command, PS_ERR_NOT_FOUND, "chdir", ENOENT);
    if (geteuid() != 0) {
        command = exiting("0");
        CHECK_OK(ps_command_nice(command, -20, &error), error);
        fails(command, PS_ERR_PERMISSION, "nice", EACCES);
    }

    /* What is known here. */
    int pair[2];
    ps_child *child = NULL;
    CHECK(pipe2(pair, O_CLOEXEC) == 0);
    command = exiting("0");
    CHECK_OK(ps_command_pass_fd(command, pair[0], 7, &error), error);
    close(pair[0]), close(pair[1]);
    CHECK_ERROR(ps_spawn(supervisor, command, &child, &error), PS_ERR_INVALID_ARGUMENT, &error);
    ps_error_free(error), error = NULL;
    ps_command_free(command);
    /* More descriptors than one message can carry. */
    command = exiting("0");
    for (int number = 10; number < 300; number++)
        CHECK_OK(ps_command_pass_fd(command, 2, number, &error), error);
    ps_status status = ps_spawn(supervisor, command, &child, &error);
    if (status == PS_OK) { /* they are one and the same here */
        reap_and_free(child);
    } else {
        CHECK_INT(status, PS_ERR_LIMIT);
        ps_error_free(error), error = NULL;
    }
    ps_command_free(command);
    ps_supervisor_free(supervisor);
    leak_guard_end(&guard);
    return 0;
}
