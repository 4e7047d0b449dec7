/* Whatever a preloader answers, and whomever it names: a typed error in time, nobody harmed, the preloader used on where it lives, nothing left. */
/* covers: P-b1, PA-84, PA-85, PA-86, PA-87, P-b4, P-b17, D-10, C14-3, CO-spring-265, C14-must-hostile */
/* variants: few */
#include "smart.h"

static void one(const char *mode, ps_status expected, const char *said)
{
    /* A time that is to be over begins when it runs already. */
    bool late = expected == PS_ERR_TIMEOUT;
    place p = place_begin(mode, late ? -1 : 1);
    if (late)
        end_worker(smart_worker(&p));
    ps_error *error = spawn_refused(&p, late ? 300 * slowness() : PATIENCE_MS, expected);
    says(error, said);
    says(error, "starting a worker through a preloader");
    ps_error_free(error);
    /* Not tried again, and not killed for it: the same process serves the next one. */
    CHECK_INT(logged(&p, "command", NULL), late ? 2 : 1);
    CHECK_INT(preloader_generation(&p), 1);
    end_worker(smart_worker(&p));
    CHECK_INT(logged(&p, "preloader", NULL), 1);
    place_end(&p);
}

/* A process that the host has made by itself, and one that it has spawned. */
static void sibling(bool spawned)
{
    char number[16];
    place p = place_begin("sibling", 1);
    ps_error *error = NULL;
    ps_child *child = NULL;
    pid_t pid = spawned ? 0 : fork();
    if (!spawned && pid == 0)
        for (;;)
            pause();
    if (spawned) {
        ps_command *command = pausing();
        child = spawn(p.supervisor, command);
        ps_command_free(command);
        CHECK_OK(ps_child_pid(child, &pid, &error), error);
    }
    snprintf(number, sizeof number, "%d", (int)pid);
    CHECK_OK(ps_preloader_set(p.preloader, "app_group_name", number, &error), error);
    error = spawn_refused(&p, PATIENCE_MS, PS_ERR_PEER_REJECTED);
    ps_error_free(error);
    CHECK(!is_gone(pid));
    kill(pid, SIGKILL);
    if (spawned) {
        CHECK_OK(ps_reap(child, PATIENCE_MS, NULL, &error), error);
        ps_child_free(child);
    } else {
        CHECK(waitpid(pid, NULL, 0) == pid);
    }
    place_end(&p);
}

int main(void)
{
    one("error", PS_ERR_ABORTED, "no <b>memory</b>");
    one("garbage", PS_ERR_PROTOCOL, "JSON");
    one("half", PS_ERR_PROTOCOL, "JSON");
    one("over-long", PS_ERR_PROTOCOL, "10240");
    one("two-writers", PS_ERR_PEER_REJECTED, "kernel");
    one("silent", PS_ERR_TIMEOUT, "answer");
    one("own", PS_ERR_PEER_REJECTED, "preloader itself");
    one("host", PS_ERR_PEER_REJECTED, "this process");
    one("foreign", PS_ERR_PEER_REJECTED, "this process");
    one("init", PS_ERR_PEER_REJECTED, "number");
    one("zero", PS_ERR_PEER_REJECTED, "number");
    one("negative", PS_ERR_PEER_REJECTED, "number");
    one("many-digits", PS_ERR_PEER_REJECTED, "number");
    one("older", PS_ERR_PEER_REJECTED, "older");
    one("zombie", PS_ERR_EXITED, "ended");
    one("recycled", PS_ERR_EXITED, "ended");
    sibling(true);
    sibling(false);
}
