/* "subprocess redirect to existing file": refused at once; if it appears while the child stands in line, the start fails; if
   it appears during the run, a success becomes that error and a failure stays itself. The file is never touched. */
/* covers: SC-12 */
#include "harness.h"
#include "supervising.h"

static char path[128];

static ps_command *writing(uint64_t name, const char *code)
{
    ps_error *error = NULL;
    ps_command *command = name_it(shell("echo said; read line; exit $1", code), name);
    set_stdio(command, 0, PS_STDIO_PIPE, -1);
    CHECK_OK(ps_command_output_file(command, path, PS_OUTPUT_REFUSE, &error), error);
    return command;
}

static void check_untouched(void)
{
    char text[64];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    CHECK(fd >= 0 && read(fd, text, sizeof text) == 6 && memcmp(text, "before", 6) == 0);
    close(fd);
}

int main(void)
{
    snprintf(path, sizeof path, "%s/output", temp_dir());
    ps_supervisor *supervisor = new_supervisor(2), *other = new_supervisor(1);
    ps_child *none = NULL, *succeeds, *fails, *waits;
    ps_error *error = NULL;
    succeeds = spawn_once(supervisor, writing(1, "0"));
    fails = spawn_once(supervisor, writing(2, "3"));
    waits = spawn_once(supervisor, writing(3, "0"));
    write_file(path, "before", 0600);
    ps_command *late = writing(4, "0");
    CHECK_STATUS(ps_spawn(other, late, &none, NULL), PS_ERR_OUTPUT_EXISTS);
    ps_command_free(late);
    ps_supervisor_free(other);
    expect(supervisor, PS_EVENT_STARTED, 1);
    expect(supervisor, PS_EVENT_STARTED, 2);

    close(pipe_end(succeeds, 0));
    ps_event ended = expect(supervisor, PS_EVENT_EXITED, 1);
    CHECK(ended.exit.code == 0 && ended.status == PS_ERR_OUTPUT_EXISTS);
    ps_event failed = expect(supervisor, PS_EVENT_FAILED, 3);
    CHECK_INT(failed.status, PS_ERR_OUTPUT_EXISTS);
    close(pipe_end(fails, 0));
    ended = expect(supervisor, PS_EVENT_EXITED, 2);
    CHECK(ended.exit.code == 3 && ended.status == PS_ERR_OUTPUT_EXISTS);
    CHECK_ERROR(ps_reap(succeeds, 0, NULL, &error), PS_ERR_OUTPUT_EXISTS, &error);
    ps_error_free(error);
    CHECK_STATUS(ps_reap(waits, 0, NULL, NULL), PS_ERR_OUTPUT_EXISTS);
    CHECK_INT(reap(fails).code, 3);
    check_untouched();
    unlink(path);
    *strrchr(path, '/') = 0;
    CHECK(rmdir(path) == 0);
    ps_child_free(succeeds);
    ps_child_free(fails);
    ps_child_free(waits);
    ps_supervisor_free(supervisor);
    return 0;
}
