/* Four threads wait for one child; each gets the one true record. */
/* covers: LAW-11 */
#include "harness.h"
#include "children.h"

static ps_child *child;
static ps_exit record[4];
static int waiting;

static void *wait_for_it(void *slot)
{
    __atomic_add_fetch(&waiting, 1, __ATOMIC_RELEASE);
    *(ps_exit *)slot = reap(child);
    return NULL;
}

int main(void)
{
    for (int round = 0; round < 20; round++) {
        ps_command *command = shell("read go; exit 33", "");
        set_stdio(command, 0, PS_STDIO_PIPE, -1);
        child = spawn_once(NULL, command);
        int fd = pipe_end(child, 0);
        waiting = 0;
        pthread_t thread[4];
        for (int i = 0; i < 4; i++)
            thread_start(&thread[i], wait_for_it, &record[i]);
        CHECK(wait_until(__atomic_load_n(&waiting, __ATOMIC_ACQUIRE) == 4, 20000));
        CHECK(write(fd, "\n", 1) == 1);
        for (int i = 0; i < 4; i++)
            pthread_join(thread[i], NULL);
        for (int i = 0; i < 4; i++) {
            CHECK(record[i].kind == PS_EXIT_EXITED && record[i].code == 33 && record[i].max_rss_kib > 0); /* not what a thief leaves */
            CHECK(memcmp(&record[i], &record[0], sizeof record[0]) == 0);
        }
        close(fd);
        ps_child_free(child);
    }
    return 0;
}
