/* Python's own fork server as a foreign program that we supervise: a host, its fork server, its resource tracker and three workers. One call ends the
   whole tree; the exit of the host is its own; none of them has a descriptor of ours. Neither the server nor the workers are children of who asked. */
/* covers: C14-4, IT-9, D-3, D-4, D-6, D-7 */
#include "children.h"

#define PYTHON "/usr/bin/python3"

static const char program[] =
    "import multiprocessing, os, sys, time\n"
    "def work(said):\n"
    "    said.send((os.getpid(), os.getppid(), sorted(int(n) for n in os.listdir('/proc/self/fd'))))\n"
    "    time.sleep(1000)\n"
    "if __name__ == '__main__':\n"
    "    context = multiprocessing.get_context('forkserver')\n"
    "    here, there = context.Pipe(False)\n"
    "    workers = [context.Process(target=work, args=(there,), daemon=True) for _ in range(3)]\n"
    "    for worker in workers: worker.start()\n"
    "    for _ in workers:\n"
    "        pid, parent, fds = here.recv()\n"
    "        print(pid, parent, os.getpid(), max(fds), flush=True)\n"
    "    if sys.argv[1] == 'leave':\n"
    "        for worker in workers: worker.terminate()\n"
    "        for worker in workers: worker.join()\n"
    "        sys.exit(7)\n"
    "    time.sleep(1000)\n";

enum { WORKERS = 3 };

static char directory[] = "/tmp/pfs-XXXXXX", path[64];

typedef struct tree {
    pid_t host, server, workers[WORKERS];
} tree;

static ps_child *start(const char *mode, tree *all)
{
    ps_command *command = command_for(PYTHON, path, mode, NULL);
    set_stdio(command, 1, PS_STDIO_PIPE, -1);
    ps_child *child = spawn_once(NULL, command);
    int fd = pipe_end(child, 1);
    for (int i = 0; i < WORKERS; i++) {
        char line[128];
        int pid = 0, parent = 0, host = 0, highest = 0;
        CHECK(read_line(fd, line, sizeof line));
        CHECK(sscanf(line, "%d %d %d %d", &pid, &parent, &host, &highest) == 4);
        CHECK_INT(host, pid_of(child));
        CHECK(parent != host && (i == 0 || parent == all->server)); /* the fork server's child */
        CHECK(highest < 100);                                       /* ours is above */
        *all = (tree){host, parent, {all->workers[0], all->workers[1], all->workers[2]}};
        all->workers[i] = pid;
    }
    close(fd);
    return child;
}

/* Of those that are not ours somebody's init becomes the parent: it may take its time to reap them. */
static bool ended(pid_t pid)
{
    return process_gone(pid) || process_state(pid) == 'Z';
}

static bool all_ended(const tree *all)
{
    bool gone = process_gone(all->host) && ended(all->server);
    for (int i = 0; i < WORKERS; i++)
        gone = gone && ended(all->workers[i]);
    return gone;
}

int main(void)
{
    if (access(PYTHON, X_OK) != 0)
        SKIP("/usr/bin/python3 is not here (Debian: python3)");
    CHECK(mkdtemp(directory) != NULL);
    snprintf(path, sizeof path, "%s/tree.py", directory);
    FILE *file = fopen(path, "we");
    CHECK(file && fputs(program, file) >= 0 && fclose(file) == 0);
    warm_up();
    int ours = fcntl(0, F_DUPFD, 200); /* not close-on-exec: it must not get there all the same */
    CHECK(ours >= 200);
    leak_guard guard = leak_guard_begin();

    /* Ended from outside: all of it. */
    tree all = {0};
    ps_child *child = start("stay", &all);
    ps_exit end = terminate(child, 0);
    CHECK_INT(end.kind, PS_EXIT_SIGNALED);
    CHECK(end.cause == PS_CAUSE_STOP);
    CHECK(wait_until(all_ended(&all), PATIENCE_MS));
    ps_child_free(child);

    /* It ends by itself, with a code of its own; what it leaves behind (the fork server, for a moment) goes with its group. */
    memset(&all, 0, sizeof all);
    child = start("leave", &all);
    end = reap(child);
    CHECK_INT(end.kind, PS_EXIT_EXITED);
    CHECK_INT(end.code, 7);
    CHECK_INT(end.cause, PS_CAUSE_SELF);
    CHECK(wait_until(all_ended(&all), PATIENCE_MS));
    ps_child_free(child);
    leak_guard_end(&guard);
    close(ours);
    unlink(path);
    rmdir(directory);
    return 0;
}
