/* Faults in a smart spawn: the preloader's own start, the command to it, the proof of the worker, its gate, its end, and the preloader's. Whatever fails, the
   worker is ready, or there is a typed error; and nothing is left of either, their directories included. */
/* variants: only tier-fork: how a child is made in between is swept by spawn_plain and spawn_reap */
/* share: 194 */
#include "scenario.h"

#include "smart.h"

/* What is answered by the other side's word, or in its place: it was not understood, not proven, or gone. */
static bool is_of_the_other_side(ps_status status, ps_error **error)
{
    if (!getenv("PROCSUP_TEST_FAULT") || (status != PS_ERR_PROTOCOL && status != PS_ERR_PEER_REJECTED && status != PS_ERR_EXITED))
        return false;
    inject_end();
    CHECK_INT(ps_error_status(*error), status);
    CHECK(ps_error_step(*error)[0]);
    printf("%s at %s\n", ps_status_name(status), ps_error_step(*error));
    ps_error_free(*error);
    *error = NULL;
    return true;
}

static void come_and_go(place *p)
{
    ps_error *error = NULL;
    ps_preloader *preloader = NULL;
    ps_worker *worker = NULL;
    ps_child *child = NULL;
    ps_exit end = {.size = sizeof end};
    ps_command *command = fake_preloader(p, "good", 0);
    if (!worked(ps_supervisor_new(&p->supervisor, &error), &error)) {
        ps_command_free(command);
        return;
    }
    if (worked(ps_preloader_new(command, &preloader, &error), &error)) {
        ps_status status = ps_preloader_spawn(preloader, p->supervisor, NULL, 20000, &worker, &error);
        if (!is_of_the_other_side(status, &error) && worked(status, &error)) {
            if (worked(ps_worker_child(worker, &child, &error), &error)) {
                worked(ps_terminate(child, 0, &end, &error), &error);
                ps_child_free(child);
            }
            ps_worker_free(worker);
        }
        ps_preloader_free(preloader);
    }
    ps_supervisor_free(p->supervisor);
    ps_command_free(command);
}

/* Whatever was left to later calls is done by those of a supervisor. */
static void look(const place *p)
{
    ps_event event = {.size = sizeof event};
    ps_supervisor *supervisor = supervisor_new();
    for (int64_t began = now_ns(); entries_in(p->base) > 0 && elapsed_ms(began) < 10000;)
        CHECK_STATUS(ps_supervisor_next_event(supervisor, 1, &event, NULL), PS_PENDING);
    ps_supervisor_free(supervisor);
}

int main(int argc, char **argv)
{
    static place p;
    snprintf(p.base, sizeof p.base, "%s", temp_dir());
    snprintf(p.log, sizeof p.log, "%s.log", p.base);
    if (geteuid() == 0)
        CHECK(chmod(p.base, 0755) == 0);
    scenario_keeps(2);
    scenario_asks_for_users();
    if (!(argc > 1 && strcmp(argv[1], "cold") == 0)) {
        come_and_go(&p);
        come_and_go(&p);
    }
    look(&p);
    scenario_begin(argc, argv);
    come_and_go(&p);
    inject_end();
    look(&p);
    CHECK_INT(entries_in(p.base), 0);
    all_are_gone(&p);
    scenario_end();
    unlink(p.log);
    CHECK(rmdir(p.base) == 0);
    return 0;
}
