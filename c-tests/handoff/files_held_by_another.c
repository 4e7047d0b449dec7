/* Another process holds the lock that lies beside the control path now: two may own, which cannot be healed. The owner is told, once, and who it is;
   it serves on, and nobody can follow it: an upgrade and a takeover are refused before anything is spawned or drained. When the other has
   ended, the owner takes the files back by itself. A real second owner is told as well when it is the other way round. */
/* covers: F30, LAW-14 */
/* variants: few */
#include "harness.h"
#include "handoff.h"

/* The owner may make its own there first. */
static int held_lock(void)
{
    int64_t until = now_ms() + PATIENCE_MS;
    for (;;) {
        CHECK(now_ms() < until);
        CHECK(unlink(stage.lock) == 0 || errno == ENOENT);
        int fd = open(stage.lock, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0)
            return fd;
        CHECK(errno == EEXIST || errno == EWOULDBLOCK);
        if (fd >= 0)
            close(fd);
    }
}

static int lost_to_us(party *o)
{
    int fd = held_lock();
    for (;;) {
        ps_handoff_event event = expect(o, PATH_CHANGED);
        if (event.reason == PS_ERR_LOCK_REPLACED)
            return fd;
        CHECK_INT(event.reason, PS_OK); /* it had made them anew before */
    }
}

static ps_handoff *open_here(void)
{
    ps_handoff *handoff = NULL;
    ps_error *error = NULL;
    CHECK_OK(ps_handoff_new(stage.path, &handoff, &error), error);
    return handoff;
}

static ps_handoff_event next_of(ps_handoff *handoff)
{
    ps_handoff_event event = {.size = sizeof event};
    CHECK_OK(ps_handoff_next_event(handoff, 20000, &event, NULL), NULL);
    return event;
}

static void nothing_more(ps_handoff *handoff)
{
    ps_handoff_event event = {.size = sizeof event};
    CHECK_INT(ps_handoff_next_event(handoff, 0, &event, NULL), PS_PENDING);
}

int main(void)
{
    stage_begin();
    stage.probation = 20;
    party *o = first("old");
    int other = lost_to_us(o);
    CHECK(strstr(ask(o, "reason"), stage.lock) != NULL);
    quiet(o);
    int64_t before = ask_number(o, "children");
    const char *said = ask_for(o, PS_ERR_LOCK_REPLACED, "upgrade 1000 %s %s", helper_path("generation"), stage.meeting);
    CHECK(strstr(said, stage.lock) != NULL);
    CHECK_INT(ask_number(o, "children"), before);
    party *late = takeover("late");
    said = ask_for(late, PS_ERR_LOCK_REPLACED, "new %s", stage.path);
    CHECK(strstr(said, stage.lock) != NULL);
    leave(late);
    quiet(o);
    served_by(o);
    close(other);
    path_changed(o, PS_OK);
    path_is_kept();
    party *n = takeover("new");
    hand_over(o, n);
    leave_in_order(n);
    CHECK(!exists(stage.path));

    /* two of them, in one process: each is an owner by itself */
    ps_handoff *a = open_here();
    CHECK_INT(next_of(a).kind, LIVE);
    CHECK(unlink(stage.path) == 0 && unlink(stage.lock) == 0);
    ps_handoff *b = open_here();
    CHECK_INT(next_of(b).kind, LIVE);
    nothing_more(b);
    ps_handoff_event event = next_of(a);
    CHECK_INT(event.kind, PATH_CHANGED);
    CHECK_INT(event.reason, PS_ERR_LOCK_REPLACED);
    CHECK_INT(event.peer_pid, getpid());
    nothing_more(a);
    CHECK_OK(ps_handoff_live(a, NULL), NULL);
    CHECK_OK(ps_handoff_live(b, NULL), NULL);
    /* their files go, too: whoever comes first has them, and the other is told */
    CHECK(unlink(stage.path) == 0 && unlink(stage.lock) == 0);
    int64_t until = now_ms() + PATIENCE_MS;
    int a_is = PS_ERR_LOCK_REPLACED, b_is = PS_OK;
    while (a_is == b_is || !exists(stage.path)) {
        CHECK(now_ms() < until);
        ps_handoff_event one = {.size = sizeof one};
        if (ps_handoff_next_event(a, 10, &one, NULL) == PS_OK)
            a_is = one.reason;
        if (ps_handoff_next_event(b, 10, &one, NULL) == PS_OK)
            b_is = one.reason;
    }
    CHECK((a_is == PS_OK) != (b_is == PS_OK));
    path_is_kept();
    ps_handoff_free(a_is == PS_OK ? a : b);
    ps_handoff *left = a_is == PS_OK ? b : a;
    event = next_of(left);
    CHECK_INT(event.kind, PATH_CHANGED);
    CHECK_INT(event.reason, PS_OK);
    path_is_kept();
    ps_handoff_free(left);
    CHECK(!exists(stage.path));
    stage_end();
    return 0;
}
