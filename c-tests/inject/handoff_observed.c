/* Faults in a generation that is observed: who observes is served or sent away, the owner never notices, and when the faults are over the next one that
   comes is shown everything. */
/* variants: none */
/* share: 11 */
#include "handoff_scenario.h"
#include "observers.h"

/* The observer: no faults here. `strictly`: it must be shown what there is. */
static int observes(bool strictly)
{
    struct observer w = observe();
    int got = listens(&w, strictly ? PATIENCE_MS : 1500);
    if (got != O_ESTATE) {
        observer_end(&w);
        return strictly ? 3 : 0;
    }
    acknowledges(&w, 0);
    expects(&w, getpid(), w.process, 1000, 0); /* no child of its own */
    while (listens(&w, 1500) > 0 && w.type != O_NAK) {
    }
    calls_off(&w, 1);
    while (listens(&w, 1500) > 0 && w.type != O_NAK) {
    }
    observer_end(&w);
    return strictly && w.refusal != NAK_LATE ? 4 : 0;
}

static int told[2];

/* It is nobody's child, so that neither faults nor counts are of it. Its result comes by the pipe. */
static void start_observer(bool strictly)
{
    fflush(NULL);
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        char result = 0;
        if (fork() != 0)
            _exit(0);
        result = (char)observes(strictly);
        _exit(write(told[1], &result, 1) != 1);
    }
    CHECK(waitpid(pid, NULL, 0) == pid);
}

/* Looks after the handoff until the observer has gone; it is told nothing for it. */
static void serve(ps_handoff *handoff, ps_error **error)
{
    char result = -1;
    struct pollfd end = {.fd = told[0], .events = POLLIN};
    for (int64_t until = now_ms() + PATIENCE_MS; poll(&end, 1, 0) != 1;) {
        ps_handoff_event event = {.size = sizeof event};
        CHECK(now_ms() < until);
        if (worked(ps_handoff_next_event(handoff, 20, &event, error), error))
            CHECK_INT(event.kind, PS_HANDOFF_PATH_CHANGED); /* a look that was spoiled */
    }
    while (read(told[0], &result, 1) != 1)
        CHECK_INT(errno, EINTR);
    CHECK_INT(result, 0);
    /* The end of its channel stands behind what it has said: within three looks it was read. */
    for (int i = 0; i < 3; i++) {
        ps_handoff_event event = {.size = sizeof event};
        if (worked(ps_handoff_next_event(handoff, 20, &event, error), error))
            CHECK_INT(event.kind, PS_HANDOFF_PATH_CHANGED);
    }
}

int main(int argc, char **argv)
{
    ps_error *error = NULL;
    ps_handoff *handoff = NULL;
    ps_handoff_event event = {.size = sizeof event};
    place_new();
    strcpy(stage.path, control_path);
    CHECK(pipe2(told, O_CLOEXEC) == 0);
    CHECK_OK(ps_handoff_new(control_path, &handoff, &error), error);
    CHECK_OK(ps_handoff_set_fd(handoff, "one", 0, &error), error);
    CHECK_OK(ps_handoff_next_event(handoff, 0, &event, &error), error);
    CHECK_OK(ps_handoff_live(handoff, &error), error);
    start_observer(true); /* what a first one needs for good */
    serve(handoff, &error);
    start_observer(false); /* waits in the line of the socket */
    scenario_no_child();
    scenario_keeps(4); /* what is set aside, and what stands in line */
    scenario_begin(argc, argv);
    serve(handoff, &error);
    inject_end();
    start_observer(true);
    serve(handoff, &error);
    scenario_end();
    ps_handoff_free(handoff);
    place_end();
    return 0;
}
