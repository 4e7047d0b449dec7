/* Workers of an application that is a preloader by ps_preload_* (c-tests/helpers/native_app.c says what the words mean):
 *
 *   place p = app_begin("how=sibling", "worker=slow", NULL);
 *   ps_worker *worker = smart_worker(&p);
 *   end_native(worker);
 *   place_end(&p);                            nobody and nothing is left
 */
#ifndef PROCSUP_TEST_NATIVE_APP_H
#define PROCSUP_TEST_NATIVE_APP_H

#include "native.h"

HARNESS place app_begin(const char *word, ...)
{
    place p = {.supervisor = NULL};
    ps_error *error = NULL;
    snprintf(p.base, sizeof p.base, "%s", temp_dir());
    snprintf(p.log, sizeof p.log, "%s.log", p.base);
    warm_up();
    p.guard = leak_guard_begin();
    p.supervisor = supervisor_new();
    ps_command *command = helper_command("native_app", p.log, NULL);
    va_list words;
    va_start(words, word);
    for (const char *at = word; at; at = va_arg(words, const char *))
        CHECK_OK(ps_command_arg(command, at, &error), error);
    va_end(words);
    return native_of(command, p);
}

#endif
