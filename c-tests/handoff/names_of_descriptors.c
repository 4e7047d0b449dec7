/* Names: 1 to 255 bytes, no newline. The same name replaces, -1 takes away; a name is taken once; a first generation has
   nothing to take; what is refused changes nothing. */
#include "harness.h"
#include "handoff.h"

int main(void)
{
    char longest[256], path[96];
    int fd = -1, ends[2];
    ps_handoff *handoff = NULL;
    ps_error *error = NULL;
    memset(longest, 'n', 255);
    longest[255] = 0;
    stage_begin();
    stage.probation = 50;
    CHECK(pipe2(ends, O_CLOEXEC) == 0);

    snprintf(path, sizeof path, "%s/here", stage.dir);
    CHECK_OK(ps_handoff_new(path, &handoff, &error), error);
    char too_long[257];
    memset(too_long, 'n', 256);
    too_long[256] = 0;
    const char *const bad[] = {"", "a\nb", "\n", too_long, NULL};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        CHECK_ERROR(ps_handoff_set_fd(handoff, bad[i], 0, &error), PS_ERR_INVALID_ARGUMENT, &error);
        ps_error_free(error);
        error = NULL;
        CHECK_STATUS(ps_handoff_take_fd(handoff, bad[i], &fd, NULL), PS_ERR_INVALID_ARGUMENT);
        CHECK_STATUS(ps_handoff_set_fd(handoff, bad[i], -1, NULL), PS_ERR_INVALID_ARGUMENT);
    }
    CHECK_STATUS(ps_handoff_set_fd(handoff, "x", -2, NULL), PS_ERR_INVALID_ARGUMENT);
    CHECK_STATUS(ps_handoff_set_fd(handoff, "x", 9999, NULL), PS_ERR_INVALID_ARGUMENT);
    CHECK_STATUS(ps_handoff_set_fd(handoff, "x", -1, NULL), PS_ERR_NOT_FOUND);
    CHECK_STATUS(ps_handoff_take_fd(handoff, "x", NULL, NULL), PS_ERR_INVALID_ARGUMENT);
    CHECK_OK(ps_handoff_set_fd(handoff, "x", ends[0], &error), error);
    CHECK_STATUS(ps_handoff_take_fd(handoff, "x", &fd, NULL), PS_ERR_NOT_FOUND); /* what it hands on was not handed on to it */
    CHECK_INT(fd, -1);
    CHECK_OK(ps_handoff_set_fd(handoff, "x", -1, &error), error);
    CHECK_STATUS(ps_handoff_set_fd(handoff, "x", -1, NULL), PS_ERR_NOT_FOUND);
    ps_handoff_free(handoff);
    char lock[104];
    snprintf(lock, sizeof lock, "%s.lock", path);
    unlink(lock);

    party *o = first("old");
    hand_on(o, longest, ends[0]);
    hand_on(o, "a", ends[0]);
    hand_on(o, "a", ends[1]); /* replaced */
    hand_on(o, "b c/\xff\t", ends[0]);
    hand_on(o, "away", ends[0]);
    ask(o, "unset away");
    ask_for(o, PS_ERR_NOT_FOUND, "unset away");
    party *n = upgrade(o, "new", 20000);
    enter(n, PS_HANDOFF_SUCCESSOR);
    char expected[400];
    snprintf(expected, sizeof expected, "a\nb c/\xff\t\n%s\n", longest);
    CHECK_STR(ask(n, "names"), expected);
    ask_for(n, PS_ERR_NOT_FOUND, "take away");
    int got = taken(n, "a");
    CHECK(same_description(got, ends[1]) && !same_description(got, ends[0]));
    ask_for(n, PS_ERR_NOT_FOUND, "take a");
    close(got);
    got = taken(n, longest);
    CHECK(same_description(got, ends[0]));
    CHECK_STR(ask(n, "names"), "b c/\xff\t\n");
    bring(o, n, LOADING, SETTLED);
    CHECK_STR(ask(n, "names"), "");
    leave(o);

    /* what it has taken is handed on by itself; what it takes away, or did not take, is not */
    ask(n, "unset a");
    party *m = upgrade(n, "third", 20000);
    enter(m, PS_HANDOFF_SUCCESSOR);
    snprintf(expected, sizeof expected, "%s\n", longest);
    CHECK_STR(ask(m, "names"), expected);
    stage_end();
    return 0;
}
