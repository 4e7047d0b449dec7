/* What the loaders do when they cannot: node-loader.js without its library exits with 1 and writes nothing of it (only its output tells), a Python
   application that raises prints its traceback, a Ruby one writes what it was. Each is an error with what there is, at once, not a timeout. */
/* covers: C14-4, IT-2, PA-54, PA-64, P-b15 */
#include "real_peers.h"

static void fails(const place *p, ps_command *command, const char *step, const char *words)
{
    ps_worker *none = NULL;
    ps_error *error = NULL;
    int64_t began = now_ms();
    CHECK_ERROR(ps_spawn_direct(p->supervisor, command, PATIENCE_MS, &none, &error), PS_ERR_EXITED, &error);
    CHECK(now_ms() - began < PATIENCE_MS);
    CHECK(none == NULL);
    says(error, words);
    says(error, step);
    char output[8192];
    size_t length = 0;
    CHECK_STATUS(ps_error_output(error, output, sizeof output, &length), PS_OK);
    CHECK(length > 0);
    ps_error_free(error);
    ps_command_free(command);
}

int main(void)
{
    need_rack();
    need_wsgi();
    need_node();
    place p = place_new();
    app_file(&p, "config.ru", "raise ArgumentError, 'rack goes wrong'\n");
    app_file(&p, "passenger_wsgi.py", "raise ValueError('wsgi goes wrong')\n");
    app_file(&p, "app.js", NODE_APP);

    ps_command *command = node_loader(&p);
    ps_error *error = NULL;
    session(command, "node_libdir", p.app); /* it becomes NODE_PATH */
    CHECK_OK(ps_command_env(command, "NODE_PATH", "/nonexistent", &error), error);
    fails(&p, command, "SUBPROCESS_EXEC_WRAPPER", "Cannot find module");
    fails(&p, wsgi_loader(&p), "SUBPROCESS_APP_LOAD_OR_EXEC", "wsgi goes wrong");
    fails(&p, rack_loader(&p), "SUBPROCESS_APP_LOAD_OR_EXEC", "rack goes wrong");
    place_end(&p);
    return 0;
}
