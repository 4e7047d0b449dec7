/*
 * Driving preloaders that others have written, on top of real_peers.h:
 *
 *   ps_preloader *preloader = rack_preloader(&p)          Passenger's rack-preloader.rb with the application of the place
 *   ps_worker *worker = ready_worker(&p, preloader)
 */
#ifndef PROCSUP_TEST_REAL_PRELOADER_H
#define PROCSUP_TEST_REAL_PRELOADER_H

#include "real_peers.h"

HARNESS void preloader_set(ps_preloader *preloader, const char *name, const char *value)
{
    ps_error *error = NULL;
    CHECK_OK(ps_preloader_set(preloader, name, value, &error), error);
}

HARNESS ps_preloader *preloader_of(ps_command *command)
{
    ps_preloader *preloader = NULL;
    ps_error *error = NULL;
    CHECK_OK(ps_preloader_new(command, &preloader, &error), error);
    ps_command_free(command);
    return preloader;
}

HARNESS ps_preloader *rack_preloader(const place *p)
{
    ps_command *command = command_for(RUBY, PASSENGER_HELPERS "/rack-preloader.rb", NULL);
    tell(command, p, "rack", "config.ru");
    session(command, "spawn_method", "smart");
    return preloader_of(command);
}

HARNESS ps_worker *ready_worker(const place *p, ps_preloader *preloader)
{
    ps_worker *worker = NULL;
    ps_error *error = NULL;
    CHECK_OK(ps_preloader_spawn(preloader, p->supervisor, NULL, PATIENCE_MS, &worker, &error), error);
    return worker;
}

#endif
