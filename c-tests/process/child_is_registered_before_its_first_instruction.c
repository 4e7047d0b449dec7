/* Whatever the child does first, the registry already knows it. Its first act is a signal to us; our handler counts. */
/* covers: LAW-7, EV-8 */
#include "harness.h"
#include "children.h"

static volatile sig_atomic_t handled, unregistered;

static void count_children(int signal)
{
    (void)signal;
    if (ps_live_count() == 0)
        unregistered = 1;
    handled++;
}

static void *receive(void *stop)
{
    /* a thread of its own takes the signal, so it is handled while the spawning thread is still inside the clone */
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
    while (!__atomic_load_n((int *)stop, __ATOMIC_ACQUIRE))
        sched_yield();
    return NULL;
}

int main(void)
{
    signal(SIGUSR1, count_children);
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    int stop = 0;
    pthread_t thread;
    thread_start(&thread, receive, &stop);

    char host[16];
    snprintf(host, sizeof host, "%d", (int)getpid());
    ps_command *command = shell("kill -USR1 $1; read forever", host);
    set_stdio(command, 0, PS_STDIO_PIPE, -1);
    for (int i = 0; i < 100; i++) {
        int before = handled;
        ps_child *child = spawn(NULL, command);
        CHECK(wait_until(handled > before, 20000));
        kill_and_free(child);
    }
    __atomic_store_n(&stop, 1, __ATOMIC_RELEASE);
    pthread_join(thread, NULL);
    CHECK(!unregistered);
    ps_command_free(command);
    return 0;
}
