/* Generations of different users (c-tests/lib/handoff.h): one that stays root, one that gives up its rights, one that never had any. */
#ifndef PROCSUP_TEST_HANDOFF_USERS_H
#define PROCSUP_TEST_HANDOFF_USERS_H

#include "handoff.h"

#include <sys/stat.h>

/* A service's user, and somebody else. */
enum { USER = 54321, OTHER = 54322 };

/* A stage whose directory is this user's; whoever is to come can reach the meeting. */
HARNESS void stage_of(uid_t user, mode_t mode)
{
    stage_begin();
    stage.probation = 1;
    CHECK(chown(stage.dir, user, user) == 0 && chmod(stage.dir, mode) == 0 && chmod(stage.meeting, 0777) == 0);
}

/* Who it is now, to those who ask whether it may (its effective user). */
HARNESS uid_t user_of(const party *p)
{
    char path[64], line[128];
    long user = -1;
    snprintf(path, sizeof path, "/proc/%d/status", (int)p->pid);
    FILE *file = fopen(path, "re");
    CHECK(file != NULL);
    while (fgets(line, sizeof line, file))
        if (sscanf(line, "Uid: %*d %ld", &user) == 1)
            break;
    fclose(file);
    CHECK(user >= 0);
    return (uid_t)user;
}

HARNESS uid_t owner_of_file(const char *path)
{
    struct stat st;
    CHECK(lstat(path, &st) == 0);
    return st.st_uid;
}

#endif
