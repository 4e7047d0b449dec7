/*
 * What the error of a failed start says, part by part.
 *
 *   has(error, format, part)            whether that form holds it; shows the form if not
 *   state_in(json, step)                how far a step came, by the journey in JSON: "performed", "errored", ...
 */
#ifndef PROCSUP_TEST_FAILURES_H
#define PROCSUP_TEST_FAILURES_H

#include "direct.h"

HARNESS bool has(const ps_error *error, int32_t format, const char *part)
{
    char *text = text_of(error, format);
    bool found = strstr(text, part) != NULL;
    if (!found)
        fprintf(stderr, "%s is not in\n%s\n", part, text);
    free(text);
    return found;
}

HARNESS bool has_not(const ps_error *error, int32_t format, const char *part)
{
    char *text = text_of(error, format);
    bool found = strstr(text, part) != NULL;
    if (found)
        fprintf(stderr, "%s is in\n%s\n", part, text);
    free(text);
    return !found;
}

/* The keys of an object of JSON come in the order of the alphabet: "name" before "state". */
HARNESS const char *state_in(const char *json, const char *step)
{
    static char state[32];
    char key[96];
    snprintf(key, sizeof key, "\"name\":\"%s\",\"state\":\"", step);
    const char *at = strstr(json, key);
    if (!at)
        return "(none)";
    at += strlen(key);
    snprintf(state, sizeof state, "%.*s", (int)strcspn(at, "\""), at);
    return state;
}

HARNESS const char *step_state(const ps_error *error, const char *step)
{
    char *json = text_of(error, PS_RENDER_JSON);
    const char *state = state_in(json, step);
    free(json);
    return state;
}

#endif
