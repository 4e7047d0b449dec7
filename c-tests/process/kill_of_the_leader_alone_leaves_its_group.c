/* What a Popen of CPython (send_signal, terminate, kill, with process_group=0 or start_new_session=True) and a Child of tokio (kill, with
   process_group(0)) do: a signal is the leader's alone, a kill ends it and nobody else, its group keeps its pipe open and goes on; and to one that has
   ended nothing is sent, whoever has reaped it. */
/* variants: few */
#include "harness.h"
#include "crew.h"

/* Popen.send_signal(): one that has ended is looked at first, and is no error. */
static bool send_signal(ps_child *child, int number)
{
    ps_error *error = NULL;
    ps_exit end = {.size = sizeof end};
    ps_status status = ps_reap_nonblock(child, &end, &error);
    if (status == PS_PENDING)
        status = ps_signal_process(child, number, &error);
    else
        CHECK_OK(status, error);
    CHECK(status == PS_OK || status == PS_ERR_EXITED);
    ps_error_free(error);
    return end.ended_ns == 0;
}

int main(void)
{
    ps_error *error = NULL;
    static const int signals[] = {SIGINT, SIGTERM, SIGKILL}; /* send_signal(SIGINT), terminate(), kill() */
    for (int i = 0; i < 3; i++)
        for (int session = 0; session < 2; session++) {
            ps_command *command = crew_command("plain", PS_SCOPE_LEADER, PS_SURVIVORS_LEAVE);
            CHECK_OK(ps_command_isolate(command, session ? PS_ISOLATE_SESSION : PS_ISOLATE_GROUP, &error), error);
            crew crew = crew_spawn(NULL, command);
            struct pollfd said = {.fd = crew.out, .events = POLLIN};
            CHECK(send_signal(crew.child, 0));
            CHECK(send_signal(crew.child, signals[i]));
            ps_exit end = reap(crew.child);
            CHECK(end.signal == signals[i] && end.cause == PS_CAUSE_OWNER); /* returncode == -signal */
            CHECK(!send_signal(crew.child, signals[i]));
            CHECK_INT(poll(&said, 1, 0), 0); /* communicate() would wait on: the pipe is its group's, which says nothing */
            crew_end(&crew);
            CHECK_STR(crew.text, "worker done\nworker done\n");
            crew_free(&crew);
        }

    /* reaped by somebody else (test_send_signal_race): nothing is sent to whoever has its number now */
    crew crew = crew_spawn(NULL, crew_command("plain", PS_SCOPE_LEADER, PS_SURVIVORS_LEAVE));
    CHECK(send_signal(crew.child, SIGKILL));
    int status = 0;
    while (waitpid(pid_of(crew.child), &status, 0) < 0)
        CHECK_INT(errno, EINTR);
    CHECK(!send_signal(crew.child, SIGTERM));
    crew_end(&crew);
    CHECK_INT(crew_said(&crew, "worker done"), CREW_WORKERS);
    crew_free(&crew);
    return 0;
}
