/* variants: none */
/* A contained program that dumps its core: that is told, and the core is the program's. */
#include "harness.h"
#include "contained.h"
#include "cores.h"

int main(void)
{
    need_contained();
    cores_begin();
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
