/* variants: only tier-fork, locked-down */
/* A contained child is told of as any other: each exit code, each signal that kills, a core, and what could not be executed. */
#include "harness.h"
#include "contained.h"

static void fails_at(ps_command *command, const char *step, int number)
{
    ps_child *child = NULL;
    ps_error *error = NULL;
    ps_status status = ps_spawn(NULL, command, &child, &error);
    ps_command_free(command);
    if (status == PS_OK || strcmp(ps_error_step(error), step) != 0 || ps_error_errno(error) != number)
        harness_fail(__FILE__, __LINE__, "%s %d expected, and it was %s %d", step, number, error ? ps_error_step(error) : "nothing",
                     error ? ps_error_errno(error) : 0);
    ps_error_free(error);
}

/* All of them once; of the codes, of which no kernel knows one from the other, some in a machine that is slow. */
static int step(void)
{
    return variant()[0] || geteuid() != 0 ? 51 : 1;
}

static void codes(void)
{
    for (int code = 0; code < 256; code += slowness() > 5 && step() == 1 ? 17 : step()) {
        char text[16];
        snprintf(text, sizeof text, "%d", code);
        ps_exit end = run_to_its_end(contained(exiting(text)));
        if (end.kind != PS_EXIT_EXITED || end.code != code || end.signal != 0)
            harness_fail(__FILE__, __LINE__, "code %d: kind %d, code %d, signal %d", code, end.kind, end.code, end.signal);
    }
}

static void signals(void)
{
    for (int number = 1; number <= 64; number += step() > 1 ? 3 : 1) {
        static const int harmless[] = {SIGCHLD, SIGCONT, SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU, SIGURG, SIGWINCH, 32, 33};
        char text[16];
        bool kills = true;
        for (size_t i = 0; i < sizeof harmless / sizeof *harmless; i++)
            kills &= number != harmless[i];
        if (!kills)
            continue;
        snprintf(text, sizeof text, "%d", number);
        ps_exit end = run_to_its_end(contained(helper_command("die_by", text, NULL)));
        if (end.kind != PS_EXIT_SIGNALED || end.signal != number || end.code != -1 || end.cause != PS_CAUSE_SELF)
            harness_fail(__FILE__, __LINE__, "signal %d: kind %d, signal %d, code %d", number, end.kind, end.signal, end.code);
        CHECK_INT(end.core_dumped, 0);
    }
}

static void failures(void)
{
    ps_error *error = NULL;
    fails_at(contained(command_for("/no/such/program", NULL)), "exec", ENOENT);
    fails_at(contained(command_for("/etc/passwd", NULL)), "exec", EACCES);
    ps_command *command = contained(exiting("0"));
    CHECK_OK(ps_command_cwd(command, "/no/such/directory", &error), error);
    fails_at(command, "chdir", ENOENT);
}

static void all(void)
{
    warm_up();
    leak_guard guard = leak_guard_begin();
    codes();
    signals();
    failures();
    leak_guard_end(&guard);
    CHECK_INT(ps_live_count(), 0);
}

int main(void)
{
    need_contained();
    as_root_and_as_nobody(all);
    return 0;
}
