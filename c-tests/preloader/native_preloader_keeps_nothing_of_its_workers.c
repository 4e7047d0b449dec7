/* What a worker is given does not pass through the preloader: a later worker, which is a copy of it, could read there what was meant for another. Nor is
   anything of a worker that has ended left in it. */
/* covers: FS-13, C15-1 */
#include "preloading.h"

#include <sys/mman.h>

enum { SECRET = 40, WORKERS = 8 };

static void say(const char *question, char *answer, size_t cap)
{
    char secret[64] = "";
    (void)question;
    ssize_t got = pread(SECRET, secret, sizeof secret - 1, 0);
    snprintf(answer, cap, "%s", got > 0 ? secret : "nothing");
}

/* How many descriptors it has, and whether one of them is the secret. */
static int descriptors_of(int32_t pid, bool *has_secret)
{
    char path[300], target[128];
    int count = 0;
    snprintf(path, sizeof path, "/proc/%d/fd", pid);
    DIR *fds = opendir(path);
    CHECK(fds);
    for (struct dirent *entry; (entry = readdir(fds)) != NULL;) {
        if (entry->d_name[0] == '.')
            continue;
        count++;
        snprintf(path, sizeof path, "/proc/%d/fd/%s", pid, entry->d_name);
        ssize_t got = readlink(path, target, sizeof target - 1);
        target[got > 0 ? got : 0] = 0;
        *has_secret |= strstr(target, "the-secret") != NULL;
    }
    closedir(fds);
    return count;
}

int main(int argc, char **argv)
{
    if (is_application(argc, argv))
        return be_application(argv[2], PS_FORK_SIBLING, NULL, say);
    bool has_secret = false;
    ps_error *error = NULL;
    house h = house_of("plain");
    worker first = house_worker(&h);
    int32_t preloader = house_pid(&h);
    int before = descriptors_of(preloader, &has_secret);
    for (int i = 0; i < WORKERS; i++) {
        int secret = memfd_create("the-secret", MFD_CLOEXEC);
        CHECK(write(secret, "of one", 6) == 6);
        ps_command *command = command_for("worker", NULL);
        CHECK_OK(ps_command_pass_fd(command, secret, SECRET, &error), error);
        worker w = worker_with(&h, command);
        CHECK_STR(asked(w, "secret"), "of one");
        descriptors_of(preloader, &has_secret);
        CHECK(!has_secret);
        close(secret);
        if (i % 2)
            worker_end(&w);
        else {
            CHECK_OK(ps_signal(w.child, SIGKILL, &error), error);
            CHECK_INT(worker_end(&w).signal, SIGKILL);
        }
    }
    worker last = house_worker(&h);
    CHECK_STR(asked(last, "secret"), "nothing");
    CHECK(wait_until(descriptors_of(preloader, &has_secret) <= before, 10000)); /* what it has of the last one is closed as soon as it looks */
    CHECK(!has_secret);
    worker_end(&first);
    worker_end(&last);
    house_end(&h);
    return 0;
}
