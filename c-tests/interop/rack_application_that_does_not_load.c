/* An application that raises while it is loaded: the real preloader writes category, summary and details into the work directory and exits; the
   error has them all, in the step in which it happened. One that hangs then is a timeout that has what it had printed. */
/* covers: C14-4, IT-1, PA-54, PA-90, PA-91, PA-78, PA-73 */
#include "real_preloader.h"

static ps_error *not_spawned(const place *p, int64_t timeout_ms, ps_status expected)
{
    ps_worker *none = NULL;
    ps_error *error = NULL;
    ps_preloader *preloader = rack_preloader(p);
    CHECK_ERROR(ps_preloader_spawn(preloader, p->supervisor, NULL, timeout_ms, &none, &error), expected, &error);
    ps_preloader_free(preloader);
    return error;
}

int main(void)
{
    need_rack();
    place p = place_new();
    app_file(&p, "config.ru", "STDERR.puts 'loading'\nraise 'boom <at> load'\n");
    ps_error *error = not_spawned(&p, PATIENCE_MS, PS_ERR_EXITED);
    says(error, "The application encountered the following error: boom <at> load (RuntimeError)");
    says(error, "INTERNAL_ERROR");
    says(error, "SUBPROCESS_APP_LOAD_OR_EXEC");
    says(error, "loading");
    says(error, "PASSENGER_SPAWN_WORK_DIR"); /* its environment */
    CHECK(strstr(rendered(error, PS_RENDER_TEXT), "boom <at> load"));
    CHECK(strstr(rendered(error, PS_RENDER_HTML), "boom &lt;at&gt; load"));
    CHECK(!strstr(rendered(error, PS_RENDER_HTML), "boom <at> load"));
    ps_error_free(error);

    app_file(&p, "config.ru", "puts 'about to hang'; sleep\n");
    error = not_spawned(&p, 4000 * slowness(), PS_ERR_TIMEOUT);
    says(error, "about to hang");
    says(error, "TIMEOUT_ERROR");
    ps_error_free(error);
    place_end(&p);
    return 0;
}
