/* A copy that was forked while another thread was within ps_handoff_next_event, also with the handle's lock in its hands, frees the handle as
   any other: at once, all that it has inherited, and the original goes on. */
/* covers: F35, LAW-4, LAW-6 */
/* variants: only old-kernel-5.4, asan: valgrind has descriptors of its own in each copy */
#include "harness.h"
#include "children.h"

#include <dlfcn.h>
#include <semaphore.h>
#include <sys/epoll.h>

static ps_handoff *handoff;
static sem_t held, forked;
static __thread bool holds;
static volatile pid_t waiting; /* the thread */

/* The library looks for what is new, under the lock of the handle. */
int epoll_wait(int set, struct epoll_event *events, int count, int timeout)
{
    int (*real)(int, struct epoll_event *, int, int) = (int (*)(int, struct epoll_event *, int, int))dlsym(RTLD_NEXT, "epoll_wait");
    if (holds) {
        holds = false;
        sem_post(&held);
        while (sem_wait(&forked) != 0 && errno == EINTR) {
        }
    }
    return real(set, events, count, timeout);
}

static void *within(void *unused)
{
    ps_handoff_event event = {.size = sizeof event};
    holds = true;
    CHECK_STATUS(ps_handoff_next_event(handoff, 0, &event, NULL), PS_PENDING);
    return unused;
}

static void *waits(void *unused)
{
    ps_handoff_event event = {.size = sizeof event};
    waiting = gettid();
    CHECK_STATUS(ps_handoff_next_event(handoff, -1, &event, NULL), PS_ERR_SHUTDOWN);
    return unused;
}

/* What the copy exits with: how many descriptors more than `own` it has after the free. */
static int left_in_a_copy(int own)
{
    int status;
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        alarm(20); /* a free that waits for the lock waits for ever */
        ps_handoff_free(handoff);
        ps_handoff_free(handoff);
        _exit(count_fds() - own);
    }
    CHECK(waitpid(pid, &status, 0) == pid);
    CHECK(WIFEXITED(status));
    return WEXITSTATUS(status);
}

int main(void)
{
    const char *dir = temp_dir();
    char path[128], lock[140];
    ps_handoff_event event = {.size = sizeof event};
    pthread_t one, two;
    ps_error *error = NULL;
    snprintf(path, sizeof path, "%s/control", dir);
    snprintf(lock, sizeof lock, "%s.lock", path);
    sem_init(&held, 0, 0);
    sem_init(&forked, 0, 0);
    CHECK_OK(ps_handoff_new(path, &handoff, &error), error);
    ps_handoff_free(handoff);
    int own = count_fds(); /* what the library keeps for good is among them */

    CHECK_OK(ps_handoff_new(path, &handoff, &error), error);
    CHECK_OK(ps_handoff_next_event(handoff, 0, &event, &error), error);
    CHECK_OK(ps_handoff_set_fd(handoff, "log", 2, &error), error);
    CHECK_OK(ps_handoff_set_state(handoff, "state", 5, &error), error);
    CHECK(count_fds() > own + 5);
    CHECK_INT(left_in_a_copy(own), 0);

    thread_start(&one, waits, NULL);
    CHECK(wait_until(process_state(waiting) == 'S', 20000));
    CHECK_INT(left_in_a_copy(own), 0);

    thread_start(&two, within, NULL);
    while (sem_wait(&held) != 0 && errno == EINTR) {
    }
    CHECK_INT(left_in_a_copy(own), 0);
    sem_post(&forked);
    pthread_join(two, NULL);

    CHECK_OK(ps_handoff_live(handoff, &error), error);
    ps_handoff_free(handoff); /* ends the wait */
    pthread_join(one, NULL);
    CHECK_INT(count_fds(), own);
    unlink(lock);
    CHECK(rmdir(dir) == 0);
    return 0;
}
