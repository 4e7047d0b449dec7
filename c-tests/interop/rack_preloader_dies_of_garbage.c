/* A stranger's line that is no JSON ends the real preloader (P-b17), and a silent stranger holds it up: it serves one connection at a time, without
   a limit. We go on: a timeout while the silent one is there, service when it has left, a new preloader after the garbage. */
/* covers: C14-4, IT-1, P-b17, PA-84 */
#include "real_preloader.h"

/* The preloader's socket: the one of its name. */
static const char *command_socket(const place *p)
{
    static char found[160];
    char pattern[160];
    snprintf(pattern, sizeof pattern, "find %s -type s -name 'preloader.*'", p->spawns);
    FILE *find = popen(pattern, "re");
    CHECK(find != NULL);
    strcpy(found, "unix:");
    CHECK(fgets(found + 5, sizeof found - 5, find));
    CHECK_INT(pclose(find), 0);
    found[strcspn(found, "\n")] = 0;
    return found;
}

int main(void)
{
    need_rack();
    place p = place_new();
    app_file(&p, "config.ru", RACK_APP);
    ps_preloader *preloader = rack_preloader(&p);
    ps_worker *first = ready_worker(&p, preloader), *none = NULL;
    pid_t forked_by = parent_of(worker_pid(first));
    ps_error *error = NULL;

    int silent = connect_to_address(command_socket(&p));
    CHECK(silent >= 0);
    CHECK_ERROR(ps_preloader_spawn(preloader, p.supervisor, NULL, 300, &none, &error), PS_ERR_TIMEOUT, &error);
    ps_error_free(error);
    error = NULL;
    close(silent);
    ps_worker *second = ready_worker(&p, preloader);
    CHECK_INT(parent_of(worker_pid(second)), forked_by);
    CHECK_INT(generation_of(second), 1);

    int rude = connect_to_address(command_socket(&p));
    CHECK(rude >= 0);
    CHECK_INT(send(rude, "not json\n", 9, MSG_NOSIGNAL), 9);
    char *answer = answer_until_end(rude, PATIENCE_MS);
    CHECK_STR(answer, "");
    free(answer);
    close(rude);
    CHECK(wait_until(process_gone(forked_by) || process_state(forked_by) == 'Z', PATIENCE_MS));
    ps_worker *third = ready_worker(&p, preloader);
    CHECK_INT(generation_of(third), 2);
    answers_as(third, "rack");
    answers_as(second, "rack");

    leaves_at_end_of_stdin(first);
    leaves_at_end_of_stdin(second);
    leaves_at_end_of_stdin(third);
    ps_preloader_free(preloader);
    place_end(&p);
    return 0;
}
