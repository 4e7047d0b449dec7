/* What a worker says of its sockets is checked as a whole: each thing that is wrong is told, and a worker without a socket that takes HTTP is none. */
/* covers: PA-58, PA-59, PA-60, PA-61, PA-62 */
#include "direct.h"

static void wrong(const char *properties, const char *part, const char *other)
{
    char word[512];
    snprintf(word, sizeof word, properties ? "properties=%s" : "nap=0", properties);
    ps_command *command = app("listen", word, "finish", "serve", NULL);
    ps_error *error = fails(NULL, command, PATIENCE_MS, PS_ERR_PROTOCOL);
    CHECK(says(error, part) && says(error, other));
    ps_error_free(error);
    ps_command_free(command);
}

/* Whose fault it is that nothing is said of sockets, and who is to mend it, is told by who has supplied what speaks here. */
static void fault_of(const char *wrapper, const char *third_party, const char *part)
{
    ps_command *command = app("listen", "finish", "serve", NULL);
    say_argument(command, "starts_using_wrapper", wrapper);
    say_argument(command, "startup_file", "x");
    say_argument(command, "wrapper_supplied_by_third_party", third_party);
    ps_error *error = fails(NULL, command, PATIENCE_MS, PS_ERR_PROTOCOL);
    CHECK(says(error, "no properties.json") && says(error, part));
    ps_error_free(error);
    ps_command_free(command);
}

int main(void)
{
    warm_up_direct();
    leak_guard guard = leak_guard_begin();
    wrong(NULL, "no properties.json", "accept_http_requests");
    wrong("{", "no JSON", "properties.json");
    wrong("{\"sockets\": []}", "sockets is empty", "sockets");
    wrong("{\"sockets\": [{\"address\": \"tcp://127.0.0.1:1\", \"protocol\": \"http\", \"concurrency\": 0}]}", "accept_http_requests", "no socket");
    wrong("{\"sockets\": [{\"protocol\": 7, \"accept_http_requests\": 1}]}", "sockets[0].address is missing", "sockets[0].concurrency is missing");
    wrong("{\"sockets\": [{\"address\": \"unix:/tmp/elsewhere\", \"protocol\": \"http\", \"concurrency\": 0, \"accept_http_requests\": true}]}",
          "sockets[0].address", "apps.s");
    fault_of("false", "false", "The application speaks the protocol of a session by itself");
    fault_of("true", "true", "comes from somebody else");
    fault_of("true", "false", "was written by the wrapper that loads the application, not by the application");
    NOTHING_IS_LEFT();
    leak_guard_end(&guard);
    return 0;
}
