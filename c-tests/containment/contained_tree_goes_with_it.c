/* variants: only tier-clone, tier-fork, old-kernel-5.4 */
/* Five that leave the group, the session and their parents, and ignore what can be ignored: all of them are dead as soon as a contained child is
   seen to have ended, however it ends. */
#include "harness.h"
#include "contained.h"

enum { TREE = 5 };

/* Says its number outside (/proc is the host's), closes what it has, and stays. */
static const char tree[] =
    "i=0; while [ $i -lt 5 ]; do"
    "  (trap '' TERM HUP INT; setsid sh -c 'trap \"\" TERM HUP INT; (read pid rest </proc/self/stat; echo $pid;"
    "   exec sleep 1000 </dev/null >/dev/null 2>&1) & ' &) ;"
    "  i=$((i+1)); done; ";

struct family {
    ps_child *child;
    pid_t member[TREE];
    int said;
};

static void family_begin(struct family *family, ps_supervisor *supervisor, const char *then, int dies_with_host)
{
    char script[1024];
    ps_error *error = NULL;
    snprintf(script, sizeof script, "%s%s", tree, then);
    ps_command *command = contained(shell(script, NULL));
    set_stdio(command, 0, PS_STDIO_PIPE, -1);
    set_stdio(command, 1, PS_STDIO_PIPE, -1);
    CHECK_OK(ps_command_die_with_host(command, dies_with_host, &error), error);
    family->child = spawn_once(supervisor, command);
    family->said = pipe_end(family->child, 1);
    for (int i = 0; i < TREE; i++) {
        family->member[i] = (pid_t)read_number(family->said);
        CHECK(family->member[i] > 0);
    }
}

static int alive(const struct family *family)
{
    int count = 0;
    for (int i = 0; i < TREE; i++)
        count += !is_dead(family->member[i]);
    return count;
}

static void is_over(struct family *family, const char *how, int64_t since)
{
    printf("%s, uid %d: %.2f ms\n", how, (int)getuid(), (double)(now_ns() - since) / 1e6);
    if (alive(family) != 0)
        harness_fail(__FILE__, __LINE__, "%s: %d are left", how, alive(family));
    close(family->said);
    ps_child_free(family->child);
}

static void all(void)
{
    struct family family;
    ps_error *error = NULL;
    warm_up();
    leak_guard guard = leak_guard_begin();

    family_begin(&family, NULL, "read line; exit 7", 0);
    CHECK_INT(alive(&family), TREE);
    int64_t since = now_ns();
    close(pipe_end(family.child, 0));
    CHECK_INT(reap(family.child).code, 7);
    is_over(&family, "its program exits", since);

    family_begin(&family, NULL, "exec sleep 1000", 0);
    since = now_ns();
    ps_exit end = terminate(family.child, -1);
    CHECK(end.kind == PS_EXIT_SIGNALED && end.signal == SIGTERM && end.cause == PS_CAUSE_STOP);
    is_over(&family, "ps_terminate", since);

    family_begin(&family, NULL, "trap '' TERM; while :; do sleep 1000; done", 0);
    since = now_ns();
    end = terminate(family.child, 0);
    CHECK(end.kind == PS_EXIT_SIGNALED && end.signal == SIGKILL && end.cause == PS_CAUSE_STOP);
    is_over(&family, "ps_terminate of one that ignores SIGTERM", since);

    family_begin(&family, NULL, "exec sleep 1000", 0);
    since = now_ns();
    CHECK_OK(ps_signal(family.child, SIGKILL, &error), error);
    end = reap(family.child);
    CHECK(end.kind == PS_EXIT_SIGNALED && end.signal == SIGKILL && end.cause == PS_CAUSE_OWNER);
    is_over(&family, "SIGKILL", since);

    ps_supervisor *supervisor = supervisor_new();
    family_begin(&family, supervisor, "exec sleep 1000", 0);
    since = now_ns();
    ps_supervisor_free(supervisor);
    is_over(&family, "ps_supervisor_free", since);

    family_begin(&family, NULL, "exec sleep 1000", 0);
    since = now_ns();
    CHECK_STATUS(ps_kill_and_reap_all(PATIENCE_MS, NULL), PS_OK);
    is_over(&family, "ps_kill_and_reap_all", since);
    leak_guard_end(&guard);
}

/* The host dies; its child, and all that is below, dies with it. */
static void *spawn_in_a_thread(void *at)
{
    family_begin(at, NULL, "exec sleep 1000", 1);
    return NULL;
}

static void host_dies(int from_a_thread)
{
    int channel[2];
    struct family family;
    CHECK(pipe(channel) == 0);
    fflush(NULL);
    pid_t host = fork();
    CHECK(host >= 0);
    if (host == 0) {
        pthread_t thread;
        if (from_a_thread) {
            thread_start(&thread, spawn_in_a_thread, &family);
            CHECK(pthread_join(thread, NULL) == 0);
        } else {
            spawn_in_a_thread(&family);
        }
        CHECK(write(channel[1], family.member, sizeof family.member) == sizeof family.member);
        for (;;)
            pause();
    }
    close(channel[1]);
    CHECK(read(channel[0], family.member, sizeof family.member) == sizeof family.member);
    CHECK_INT(alive(&family), TREE);
    int64_t since = now_ns();
    CHECK(kill(host, SIGKILL) == 0);
    CHECK(wait_until(alive(&family) == 0, 20000));
    printf("the host dies%s, uid %d: %.2f ms\n", from_a_thread ? " (spawned by a thread)" : "", (int)getuid(), (double)(now_ns() - since) / 1e6);
    wait_for(host);
    close(channel[0]);
}

static void everything(void)
{
    all();
    host_dies(0);
    host_dies(1);
}

int main(void)
{
    need_contained();
    as_root_and_as_nobody(everything);
    return 0;
}
