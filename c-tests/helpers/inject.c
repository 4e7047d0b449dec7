/*
 * inject: lets one chosen system call of a program fail without being executed. Only calls between the two marker calls of
 * inject_markers.h are looked at, in two roles: "parent" is the thread that gave the marker, "child" is every process that was
 * forked in between, until its exec. Everything else runs untraced.
 *
 *   inject --list [--report FILE] -- PROGRAM [ARGS]
 *       reports one line per call: "parent 1 mmap", "child 1 close_range", ... (counted from 1 in each role)
 *   inject --nth N [--in parent|child] [--call NAME] --errno ERRNO [--after] [--sticky] [--report FILE] -- PROGRAM [ARGS]
 *       the N-th call (with --call: the N-th of that name) answers ERRNO and does nothing. With --after it is executed and still
 *       answers ERRNO, as close(2) does on EINTR. With --sticky every later one fails, too.
 *       Reports "injected ROLE N NAME ERRNO" per failure.
 *   inject --nth N [--in parent|child] [--call NAME] --kill|--stop [--after] [--report FILE] ...
 *       the process is killed by SIGKILL before (--after: after) that call, or stopped there until we get SIGUSR1: the whole of it, as
 *       by SIGSTOP, which alone would let the call be made first. Reports "killed ROLE N NAME NANOSECONDS" or "stopped ...".
 *   inject --pid PID ...
 *       the same for a process that runs already; its main thread is looked at from its next marker call on. Reports "attached", and
 *       ends when the process does, or on SIGUSR1, which lets it go.
 *
 * Calls are named as by `without`: waitid-pidfd, pidfd-group, pidfd-info and peer-pidfd are calls of their own; so is
 * fcntl-get (F_GETFD, F_GET_SEALS), which can only say that there is no such descriptor, or one of another kind. Where the order of calls differs
 * from run to run, --call is the way to be sure that the errno is one which the call can give.
 *
 * The report goes to standard error by default. The exit code is the program's (128 + signal if one ended it), 125 for trouble of
 * our own, 77 where tracing is not permitted.
 *
 * The trap: while we trace a child, its true parent cannot wait for it (the kernel gives a zombie to the tracer first), and that is
 * a world no program ever lives in. So a child is let go at its exec, and everybody as soon as the failure was injected.
 */
#define _GNU_SOURCE
#include "inject_markers.h"
#include "names.h"
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Linux 5.3; declared here because the C libraries disagree about its name. */
#define GET_SYSCALL_INFO 0x420e
struct syscall_info {
    uint8_t op; /* 1: entry, 2: exit */
    uint8_t pad[3];
    uint32_t arch;
    uint64_t instruction_pointer, stack_pointer;
    union {
        struct {
            uint64_t nr, args[6];
        } entry;
        struct {
            int64_t rval;
            uint8_t is_error;
        } exit;
    } u;
};
enum { STOP_AT_ENTRY = 1, STOP_AT_EXIT = 2 };

enum role { PARENT, CHILD };
static const char *const role_names[] = {"parent", "child"};

struct tracee {
    pid_t pid;
    enum role role;
    bool failing; /* its present call must answer wanted_errno */
    bool doomed;  /* it is to be killed or stopped when its present call is over */
};
static struct tracee tracees[256];
static size_t tracee_count;

static bool list, after, sticky, attached;
static enum { ERRNO_FAULT, KILL_FAULT, STOP_FAULT } fault;
static pid_t struck, held; /* killed or stopped; held: stopped */
static volatile sig_atomic_t let_all_go;
static enum role wanted_role = PARENT;
static const char *wanted_call, *wanted_errno_name;
static int wanted_errno;
static long wanted_position;

static pid_t main_pid;
static bool active;   /* between the markers */
static bool finished; /* nothing is left to do: let everybody go */
static long positions[2];
static FILE *report;

static _Noreturn void trouble(const char *what)
{
    fprintf(stderr, "inject: %s: %s\n", what, strerror(errno));
    exit(errno == EPERM ? 77 : 125);
}

static struct tracee *known(pid_t pid)
{
    for (size_t i = 0; i < tracee_count; i++)
        if (tracees[i].pid == pid)
            return &tracees[i];
    return NULL;
}

static void add_tracee(pid_t pid, enum role role)
{
    if (tracee_count == sizeof tracees / sizeof *tracees) {
        fprintf(stderr, "inject: too many processes at a time\n");
        exit(125);
    }
    tracees[tracee_count++] = (struct tracee){.pid = pid, .role = role};
}

static void forget(pid_t pid)
{
    if (held == pid)
        held = 0;
    struct tracee *tracee = known(pid);
    if (tracee)
        *tracee = tracees[--tracee_count];
}

/* The marker is near: before that no call is stopped at, which is most of what a run would cost. */
static bool awaited;

/* Requests may find the process gone (a SIGKILL is always possible); its end is then reported by waitpid. */
static void resume(pid_t pid, int signal_number)
{
    ptrace(awaited || attached ? PTRACE_SYSCALL : PTRACE_CONT, pid, NULL, (void *)(intptr_t)signal_number);
}

static void let_go(pid_t pid, int signal_number)
{
    ptrace(PTRACE_DETACH, pid, NULL, (void *)(intptr_t)signal_number);
    forget(pid);
}

/* ---- the two things that each processor does in its own way ---- */

static void skip_call(pid_t pid)
{
#if defined(__x86_64__)
    ptrace(PTRACE_POKEUSER, pid, (void *)offsetof(struct user_regs_struct, orig_rax), (void *)-1L);
#elif defined(__aarch64__)
    int none = -1;
    struct iovec number = {&none, sizeof none};
    ptrace(PTRACE_SETREGSET, pid, (void *)0x404 /* NT_ARM_SYSTEM_CALL */, &number);
#else
#error "inject.c: how does this processor skip a system call?"
#endif
}

static void set_result(pid_t pid, long result)
{
#if defined(__x86_64__)
    ptrace(PTRACE_POKEUSER, pid, (void *)offsetof(struct user_regs_struct, rax), (void *)result);
#elif defined(__aarch64__)
    struct user_regs_struct registers;
    struct iovec all = {&registers, sizeof registers};
    ptrace(PTRACE_GETREGSET, pid, (void *)1 /* NT_PRSTATUS */, &all);
    registers.regs[0] = (unsigned long)result;
    ptrace(PTRACE_SETREGSET, pid, (void *)1 /* NT_PRSTATUS */, &all);
#endif
}

/* ---- stops ---- */

/* The name by which a call is listed and chosen: that of `without` for those that are told apart by an argument. */
static const char *listed_name(int call, const uint64_t *args)
{
    if (call == SYS_waitid && args[0] == WAIT_ON_PIDFD)
        return "waitid-pidfd";
    if (call == SYS_pidfd_send_signal && (uint32_t)args[3] != 0)
        return "pidfd-group";
    if (call == SYS_ioctl && (args[1] & 0xFFFF) == PIDFD_GET_INFO_LOW)
        return "pidfd-info";
    if (call == SYS_getsockopt && (int)args[2] == PEER_PIDFD)
        return "peer-pidfd";
    if (call == SYS_fcntl && ((int)args[1] == F_GETFD || (int)args[1] == F_GET_SEALS))
        return "fcntl-get";
    return call_name(call);
}

static bool must_fail(const struct tracee *tracee, long position)
{
    if (list || tracee->role != wanted_role)
        return false;
    return position == wanted_position || (sticky && position > wanted_position);
}

static long long now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000000ll + now.tv_nsec;
}

/* Kills or stops a process whose thread stands in front of, or behind, a call. Its other threads are not traced. */
static void strike(struct tracee *tracee, const char *name)
{
    fprintf(report, "%s %s %ld %s %lld\n", fault == KILL_FAULT ? "killed" : "stopped", role_names[tracee->role],
            positions[tracee->role], name, now_ns());
    kill(tracee->pid, fault == KILL_FAULT ? SIGKILL : SIGSTOP);
    finished = true;
    struck = tracee->pid;
    held = fault == STOP_FAULT ? struck : 0;
}

static void at_entry(struct tracee *tracee, int call, const uint64_t *args)
{
    if (tracee->role == PARENT && call == SYS_getpriority) {
        if ((uint32_t)args[0] == INJECT_MARK_BEGIN)
            active = true;
        else if ((uint32_t)args[0] == INJECT_MARK_END) {
            active = false;
            finished = true;
        }
        return;
    }
    if (tracee->role == PARENT && !active)
        return;
    const char *name = listed_name(call, args);
    if (wanted_call && strcmp(name, wanted_call) != 0)
        return;
    long position = ++positions[tracee->role];
    if (list)
        fprintf(report, "%s %ld %s\n", role_names[tracee->role], position, name);
    if (must_fail(tracee, position) && fault != ERRNO_FAULT) {
        if (after)
            tracee->doomed = true;
        else
            strike(tracee, name);
    } else if (must_fail(tracee, position)) {
        tracee->failing = true;
        if (!after)
            skip_call(tracee->pid);
        fprintf(report, "injected %s %ld %s %s\n", role_names[tracee->role], position, name, wanted_errno_name);
    }
}

static void at_syscall_stop(pid_t pid)
{
    struct syscall_info info = {0};
    struct tracee *tracee = known(pid);
    if (tracee && ptrace(GET_SYSCALL_INFO, pid, (void *)sizeof info, &info) > 0) {
        if (info.op == STOP_AT_ENTRY)
            at_entry(tracee, (int)info.u.entry.nr, info.u.entry.args);
        else if (info.op == STOP_AT_EXIT && tracee->doomed) {
            strike(tracee, "its-end");
        } else if (info.op == STOP_AT_EXIT && tracee->failing) {
            set_result(pid, -wanted_errno);
            tracee->failing = false;
            finished = !sticky;
        }
        if (struck == pid)
            return; /* stays where it is */
        if (finished && !tracee->failing) {
            let_go(pid, 0);
            return;
        }
    }
    resume(pid, 0);
}

/* A process or thread that the kernel attached to us because its maker is traced. Of threads nothing is wanted. */
static bool is_wanted_newborn(pid_t pid)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/task/%d", (int)main_pid, (int)pid);
    return active && !finished && (list || wanted_role == CHILD) && access(path, F_OK) != 0;
}

static void at_stop(pid_t pid, int status)
{
    int signal_number = WSTOPSIG(status), event = status >> 16;
    bool newborn = !known(pid);

    if (finished && attached && !newborn && !known(pid)->failing && signal_number != (SIGTRAP | 0x80)) {
        let_go(pid, event == 0 ? signal_number : 0);
        return;
    }

    if (newborn) { /* stops before its maker's event is out, so `active` still is what it was at the birth */
        if (!is_wanted_newborn(pid)) {
            let_go(pid, 0);
            return;
        }
        add_tracee(pid, CHILD);
    }
    if (event == PTRACE_EVENT_EXEC && known(pid)->role == CHILD)
        let_go(pid, 0);
    else if (event == PTRACE_EVENT_FORK || event == PTRACE_EVENT_VFORK || event == PTRACE_EVENT_CLONE) {
        unsigned long made = 0;
        ptrace(PTRACE_GETEVENTMSG, pid, NULL, &made);
        if (made && !known((pid_t)made) && is_wanted_newborn((pid_t)made))
            add_tracee((pid_t)made, CHILD);
        resume(pid, 0);
    } else if (event == PTRACE_EVENT_STOP && signal_number != SIGTRAP)
        ptrace(PTRACE_LISTEN, pid, NULL, NULL); /* a job control stop: stay stopped */
    else if (event != 0)
        resume(pid, 0);
    else if (signal_number == (SIGTRAP | 0x80))
        at_syscall_stop(pid);
    else if (signal_number == INJECT_MARK_SIGNAL && pid == main_pid && !attached && !awaited) {
        awaited = true;
        resume(pid, 0);
    } else
        resume(pid, signal_number);
}

static void on_usr1(int number)
{
    (void)number;
    let_all_go = 1;
}

/* Whoever wants us to end sends SIGUSR1 until we do: one that comes just before waitpid() is not heard. */
static void end_of_interest(void)
{
    finished = true;
    if (held) {
        kill(held, SIGCONT);
        let_go(held, 0);
        held = 0;
    }
    for (size_t i = 0; i < tracee_count; i++)
        ptrace(PTRACE_INTERRUPT, tracees[i].pid, NULL, NULL);
}

static void attach(pid_t pid)
{
    main_pid = pid;
    attached = true;
    long options = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEEXEC | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE;
    if (ptrace(PTRACE_SEIZE, main_pid, NULL, (void *)options) != 0 || ptrace(PTRACE_INTERRUPT, main_pid, NULL, NULL) != 0)
        trouble("ptrace");
    add_tracee(main_pid, PARENT);
    fprintf(report, "attached\n");
}

static void start(char **command)
{
    int gate[2];
    if (pipe2(gate, O_CLOEXEC) != 0 || (main_pid = fork()) < 0)
        trouble("fork");
    if (main_pid == 0) {
        char byte;
        prctl(PR_SET_PDEATHSIG, SIGKILL); /* whoever ends us ends it, also when it is no longer traced */
        close(gate[1]);
        if (read(gate[0], &byte, 1) == 1)
            execvp(command[0], command);
        fprintf(stderr, "inject: %s: %s\n", command[0], strerror(errno));
        _exit(125);
    }
    long options = PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL | PTRACE_O_TRACEEXEC | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK |
                   PTRACE_O_TRACECLONE;
    if (ptrace(PTRACE_SEIZE, main_pid, NULL, (void *)options) != 0 || ptrace(PTRACE_INTERRUPT, main_pid, NULL, NULL) != 0)
        trouble("ptrace");
    add_tracee(main_pid, PARENT);
    if (write(gate[1], "", 1) != 1)
        trouble("write");
    close(gate[0]);
    close(gate[1]);
}

static int number_argument(int number, const char *text)
{
    if (number < 0) {
        fprintf(stderr, "inject: unknown name '%s'\n", text);
        exit(125);
    }
    return number;
}

int main(int argc, char **argv)
{
    int i = 1;
    pid_t running = 0;
    report = stderr;
    for (; i < argc && strcmp(argv[i], "--") != 0; i++) {
        const char *option = argv[i], *value = i + 1 < argc ? argv[i + 1] : "";
        if (strcmp(option, "--list") == 0)
            list = true;
        else if (strcmp(option, "--after") == 0)
            after = true;
        else if (strcmp(option, "--sticky") == 0)
            sticky = true;
        else if (strcmp(option, "--kill") == 0)
            fault = KILL_FAULT;
        else if (strcmp(option, "--stop") == 0)
            fault = STOP_FAULT;
        else {
            if (strcmp(option, "--nth") == 0)
                wanted_position = atol(value);
            else if (strcmp(option, "--in") == 0)
                wanted_role = strcmp(value, "child") == 0 ? CHILD : PARENT;
            else if (strcmp(option, "--pid") == 0)
                running = atoi(value);
            else if (strcmp(option, "--call") == 0)
                wanted_call = value;
            else if (strcmp(option, "--errno") == 0)
                wanted_errno = number_argument(errno_number(value), wanted_errno_name = value);
            else if (strcmp(option, "--report") != 0 || !(report = fopen(value, "we"))) {
                fprintf(stderr, "inject: %s %s?\n", option, value);
                return 125;
            }
            i++;
        }
    }
    if ((i + 1 >= argc && !running) || (!list && (wanted_position < 1 || (wanted_errno == 0 && fault == ERRNO_FAULT)))) {
        fprintf(stderr, "usage: inject --list | --nth N [--in child] [--call NAME] --errno ERRNO|--kill|--stop [--after] [--sticky]"
                        " -- PROGRAM | --pid PID\n");
        return 125;
    }
    setvbuf(report, NULL, _IOLBF, BUFSIZ);
    struct sigaction usr1 = {.sa_handler = on_usr1};
    sigaction(SIGUSR1, &usr1, NULL);
    if (running) {
        prctl(PR_SET_PDEATHSIG, SIGUSR1); /* nobody else would let it go */
        attach(running);
    } else
        start(argv + i + 1);

    for (;;) {
        int status;
        if (let_all_go)
            end_of_interest();
        pid_t pid = waitpid(-1, &status, __WALL);
        if (pid < 0 && errno == ECHILD && attached)
            return 0;
        if (pid < 0 && errno != EINTR)
            trouble("waitpid");
        if (pid > 0 && WIFSTOPPED(status))
            at_stop(pid, status);
        else if (pid == main_pid && (WIFEXITED(status) || WIFSIGNALED(status)))
            return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
        else if (pid > 0)
            forget(pid);
    }
}
