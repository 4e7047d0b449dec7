/* A generic application, or one that a port is found for, is ready as soon as somebody accepts at its port, and that is its socket: whether or not it
   knows anything of sessions. */
/* covers: PA-28, PA-50, PA-57 */
#include "direct.h"

static void ready_by_port(const char *name, const char *word)
{
    ps_command *command = app("env=PORT", word, "tcp", "serve", NULL);
    say_argument(command, name, "true");
    ps_worker *worker = direct(NULL, command);
    struct ps_worker_socket at = socket_of(worker, 0);
    char expected[64];
    ps_child *child = child_of(worker);
    char *said = said_by(child);
    snprintf(expected, sizeof expected, "tcp://127.0.0.1:%lld", number_of(said, "PORT"));
    CHECK_STR(at.address, expected);
    CHECK_STR(at.protocol, "http");
    CHECK(at.concurrency == -1 && at.accepts_http == 1);
    free(said);
    end(worker);
    ps_command_free(command);
}

int main(void)
{
    ps_error *error = NULL;
    warm_up();
    ready_by_port("generic_app", "nap=0");
    ready_by_port("find_free_port", "nap=70"); /* not at the first try */

    /* It says where else it is, and nobody answers at the port: then that is no socket of its. */
    ps_command *command = serving();
    say_argument(command, "find_free_port", "true");
    ps_worker *worker = direct(NULL, command);
    uint32_t count = 0;
    CHECK_OK(ps_worker_socket_count(worker, &count, &error), error);
    CHECK_INT(count, 1);
    struct ps_worker_socket at = socket_of(worker, 0);
    CHECK(strncmp(at.address, "unix:", 5) == 0);
    end(worker);
    ps_command_free(command);

    /* Nobody ever answers. */
    command = app("hang", NULL);
    say_argument(command, "generic_app", "true");
    ps_error_free(fails(NULL, command, 300, PS_ERR_TIMEOUT));
    ps_command_free(command);
    NOTHING_IS_LEFT();
    return 0;
}
