/* A worker has what the application has opened, what its own command lends it, and its own end of its pair: nothing of the other workers, of those that
   wait in the pool, of the preloader's channel, or of the host. */
/* covers: FS-4, C15-1 */
#include "preloading.h"

enum { OF_THE_APPLICATION = 20, LENT = 30 };

static void loaded(ps_preload *preload, const char *mode)
{
    (void)preload;
    (void)mode;
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    CHECK(dup2(null, OF_THE_APPLICATION) == OF_THE_APPLICATION && close(null) == 0);
}

/* "fds": number and what it is, of each. */
static void say(const char *question, char *answer, size_t cap)
{
    char path[64], target[128];
    size_t length = 0;
    DIR *fds = opendir("/proc/self/fd");
    CHECK(strcmp(question, "fds") == 0 && fds);
    for (struct dirent *entry; (entry = readdir(fds)) != NULL;) {
        int fd = atoi(entry->d_name);
        if (entry->d_name[0] == '.' || fd == dirfd(fds))
            continue;
        snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
        ssize_t got = readlink(path, target, sizeof target - 1);
        target[got > 0 ? got : 0] = 0;
        length += (size_t)snprintf(answer + length, cap - length, "%d=%s ", fd, target);
    }
    closedir(fds);
}

static void count(const char *list, int *sockets, int *others)
{
    *sockets = *others = 0;
    for (const char *at = list; (at = strchr(at, '=')) != NULL; at++)
        ++*(strncmp(at + 1, "socket:", 7) == 0 ? sockets : others);
}

int main(int argc, char **argv)
{
    if (is_application(argc, argv))
        return be_application(argv[2], PS_FORK_SIBLING, loaded, say);
    int of_the_host = open("/", O_RDONLY | O_DIRECTORY), sockets, others; /* not close-on-exec: a host that knows no better */
    ps_error *error = NULL;
    house h = house_of("plain");
    CHECK_OK(ps_preloader_set_pool(h.preloader, 2, -1, &error), error);
    worker first = house_worker(&h), second = house_worker(&h);
    FILE *lent = tmpfile();
    ps_command *command = command_for("worker", NULL);
    CHECK_OK(ps_command_pass_fd(command, fileno(lent), LENT, &error), error);
    worker third = worker_with(&h, command);
    fclose(lent);

    worker all[] = {first, second, third};
    for (int i = 0; i < 3; i++) {
        const char *list = asked(all[i], "fds");
        char words[3][16] = {" 9=socket:", " 20=/dev/null", " 30=/"}, from[LINE + 1];
        snprintf(from, sizeof from, " %.*s", LINE - 2, list);
        CHECK(strstr(from, words[0]) && strstr(from, words[1]));
        CHECK((strstr(from, words[2]) != NULL) == (i == 2));
        count(list, &sockets, &others);
        CHECK_INT(sockets, 2); /* its pair, and the connection that it was given */
        CHECK_INT(others, 3 + 1 + (i == 2));
    }
    for (int i = 0; i < 3; i++)
        worker_end(&all[i]);
    close(of_the_host);
    house_end(&h);
    return 0;
}
