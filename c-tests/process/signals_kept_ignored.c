/* The child ignores exactly the signals that its command names, whether the host ignores them, handles them or neither; nothing of the host changes. So
   nohup(1) needs no global state, and restore_signals=False of CPython's subprocess (SIGPIPE and SIGXFSZ stay ignored) can be said. */
/* variants: none (the test forces each tier itself) */
#include "harness.h"
#include "each_tier.h"

static void handler(int signal) { (void)signal; }

static uint64_t bit(int signal) { return UINT64_C(1) << (signal - 1); }

static uint64_t ignored_by_a_child(const int32_t *signals, size_t n)
{
    ps_error *error = NULL;
    ps_command *command = helper_command("show_signals", NULL);
    CHECK_OK(ps_command_keep_ignored(command, signals, n, &error), error);
    char *text = output_of(command);
    CHECK_STR(line_after(text, "blocked="), "0000000000000000");
    uint64_t ignored = strtoull(line_after(text, "ignored="), NULL, 16);
    free(text);
    return ignored;
}

static void body(void)
{
    const int32_t hangup[] = {SIGHUP}, pythons[] = {SIGPIPE, SIGXFSZ}, many[] = {SIGINT, 32, 33, 34, 64, SIGINT};
    const uint64_t of_many = bit(SIGINT) | bit(32) | bit(33) | bit(34) | bit(64);
    struct sigaction now;
    CHECK(ignored_by_a_child(hangup, 1) == bit(SIGHUP));
    CHECK(ignored_by_a_child(NULL, 0) == 0);
    CHECK(ignored_by_a_child(many, 6) == of_many);
    CHECK(sigaction(SIGHUP, NULL, &now) == 0 && now.sa_handler == SIG_DFL);

    for (int i = 1; i <= 64; i++)
        if (i != SIGCHLD)
            signal(i, i % 3 == 0 || i > 31 ? handler : SIG_IGN); /* real-time ones: ps_spawn says when they are looked at */
    CHECK(ignored_by_a_child(pythons, 2) == (bit(SIGPIPE) | bit(SIGXFSZ)));
    CHECK(ignored_by_a_child(hangup, 1) == bit(SIGHUP));
    CHECK(ignored_by_a_child(many, 6) == of_many);
    CHECK(ignored_by_a_child(NULL, 0) == 0);
    CHECK(sigaction(SIGHUP, NULL, &now) == 0 && now.sa_handler == SIG_IGN);
    CHECK(sigaction(33 + 3, NULL, &now) == 0 && now.sa_handler == handler);
}

static void nohup(void)
{
    ps_error *error = NULL;
    const int32_t hangup[] = {SIGHUP}, other[] = {SIGUSR1};
    ps_command *command = pausing();
    CHECK_OK(ps_command_keep_ignored(command, other, 1, &error), error);
    CHECK_OK(ps_command_keep_ignored(command, hangup, 1, &error), error);
    ps_child *child = spawn(NULL, command);
    CHECK(kill(-pid_of(child), SIGHUP) == 0);
    CHECK(kill(-pid_of(child), SIGTERM) == 0); /* of two that are pending the lower number would be first */
    CHECK_INT(reap(child).signal, SIGTERM);
    ps_child_free(child);
    /* The last call counted. */
    child = spawn_once(NULL, command);
    CHECK_OK(ps_signal(child, SIGUSR1, &error), error);
    CHECK_INT(reap(child).signal, SIGUSR1);
    ps_child_free(child);
}

static void refused(void)
{
    const int32_t bad[] = {SIGKILL, SIGSTOP, 0, -1, 65, INT32_MAX, INT32_MIN};
    ps_error *error = NULL;
    ps_command *command = helper_command("show_signals", NULL);
    const int32_t good[] = {SIGHUP};
    CHECK_OK(ps_command_keep_ignored(command, good, 1, &error), error);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        const int32_t list[] = {SIGPIPE, bad[i]};
        CHECK_ERROR(ps_command_keep_ignored(command, list, 2, &error), PS_ERR_INVALID_ARGUMENT, &error);
        char message[256] = "";
        size_t needed;
        CHECK(ps_error_render(error, PS_RENDER_TEXT, message, sizeof message, &needed) != PS_OK || strstr(message, "signals[1]"));
        ps_error_free(error);
        error = NULL;
    }
    CHECK_STATUS(ps_command_keep_ignored(command, NULL, 1, NULL), PS_ERR_INVALID_ARGUMENT);
    char *text = output_of(command);
    CHECK_STR(line_after(text, "ignored="), "0000000000000001");
    free(text);
}

int main(void)
{
    in_each_tier(body);
    in_forked_process(nohup);
    in_forked_process(refused);
    return 0;
}
