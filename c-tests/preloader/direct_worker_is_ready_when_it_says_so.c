/* A worker that is started by itself: it finds its session, names a socket, says "1", and is ready; what is known of it is what it was. */
/* covers: PA-33, PA-38, PA-51, PA-56, PA-79, D-9 */
#include "direct.h"

int main(void)
{
    ps_error *error = NULL;
    warm_up();
    ps_command *command = app("say=hello\\n", "pid", "listen", "properties", "finish", "serve", NULL);
    say_argument(command, "app_type", "custom");
    ps_worker *worker = direct(NULL, command);
    uint32_t count = 0, generation = 7;
    CHECK_OK(ps_worker_socket_count(worker, &count, &error), error);
    CHECK_INT(count, 1);
    struct ps_worker_socket at = socket_of(worker, 0);
    CHECK_STR(at.name, "main");
    CHECK_STR(at.protocol, "session");
    CHECK(at.concurrency == 1 && at.accepts_http == 1);
    CHECK(strncmp(at.address, "unix:/", 6) == 0 && access(at.address + 5, F_OK) == 0);
    CHECK_STATUS(ps_worker_socket(worker, 1, &at, NULL), PS_ERR_NOT_FOUND);
    CHECK_OK(ps_worker_generation(worker, &generation, &error), error);
    CHECK_INT(generation, 0);

    ps_child *child = child_of(worker);
    int32_t pid = 0, fd = -1;
    CHECK_OK(ps_child_pid(child, &pid, &error), error);
    char *said = said_by(child), line[32];
    snprintf(line, sizeof line, "hello\npid=%d\n", pid);
    CHECK_STR(said, line); /* the pid is the application's own */
    free(said);

    ps_worker_info info = {.size = sizeof info};
    CHECK_OK(ps_worker_get_info(worker, &info, &error), error);
    CHECK(info.kind == PS_WORKER_DIRECT && info.pid == pid && info.generation == 0);
    CHECK(info.began_ns > 0 && info.began_ns < info.ready_ns && info.ready_ns <= now_ns());
    CHECK(llabs((info.ready_wall_ns - info.began_wall_ns) - (info.ready_ns - info.began_ns)) < 1000000000);
    CHECK(llabs(info.ready_wall_ns / 1000000000 - time(NULL)) < 60);
    CHECK(strlen(info.gupid) > 10);
    CHECK_STR(info.app_type, "custom");

    /* Its input is its tie of life. */
    CHECK_OK(ps_worker_stdin(worker, &fd, &error), error);
    CHECK_STATUS(ps_worker_stdin(worker, &fd, NULL), PS_ERR_NOT_FOUND);
    close(fd);
    ps_exit record = {.size = sizeof record};
    CHECK_OK(ps_reap(child, PATIENCE_MS, &record, &error), error);
    CHECK(record.kind == PS_EXIT_EXITED && record.code == 0);
    CHECK_OK(ps_worker_wait(worker, 0, &error), error);
    ps_worker_free(worker);
    ps_child_free(child);
    ps_command_free(command);
    NOTHING_IS_LEFT();
    return 0;
}
