/* A worker of the real preloader that ends before it is ready: an error that has what it said, and how it ended as far as the kernel tells. It was
   not the preloader's fault: that one serves on. */
/* covers: C14-4, IT-1, PA-54, PA-87, P-b3 */
#include "real_preloader.h"

#define DYING                                                                                                                      \
    "PhusionPassenger.on_event(:starting_worker_process) { |forked| if forked && File.exist?('die')\n"                             \
    "  STDERR.puts 'dying'; exit!(7) end }\n"

int main(void)
{
    need_rack();
    place p = place_new();
    app_file(&p, "config.ru", DYING RACK_APP);
    app_file(&p, "die", "");
    ps_preloader *preloader = rack_preloader(&p);
    ps_worker *none = NULL;
    ps_error *error = NULL;
    CHECK_ERROR(ps_preloader_spawn(preloader, p.supervisor, NULL, PATIENCE_MS, &none, &error), PS_ERR_EXITED, &error);
    says(error, "dying");
    says(error, "SUBPROCESS_PREPARE_AFTER_FORKING_FROM_PRELOADER");
    ps_error_free(error);

    char path[64];
    snprintf(path, sizeof path, "%s/die", p.app);
    CHECK(unlink(path) == 0);
    ps_worker *worker = ready_worker(&p, preloader);
    CHECK_INT(generation_of(worker), 1);
    answers_as(worker, "rack");
    leaves_at_end_of_stdin(worker);
    ps_preloader_free(preloader);
    place_end(&p);
    return 0;
}
