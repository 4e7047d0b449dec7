/* A thread that sends another one a signal as soon as that sleeps within a call, and again as long as it does: so that a handler runs while the
   call waits, and not just before.

     ps_status status = INTERRUPTED(ps_wait_ready(child, -1, &error));
     ps_status status = INTERRUPTED_TIMES(3, ps_reap(child, -1, NULL, &error));    so often, and no more */
#ifndef PROCSUP_TEST_INTERRUPTING_H
#define PROCSUP_TEST_INTERRUPTING_H

#include "children.h"

static _Atomic int interrupts_handled;

HARNESS void note_interrupt(int signal) { interrupts_handled += signal == SIGUSR1; }

/* SIGUSR1 goes to this handler. */
HARNESS void interrupts_go_to(void (*handler)(int), int flags)
{
    struct sigaction action = {.sa_handler = handler, .sa_flags = flags};
    CHECK(sigaction(SIGUSR1, &action, NULL) == 0);
}

struct interrupter {
    pthread_t thread;
    pid_t whom;
    int times;
    _Atomic bool begins, is_over;
};

/* The state letter of a thread of this process. */
HARNESS char thread_state(pid_t tid)
{
    char path[64], line[512];
    snprintf(path, sizeof path, "/proc/self/task/%d/stat", (int)tid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t length = fd < 0 ? -1 : read(fd, line, sizeof line - 1);
    if (fd >= 0)
        close(fd);
    line[length < 0 ? 0 : length] = 0;
    char *name_end = strrchr(line, ')');
    return name_end ? name_end[2] : 0;
}

HARNESS void *interrupts(void *data)
{
    struct interrupter *it = data;
    for (int sent = 0; !it->is_over && sent < it->times;) {
        if (it->begins && thread_state(it->whom) == 'S') {
            int before = interrupts_handled;
            CHECK(syscall(SYS_tgkill, getpid(), it->whom, SIGUSR1) == 0);
            CHECK(wait_until(interrupts_handled > before || it->is_over, 20000));
            sent++;
        }
        poll(NULL, 0, 1);
    }
    return NULL;
}

#define INTERRUPTED_TIMES(count, call)                                                                                             \
    __extension__({                                                                                                                \
        struct interrupter it_ = {.whom = (pid_t)syscall(SYS_gettid), .times = (count)};                                           \
        thread_start(&it_.thread, interrupts, &it_);                                                                               \
        it_.begins = true;                                                                                                         \
        __typeof__(call) answer_ = (call);                                                                                         \
        it_.is_over = true;                                                                                                        \
        pthread_join(it_.thread, NULL);                                                                                            \
        answer_;                                                                                                                   \
    })
#define INTERRUPTED(call) INTERRUPTED_TIMES(1000, call)

#endif
