/*
 * A service that speaks to its starter through the real libsystemd: sd-daemon(3). It does what its arguments say, one after the other, and prints
 * what each call has answered.
 *
 *   listen          listen 2 http admin      (sd_listen_fds_with_names; then whether all are close-on-exec)
 *   watchdog        watchdog 1 20000000      (sd_watchdog_enabled)
 *   notify TEXT     notify 1                 (sd_notify)
 *   barrier USEC    barrier 1                (sd_notify_barrier)
 *   stdin           waits for the end of stdin
 *
 * Exit 77 where there is no libsystemd. It is loaded, not linked: where it is missing the suite builds all the same.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void *library;

static void *find(const char *name)
{
    void *function = dlsym(library, name);
    if (!function) {
        fprintf(stderr, "this libsystemd has no %s\n", name);
        exit(77);
    }
    return function;
}

int main(int argc, char **argv)
{
    library = dlopen("libsystemd.so.0", RTLD_NOW);
    if (!library) {
        fprintf(stderr, "no libsystemd: %s\n", dlerror());
        return 77;
    }
    int (*listen_fds)(int, char ***);
    int (*watchdog)(int, uint64_t *);
    int (*notify)(int, const char *);
    int (*barrier)(int, uint64_t);
    *(void **)&listen_fds = find("sd_listen_fds_with_names");
    *(void **)&watchdog = find("sd_watchdog_enabled");
    *(void **)&notify = find("sd_notify");
    *(void **)&barrier = find("sd_notify_barrier");
    setvbuf(stdout, NULL, _IOLBF, 0);
    for (int i = 1; i < argc; i++) {
        const char *next = i + 1 < argc ? argv[i + 1] : "";
        if (strcmp(argv[i], "listen") == 0) {
            char **names = NULL;
            int count = listen_fds(0, &names), closing = 0;
            printf("listen %d", count);
            for (int k = 0; k < count; k++) {
                printf(" %s", names[k]);
                closing += fcntl(3 + k, F_GETFD) == FD_CLOEXEC;
            }
            puts(count <= 0 ? "" : closing == count ? " all close-on-exec" : " some are inherited");
        } else if (strcmp(argv[i], "watchdog") == 0) {
            uint64_t usec = 0;
            int answer = watchdog(0, &usec);
            printf("watchdog %d %llu\n", answer, (unsigned long long)usec);
        } else if (strcmp(argv[i], "notify") == 0) {
            printf("notify %d\n", notify(0, next));
            i++;
        } else if (strcmp(argv[i], "barrier") == 0) {
            printf("barrier %d\n", barrier(0, strtoull(next, NULL, 10)));
            i++;
        } else if (strcmp(argv[i], "stdin") == 0) {
            while (getchar() != EOF)
                ;
        } else {
            fprintf(stderr, "what is %s?\n", argv[i]);
            return 2;
        }
    }
    return 0;
}
