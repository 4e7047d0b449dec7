/* Workers of a preloader that keeps their zombies as it is told: c-tests/helpers/keeper.c, whose head says what they can be made to do.
 *
 *   keeper k = keeper_begin(NULL, "never");
 *   ps_child *child = worker_of(&k);
 *   order(&k, "x 7\n");                       (to the last worker)
 *   keeper_end(&k);
 */
#ifndef PROCSUP_TEST_KEEPER_H
#define PROCSUP_TEST_KEEPER_H

#include "children.h"

typedef struct keeper {
    char base[96], log[128];
    ps_preloader *preloader;
    ps_supervisor *supervisor;
    ps_worker *worker;
    int input;
    pid_t pid, bystander;
} keeper;

/* The number in the last line of the log that begins so; 0: there is none. */
HARNESS pid_t noted(const keeper *k, const char *what)
{
    pid_t last = 0;
    char line[64];
    FILE *file = fopen(k->log, "re");
    while (file && fgets(line, sizeof line, file))
        if (strncmp(line, what, strlen(what)) == 0 && line[strlen(what)] == ' ')
            last = atoi(line + strlen(what) + 1);
    if (file)
        fclose(file);
    return last;
}

HARNESS keeper keeper_begin(ps_supervisor *supervisor, const char *reaps)
{
    keeper k = {.supervisor = supervisor, .input = -1};
    ps_error *error = NULL;
    snprintf(k.base, sizeof k.base, "%s", temp_dir());
    snprintf(k.log, sizeof k.log, "%s/log", k.base);
    ps_command *command = helper_command("keeper", k.log, reaps, NULL);
    CHECK_OK(ps_command_session(command, "spawn_dir", k.base, &error), error);
    CHECK_OK(ps_command_session(command, "app_root", "/", &error), error);
    CHECK_OK(ps_preloader_new(command, &k.preloader, &error), error);
    ps_command_free(command);
    return k;
}

/* One more worker, as this command says; the last one's standard input stays open. Where nobody can be proven to be anybody the test is skipped. */
HARNESS ps_child *worker_as(keeper *k, ps_command *command)
{
    ps_child *child = NULL;
    ps_error *error = NULL;
    ps_worker *worker = NULL;
    ps_status status = ps_preloader_spawn(k->preloader, k->supervisor, command, PATIENCE_MS, &worker, &error);
    if (status == PS_ERR_UNSUPPORTED)
        SKIP("no worker can be proven here");
    CHECK_OK(status, error);
    CHECK_OK(ps_worker_child(worker, &child, &error), error);
    CHECK_OK(ps_worker_stdin(worker, &k->input, &error), error);
    ps_worker_free(k->worker);
    k->worker = worker;
    k->pid = noted(k, "preloader");
    k->bystander = noted(k, "bystander");
    if (command)
        ps_command_free(command);
    return child;
}

HARNESS ps_child *worker_of(keeper *k) { return worker_as(k, NULL); }

HARNESS void order(const keeper *k, const char *what)
{
    CHECK(write(k->input, what, strlen(what)) == (ssize_t)strlen(what));
}

HARNESS char *said_by(const ps_child *child, char *text, size_t cap)
{
    ps_error *error = NULL;
    size_t length = 0;
    memset(text, 0, cap);
    CHECK_OK(ps_child_output(child, text, cap - 1, &length, &error), error);
    return text;
}

HARNESS void await_word(const ps_child *child, const char *word)
{
    char text[256];
    CHECK(wait_until(strstr(said_by(child, text, sizeof text), word) != NULL, 20000));
}

/* Whether signals reach workers: where a filter forbids them by pidfd they do not. */
HARNESS bool signals_reach_workers(void) { return !variant_is("locked-down") && !variant_is("no-pidfd_send_signal"); }

HARNESS void keeper_look(const keeper *k)
{
    ps_event event = {.size = sizeof event};
    if (k->supervisor)
        CHECK(ps_supervisor_next_event(k->supervisor, 0, &event, NULL) >= PS_OK);
    else
        reap_and_free(spawn_once(NULL, exiting("0")));
}

/* The bystander has survived it all, and everything goes: no directory is left. */
HARNESS void keeper_end(keeper *k)
{
    if (k->input >= 0)
        close(k->input);
    ps_worker_free(k->worker);
    ps_preloader_free(k->preloader);
    CHECK(!is_dead(k->bystander));
    kill(k->bystander, SIGKILL);
    CHECK(unlink(k->log) == 0);
    /* The sockets' directory goes with the last worker, within a look of its supervisor. */
    CHECK(wait_until(rmdir(k->base) == 0 || (keeper_look(k), false), 20000));
}

#endif
