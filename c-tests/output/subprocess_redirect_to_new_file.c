/* "subprocess redirect to new file": the output appears under its name, mode 0600, when the exit is told, also after a
   failure, and not before; also for a child that had to wait. */
/* covers: SC-11 */
#include "harness.h"
#include "supervising.h"

int main(void)
{
    char dir[64], path[128], text[64] = "";
    strcpy(dir, temp_dir());
    ps_error *error = NULL;
    ps_supervisor *supervisor = new_supervisor(1);
    for (uint64_t i = 1; i <= 3; i++) {
        snprintf(path, sizeof path, "%s/output-%d", dir, (int)i);
        ps_command *command = name_it(shell("echo said; exit $1", i == 2 ? "5" : "0"), i);
        CHECK_OK(ps_command_output_file(command, path, PS_OUTPUT_REFUSE, &error), error);
        ps_child_free(spawn_once(supervisor, command));
        CHECK(!exists(path));
    }
    for (uint64_t i = 1; i <= 3; i++) {
        expect(supervisor, PS_EVENT_STARTED, i);
        ps_event ended = expect(supervisor, PS_EVENT_EXITED, i);
        CHECK(ended.exit.code == (i == 2 ? 5 : 0) && ended.status == PS_OK);
        snprintf(path, sizeof path, "%s/output-%d", dir, (int)i);
        struct stat file;
        CHECK(stat(path, &file) == 0 && (file.st_mode & 07777) == 0600);
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        CHECK(read(fd, text, sizeof text) == 5 && memcmp(text, "said\n", 5) == 0);
        close(fd);
        unlink(path);
    }
    CHECK(rmdir(dir) == 0);
    ps_supervisor_free(supervisor);
    return 0;
}
