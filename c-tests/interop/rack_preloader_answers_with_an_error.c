/* The real preloader with an application that makes it answer `error`: what it says is in our error. That is no crash: it is not started again, and
   not asked again. An answer that is no answer (an application that writes into the connection) is not one either. */
/* covers: C14-4, IT-1, PA-84, PA-85 */
#include "real_preloader.h"

/* An application may do anything in the preloader, also this. */
#define REFUSING                                                                                                                   \
    "module PhusionPassenger::PreloaderSharedHelpers\n"                                                                            \
    "  alias spawn_as_ever handle_spawn_command\n"                                                                                 \
    "  def handle_spawn_command(client, doc)\n"                                                                                    \
    "    return spawn_as_ever(client, doc) unless File.exist?('answer')\n"                                                         \
    "    File.open('asked', 'a') { |file| file.write('.') }\n"                                                                     \
    "    client.write(File.read('answer'))\n"                                                                                      \
    "    nil\n"                                                                                                                    \
    "  end\n"                                                                                                                      \
    "end\n"

static int asked(const place *p)
{
    char path[64];
    struct stat status;
    snprintf(path, sizeof path, "%s/asked", p->app);
    int times = stat(path, &status) == 0 ? (int)status.st_size : 0;
    unlink(path);
    return times;
}

static void refused(const place *p, ps_preloader *preloader, const char *answer, const char *words)
{
    ps_worker *none = NULL;
    ps_error *error = NULL;
    app_file(p, "answer", answer);
    ps_status status = ps_preloader_spawn(preloader, p->supervisor, NULL, PATIENCE_MS, &none, &error);
    CHECK(status == PS_ERR_PROTOCOL || status == PS_ERR_ABORTED || status == PS_ERR_INTERNAL || status == PS_ERR_PEER_REJECTED);
    CHECK(none == NULL && error != NULL);
    says(error, words);
    CHECK_INT(asked(p), 1);
    ps_error_free(error);
}

int main(void)
{
    need_rack();
    place p = place_new();
    app_file(&p, "config.ru", REFUSING RACK_APP);
    ps_preloader *preloader = rack_preloader(&p);
    refused(&p, preloader, "{\"result\": \"error\", \"message\": \"no room for more of them\"}", "no room for more of them");
    refused(&p, preloader, "{\"result\": \"error\"}\n", "message");
    refused(&p, preloader, "{\"result\": \"ok\"}", "pid");
    refused(&p, preloader, "{\"result\": \"ok\", \"pid\": 0}", "pid");
    refused(&p, preloader, "what?\n", "SPAWNING_KIT_PARSE_RESPONSE_FROM_PRELOADER");
    char path[64];
    snprintf(path, sizeof path, "%s/answer", p.app);
    CHECK(unlink(path) == 0);
    ps_worker *worker = ready_worker(&p, preloader);
    CHECK_INT(generation_of(worker), 1);
    answers_as(worker, "rack");
    leaves_at_end_of_stdin(worker);
    ps_preloader_free(preloader);
    place_end(&p);
    return 0;
}
