/* Faults in a supervisor of daemons that know only LISTEN_FDS and sd_notify: it starts one, asks a socket and a command for its health, has it replaced by
   one that calls another process its main one, and stops that. Each call works or says what failed, what was asked for is told of in the end, and nobody
   is left behind whom it has started. No fault hits the daemons. */
/* variants: none */
/* share: 16 */
#include "scenario.h"
#include "supervisor_scenario.h"

/* It ends by the TERM of its supervisor, or with the scenario, for which it stays although it is nobody's child. */
static void serve(const char *file)
{
    while (access(file, F_OK) == 0)
        let_others_run(5000);
    _exit(0);
}

/* A daemon: no faults here. One that "forks" goes on as a process that has left its family and its group: what it was given says whose it is. The one that
   was started stays as long as that lives, and serves itself where nothing could prove it. */
static int peer(const char *file, bool forks)
{
    int done[2], pid = 0;
    int32_t count = 0;
    char words[64];
    if (ps_listen_fds(&count, NULL) != PS_OK || count != 1 || pipe(done) != 0)
        return 2;
    if (!forks) {
        if (ps_notify("READY=1", NULL) != PS_OK)
            return 3;
        serve(file);
    }
    if (fork() == 0) {
        setsid();
        if (fork() != 0)
            _exit(0);
        pid = getpid();
        if (write(done[1], &pid, sizeof pid) == sizeof pid)
            serve(file);
        _exit(4);
    }
    close(done[1]);
    if (read(done[0], &pid, sizeof pid) != sizeof pid)
        return 5;
    snprintf(words, sizeof words, "MAINPID=%d\nREADY=1", pid);
    if (ps_notify(words, NULL) != PS_OK)
        return 6;
    return read(done[0], &pid, 1) == 0 ? 0 : 7;
}

int main(int argc, char **argv)
{
    if (argc > 3 && strcmp(argv[1], "peer") == 0)
        return strcmp(argv[3], "looks") == 0 ? 0 : peer(argv[2], strcmp(argv[3], "forks") == 0);
    ps_error *error = NULL;
    ps_handoff_supervisor *sup = NULL;
    char file[] = "/tmp/inject-notify-XXXXXX", address[64];
    int listener = listening(), life = mkstemp(file);
    CHECK(life >= 0);
    close(life);
    snprintf(address, sizeof address, "tcp:127.0.0.1:%d", port_of(listener));
    ps_command *stays = scenario_peer(file, "stays"), *forks = scenario_peer(file, "forks"), *looks = scenario_peer(file, "looks");
    second_moves = true;

    scenario_begin(argc, argv);
    if (worked(ps_handoff_supervisor_new(NULL, &sup, &error), &error)) {
        if (worked(ps_handoff_supervisor_set_protocol(sup, PS_HANDOFF_PROTOCOL_NOTIFY, &error), &error) &&
            worked(ps_handoff_supervisor_listener(sup, "http", listener, &error), &error) &&
            worked(ps_handoff_supervisor_set_restart(sup, 0, 0, &error), &error) &&
            worked(ps_handoff_supervisor_set_health(sup, PS_HEALTH_SOCKET, address, 5000, &error), &error)) {
            int32_t first = start_first(sup, stays);
            CHECK_OK(ps_handoff_supervisor_set_health_command(sup, looks, 5000, &error), error);
            replace_and_stop(sup, forks, first);
        }
        ps_handoff_supervisor_free(sup);
    }
    scenario_end();
    unlink(file);
    ps_command_free(stays);
    ps_command_free(forks);
    ps_command_free(looks);
    close(listener);
    return 0;
}
