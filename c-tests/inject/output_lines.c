/* Faults while a child's output comes as lines, and its last bytes are kept: a spawn that worked gives all lines and one end. Only a pipe
   that cannot be read may cost lines, and then the ones that come are the first ones. */
/* variants: none */
#include "outputs.h"
#include "scenario.h"

int main(int argc, char **argv)
{
    static const char out[] = "one\n\nthree\nrest", err[] = "err\n";
    ps_error *error = NULL;
    ps_supervisor *supervisor = NULL;
    ps_child *child = NULL;
    ps_command *command = shell("printf 'one\\n\\nthree\\nrest'; echo err >&2", NULL);
    by_lines(command);
    CHECK_OK(ps_command_capture(command, 100, &error), error);
    scenario_faults("read EIO EAGAIN ENOMEM");
    scenario_faults("epoll_ctl EINTR");
    scenario_faults("fcntl EAGAIN");
    bool lossy = scenario_injected("read", "EIO") || scenario_injected("read", "EAGAIN") || scenario_injected("read", "ENOMEM");
    said all = {.over = false};
    said_append(&all, 1, "", 0);
    said_append(&all, 2, "", 0);
    for (int stream = 1; stream <= 2; stream++) { /* no memory for what was said while faults may hit */
        all.cap[stream] = 4096;
        all.bytes[stream] = realloc(all.bytes[stream], 4096);
    }

    scenario_begin(argc, argv);
    if (worked(ps_supervisor_new(&supervisor, &error), &error)) {
        if (worked(ps_spawn(supervisor, command, &child, &error), &error)) {
            for (int turn = 0; turn < 40 && !all.over; turn++) {
                ps_event event = {.size = sizeof event};
                if (worked(ps_supervisor_next_event(supervisor, 5000, &event, &error), &error))
                    CHECK(said_note(&all, supervisor, &event));
            }
            CHECK(all.over);
            CHECK(all.exit.kind == PS_EXIT_EXITED && all.exit.code == 0);
            CHECK(all.length[1] < sizeof out && memcmp(all.bytes[1], out, all.length[1]) == 0);
            CHECK(all.length[2] < sizeof err && memcmp(all.bytes[2], err, all.length[2]) == 0);
            CHECK(lossy || (all.length[1] == sizeof out - 1 && all.length[2] == sizeof err - 1));
            char kept[100];
            size_t needed = 0;
            CHECK(worked(ps_child_output(child, kept, sizeof kept, &needed, &error), &error));
            CHECK(lossy ? needed < sizeof out + sizeof err - 1 : needed == sizeof out + sizeof err - 2);
        }
        ps_supervisor_free(supervisor);
        ps_child_free(child);
    }
    scenario_end();
    said_free(&all);
    ps_command_free(command);
    return 0;
}
