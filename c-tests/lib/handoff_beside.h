/* What another thread can do in the middle of ps_handoff_upgrade: beside_upgrade(handoff, command, act) calls it, and lets a second
   thread call act() wherever the first has let go of the lock of the handle and is about to go on. No luck is needed: the calls of the C
   library that the library makes then are ours.

   The second thread holds the lock (it stands in epoll_wait) until the first waits for it. So the first lets go of a lock for which, as
   far as it knows, others wait, and wakes them; in front of that it is stopped until act() has returned. */
#ifndef PROCSUP_TEST_HANDOFF_BESIDE_H
#define PROCSUP_TEST_HANDOFF_BESIDE_H

#include "children.h"

#include <dlfcn.h>
#include <linux/futex.h>
#include <semaphore.h>
#include <sys/epoll.h>
#include <sys/socket.h>

static struct {
    ps_handoff *handoff;
    void (*act)(void);
    sem_t spawns, held, waits, lets_go, acted;
    bool spawning, waited, over;
    int times;
} beside;

static __thread enum { NEITHER, UPGRADES, HOLDS } beside_role;

HARNESS void beside_await(sem_t *what)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += PATIENCE_MS / 1000;
    int got;
    do got = sem_timedwait(what, &until); while (got != 0 && errno == EINTR);
    CHECK(got == 0);
}

/* The library makes a channel for the successor, without the lock. (A spawn may make another of its own.) */
int socketpair(int domain, int type, int protocol, int fds[2])
{
    int (*real)(int, int, int, int *) = (int (*)(int, int, int, int *))dlsym(RTLD_NEXT, "socketpair");
    if (beside_role == UPGRADES && !beside.spawning) {
        beside.spawning = true;
        sem_post(&beside.spawns);
        beside_await(&beside.held);
    }
    return real(domain, type, protocol, fds);
}

/* It looks for what is new, under the lock. */
int epoll_wait(int set, struct epoll_event *events, int count, int timeout)
{
    int (*real)(int, struct epoll_event *, int, int) = (int (*)(int, struct epoll_event *, int, int))dlsym(RTLD_NEXT, "epoll_wait");
    if (beside_role == HOLDS) {
        beside_role = NEITHER;
        sem_post(&beside.held);
        beside_await(&beside.waits);
    }
    return real(set, events, count, timeout);
}

/* It waits for a lock, or wakes who waits for one. */
long syscall(long number, ...)
{
    long (*real)(long, ...) = (long (*)(long, ...))dlsym(RTLD_NEXT, "syscall"), a[6];
    va_list list;
    va_start(list, number);
    for (int i = 0; i < 6; i++)
        a[i] = va_arg(list, long);
    va_end(list);
    int operation = number == SYS_futex ? (int)a[1] & FUTEX_CMD_MASK : -1;
    if (beside_role == UPGRADES && (operation == FUTEX_WAIT || operation == FUTEX_WAIT_BITSET) && !beside.waited) {
        beside.waited = true;
        sem_post(&beside.waits);
    }
    if (beside_role == UPGRADES && operation == FUTEX_WAKE && beside.waited) {
        sem_post(&beside.lets_go);
        beside_await(&beside.acted);
    }
    return real(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

static void *beside_thread(void *unused)
{
    ps_handoff_event event = {.size = sizeof event};
    beside_await(&beside.spawns);
    beside_role = HOLDS;
    CHECK_STATUS(ps_handoff_next_event(beside.handoff, 0, &event, NULL), PS_PENDING);
    for (;;) {
        beside_await(&beside.lets_go);
        if (beside.over)
            return unused;
        beside.act();
        beside.times++;
        sem_post(&beside.acted);
    }
}

HARNESS ps_status beside_upgrade(ps_handoff *handoff, const ps_command *command, void (*act)(void))
{
    pthread_t other;
    sem_t *all[] = {&beside.spawns, &beside.held, &beside.waits, &beside.lets_go, &beside.acted};
    memset(&beside, 0, sizeof beside);
    beside.handoff = handoff;
    beside.act = act;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        sem_init(all[i], 0, 0);
    thread_start(&other, beside_thread, NULL);
    beside_role = UPGRADES;
    ps_status status = ps_handoff_upgrade(handoff, command, PATIENCE_MS, NULL);
    beside_role = NEITHER;
    beside.over = true;
    sem_post(&beside.lets_go);
    pthread_join(other, NULL);
    CHECK(beside.times > 0); /* else nothing was tried: the library takes its lock in another way than it did */
    return status;
}

#endif
