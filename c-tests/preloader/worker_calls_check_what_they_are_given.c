/* Calls on workers: a place for the answer must be there; a structure of the wrong size is refused and not touched, that of a newer caller is fine; a time that
   is none is refused. */
/* covers: PA-56 */
#include "direct.h"

int main(void)
{
    ps_error *error = NULL;
    warm_up();
    ps_command *command = serving();
    CHECK_STATUS(ps_spawn_direct(NULL, command, 1000, NULL, NULL), PS_ERR_INVALID_ARGUMENT);
    CHECK_STATUS(ps_spawn_direct_begin(NULL, command, 1000, NULL, NULL), PS_ERR_INVALID_ARGUMENT);
    CHECK_INT(ps_live_count(), 0);
    ps_worker *worker = direct(NULL, command);
    CHECK_STATUS(ps_worker_child(worker, NULL, NULL), PS_ERR_INVALID_ARGUMENT);
    CHECK_STATUS(ps_worker_socket_count(worker, NULL, NULL), PS_ERR_INVALID_ARGUMENT);
    CHECK_STATUS(ps_worker_socket(worker, 0, NULL, NULL), PS_ERR_INVALID_ARGUMENT);
    CHECK_STATUS(ps_worker_generation(worker, NULL, NULL), PS_ERR_INVALID_ARGUMENT);
    CHECK_STATUS(ps_worker_stdin(worker, NULL, NULL), PS_ERR_INVALID_ARGUMENT);
    CHECK_STATUS(ps_worker_get_info(worker, NULL, NULL), PS_ERR_INVALID_ARGUMENT);
    CHECK_STATUS(ps_worker_journey(worker, PS_RENDER_TEXT, NULL, 0, NULL, NULL), PS_ERR_INVALID_ARGUMENT);
    CHECK_STATUS(ps_worker_wait(worker, -2, NULL), PS_ERR_INVALID_ARGUMENT);

    struct { struct ps_worker_socket socket; char newer[8]; } socket, before;
    memset(&socket, 0x5a, sizeof socket);
    socket.socket.size = sizeof socket.socket - 1;
    before = socket;
    CHECK_STATUS(ps_worker_socket(worker, 0, &socket.socket, NULL), PS_ERR_INVALID_ARGUMENT);
    CHECK(memcmp(&socket, &before, sizeof before) == 0);
    socket.socket.size = sizeof socket;
    CHECK_OK(ps_worker_socket(worker, 0, &socket.socket, &error), error);
    CHECK(socket.socket.size == sizeof socket && memcmp(socket.newer, before.newer, sizeof before.newer) == 0);

    struct { ps_worker_info info; char newer[8]; } info, unseen;
    memset(&info, 0x5a, sizeof info);
    info.info.size = sizeof info.info - 1;
    unseen = info;
    CHECK_STATUS(ps_worker_get_info(worker, &info.info, NULL), PS_ERR_INVALID_ARGUMENT);
    CHECK(memcmp(&info, &unseen, sizeof unseen) == 0);
    info.info.size = sizeof info;
    CHECK_OK(ps_worker_get_info(worker, &info.info, &error), error);
    CHECK(info.info.size == sizeof info && memcmp(info.newer, unseen.newer, sizeof unseen.newer) == 0);
    end(worker);
    ps_worker_free(worker);
    ps_worker_free(NULL);
    ps_command_free(command);
    NOTHING_IS_LEFT();
    return 0;
}
