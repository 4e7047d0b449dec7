/* A worker that has become another user is not taken in, and nobody is harmed; one in a pid namespace of its own is the one that the kernel names, not
   the number that it has there. */
/* covers: PA-86, PA-87, P-b1, P-b19, D-13, C14-3 */
/* as-root */
/* variants: none */
#include "smart.h"

static void another_user(void)
{
    place p = place_begin("another-user", 1);
    CHECK(chmod(p.base, 0711) == 0);
    int fd = open(p.log, O_CREAT | O_WRONLY | O_CLOEXEC, 0666);
    CHECK(fd >= 0 && fchmod(fd, 0666) == 0 && close(fd) == 0);
    ps_error *error = spawn_refused(&p, PATIENCE_MS, PS_ERR_PEER_REJECTED);
    says(error, "65534");
    ps_error_free(error);
    CHECK_INT(logged(&p, "worker", NULL), 1);
    end_worker(smart_worker(&p));
    CHECK_INT(preloader_generation(&p), 1);
    place_end(&p);
}

static void namespaced(const char *mode)
{
    place p = place_begin(mode, 1);
    ps_error *error = NULL;
    if (strcmp(mode, "in-namespace-named") == 0) {
        /* Nobody translates what the preloader says of its child. */
        error = spawn_refused(&p, PATIENCE_MS, PS_ERR_PEER_REJECTED);
        ps_error_free(error);
    }
    ps_worker *worker = smart_worker(&p);
    ps_child *child = child_of(worker);
    int32_t pid = -1;
    char path[64], status[4096], want[32];
    CHECK_OK(ps_child_pid(child, &pid, &error), error);
    snprintf(path, sizeof path, "/proc/%d/status", pid);
    FILE *file = fopen(path, "re");
    CHECK(file != NULL);
    status[fread(status, 1, sizeof status - 1, file)] = 0;
    fclose(file);
    snprintf(want, sizeof want, "NSpid:\t%d\t", pid); /* it has another one there */
    CHECK(strstr(status, "fake_preloader") && strstr(status, want));
    ps_exit exit = end_worker(worker);
    CHECK_INT(exit.kind, PS_EXIT_EXITED);
    place_end(&p);
}

int main(void)
{
    another_user();
    namespaced("in-namespace");
    namespaced("in-namespace-named");
}
