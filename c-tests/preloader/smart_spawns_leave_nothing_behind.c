/* Workers come and go: no descriptor and no memory is kept for them, neither of good ones nor of those that failed. */
/* covers: LAW-12, LAW-17, PA-89, C14-3 */
/* variants: none */
/* timeout: 120 */
#include "smart.h"

static void some(const place *p, int count)
{
    for (int i = 0; i < count; i++) {
        if (i % 3 == 2)
            ps_error_free(spawn_refused(p, PATIENCE_MS, PS_ERR_ABORTED));
        else
            end_worker(smart_worker(p));
        for (ps_event event = {.size = sizeof event}; ps_supervisor_next_event(p->supervisor, 0, &event, NULL) == PS_OK;)
            ;
    }
}

int main(int argc, char **argv)
{
    int count = argc > 1 ? atoi(argv[1]) : 60;
    place p = place_begin("every-third", 0);
    some(&p, 30);
    int fds = count_fds();
    long kib = resident_kib();
    some(&p, count - 30);
    printf("descriptors %d -> %d, %ld -> %ld KiB\n", fds, count_fds(), kib, resident_kib());
    CHECK(count_fds() <= fds + 48); /* fifos of attempts that were given up, for a second */
    CHECK(resident_kib() - kib < 2048);
    CHECK_INT(preloader_generation(&p), 1);
    place_end(&p);
}
