/* timeout: 120 */
/* variants: only tier-clone */
/* A contained child is killed while its program still executes the host's code, in the host's memory. Until that has left, no handler of the host may
   run: it would take the place of what the program reads. (Many descriptors make the first process take long between letting go of the memory, at
   which the host is woken, and taking the program along.) */
#include "harness.h"
#include "contained.h"
#include "held_execve.h"

#include <sys/resource.h>

static atomic_int program_number;
static volatile sig_atomic_t handled, too_early;

static void handler(int signal)
{
    (void)signal;
    if (may_run_in_memory(atomic_load(&program_number)))
        too_early = 1;
    handled++;
}

int main(void)
{
    need_contained();
    struct rlimit limit;
    CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0);
    limit.rlim_cur = limit.rlim_max;
    CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
    int null = open("/dev/null", O_RDWR | O_CLOEXEC), high = 0;
    for (int i = 0; i < 15000 && fcntl(null, F_DUPFD_CLOEXEC, 1000) >= 0; i++)
        high = i;
    struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};
    CHECK(sigaction(SIGUSR1, &action, NULL) == 0);
    for (int i = 0; i < 15; i++) {
        struct seccomp_notif asked;
        pthread_t thread;
        ps_error *error = NULL;
        held_command = contained(exiting("0"));
        /* So many that they are not moved down, and the table is not cut. */
        for (int k = 0; k < 600 && k < high; k++)
            CHECK_OK(ps_command_pass_fd(held_command, 1000 + k, 600 + k, &error), error);
        atomic_store(&held_ready, 0);
        thread_start(&thread, held_spawn, NULL);
        CHECK(wait_until(atomic_load(&held_ready), 20000));
        struct pollfd p = {.fd = held_notify, .events = POLLIN};
        CHECK(poll(&p, 1, PATIENCE_MS) == 1);
        memset(&asked, 0, sizeof asked);
        CHECK(ioctl(held_notify, SECCOMP_IOCTL_NOTIF_RECV, &asked) == 0);
        atomic_store(&program_number, (int)asked.pid);
        int before = handled;
        CHECK(pthread_kill(thread, SIGUSR1) == 0);
        CHECK_STATUS(ps_kill_and_reap_all(PATIENCE_MS, NULL), PS_OK);
        pthread_join(thread, NULL);
        CHECK_INT(handled, before + 1);
        close(held_notify);
        reap_and_free(held_child);
        ps_command_free(held_command);
    }
    CHECK_INT(too_early, 0);
    return 0;
}
