/* Workers from a preloader of the native protocol. By hand (c-tests/helpers/raw_preloader.c), well or badly:
 *
 *   place p = native_begin("die", 1);         its first fork goes wrong
 *   ps_worker *worker = smart_worker(&p);
 *   end_native(worker);
 *   place_end(&p);                            nobody and nothing is left
 */
#ifndef PROCSUP_TEST_NATIVE_H
#define PROCSUP_TEST_NATIVE_H

#include "smart.h"
#include "strangers.h"

#include <sys/syscall.h>

HARNESS place native_of(ps_command *command, place p)
{
    ps_error *error = NULL;
    CHECK_OK(ps_preloader_new(command, &p.preloader, &error), error);
    CHECK_OK(ps_preloader_set_protocol(p.preloader, PS_PRELOADER_NATIVE, &error), error);
    ps_command_free(command);
    return p;
}

/* `wrong`: so many forks go as the mode says, the others well; negative: all of them go so. */
HARNESS place native_begin(const char *mode, int wrong)
{
    place p = {.supervisor = NULL};
    char count[16];
    snprintf(count, sizeof count, "%d", wrong);
    snprintf(p.base, sizeof p.base, "%s", temp_dir());
    snprintf(p.log, sizeof p.log, "%s.log", p.base);
    warm_up();
    p.guard = leak_guard_begin();
    p.supervisor = supervisor_new();
    return native_of(helper_command("raw_preloader", p.log, mode, count, NULL), p);
}

/* Stops it as its owner does, and lets it go. */
HARNESS ps_exit end_native(ps_worker *worker)
{
    ps_error *error = NULL;
    ps_child *child = child_of(worker);
    ps_exit exit = {.size = sizeof exit};
    CHECK_OK(ps_terminate(child, -1, &exit, &error), error);
    ps_child_free(child);
    ps_worker_free(worker);
    return exit;
}

HARNESS ps_worker_info info_of(const ps_worker *worker)
{
    ps_error *error = NULL;
    ps_worker_info info = {.size = sizeof info};
    CHECK_OK(ps_worker_get_info(worker, &info, &error), error);
    return info;
}

#endif
