/* A preloader says where it takes commands: one that says nothing of its sockets, or names none of the protocol "preloader", is a typed error that says so,
   and nothing is left. Scenarios 7.5 19 and 20 of the reference. */
/* covers: PA-59, PA-62, PA-90 */
/* variants: few */
#include "direct.h"

static void is_none(const char *properties, const char *part)
{
    ps_command *command = app("listen", properties, "finish", "hang", NULL), *worker_command = serving();
    ps_preloader *preloader = NULL;
    ps_worker *untouched = (ps_worker *)(uintptr_t)0x5a5a, *worker = untouched;
    ps_error *error = NULL;
    CHECK_OK(ps_preloader_new(command, &preloader, &error), error);
    CHECK_OK(ps_preloader_set(preloader, "spawn_dir", apps_dir(), &error), error);
    CHECK_ERROR(ps_preloader_spawn(preloader, NULL, worker_command, PATIENCE_MS, &worker, &error), PS_ERR_PROTOCOL, &error);
    CHECK(worker == untouched && says(error, part) && says(error, "preloader"));
    ps_error_free(error);
    ps_preloader_free(preloader);
    ps_command_free(worker_command);
    ps_command_free(command);
    NOTHING_IS_LEFT();
}

int main(void)
{
    warm_up_direct();
    NOTHING_IS_LEFT();
    is_none("nap=0", "no properties.json");
    leak_guard guard = leak_guard_begin();
    is_none("properties", "no socket with the protocol");
    is_none("properties={\"sockets\": []}", "sockets is empty");
    leak_guard_end(&guard);
    return 0;
}
