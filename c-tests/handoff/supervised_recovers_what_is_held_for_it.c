/*
 * Supervisor and generation are both gone, and what holds the listener is the supervisor's own starter (LISTEN_FDS, systemd's descriptor store): with each
 * protocol recovery takes it from there, by its name, and the next generation serves at it; it was never bound anew. What is no listener, or has no
 * name that a child can be told, is left, as are the numbers themselves. A store that is not what it says is an error.
 */
/* covers: C16-1, C16-5, LAW-16 */
/* variants: none */
#include "recovering.h"
#include "service.h"

static void new_sup(int32_t protocol, const char *path)
{
    ps_handoff_supervisor_free(sup);
    CHECK_OK(ps_handoff_supervisor_new(path, &sup, &problem), problem);
    CHECK_OK(ps_handoff_supervisor_set_protocol(sup, protocol, &problem), problem);
}

static int held(void)
{
    static char text[8192];
    CHECK_OK(ps_handoff_supervisor_metrics(sup, text, sizeof text, NULL, &problem), problem);
    const char *line = strstr(text, "\nhandoff_listeners_held ");
    CHECK(line != NULL);
    return atoi(line + strlen("\nhandoff_listeners_held "));
}

int main(void)
{
    char path[96];
    int32_t pid;
    open_from_three(4);
    stage_begin();
    CHECK(dup2(stage.listener, 3) == 3 && dup2(stage.listener, 5) == 5);
    snprintf(path, sizeof path, "%s/control", stage.dir);

    for (int32_t protocol = PS_HANDOFF_PROTOCOL_NATIVE; protocol <= PS_HANDOFF_PROTOCOL_V1; protocol++) {
        listen_variables(NULL, NULL, NULL);
        new_sup(protocol, path);
        CHECK_INT(recovered(), PS_ERR_NOT_FOUND);
        CHECK_INT(held(), 0);
        listen_variables("4", own_pid(), "http:null:http:other");
        new_sup(protocol, path);
        CHECK_INT(recovered(), PS_OK);
        CHECK_INT(held(), 1); /* the second of that name, and what is no socket, are nobody's */
        CHECK_STATUS(ps_handoff_supervisor_owner(sup, &pid, NULL, NULL), PS_ERR_NOT_FOUND);
        CHECK(fcntl(3, F_GETFD) == 0 && fcntl(4, F_GETFD) == 0);
        new_sup(protocol, path); /* what the application has given counts before */
        CHECK_OK(ps_handoff_supervisor_listener(sup, "http", stage.listener, &problem), problem);
        CHECK_INT(recovered(), PS_OK);
        CHECK_INT(held(), 1);
        listen_variables("4", own_pid(), "http:null");
        new_sup(protocol, path);
        CHECK_INT(recovered(), PS_ERR_PROTOCOL);
        CHECK_INT(held(), 0);
    }
    listen_variables("4", own_pid(), "http:null:http:other");
    new_sup(PS_HANDOFF_PROTOCOL_NOTIFY, NULL);
    CHECK_INT(recovered(), PS_OK);
    int waiting = connect_and('p'); /* nobody serves: it waits in the queue */
    start(daemon_of(NULL));
    pid = expect(PS_HANDOFF_SUPERVISOR_STARTED)->pid;
    expect(PS_HANDOFF_SUPERVISOR_SERVING);
    CHECK_INT(answer(waiting), pid);
    stage_end();
    return 0;
}
