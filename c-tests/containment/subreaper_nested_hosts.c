/* A child that is itself a procsup host and a subreaper. Its orphans are its own while it lives; when it is killed, all below it become the
   outer host's, and none survives or stays a zombie. */
/* covers: D-15 */
#include "harness.h"
#include "containment.h"

static struct escape escape;

/* The inner host: this program, executed anew. */
static int inner_host(const char *file)
{
    ps_supervisor *supervisor = supervisor_new();
    be_subreaper(supervisor, 1);
    snprintf(escape.file, sizeof escape.file, "%s", file);
    ps_command *command = helper_command("escape", "daemon", file, NULL);
    set_stdio(command, 1, PS_STDIO_PIPE, -1);
    ps_child *child = spawn_escape(supervisor, command, &escape);

    /* an orphan of its own works here as anywhere */
    struct escape own;
    ps_child *other = spawn_escape(supervisor, escaping("daemon", &own, 1), &own);
    CHECK(pump_until(supervisor, process_gone(own.pid[0]), 20000));
    ps_child_free(other);
    escape_end(&own);

    CHECK_INT(escape_survivors(&escape), 1);
    CHECK(!is_dead(pid_of(child)));
    puts("away");
    fflush(stdout);
    for (;;) {
        ps_event event = {.size = sizeof event};
        ps_supervisor_next_event(supervisor, 100, &event, NULL);
    }
}

int main(int argc, char **argv)
{
    char self[512];
    if (argc > 2)
        return inner_host(argv[2]);
    ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
    CHECK(length > 0);
    self[length] = 0;

    ps_supervisor *supervisor = supervisor_new();
    be_subreaper(supervisor, 1);
    escape_begin(&escape);
    ps_command *command = command_for(self, "inner", escape.file, NULL);
    set_stdio(command, 1, PS_STDIO_PIPE, -1);
    ps_child *host = spawn_escape(supervisor, command, &escape);
    CHECK_INT(escape_survivors(&escape), 1);
    CHECK_INT(child_count(), 1);

    /* Killed: it cannot end its own. Its child and its daemon come to us. */
    kill_and_free(host);
    CHECK(pump_until(supervisor, escape_alive(&escape) == 0, 20000));
    CHECK(pump_until(supervisor, child_count() == 0, 20000));
    ps_supervisor_free(supervisor);
    escape_end(&escape);
    return 0;
}
