/* A hostile preloader passes the worker's end of a private pair to another child of the host, which says what a worker would: it is none, whether it is in the
   registry or the host's own affair; nothing is done to it, and its gate is not opened. */
/* covers: C15-1, FS-12, LAW-2 */
/* variants: only tier-fork: where no pidfd can be opened nobody is taken in whom the preloader has not named by one */
#include "native.h"

static void is_refused(place *p, const char *path, pid_t accomplice)
{
    ps_error *error = spawn_refused(p, PATIENCE_MS, PS_ERR_PEER_REJECTED);
    ps_error_free(error);
    CHECK(!process_gone(accomplice) && process_state(accomplice) != 'Z');
    unlink(path);
}

static void listens(const place *p, int times)
{
    int64_t began = now_ns();
    while (logged(p, "listens", NULL) < times) {
        CHECK(elapsed_ms(began) < PATIENCE_MS);
        usleep(1000);
    }
}

int main(void)
{
    char path[160];
    place p = native_begin("ok", 0);
    snprintf(path, sizeof path, "%s.sock", p.base);
    ps_command *command = helper_command("raw_preloader", p.log, "pass-on", "-1", NULL);
    CHECK_STATUS(ps_command_env(command, "ACCOMPLICE", path, NULL), PS_OK);
    ps_preloader_free(p.preloader);
    p = native_of(command, p);
    ps_child *registered = spawn_once(NULL, helper_command("raw_preloader", p.log, "accomplice", path, NULL));
    listens(&p, 1);
    is_refused(&p, path, pid_of(registered));
    CHECK_STATUS(ps_signal(registered, SIGKILL, NULL), PS_OK);
    reap_and_free(registered);

    /* The host's own: younger than the preloader even, but it runs a program. */
    pid_t own = fork();
    CHECK(own >= 0);
    if (own == 0) {
        execl(helper_path("raw_preloader"), "raw_preloader", p.log, "accomplice", path, (char *)NULL);
        _exit(127);
    }
    listens(&p, 2);
    is_refused(&p, path, own);
    CHECK(kill(own, SIGKILL) == 0);
    int status;
    CHECK(waitpid(own, &status, 0) == own && WIFSIGNALED(status));
    CHECK_INT(logged(&p, "opened", NULL), 0);
    place_end(&p);
}
