/* A hostile application removes the work directory of its own worker while that one starts. Real loaders answer `ok` first and complain later; we
   end with a typed error in time, and the worker with us. The same application behaves afterwards, and is served. */
/* covers: C14-4, IT-1, PA-88, PA-62 */
#include "real_preloader.h"

#define REMOVING                                                                                                                   \
    "require 'fileutils'\n"                                                                                                        \
    "PhusionPassenger.on_event(:starting_worker_process) { |forked|\n"                                                             \
    "  if forked && File.exist?('remove') then FileUtils.rm_rf(ENV['PASSENGER_SPAWN_WORK_DIR']) end }\n"

int main(void)
{
    need_rack();
    place p = place_new();
    app_file(&p, "config.ru", REMOVING RACK_APP);
    app_file(&p, "remove", "");
    ps_preloader *preloader = rack_preloader(&p);
    ps_worker *none = NULL;
    ps_error *error = NULL;
    ps_status status = ps_preloader_spawn(preloader, p.supervisor, NULL, 3000 * slowness(), &none, &error);
    CHECK(status == PS_ERR_EXITED || status == PS_ERR_TIMEOUT || status == PS_ERR_PROTOCOL);
    CHECK(none == NULL && error != NULL);
    ps_error_free(error);

    char path[64];
    snprintf(path, sizeof path, "%s/remove", p.app);
    CHECK(unlink(path) == 0);
    ps_worker *worker = ready_worker(&p, preloader);
    answers_as(worker, "rack");
    pid_t forked_by = parent_of(worker_pid(worker));
    CHECK(wait_until(for_each_child(forked_by, NULL) == 1, PATIENCE_MS));
    leaves_at_end_of_stdin(worker);
    ps_preloader_free(preloader);
    place_end(&p);
    return 0;
}
