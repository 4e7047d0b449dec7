/* A session's directory is its own, under spawn_dir, and gone with the attempt unless it is to stay; where it cannot be made, the error names the place, and
   the step of preparation has failed. A forked copy of the host takes nothing away. Scenarios 7.4 4, 10 and 11 of the reference. */
/* covers: PA-19, PA-29, PA-30, PA-31, D-13, LAW-6, CO-passenger-1020 */
/* variants: few */
#include "scripted.h"

static void nowhere(const char *place, ps_status status)
{
    ps_command *command = script(":");
    say_argument(command, "spawn_dir", place);
    ps_error *error = unprepared(command, status);
    CHECK(strstr(ps_error_message(error), place) != NULL);
    ps_error_free(error);
    ps_command_free(command);
}

/* The only entry of apps_dir() with this beginning. */
static char *entry(const char *beginning)
{
    char *found = NULL;
    DIR *dir = opendir(apps_dir());
    CHECK(dir != NULL);
    for (struct dirent *entry; (entry = readdir(dir));)
        if (strncmp(entry->d_name, beginning, strlen(beginning)) == 0 && asprintf(&found, "%s/%s", apps_dir(), entry->d_name) < 0)
            CHECK(false);
    closedir(dir);
    return found;
}

int main(void)
{
    char place[96], gone[96];
    ps_error *error = NULL;
    warm_up_direct();

    /* While it lives: its directory for sockets, for its owner alone. */
    ps_command *command = script("stat -c '%a' $W $W/response; cp -p $W/args/socket_dir $W/envdump/annotations/s");
    ps_worker *worker = direct(NULL, command);
    ps_child *child = child_of(worker);
    char *said = said_by(child), *sockets = entry("procsup.");
    CHECK_STR(said, "700\n700\n");
    struct stat there;
    CHECK(sockets && stat(sockets, &there) == 0 && (there.st_mode & 07777) == 0700);
    CHECK_INT(entries_of(apps_dir()), 1);

    /* A copy of the host goes: nothing of that is its own. */
    pid_t copy = fork();
    if (copy == 0) {
        ps_worker_free(worker);
        _exit(0);
    }
    int status;
    CHECK(copy > 0 && waitpid(copy, &status, 0) == copy && stat(sockets, &there) == 0);
    free(sockets);
    free(said);
    end(worker);
    ALL_IS_GONE();

    say_argument(command, "debug_work_dir", "true");
    end(direct(NULL, command));
    char *kept = entry("procsup-debug.");
    CHECK(kept != NULL);
    free(kept);
    ps_command_free(command);
    remove_apps();
    CHECK(mkdir(apps_dir(), 0700) == 0);

    /* Places that are none. */
    snprintf(gone, sizeof gone, "%s/gone", apps_dir());
    nowhere(gone, PS_ERR_NOT_FOUND);
    snprintf(place, sizeof place, "%s/link", apps_dir());
    CHECK(symlink(gone, place) == 0);
    nowhere(place, PS_ERR_NOT_FOUND);
    CHECK(unlink(place) == 0);
    int fd = open(place, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    CHECK(fd >= 0);
    close(fd);
    nowhere(place, PS_ERR_NOT_FOUND);
    CHECK(unlink(place) == 0 && mkdir(place, 0700) == 0 && chmod(place, 0777) == 0);
    nowhere(place, PS_ERR_PERMISSION);
    if (geteuid() == 0) {
        CHECK(chmod(place, 0700) == 0 && chown(place, 12345, 12345) == 0);
        nowhere(place, PS_ERR_PERMISSION);
    } else {
        CHECK(chmod(place, 0500) == 0);
        nowhere(place, PS_ERR_PERMISSION);
    }
    nowhere("/proc", geteuid() == 0 ? PS_ERR_NOT_FOUND : PS_ERR_PERMISSION);
    CHECK(rmdir(place) == 0);

    command = script(":");
    say_argument(command, "socket_dir", gone);
    error = unprepared(command, PS_ERR_NOT_FOUND);
    CHECK(strstr(ps_error_message(error), gone) != NULL);
    ps_error_free(error);
    ps_command_free(command);
    ALL_IS_GONE();
    return 0;
}
