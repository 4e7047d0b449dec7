/* A worker writes two megabytes before it is ready, more than any pipe holds: it gets ready all the same, and the end of what it said is kept. */
/* covers: C14-4, IT-1, PA-55, P-b5 */
#include "real_preloader.h"

int main(void)
{
    need_rack();
    place p = place_new();
    app_file(&p, "config.ru",
             "PhusionPassenger.on_event(:starting_worker_process) { |forked| if forked then 2000.times { STDERR.write('x' * 1000) }\n"
             "  STDERR.puts 'that was all' end }\n" RACK_APP);
    ps_preloader *preloader = rack_preloader(&p);
    ps_worker *worker = ready_worker(&p, preloader);
    answers_as(worker, "rack");
    static char said[1 << 20];
    size_t length = 0;
    ps_error *error = NULL;
    CHECK_OK(ps_child_output(child_of(worker), said, sizeof said - 1, &length, &error), error);
    CHECK(length >= 64 * 1024 && length < sizeof said);
    said[length] = 0;
    CHECK(strstr(said, "xxxx") && strstr(said, "that was all"));
    leaves_at_end_of_stdin(worker);
    ps_preloader_free(preloader);
    place_end(&p);
    return 0;
}
