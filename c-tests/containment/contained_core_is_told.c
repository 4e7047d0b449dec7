/* variants: none */
/* A contained program that dumps its core: that is told, and the core is the program's. */
#include "harness.h"
#include "contained.h"
#include "cores.h"

/* The oldest child of the init: the program, by the number that it has here. */
static pid_t program_of(ps_child *child)
{
    char path[64];
    int pid = 0;
    snprintf(path, sizeof path, "/proc/%d/task/%d/children", (int)pid_of(child), (int)pid_of(child));
    FILE *file = fopen(path, "re");
    if (!file)
        SKIP("this kernel does not list children");
    CHECK(fscanf(file, "%d", &pid) == 1);
    fclose(file);
    return pid;
}

/* A stop plan lets it dump. */
static void stopped_meanwhile(void)
{
    ps_error *error = NULL;
    ps_command *command = contained(helper_command("dump_core", "100", NULL));
    CHECK_OK(ps_command_rlimit(command, RLIMIT_CORE, UINT64_MAX, UINT64_MAX, &error), error);
    CHECK_OK(ps_command_cwd(command, core_dir, &error), error);
    CHECK_OK(ps_command_core_wait(command, 20000, &error), error);
    ps_child *child = spawn_once(NULL, command);
    pid_t program = program_of(child);
    CHECK(wait_until(is_dumping(program) || process_gone(program), 20000));
    ps_exit end = terminate(child, 0);
    CHECK(end.kind == PS_EXIT_SIGNALED && end.signal == SIGSEGV && end.core_dumped == 1);
    ps_child_free(child);
    remove_cores();
}

int main(void)
{
    need_contained();
    cores_begin();
    stopped_meanwhile();
    ps_error *error = NULL;
    ps_command *command = contained(helper_command("dump_core", "1", NULL));
    CHECK_OK(ps_command_rlimit(command, RLIMIT_CORE, UINT64_MAX, UINT64_MAX, &error), error);
    CHECK_OK(ps_command_cwd(command, core_dir, &error), error);
    ps_exit end = run_to_its_end(command);
    CHECK(end.kind == PS_EXIT_SIGNALED && end.signal == SIGSEGV);
    CHECK_INT(end.core_dumped, 1);
    int cores = 0;
    DIR *entries = opendir(core_dir);
    for (struct dirent *entry; entries && (entry = readdir(entries));)
        cores += entry->d_name[0] != '.';
    closedir(entries);
    CHECK_INT(cores, 1);
    cores_end();
    return 0;
}
