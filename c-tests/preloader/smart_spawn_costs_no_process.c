/* A spawn through a preloader that runs starts nothing but the worker: who it is, and whose, is asked of the kernel and not of a program. And it is bound
   to no thread of the host: the one that asked for preloader and worker may be gone, both live on. */
/* covers: P-b1, CO-rkllama-145, PA-86 */
/* variants: few */
#include "smart.h"

#include <sys/resource.h>

static void *asks(void *argument) { return smart_worker(argument); }

/* What is added when a child was waited for, and by nothing else. */
static long of_reaped_children(void)
{
    struct rusage usage;
    CHECK(getrusage(RUSAGE_CHILDREN, &usage) == 0);
    return usage.ru_minflt;
}

int main(void)
{
    place p = place_begin("good", 0);
    pthread_t thread;
    void *first = NULL;
    thread_start(&thread, asks, &p);
    CHECK(pthread_join(thread, &first) == 0 && first != NULL);
    pid_t preloader = preloader_pid(&p);
    ps_child *child = child_of(first);
    pid_t pid = pid_of(child);

    long before = of_reaped_children();
    ps_worker *second = smart_worker(&p);
    CHECK_INT(of_reaped_children(), before);
    CHECK_INT(preloader_pid(&p), preloader);
    CHECK(!process_gone(pid) && !is_gone(preloader) && generation_of(second) == 1);
    end_worker(second);
    end_worker(first);
    place_end(&p);
    return 0;
}
