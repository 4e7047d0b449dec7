/* Faults while a child has a sandbox, with directories in it and one without rights: a typed error and the directory as it was, or the record
   tells what could not be done and later calls do it. No descriptor is left. */
/* variants: none */
/* share: 5 */
#include "scenario.h"
#include "children.h"

/* The list of what could not be removed is made at its first use: a removal without a free descriptor. */
static void warm_up_leftovers(void)
{
    char dir[64];
    ps_error *error = NULL;
    struct rlimit limit, none;
    strcpy(dir, temp_dir());
    ps_command *command = helper_command("exit_with", "0", NULL);
    CHECK_OK(ps_command_sandbox_dir(command, dir, &error), error);
    ps_child *child = spawn_once(NULL, command);
    CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0);
    none = limit;
    none.rlim_cur = 0;
    CHECK(setrlimit(RLIMIT_NOFILE, &none) == 0);
    ps_exit ended = reap(child);
    CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
    CHECK_INT(ended.removal, PS_ERR_LIMIT);
    ps_child_free(child);
    CHECK(wait_until((warm_up(), !exists(dir)), 20000));
}

int main(int argc, char **argv)
{
    static const char *const made[] = {"/a", "/a/b", "/a/b/c", "/d"};
    char dir[64], name[128];
    ps_error *error = NULL;
    ps_child *child = NULL;
    ps_exit ended = {.size = sizeof ended};
    strcpy(dir, temp_dir());
    for (int i = 0; i < 4; i++) {
        snprintf(name, sizeof name, "%s%s", dir, made[i]);
        CHECK(mkdir(name, 0700) == 0);
    }
    snprintf(name, sizeof name, "%s/d/file", dir);
    write_file(name, "x", 0600);
    snprintf(name, sizeof name, "%s/d", dir);
    CHECK(chmod(name, 0500) == 0);
    ps_command *command = helper_command("exit_with", "0", NULL);
    CHECK_OK(ps_command_sandbox_dir(command, dir, &error), error);

    if (argc > 1 && strcmp(argv[1], "warm") == 0)
        warm_up_leftovers();
    scenario_begin(argc, argv);
    bool spawned = worked(ps_spawn(NULL, command, &child, &error), &error);
    bool reaped = spawned && worked(ps_reap(child, 20000, &ended, &error), &error);
    inject_end();
    if (spawned && !reaped)
        CHECK_OK(ps_reap(child, 20000, &ended, &error), error);
    ps_child_free(child);
    if (spawned) {
        CHECK((ended.removal == PS_OK) == (ended.removal_errno == 0));
        CHECK(ended.removal != PS_OK || !exists(dir));
        /* a directory that could not be removed is tried again by later calls, which meet no faults */
        CHECK(wait_until((warm_up(), !exists(dir)), 20000));
    }
    scenario_end();
    CHECK(spawned || exists(name));
    ps_command_free(command);
    if (exists(dir)) {
        command = helper_command("exit_with", "0", NULL);
        CHECK_OK(ps_command_sandbox_dir(command, dir, &error), error);
        reap_and_free(spawn_once(NULL, command));
        CHECK(!exists(dir));
    }
    return 0;
}
