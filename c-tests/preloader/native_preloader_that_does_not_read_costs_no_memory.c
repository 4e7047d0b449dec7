/* A preloader that tells of ends without end and reads none of the answers: they do not stand in line in the host's memory. */
/* covers: C15-1, LAW-17 */
/* variants: none */
#include "native.h"
#include "outputs.h"

enum { PASSES = 1500, MESSAGES = PASSES * 100 };

int main(void)
{
    place p = native_begin("tells-of-ends", -1);
    ps_error *error = NULL;
    ps_worker *worker = NULL;
    ps_event event = {.size = sizeof event};
    CHECK_OK(ps_preloader_spawn_begin(p.preloader, p.supervisor, NULL, -1, &worker, &error), error);
    for (int i = 0; i < PASSES / 2; i++)
        ps_supervisor_next_event(p.supervisor, 10, &event, NULL);
    long before = rss_kib();
    for (int i = 0; i < PASSES / 2; i++)
        ps_supervisor_next_event(p.supervisor, 10, &event, NULL);
    long after = rss_kib();
    printf("%ld KiB, then %ld KiB\n", before, after);
    CHECK(after - before < 2048);
    ps_preloader_free(p.preloader);
    ps_worker_free(worker);
    p.preloader = NULL;
    place_end(&p);
}
