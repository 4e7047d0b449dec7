/*
 * Generations of a service's user below a supervisor that is root, as by a unit with User=: they are started, replaced, found again and ended. Of a supervisor
 * of the same user all is as among themselves. And one of a user to whom they owe nothing hears so, whether the path lets it in or not, and changes nothing.
 */
/* covers: C16-1, S10, D1.4 */
/* variants: none: what a filter takes away is shown by the tests of one user */
/* as-root */
#include "supervised.h"

#include <grp.h>

enum { USER = 54321, OTHER = 54322 };

static ps_command *of_user(void)
{
    ps_command *command = helper_command("native_server", scene.dir, NULL);
    ps_error *error = NULL;
    CHECK_OK(ps_command_credentials(command, USER, USER, NULL, 0, &error), error);
    return command;
}

/* A supervisor that has found the generation gives up its rights, and is to end it. */
static ps_status ended_by(uid_t user)
{
    pid_t pid = fork();
    int status;
    CHECK(pid >= 0);
    if (pid == 0) {
        ps_handoff_supervisor *own = NULL;
        if (ps_handoff_supervisor_new(scene.control, &own, NULL) != PS_OK || ps_handoff_supervisor_recover(own, NULL) != PS_OK)
            _exit(1);
        if (setgroups(0, NULL) != 0 || setresgid(user, user, user) != 0 || setresuid(user, user, user) != 0)
            _exit(2);
        ps_status stopped = ps_handoff_supervisor_stop(own, 0, NULL);
        ps_handoff_supervisor_free(own);
        _exit(stopped == PS_OK ? 100 : -stopped);
    }
    CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) > 2);
    return -WEXITSTATUS(status);
}

/* What a supervisor of this user finds, in a process of its own. */
static ps_status found_by(uid_t user)
{
    pid_t pid = fork();
    int status;
    CHECK(pid >= 0);
    if (pid == 0) {
        ps_handoff_supervisor *own = NULL;
        int32_t owner = 0;
        if (setgroups(0, NULL) != 0 || setresgid(user, user, user) != 0 || setresuid(user, user, user) != 0)
            _exit(1);
        if (ps_handoff_supervisor_new(scene.control, &own, NULL) != PS_OK)
            _exit(2);
        ps_status found = ps_handoff_supervisor_recover(own, NULL);
        if (found == PS_OK && ps_handoff_supervisor_owner(own, &owner, NULL, NULL) != PS_OK)
            _exit(3);
        ps_handoff_supervisor_free(own);
        _exit(found == PS_OK ? 100 : -found);
    }
    CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) > 3);
    return WEXITSTATUS(status) == 100 ? PS_OK : -WEXITSTATUS(status);
}

int main(void)
{
    ps_error *error = NULL;
    scene_begin();
    CHECK(chown(scene.dir, USER, USER) == 0 && chmod(scene.dir, 0755) == 0);
    sup_new();
    ps_command *command = of_user();
    CHECK_OK(ps_handoff_supervisor_start(sup, command, &error), error);
    pid_t owner = expect(STARTED)->pid;
    CHECK_INT(expect(SERVING)->pid, owner);
    answered_by(owner);
    for (int i = 0; i < 2; i++) {
        CHECK_OK(ps_handoff_supervisor_replace(sup, command, 0, 0, &error), error);
        pid_t new = expect(STARTED)->pid;
        CHECK_INT(expect(COMMITTED)->pid, new);
        CHECK_INT(expect(SERVING)->pid, new);
        answered_by(new);
        owner = new;
    }

    /* A supervisor that comes later knows of nobody. */
    ps_handoff_supervisor_free(sup);
    sup_new();
    CHECK_OK(ps_handoff_supervisor_recover(sup, &error), error);
    CHECK_INT(expect(SERVING)->pid, owner);
    CHECK_OK(ps_handoff_supervisor_replace(sup, command, 0, 0, &error), error);
    pid_t new = expect(STARTED)->pid;
    CHECK_INT(expect(COMMITTED)->pid, new);
    CHECK_INT(expect(SERVING)->pid, new);
    answered_by(new);

    CHECK_INT(found_by(USER), PS_OK);
    CHECK_INT(found_by(OTHER), PS_ERR_PEER_REJECTED); /* by the path */
    CHECK(chmod(scene.control, 0666) == 0);
    CHECK_INT(found_by(OTHER), PS_ERR_PEER_REJECTED); /* by the owner */
    CHECK_INT(ended_by(OTHER), PS_ERR_PERMISSION);
    quiet();
    goes_on();

    CHECK_OK(ps_handoff_supervisor_stop(sup, -1, &error), error);
    CHECK_INT(expect(STOPPED)->pid, new);
    ps_command_free(command);
    scene.asks = false;
    scene_end();
    return 0;
}
