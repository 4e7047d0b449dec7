/* An idle preloader is stopped and comes back; another application than its own is refused; a directory for sockets that is gone is named; a copy
   of the host has no preloader; what is readable without waiting; a budget bounds its starts. */
/* covers: PA-5, PA-7, PA-8, RP-14, D-12, LAW-6, CO-passenger-1020, CO-passenger-1164, C14-3 */
/* variants: few */
#include "smart.h"

int main(void)
{
    ps_error *error = NULL;
    place p = place_begin("good", 0);
    ps_worker *untouched = NULL;
    CHECK_ERROR(ps_preloader_set_protocol(p.preloader, PS_PRELOADER_NATIVE, &error), PS_ERR_INVALID_ARGUMENT, &error);
    CHECK_STR(ps_error_step(error), "session");
    ps_error_free(error);

    ps_command *other = exiting("0");
    session(other, "app_root", "/tmp");
    CHECK_ERROR(ps_preloader_spawn(p.preloader, p.supervisor, other, PATIENCE_MS, &untouched, &error), PS_ERR_INVALID_ARGUMENT, &error);
    CHECK_STR(ps_error_step(error), "app_root");
    ps_error_free(error);
    ps_command_free(other);
    CHECK_INT(logged(&p, "preloader", NULL), 0);

    /* Idle. */
    int64_t before = 0, after = 0;
    CHECK_OK(ps_preloader_last_used(p.preloader, &before, &error), error);
    CHECK_OK(ps_preloader_set_idle_stop(p.preloader, 0, &error), error);
    ps_worker *worker = smart_worker(&p);
    CHECK_OK(ps_preloader_last_used(p.preloader, &after, &error), error);
    CHECK(after > before);
    int64_t began = now_ns();
    while (preloader_pid(&p) != 0) {
        ps_event event = {.size = sizeof event};
        ps_supervisor_next_event(p.supervisor, 10, &event, NULL);
        CHECK(elapsed_ms(began) < PATIENCE_MS);
    }
    end_worker(worker);
    CHECK_OK(ps_preloader_set_idle_stop(p.preloader, -1, &error), error);
    worker = smart_worker(&p);
    CHECK(generation_of(worker) >= 2);

    /* A copy. */
    pid_t copy = fork();
    if (copy == 0) {
        int32_t pid;
        bool right = ps_preloader_pid(p.preloader, &pid, NULL) == PS_ERR_FORKED && ps_preloader_stop(p.preloader, 0, NULL) == PS_ERR_FORKED;
        ps_preloader_free(p.preloader);
        _exit(right ? 0 : 1);
    }
    int status = -1;
    CHECK(waitpid(copy, &status, 0) == copy && status == 0);
    CHECK(preloader_pid(&p) > 0 && !is_gone(preloader_pid(&p)));
    end_worker(worker);
    /* Its socket is where it was. */
    uint32_t generation = preloader_generation(&p);
    end_worker(smart_worker(&p));
    CHECK_INT(preloader_generation(&p), generation);
    place_end(&p);

    /* Nor has it the conversation that is under way. */
    p = place_begin("slow", 0);
    CHECK_OK(ps_preloader_spawn_begin(p.preloader, p.supervisor, NULL, PATIENCE_MS, &worker, &error), error);
    began = now_ns();
    while (logged(&p, "command", NULL) == 0) {
        ps_event event = {.size = sizeof event};
        ps_supervisor_next_event(p.supervisor, 1, &event, NULL);
        CHECK(elapsed_ms(began) < PATIENCE_MS);
    }
    if ((copy = fork()) == 0) {
        ps_preloader_free(p.preloader);
        _exit(0);
    }
    CHECK(waitpid(copy, &status, 0) == copy && status == 0);
    CHECK_OK(ps_worker_wait(worker, PATIENCE_MS, &error), error);
    CHECK_INT(logged(&p, "command", NULL), 1);
    CHECK_INT(generation_of(worker), 1);
    end_worker(worker);
    place_end(&p);

    /* The directory for its sockets is the caller's, and goes. */
    p = place_begin("good", 0);
    char sockets[128];
    snprintf(sockets, sizeof sockets, "%s.s", p.base);
    CHECK(mkdir(sockets, 0700) == 0);
    CHECK_OK(ps_preloader_set(p.preloader, "socket_dir", sockets, &error), error);
    end_worker(smart_worker(&p));
    char moved[140];
    snprintf(moved, sizeof moved, "%s.x", sockets);
    CHECK(rename(sockets, moved) == 0);
    error = spawn_refused(&p, PATIENCE_MS, PS_ERR_NOT_FOUND);
    says(error, sockets);
    ps_error_free(error);
    CHECK(rename(moved, sockets) == 0);
    end_worker(smart_worker(&p));
    CHECK_INT(preloader_generation(&p), 1);
    CHECK_OK(ps_preloader_stop(p.preloader, -1, &error), error);
    CHECK_INT(entries_in(sockets), 0);
    CHECK(rmdir(sockets) == 0);
    place_end(&p);

    /* A budget. */
    p = place_begin("die-at-start", 0);
    ps_budget *budget = NULL;
    ps_preloader_free(p.preloader);
    CHECK_OK(ps_budget_new(2, 600000, &budget, &error), error);
    ps_command *command = fake_preloader(&p, "die-at-start", 0);
    CHECK_OK(ps_command_budget(command, budget, "fake", &error), error);
    CHECK_OK(ps_preloader_new(command, &p.preloader, &error), error);
    ps_command_free(command);
    for (int i = 0; i < 2; i++)
        ps_error_free(spawn_refused(&p, PATIENCE_MS, PS_ERR_EXITED));
    error = spawn_refused(&p, PATIENCE_MS, PS_ERR_BUDGET_EXHAUSTED);
    CHECK(ps_error_retry_after_ms(error) > 0);
    ps_error_free(error);
    CHECK_INT(logged(&p, "preloader", NULL), 2);
    ps_preloader_free(p.preloader);
    ps_budget_free(budget);
    p.preloader = NULL;
    place_end(&p);
}
