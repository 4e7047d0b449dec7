/*
 * Prints who and where it is, one "name=value" per line: uid, euid, gid, egid, groups (with commas), pid, ppid, pgid, sid, umask
 * (octal with a leading 0), nice, cwd, nofile and core (soft:hard, "unlimited" where there is none), no_new_privs, pdeathsig.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static void print_limit(const char *name, int resource)
{
    struct rlimit limit;
    getrlimit(resource, &limit);
    rlim_t values[2] = {limit.rlim_cur, limit.rlim_max};
    printf("%s=", name);
    for (int i = 0; i < 2; i++) {
        if (values[i] == RLIM_INFINITY)
            printf("unlimited");
        else
            printf("%llu", (unsigned long long)values[i]);
        putchar(i ? '\n' : ':');
    }
}

int main(void)
{
    static gid_t groups[65536];
    char cwd[PATH_MAX];
    int count = getgroups(sizeof groups / sizeof *groups, groups), pdeathsig = 0;
    mode_t mask = umask(0);

    printf("uid=%u\neuid=%u\ngid=%u\negid=%u\ngroups=", getuid(), geteuid(), getgid(), getegid());
    for (int i = 0; i < count; i++)
        printf(i ? ",%u" : "%u", groups[i]);
    printf("\npid=%d\nppid=%d\npgid=%d\nsid=%d\n", getpid(), getppid(), getpgrp(), getsid(0));
    printf("umask=%#o\n", (unsigned)mask);
    printf("nice=%d\n", getpriority(PRIO_PROCESS, 0));
    printf("cwd=%s\n", getcwd(cwd, sizeof cwd) ? cwd : "?");
    print_limit("nofile", RLIMIT_NOFILE);
    print_limit("core", RLIMIT_CORE);
    printf("no_new_privs=%d\n", prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
    prctl(PR_GET_PDEATHSIG, &pdeathsig);
    printf("pdeathsig=%d\n", pdeathsig);
    return 0;
}
