/*
 * The life of one host: set up, many steps from one to four threads, with signals and forked copies if the seed says so, then everything
 * freed; and nothing may be left, or be other than it was.
 */
#ifndef PROCSUP_FUZZ_HOST_H
#define PROCSUP_FUZZ_HOST_H

#include "calls.h"

static int steps_of_a_worker = 250;
static bool starved; /* of descriptors: hardly any more than it has */
static bool plain; /* one thread, no timer: exactly the same calls for the same seed */

/* ---- a supervisor that is driven by edges alone ---- */

static int edge_epoll = -1, edge_fd = -1;
static bool edge_owed; /* PS_PENDING was not seen since the last edge */

HARNESS bool an_edge(int ms)
{
    struct epoll_event event;
    int64_t until = now_ms() + ms;
    int ready;
    while ((ready = epoll_wait(edge_epoll, &event, 1, ms)) < 0 && errno == EINTR)
        ms = until > now_ms() ? (int)(until - now_ms()) : 0;
    if (ready == 1)
        atomic_fetch_add(&page->edges, 1);
    return ready == 1;
}

HARNESS bool edge_readable(void)
{
    struct pollfd it = {.fd = edge_fd, .events = POLLIN};
    int ready;
    while ((ready = poll(&it, 1, 0)) < 0 && errno == EINTR)
        ;
    return ready == 1;
}

/* Takes events until there is none; whether the last one of all was among them. */
HARNESS bool take_until_pending(void)
{
    ps_status status;
    int taken = 0;
    while ((status = next_event(good(SUPERVISOR, 0), 0, true)) == PS_OK)
        if (++taken == 2000) { /* while short children follow each other there is always a next one */
            edge_owed = true;
            return false;
        }
    edge_owed = false;
    return status == PS_ERR_SHUTDOWN;
}

/* After PS_PENDING, and with no edge since, nothing is due. */
HARNESS void check_quiet(void)
{
    if (!edge_readable())
        return;
    if (an_edge(200 * slowness()))
        edge_owed = true;
    else if (edge_readable() && !tolerates("F9"))
        found("a supervisor has work after PS_PENDING, and there was no edge");
}

static void drain(bool at_once)
{
    bool edge = an_edge(at_once ? 0 : (int)dice(8));
    if (edge || at_once || edge_owed)
        take_until_pending();
    else
        check_quiet();
}

HARNESS void watch_edges(void)
{
    ps_error *error = NULL;
    int32_t fd = -1;
    if (!make_supervisor(0) || ps_supervisor_fd(atomic_load(&pool[SUPERVISOR][0]), &fd, &error) != PS_OK)
        found("no supervisor to watch: %s", ps_error_message(error));
    edge_fd = fd;
    edge_epoll = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event interest = {.events = EPOLLIN | EPOLLET};
    if (edge_epoll < 0 || epoll_ctl(edge_epoll, EPOLL_CTL_ADD, edge_fd, &interest) != 0)
        found("the fuzzer: epoll: %s", strerror(errno));
}

/* A shutdown is carried to its end by edges alone. */
HARNESS void finish_by_edges(void)
{
    struct pick s = good(SUPERVISOR, 0);
    ASK(ps_supervisor_shutdown, s, 0, ps_supervisor_shutdown(s.handle, 20, error), "(%s, 20)", name_of(s));
    for (int64_t until = now_ms() + 60000 * slowness(); now_ms() < until;) {
        if (!edge_owed && !an_edge(20000 * slowness())) {
            if (!tolerates("F9"))
                found("a shutdown that is not over, and no edge for 20 seconds: the descriptor is %sreadable", edge_readable() ? "" : "not ");
            return;
        }
        if (take_until_pending()) {
            close(edge_epoll);
            return;
        }
    }
    found("a shutdown that takes more than a minute");
}

/* More children that say something at once than one look at a descriptor takes; and one that ends among those that do not. */
static void burst(void)
{
    ps_child *child[90] = {NULL};
    ps_command *command = NULL;
    struct pick s = good(SUPERVISOR, watched_by_edges ? 0 : (int)dice(SUPERVISORS));
    static const char *const words[] = {"l0", "lp", "lp"};
    const char *word = words[dice(3)];
    int ends = chance(70) ? 64 + (int)dice(26) : (int)dice(90);
    if (s.was != GOOD || ps_command_new(helper_path("storm"), &command, NULL) != PS_OK)
        return;
    if (ps_command_arg(command, word, NULL) != PS_OK || ps_command_capture(command, 100, NULL) != PS_OK)
        found("a burst cannot be described");
    note("burst(%s, %s)", name_of(s), word);
    for (int i = 0; i < 90; i++) {
        ps_command *one = command;
        if (i == ends && ps_command_new(helper_path("nothing"), &one, NULL) != PS_OK)
            found("a burst cannot be described");
        ps_spawn(s.handle, one, &child[i], NULL);
        if (one != command)
            ps_command_free(one);
    }
    if (watched_by_edges) {
        poll(NULL, 0, (int)dice(20));
        if (an_edge(50) || edge_owed) {
            take_until_pending();
            if (!edge_owed && !an_edge(0))
                check_quiet();
            else
                edge_owed = true;
        }
    }
    for (int i = 0; i < 90; i++) {
        if (child[i])
            ps_signal(child[i], SIGKILL, NULL);
        ps_child_free(child[i]);
    }
    ps_command_free(command);
}

/* ---- signals ---- */

static _Atomic uint64_t ticks;

static void on_signal(int number)
{
    int saved = errno;
    uint32_t left;
    uint64_t way = mix(seed ^ atomic_fetch_add(&ticks, 1)) >> 8;
    errno = 4242;
    ps_live_count();
    if (number == SIGCHLD) {
        while (waitpid(-1, NULL, WNOHANG) > 0)
            ;
        errno = 4242;
    }
    atomic_fetch_add(&page->signals, 1);
    switch (way % 64) {
    case 0: ps_kill_and_reap_all(0, &left); break;
    case 1: ps_kill_and_reap_all(2, NULL); break;
    case 2: ps_signal_all(SIGTERM); break;
    case 3: ps_signal_all(stops_allowed ? SIGSTOP : SIGCONT); break;
    case 4: ps_signal_all(SIGCONT); break;
    case 5: ps_signal_all(65); break;
    default: break;
    }
    if (errno != 4242)
        found("a call that a signal handler may make has changed errno to %d", errno);
    errno = saved;
}

/* ---- steps ---- */

static void copy_of_the_host(void);

static void one_step(uint32_t step)
{
    begin_step(step);
    uint32_t way = dice(1000);
    uint32_t edges = watched_by_edges ? dice(1000) : 1000;
    if (edges < 10)
        burst();
    else if (edges < 130)
        drain(chance(20));
    else if (way < 330)
        call_setter();
    else if (way < 480)
        call_spawn();
    else if (way < 690)
        call_child();
    else if (way < 800)
        call_supervisor();
    else if (way < 870)
        call_handoff();
    else if (way < 885)
        call_overseer();
    else if (way < 890)
        call_output();
    else if (way < 900)
        call_error();
    else if (way < 915)
        call_service();
    else if (way < 940)
        call_budget();
    else if (way < 950)
        call_lock();
    else if (way < 960)
        call_worker();
    else if (way < 968)
        call_preloader();
    else if (way < 974)
        call_preload();
    else if (way < 985)
        call_free();
    else if (way < 990)
        call_all();
    else if (way < 993)
        call_versions();
    else if (way < 996)
        raise(SIGUSR1);
    else if (way < 998 && !in_copy)
        copy_of_the_host();
    else if (!in_copy && chance(20))
        burst();
    /* Stopped children would be waited for in vain. */
    if (stops_allowed && chance(10))
        ps_signal_all(SIGCONT);
    if (ps_live_count() > 80)
        ps_kill_and_reap_all(100, NULL);
    edges_used = 0;
}

static void *work(void *number)
{
    me.number = (int)(intptr_t)number;
    for (int i = 0; i < steps_of_a_worker; i++)
        one_step((uint32_t)i);
    return NULL;
}

/* ---- forked copies ---- */

static atomic_flag copying = ATOMIC_FLAG_INIT;

HARNESS void free_everything(void)
{
    for (int kind = CHILD; kind != ERROR + 1; kind++)
        for (int slot = 0; slot < slots_of[kind]; slot++)
            free_handle((enum kind)kind, atomic_exchange(&pool[kind][slot], NULL));
    for (int slot = 0; slot < slots_of[COMMAND]; slot++)
        free_handle(COMMAND, atomic_exchange(&pool[COMMAND][slot], NULL));
}

HARNESS _Noreturn void be_a_copy(uint32_t step)
{
    struct itimerval none = {{0, 0}, {0, 0}};
    char path[128];
    signal(SIGALRM, SIG_DFL);
    setitimer(ITIMER_REAL, &none, NULL);
    alarm((unsigned)(60 * slowness()));
    in_copy = true;
    watched_by_edges = false;
    bool answered = threads == 1 && atomic_load(&pool[HANDOFF][0]); /* else it is waited for in vain, for seconds */
    threads = 1;
    me.number = WORKERS;
    edges_used = 0;
    begin_step(step * 1000);
    for (int kind = 0; kind < KINDS; kind++)
        for (int slot = 0; slot < slots_of[kind]; slot++)
            atomic_store(&inherited[kind][slot], atomic_exchange(&pool[kind][slot], NULL));
    if (ps_live_count() != 0)
        found("a copy begins with %u live children", ps_live_count());
    if (chance(answered ? 60 : 3) && make_handoff(0, control_path(0, path))) {
        struct pick o = good(HANDOFF, 0);
        ASK(ps_handoff_warm, o, 0, ps_handoff_warm(o.handle, error), "(%s)", name_of(o));
        for (int kind, turns = 0; turns < 10 && (kind = obey(o, 300)) != 0 && kind != PS_HANDOFF_ABORTED && kind != PS_HANDOFF_COMMITTED; turns++)
            ;
    }
    for (uint32_t i = 1, count = 5 + dice(30); i <= count; i++)
        one_step(step * 1000 + i);
    begin_step(step * 1000 + 999);
    free_everything();
    uint32_t left = 0;
    if (ps_kill_and_reap_all(20000, &left) != PS_OK || ps_live_count() != 0)
        found("a copy ends with %u children left, %u live", left, ps_live_count());
    atomic_store(&page->copy_done, 1);
    _exit(0);
}

static void copy_of_the_host(void)
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    if (threads > 1) /* before LLVM 17 (GCC 14) the allocator's locks are copied as they are */
        return;
#endif
    if (atomic_flag_test_and_set(&copying))
        return;
    note("fork()");
    atomic_store(&page->copy_done, 0);
    atomic_store(&page->worker[WORKERS].lines, 0);
    uint32_t step = me.step;
    pid_t pid = fork();
    if (pid == 0)
        be_a_copy(step);
    if (pid < 0)
        found("the fuzzer: fork: %s", strerror(errno));
    atomic_fetch_add(&page->copies, 1);
    int status = 0;
    pid_t ended;
    for (int64_t until = now_ms() + 90000 * slowness(); (ended = waitpid(pid, &status, WNOHANG)) == 0 || (ended < 0 && errno == EINTR);) {
        if (now_ms() > until)
            found("a copy of the host hangs");
        struct pick o = good(HANDOFF, 0);
        if (o.was == GOOD && threads == 1) /* the copy may be its successor */
            obey(o, 2);
        else
            poll(NULL, 0, 1);
    }
    atomic_store(&page->worker[WORKERS].began_ms, 0);
    if (atomic_load(&page->failed))
        _exit(1);
    if (ended == pid ? status != 0 : !atomic_load(&page->copy_done))
        found("a copy of the host ended by status %#x", (unsigned)status);
    atomic_flag_clear(&copying);
}

/* ---- what a host is, beside its children ---- */

struct being {
    struct sigaction action[65];
    struct rlimit limit[16];
    struct stat cwd;
    sigset_t mask;
    mode_t umask;
    int nice, oom_score_adj, subreaper, pdeathsig, no_new_privs, flags[4], status_flags[4];
    uint64_t environment;
};

HARNESS struct being being(void)
{
    extern char **environ;
    struct being it;
    memset(&it, 0, sizeof it);
    for (int number = 1; number <= 64; number++)
        sigaction(number, NULL, &it.action[number]);
    for (int resource = 0; resource < 16; resource++)
        getrlimit(resource, &it.limit[resource]);
    if (stat(".", &it.cwd) != 0)
        found("the host's directory: %s", strerror(errno));
    pthread_sigmask(SIG_SETMASK, NULL, &it.mask);
    it.umask = umask(0);
    umask(it.umask);
    it.nice = getpriority(PRIO_PROCESS, 0);
    FILE *score = fopen("/proc/self/oom_score_adj", "re");
    if (!score || fscanf(score, "%d", &it.oom_score_adj) != 1)
        found("the host's oom_score_adj: %s", strerror(errno));
    if (score)
        fclose(score);
    prctl(PR_GET_CHILD_SUBREAPER, &it.subreaper);
    prctl(PR_GET_PDEATHSIG, &it.pdeathsig);
    it.no_new_privs = prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0);
    for (int i = 0; i < 4; i++) {
        it.flags[i] = fcntl(lent[i], F_GETFD);
        it.status_flags[i] = fcntl(lent[i], F_GETFL);
    }
    for (char **variable = environ; *variable; variable++)
        for (const char *at = *variable; *at; at++)
            it.environment = it.environment * 31 + (unsigned char)*at;
    return it;
}

HARNESS void check_being(const struct being *before)
{
    struct being now = being();
    for (int number = 1; number <= 64; number++)
        if (before->action[number].sa_handler != now.action[number].sa_handler || before->action[number].sa_flags != now.action[number].sa_flags)
            found("the disposition of signal %d is another one now", number);
    if (memcmp(before->limit, now.limit, sizeof now.limit) != 0)
        found("a limit of the host is another one now");
    if (before->cwd.st_ino != now.cwd.st_ino || before->cwd.st_dev != now.cwd.st_dev)
        found("the host's directory is another one now");
    if (memcmp(&before->mask, &now.mask, sizeof(uint64_t)) != 0)
        found("the signal mask of the host is another one now");
    if (before->umask != now.umask || before->nice != now.nice || before->environment != now.environment)
        found("umask, nice value or environment of the host is another one now");
    if (before->oom_score_adj != now.oom_score_adj)
        found("the oom_score_adj of the host is another one now");
    if (before->subreaper != now.subreaper || before->pdeathsig != now.pdeathsig || before->no_new_privs != now.no_new_privs)
        found("subreaper, parent death signal or no_new_privs of the host is another one now");
    if (memcmp(before->flags, now.flags, sizeof now.flags) != 0 || memcmp(before->status_flags, now.status_flags, sizeof now.status_flags) != 0)
        found("the flags of a descriptor that was lent are others now");
}

HARNESS int thread_count(void)
{
    int count = 0;
#ifdef __SANITIZE_THREAD__
    return 0; /* it has threads of its own, which come and go */
#endif
    DIR *tasks = opendir("/proc/self/task");
    for (struct dirent *task; tasks && (task = readdir(tasks));)
        count += isdigit((unsigned char)task->d_name[0]) != 0;
    if (tasks)
        closedir(tasks);
    return count;
}

/* The default supervisor makes the descriptors of its event loop when it first waits, and keeps them: those are counted by themselves. */
struct held {
    int loop, others;
};

HARNESS void count_held(int fd, void *held)
{
    char link[64], target[64] = "";
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    bool loop = readlink(link, target, sizeof target - 1) > 0
                && (strcmp(target, "anon_inode:[eventpoll]") == 0 || strcmp(target, "anon_inode:[eventfd]") == 0 || strcmp(target,
                        "anon_inode:[timerfd]") == 0);
    *(loop ? &((struct held *)held)->loop : &((struct held *)held)->others) += 1;
}

HARNESS struct held held(void)
{
    struct held it = {0, 0};
    for_each_fd(count_held, &it);
    return it;
}

/* An output file that is not there yet has no name, or goes with its child. */
HARNESS void check_directory(void)
{
    DIR *dir = opendir(directory);
    for (struct dirent *entry; dir && (entry = readdir(dir));)
        if (strstr(entry->d_name, ".procsup-"))
            found("%s is left", entry->d_name);
    if (dir)
        closedir(dir);
}

/* ---- a life ---- */

HARNESS void begin_life(void)
{
    char path[128];
    int ends[2];
    begin_step(UINT32_MAX);
    setenv("TMPDIR", directory, 1); /* where sessions make their directories */
    greet_ourselves();
    if (chdir(directory) != 0)
        found("the fuzzer: %s: %s", directory, strerror(errno));
    close(open("file", O_CREAT | O_WRONLY, 0600));
    mkdir("dir-0", 0700);
    mkdir("dir-1", 0000);
    snprintf(path, sizeof path, "%s/program-0", directory);
    int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0700); /* of no known format */
    if (fd < 0 || write(fd, "\x01\x02\x03", 3) != 3)
        found("the fuzzer: %s: %s", path, strerror(errno));
    close(fd);
    close(open("program-1", O_CREAT | O_WRONLY, 0600)); /* not executable */

    memset(long_text, 'x', sizeof long_text - 1);
    int null = open("/dev/null", O_RDWR), log = open("log", O_CREAT | O_WRONLY | O_APPEND, 0600);
    if (null < 0 || log < 0 || dup2(null, 0) < 0 || dup2(null, 1) < 0 || (!getenv("FUZZ_STDERR") && dup2(log, 2) < 0))
        found("the fuzzer: standard streams: %s", strerror(errno));
    close(log);
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
        found("the fuzzer: socketpair: %s", strerror(errno));
    lent[0] = null, lent[1] = ends[0], lent[2] = ends[1], lent[3] = open("file", O_RDWR | O_CLOEXEC);

    /* What kind of a host. */
    threads = plain || chance(50) ? 1 : 2 + (int)dice(WORKERS - 1);
    stops_allowed = chance(40) && !tolerates("F25");
    watched_by_edges = threads == 1 && chance(40);
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = chance(50) ? SA_RESTART : 0};
    sigaction(SIGUSR1, &action, NULL);
    sigaction(SIGALRM, &action, NULL);
    uint32_t way = dice(10);
    starved = chance(12) && !tolerates("F6");
    thief = way < 3;
    if (way == 0)
        signal(SIGCHLD, SIG_IGN);
    else if (way < 3)
        sigaction(SIGCHLD, &action, NULL);
    signal(SIGPIPE, SIG_IGN);
    struct rlimit no_core = {0, 0};
    setrlimit(RLIMIT_CORE, &no_core);
}

/* From the first contained child on two files are kept for all of them. */
HARNESS void warm_up_containment(void)
{
    ps_command *command = helper_command("nothing", NULL);
    ps_child *child = NULL;
    if (ps_command_isolate(command, PS_ISOLATE_CONTAINED, NULL) == PS_OK && ps_spawn(NULL, command, &child, NULL) == PS_OK)
        ps_reap(child, PATIENCE_MS, NULL, NULL);
    ps_child_free(child);
    ps_command_free(command);
}

HARNESS void be_a_host(void)
{
    pthread_t thread[WORKERS];
    ps_error *error = NULL;
    begin_life();
    bool timer = !plain && chance(35);
    bool cold = chance(20) && !tolerates("F5");
    note("a host: %d threads, %s%s, %s, %s, %s", threads, starved ? "starved, " : "", timer ? "a timer" : "no timer",
            thief ? "reaps all it can" : "reaps nobody",
         watched_by_edges ? "edges" : "no edges", stops_allowed ? "SIGSTOP" : "no SIGSTOP");
    if (chance(8)) /* a host may have closed its standard streams */
        close((int)dice(2));
    if (!cold) {
        warm_up();
        warm_up_containment();
    }
    struct being before = being();
    int tasks = thread_count();
    int fds = held().others + (cold ? 19 : 0); /* the places that the first spawn reserves, and the files of containment */
    if (watched_by_edges)
        watch_edges();
    struct rlimit files = {0, 0}, few;
    getrlimit(RLIMIT_NOFILE, &files);
    few = files;
    few.rlim_cur = 12 + dice(40);
    if (starved)
        setrlimit(RLIMIT_NOFILE, &few);
    if (timer) {
        int32_t us = 300 + (int32_t)dice(5000);
        struct itimerval interval = {{0, us}, {0, us}};
        setitimer(ITIMER_REAL, &interval, NULL);
    }
    for (int i = 1; i < threads; i++)
        if (pthread_create(&thread[i], NULL, work, (void *)(intptr_t)i) != 0)
            thread[i] = 0; /* a C library that takes EPERM from clone3 for an answer */
    work(NULL);
    for (int i = 1; i < threads; i++)
        if (thread[i])
            pthread_join(thread[i], NULL);

    threads = 1;
    begin_step(UINT32_MAX - 1);
    ps_signal_all(SIGCONT);
    struct itimerval none = {{0, 0}, {0, 0}};
    setitimer(ITIMER_REAL, &none, NULL);
    setrlimit(RLIMIT_NOFILE, &files);
    if (watched_by_edges)
        finish_by_edges();
    free_everything();
    uint32_t left = 0;
    ps_status status = ps_kill_and_reap_all(30000 * slowness(), &left);
    if (status != PS_OK || ps_live_count() != 0)
        found("the end: %s, %u left, %u live", ps_status_name(status), left, ps_live_count());
    if (atomic_load(&overseer_has_started)) {
        for_each_child(getpid(), harness_kill_tree);
        while (waitpid(-1, NULL, 0) > 0)
            continue;
    }
    /* What the children owned is released by later calls. */
    struct held now = {0, 0};
    if (!wait_until((warm_up(), now = held(), now.others <= fds && now.loop <= 4 && child_count() == 0 && thread_count() == tasks), 10000)) {
        char what[400] = "";
        for (int fd = 3; fd < 300; fd++) {
            char link[64], target[64];
            snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
            ssize_t length = readlink(link, target, sizeof target - 1);
            if (length > 0 && strlen(what) < 320)
                snprintf(what + strlen(what), sizeof what - strlen(what), " %d=%.*s", fd, (int)length, target);
        }
        found("the end: %d descriptors where there were %d, and %d of event loops (%s), %d children (%d zombies), %d threads", now.others, fds,
                now.loop, what, child_count(), zombie_count(),
              thread_count());
    }
    check_being(&before);
    check_directory();
    (void)error;
    exit(0); /* not _exit: a sanitizer looks for leaks */
}

#endif
