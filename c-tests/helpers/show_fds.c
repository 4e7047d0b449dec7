/*
 * Prints the descriptors that are open when it starts, in rising order on one line: "0 1 2\n". With -l one line each:
 * "<fd> <cloexec 0|1> <where /proc says it leads>\n".
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int by_number(const void *a, const void *b)
{
    return *(const int *)a - *(const int *)b;
}

int main(int argc, char **argv)
{
    static int fds[65536];
    size_t count = 0;
    DIR *dir = opendir("/proc/self/fd");
    if (!dir)
        return 1;
    for (struct dirent *entry; (entry = readdir(dir)) && count < sizeof fds / sizeof *fds;)
        if (entry->d_name[0] != '.' && atoi(entry->d_name) != dirfd(dir))
            fds[count++] = atoi(entry->d_name);
    closedir(dir);
    qsort(fds, count, sizeof *fds, by_number);

    if (argc > 1 && strcmp(argv[1], "-l") == 0) {
        for (size_t i = 0; i < count; i++) {
            char link[64], target[4096] = "?";
            snprintf(link, sizeof link, "/proc/self/fd/%d", fds[i]);
            ssize_t length = readlink(link, target, sizeof target - 1);
            if (length >= 0)
                target[length] = 0;
            printf("%d %d %s\n", fds[i], (fcntl(fds[i], F_GETFD) & FD_CLOEXEC) != 0, target);
        }
        return 0;
    }
    for (size_t i = 0; i < count; i++)
        printf(i ? " %d" : "%d", fds[i]);
    putchar('\n');
    return 0;
}
