/* Stream 2 is merged into an inherited stream 1 that the host has closed: EBADF, on every tier, before anything is made. With the shared
   table the child's own pidfd would get the number 1 and become its standard error, and in a host with threads that of another child. */
/* covers: F12, LAW-12 */
#include "harness.h"
#include "children.h"

static ps_supervisor *supervisor;
static int stop;

static void refused(const ps_command *command, ps_supervisor *under)
{
    ps_child *child = NULL;
    ps_error *error = NULL;
    CHECK_ERROR(ps_spawn(under, command, &child, &error), PS_ERR_INVALID_ARGUMENT, &error);
    CHECK_INT(ps_error_errno(error), EBADF);
    CHECK_STR(ps_error_step(error), "dup2");
    CHECK(strstr(ps_error_message(error), "merged into 1") != NULL);
    ps_error_free(error);
}

static void *spawns_others(void *unused)
{
    ps_command *plain = helper_command("nothing", NULL);
    set_stdio(plain, 1, PS_STDIO_PIPE, -1);
    while (!__atomic_load_n(&stop, __ATOMIC_ACQUIRE))
        reap_and_free(spawn(NULL, plain));
    ps_command_free(plain);
    return unused;
}

static void with_1_closed(void)
{
    ps_command *merged = helper_command("show_fds", "-l", NULL);
    set_stdio(merged, 2, PS_STDIO_MERGE, -1);
    warm_up();
    supervisor = supervisor_new();
    close(1);
    refused(merged, NULL);
    refused(merged, supervisor);
    CHECK(ps_live_count() == 0 && has_no_child());

    pthread_t thread;
    thread_start(&thread, spawns_others, NULL);
    for (int i = 0; i < 2000; i++)
        refused(merged, NULL);
    __atomic_store_n(&stop, 1, __ATOMIC_RELEASE);
    pthread_join(thread, NULL);

    /* merged into something that is there: no matter what the host has as 1 */
    char *text = output_of(merged);
    CHECK(strstr(text, "pidfd") == NULL);
    free(text);
    ps_supervisor_free(supervisor);
    ps_command_free(merged);
}

int main(void)
{
    in_forked_process(with_1_closed);
    return 0;
}
