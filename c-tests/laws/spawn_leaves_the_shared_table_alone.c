/* serial */
/* The child shares our descriptor table for a moment. Another thread opens, fills and closes descriptors all the time; none
   of its descriptors may vanish, change or be closed under it. */
/* covers: LAW-13, D-8 */
/* variants: not no-pidfd_open, no-pidfd_send_signal, no-pidfd-group-signal, no-waitid-pidfd, no-pidfd-info: those come when the table is cut */
#include "harness.h"
#include "children.h"

static int stop;

static void *open_and_close(void *unused)
{
    while (!__atomic_load_n(&stop, __ATOMIC_ACQUIRE)) {
        int p[8][2];
        for (int i = 0; i < 8; i++) {
            CHECK(pipe2(p[i], i % 2 ? O_CLOEXEC : 0) == 0);
            CHECK(write(p[i][1], &i, sizeof i) == sizeof i);
        }
        for (int i = 0; i < 8; i++) {
            int back = -1;
            CHECK(read(p[i][0], &back, sizeof back) == sizeof back && back == i);
            CHECK(close(p[i][0]) == 0 && close(p[i][1]) == 0);
        }
    }
    return unused;
}

int main(void)
{
    pthread_t thread[2];
    for (int i = 0; i < 2; i++)
        thread_start(&thread[i], open_and_close, NULL);

    ps_error *error = NULL;
    ps_command *command = exiting("0");
    for (int stream = 0; stream < 3; stream++)
        set_stdio(command, stream, PS_STDIO_PIPE, -1);
    CHECK_OK(ps_command_pass_fd(command, 2, 30, &error), error);
    ps_command *missing = command_for("/nonexistent/program", NULL);
    for (int i = 0; i < 300; i++) {
        reap_and_free(spawn(NULL, command));
        ps_error_free(spawn_fails(missing, PS_ERR_NOT_FOUND));
    }
    __atomic_store_n(&stop, 1, __ATOMIC_RELEASE);
    for (int i = 0; i < 2; i++)
        pthread_join(thread[i], NULL);
    ps_command_free(command);
    ps_command_free(missing);
    return 0;
}
