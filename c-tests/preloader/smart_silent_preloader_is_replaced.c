/* A preloader that two commands in a row found silent (stopped, or it hangs) is replaced; one that has answered in between is not; who was forked for a
   command that was given up finds its end, also who comes late to its gate, and where there was no descriptor to let it through at first. */
/* covers: PA-84, P-b4, P-b18, LAW-15, LAW-17, CO-spring-265, C14-3 */
/* variants: none */
#include "smart.h"

static void late(const place *p, const char *said)
{
    ps_error *error = spawn_refused(p, 200 * slowness(), PS_ERR_TIMEOUT);
    says(error, said);
    ps_error_free(error);
}

static void looks_until(const place *p, bool (*is)(pid_t), pid_t pid)
{
    int64_t began = now_ns();
    while (!is(pid)) {
        ps_event event = {.size = sizeof event};
        ps_supervisor_next_event(p->supervisor, 10, &event, NULL);
        CHECK(elapsed_ms(began) < PATIENCE_MS);
    }
}

static void stopped_for_good(void)
{
    place p = place_begin("good", 0);
    end_worker(smart_worker(&p));
    pid_t first = preloader_pid(&p);
    CHECK(kill(first, SIGSTOP) == 0);
    late(&p, "waiting for the preloader's answer");
    CHECK_INT(preloader_pid(&p), first); /* it may only be slow */
    late(&p, "is replaced");
    ps_worker *worker = smart_worker(&p);
    CHECK_INT(generation_of(worker), 2);
    looks_until(&p, is_gone, first); /* killed, when its time to go by itself is over */
    end_worker(worker);
    place_end(&p);
}

static void slow_now_and_then(void)
{
    place p = place_begin("silent", -1);
    end_worker(smart_worker(&p));
    for (int i = 0; i < 3; i++) {
        pid_t pid = preloader_pid(&p);
        CHECK(kill(pid, SIGSTOP) == 0);
        late(&p, "answer");
        CHECK(kill(pid, SIGCONT) == 0);
        end_worker(smart_worker(&p));
    }
    CHECK_INT(preloader_generation(&p), 1);
    place_end(&p);
}

static void ends_though_given_up(const char *mode)
{
    place p = place_begin(mode, -1);
    end_worker(smart_worker(&p));
    late(&p, "answer");
    pid_t worker = -1;
    int64_t began = now_ns();
    while (logged(&p, "worker", &worker) < 2)
        CHECK(elapsed_ms(began) < PATIENCE_MS);
    looks_until(&p, is_gone, worker);
    place_end(&p);
}

static void ends_though_no_descriptor_is_left(void)
{
    int held[1024], count = 0;
    ps_worker *asked = NULL;
    ps_error *error = NULL;
    place p = place_begin("mute", -1);
    end_worker(smart_worker(&p));
    CHECK_OK(ps_preloader_spawn_begin(p.preloader, p.supervisor, NULL, 400 * slowness(), &asked, &error), error);
    pid_t worker = -1;
    int64_t began = now_ns();
    while (logged(&p, "worker", &worker) < 2) {
        ps_worker_wait(asked, 1, NULL);
        CHECK(elapsed_ms(began) < PATIENCE_MS);
    }
    while (count < 1024 && (held[count] = fcntl(2, F_DUPFD_CLOEXEC, 3)) >= 0)
        count++;
    CHECK(count < 1024);
    CHECK_STATUS(ps_worker_wait(asked, PATIENCE_MS, NULL), PS_ERR_TIMEOUT);
    CHECK(!is_gone(worker));
    while (count > 0)
        close(held[--count]);
    ps_worker_free(asked);
    looks_until(&p, is_gone, worker);
    place_end(&p);
}

int main(void)
{
    stopped_for_good();
    slow_now_and_then();
    ends_though_given_up("mute");
    ends_though_given_up("late");
    struct rlimit limit = {256, 256};
    CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
    ends_though_no_descriptor_is_left();
}
