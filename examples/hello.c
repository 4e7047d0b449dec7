/*
 * The smallest complete program: run something, wait for it, learn how it ended.
 *
 *   cc hello.c $(pkg-config --cflags --libs procsup) -o hello && ./hello
 */
/* ctest */
#include <procsup.h>
#include <stdio.h>

int main(void)
{
    ps_error *error = NULL;             /* filled by the first call that fails */
    ps_command *command = NULL;         /* what to run; can be spawned any number of times */
    ps_child *child = NULL;             /* one running process */
    ps_exit end = {.size = sizeof end}; /* every structure begins with its size */

    /* Supervisor NULL: no events, we wait for this child ourselves, for five seconds at the most. */
    int good = ps_command_new("sort", &command, &error) == PS_OK && ps_command_arg(command, "/etc/passwd", &error) == PS_OK &&
               ps_spawn(NULL, command, &child, &error) == PS_OK && ps_reap(child, 5000, &end, &error) == PS_OK;
    if (good)
        printf("exit code %d, %lld us of CPU\n", end.code, (long long)(end.user_us + end.system_us));
    else
        fprintf(stderr, "%s\n", ps_error_message(error));

    /* All of these take NULL. A child that still ran would be reaped by a later call. */
    ps_child_free(child);
    ps_command_free(command);
    ps_error_free(error);
    return good && end.code == 0 ? 0 : 1;
}
