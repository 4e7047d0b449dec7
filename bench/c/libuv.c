/* libuv: uv_spawn, uv_run until the exit callback, uv_close, on one loop that lives as long as the harness. The SIGCHLD
 * handler is in place only while a uv_process_t is active, so it does not run during another method's turn. */
#include "bench.h"

#include <uv.h>

static int64_t exit_status;

static void on_close(uv_handle_t *handle)
{
    (void)handle;
}

static void on_exit_of_child(uv_process_t *process, int64_t status, int signal)
{
    exit_status = signal != 0 ? -signal : status;
    uv_close((uv_handle_t *)process, on_close);
}

int bench_uv_cycle(const char *path)
{
    static uv_loop_t loop;
    static int made;
    char *argv[] = {(char *)path, NULL};
    uv_stdio_container_t stdio[3];
    uv_process_options_t options = {0};
    uv_process_t process;
    int error, i;

    if (!made) {
        if ((error = uv_loop_init(&loop)) != 0)
            return error;
        made = 1;
    }
    for (i = 0; i < 3; i++) { /* the default would open /dev/null three times, which nobody else does here */
        stdio[i].flags = UV_INHERIT_FD;
        stdio[i].data.fd = i;
    }
    options.file = path;
    options.args = argv;
    options.stdio = stdio;
    options.stdio_count = 3;
    options.exit_cb = on_exit_of_child;
    exit_status = -1;
    error = uv_spawn(&loop, &process, &options);
    if (error != 0)
        uv_close((uv_handle_t *)&process, on_close);
    uv_run(&loop, UV_RUN_DEFAULT); /* returns when the handle is closed: exit seen, child reaped */
    return error != 0 ? error : exit_status == 0 ? 0 : UV_EIO;
}

const char *bench_uv_version(void)
{
    return uv_version_string();
}
