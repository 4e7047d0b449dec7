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
        uint64_t question;
        pthread_t thread;
        ps_error *error = NULL;
        ps_command *command = contained(exiting("0"));
        /* So many that they are not moved down, and the table is not cut. */
        for (int k = 0; k < 600 && k < high; k++)
            CHECK_OK(ps_command_pass_fd(command, 1000 + k, 600 + k, &error), error);
        atomic_store(&program_number, held_begin(&thread, command, &question));
        int before = handled;
        CHECK(pthread_kill(thread, SIGUSR1) == 0);
        CHECK_STATUS(ps_kill_and_reap_all(PATIENCE_MS, NULL), PS_OK);
        reap_and_free(held_end(thread));
        CHECK_INT(handled, before + 1);
    }
    CHECK_INT(too_early, 0);
    return 0;
}
