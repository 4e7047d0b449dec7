/* Passenger's Ruby cuts the name of a socket at 98 bytes: from a directory of 81 bytes on it loses its random end, from 98 on the socket would be
   elsewhere. A socket_dir of more than 70 bytes is refused before anything is started; one of 70 works. */
/* covers: C14-4, IT-1, PA-9, D-13 */
#include "real_preloader.h"

/* A directory for sockets in this place with a path so long. */
static const char *directory_of(const place *p, size_t length)
{
    static char path[128];
    size_t base = (size_t)snprintf(path, sizeof path, "%s/", p->base);
    memset(path + base, 'd', length - base);
    path[length] = 0;
    CHECK(mkdir(path, 0755) == 0);
    return path;
}

int main(void)
{
    need_rack();
    place p = place_new();
    app_file(&p, "config.ru", RACK_APP);
    ps_worker *none = NULL;
    ps_error *error = NULL;
    const size_t too_long[] = {71, 81, 88, 98, 107};
    for (size_t i = 0; i < sizeof too_long / sizeof *too_long; i++) {
        ps_preloader *preloader = rack_preloader(&p);
        const char *directory = directory_of(&p, too_long[i]);
        ps_status status = ps_preloader_set(preloader, "socket_dir", directory, &error);
        if (status == PS_OK)
            status = ps_preloader_spawn(preloader, p.supervisor, NULL, PATIENCE_MS, &none, &error);
        CHECK_INT(status, PS_ERR_INVALID_ARGUMENT);
        says(error, "socket_dir");
        ps_error_free(error);
        error = NULL;
        ps_preloader_free(preloader);
    }
    ps_preloader *preloader = rack_preloader(&p);
    /* The sockets of applications are in apps.s of the instance directory: 70 bytes with that. */
    char instance[128], sockets[160];
    snprintf(instance, sizeof instance, "%s", directory_of(&p, 70 - strlen("/apps.s")));
    snprintf(sockets, sizeof sockets, "%s/apps.s", instance);
    CHECK(mkdir(sockets, 0755) == 0);
    CHECK_INT(strlen(sockets), 70);
    preloader_set(preloader, "instance_dir", instance);
    preloader_set(preloader, "socket_dir", sockets);
    ps_worker *worker = ready_worker(&p, preloader);
    answers_as(worker, "rack");
    leaves_at_end_of_stdin(worker);
    ps_preloader_free(preloader);
    CHECK_INT(left_in(sockets), 0);
    place_end(&p);
    return 0;
}
