/* SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * procsup: own your child processes.
 *
 * Spawns programs at the cost the kernel itself charges, whatever the size of the host; knows how each one
 * ended; leaves no grandchild, zombie or descriptor behind while the host lives (and then: see WHEN THE HOST
 * ENDS). Linux 5.4 or newer, x86_64 and aarch64. Link with -lprocsup (pkg-config procsup, CMake
 * procsup::procsup).
 *
 * A complete program:
 *
 *     #include <procsup.h>
 *     #include <stdio.h>
 *
 *     int main(void) {
 *       ps_error *error = NULL;
 *       ps_command *command = NULL;
 *       ps_child *child = NULL;
 *       ps_exit end = {.size = sizeof end};
 *
 *       if (ps_command_new("sort", &command, &error) == PS_OK &&
 *           ps_command_arg(command, "/etc/passwd", &error) == PS_OK &&
 *           ps_spawn(NULL, command, &child, &error) == PS_OK &&
 *           ps_reap(child, 5000, &end, &error) == PS_OK)
 *         printf("exit code %d, %lld us of CPU\n", end.code, (long long)(end.user_us + end.system_us));
 *       else
 *         fprintf(stderr, "%s\n", ps_error_message(error));
 *
 *       ps_child_free(child);
 *       ps_command_free(command);
 *       ps_error_free(error);
 *       return 0;
 *     }
 *
 * The sections: versions, errors, commands (what to run), children (one running program), one answer (a
 * program that is run for what it says), everything at once (for signal handlers), supervisors (many children
 * behind one descriptor), readiness (and watchdogs),
 * budgets (crash loops end), spawn locks, starting once (a daemon that whoever needs it starts), the other
 * side (for programs that are such children), handoff (a server replaces itself).
 *
 * THE HOST is the process that calls procsup, and procsup is a guest in it: it keeps no thread, installs no
 * signal handler, changes no signal mask or disposition, no environment, directory, umask or limit, and waits
 * for no process that it did not make. If you ignore SIGCHLD or reap with waitpid(-1), it still tells you how
 * its children ended. It needs a few descriptors: one per running child (and what its command asks for:
 * pipes, one for a sandbox directory, for its readiness and for its NOTIFY_SOCKET, two each for a control
 * group and an output file), up to four per
 * supervisor. Where at least 78 more are free, the first ps_supervisor_new or ps_spawn reserves some sixteen
 * (make it early, while low numbers are free): then spawns cost the same however many the host has open.
 * Where fewer are free they are made as they are needed, and the last ones stay the host's. All are
 * close-on-exec; leave them open. A forked copy of the host closes those that it has inherited at its own
 * first ps_supervisor_new or ps_spawn, as far as they are still what they were; what belongs to supervisors
 * and children of the original it keeps until its exec or its end.
 *
 * WHEN THE HOST ENDS. Nothing of procsup runs by itself then: a host that simply returns from main, calls
 * exit or is killed leaves its children running, as any parent does. To have it otherwise:
 * ps_supervisor_free before that; ps_kill_and_reap_all in an atexit function, and in the handlers of
 * signals that end the host; ps_command_die_with_host for a host that crashes or gets SIGKILL (the child
 * alone, not its own children); a control group around the host and all that descends from it, which a
 * service manager or a container ends.
 *
 * THREADS. Every function may be called from any thread at any time, also on the same object. No function
 * blocks unless its description says so; none is a cancellation point. Signal handlers may call exactly
 * ps_signal_all, ps_kill_and_reap_all and ps_live_count. ps_spawn needs 48 KiB of stack. All threads that
 * call procsup share one descriptor table, as pthreads do. Which waits a signal ends: see SIGNALS.
 *
 * SIGNALS. A handler of the host, or of a library or runtime in it, that runs while a function of procsup
 * waits ends the wait of those that are made for loops, so that Ctrl-C does something: _next_event answers
 * PS_PENDING, ps_wait_ready, ps_wait_any and ps_wait_all answer PS_ERR_INTERRUPTED. (So PS_PENDING does not
 * say that the time is over.) SA_RESTART makes no difference. Work that is due is done first, and what is
 * there is told all the same. In a preloader and its workers ps_preload_fork, ps_preload_accept and
 * ps_worker_asked do the same in their own words. All others go on until what they wait for has happened,
 * or their time is over: ps_reap, ps_terminate, ps_spawn_once, ps_spawn_lock_acquire, ps_worker_wait,
 * ps_preloader_spawn and the like. Else every host with a handler of SIGCHLD would be interrupted at each
 * other child's end. A stop and its SIGCONT end no wait.
 *
 * Only a handler is seen that runs in the waiting thread while it waits. One that runs just before that, or
 * in another thread, has come and gone: so who must not miss it waits some seconds at a time and looks at its
 * flag, or reads signals from a descriptor (signalfd(2), or a pipe that the handler writes to) in one loop
 * with _fd(), or blocks them and waits for _fd() by ppoll(2), which lets them in. docs/guide has all three.
 *
 * FILTERS. Where a seccomp filter is on, the first ps_supervisor_new, ps_handoff_new or ps_spawn forks the
 * host once or a few times (about 20 ms per GiB resident each), to find out which calls newer than Linux 5.0
 * it refuses or kills for, and does without those. A filter that is installed later may refuse calls, but
 * must not kill for one that is in use.
 *
 * FORK. A forked child of the host owns nothing: every handle it inherited gives PS_ERR_FORKED, and the three
 * functions for signal handlers touch nobody. It may make objects and children of its own. It has inherited
 * the descriptors, too: ps_handoff_free closes there those of a handoff, ps_spawn_lock_release those of a
 * lock; those of supervisors, children, workers and preloaders (see above) stay, so that a child, a worker or
 * a preloader sees no end of its input while such a copy of you has it.
 * A child that you made by vfork(2), or by clone(2) with CLONE_VM, has your memory and is not told from you:
 * call nothing of procsup in it; only those three functions touch nobody there, either.
 *
 * TWO COPIES of the library in one process (a program's own and that of a plugin) are two guests that do not
 * know each other. A handle of one is a foreign one for the other (PS_ERR_BAD_HANDLE). Each has its own
 * children, default supervisor and reserved descriptors, and its three functions for signal handlers reach
 * its own children only. Neither waits for, signals or hands on to a child what is the other's. Only one of
 * the two should call ps_supervisor_set_subreaper: an orphan that comes from a host of procsup below a child
 * of the other is not told apart.
 *
 * OWNERSHIP. Objects are made by a _new function or by ps_spawn, and freed by a _free function, exactly once;
 * a second free and _free(NULL) do nothing. A handle is a checked id, not an address: one that is NULL,
 * freed, foreign or of another type gives PS_ERR_BAD_HANDLE. Strings that you pass are NUL-terminated, and
 * copied. Descriptors are borrowed unless the function says that it takes them.
 *
 * ERRORS. A ps_status is PS_OK (0), PS_PENDING (1: nothing yet) or a negative PS_ERR_*. Functions that can
 * fail have a last parameter `ps_error **error`: NULL, or where to put the details. It is written only on
 * failure, and what was there is not looked at: free an error (ps_error_free) before you use its place again.
 * All other out parameters are written only on success, unless their description says otherwise (`needed`,
 * see BYTES; `left` of ps_kill_and_reap_all). A call with a wrong argument changes nothing. Beside the
 * statuses that its description names, a function that takes a handle can answer PS_ERR_BAD_HANDLE and
 * PS_ERR_FORKED, and one that takes pointers or numbers PS_ERR_INVALID_ARGUMENT; any can answer PS_ERR_LIMIT
 * where memory or descriptors have run out, and PS_ERR_SYSTEM where the kernel refuses something in another
 * way; and a call that is under way while another thread frees its supervisor or handoff PS_ERR_SHUTDOWN.
 * PS_ERR_INTERNAL is a defect of procsup.
 *
 * MEMORY. A malloc that fails does not end the host. What takes memory for longer (ps_spawn, the _new
 * functions, setters) answers PS_ERR_LIMIT with errno ENOMEM, or works out of a reserve that is part of the
 * library: 6 MiB of address space, which take no memory until then. Calls that look, signal, stop, reap, take
 * events or free go on out of it: the room that the end of a child needs was made when it was spawned. Lines
 * of output are lost if there is none for them, and told of as soon as there is (PS_EVENT_OUTPUT_LOST).
 * Restarts rest until there is memory; PS_EVENT_RESTARTING, and STARTED and EXITED of a run that is not the
 * last, may be missing. The ps_error of a call that failed may then be one that only says that memory is out,
 * the same for all; the returned status is the true one.
 *
 * What can still end the host, in the moment when malloc fails for just that: a setter with more than 64 KiB
 * in one piece or list, ps_error_render of a text as large, the state and names of a handoff beyond that; and
 * a hundred threads within ps_spawn, or some hundreds within other functions, when memory ends. Memory that
 * malloc has given but the kernel cannot is the kernel's affair (its OOM killer).
 *
 * NUMBERS with names (PS_STDIO_PIPE and so on) are passed as int32_t; each section has the enums it uses.
 *
 * STRUCTURES begin with `size`: set it to sizeof the structure before the call. One that is too small for the
 * first version of the structure, or above 4096 (none has as many bytes: it was not set), is
 * PS_ERR_INVALID_ARGUMENT. Fields that are called `reserved` mean nothing in this version: they are written
 * as 0, and not read. TIME is milliseconds for
 * waits (-1: for ever, 0: not at all) and nanoseconds of CLOCK_MONOTONIC for time stamps.
 *
 * BYTES are copied out into a buffer of yours: `buf` and `cap` say where it is and how large, `needed`
 * receives the length, also when `buf` is too small, of no size even (PS_ERR_LIMIT; then nothing is copied).
 * NULL, 0 as the buffer asks only for the length (NULL with another size is PS_ERR_INVALID_ARGUMENT);
 * `needed` may be NULL if there is a buffer. They are not NUL-terminated unless the function says so.
 */

#ifndef PROCSUP_H
#define PROCSUP_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ==================== versions ========================================================================== */

/* While the major version is 0, a minor version may change the interface: the shared library is then
 * libprocsup.so.0.MINOR, and a program gets the one that it was linked with. */

/** First part of the version. While it is 0, the second part changes with every change of the interface. */
#define PS_VERSION_MAJOR 0

/** Second part of the version. */
#define PS_VERSION_MINOR 1

/** Third part of the version. */
#define PS_VERSION_PATCH 0

/**
 * The version of the library that is running: major << 16 | minor << 8 | patch. Compare it with
 * PS_VERSION_MAJOR, PS_VERSION_MINOR and PS_VERSION_PATCH, which are those of the header. May be called in
 * any context; never blocks, never fails.
 */
uint32_t ps_version(void);

/** The same as text, for example "0.1.0". Static, never NULL; do not free it. */
const char *ps_version_string(void);

/* ==================== errors ============================================================================ */

/** What a function answers: a number of enum ps_status_code. */
typedef int32_t ps_status;

/** What a call answers. The first two are no failures; all others are negative. */
typedef enum ps_status_code {
  /** Done. */
  PS_OK = 0,
  /** Nothing yet; ask again. Not an error. */
  PS_PENDING = 1,
  /** An argument is wrong; nothing was changed. */
  PS_ERR_INVALID_ARGUMENT = -1,
  /** The handle is NULL, freed, of another type, or was never one. */
  PS_ERR_BAD_HANDLE = -2,
  /** The object is not in a state that allows this. */
  PS_ERR_STATE = -3,
  /** A system call failed; the errno says how. */
  PS_ERR_SYSTEM = -4,
  /** A file, a directory or a name is not there (ENOENT, ENOTDIR). */
  PS_ERR_NOT_FOUND = -5,
  /** Not permitted (EACCES, EPERM). */
  PS_ERR_PERMISSION = -6,
  /** A limit was reached: processes, descriptors, memory, or the size of a buffer. */
  PS_ERR_LIMIT = -7,
  /** The time was over first. */
  PS_ERR_TIMEOUT = -8,
  /** It was cancelled. */
  PS_ERR_CANCELLED = -9,
  /** The supervisor has been closed. */
  PS_ERR_SHUTDOWN = -10,
  /** The handle belongs to the process that this one was forked from. */
  PS_ERR_FORKED = -11,
  /** Not to be had on this kernel or in this version. */
  PS_ERR_UNSUPPORTED = -12,
  /** The output file exists. */
  PS_ERR_OUTPUT_EXISTS = -13,
  /** Too many attempts; the error says when to try again. */
  PS_ERR_BUDGET_EXHAUSTED = -14,
  /** The same is being done already. */
  PS_ERR_IN_PROGRESS = -15,
  /** Another process holds the lock. */
  PS_ERR_LOCKED = -16,
  /** The lock file was replaced by another one. */
  PS_ERR_LOCK_REPLACED = -17,
  /** The child has ended. */
  PS_ERR_EXITED = -18,
  /** The peer broke the protocol. */
  PS_ERR_PROTOCOL = -19,
  /** The peer speaks another version. */
  PS_ERR_VERSION_MISMATCH = -20,
  /** The peer is not who it must be. */
  PS_ERR_PEER_REJECTED = -21,
  /** It was given up half-way and undone. */
  PS_ERR_ABORTED = -22,
  /** A defect of procsup; please report it. The process and its other children are unharmed. */
  PS_ERR_INTERNAL = -23,
  /** A signal handler of this process has run meanwhile: look at what it has done, and wait again. */
  PS_ERR_INTERRUPTED = -24,
} ps_status_code;

/**
 * The name of a status, for example "PS_ERR_TIMEOUT"; "PS_ERR_UNKNOWN" for a number that is none. Static,
 * never NULL; do not free it. May be called in any context; never blocks.
 */
const char *ps_status_name(ps_status status);

/** The details of one failure: code, errno, step, message, captured output. Free it with ps_error_free. */
typedef struct ps_error ps_error;

/**
 * The status that the failed function returned. PS_ERR_BAD_HANDLE or PS_ERR_FORKED if `error` is no live
 * error.
 */
ps_status ps_error_status(const ps_error *error);

/** The errno of the system call that failed, or 0 if none did. */
int32_t ps_error_errno(const ps_error *error);

/**
 * What failed: a system call or step (PS_STEP_EXEC, "exec", and the other PS_STEP_* below), or the name of
 * the argument or setter that was refused. Never NULL. Valid until the error is freed.
 */
const char *ps_error_step(const ps_error *error);

/**
 * One sentence in English, on one line: what it quotes (a path, an argument, another process's words) has its
 * control characters, and those that turn the direction of writing, as in C ("\x1b", "\n", "\u202e"). That of
 * an application that failed to start ends with the id by which a page of it is found (PS_ERROR_TEXT_ID).
 * Never NULL. Valid until the error is freed.
 */
const char *ps_error_message(const ps_error *error);

/**
 * Of which kind the failure of an application to start is (ps_spawn_direct, ps_preloader_spawn):
 * "INTERNAL_ERROR", "FILE_SYSTEM_ERROR", "OPERATING_SYSTEM_ERROR", "IO_ERROR" or "TIMEOUT_ERROR"; "" for any
 * other error. The application may have named it. Static, never NULL; do not free it. Never blocks.
 */
const char *ps_error_category(const ps_error *error);

/** What ps_error_text tells of an application that failed to start. */
typedef enum ps_error_text_kind {
  /** Eight letters and digits, by chance, which tie what a visitor sees to what stands in a log. */
  PS_ERROR_TEXT_ID = 1,
  /** What happened, in one line. */
  PS_ERROR_TEXT_SUMMARY = 2,
  /** What is wrong. */
  PS_ERROR_TEXT_PROBLEM = 3,
  /** What to do about it. */
  PS_ERROR_TEXT_SOLUTION = 4,
  /** What the application adds for those who know it: a backtrace. */
  PS_ERROR_TEXT_ADVANCED = 5,
} ps_error_text_kind;

/**
 * What is told to people of an application that failed to start (ps_spawn_direct, ps_preloader_spawn), by a
 * number of enum ps_error_text_kind: its own words where it gave any, else those of the library. Plain text
 * in lines: paragraphs with an empty line between, lists of lines that begin with "- ", quotations that are
 * indented by four spaces; HTML that an application gave is told as what it says. It commands no terminal,
 * and is no HTML: escape it there. "" for any other error, for another number, and for what there is nothing
 * of. Never NULL. Valid until the error is freed. Never blocks.
 */
const char *ps_error_text(const ps_error *error, int32_t which);

/** In how many milliseconds another try makes sense; -1 if that is not known. */
int64_t ps_error_retry_after_ms(const ps_error *error);

/**
 * 1 if this is the first refusal of a budget in its window (ps_budget_begin): the one at which to do what is
 * to be done once, however many are refused after it. Else 0.
 */
int32_t ps_error_is_storm(const ps_error *error);

/**
 * What the failed process had written, as far as it was captured: its very bytes, also those that command a
 * terminal.
 *
 * @param buf, cap, needed  see BYTES, at the top
 * @return PS_OK; PS_ERR_LIMIT if the buffer is too small
 */
ps_status ps_error_output(const ps_error *error, char *buf, size_t cap, size_t *needed);

/** How ps_error_render writes. */
typedef enum ps_render_format {
  /** Plain text, several lines. */
  PS_RENDER_TEXT = 1,
  /** One JSON object. */
  PS_RENDER_JSON = 2,
  /** A self-contained HTML page, with everything that is known: for those who run the server. */
  PS_RENDER_HTML = 3,
  /** An HTML page for anybody: that something failed, and the id by which its reason is found in a log. */
  PS_RENDER_HTML_BRIEF = 4,
} ps_render_format;

/**
 * Writes the whole error for a reader, NUL-terminated. Whatever it quotes commands no terminal, and is no
 * syntax of JSON or HTML. A page loads nothing, runs nothing, and follows the reader's choice of light or
 * dark.
 *
 * Of an application that failed to start, JSON and the page hold what it and the host said of themselves:
 * environment, user, limits. What was given to it as confidential, and what looks like a secret, is masked
 * there; its own words and its output are not. Text, for a log, leaves these out. To the outside give
 * PS_RENDER_HTML_BRIEF, or a page of your own with the id (PS_ERROR_TEXT_ID).
 *
 * @param format            PS_RENDER_TEXT, PS_RENDER_JSON, PS_RENDER_HTML or PS_RENDER_HTML_BRIEF
 * @param buf, cap, needed  see BYTES, at the top; `needed` counts the NUL
 * @return PS_OK; PS_ERR_LIMIT if the buffer is too small
 */
ps_status ps_error_render(const ps_error *error, int32_t format, char *buf, size_t cap, size_t *needed);

/** Frees an error. NULL and a freed error do nothing. Never blocks. */
void ps_error_free(ps_error *error);

/* ==================== steps of errors =================================================================== */

/* What ps_error_step gives, for strcmp(3). (Who reads C without a preprocessor compares with the text.) With
 * PS_ERR_INVALID_ARGUMENT it is as a rule none of these, but what was refused: the name of a parameter as it
 * stands in this header ("groups"), of the call that makes or sets it without what all of them begin with
 * ("pass_fds" of ps_command_pass_fds), or of an argument of a session (ps_command_session). A later version
 * may add some; whoever does not know one shows it. */

/* A system call or function of the C library failed, as the manual names it; ps_error_errno says how.
 * ("clone3", "clone" and "fork" make the child. "fork" is also what probes the machine.) */
#define PS_STEP_BIND "bind"
#define PS_STEP_CHDIR "chdir"
#define PS_STEP_CHMOD "chmod"
#define PS_STEP_CLONE "clone"
#define PS_STEP_CLONE3 "clone3"
#define PS_STEP_CLOSE "close"
#define PS_STEP_CLOSE_RANGE "close_range"
#define PS_STEP_CONNECT "connect"
#define PS_STEP_DUP2 "dup2"
#define PS_STEP_DUP3 "dup3"
#define PS_STEP_EPOLL_CREATE1 "epoll_create1"
#define PS_STEP_EPOLL_CTL "epoll_ctl"
#define PS_STEP_EVENTFD "eventfd"
#define PS_STEP_FCHMOD "fchmod"
#define PS_STEP_FCHMODAT "fchmodat"
#define PS_STEP_FCHOWN "fchown"
#define PS_STEP_FCNTL "fcntl"
#define PS_STEP_FLOCK "flock"
#define PS_STEP_FORK "fork"
#define PS_STEP_FSTAT "fstat"
#define PS_STEP_FSTATAT "fstatat"
#define PS_STEP_FSTATFS "fstatfs"
#define PS_STEP_FTRUNCATE "ftruncate"
#define PS_STEP_GETCWD "getcwd"
#define PS_STEP_GETGROUPLIST "getgrouplist"
#define PS_STEP_GETGROUPS "getgroups"
#define PS_STEP_GETPID "getpid"
#define PS_STEP_GETPWNAM "getpwnam"
#define PS_STEP_GETRANDOM "getrandom"
#define PS_STEP_GETRLIMIT "getrlimit"
#define PS_STEP_GETSOCKOPT "getsockopt"
#define PS_STEP_KILL "kill"
#define PS_STEP_LANDLOCK_ADD_RULE "landlock_add_rule"
#define PS_STEP_LANDLOCK_CREATE_RULESET "landlock_create_ruleset"
#define PS_STEP_LANDLOCK_RESTRICT_SELF "landlock_restrict_self"
#define PS_STEP_LISTEN "listen"
#define PS_STEP_LSEEK "lseek"
#define PS_STEP_LSTAT "lstat"
#define PS_STEP_MADVISE "madvise"
#define PS_STEP_MALLOC "malloc"
#define PS_STEP_MEMFD_CREATE "memfd_create"
#define PS_STEP_MKDIR "mkdir"
#define PS_STEP_MKDIRAT "mkdirat"
#define PS_STEP_MKFIFOAT "mkfifoat"
#define PS_STEP_MMAP "mmap"
#define PS_STEP_OPEN "open"
#define PS_STEP_OPEN_BY_HANDLE_AT "open_by_handle_at"
#define PS_STEP_OPENPTY "openpty"
#define PS_STEP_PIDFD_OPEN "pidfd_open"
#define PS_STEP_PIDFD_SEND_SIGNAL "pidfd_send_signal"
#define PS_STEP_PIPE2 "pipe2"
#define PS_STEP_POLL "poll"
#define PS_STEP_PRCTL "prctl"
#define PS_STEP_PREAD "pread"
#define PS_STEP_PWRITE "pwrite"
#define PS_STEP_READ "read"
#define PS_STEP_RECVFROM "recvfrom"
#define PS_STEP_RECVMSG "recvmsg"
#define PS_STEP_RENAME "rename"
#define PS_STEP_SCHED_SETAFFINITY "sched_setaffinity"
#define PS_STEP_SCHED_SETSCHEDULER "sched_setscheduler"
#define PS_STEP_SENDMSG "sendmsg"
#define PS_STEP_SENDTO "sendto"
#define PS_STEP_SETGID "setgid"
#define PS_STEP_SETGROUPS "setgroups"
#define PS_STEP_SETPGID "setpgid"
#define PS_STEP_SETSID "setsid"
#define PS_STEP_SETSOCKOPT "setsockopt"
#define PS_STEP_SETUID "setuid"
#define PS_STEP_SOCKET "socket"
#define PS_STEP_SOCKETPAIR "socketpair"
#define PS_STEP_STAT "stat"
#define PS_STEP_TIMERFD_CREATE "timerfd_create"
#define PS_STEP_UNLINK "unlink"
#define PS_STEP_UNLINKAT "unlinkat"
#define PS_STEP_WRITE "write"

/* A step between the making of a child and its program, or a limit, stood in the way. */
#define PS_STEP_CGROUP "cgroup"
#define PS_STEP_CGROUP_SET "cgroup_set"
#define PS_STEP_DESCRIPTORS "descriptors"
#define PS_STEP_DIE_WITH_HOST "die_with_host"
#define PS_STEP_EXEC "exec"
#define PS_STEP_FOREGROUND "foreground"
#define PS_STEP_INIT "init"
#define PS_STEP_LANDLOCK "landlock"
#define PS_STEP_NICE "nice"
#define PS_STEP_NO_NEW_PRIVS "no_new_privs"
#define PS_STEP_OOM_SCORE_ADJ "oom_score_adj"
#define PS_STEP_RECORD "record"
#define PS_STEP_RLIMIT "rlimit"
#define PS_STEP_RLIMIT_FSIZE "RLIMIT_FSIZE"
#define PS_STEP_RLIMIT_RTTIME "RLIMIT_RTTIME"
#define PS_STEP_TERMINAL "terminal"
#define PS_STEP_UID_MAP "uid_map"

/* Something of procsup's own: an object that is not in a state for this, a time that is over, memory that is
 * out ("memory"), a place in line that is not to be had ("queue"), a peer that broke the rules. */
#define PS_STEP_ACCEPT "accept"
#define PS_STEP_ADOPT "adopt"
#define PS_STEP_ATTACH "attach"
#define PS_STEP_BUDGET "budget"
#define PS_STEP_CANCEL "cancel"
#define PS_STEP_CHILD "child"
#define PS_STEP_COLLAPSE "collapse"
#define PS_STEP_DRIVE "drive"
#define PS_STEP_FAILED "failed"
#define PS_STEP_FIND_FREE_PORT "find_free_port"
#define PS_STEP_GO "go"
#define PS_STEP_HANDOFF "handoff"
#define PS_STEP_HANDOFF_SUPERVISOR "handoff_supervisor"
#define PS_STEP_HANDSHAKE "handshake"
#define PS_STEP_HELLO "hello"
#define PS_STEP_JOURNAL "journal"
#define PS_STEP_JOURNEY "journey"
#define PS_STEP_LASTING "lasting"
#define PS_STEP_LINE "line"
#define PS_STEP_LISTENER "listener"
#define PS_STEP_LOAD "load"
#define PS_STEP_LOCK "lock"
#define PS_STEP_MEMORY "memory"
#define PS_STEP_NOTIFIED "notified"
#define PS_STEP_OFFER "offer"
#define PS_STEP_OUTPUT "output"
#define PS_STEP_OUTPUT_FILE "output_file"
#define PS_STEP_PANIC "panic"
#define PS_STEP_PERMIT "permit"
#define PS_STEP_PIDFD "pidfd"
#define PS_STEP_PRELOADER "preloader"
#define PS_STEP_PREPARE "prepare"
#define PS_STEP_PROC "proc"
#define PS_STEP_PROMOTE "promote"
#define PS_STEP_PROTOCOL "protocol"
#define PS_STEP_QUEUE "queue"
#define PS_STEP_READY "ready"
#define PS_STEP_REAP "reap"
#define PS_STEP_RECOVER "recover"
#define PS_STEP_REGISTRY "registry"
#define PS_STEP_REPLACE "replace"
#define PS_STEP_ROLE "role"
#define PS_STEP_RUN "run"
#define PS_STEP_SANDBOX_DIR "sandbox_dir"
#define PS_STEP_SESSION "session"
#define PS_STEP_SIGNAL "signal"
#define PS_STEP_SOCK_DIAG "sock_diag"
#define PS_STEP_SPAWN "spawn"
#define PS_STEP_SPAWN_DIR "spawn_dir"
#define PS_STEP_SPAWNER "spawner"
#define PS_STEP_START "start"
#define PS_STEP_STDIN "stdin"
#define PS_STEP_STOP "stop"
#define PS_STEP_SUPERVISOR "supervisor"
#define PS_STEP_TERMINATE "terminate"
#define PS_STEP_THREADS "threads"
#define PS_STEP_UPGRADE "upgrade"
#define PS_STEP_USER "user"
#define PS_STEP_WAIT "wait"
#define PS_STEP_WARM "warm"
#define PS_STEP_WORKER "worker"

/* The start of an application (ps_spawn_direct, ps_preloader_spawn): the steps of its journey, those of the
 * session by the names of its reference, NATIVE_ for preloaders of procsup's own protocol. */
#define PS_STEP_SPAWNING_KIT_PREPARATION "SPAWNING_KIT_PREPARATION"
#define PS_STEP_SPAWNING_KIT_FORK_SUBPROCESS "SPAWNING_KIT_FORK_SUBPROCESS"
#define PS_STEP_SPAWNING_KIT_CONNECT_TO_PRELOADER "SPAWNING_KIT_CONNECT_TO_PRELOADER"
#define PS_STEP_SPAWNING_KIT_SEND_COMMAND_TO_PRELOADER "SPAWNING_KIT_SEND_COMMAND_TO_PRELOADER"
#define PS_STEP_SPAWNING_KIT_READ_RESPONSE_FROM_PRELOADER "SPAWNING_KIT_READ_RESPONSE_FROM_PRELOADER"
#define PS_STEP_SPAWNING_KIT_PARSE_RESPONSE_FROM_PRELOADER "SPAWNING_KIT_PARSE_RESPONSE_FROM_PRELOADER"
#define PS_STEP_SPAWNING_KIT_PROCESS_RESPONSE_FROM_PRELOADER "SPAWNING_KIT_PROCESS_RESPONSE_FROM_PRELOADER"
#define PS_STEP_SPAWNING_KIT_HANDSHAKE_PERFORM "SPAWNING_KIT_HANDSHAKE_PERFORM"
#define PS_STEP_SPAWNING_KIT_FINISH "SPAWNING_KIT_FINISH"
#define PS_STEP_SUBPROCESS_BEFORE_FIRST_EXEC "SUBPROCESS_BEFORE_FIRST_EXEC"
#define PS_STEP_SUBPROCESS_SPAWN_ENV_SETUPPER_BEFORE_SHELL "SUBPROCESS_SPAWN_ENV_SETUPPER_BEFORE_SHELL"
#define PS_STEP_SUBPROCESS_OS_SHELL "SUBPROCESS_OS_SHELL"
#define PS_STEP_SUBPROCESS_EXEC_WRAPPER "SUBPROCESS_EXEC_WRAPPER"
#define PS_STEP_SUBPROCESS_APP_LOAD_OR_EXEC "SUBPROCESS_APP_LOAD_OR_EXEC"
#define PS_STEP_NATIVE_PREPARATION "NATIVE_PREPARATION"
#define PS_STEP_NATIVE_START "NATIVE_START"
#define PS_STEP_NATIVE_OPEN "NATIVE_OPEN"
#define PS_STEP_NATIVE_LOAD "NATIVE_LOAD"
#define PS_STEP_NATIVE_FORK "NATIVE_FORK"
#define PS_STEP_NATIVE_PROOF "NATIVE_PROOF"
#define PS_STEP_NATIVE_GATE "NATIVE_GATE"
#define PS_STEP_NATIVE_WORK "NATIVE_WORK"
#define PS_STEP_NATIVE_PROMOTION "NATIVE_PROMOTION"

/* ==================== commands ========================================================================== */

/* A command describes a program to run: make one, say with the calls below what is not to be as by default,
 * spawn it as often as you like, free it. A setter that returns an error has changed nothing; a spawn that is
 * under way is not affected. Setters never block. One that means something only beside another says so, and
 * does nothing by itself; their order is no matter, but where it is said. */

/** The description of a program to run. Can be spawned any number of times, from several threads at once. */
typedef struct ps_command ps_command;

/**
 * Makes a command.
 *
 * @param program  path of the program. Without a slash it is searched in the PATH that the child will have
 *                 ("/bin:/usr/bin" if it has none), as execvp(3) does; a relative path with a slash counts
 *                 from the child's directory. A script without "#!" is not run: its exec fails with ENOEXEC.
 * @param command  receives the command; free it with ps_command_free
 * @return PS_OK; PS_ERR_INVALID_ARGUMENT for NULL or an empty string
 */
ps_status ps_command_new(const char *program, ps_command **command, ps_error **error);

/**
 * The same for a program whose name comes with its length, as the strings of most languages do; it need not
 * be NUL-terminated. This holds of all calls that end in _bytes: the bytes are copied, NULL with a length of
 * 0 is an empty string, and one that holds a NUL is refused, for the program would see it cut there.
 *
 * @return as ps_command_new; PS_ERR_INVALID_ARGUMENT for a NUL, too: the message says at which offset, and
 *         ps_error_step gives the parameter ("program")
 */
ps_status ps_command_new_bytes(const char *program, size_t len, ps_command **command, ps_error **error);

/**
 * Makes a command of a line: its words, as a POSIX shell splits and unquotes them, are the program and its
 * arguments. Quotes, backslashes, lines that go on behind a backslash and comments (# where a word begins)
 * mean what they mean to a shell; nothing else does: $HOME, *, ~, |, > and ; are characters like others, and
 * "A=b" is a word. For these run "sh" with "-c" and the line. The line is bytes, in no particular encoding.
 *
 * @param line     copied
 * @param command  receives the command; free it with ps_command_free
 * @return PS_OK; PS_ERR_INVALID_ARGUMENT for NULL, a quote that is not closed, a line without a word, or an
 *         empty one as the program
 */
ps_status ps_command_parse(const char *line, ps_command **command, ps_error **error);

/**
 * Writes the command as a line that a POSIX shell would run, NUL-terminated: the program and its arguments,
 * quoted where there is need, and nothing else of it: no environment, no directory, no streams, no
 * `argv[0]` of its own. ps_command_parse reads it back. For logs and for people: procsup itself runs no
 * shell. (What the shell has a command of its own for, such as "echo", is that one there.) The bytes are
 * those of the arguments, also such as command a terminal. Never blocks.
 *
 * @param buf, cap, needed  see BYTES, at the top; `needed` counts the NUL
 * @return PS_OK; PS_ERR_LIMIT if the buffer is too small
 */
ps_status ps_command_render(const ps_command *command,
                            char *buf,
                            size_t cap,
                            size_t *needed,
                            ps_error **error);

/**
 * Frees a command and closes the descriptors that it still owns. Its children are not touched. NULL and a
 * freed command do nothing.
 */
void ps_command_free(ps_command *command);

/** Appends an argument. `argv[0]` is not among them: see ps_command_arg0. The string is copied. */
ps_status ps_command_arg(ps_command *command, const char *arg, ps_error **error);

/**
 * The same for a string with its length (ps_command_new_bytes).
 *
 * @return PS_OK; PS_ERR_INVALID_ARGUMENT for a NUL: the message says at which offset
 */
ps_status ps_command_arg_bytes(ps_command *command, const char *data, size_t len, ps_error **error);

/** Appends all arguments of a NULL-terminated array. The strings are copied. */
ps_status ps_command_args(ps_command *command, const char *const *args, ps_error **error);

/** What the child sees as `argv[0]`. Default: the program as it was named. The string is copied. */
ps_status ps_command_arg0(ps_command *command, const char *arg0, ps_error **error);

/**
 * Sets a variable of the child's environment, or removes it (value NULL). The strings are copied.
 *
 * @return PS_OK; PS_ERR_INVALID_ARGUMENT if the name is NULL, empty or holds '='
 */
ps_status ps_command_env(ps_command *command, const char *name, const char *value, ps_error **error);

/**
 * The same for a name and a value with their lengths (ps_command_new_bytes).
 *
 * @param value, value_len  the value: NULL, 0 is an empty one. SIZE_MAX as the length removes the variable,
 *                          whatever `value` is
 * @return as ps_command_env; PS_ERR_INVALID_ARGUMENT for a NUL, too: ps_error_step gives the parameter
 *         ("name", "value"), the message says at which offset
 */
ps_status ps_command_env_bytes(ps_command *command,
                               const char *name,
                               size_t name_len,
                               const char *value,
                               size_t value_len,
                               ps_error **error);

/**
 * Sets the variables of a whole block, as `environ` is one (environ(7)): an array of "NAME=VALUE" that ends
 * with NULL. It does what ps_command_env does for each, in their order: of one name the last entry counts,
 * and what was set before or is in the base stays unless the block names it (PS_ENV_CLEAR before it, if the
 * block is to be all there is). All or none: a bad entry changes nothing. The strings are copied.
 *
 * Its time is that of its length (n log n, at the spawn), however many variables there are.
 *
 * @param block  NULL-terminated array of NUL-terminated strings; an empty one changes nothing
 * @return PS_OK; PS_ERR_INVALID_ARGUMENT for NULL, and for an entry that has no '=' or nothing before it: the
 *         message says which, from 0, and not what it holds; PS_ERR_LIMIT without memory
 */
ps_status ps_command_env_block(ps_command *command, const char *const *block, ps_error **error);

/** What a child's environment begins with. */
typedef enum ps_env_base {
  /** Everything the host has (default). */
  PS_ENV_INHERIT = 0,
  /** Nothing. */
  PS_ENV_CLEAR = 1,
  /** PATH, HOME, USER, LOGNAME, SHELL, LANG, LC_*, TZ, TMPDIR and TERM of the host. */
  PS_ENV_BASELINE = 2,
} ps_env_base;

/**
 * What the environment begins with, before ps_command_env changes it; PS_ENV_INHERIT is what the host has at
 * the time of the spawn. The host's own environment is never changed. As with posix_spawn(3), no thread may
 * change it (setenv) during a spawn.
 *
 * @param base  PS_ENV_INHERIT (default), PS_ENV_CLEAR or PS_ENV_BASELINE
 */
ps_status ps_command_env_base(ps_command *command, int32_t base, ps_error **error);

/**
 * The child's working directory. A relative one counts from the host's at the time of the spawn. It is
 * entered as the child's own user, so a directory that this user may not enter fails the spawn with step
 * "chdir" (before the change of user: ps_command_chdir_first). The string is copied.
 */
ps_status ps_command_cwd(ps_command *command, const char *dir, ps_error **error);

/**
 * The same for a path with its length (ps_command_new_bytes).
 *
 * @return PS_OK; PS_ERR_INVALID_ARGUMENT for an empty one and for a NUL: the message says at which offset
 */
ps_status ps_command_cwd_bytes(ps_command *command, const char *dir, size_t len, ps_error **error);

/** What a standard stream of a child is. */
typedef enum ps_stdio_kind {
  /** The host's own (default). */
  PS_STDIO_INHERIT = 0,
  /** /dev/null. */
  PS_STDIO_NULL = 1,
  /** A pipe, whose other end the host gets. */
  PS_STDIO_PIPE = 2,
  /** A descriptor of the host. */
  PS_STDIO_FD = 3,
  /** Stream 2 only: wherever stream 1 goes. */
  PS_STDIO_MERGE = 4,
  /** A pseudo-terminal, the same for all streams that are one; the host gets its other end. */
  PS_STDIO_PTY = 5,
} ps_stdio_kind;

/**
 * What a standard stream of the child is. Each child with PS_STDIO_NULL opens /dev/null itself: it shares no
 * status flags and no lock with others.
 *
 * @param stream  0, 1 or 2
 * @param how     PS_STDIO_INHERIT (default), PS_STDIO_NULL, PS_STDIO_PIPE (ps_child_stdio gives the host's
 *                end), PS_STDIO_FD, PS_STDIO_PTY (see terminals, below), or, for stream 2, PS_STDIO_MERGE.
 *                Merged into an inherited stream 1, the host must have a 1 that is open and not close-on-exec
 *                at each ps_spawn (else EBADF)
 * @param fd      for PS_STDIO_FD an open descriptor of the host, borrowed: it must be open at each ps_spawn,
 *                and you may close it after that. Otherwise ignored.
 */
ps_status ps_command_stdio(ps_command *command, int32_t stream, int32_t how, int32_t fd, ps_error **error);

/**
 * Gives the child a descriptor of the host under a number of its own, without close-on-exec. Every
 * descriptor that is not given is closed in the child, whatever its flags. Any mapping works, also one that
 * swaps numbers or lies above the soft RLIMIT_NOFILE: below the hard limit, else ps_spawn gives PS_ERR_LIMIT
 * and the error names both numbers.
 *
 * @param fd        an open descriptor, borrowed: it must be open at each ps_spawn
 * @param child_fd  its number in the child, 0 to 1048575; each number once
 */
ps_status ps_command_pass_fd(ps_command *command, int32_t fd, int32_t child_fd, ps_error **error);

/**
 * Gives the child many at once, each as ps_command_pass_fd does. All or none: a bad entry changes nothing.
 * What it takes grows with n alone, not with what was given before.
 *
 * @param fds        n open descriptors, borrowed: they must be open at each ps_spawn
 * @param child_fds  their n numbers in the child, 0 to 1048575, each once; NULL: the same numbers
 * @param n          0 changes nothing
 * @return PS_OK; PS_ERR_INVALID_ARGUMENT for NULL with an n, for a descriptor that is not open, and for a
 *         number that cannot be or is given twice: the message says which entry, from 0; PS_ERR_LIMIT
 */
ps_status ps_command_pass_fds(ps_command *command,
                              const int32_t *fds,
                              const int32_t *child_fds,
                              size_t n,
                              ps_error **error);

/** Which way a pipe of a child's goes. */
typedef enum ps_pipe_direction {
  /** The child reads, the host writes. */
  PS_PIPE_TO_CHILD = 1,
  /** The child writes, the host reads. */
  PS_PIPE_FROM_CHILD = 2,
} ps_pipe_direction;

/**
 * Gives the child one end of a pipe as descriptor `child_fd`; ps_child_stdio(child, child_fd, ...) gives the
 * host's end. Each child has a pipe of its own. For 0, 1 and 2 it is the same as ps_command_stdio with
 * PS_STDIO_PIPE. Limits as for ps_command_pass_fd.
 *
 * @param child_fd   its number in the child, 0 to 1048575; each number once, here and in ps_command_pass_fd
 * @param direction  PS_PIPE_TO_CHILD (the child reads; for 0 the only one) or PS_PIPE_FROM_CHILD (it writes;
 *                   for 1 and 2 the only one)
 */
ps_status ps_command_pipe(ps_command *command, int32_t child_fd, int32_t direction, ps_error **error);

/**
 * Gives the child a listening descriptor as systemd does (sd_listen_fds(3)): numbers 3, 4, ... in the order
 * of these calls, and LISTEN_FDS, LISTEN_FDNAMES and LISTEN_PID (the child's true pid) in its environment.
 *
 * @param fd    an open descriptor, borrowed: it must be open at each ps_spawn
 * @param name  its name: printable ASCII without ':', at most 255; NULL means "unknown". Copied.
 */
ps_status ps_command_listen_fd(ps_command *command, int32_t fd, const char *name, ps_error **error);

/**
 * The user and groups that the child becomes, all at once (each by itself: ps_command_user, which says more).
 * The host needs the right to that (CAP_SETUID, CAP_SETGID), unless it is all of that already. The ids need
 * not be in any database. The whole list of supplementary groups is replaced.
 *
 * The pipes that procsup makes for the child, and its output file, belong to that user, so that it can open
 * them again by name (/dev/stdout), and the published file is its own; where the host may not do that
 * (CAP_CHOWN) they stay the host's. What the command lends or names (PS_STDIO_FD, ps_command_sandbox_dir)
 * is left as it is: see to it that the user may use it.
 *
 * Cost: such a child is made by a fork (PS_TIER_FORK), because two processes of different users must never
 * share memory. That takes time in proportion to the host's resident memory, about 20 ms per GiB. A host of
 * many GiB that often spawns as another user should do it through a small process of its own.
 *
 * @param groups, n  n supplementary groups; NULL, 0 for none
 */
ps_status ps_command_credentials(ps_command *command,
                                 uint32_t uid,
                                 uint32_t gid,
                                 const uint32_t *groups,
                                 size_t n,
                                 ps_error **error);

/** The child's umask, 0 to 0777. Default: the host's. */
ps_status ps_command_umask(ps_command *command, uint32_t mask, ps_error **error);

/** The child's nice value, -20 (most favoured) to 19. Default: the host's. */
ps_status ps_command_nice(ps_command *command, int32_t nice, ps_error **error);

/**
 * A resource limit of the child (getrlimit(2)). The last call for a resource counts.
 *
 * @param resource    RLIMIT_*
 * @param soft, hard  in the units of the resource; UINT64_MAX for no limit; soft must not exceed hard
 */
ps_status ps_command_rlimit(ps_command *command,
                            int32_t resource,
                            uint64_t soft,
                            uint64_t hard,
                            ps_error **error);

/** 1: no exec of the child or of its descendants can raise privileges (PR_SET_NO_NEW_PRIVS). Default 0. */
ps_status ps_command_no_new_privs(ps_command *command, int32_t on, ps_error **error);

/**
 * 1: the child is killed when this process ends, however it ends (PR_SET_PDEATHSIG). Default 0. It covers
 * the child, not the child's own children, and the kernel drops it when the child executes a set-user-id
 * program. With PS_ISOLATE_CONTAINED it covers everybody below the child, and nothing drops it.
 *
 * The kernel ties this to a thread of the host: here it is always the main thread, whichever thread spawns
 * (or the oldest one left, if the main thread has ended by pthread_exit). For a spawn from another thread
 * the child is made by a bare kernel thread that is gone before ps_spawn returns; that takes some
 * microseconds more. Together with ps_command_cgroup such a spawn is a fork (PS_TIER_FORK), in time in
 * proportion to the host's resident memory, about 20 ms per GiB: a memory controller that kills a child on
 * shared memory that was made in this way would kill the host with it. From the main thread it costs nothing.
 */
ps_status ps_command_die_with_host(ps_command *command, int32_t on, ps_error **error);

/** How a child is set apart from the host. */
typedef enum ps_isolation {
  /** It stays in the host's process group; signals go to the process alone. */
  PS_ISOLATE_NONE = 0,
  /** It leads a process group; signals go to the whole group (default). */
  PS_ISOLATE_GROUP = 1,
  /** It leads a session, without a controlling terminal but one that it is given. */
  PS_ISOLATE_SESSION = 2,
  /**
   * It is alone with its descendants in a pid namespace, whose init (ours) is the host's child: nobody
   * below it outlives it, whatever they do. Inside, it leads a process group.
   */
  PS_ISOLATE_CONTAINED = 3,
} ps_isolation;

/**
 * How the child is set apart from the host. A child in a group of its own that reads the terminal is stopped
 * by it (SIGTTIN): give it another stream 0, ps_command_foreground, or PS_ISOLATE_NONE. Without a group of
 * its own a child is signalled alone, and nothing is swept when it ends. Of this call and
 * ps_command_process_group the last counts.
 *
 * PS_ISOLATE_CONTAINED: nobody below the child outlives it, whatever they do (setsid, double forks,
 * ignored signals, fork bombs), without root and without a control group. The child gets a pid namespace
 * of its own (pid_namespaces(7)), and where the calling thread has no CAP_SYS_ADMIN, a user namespace
 * around it (user_namespaces(7)), in which its user and group are what they were. The process that the
 * host has made is a small init, which makes the program, passes signals on, reaps, and ends as the
 * program does; then, or when it is killed, the kernel kills everybody inside, before the end can be
 * seen. All other settings are the program's. It costs about as much as another spawn. What is different:
 *
 * - ps_child_pid, and the pid of events and errors, is the init's. What is sent to it, by ps_signal or by
 *   kill(1), goes to the program's process group; by ps_signal_process, to the program alone
 *   (ps_signal_process with SIGKILL ends all). SIGSTOP and SIGCONT by ps_signal do that to the program;
 *   by kill(1) SIGSTOP stops the init, which then passes nothing on. Signals from inside to the init are
 *   thrown away, and from outside those with a value (sigqueue(3)). Who takes a signal is known inside
 *   only: PS_OK says that the init has it. The cause in ps_exit is as of any child.
 * - Inside, the program is number 2 (or 3), its parent is 1, getpid(2) and kill(2) know only those
 *   inside. LISTEN_PID and WATCHDOG_PID are right there, and so is MAINPID=; by NOTIFY_SOCKET the program
 *   is believed as itself. It leads a process group; with a terminal it is as with PS_ISOLATE_GROUP.
 * - /proc stays the one of the host: /proc/self works, ps(1) shows everybody under the numbers outside,
 *   and what is written in a pid file is a number inside.
 * - In a user namespace set-user-id and set-group-id programs gain nothing, setgroups(2) is refused (so
 *   ps_command_groups is PS_ERR_PERMISSION for all but those that the calling thread has), and files of
 *   others show as owned by 65534. It has no rights outside that it had not before. An effective
 *   user 0 without CAP_SYS_ADMIN has all capabilities inside, over what belongs to the namespace.
 * - max_rss_kib and the times of ps_exit count init, the program, and everybody inside that was waited
 *   for.
 * - It is no sandbox: files, network and memory are as before, and root inside can ask others to run
 *   something.
 * - With ps_command_cgroup, those who have left the program's group get SIGKILL only.
 *
 * PS_SURVIVORS_LEAVE with it is PS_ERR_INVALID_ARGUMENT, here and there. A supervisor with a spawner
 * makes such children itself. A preloader or its workers, ps_spawn_once and successors of a handoff
 * refuse it, for they are known by their number. ps_spawn answers PS_ERR_UNSUPPORTED, and has started
 * nothing, where namespaces are not to be had: user namespaces are off (kernel.unprivileged_userns_clone,
 * a security module, the host is in a chroot) or used up (/proc/sys/user), a filter forbids them, they
 * would be nested more than 32 deep, /proc is not mounted (needed without CAP_SYS_ADMIN, or with
 * ps_command_die_with_host), or files in memory may not be executed (vm.memfd_noexec). Short of processes
 * (EAGAIN) it tries again, then says PS_ERR_LIMIT. The program begins a moment before its init does: if
 * init then cannot begin (step "init", mostly ENOMEM), the program is killed, is not tried again, and may
 * have done something; the message says so. Two descriptors are kept from the first such child on.
 *
 * @param isolation  PS_ISOLATE_GROUP (default), PS_ISOLATE_SESSION, PS_ISOLATE_NONE or PS_ISOLATE_CONTAINED
 */
ps_status ps_command_isolate(ps_command *command, int32_t isolation, ps_error **error);

/**
 * A directory that goes with the child: once the last child of this command has been reaped, it is removed
 * with everything in it. It must exist at each ps_spawn; if the spawn fails, it stays. The string is copied;
 * a relative path counts from the directory that the host has now (PS_ERR_NOT_FOUND if that is gone).
 *
 * It is held open (one descriptor, shared by the children of the command) from ps_spawn to its removal, and
 * what is removed is that very directory, in the directory in which it lay: whatever is in its place by
 * then, or was moved elsewhere, is left alone. How deep it is costs neither stack nor descriptors (about
 * ten for the time of the removal). Symbolic links in it are removed, not followed. Directories whose owner
 * has no rights to them get them, if the owner is the host's own user.
 *
 * The removal takes place inside the call that reaps, at most 5 seconds plus one step of the file system.
 * What cannot be removed stays: something is mounted there, it belongs to another user, or the time was
 * over. `removal` in the exit record says why, and so does PS_EVENT_EXITED. It is tried again, ever less
 * often (after 10 ms, at last 60 s), for a quarter of an hour and at most 20 ms at a time, by
 * ps_supervisor_next_event and the calls that wait for a child; never by ps_spawn. At most 64 such
 * directories are remembered, then the oldest is given up; one that is a mount itself is not tried again.
 */
ps_status ps_command_sandbox_dir(ps_command *command, const char *dir, ps_error **error);

/**
 * Takes a descriptor: it is yours no more. It is closed after the reap of the next child spawned from this
 * command, or by ps_command_free if there was none; after a spawn that fails it is the command's still. The
 * child does not get it.
 */
ps_status ps_command_own_fd(ps_command *command, int32_t fd, ps_error **error);

/**
 * Adds a step to the stop plan: send the signal to the group (or to whom ps_command_stop_scope says), wait
 * up to wait_ms for the child to end, go on to the next step. The first call replaces the default plan,
 * which is SIGTERM and 2000 ms, then SIGKILL. A wait ends as soon as the child does. Each signal but SIGKILL
 * is followed by SIGCONT, so that a stopped child takes it.
 *
 * @param signal   1 to 64
 * @param wait_ms  milliseconds; -1: as long as procsup waits for a killed process, 5000
 */
ps_status ps_command_stop_step(ps_command *command, int32_t signal, int64_t wait_ms, ps_error **error);

/**
 * The stop plan runs by itself `ms` milliseconds after the spawn, if the child is still there
 * (PS_CAUSE_DEADLINE). The time is kept by ps_supervisor_next_event and by every call that waits for the
 * child.
 */
ps_status ps_command_deadline(ps_command *command, int64_t ms, ps_error **error);

/**
 * How long a child that is dumping its core (core(5)) is left to finish when its stop plan, its deadline or a
 * shutdown has come to a SIGKILL, which would cut the dump and stand in the record in place of the signal
 * that it died of. After that it is killed. ps_signal, ps_kill_and_reap_all and ps_supervisor_free kill at
 * once. Needs /proc, and Linux 4.15.
 *
 * @param ms  milliseconds, 0 or more; default 10000; 0: not at all
 */
ps_status ps_command_core_wait(ps_command *command, int64_t ms, ps_error **error);

/**
 * Tells when the child is stopped (job control: SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU) and when it goes on:
 * PS_EVENT_STOPPED, with the signal, and PS_EVENT_CONTINUED. The state (ps_child_state) does not change: it
 * only goes forward, and a stopped child is PS_STATE_RUNNING. ps_child_stopped asks without this.
 *
 * Nothing wakes a process for it but SIGCHLD, which is the host's. So it is looked for every `interval_ms`,
 * by ps_supervisor_next_event and by a thread that waits for the child: a timer, and one waitid(2) for each
 * child that is watched so; nothing for others. What is told is what a look has found: a stop that is over
 * before the next look is not told; a stop, a continue and another stop between two looks are told as one
 * stop, or, by another signal, as a PS_EVENT_CONTINUED and a PS_EVENT_STOPPED. What is told always
 * alternates, PS_EVENT_STOPPED first, behind the PS_EVENT_STARTED of its run. A child that is killed while it
 * is stopped may have no PS_EVENT_CONTINUED: PS_EVENT_EXITED ends both. Of one child no more than two of
 * these wait in the queue; once they are taken the next look tells how it stands.
 *
 * The look takes nothing away: a host that itself calls waitpid(2) for the child, with WUNTRACED or
 * WCONTINUED, finds what it would find without procsup, and what it has set for SIGCHLD does not matter. If
 * such a call comes before the look, the stop is found in /proc, which is read once a second for that, and
 * its signal is -1. So it is with the stops of a worker that a preloader has made and of the program of a
 * contained child (PS_ISOLATE_CONTAINED), at each interval: neither is a child of this process. Without /proc
 * these are not told. A child that a tracer holds (ptrace(2)) is not stopped.
 *
 * A stop plan continues a stopped child (SIGCONT) behind each of its signals, as ever; deadline, readiness
 * and watchdog go on while it is stopped.
 *
 * The child needs a supervisor that is not NULL (ps_spawn: PS_ERR_INVALID_ARGUMENT, step "watch_stops"); one
 * that a spawner makes is watched as any. Refused for a daemon of ps_spawn_once and for a successor of a
 * handoff: nobody would be told.
 *
 * @param interval_ms  1 to 3600000, milliseconds; for people 100 is soon. 0 (default): not watched
 */
ps_status ps_command_watch_stops(ps_command *command, int64_t interval_ms, ps_error **error);

/** What happens to the rest of a child's group when the child ends. */
typedef enum ps_survivors_policy {
  /** It is killed (default). */
  PS_SURVIVORS_SWEEP = 0,
  /** It is left alone. */
  PS_SURVIVORS_LEAVE = 1,
} ps_survivors_policy;

/**
 * What happens to the rest of the child's group when the child ends. If it is killed, then before the child
 * is reaped: until then the group's number cannot be another's. Does nothing with PS_ISOLATE_NONE without a
 * control group: such a child has no group that is its own.
 *
 * @param policy  PS_SURVIVORS_SWEEP (default) or PS_SURVIVORS_LEAVE
 */
ps_status ps_command_survivors(ps_command *command, int32_t policy, ps_error **error);

/**
 * Keeps the last max_bytes (1 to 1 GiB) of what the child writes to those of its streams 1 and 2 that are
 * PS_STDIO_INHERIT or PS_STDIO_PTY (see terminals); ps_child_output gives them, both streams in the order of
 * the writes, and ps_child_output_lost tells how much more there was. They are read by
 * ps_supervisor_next_event and by every call on the child: while nobody calls, a child that has written more
 * than a pipe holds (64 KiB) waits.
 *
 * For a program that is run to its end for all that it says, ps_run does this and the rest.
 */
ps_status ps_command_capture(ps_command *command, size_t max_bytes, ps_error **error);

/**
 * 1: what ps_command_capture keeps is kept by stream, the last max_bytes of each: ps_child_output_of. Their
 * order is not known then; ps_child_output gives stream 1, then stream 2. A stream 2 that is PS_STDIO_MERGE
 * counts as stream 1, as does all that a worker of the protocol PS_PRELOADER_PASSENGER says. Default 0;
 * without ps_command_capture it does nothing.
 *
 * @param on  1 or 0
 */
ps_status ps_command_capture_apart(ps_command *command, int32_t on, ps_error **error);

/**
 * Tells every line that the child writes to those of its streams 1 and 2 that are PS_STDIO_INHERIT or
 * PS_STDIO_PTY (see terminals), as a PS_EVENT_OUTPUT; ps_event_data gives the line. A stream 2 that is
 * PS_STDIO_MERGE counts as stream 1. Lines come before the child's PS_EVENT_EXITED; what a grandchild writes
 * later is not read. The child needs a supervisor that is not NULL.
 *
 * A host that does not take events holds the child back: about 256 KiB or 8192 lines are read ahead, then
 * the child's pipe fills and it waits. Not so while a thread waits for that very child (ps_reap,
 * ps_terminate, ps_wait_ready, and ps_wait_any and ps_wait_all for each of theirs), for both would wait for
 * each other: then all is read, and 16 MiB (and a look's worth, 4 MiB at the most) are kept. What is
 * beyond, or finds no memory, is lost, and a PS_EVENT_OUTPUT_LOST tells so where it is missing. Kept lines
 * count with the memory that they take: their bytes, one to four more for each, and some 200 for each look
 * that found some.
 *
 * @param on  1 or 0
 */
ps_status ps_command_output_lines(ps_command *command, int32_t on, ps_error **error);

/**
 * The longest line, in bytes (1 to 16 MiB; default 64 KiB), that comes in one piece. Does nothing without
 * ps_command_output_lines.
 */
ps_status ps_command_output_line_limit(ps_command *command, size_t max_bytes, ps_error **error);

/**
 * A piece of a line is told when it has lain there for `ms` milliseconds, counted from its first byte: a
 * prompt ("Password: "), a bar of progress. It comes as a PS_EVENT_OUTPUT with the status PS_PENDING, once;
 * what follows it comes as further events, at last with PS_OK where the newline is. That last part may be
 * empty. Who joins what ps_event_data gives, with a newline behind each part that is PS_OK, has the bytes of
 * the stream, as ever. Does nothing without ps_command_output_lines.
 *
 * A carriage return ends no line: it is a byte like others. A bar that is drawn anew behind each "\r" comes
 * out as a piece every `ms`, with all that was drawn meanwhile; what stands on a terminal then is what is
 * behind the last "\r". A piece may end anywhere, also within a character of UTF-8 or an escape sequence, and
 * is no longer than ps_command_output_line_limit.
 *
 * The time is kept by ps_supervisor_next_event and by every call that waits for the child. A program whose
 * output is no terminal often keeps it back itself (setvbuf(3)): what it has not written nobody can tell.
 *
 * @param ms  1 and more; 0 (default): a piece waits for its newline, the limit, or the end
 */
ps_status ps_command_output_partial(ps_command *command, int64_t ms, ps_error **error);

/** When the file of ps_command_output_file is there already. */
typedef enum ps_output_if_exists {
  /** It is left alone, and the spawn refused (default). */
  PS_OUTPUT_REFUSE = 0,
  /** It is replaced, atomically. */
  PS_OUTPUT_REPLACE = 1,
} ps_output_if_exists;

/**
 * Sends stream 1 (and stream 2 if that is PS_STDIO_MERGE) to a file that nobody sees before it is complete:
 * it appears under its name, with mode 0600, when the child has ended. Until then it has no name at all
 * where the file system allows that (O_TMPFILE, open(2)), so nothing is left when the host crashes;
 * elsewhere it is ".NAME.procsup-..." in the same directory. The child writes to the file itself: a full
 * disk is its own error. The file is not synced: it is atomic towards other processes, not towards a power
 * failure.
 *
 * If the file cannot be put in place although the child exited with 0, ps_reap and ps_terminate answer that
 * error in place of the exit, and the target is untouched; a child that failed keeps its own record.
 * PS_EVENT_EXITED has both, in `exit` and `status`.
 *
 * @param path       copied; a relative path counts from the directory that the host has now
 *                   (PS_ERR_NOT_FOUND, ENOENT if that is gone)
 * @param if_exists  PS_OUTPUT_REFUSE (ps_spawn answers PS_ERR_OUTPUT_EXISTS if there is a file; one that
 *                   appears while the child runs stays, with the same error) or PS_OUTPUT_REPLACE
 */
ps_status ps_command_output_file(ps_command *command, const char *path, int32_t if_exists, ps_error **error);

/** What becomes of the output file of a child that did not exit with 0. */
typedef enum ps_output_failure_policy {
  /** It appears all the same (default). */
  PS_OUTPUT_KEEP = 0,
  /** It never appears. */
  PS_OUTPUT_DROP = 1,
} ps_output_failure_policy;

/**
 * What becomes of the output file of a child that did not exit with 0. Does nothing without
 * ps_command_output_file.
 *
 * @param policy  PS_OUTPUT_KEEP (default) or PS_OUTPUT_DROP
 */
ps_status ps_command_output_on_failure(ps_command *command, int32_t policy, ps_error **error);

/**
 * What the child finds on its standard input: a sealed file in memory (memfd_create(2)) that is complete
 * before the child begins. Nobody has to feed it, so nothing can deadlock. Each child reads from the
 * beginning. The bytes are copied; NULL, 0 is an empty input.
 *
 * @return PS_OK; PS_ERR_LIMIT or PS_ERR_SYSTEM if there is no memory for it
 */
ps_status ps_command_input(ps_command *command, const void *data, size_t len, ps_error **error);

/**
 * The child's standard input is fed while it runs, by ps_child_write and ps_child_write_end; nobody has to
 * wait for the child to read. What it has not read stays in its pipe (64 KiB) and, up to `max_bytes`, in the
 * host. The other ways to say what stream 0 is are refused beside it by ps_spawn, as with ps_command_input;
 * but a PS_STDIO_PTY is typed at (see terminals).
 *
 * The child finds a pipe there. Where the kernel cannot write to a pipe without SIGPIPE (before Linux 6.18,
 * RWF_NOSIGNAL) it finds a unix socket that it can only read: a program that opens /dev/stdin anew gets
 * ENXIO then, and a bash without a script takes it for a remote shell (and reads ~/.bashrc). In no case does
 * a child that stops reading raise SIGPIPE in the host. Without ps_child_write_end the input ends when the
 * handle is freed, behind what waits. It takes one descriptor of the host per child. With a restart policy
 * each run has an input of its own: what waits for a run that ends is dropped with it.
 *
 * @param max_bytes  how many bytes may wait in the host, 1 to 1 GiB; memory is taken as it is needed
 */
ps_status ps_command_input_stream(ps_command *command, size_t max_bytes, ps_error **error);

/**
 * Puts the child into a control group (cgroup v2, cgroups(7)) of its own, which is made before it and
 * removed after it. The child is born inside (from Linux 5.7 on; before, it joins as its first step), and
 * neither a double fork nor a new session leads out. Signals reach everything in it. When the child has
 * ended, the rest is killed at one stroke (cgroup.kill, from Linux 5.14 on; before, one by one), unless the
 * command says PS_SURVIVORS_LEAVE. A directory that cannot be removed yet is tried again by later calls (not
 * by ps_spawn); a start that needs that very directory waits for it, as a rule some milliseconds, at most a
 * second. Groups that members have made inside go with it, however deep, and signals reach those in them.
 * It takes two descriptors of the host, three before Linux 5.14. The string is copied.
 *
 * A child that its group's memory.max leaves no room to begin fails the spawn: PS_ERR_LIMIT, or
 * PS_ERR_SYSTEM with E2BIG if it is its arguments that have no room. The host is not touched. For that,
 * a spawn with ps_command_die_with_host from another thread than the main one is a fork (see there).
 *
 * ps_spawn then also answers PS_ERR_UNSUPPORTED if `dir` is not in a cgroup v2 file system,
 * PS_ERR_PERMISSION, PS_ERR_NOT_FOUND if its parent is missing, and PS_ERR_STATE if it is there and in use
 * (an empty one is taken).
 *
 * @param dir  absolute path of the directory to make; with a slash at its end, a directory that exists, and
 *             in which every child gets a fresh one
 */
ps_status ps_command_cgroup(ps_command *command, const char *dir, ps_error **error);

/**
 * A setting of that control group, such as "pids.max", "64"; written before the child is born. ps_spawn
 * fails with step "cgroup_set" if the kernel refuses it. The strings are copied.
 *
 * @return PS_OK; PS_ERR_STATE without ps_command_cgroup; PS_ERR_INVALID_ARGUMENT for a name with a slash, or
 *         one that is no setting
 */
ps_status ps_command_cgroup_set(ps_command *command, const char *file, const char *value, ps_error **error);

/** When a child that has ended is started again. */
typedef enum ps_restart_policy {
  /** Never (default). */
  PS_RESTART_NEVER = 0,
  /** When it did not exit with 0. */
  PS_RESTART_ON_FAILURE = 1,
  /** Whenever it has ended by itself. */
  PS_RESTART_ALWAYS = 2,
} ps_restart_policy;

/**
 * Starts the child again when its process has ended. Not after ps_terminate, ps_supervisor_shutdown or
 * ps_kill_and_reap_all. The handle stays the same, and ps_reap answers when the child is over for good. Each
 * process has its PS_EVENT_EXITED; if another follows, a PS_EVENT_RESTARTING is next. While the child waits
 * for its next start it holds no slot of the supervisor. It needs a supervisor that is not NULL.
 *
 * The wait begins with min_delay_ms and doubles with every failure up to max_delay_ms; each is spread by a
 * quarter to both sides, so that children that died together do not come back in step. Descriptors lent to
 * the command are duplicated at ps_spawn; what it owns (sandbox, descriptors) is kept until the child is
 * over.
 *
 * @param policy                      PS_RESTART_NEVER (default), PS_RESTART_ON_FAILURE or PS_RESTART_ALWAYS
 * @param min_delay_ms, max_delay_ms  milliseconds
 */
ps_status ps_command_restart(ps_command *command,
                             int32_t policy,
                             int64_t min_delay_ms,
                             int64_t max_delay_ms,
                             ps_error **error);

/**
 * When restarting ends: after this many failed runs in a row (default 5; 0: never) there is a
 * PS_EVENT_GAVE_UP. A run that lasts healthy_ms milliseconds (default 10000), or exits with 0 and not too
 * early (ps_command_restart_early_exit), starts the count anew. Does nothing without ps_command_restart, but
 * that healthy_ms is also when a start under a budget has succeeded (ps_command_budget).
 */
ps_status ps_command_restart_limit(ps_command *command,
                                   uint32_t failures,
                                   int64_t healthy_ms,
                                   ps_error **error);

/**
 * Below which length a run that exits with 0 counts as failed, under PS_RESTART_ALWAYS: the pause before the
 * next start grows, and in the end it is given up (ps_command_restart_limit). A service that puts itself into
 * the background ends so, at once and at every start, and leaves a copy behind each time: run it in the
 * foreground. Does nothing under another policy.
 *
 * @param ms  milliseconds (default 1000); 0: an exit with 0 never counts, for jobs that are short by nature
 */
ps_status ps_command_restart_early_exit(ps_command *command, int64_t ms, ps_error **error);

/**
 * Who goes first where a supervisor's line is longer than its slots (ps_supervisor_set_max_running): the
 * higher priority, and of equal ones who came first. It holds for the first start and for every restart
 * (ps_command_restart), so a service that has died need not wait behind the batch jobs beside it. It ends
 * nobody: also the highest waits until a slot is free. And it is all there is: a low one waits as long as
 * higher ones keep coming. Of children that wait for a permit of one budget key the highest is asked for
 * first, too. What a child has is what its command had when it was spawned.
 *
 * It says nothing to the kernel (for that: ps_command_nice), and nothing under the default supervisor
 * (NULL), where nobody waits.
 *
 * @param priority  -100 to 100; default 0
 */
ps_status ps_command_priority(ps_command *command, int32_t priority, ps_error **error);

/** A word of yours that comes back with every event of the child. Default 0. */
ps_status ps_command_user_data(ps_command *command, uint64_t user_data, ps_error **error);

/**
 * How readily the kernel ends the child when the machine, or its control group, is out of memory:
 * proc_pid_oom_score_adj(5). Its descendants inherit it. The host's own value is never changed. Default: the
 * host's (through a spawner, ps_supervisor_set_spawner: what the host had when that was started).
 *
 * The child writes it before its program begins, through /proc/self, and before it becomes another user
 * (ps_command_credentials). Where it cannot, ps_spawn fails with the step "oom_score_adj":
 * PS_ERR_PERMISSION (EACCES) without CAP_SYS_RESOURCE for less than the host was given last by somebody who
 * has that (0, as a rule), and where the host is not dumpable (PR_SET_DUMPABLE of prctl(2)), so that its
 * files in /proc are root's; PS_ERR_NOT_FOUND (ENOENT) where /proc is not mounted.
 *
 * Cost: three system calls of the child. With ps_command_die_with_host from another thread than the main one
 * such a spawn is a fork (PS_TIER_FORK), in time in proportion to the host's resident memory, about 20 ms per
 * GiB: a child that shares the host's memory in the way that this takes would change the host's value, too.
 *
 * A worker of a preloader cannot be given it, nor what the next three calls say: ps_preloader_spawn refuses
 * such a command (PS_ERR_INVALID_ARGUMENT).
 *
 * @param adj  -1000 (never) to 1000 (first)
 * @return PS_OK; PS_ERR_INVALID_ARGUMENT for another number; PS_ERR_BAD_HANDLE
 */
ps_status ps_command_oom_score_adj(ps_command *command, int32_t adj, ps_error **error);

/**
 * Signals that the child's program begins with ignored (SIG_IGN), as nohup(1) does it with SIGHUP: *whether
 * or not the host ignores them*, so nothing of the host has to be changed for it. All others are at their
 * defaults, also those that the host ignores (of real-time signals ps_spawn says more). A program may
 * change that, as it likes; what it executes inherits it (signal(7)). The last call counts; n = 0 takes it
 * back.
 *
 * It does not protect from procsup: a stop plan ends with SIGKILL. SIGCHLD ignored in the child means that
 * the kernel reaps the child's own children, and that it cannot wait for them.
 *
 * @param signals, n  n numbers, 1 to 64, read now
 * @return PS_OK; PS_ERR_INVALID_ARGUMENT for what is no signal and for SIGKILL and SIGSTOP, which nobody can
 *         ignore (the message says which entry, from 0), and for NULL with an n; PS_ERR_BAD_HANDLE
 */
ps_status ps_command_keep_ignored(ps_command *command, const int32_t *signals, size_t n, ps_error **error);

/**
 * 1: the child begins with those signals blocked that are blocked in the thread that calls ps_spawn
 * (pthread_sigmask(3)). 0 (default): with none. The mask of *that* thread in *that* call is also the mask of
 * a start that has to wait in line and of every restart, whichever thread carries them out. (Of a preloader,
 * it is the mask in ps_preloader_new; of a generation of a handoff, in the call that starts it.)
 *
 * Mind what a host has blocked: one that takes SIGTERM by signalfd(2) gives it blocked to its children, which
 * are then ended by the SIGKILL of their stop plan alone.
 *
 * @return PS_OK; PS_ERR_INVALID_ARGUMENT unless `on` is 0 or 1; PS_ERR_BAD_HANDLE
 */
ps_status ps_command_keep_mask(ps_command *command, int32_t on, ps_error **error);

/**
 * The child joins a process group that is there (setpgid(2)), as a shell does it with all programs of a
 * pipeline but the first. It counts as one without a group of its own (PS_ISOLATE_NONE): ps_signal, its stop
 * plan and ps_signal_all reach the child alone, never the group, and nothing is swept when it ends. Of this
 * call and ps_command_isolate the last counts.
 *
 * The group must be of the host's session when the child is made, else ps_spawn gives PS_ERR_PERMISSION
 * (EPERM) with the step "setpgid".
 *
 * Traps. A group's number is free for another one as soon as no process is in it: the caller sees to it that
 * somebody is, running or not reaped yet, from when the number was learned to the end of ps_spawn. And if a
 * child of procsup's leads the group, that one's signals are the group's, and its end sweeps the group, those
 * who joined included: PS_SURVIVORS_LEAVE of the leader's command keeps them (ps_command_survivors). To one
 * who joined, a signal that was meant for that group is a stranger's: cause is PS_CAUSE_SELF in its ps_exit,
 * and after a SIGKILL oom may be PS_OOM_PROBABLE.
 *
 * @param pgid  above 0; 0: a group of its own (PS_ISOLATE_GROUP)
 * @return PS_OK; PS_ERR_INVALID_ARGUMENT for a negative number; PS_ERR_BAD_HANDLE
 */
ps_status ps_command_process_group(ps_command *command, int32_t pgid, ps_error **error);

/** A policy of the scheduler. */
typedef enum ps_scheduling_policy {
  /** The host's (default). */
  PS_SCHED_INHERIT = 0,
  /** The usual one: processors are shared, by the nice value. */
  PS_SCHED_OTHER = 1,
  /** The same for work that nobody waits for: it does not preempt who runs when it wakes up. */
  PS_SCHED_BATCH = 2,
  /** Runs where hardly anybody else wants to. */
  PS_SCHED_IDLE = 3,
  /** Real time: before all of the above and all of lower priority, until it waits by itself. */
  PS_SCHED_FIFO = 4,
  /** The same, but those of one priority take turns. */
  PS_SCHED_RR = 5,
} ps_scheduling_policy;

/**
 * The processors that the child may run on, and all that it starts (sched_setaffinity(2)). The last call
 * counts. The kernel takes the set for a wish: a processor that the machine does not have, or that a cpuset
 * does not allow (cpuset(7); a container, a control group), is left out without a word, and a cpuset may
 * narrow the set later; sched_getaffinity(2) tells what is left. If nothing is left, ps_spawn answers
 * PS_ERR_SYSTEM with EINVAL and the step "sched_setaffinity". The child itself may change it again.
 *
 * Whoever makes the process says so: with ps_supervisor_set_spawner it works, for a worker of a preloader it
 * is refused.
 *
 * @param cpus, n  the numbers of n processors, 0 to 65535, in any order; NULL, 0: those of the host (default)
 * @return PS_OK; PS_ERR_INVALID_ARGUMENT
 */
ps_status ps_command_affinity(ps_command *command, const uint32_t *cpus, size_t n, ps_error **error);

/**
 * By which policy of the scheduler the child runs, and all that it starts (sched(7)). The last call counts.
 *
 * ps_command_nice holds beside it: it is set first, counts under PS_SCHED_OTHER and PS_SCHED_BATCH, and is
 * kept under the others for when the child leaves them. The policy comes after the limits of
 * ps_command_rlimit and before the change of user, so a host that is root can give a child of another user a
 * real-time priority. Who is not root (CAP_SYS_NICE) needs one within the RLIMIT_RTPRIO that the child has
 * by then: else ps_spawn answers PS_ERR_PERMISSION with EPERM and the step "sched_setscheduler". It does so,
 * too, for root in a control group of v1 without a share of real time (cpu.rt_runtime_us), and for who is
 * not root and would leave PS_SCHED_IDLE or raise a priority beyond that limit.
 *
 * A real-time child that does not wait keeps its processor from all others: see to it that it has a limit
 * (RLIMIT_RTTIME, getrlimit(2); but see ps_supervisor_set_subreaper). SCHED_DEADLINE is not offered
 * (PS_ERR_INVALID_ARGUMENT): it goes with no affinity, and who has it cannot fork; the program can set it.
 *
 * Whoever makes the process says so: with ps_supervisor_set_spawner it works (that process has the host's
 * rights as an exec leaves them), for a worker of a preloader it is refused.
 *
 * @param policy    PS_SCHED_INHERIT (default), _OTHER, _BATCH, _IDLE, _FIFO or _RR
 * @param priority  1 to 99 (the highest) for PS_SCHED_FIFO and PS_SCHED_RR; 0 for the others
 * @return PS_OK; PS_ERR_INVALID_ARGUMENT
 */
ps_status ps_command_scheduling(ps_command *command, int32_t policy, int32_t priority, ps_error **error);

/** What a path is opened to; several are added up. */
typedef enum ps_allow {
  /** Files may be read, directories listed. */
  PS_ALLOW_READ = 1,
  /**
   * Files may be written, made, truncated, removed, renamed and linked, directories too; devices may be
   * written and controlled (ioctl(2)), but no device node be made.
   */
  PS_ALLOW_WRITE = 2,
  /** Files may be executed. The kernel has them read for that, so they may be read as well. */
  PS_ALLOW_EXECUTE = 4,
} ps_allow;

/**
 * Opens a path, and all that is below it, to the child. With the first of these calls everything else in the
 * file system is closed to the child and to all that it starts, for good, root or not (landlock(7)): what is
 * not allowed is EACCES, or EXDEV for a rename or link that would gain rights. Each call adds; what is said
 * of a directory holds for all below it, and nothing takes a right away again.
 *
 * It comes last before the program begins, so that must be allowed, too: PS_ALLOW_EXECUTE for the program,
 * its interpreter ("#!") and its loader (/lib, /lib64), PS_ALLOW_READ (or _EXECUTE) for its libraries, and
 * what it reads when it starts (/etc/ld.so.cache, locales):
 *
 * ```c
 * #include <procsup.h>
 *
 * // A converter of untrusted files: programs and libraries its input, one place to write to.
 * ps_status only_there(ps_command *command, const char *in, const char *out, ps_error **error) {
 *   static const char *const system[] = {"/usr", "/lib", "/lib64", "/bin"}; // those that you have
 *   ps_status status = PS_OK;
 *   for (int i = 0; status == PS_OK && i < 4; i++)
 *     status = ps_command_landlock(command, system[i], PS_ALLOW_READ | PS_ALLOW_EXECUTE, error);
 *   if (status == PS_OK)
 *     status = ps_command_landlock(command, "/etc", PS_ALLOW_READ, error);
 *   if (status == PS_OK)
 *     status = ps_command_landlock(command, "/dev/null", PS_ALLOW_READ | PS_ALLOW_WRITE, error);
 *   if (status == PS_OK)
 *     status = ps_command_landlock(command, in, PS_ALLOW_READ, error);
 *   if (status == PS_OK)
 *     status = ps_command_landlock(command, out, PS_ALLOW_READ | PS_ALLOW_WRITE, error);
 *   return status;
 * }
 * ```
 *
 * It implies ps_command_no_new_privs: set-user-id programs run as their caller. It also keeps the child from
 * mounting, and from tracing (ptrace(2), /proc/PID/mem) who is not restricted as it is. It does not touch:
 * descriptors that the child is given (standard streams, ps_command_pass_fd: what they were opened for they
 * can do); sockets of any kind, those with a path, too; signals; and of files stat(2), chdir(2), chmod(2),
 * chown(2), utime(2), xattr(7).
 *
 * Linux 5.13. What a kernel does not know it does not restrict, without a word: before 6.2 truncate(2) of a
 * file that may not be written, before 6.10 ioctl(2) on devices. Before 5.19 no file can be renamed or linked
 * from one directory to another.
 *
 * ps_spawn looks the paths up (a relative one from the host's working directory; symbolic links are
 * followed), one descriptor at a time, before it makes anything, and answers also:
 * - PS_ERR_UNSUPPORTED, step "landlock_create_ruleset": the kernel has no Landlock, or it is off (lsm= at
 *   boot), or a filter forbids it (ENOSYS, EOPNOTSUPP, EPERM)
 * - PS_ERR_NOT_FOUND, PS_ERR_PERMISSION, ..., step "landlock": a path, named in the message
 * - PS_ERR_PERMISSION, step "exec", EACCES: the program, its interpreter or loader is not allowed
 * - PS_ERR_LIMIT, step "landlock_restrict_self": the host itself is restricted 16 times already
 *
 * It works with ps_supervisor_set_spawner. It is refused for a worker of a preloader: restrict the preloader,
 * its workers have that from it.
 *
 * @param path    a file or directory, copied; at most 1024 of them (PS_ERR_LIMIT)
 * @param access  a sum of PS_ALLOW_*, not 0; of what is no directory it is what files can be
 * @return PS_OK; PS_ERR_INVALID_ARGUMENT; PS_ERR_LIMIT
 */
ps_status ps_command_landlock(ps_command *command, const char *path, int32_t access, ps_error **error);

/** Whom the signals of a child's stop plan reach. */
typedef enum ps_stop_scope {
  /** The child's whole group, and those in its control group that have left it (default). */
  PS_SCOPE_GROUP = 0,
  /** The child alone, but for SIGKILL, which reaches all of them. */
  PS_SCOPE_MIXED = 1,
  /** The child alone, SIGKILL included. */
  PS_SCOPE_LEADER = 2,
} ps_stop_scope;

/**
 * Whom the signals of the child's stop plan reach, whoever runs it: ps_terminate and ps_terminate_begin, a
 * deadline, a watchdog (its SIGABRT, too), the kill of one that was not ready in time, the end of ps_run's
 * time, ps_supervisor_shutdown (also with the SIGKILL that it adds). The SIGCONT behind a signal goes where
 * the signal went. For a program that stops its own workers in order; systemd.kill(5) calls it KillMode=:
 *
 *   scope            SIGTERM and its like   SIGKILL            KillMode=
 *   PS_SCOPE_GROUP   the group              the group          control-group
 *   PS_SCOPE_MIXED   the child alone        the group          mixed
 *   PS_SCOPE_LEADER  the child alone        the child alone    process, together with PS_SURVIVORS_LEAVE
 *
 * The group is the child's process group, and whoever has left that within the child's control group
 * (ps_command_cgroup).
 *
 * What becomes of the others when the child has ended is no matter of the scope, but of
 * ps_command_survivors, at this end as at any other: by default they are killed then, also with
 * PS_SCOPE_LEADER. With PS_SURVIVORS_LEAVE they go on, unless the plan has come to a SIGKILL of
 * PS_SCOPE_GROUP or PS_SCOPE_MIXED.
 *
 * Not asked for its scope is whatever leaves nobody: ps_supervisor_free, ps_kill_and_reap_all, a daemon of
 * ps_spawn_once that is not ready, a pipeline of which one cannot be started: SIGKILL to all of them,
 * whatever the command says. Nor are ps_signal and ps_signal_all (always the group) and ps_signal_process
 * (always the child alone).
 *
 * A child that has neither group (PS_ISOLATE_NONE) nor control group gets its signals alone in any scope;
 * so does a preloader's worker (PS_TIER_PRELOADER), for which this may be said, and changes nothing. Holds
 * the same for children that a spawner makes (ps_supervisor_set_spawner), and for each run of one that is
 * started again. Needs nothing of the kernel.
 *
 * @param scope  PS_SCOPE_GROUP (default), PS_SCOPE_MIXED or PS_SCOPE_LEADER
 * @return PS_OK; PS_ERR_INVALID_ARGUMENT for another number
 */
ps_status ps_command_stop_scope(ps_command *command, int32_t scope, ps_error **error);

/**
 * The user that the child becomes, and nothing else: what the table does not name stays the host's. Each part
 * by itself, or several together; of calls that name the same part the last one counts.
 *
 * ```text
 *   said                               user   group   supplementary groups
 *   ps_command_user                    new    host    host
 *   ps_command_group                   host   new     host
 *   ps_command_groups                  host   host    those named
 *   user, group                        new    new     host
 *   user, group, groups                new    new     those named       as ps_command_credentials
 *   credentials, then keep_groups(1)   new    new     host
 *   user, group, keep_groups(0)        new    new     none
 * ```
 *
 * Beware: a child that a host of root's makes with ps_command_user alone is no longer root by its user, and
 * still is by its groups: group 0, and whatever root is in. To give up rights name all three.
 *
 * A user or group id is set as the real, the effective and the saved one (setresuid(2), setresgid(2)), in the
 * order groups, group, user. That needs CAP_SETUID and CAP_SETGID, in the user namespace of the host; but not
 * to name what is so already. A host without rights may name its own user and group (or one of its real,
 * effective and saved ids, of which the child then has that one alone), and its own supplementary groups: as
 * a set, which may hold the child's own group id besides. It may not drop one: setgroups(2) is refused then,
 * and so is the spawn. Where groups are said, none is ever kept that was not among them.
 *
 * From root to another user the child loses all capabilities; a host that is not root by its user and has
 * capabilities hands on the ambient ones, whatever the child's user is (capabilities(7); PR_SET_KEEPCAPS
 * ends with the exec). Whether it can be traced and dumps its core is as for every program that is executed
 * (PR_SET_DUMPABLE is set anew). ps_command_no_new_privs, the directory (ps_command_chdir_first) and
 * ps_command_die_with_host come after the change.
 *
 * Pipes and output file belong to the new user or group, and the child is made by a fork, with its cost: see
 * ps_command_credentials. Not so for a host that names only what it is itself, by all of real, effective,
 * saved and file system id (and has fewer than some 300 groups; this needs /proc): that child is made the
 * fast way. Through a spawner what is not said is the spawner's, which has it of the host (see there), and
 * the child is made by a fork of the spawner, which is small. For a preloader's process it holds as for any
 * other; in a session (ps_spawn_direct) user and group must agree with the session's, by what is said and
 * what the host is. A worker is told nothing by its command: PS_ERR_INVALID_ARGUMENT, step "credentials".
 *
 * Refused by the kernel, ps_spawn fails with step "setgroups", "setgid" or "setuid" and nothing has run:
 * PS_ERR_PERMISSION with EPERM; PS_ERR_SYSTEM with EINVAL for an id that the host's user namespace does not
 * map (user_namespaces(7)).
 *
 * @param uid  a number; it need not be in any database
 * @return PS_OK; PS_ERR_INVALID_ARGUMENT for UINT32_MAX, which means "no change" to the kernel; PS_ERR_LIMIT
 *         without memory
 */
ps_status ps_command_user(ps_command *command, uint32_t uid, ps_error **error);

/**
 * The group that the child's group id becomes, and nothing else: see ps_command_user.
 *
 * @param gid  a number; it need not be in any database
 * @return as ps_command_user
 */
ps_status ps_command_group(ps_command *command, uint32_t gid, ps_error **error);

/**
 * The child's supplementary groups, and nothing else: these and no other (see ps_command_user). Order and
 * repetitions are no matter. The list is copied.
 *
 * @param groups, n  n group ids, at most 65536; NULL, 0: none at all
 * @return as ps_command_user; PS_ERR_INVALID_ARGUMENT for NULL with an n, and for too many
 */
ps_status ps_command_groups(ps_command *command, const uint32_t *groups, size_t n, ps_error **error);

/**
 * 1: the child keeps the supplementary groups of the host, whatever was said of them before (also by
 * ps_command_credentials). That is so for a command that says nothing of them. 0: it keeps none that is not
 * named; if none was, it has none. See ps_command_user.
 *
 * @param on  1 or 0
 * @return PS_OK; PS_ERR_INVALID_ARGUMENT for another number
 */
ps_status ps_command_keep_groups(ps_command *command, int32_t on, ps_error **error);

/**
 * 1: the child's directory (ps_command_cwd) is entered before it becomes another user, with the host's
 * rights: one that only the host may enter can be the child's all the same. What the child may do there is
 * its own user's affair: a program named by a relative path is looked for as the new user, and a directory
 * that this user may not search holds none that it can run. 0 (default): entered as the new user, and the
 * spawn fails with step "chdir" and EACCES if that one may not. Does nothing without a directory, or without
 * a change of user or groups.
 *
 * @param on  1 or 0
 * @return PS_OK; PS_ERR_INVALID_ARGUMENT for another number
 */
ps_status ps_command_chdir_first(ps_command *command, int32_t on, ps_error **error);

/* ==================== children ========================================================================== */

/** A child process. The handle is yours to free; the process belongs to its supervisor. */
typedef struct ps_child ps_child;

/** Looks after children: one descriptor to wait on, events to take. */
typedef struct ps_supervisor ps_supervisor;

/**
 * Starts a command. When it returns PS_OK, the program has begun to run, or, if its supervisor has a limit
 * that is reached, stands in line (ps_supervisor_set_max_running). When it fails, nothing is left behind,
 * what the command owns is the command's still, and the error names the exact step ("exec", "chdir",
 * "setuid", ...) and errno. (Of a supervisor that has a spawner, ps_supervisor_set_spawner, it returns
 * before that, and an event tells it.)
 *
 * The child leads its own process group, has no blocked and no ignored signals (of the real-time ones, from
 * SIGRTMIN on, those stay ignored that the host began to ignore after the last ps_supervisor_new, or the
 * first spawn without a supervisor, whichever was later), and only the descriptors it was given. It was in
 * procsup's registry before it ran its first instruction, so ps_kill_and_reap_all never misses it.
 *
 * Blocks until the program has been executed: on a slow file system that is as long as the kernel takes to
 * load it, and if somebody else stops the child before (SIGSTOP by kill(2), a freezer), until it goes on.
 * When the kernel is out of processes (EAGAIN) it tries again for at most 32 ms; when the program is open for
 * writing (ETXTBSY), for a quarter of a second: a program just written is so as long as a child that another
 * thread makes at this moment has not come to its own exec.
 *
 * Procsup's own signals that stop or dump core (ps_signal_all) are noted for a child that has not begun, and
 * sent when its program has. Before Linux 5.16 a core dump of such a child kills the host, whose memory it
 * shares: nobody else should send it such a signal.
 *
 * @param supervisor  who looks after the child and tells its events. NULL: the default supervisor, which has
 *                    no limits and no events, and whose children are looked after by the calls that name
 *                    them
 * @param command     what to run
 * @param child       receives the handle; free it with ps_child_free
 * @return PS_OK; PS_ERR_NOT_FOUND (ENOENT, ENOTDIR); PS_ERR_PERMISSION (EACCES, EPERM); PS_ERR_LIMIT
 *         (EAGAIN, EMFILE, ENFILE, ENOMEM, or the line is full); PS_ERR_SYSTEM (any other errno);
 *         PS_ERR_INVALID_ARGUMENT (a descriptor that is not open any more, or one number given twice);
 *         PS_ERR_STATE (its control group is in use; or after unshare(CLONE_NEWPID): the first process of the
 *         new pid namespace has ended, so no other can be made there: the errno is ENOMEM, but no other try
 *         helps); PS_ERR_OUTPUT_EXISTS; PS_ERR_SHUTDOWN; PS_ERR_UNSUPPORTED; PS_ERR_BUDGET_EXHAUSTED or
 *         PS_ERR_IN_PROGRESS (ps_command_budget); PS_ERR_ABORTED if its supervisor's spawner has died twice
 */
ps_status ps_spawn(ps_supervisor *supervisor, const ps_command *command, ps_child **child, ps_error **error);

/**
 * Starts n programs, of which each reads as its stream 0 what the one before it writes as its stream 1. All
 * or none: on PS_OK all have begun; else those that had begun were killed and reaped, no event tells of any
 * of them, what their commands own is the commands' again, and the error says which one failed
 * (`commands[1]: ...`) and at which step. The commands are not changed; one may stand in several places, and
 * several threads may use the same ones at once.
 *
 * A pipe is held by its two programs alone: it ends when the one that writes does, and who writes what nobody
 * reads any more is ended by SIGPIPE, whatever the host has set. (So `yes | head -1` ends.) Stream 0 of the
 * first, stream 1 of the last and stream 2 of each are what their commands say. With PS_STDIO_MERGE stream 2
 * goes into the pipe, too; ps_command_capture and ps_command_output_lines are about stream 2 alone where
 * stream 1 is a pipe. Each program is a child as any other, with its own group, stop plan, readiness, events
 * and exit: the end of the last is not that of the others.
 *
 * The last is started first: whoever only reads has done nothing yet if one before it cannot be started. And
 * those that read are killed before their input ends, so that none takes it for complete.
 *
 * It never stands in line: the n slots must be free at once, with nobody in line before it. A supervisor that
 * has a spawner makes these children without it. n = 1 is ps_spawn. Blocks as n times ps_spawn does; after a
 * failure until the others are gone, at most 5 seconds (one that even then cannot be killed stays for
 * ps_kill_and_reap_all).
 *
 * @param supervisor   as for ps_spawn; may be NULL
 * @param commands, n  n commands, first to last
 * @param children     receives n handles, in the same order; free each with ps_child_free
 * @return as ps_spawn; PS_ERR_INVALID_ARGUMENT also for n = 0, for a command that says otherwise what the
 *         stream is that is to be a pipe (the step is what says so: "stdio", "pass_fd", "input",
 *         "output_file", ...), and, where n > 1, for one with a restart policy ("restart") or a budget
 *         ("budget"): then nothing was started. PS_ERR_LIMIT also if there are fewer than n slots (step
 *         "pipeline"); nothing was started
 */
ps_status ps_spawn_pipeline(ps_supervisor *supervisor,
                            const ps_command *const *commands,
                            size_t n,
                            ps_child **children,
                            ps_error **error);

/**
 * Sends a signal to the child's whole group, or to the process alone if it has no group of its own. A child
 * that has left the group that it led (setpgid(2)) gets it too, as do those whom it left there. It goes by
 * pidfd, so it can never reach another process that got the same number. Signal 0 only asks whether the
 * child is there; one that has ended is there until it has been reaped. Never blocks.
 *
 * What is answered is what became of the child itself, whoever else is in its group.
 *
 * A worker that a preloader has forked (PS_TIER_PRELOADER) gets it alone, and only by pidfd.
 *
 * @param signal  0 to 64
 * @return PS_OK; PS_ERR_EXITED if the child has been reaped; PS_ERR_STATE if it has not been started;
 *         PS_ERR_PERMISSION (EPERM) if the child itself refuses it, as one does that has become another user
 *         (a set-user-ID program) and whose host is not root; PS_ERR_UNSUPPORTED for a preloader's worker
 *         where a filter forbids pidfd_send_signal(2): by then its number could be another's
 */
ps_status ps_signal(ps_child *child, int32_t signal, ps_error **error);

/**
 * Sends a signal to the child's process alone, and to nobody else of its group or its control group: one
 * that its program handles (SIGHUP to reload), and that its own children shall not get. Otherwise as
 * ps_signal: by pidfd, 0 only asks. Who is ended by it is ended as by any signal: what is left of its group
 * is killed then (ps_command_survivors). It is the same call for a child that a spawner has made
 * (PS_TIER_SPAWNER) and for a preloader's worker (PS_TIER_PRELOADER), which gets all its signals alone. That
 * a stop plan reaches the child alone: ps_command_stop_scope. Never blocks.
 *
 * @param signal  0 to 64
 * @return as ps_signal
 */
ps_status ps_signal_process(ps_child *child, int32_t signal, ps_error **error);

/** How a child ended. */
typedef enum ps_exit_kind {
  /** It exited; code is set. */
  PS_EXIT_EXITED = 1,
  /** A signal ended it; signal is set. */
  PS_EXIT_SIGNALED = 2,
  /**
   * Somebody else reaped it (the host; of a preloader's worker its own parent), and the kernel keeps no
   * status (before Linux 6.15).
   */
  PS_EXIT_LOST = 3,
} ps_exit_kind;

/** Who ended a child: noted when its signal is sent, and not if the kernel refuses it. */
typedef enum ps_exit_cause {
  /** Nobody of us: by itself, or a signal from outside. */
  PS_CAUSE_SELF = 0,
  /** Its stop plan had begun. */
  PS_CAUSE_STOP = 1,
  /** Its deadline had passed. */
  PS_CAUSE_DEADLINE = 2,
  /** Its supervisor was shut down or freed. */
  PS_CAUSE_SHUTDOWN = 3,
  /** All children were killed at once. */
  PS_CAUSE_KILL_ALL = 4,
  /** It died of the very signal that the host had sent to it, or to all children. */
  PS_CAUSE_OWNER = 5,
  /** It was not ready in time, or said that it never will be. */
  PS_CAUSE_NOT_READY = 6,
  /** It had not been heard of for longer than its watchdog allows. */
  PS_CAUSE_WATCHDOG = 7,
} ps_exit_cause;

/** Whether a child was killed for want of memory, and by whose limit. */
typedef enum ps_exit_oom {
  /** Nothing says so. */
  PS_OOM_NONE = 0,
  /** By the kernel: a memory limit of its own control group, such as memory.max, was reached. */
  PS_OOM_OWN = 1,
  /**
   * By the kernel, and not for a limit of its own control group: a group above it has reached its limit, or
   * the machine had no memory left.
   */
  PS_OOM_ABOVE = 2,
  /**
   * By a SIGKILL that nobody here has sent, and somebody was killed for want of memory: but that this was
   * the child, no count tells.
   */
  PS_OOM_PROBABLE = 3,
} ps_exit_oom;

/** How a child ended. */
typedef struct ps_exit {
  /** Set by the caller: sizeof(ps_exit). */
  uint32_t size;
  /** PS_EXIT_EXITED, PS_EXIT_SIGNALED or PS_EXIT_LOST. */
  int32_t kind;
  /** Exit code; -1 if it did not exit. */
  int32_t code;
  /** The signal that ended it; 0 if none did. */
  int32_t signal;
  /** 1 if it left a core dump. */
  int32_t core_dumped;
  /** PS_CAUSE_*: who ended it. */
  int32_t cause;
  /** User time, microseconds; -1 if unknown (somebody else reaped it, such as a worker's preloader). */
  int64_t user_us;
  /** System time, microseconds; -1 if unknown. */
  int64_t system_us;
  /**
   * Largest resident memory, KiB; -1 if unknown. Linux counts from before the exec: it is never less than
   * what the host itself had resident when it spawned the child (getrusage(2), ru_maxrss).
   */
  int64_t max_rss_kib;
  /** When it was spawned, nanoseconds of CLOCK_MONOTONIC. */
  int64_t started_ns;
  /** When its end was recorded, nanoseconds of CLOCK_MONOTONIC. */
  int64_t ended_ns;
  /**
   * PS_OK, or why its sandbox directory (ps_command_sandbox_dir) could not be removed with it, as a
   * PS_ERR_*: the rest is tried again by later calls. PS_ERR_TIMEOUT: it was too much for one call, and
   * goes on.
   */
  int32_t removal;
  /** The errno of that, or 0. */
  int32_t removal_errno;
  /**
   * PS_OOM_*: whether it was killed for want of memory, and by whose limit. Something else than PS_OOM_NONE
   * only if it died of a SIGKILL that procsup had not sent while it lived: cause may be PS_CAUSE_STOP where
   * the plan had not come to its kill. Of a child whose control group (ps_command_cgroup) has the memory
   * controller it is what the kernel has counted there (memory.events, memory.events.local: cgroups(7),
   * Linux 5.2; whose limit it was is not known better than PS_OOM_OWN or PS_OOM_ABOVE). The kernel counts,
   * and names nobody: where another process of the group was killed for want of memory, and somebody else
   * has then ended the child by SIGKILL, the child is told so too. With "memory.oom.group", "1"
   * (ps_command_cgroup_set) it cannot be: all of the group are killed together. A child that exits because
   * the kernel has killed one that it had started is told PS_OOM_NONE, and oom_kills says it. Without such a
   * group, also for a preloader's worker, there is PS_OOM_PROBABLE at most: since a look that was no later
   * than its spawn the machine (/proc/vmstat, Linux 4.13) has killed somebody.
   */
  int32_t oom;
  /**
   * How many processes of its control group, the groups below it included, the kernel has killed for want of
   * memory until the child's end; -1 if unknown: no control group, none with the memory controller, or its
   * files could not be read. Where all are killed together (memory.oom.group) Linux counts the first of them
   * twice.
   */
  int32_t oom_kills;
  /**
   * The most memory that its control group had at a time, bytes (memory.peak, Linux 5.19); -1 if unknown. It
   * counts what max_rss_kib does not: all processes of the group together, page cache, the kernel's own.
   */
  int64_t memory_peak;
  /**
   * Zero. Room for what a later version has to tell: the structure stands inside ps_event, so it cannot
   * grow.
   */
  uint64_t reserved[1];
} ps_exit;

/**
 * Stops the child: runs its stop plan (ps_command_stop_step) and reaps it. Returns as soon as the child has
 * ended. Several threads may call it at once; a child that has ended already is no error. One that waits for
 * its (next) start is cancelled, and one with a restart policy is not started again.
 *
 * Blocks at most as long as the plan's waits add up to, and a child that is dumping core may take
 * (ps_command_core_wait); a signal handler of the host does not end the wait.
 * If the plan runs already, a shorter grace shortens its first step; if it has run to its end in vain, it
 * runs again.
 *
 * @param grace_ms  milliseconds in place of the wait of the plan's first step; -1: the plan's own
 * @param exit      receives the exit record (set exit->size first); may be NULL
 * @return PS_OK; PS_ERR_TIMEOUT if the child is still there after the whole plan: it stays watched, and can
 *         be reaped later; PS_ERR_PERMISSION (EPERM) if it is still there because the kernel refused the
 *         plan's last signal, which is not waited out (see ps_signal); PS_ERR_UNSUPPORTED at once, as there;
 *         PS_ERR_CANCELLED if it was never started; else as ps_reap
 */
ps_status ps_terminate(ps_child *child, int64_t grace_ms, ps_exit *exit, ps_error **error);

/**
 * Starts the stop plan and returns at once; a child that waits for its (next) start is cancelled
 * (PS_EVENT_CANCELLED). The plan is moved on by ps_supervisor_next_event and by every call that waits for
 * the child.
 *
 * @param grace_ms  as in ps_terminate
 * @return PS_OK, also if the child has ended already; PS_ERR_PERMISSION (EPERM) if the kernel refused the
 *         plan's first signal (see ps_signal). The plan goes on all the same: the child may give its
 *         privileges up before the next step. PS_ERR_UNSUPPORTED as in ps_signal
 */
ps_status ps_terminate_begin(ps_child *child, int64_t grace_ms, ps_error **error);

/**
 * Waits for the child to end, kills what is left of its group, reaps it and releases what it owned. A child
 * in line is waited for through its start, one with a restart policy until it is not started again. Call it
 * as often as you like, from any number of threads: the exit record stays until the handle is freed.
 *
 * If the host itself reaps the child (waitpid(-1), or SIGCHLD ignored), the record is still true where the
 * kernel keeps the status (from Linux 6.15 on), and PS_EXIT_LOST where it does not.
 *
 * A worker that a preloader has forked is its preloader's to reap, and nobody else's group is killed with it.
 * How it ended is known while it is a zombie, if it runs as the host's user or the host is root (/proc); else
 * once it was reaped, from Linux 6.15 on. Two seconds after its death it is PS_EXIT_LOST. If its preloader
 * dies before it, and this process is the one that gets orphans (an init, a subreaper), it is reaped here as
 * any child is.
 *
 * @param timeout_ms  how long to wait, milliseconds; -1: for ever, 0: not at all. A signal handler of the
 *                    host does not end the wait
 * @param exit        receives the exit record (set exit->size first); may be NULL
 * @return PS_OK; PS_ERR_TIMEOUT if it has not ended; PS_ERR_CANCELLED or PS_ERR_SHUTDOWN if it was called
 *         off before its start; PS_ERR_BUDGET_EXHAUSTED if it was given up then (ps_command_budget);
 *         what ps_spawn answers, if it could not be started; for a child that exited with 0, the error that
 *         kept its output file from its place (PS_ERR_OUTPUT_EXISTS, PS_ERR_NOT_FOUND, PS_ERR_PERMISSION,
 *         PS_ERR_SYSTEM)
 */
ps_status ps_reap(ps_child *child, int64_t timeout_ms, ps_exit *exit, ps_error **error);

/**
 * As ps_reap, without waiting. Never waits for a process, but removing a sandbox directory takes the file
 * system's time (at most 5 seconds, ps_command_sandbox_dir).
 *
 * @param exit  receives the exit record (set exit->size first); may be NULL
 * @return PS_PENDING while the child runs, or while another thread is just releasing what it owned; else as
 *         ps_reap
 */
ps_status ps_reap_nonblock(ps_child *child, ps_exit *exit, ps_error **error);

/**
 * Waits until one of these children has ended, and says which: the first of the list that has, if there are
 * several. Nothing is taken of it: ps_reap (with a timeout of 0) has the exit record, and PS_EVENT_EXITED is
 * told as ever. Ended means for good, as for ps_reap: a child in line is waited for through its start, one
 * with a restart policy until it is not started again; one that was cancelled, or could not be started, has
 * ended. So has one that another thread has reaped: take those that you know of out of the list.
 *
 * The children may be those of several supervisors, and of NULL; the work of all these is done meanwhile, so
 * that a line moves on, and nobody's events are taken; lines that they say are read all the while
 * (ps_command_output_lines says how many are kept). One that stands in the list twice counts once.
 *
 * A signal handler of the host ends the wait (see SIGNALS, at the top); a child that has ended by then is
 * told of all the same. Each time that something happens it is looked for among all of the list, by one
 * poll(2) over their pidfds: hundreds are fine, for thousands take the events of a supervisor. It needs no
 * descriptors, but one while a child is in line.
 *
 * @param children    the handles
 * @param n           how many; at least 1
 * @param timeout_ms  how long to wait, milliseconds; -1: for ever, 0: not at all
 * @param index       receives the place in the list, from 0
 * @return PS_OK; PS_ERR_TIMEOUT if none has ended; PS_ERR_INTERRUPTED; PS_ERR_INVALID_ARGUMENT if n is 0;
 *         PS_ERR_BAD_HANDLE or PS_ERR_FORKED for one of the handles: the message says which
 */
ps_status ps_wait_any(ps_child *const *children,
                      size_t n,
                      int64_t timeout_ms,
                      size_t *index,
                      ps_error **error);

/**
 * Waits until all of these children have ended. Otherwise as ps_wait_any; for the thousands of one supervisor
 * it takes no longer than to reap them does, unless they say lines.
 *
 * @param children    the handles
 * @param n           how many; at least 1
 * @param timeout_ms  how long to wait, milliseconds; -1: for ever, 0: not at all
 * @return PS_OK; PS_ERR_TIMEOUT if one has not ended: the error names the first of the list that has not, by
 *         its pid (ps_error_message); else as ps_wait_any
 */
ps_status ps_wait_all(ps_child *const *children, size_t n, int64_t timeout_ms, ps_error **error);

/**
 * The process id, for display: after the exit it may be another's. Signal with ps_signal, never with
 * kill(2). Never blocks.
 *
 * @return PS_OK; PS_ERR_STATE before the start
 */
ps_status ps_child_pid(const ps_child *child, int32_t *pid, ps_error **error);

/**
 * A duplicate of the child's pidfd, readable once the child has ended; it is yours to poll and close.
 * Close-on-exec. Never blocks.
 *
 * @return PS_OK; PS_ERR_EXITED once the exit has been taken; PS_ERR_STATE before the start; PS_ERR_LIMIT
 */
ps_status ps_child_pidfd(const ps_child *child, int32_t *fd, ps_error **error);

/**
 * Where a child stands; only forward, but for a child with a restart policy, which is pending between its
 * runs.
 */
typedef enum ps_child_state_code {
  /** Not started yet, or waiting to be started again. */
  PS_STATE_PENDING = 0,
  /** It runs. */
  PS_STATE_RUNNING = 1,
  /** Its stop plan runs. */
  PS_STATE_STOPPING = 2,
  /** It has ended, was reaped, and will not be started again. */
  PS_STATE_EXITED = 3,
  /** It was cancelled before it started, or could not be started. */
  PS_STATE_CANCELLED = 4,
} ps_child_state_code;

/**
 * Where the child stands, after a look at it. Never waits for a process.
 *
 * @param state  receives a PS_STATE_*
 */
ps_status ps_child_state(const ps_child *child, int32_t *state, ps_error **error);

/**
 * Whether the child is stopped (job control), after a look at it; ps_command_watch_stops tells it as events.
 * Also for a child of the NULL supervisor. Nothing changes by it: a stopped child is PS_STATE_RUNNING, and
 * who waits for its stop with waitpid(2) finds it still. One that a tracer holds (ptrace(2)) is not stopped.
 * Never waits.
 *
 * @param signal  receives 0 if it is not stopped, or has ended; else by which signal (SIGSTOP, SIGTSTP,
 *                SIGTTIN, SIGTTOU), -1 if nobody knows: the host itself has waited for that stop before
 *                a look was taken, or the child is a worker that a preloader has made, or contained
 *                (PS_ISOLATE_CONTAINED: it is the program that is looked at, not its init)
 * @return PS_OK; PS_ERR_STATE before the start; PS_ERR_UNSUPPORTED if it cannot be asked: waitid(2) is
 *         refused, or the child is such a worker, and there is no /proc; or it is contained, and /proc does
 *         not list children (CONFIG_PROC_CHILDREN)
 */
ps_status ps_child_stopped(const ps_child *child, int32_t *signal, ps_error **error);

/**
 * The host's end of a stream that is PS_STDIO_PIPE, or of another pipe (ps_command_pipe); it is yours now:
 * close it. Close-on-exec, blocking. An end that is never taken is closed by ps_child_free. With a restart
 * policy each run has new pipes, and the ends of a run that were not taken go with it.
 *
 * A grandchild may hold the other end open after the child has ended: a reader that waits for end of file
 * should watch ps_child_pidfd too. Writing to a child that has ended raises SIGPIPE in the host, unless the
 * host ignores it.
 *
 * @param stream  0, 1, 2 or the child_fd of ps_command_pipe
 * @return PS_OK; PS_ERR_NOT_FOUND if that is no pipe or was taken already; PS_ERR_STATE before the start
 */
ps_status ps_child_stdio(ps_child *child, int32_t stream, int32_t *fd, ps_error **error);

/**
 * Feeds the child's standard input (ps_command_input_stream): takes as many bytes as there is room for, and
 * never blocks. They are copied, and written as the child reads, by ps_supervisor_next_event and by every
 * call that waits for the child; for a child of the NULL supervisor also by each call that spawns, looks at
 * or waits for a child of it. Calls of several threads come one after the other, each with what it was told
 * that was taken.
 *
 * Was nothing taken, or less than `len`, a PS_EVENT_INPUT_ROOM tells when at least half of the room is free
 * again (not to the NULL supervisor, which has no events: call again). Wait for that, not for time:
 *
 * ```c
 * #include <procsup.h>
 *
 * // To be called at first and at each PS_EVENT_INPUT_ROOM of the child.
 * ps_status go_on(ps_child *child, const char *data, size_t len, size_t *done, ps_error **error) {
 *   size_t written = 0;
 *   ps_status status = ps_child_write(child, data + *done, len - *done, &written, error);
 *   *done += written;
 *   return status == PS_OK && *done == len ? ps_child_write_end(child, error) : status;
 * }
 * ```
 *
 * @param data, len  what to write; NULL, 0 only asks
 * @param written    receives how much was taken; also written with PS_PENDING, then 0
 * @return PS_OK; PS_PENDING if there is no room at all; PS_ERR_EXITED if the child has been reaped (with a
 *         restart policy: the run that was); PS_ERR_STATE with errno EPIPE if nobody reads it any more: the
 *         child has closed it or has ended, and what waited is dropped; PS_ERR_STATE before the start, after
 *         ps_child_write_end, or if the input is not fed; PS_ERR_PERMISSION if a filter refuses to write:
 *         then the input has ended
 */
ps_status ps_child_write(ps_child *child, const void *data, size_t len, size_t *written, ps_error **error);

/**
 * Ends the child's standard input behind what was taken so far: then it reads end of file. Never blocks. At a
 * terminal the end is typed, and met once, by whoever reads then (see terminals).
 *
 * @return PS_OK, also if it has ended already, or the child; PS_ERR_STATE before the start, or if the input
 *         is not fed
 */
ps_status ps_child_write_end(ps_child *child, ps_error **error);

/**
 * The captured output so far, the last bytes of it (ps_command_capture). Of streams that are kept apart
 * (ps_command_capture_apart) first that of stream 1, then that of stream 2.
 *
 * @param buf, cap, needed  see BYTES, at the top
 * @return PS_OK; PS_ERR_LIMIT if the buffer is too small; PS_ERR_STATE if nothing is captured, or before the
 *         start
 */
ps_status ps_child_output(const ps_child *child, char *buf, size_t cap, size_t *needed, ps_error **error);

/**
 * The same of one stream of a child whose streams are kept apart (ps_command_capture_apart).
 *
 * @param stream            1 or 2
 * @param buf, cap, needed  see BYTES, at the top
 * @return PS_OK; PS_ERR_LIMIT if the buffer is too small; PS_ERR_STATE if nothing is captured, or not by
 *         stream, or before the start
 */
ps_status ps_child_output_of(const ps_child *child,
                             int32_t stream,
                             char *buf,
                             size_t cap,
                             size_t *needed,
                             ps_error **error);

/**
 * How many bytes are missing of what was captured so far: they were read, and had to make room (the bound of
 * ps_command_capture was reached, or memory is out). What ps_child_output gives is all that the child
 * has said so far if this is 0, and else the end of it.
 *
 * @param stream  0: of both together; 1 or 2: of that one, where streams are kept apart
 *                (ps_command_capture_apart)
 * @param bytes   receives the number
 * @return PS_OK; PS_ERR_STATE if nothing is captured, or not by stream, or before the start
 */
ps_status ps_child_output_lost(const ps_child *child, int32_t stream, uint64_t *bytes, ps_error **error);

/** How a child was made. */
typedef enum ps_spawn_tier {
  /** clone3 on shared memory: the cost does not depend on the host's size. */
  PS_TIER_CLONE3 = 1,
  /** clone on shared memory: the same for kernels and filters without clone3. */
  PS_TIER_CLONE = 2,
  /**
   * A fork: for a change of user, and where memory cannot be shared. Costs in proportion to the host's
   * resident memory.
   */
  PS_TIER_FORK = 3,
  /** Its preloader has forked it: it is no child of this process in the eyes of the kernel. */
  PS_TIER_PRELOADER = 4,
  /** A spawner has made it, see ps_supervisor_set_spawner: it shares no memory with this process. */
  PS_TIER_SPAWNER = 5,
} ps_spawn_tier;

/**
 * How the child was made. Never blocks.
 *
 * @param tier  receives a PS_TIER_*
 * @return PS_OK; PS_ERR_STATE before the start
 */
ps_status ps_child_spawn_tier(const ps_child *child, int32_t *tier, ps_error **error);

/**
 * Frees the handle, not the process: that still belongs to its supervisor. A child of the NULL supervisor is
 * reaped by a later procsup call. NULL and a freed handle do nothing.
 */
void ps_child_free(ps_child *child);

/* ==================== terminals ========================================================================= */

/* A program that is to be spoken with as by somebody at a keyboard needs a terminal: else it shows no
 * prompt, buffers what it says, or refuses. PS_STDIO_PTY gives it one of its own. All streams of a child
 * that say so are the same pseudo-terminal (pty(7)), which is the controlling terminal of a session that
 * the child leads: PS_ISOLATE_SESSION is implied, and ps_spawn refuses another isolation that was said
 * beside it (PS_ERR_INVALID_ARGUMENT, "isolate"). The other streams are what the command says of them.
 *
 * What is written to it comes out of one end, whichever stream it was: ps_child_pty gives that end; or
 * ps_command_capture and ps_command_output_lines read it, as the first of the streams 1 and 2 that are
 * PS_STDIO_PTY. They get what a screen would: lines end in CR and LF, and what is typed is echoed, as long
 * as the program does not turn that off. Nothing that was written before the child's end is lost, also by a
 * child that closes its streams and opens /dev/tty later. ps_run and ps_run_checked capture it in this way,
 * too. (Not into ps_command_output_file, which the child itself writes.)
 *
 * ps_child_write (with ps_command_input_stream) types at it, and so does ps_command_input. A terminal has
 * no end of file, but a character that says so (^D, VEOF in termios(3)): ps_child_write_end types that
 * behind all else, twice in the middle of a line; what a program in raw mode makes of it is its own affair,
 * and where it was turned off nothing is typed. What is typed before a program asks for it may be thrown
 * away by it (as by getpass(3)), and the kernel cuts a line at 4095 bytes. The typed end is met once, by
 * whoever reads then: after the input "x" without a newline, `read p; cat` has `read` end by the two ^D, and
 * `cat` waits for more. Who types in this way leaves the terminal to procsup: ps_child_pty gives it to nobody
 * then (its owner could make a write block), and ps_spawn refuses it beside a stream 1 or 2 that is the
 * terminal and is neither captured nor told by lines (PS_ERR_INVALID_ARGUMENT, "stdio"). Is stream 0 alone
 * the terminal, nobody sees what is on its screen: the echo, and what is written to /dev/tty.
 *
 * A shell with job control gives each job a group of its own: signals to the child's group, and the sweep
 * at its end, do not reach those; the hang-up does (ps_child_pty), and so does ps_command_cgroup.
 *
 * ps_spawn answers PS_ERR_LIMIT with ENOSPC, step PS_STEP_OPENPTY, if all pseudo-terminals are in use
 * (/proc/sys/kernel/pty/max) and PS_ERR_UNSUPPORTED without a /dev/ptmx. Each child takes one descriptor of
 * the host, two more if its output is read or its input is typed by procsup, three more if both. It ties the
 * child to the host: the host's end hangs it up. A supervisor that has a spawner makes such a child without
 * it; a worker of a preloader cannot have a terminal (PS_ERR_INVALID_ARGUMENT, "stdio"). */

/**
 * The size of the child's pseudo-terminal (PS_STDIO_PTY), when its program begins. Does nothing without one.
 *
 * @param rows, cols  characters, 1 to 65535; default 24 and 80
 */
ps_status ps_command_pty_size(ps_command *command, int32_t rows, int32_t cols, ps_error **error);

/**
 * A terminal of yours becomes the controlling terminal of the child's session: the child leads one
 * (PS_ISOLATE_SESSION is implied), and ^C, ^Z and hang-ups there reach it. Its streams stay what the command
 * says: PS_STDIO_FD gives it the same terminal as those.
 *
 * It must be nobody else's: a terminal that is the controlling one of another session, as your own is, is
 * never taken away from it; ps_spawn then answers PS_ERR_PERMISSION (EPERM), step PS_STEP_TERMINAL. See
 * ioctl_tty(2), TIOCSCTTY. ps_spawn answers PS_ERR_INVALID_ARGUMENT beside PS_STDIO_PTY
 * ("terminal") and beside another isolation than PS_ISOLATE_SESSION ("isolate").
 *
 * A child that cannot begin gives it back. When one that has begun ends, the kernel hangs up a terminal that
 * is no pseudo-terminal, a serial line say: your descriptor answers EIO from then on, and the next child
 * needs one that was opened after that.
 *
 * A supervisor that has a spawner makes this child without it. A worker of a preloader cannot have one
 * (PS_ERR_INVALID_ARGUMENT, "terminal").
 *
 * @param fd  an open terminal, open for reading too; borrowed: it must be open at each ps_spawn, and you may
 *            close it after that
 * @return PS_OK; PS_ERR_INVALID_ARGUMENT if it is not open (EBADF) or no terminal (ENOTTY); PS_ERR_SYSTEM
 *         (EIO) if it was hung up
 */
ps_status ps_command_terminal(ps_command *command, int32_t fd, ps_error **error);

/**
 * 1: while the child is there, its group is the foreground of the host's own controlling terminal
 * (tcsetpgrp(3)), as a shell does it with a job: it can read there, and ^C and ^Z are its. It is put there
 * before its program begins. Default 0.
 *
 * Only from a host that is in the foreground then (or whose last such child has left the place empty): from
 * the background nothing is taken, and the child starts there, too. So of several at once the first one gets
 * it. When the child has ended, the call that reaps it gives the place back to the host's group, if the
 * child or nobody has it, or what is left of the child has, as the job of a shell that was killed (`bash
 * -ic`); also where the host is in the background, which is not stopped for it (SIGTTOU is blocked in the
 * calling thread meanwhile). From others it is not taken: from your own shell, which has got it when the
 * host was stopped, a job of that, or another child, as /proc tells it: whoever descends, within the
 * session, from the host or from a process above it. (Where that shell adopts orphans, as the first process
 * of a container, what is left of the child looks so, too, and keeps the place.) A child that stops (^Z)
 * keeps it: nothing is heard of that by itself (ps_command_watch_stops), and who hears of it takes the place
 * back by tcsetpgrp(3), with SIGTTOU blocked. A ^Z or ^\ that comes before its program has begun never holds
 * up ps_spawn: it is sent to the program then, and may be lost only in the last moment before that.
 *
 * The child needs PS_ISOLATE_GROUP, the default, and no other terminal: else ps_spawn answers
 * PS_ERR_INVALID_ARGUMENT ("foreground"). ps_spawn answers PS_ERR_NOT_FOUND with errno ENXIO, step
 * PS_STEP_FOREGROUND, if the host has no controlling terminal. It takes one descriptor per child. A
 * supervisor that has a spawner makes this child without it; a worker of a preloader cannot have it
 * (PS_ERR_INVALID_ARGUMENT, "foreground").
 *
 * @param on  1 or 0
 */
ps_status ps_command_foreground(ps_command *command, int32_t on, ps_error **error);

/**
 * The host's end of the child's pseudo-terminal (the master, pty(7)); it is yours now: close it.
 * Close-on-exec; blocking. What is written there is typed at the child's terminal, and what the child writes
 * (and the terminal echoes) is read there. Reading it fails with EIO while nobody has the child's end: as a
 * rule that is the end of file, behind the last byte; but a child may close its streams and open /dev/tty
 * again. Who still has it may be a grandchild: watch ps_child_pidfd, too. A child whose screen nobody reads
 * waits when some KiB are on it.
 *
 * Who closes the last copy of it hangs the terminal up: SIGHUP to the child and to its foreground. One that
 * is never taken is closed by ps_child_free. Never blocks.
 *
 * @return PS_OK; PS_ERR_NOT_FOUND if no stream is PS_STDIO_PTY, if procsup itself reads what the child writes
 *         there (ps_command_capture, ps_command_output_lines) or types its input (ps_command_input,
 *         ps_command_input_stream), or if it was taken already; PS_ERR_STATE before the start
 */
ps_status ps_child_pty(ps_child *child, int32_t *fd, ps_error **error);

/**
 * Gives the child's pseudo-terminal another size: its foreground gets SIGWINCH, if it is another one. Also
 * where you have taken the host's end (ps_child_pty), as long as that is open under the number that you got;
 * elsewhere use ioctl(fd, TIOCSWINSZ, ...). Never blocks.
 *
 * @param rows, cols  characters, 1 to 65535
 * @return PS_OK; PS_ERR_NOT_FOUND without a pseudo-terminal, or if its end was taken and is not there any
 *         more; PS_ERR_EXITED if the child has been reaped; PS_ERR_STATE before the start
 */
ps_status ps_child_resize(ps_child *child, int32_t rows, int32_t cols, ps_error **error);

/* ==================== one answer ======================================================================== */

/* A program that is run for what it says: its input, its end, its output, its time, in one call.
 *
 * ```c
 * #include <procsup.h>
 * #include <stdio.h>
 *
 * ps_status uptime(char *text, size_t cap, size_t *length, ps_error **error) {
 *   ps_command *command = NULL;
 *   ps_output *output = NULL;
 *   ps_status status = ps_command_parse("uptime -p", &command, error);
 *   if (status == PS_OK)
 *     status = ps_run_checked(command, 5000, 65536, &output, error);   // what fails says why
 *   if (status == PS_OK)
 *     status = ps_output_data(output, 1, text, cap, length, error);
 *   ps_output_free(output);
 *   ps_command_free(command);
 *   return status;
 * }
 * ```
 *
 * It blocks. In an event loop spawn the program, and keep what it says (ps_command_capture,
 * ps_command_capture_apart). */

/** What a program has said, its streams apart. Free it with ps_output_free. */
typedef struct ps_output ps_output;

/**
 * Runs a command to its end and gives what it has said: ps_spawn, ps_reap and capture in one call, without a
 * handle of the child. Any end is PS_OK here, exit code 1 as well as a signal: look at `exit`, or call
 * ps_run_checked.
 *
 * STREAMS. Of 1 and 2 the first max_bytes each are kept, apart: ps_output_data. The first, where
 * ps_command_capture keeps the last: an answer is read from its beginning, a log from its end. What is beyond
 * is read and counted (ps_output_lost); the program is never held up by a full pipe. Memory grows with what
 * comes; where there is none for more, the rest counts as beyond.
 * What the command says of a stream holds: one that goes to a descriptor, a file, /dev/null or another
 * stream goes there, and nothing is kept of it. (PS_STDIO_PIPE is read like PS_STDIO_INHERIT.) What 0 is
 * comes from ps_command_input or ps_command_stdio. Where nothing was said of it, it is /dev/null, not the
 * host's: for that give PS_STDIO_FD and 0.
 *
 * TIME. When timeout_ms is over, the start included, the command's stop plan runs (ps_command_stop_step), and
 * the answer is PS_ERR_TIMEOUT; the error tells how it ended, and ps_error_output what it had said. A program
 * that ends by itself before the plan reaches it was in time. The call ends with the program: a grandchild
 * that holds its streams open is not waited for, and killed with its group unless ps_command_survivors says
 * otherwise.
 *
 * All else of the command holds as in ps_spawn with the NULL supervisor: ps_command_capture and its like say
 * nothing here, but a deadline of its own, a control group, a sandbox directory or an output file do.
 *
 * Blocks until the program has ended, at most timeout_ms and what the stop plan takes (ps_terminate). A
 * signal handler of the host runs meanwhile and does not end the wait. Any number of threads may run
 * programs at once, one command too.
 *
 * @param timeout_ms  milliseconds; -1: for ever
 * @param max_bytes   of each stream, up to 1 GiB; 0: nothing is kept, all is counted
 * @param exit        receives the exit record (set exit->size first); may be NULL
 * @param output      receives what it has said; free it with ps_output_free; may be NULL
 * @return PS_OK; PS_ERR_TIMEOUT, also where it is still there after its whole plan: then it is left to the
 *         NULL supervisor; PS_ERR_PERMISSION or PS_ERR_UNSUPPORTED if the kernel refused to stop it
 *         (ps_terminate); what ps_spawn answers if it cannot be started; for one that exited with 0, the
 *         error that kept its output file from its place (ps_reap); PS_ERR_INVALID_ARGUMENT also if stream 0
 *         is PS_STDIO_PIPE, if the command has a ps_command_pipe or ps_command_input_stream, whose other end
 *         nobody could get, or lines of output, a restart policy or a budget, which need a supervisor
 */
ps_status ps_run(const ps_command *command,
                 int64_t timeout_ms,
                 size_t max_bytes,
                 ps_exit *exit,
                 ps_output **output,
                 ps_error **error);

/**
 * The same, and a program that does not exit with 0 is an error: PS_ERR_EXITED, whose message says how it
 * ended, and ps_error_output what it has said: stream 1, then stream 2, as far as they were kept.
 *
 * Blocks as ps_run does.
 *
 * @param timeout_ms  milliseconds; -1: for ever
 * @param max_bytes   of each stream, up to 1 GiB
 * @param output      receives what it has said; free it with ps_output_free; may be NULL
 * @return PS_OK: exit code 0; PS_ERR_EXITED: another code, a signal, or an end that nobody knows
 *         (PS_EXIT_LOST); else as ps_run
 */
ps_status ps_run_checked(const ps_command *command,
                         int64_t timeout_ms,
                         size_t max_bytes,
                         ps_output **output,
                         ps_error **error);

/**
 * What it has said on a stream: whole, or its beginning (ps_output_lost). Nothing, if the stream went
 * elsewhere. Never blocks.
 *
 * @param stream            1 or 2
 * @param buf, cap, needed  see BYTES, at the top
 * @return PS_OK; PS_ERR_LIMIT if the buffer is too small
 */
ps_status ps_output_data(const ps_output *output,
                         int32_t stream,
                         char *buf,
                         size_t cap,
                         size_t *needed,
                         ps_error **error);

/**
 * How many bytes it has said on a stream beyond those that ps_output_data gives; 0: it is whole. Never
 * blocks.
 *
 * @param stream  1 or 2
 * @param bytes   receives the number
 */
ps_status ps_output_lost(const ps_output *output, int32_t stream, uint64_t *bytes, ps_error **error);

/** Frees it. NULL and a freed one do nothing. Never blocks. */
void ps_output_free(ps_output *output);

/* ==================== names of numbers ================================================================== */

/* For logs, and for languages that have no header. Each answers the constant's own name; one that ends in
 * UNKNOWN for a number that this version does not know. Static, never NULL; not to be freed. May be called in
 * any context; never blocks. (ps_status_name does the same for statuses.) */

/** "PS_EVENT_STARTED" for what stands in ps_event.kind. */
const char *ps_event_kind_name(int32_t kind);

/** "PS_REASON_FAILED" for what stands in ps_event.reason. */
const char *ps_reason_name(int32_t reason);

/** "PS_EXIT_SIGNALED" for what stands in ps_exit.kind. */
const char *ps_exit_kind_name(int32_t kind);

/** "PS_CAUSE_DEADLINE" for what stands in ps_exit.cause. */
const char *ps_cause_name(int32_t cause);

/** "PS_OOM_OWN" for what stands in ps_exit.oom. */
const char *ps_oom_name(int32_t oom);

/** "PS_STATE_RUNNING" for what ps_child_state gives. */
const char *ps_state_name(int32_t state);

/** "PS_TIER_CLONE3" for what ps_child_spawn_tier gives. */
const char *ps_tier_name(int32_t tier);

/**
 * "SIGTERM" for the number of a signal on this machine; "SIGRTMIN+3" for one of the real-time signals as
 * glibc counts them (from 34 on; 32 and 33 are its own); "SIGUNKNOWN" for a number that is none.
 */
const char *ps_signal_name(int32_t signal);

/* ==================== everything at once ================================================================ */

/* These three take all children of this process, whichever supervisor they belong to. Only these may be
 * called from a signal handler: they take no lock, allocate nothing and leave errno as it was. In a forked
 * child of the host they touch nobody. */

/**
 * Sends a signal to every child's group. A child that has just gone is no error. Never blocks. A child whose
 * program has not begun gets a signal that stops or dumps core when it has (see ps_spawn). A worker that a
 * preloader has forked gets it alone: the group that it is in is its preloader's.
 *
 * @param signal  1 to 64
 * @return PS_OK; PS_ERR_INVALID_ARGUMENT
 */
ps_status ps_signal_all(int32_t signal);

/**
 * Kills every child's group, then reaps every child (PS_CAUSE_KILL_ALL). What the children owned
 * (directories, descriptors) is released by later calls. Children that other threads spawn meanwhile are not
 * waited for. Who has left a child's group within its control group is killed at the same stroke from Linux
 * 5.14 on (cgroup.kill); before, when its record is taken (ps_reap, an event). Those that stand in line or
 * wait for their restart are not touched: to end those as well, end their supervisor
 * (ps_supervisor_shutdown, ps_supervisor_free).
 *
 * A worker that a preloader has forked is killed alone, and reaped when it is dead: the zombie is its own
 * parent's. How it ended may be known, and recorded, only in a later call; ps_live_count counts it till then.
 *
 * Blocks until all are reaped, at most timeout_ms. A handler should return from it: one that is left by
 * longjmp meanwhile, or whose thread ends in it, costs each child that it was just busy with up to two
 * seconds in the call that reaps it (also ps_reap_nonblock and ps_supervisor_next_event), and this process a
 * descriptor or two for good.
 *
 * @param timeout_ms  milliseconds; -1: no limit
 * @param left        receives how many could not be reaped in time, also with PS_ERR_TIMEOUT; may be NULL.
 *                    A child that this process may not or cannot kill (see ps_signal) is not waited for,
 *                    and left
 * @return PS_OK; PS_ERR_TIMEOUT if some are left; PS_ERR_INVALID_ARGUMENT
 */
ps_status ps_kill_and_reap_all(int64_t timeout_ms, uint32_t *left);

/**
 * How many children of this process have not been reaped; of workers that a preloader has forked, whose end
 * has not been recorded. Never blocks.
 */
uint32_t ps_live_count(void);

/* ==================== supervisors ======================================================================= */

/**
 * Makes a supervisor. It has no thread and no signal handler: it works inside the calls that you make. Make
 * the first one early in your program: it reserves a dozen low descriptor numbers on which fast spawns
 * depend in a host with many open files.
 *
 * @param supervisor  receives the handle; free it with ps_supervisor_free
 * @return PS_OK; PS_ERR_LIMIT if there are no descriptors to be had
 */
ps_status ps_supervisor_new(ps_supervisor **supervisor, ps_error **error);

/**
 * How many children may exist at once. One that is being stopped counts until it has been reaped. ps_spawn
 * puts what is beyond in a line, first in, first out, the higher priorities before the lower ones
 * (ps_command_priority); as soon as a child has ended the next one is started, before you hear of that end.
 * Never blocks: what a higher limit allows is started by the next calls that do work
 * (ps_supervisor_next_event, ps_reap and others), in portions.
 *
 * A child in line is PS_STATE_PENDING. It keeps duplicates of the descriptors it was lent, has no pid yet,
 * and can be cancelled by ps_terminate or ps_terminate_begin. If it cannot be started when its turn comes,
 * PS_EVENT_FAILED says why, and so does ps_reap.
 *
 * @param n  0 (default): no limit
 */
ps_status ps_supervisor_set_max_running(ps_supervisor *supervisor, uint32_t n, ps_error **error);

/**
 * How many may stand in line; beyond it ps_spawn answers PS_ERR_LIMIT. Children that come back by their
 * restart policy are not counted. Never blocks.
 *
 * @param n  0 (default): no limit
 */
ps_status ps_supervisor_set_max_pending(ps_supervisor *supervisor, uint32_t n, ps_error **error);

/**
 * Makes this process a subreaper (PR_SET_CHILD_SUBREAPER, prctl(2)), or no longer. This holds for the whole
 * process, and stays when the supervisor is freed. If this process is the init of a container, call it as
 * well, before the first spawn.
 *
 * Orphans that descend from procsup's children are then reaped; they are killed once that child has ended,
 * unless its command says PS_SURVIVORS_LEAVE. Orphans of processes that the host made otherwise are not
 * touched: wait for those yourself. They are told apart by a mark that children get from now on: a hard
 * limit RLIMIT_RTTIME of some hundred thousand years. A program that sets this limit itself is not
 * recognised; ps_command_cgroup is the containment that nothing escapes. ps_supervisor_next_event, or a
 * blocking call, does the work: it looks at the list of this process's children twice a second and after
 * each exit.
 *
 * @param on  1 or 0
 * @return PS_OK; PS_ERR_PERMISSION if this process has a real limit RLIMIT_RTTIME
 */
ps_status ps_supervisor_set_subreaper(ps_supervisor *supervisor, int32_t on, ps_error **error);

/**
 * Whether programs are executed by a *spawner* from now on: a tiny process beside this one, which makes the
 * supervisor's children as this process's own (clone(2), CLONE_PARENT). Then ps_spawn takes some
 * microseconds, however slow the file system is that a program lies on, and no child ever shares memory
 * with the host (nor with another, once it has begun).
 *
 * What changes: ps_spawn returns a child that is PS_STATE_PENDING. PS_EVENT_STARTED follows when its program
 * has begun, or PS_EVENT_FAILED, with the status that ps_spawn would have given; ps_reap and ps_wait_ready
 * then answer the same, with the step and errno. All calls on the child work from the first moment:
 * ps_terminate of one that has not begun cancels it (PS_EVENT_CANCELLED), and what was made of it is killed.
 * The time of its readiness runs meanwhile; one that has not begun by then, or with a deadline within that or
 * ten seconds, whichever is longer, is killed (PS_EVENT_FAILED, PS_ERR_TIMEOUT, step "exec"). ps_spawn still
 * answers at once what is known here: bad arguments, descriptors that are not open, directories and control
 * groups that cannot be had, a full line. A start that fails counts as a failed run of a child with a restart
 * policy, and ps_spawn_replicas answers before its children have begun. ps_child_spawn_tier is
 * PS_TIER_SPAWNER. SIGCHLD is raised, too, for a child whose exec fails.
 *
 * What a command can say holds as ever. The environment, the working directory, the streams that a child
 * inherits and what is passed to it are those of the host at ps_spawn. All else that a child takes from its
 * maker is the host's as it was when the spawner was started: user, groups and capabilities, umask, nice
 * value, resource limits, session, process group (PS_ISOLATE_NONE), control group, namespaces and root
 * directory, personality, scheduling and CPU affinity, seccomp filters. After a change of one of these turn
 * it off and on again. A command with more than some 240 descriptors fails with PS_ERR_LIMIT. Never made by
 * the spawner are daemons of ps_spawn_once, and preloaders with their workers.
 *
 * The spawner is a child of the host like others: ps_live_count counts it, ps_kill_and_reap_all kills it, it
 * dies with the host, and ps_supervisor_free ends it. It is started again when it is needed after that. If it
 * dies otherwise, that is noticed at once, and it is started again; what it had not made is asked for anew
 * (PS_EVENT_FAILED, PS_ERR_ABORTED, if the command lends descriptors, of which the host keeps none), what it
 * had made goes on. If it dies a second time within ten seconds, PS_EVENT_FAILED of those that wait and
 * ps_spawn say PS_ERR_ABORTED until this function is called again. Some 255 births are under way at a time,
 * 64 of them in an exec; more wait in the host.
 *
 * It takes two descriptors, two shared pages of memory, and one tiny process for each supervisor. Turning it
 * off lets what is under way come to its end.
 *
 * Blocks like ps_spawn without it, and until the spawner has said that it runs (at most 5 seconds).
 *
 * @param on  1 or 0 (default). 1 starts it, unless it runs
 * @return PS_OK; PS_ERR_UNSUPPORTED if files in memory may not be executed (vm.memfd_noexec), /proc is not
 *         there, the library was built without the spawner's program, or after unshare(CLONE_NEWPID);
 *         PS_ERR_LIMIT; PS_ERR_TIMEOUT; PS_ERR_SYSTEM; PS_ERR_PERMISSION; PS_ERR_SHUTDOWN
 */
ps_status ps_supervisor_set_spawner(ps_supervisor *supervisor, int32_t on, ps_error **error);

/**
 * Whether a thread stays on its processor while it starts children of this supervisor from its line: a switch
 * for storms of short jobs, where ps_supervisor_set_max_running is set. It is off unless you ask for it here,
 * for it changes a property of your thread: where it may run.
 *
 * What it changes: a call of yours that starts some of those in line (ps_supervisor_next_event, ps_reap and
 * others; also a start by a restart policy) binds the calling thread to the processor that it is on, with
 * sched_setaffinity(2), makes these processes, and gives it back "anywhere" (all that its cpuset allows)
 * before it returns. It is bound for as long as these starts take (the time of some execs, and of releasing
 * what children own that have just ended: a sandbox may be large), and never between
 * two calls, nor while one waits for events. The children begin on that processor, and are given "anywhere"
 * before their exec. No other thread is touched. What a handler of yours forks, or starts as a thread,
 * in those moments inherits the binding.
 *
 * When it helps: where to wake another processor takes as long as a job, as on most virtual machines, and the
 * jobs are short (below a millisecond): a storm of such on two virtual processors is through in half to three
 * quarters of the time. When it hurts: where a wake-up is cheap (real hardware), and with jobs that compute
 * from their first moment: they share a processor with your thread until the kernel moves them. Measure both
 * ways.
 *
 * Left alone, as if it were off: a thread that is bound already (its set is not all that its cpuset allows),
 * or has one processor only; one that a seccomp filter watches, or where /proc is not there to tell; children
 * that are contained (PS_ISOLATE_CONTAINED), and those that are started together with one; children that a
 * spawner makes (ps_supervisor_set_spawner), workers of preloaders, and a ps_spawn that finds a free slot. A
 * child whose command says ps_command_affinity has that. Machines of more than 1024 processors are left
 * alone, too. Nothing fails because of it, and nobody is told.
 *
 * Each thread looks once for a filter after this call. One that is installed later must not kill for
 * sched_getaffinity(2), sched_setaffinity(2) and getcpu(2); or call this again, and each thread looks again.
 *
 * If another thread of yours sets this one's affinity while it is held, that stays, unless it is just the
 * processor that it is held on; and in the moment of the change itself (some microseconds at each end) it may
 * be overridden by "anywhere". So bind threads before they start children, or leave this off. A thread that
 * was bound to all that its cpuset allows and more is taken for a free one, and the kernel (Linux 6.2 and
 * newer) forgets what it was bound to beyond that.
 *
 * Never blocks; from any thread. It counts from the next starts on.
 *
 * @param on  1 or 0 (default)
 * @return PS_OK; PS_ERR_INVALID_ARGUMENT if `on` is another number (nothing is changed); PS_ERR_SHUTDOWN;
 *         PS_ERR_BAD_HANDLE, also for NULL: the default supervisor has no line; PS_ERR_FORKED
 */
ps_status ps_supervisor_set_hold_processor(ps_supervisor *supervisor, int32_t on, ps_error **error);

/**
 * Keeps `n` children of a command alive: spawns them all, with the restart policy PS_RESTART_ALWAYS unless
 * the command has one. All or none: if one cannot be started, the others are killed, what the command owns is
 * the command's again, and the error is that one's. The limits of the supervisor hold as for ps_spawn.
 *
 * @param n         at least 1
 * @param children  receives n handles; free each with ps_child_free
 * @return as ps_spawn
 */
ps_status ps_spawn_replicas(ps_supervisor *supervisor,
                            const ps_command *command,
                            uint32_t n,
                            ps_child **children,
                            ps_error **error);

/**
 * How many children of the supervisor, at one moment, wait for a start (in line, or for their restart), run
 * (those just being made included), and are being stopped. The last two hold a slot. Each place may be NULL.
 * Never blocks.
 */
ps_status ps_supervisor_counts(const ps_supervisor *supervisor,
                               uint32_t *pending,
                               uint32_t *running,
                               uint32_t *stopping,
                               ps_error **error);

/**
 * The descriptor to wait on, with epoll, poll, libuv, GLib or others: readable while
 * ps_supervisor_next_event has something to do. Borrowed: it belongs to the supervisor; do not read or close
 * it. Never blocks.
 *
 * It may be watched edge-triggered (EPOLLET): then call ps_supervisor_next_event with a timeout of 0 until it
 * answers PS_PENDING. After that answer nothing is due, and whatever comes makes a new edge. (Where children
 * say so much that a bounded amount was read, PS_PENDING is answered as well; the new edge comes at once.)
 */
ps_status ps_supervisor_fd(const ps_supervisor *supervisor, int32_t *fd, ps_error **error);

/** What an event says. */
typedef enum ps_event_kind {
  /** The child's program has begun. */
  PS_EVENT_STARTED = 1,
  /** The child's process has ended and was reaped; exit is set. */
  PS_EVENT_EXITED = 2,
  /** The child has said a line. */
  PS_EVENT_OUTPUT = 3,
  /** The child is ready, by what its command calls so. After STARTED and before EXITED of the same run. */
  PS_EVENT_READY = 4,
  /**
   * The child will be started again after a delay; reason says why. Also where a start is put off: any,
   * since its budget is used up (PS_REASON_BUDGET), or a restart, since another start with its key is
   * under way (PS_REASON_IN_PROGRESS: nobody knows for how long, and delay_ms is 0).
   */
  PS_EVENT_RESTARTING = 5,
  /**
   * The child will not be started (again): it has failed too often in a row (PS_REASON_FAILURES), or its
   * budget is used up (PS_REASON_BUDGET).
   */
  PS_EVENT_GAVE_UP = 6,
  /**
   * The child waited for its (next) start and will not be started: it was cancelled, or the supervisor was
   * shut down.
   */
  PS_EVENT_CANCELLED = 7,
  /** The supervisor was shut down, and the last child has been reaped. No child. */
  PS_EVENT_SHUTDOWN_DONE = 8,
  /**
   * The child waited for its (next) start and could not be started; status says why. Of a worker also: it was
   * never ready; then EXITED comes before it.
   */
  PS_EVENT_FAILED = 9,
  /**
   * The child has said lines that were lost, between those before and those after this event: nobody took
   * events while a thread waited for the child, or there was no memory. lost_lines and lost_bytes say how
   * many.
   */
  PS_EVENT_OUTPUT_LOST = 10,
  /**
   * The child has said something of itself through its NOTIFY_SOCKET: another status, that it reloads or
   * has reloaded, or that it is about to end. One of these waits at a time, however much it says: ask what
   * stands now.
   */
  PS_EVENT_NOTIFIED = 11,
  /**
   * There is room again for the child's input (ps_child_write), of which nothing or only a part was taken
   * before; or nobody reads it any more: the next call says so. One of these waits at a time.
   */
  PS_EVENT_INPUT_ROOM = 12,
  /**
   * The child is stopped (SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU); signal says by what. Where its command asks
   * for it, after STARTED and before EXITED of the same run.
   */
  PS_EVENT_STOPPED = 13,
  /** The child that was told to be stopped goes on. */
  PS_EVENT_CONTINUED = 14,
} ps_event_kind;

/** Why a child is started again, or is not. */
typedef enum ps_reason {
  /** The event has none. */
  PS_REASON_NONE = 0,
  /** Its last run has ended as it should, and it is kept alive. */
  PS_REASON_ENDED = 1,
  /** Its last run has failed. */
  PS_REASON_FAILED = 2,
  /** Its last run exited with 0, sooner than it can have done its work (ps_command_restart_early_exit). */
  PS_REASON_EARLY_EXIT = 3,
  /** Its process could not be made; status says why. */
  PS_REASON_NOT_STARTED = 4,
  /**
   * It was not ready in time, or could not be: PS_EVENT_EXITED of that run has the status that says which.
   */
  PS_REASON_NOT_READY = 5,
  /** Its watchdog was not heard of for too long. */
  PS_REASON_WATCHDOG = 6,
  /** Its deadline had passed. */
  PS_REASON_DEADLINE = 7,
  /** It has failed too often in a row (ps_command_restart_limit). */
  PS_REASON_FAILURES = 8,
  /** Its budget is used up (ps_command_budget); retry_after_ms says when there are attempts again. */
  PS_REASON_BUDGET = 9,
  /** Another start with its key is under way, or has yet to prove itself. */
  PS_REASON_IN_PROGRESS = 10,
} ps_reason;

/** Something that happened to a child. */
typedef struct ps_event {
  /** Set by the caller: sizeof(ps_event). */
  uint32_t size;
  /** PS_EVENT_*: what has happened. */
  int32_t kind;
  /**
   * The handle that ps_spawn gave; borrowed. If you have freed it meanwhile it is a freed handle, and
   * still safe to compare. NULL for PS_EVENT_SHUTDOWN_DONE.
   */
  ps_child *child;
  /** Its pid, for display; 0 if it has had no process. */
  int32_t pid;
  /** PS_EVENT_OUTPUT: 1 or 2, the stream that the line came on (ps_event_data gives the line); else 0. */
  int32_t stream;
  /** The word of ps_command_user_data. */
  uint64_t user_data;
  /** When it happened, nanoseconds of CLOCK_MONOTONIC. */
  int64_t time_ns;
  /**
   * PS_EVENT_EXITED: how it ended. PS_EVENT_RESTARTING, PS_EVENT_GAVE_UP: how its last run ended. Its
   * `size` is set in every event.
   */
  ps_exit exit;
  /**
   * PS_EVENT_OUTPUT: PS_OK for a whole line, PS_PENDING for a piece that had no newline (cut at the limit,
   * told by its time, see ps_command_output_partial, or the end). PS_EVENT_EXITED: PS_OK, or, with
   * PS_CAUSE_NOT_READY, why it could not be ready (PS_ERR_TIMEOUT: too late; others as of ps_wait_ready), or
   * why its output file could not be put in place, or else why its sandbox directory could not be removed
   * (`exit.removal`).
   * PS_EVENT_FAILED, _GAVE_UP, _CANCELLED and _RESTARTING: why, as a PS_ERR_*; PS_OK if `exit` says it.
   */
  int32_t status;
  /** Which run of the child it was: 1 for its first process; 0 if it has had none. */
  uint32_t run;
  /** PS_EVENT_RESTARTING: milliseconds until the next start. */
  int64_t delay_ms;
  /** PS_EVENT_OUTPUT_LOST: how many lines, or pieces, are missing. */
  uint64_t lost_lines;
  /** PS_EVENT_OUTPUT_LOST: their bytes, newlines included. */
  uint64_t lost_bytes;
  /** PS_EVENT_RESTARTING, PS_EVENT_GAVE_UP: why, a PS_REASON_*. */
  int32_t reason;
  /** PS_REASON_BUDGET: 1 if it is the first refusal in this window (ps_error_is_storm); else 0. */
  int32_t storm;
  /** PS_REASON_BUDGET: in how many milliseconds there are attempts again; else -1. */
  int64_t retry_after_ms;
  /**
   * PS_EVENT_STOPPED: by which signal (SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU), -1 if nobody knows it; else 0.
   */
  int32_t signal;
  /** 0. */
  int32_t reserved;
} ps_event;

/**
 * Takes the next event, and does whatever is due: reaps, reads output, moves stop plans, deadlines and
 * restarts on, and starts children that stand in line, in portions (which takes as long as their execs, and a
 * quarter of a second for a program that is open for writing, see ps_spawn). It does so however many events
 * wait: a host that takes them slowly keeps every deadline. (While events wait, work is looked for at most
 * once a millisecond.)
 *
 * Beside other work take some dozens at a time: while short children follow each other there is always a
 * next event. Events wait until they are taken, some 200 bytes each (lines: see ps_command_output_lines): a
 * host that never takes any should free the handles of children that have ended.
 *
 * Each process has one PS_EVENT_STARTED and later one PS_EVENT_EXITED, with its output, and PS_EVENT_READY
 * where that is asked for and comes, between them. None is lost or comes twice, also when other threads reap
 * the child; but a child whose exit you have taken (ps_reap, ps_terminate) and whose handle you have freed
 * has no further events, and where memory has run out, events of further runs may be missing (see MEMORY, at
 * the top).
 *
 * @param timeout_ms  how long to wait, milliseconds; -1: for ever, 0: not at all. A signal handler of the
 *                    host ends the wait (see SIGNALS, at the top)
 * @param event       receives the event (set event->size first)
 * @return PS_OK; PS_PENDING if there is none (yet); PS_ERR_SHUTDOWN if the supervisor was freed meanwhile;
 *         PS_ERR_LIMIT if there is no memory for the line that is next: it and all behind it stay, and the
 *         descriptor stays readable, without a new edge; try again a little later
 */
ps_status ps_supervisor_next_event(ps_supervisor *supervisor,
                                   int64_t timeout_ms,
                                   ps_event *event,
                                   ps_error **error);

/**
 * What the PS_EVENT_OUTPUT that was taken last from this supervisor said: a line without its newline
 * (event.status tells whether there was one). If several threads take events, it is the event that was taken
 * last by any of them.
 *
 * @param buf, cap, needed  see BYTES, at the top
 * @return PS_OK; PS_ERR_LIMIT if the buffer is too small
 */
ps_status ps_event_data(ps_supervisor *supervisor, char *buf, size_t cap, size_t *needed, ps_error **error);

/**
 * Ends the supervisor in good order. Nothing is started any more (ps_spawn answers PS_ERR_SHUTDOWN);
 * children that wait for a start are cancelled (PS_EVENT_CANCELLED); the stop plan of every other one begins
 * (PS_CAUSE_SHUTDOWN; a plan that does not end with SIGKILL gets that as its last step). When the last child
 * has been reaped there is one PS_EVENT_SHUTDOWN_DONE. Returns at once; ps_supervisor_next_event, or
 * blocking calls, do the rest. A second call with a shorter grace shortens it. Whom each plan reaches, and
 * who may be left, is what the child's command says (ps_command_stop_scope, ps_command_survivors).
 *
 * @param grace_ms  milliseconds in place of the wait of each plan's first step; -1: the plans' own
 */
ps_status ps_supervisor_shutdown(ps_supervisor *supervisor, int64_t grace_ms, ps_error **error);

/**
 * Kills and reaps all children of the supervisor, each with its whole group whatever its command says of that
 * (ps_command_stop_scope, ps_command_survivors), releases what they owned, and frees it. Handles of its
 * children stay valid until they are freed, and answer how the child ended (PS_CAUSE_SHUTDOWN); one that
 * still waited for its start answers PS_ERR_SHUTDOWN. A thread that waits in ps_supervisor_next_event gets
 * PS_ERR_SHUTDOWN. Blocks until the children are gone, at most 5 seconds; one that even then cannot be
 * killed is reaped later. NULL and a freed handle do nothing.
 */
void ps_supervisor_free(ps_supervisor *supervisor);

/* ==================== readiness ========================================================================= */

/* That a program has begun is not that it can do its work. A command says what ready means
 * (ps_command_readiness), ps_wait_ready waits for it, and a child that dies before is told of at once:
 *
 * ```c
 * #include <procsup.h>
 *
 * ps_status serve(ps_supervisor *supervisor, ps_child **child, ps_error **error) {
 *   ps_command *command = NULL;
 *   ps_status status = ps_command_new("/usr/sbin/served", &command, error);
 *   if (status == PS_OK)
 *     status = ps_command_readiness(command, PS_READY_NOTIFY, NULL, 10000, error);
 *   if (status == PS_OK)
 *     status = ps_command_capture(command, 4096, error);   // its last words, for the error
 *   if (status == PS_OK)
 *     status = ps_spawn(supervisor, command, child, error);
 *   ps_command_free(command);
 *   return status == PS_OK ? ps_wait_ready(*child, -1, error) : status;
 * }
 * ```
 *
 * WHICH KIND. PS_READY_NOTIFY for programs of yours (ps_notify) and those that know systemd; PS_READY_FD for
 * those that know s6 or dinit, and for shell scripts; PS_READY_SOCKET for servers that know neither.
 *
 * WHO IS TOLD. In an event loop PS_EVENT_READY, behind STARTED and before EXITED of the same run. A child
 * that is not ready in time is killed: its PS_EVENT_EXITED has PS_CAUSE_NOT_READY, and event.status says why.
 * To ask without waiting: ps_wait_ready with a timeout of 0, or ps_child_notified, which has what else the
 * child says of itself; PS_EVENT_NOTIFIED says when to look.
 *
 * TWO TIMES. That of ps_command_readiness is the child's: when it is over, the child is killed. That of
 * ps_wait_ready is yours: when it is over, the child goes on.
 *
 * WHETHER IT WORKS STILL is another question: a watchdog (ps_command_watchdog) takes silence for death. */

/** When a child counts as ready. */
typedef enum ps_readiness_kind {
  /** Its program has begun (default). */
  PS_READY_EXEC = 0,
  /** It has sent READY=1 to its NOTIFY_SOCKET, as sd_notify(3) does. */
  PS_READY_NOTIFY = 1,
  /** It has written a newline to a descriptor, as services of s6 and dinit do. */
  PS_READY_FD = 2,
  /** Somebody accepts connections at an address. */
  PS_READY_SOCKET = 3,
} ps_readiness_kind;

/**
 * When the child counts as ready. Default: nobody asks, and there is no PS_EVENT_READY.
 *
 *   kind               ready is                                  detail
 *   PS_READY_EXEC      that its program has begun                NULL
 *   PS_READY_NOTIFY    READY=1, sent to its NOTIFY_SOCKET        NULL
 *   PS_READY_FD        a newline that it writes to a descriptor  its number in the child, "3" to "1048575"
 *   PS_READY_SOCKET    that somebody accepts at an address       "unix:/path", "unix:@abstract",
 *                                                                "tcp:host:port"
 *
 * PS_READY_NOTIFY: by the convention of sd_notify(3), so a service of systemd needs nothing else. Each child
 * has a socket of its own, whose address is in its environment; a host's own NOTIFY_SOCKET stays the host's.
 * Its own process is believed, nobody else (ps_command_notify_access). It may put its end off
 * (EXTEND_TIMEOUT_USEC), to a day after its begin at the latest. Descriptors that come with a message are
 * closed: none is kept (FDSTORE), and a barrier is over at once.
 *
 * PS_READY_FD: as services of s6 and dinit do. The child closes the descriptor then; procsup closes its end
 * with the newline, so a later write is EPIPE. If it closes it before (a daemon that closes all above 2), it
 * will never be ready.
 *
 * PS_READY_SOCKET: procsup connects, again and again at growing pauses (1 to 50 ms; from 0.8 s on a sixteenth
 * of the time so far, to 250 ms), and closes at once; it sends nothing. So whoever listens there sees a
 * connection that says nothing. The host of tcp is localhost (127.0.0.1, then ::1), an IPv4 address, or an
 * IPv6 address in brackets; names are not looked up, for that may take any time. Whose process it is that
 * accepts cannot be known: be sure that no older one listens there. A path on a file system that hangs holds
 * up the call that looks.
 *
 * ONE BUDGET. The time begins with the spawn, before its exec, and everything takes from it. If it is over
 * first, or it is certain that the child never will be ready, its group is killed at once
 * (PS_CAUSE_NOT_READY), and it counts as failed for its restart policy, as does one that ends before it is
 * ready, even with 0. (A child whose stop plan runs is left to that.) What the child said before the time was
 * over counts, however late somebody looks; its time is kept by whoever does the work
 * (ps_supervisor_next_event, ps_wait_ready, ps_reap and others). Health, in ps_command_restart_limit, is
 * counted from READY.
 *
 * ps_spawn does not wait for it: ps_wait_ready does, and PS_EVENT_READY tells of it.
 *
 * @param kind        a PS_READY_*
 * @param detail      see above; copied
 * @param timeout_ms  milliseconds; 0: 60 seconds, -1: no limit. PS_READY_EXEC has none
 * @return PS_OK; PS_ERR_INVALID_ARGUMENT for a detail that is none. (That the number is given to something
 *         else as well is found by ps_spawn)
 */
ps_status ps_command_readiness(ps_command *command,
                               int32_t kind,
                               const char *detail,
                               int64_t timeout_ms,
                               ps_error **error);

/**
 * Waits until the child is ready, and does the supervisor's work meanwhile, as ps_reap does: a child of NULL
 * needs nothing else. PS_OK at once if it is ready already, and lives. Without ps_command_readiness a child
 * is ready when its program has begun. A child in line is waited for through its start; one with a restart
 * policy until one of its runs is ready, or none will follow. Takes nobody's events.
 *
 * The error says what has happened: the step is "ready" if the child has failed, "wait" if it is only this
 * call whose time is over. With "ready" it has the child's pid, its last words (ps_command_capture: the last
 * 64 KiB of what is kept; nothing, where nothing is captured), and its journey: spawn, exec, ready, each with
 * its times (ps_error_render). Its errno is the one that the child has named (ERRNO of sd_notify(3)), or that
 * of the last try to connect. By then the child is reaped, as a rule.
 *
 * @param timeout_ms  how long to wait, milliseconds; -1: for ever, 0: not at all. A signal handler of the
 *                    host ends the wait (see SIGNALS, at the top), but not the up to 5 s in which the end of
 *                    a child that has failed is awaited
 * @return PS_OK; PS_ERR_EXITED if the child has ended, before it was ready or after; PS_ERR_TIMEOUT, step
 *         "ready": it was not ready in time, and is killed; PS_ERR_TIMEOUT, step "wait": the time of this
 *         call was over, and the child goes on; PS_ERR_INTERRUPTED: it goes on, too; PS_ERR_PROTOCOL if it
 *         closed its descriptor (PS_READY_FD) first; PS_ERR_UNSUPPORTED, PS_ERR_PERMISSION or PS_ERR_SYSTEM
 *         if no connect can ever succeed (PS_READY_SOCKET); PS_ERR_CANCELLED or PS_ERR_SHUTDOWN if it was
 *         called off before its start; what ps_spawn answers, if it could not be started
 */
ps_status ps_wait_ready(ps_child *child, int64_t timeout_ms, ps_error **error);

/** What a child has said of itself through its NOTIFY_SOCKET (sd_notify(3)). */
typedef struct ps_notified {
  /** Set by the caller: sizeof(ps_notified). */
  uint32_t size;
  /** 1 if it is ready, by what its command calls so. */
  int32_t ready;
  /** 1 while it reloads: RELOADING=1, until the next READY=1. */
  int32_t reloading;
  /** 1 once it is about to end: STOPPING=1. */
  int32_t stopping;
  /** ERRNO, the reason of its failure as an errno; 0 if it named none. */
  int32_t errno_said;
  /**
   * Messages that did not count: of others than those that may speak for it, too long, or with a MAINPID
   * that is not its own.
   */
  uint32_t refused;
  /** Messages that counted. */
  uint64_t messages;
  /** When it was ready, nanoseconds of CLOCK_MONOTONIC; 0 if it is not. */
  int64_t ready_ns;
  /**
   * When its last reload began, nanoseconds of CLOCK_MONOTONIC: its own word (MONOTONIC_USEC); 0 if it gave
   * none.
   */
  int64_t reloading_ns;
} ps_notified;

/**
 * What the child's process has said of itself so far, after a look at it. Asked after its end it is what it
 * said last; with a restart policy, what the run of now has said. PS_EVENT_NOTIFIED tells that there is
 * something new. A child that is asked for another kind of readiness says nothing, and may be ready. Never
 * waits.
 *
 * @param notified  receives it (set notified->size first)
 * @return PS_OK; PS_ERR_STATE if nothing was asked of the child (ps_command_readiness), or before its start
 */
ps_status ps_child_notified(ps_child *child, ps_notified *notified, ps_error **error);

/**
 * The text of its state that the child has sent last (STATUS of sd_notify(3)): its very bytes, at most 4 KiB,
 * also those that command a terminal. Otherwise as ps_child_notified.
 *
 * @param buf, cap, needed  see BYTES, at the top
 * @return PS_OK; PS_ERR_LIMIT if the buffer is too small; PS_ERR_STATE if nothing was asked of the child
 *         (ps_command_readiness), or before its start
 */
ps_status ps_child_status_text(ps_child *child, char *buf, size_t cap, size_t *needed, ps_error **error);

/** Whose words count. */
typedef enum ps_notify_access {
  /** The child's own process (default). */
  PS_NOTIFY_MAIN = 0,
  /** Every process of its group, and of a control group of its own. */
  PS_NOTIFY_GROUP = 1,
} ps_notify_access;

/**
 * Whose messages to its NOTIFY_SOCKET count as the child's. The kernel says who has sent each one; all others
 * are counted (ps_notified.refused) and dropped. By default a grandchild's STOPPING=1 ends nothing.
 *
 * PS_NOTIFY_GROUP is for services whose messages come from a helper (a shell that calls systemd-notify(1)):
 * every process of the child's process group, or in a control group of its own (ps_command_cgroup), counts.
 * It must be there still when it is heard: after `systemd-notify --no-block` it may not. With
 * PS_ISOLATE_NONE and no control group there is no such group, and it is as PS_NOTIFY_MAIN.
 *
 * WHAT IS UNDERSTOOD: READY=1, STATUS, ERRNO, EXTEND_TIMEOUT_USEC, RELOADING=1 with MONOTONIC_USEC,
 * STOPPING=1, WATCHDOG=1 and =trigger, WATCHDOG_USEC (ps_command_watchdog). BARRIER=1 is answered as soon
 * as it is read (systemd-notify(1) sends one behind its message, and fails after five seconds without an
 * answer: so go on to take events behind ps_wait_ready, or call ps_child_notified). MAINPID other than
 * the child's own number is refused: that process would not be procsup's to reap. FDSTORE=1 is not
 * supported: descriptors that come with a message are closed at once, all of them; a socket among them
 * loses its SO_LINGER, for its last close would wait for as long as the child likes. Other names are
 * passed over. A message may have 4096 bytes; the kernel holds ten of them (net.unix.max_dgram_qlen),
 * then a sender waits until somebody does the supervisor's work.
 *
 * LIMITS. Every process of the host's network namespace can send (the name is abstract, "@procsup-notify-"
 * and 32 digits), and so fill the queue; a child in another network namespace, or behind Landlock's scope,
 * does not get there. A process with CAP_SYS_ADMIN can send in another's name: systemd-notify does, as root.
 * Before Linux 6.5 PS_NOTIFY_GROUP believes a number that may have been another process's. Where the host
 * reaps the child itself, what only its group had said by then is lost; on older kernels (6.12, not 6.18)
 * also what the child had said itself, if another process has its number when it is heard. A child that sets
 * SO_LINGER anew just while its socket is closed, or sends one to a host that has no descriptor left, can
 * make that close wait.
 *
 * A child that is asked for none of this (readiness PS_READY_NOTIFY, or a watchdog) gets no NOTIFY_SOCKET
 * from procsup, and this setting does nothing; one that the host itself was given is inherited then, like any
 * variable (ps_command_env).
 *
 * @param access  a PS_NOTIFY_*
 */
ps_status ps_command_notify_access(ps_command *command, int32_t access, ps_error **error);

/**
 * Ends the child when it has been silent for `ms` milliseconds: it must send WATCHDOG=1 (sd_notify(3),
 * ps_notify) to its NOTIFY_SOCKET, which it gets in any case; at every half of the time is good. It finds
 * WATCHDOG_USEC and WATCHDOG_PID, its own number, in its environment (sd_watchdog_enabled(3),
 * ps_watchdog_enabled), whatever the host or the command has under these names.
 *
 * The time runs from when the child is ready (ps_command_readiness; without it, and with PS_READY_EXEC, from
 * its exec: a program that takes long to start needs PS_READY_NOTIFY). A reload changes nothing; STOPPING=1,
 * and every stop plan that begins, end the watch. WATCHDOG_USEC=n gives it another period from then on, 1 ms
 * at the least (0: none until the next); WATCHDOG=trigger is as a silence, at once, also before it is ready.
 *
 * Then its stop plan runs (PS_CAUSE_WATCHDOG) with SIGABRT to its group in front (or to it alone, see
 * ps_command_stop_scope), which waits as long as the first step does: so there is a core of it (core(5), and
 * ps_command_core_wait, for how long SIGKILL waits for that). For a restart policy it has failed, however it
 * takes the signal.
 *
 * A HOST THAT STANDS STILL KILLS NOBODY: what the child has sent meanwhile is read before it is judged, and
 * counts as sent now. One that looks late (by an eighth of the period), or cannot read all that was sent,
 * gives the child one more period from then on, once in a row: all may have stood still. The time is kept by
 * whoever does the work (ps_supervisor_next_event, ps_reap and others).
 *
 * @param ms  milliseconds; 0: no watchdog (default)
 * @return PS_OK; PS_ERR_INVALID_ARGUMENT if it is negative
 */
ps_status ps_command_watchdog(ps_command *command, int64_t ms, ps_error **error);

/* ==================== budgets =========================================================================== */

/* A budget ends crash loops: who starts something asks it first, and says afterwards what came of it.
 *
 * ```c
 * #include <procsup.h>
 *
 * int launch(void);   // yours: 1 if it was launched and verified
 *
 * ps_status start(ps_budget *budget, const char *what, ps_error **error)
 * {
 *     uint64_t permit;
 *     ps_status status = ps_budget_begin(budget, what, &permit, error);
 *     if (status != PS_OK)
 *         return status;   // another one is at it, or it has failed too often: ps_error_retry_after_ms
 *     return ps_budget_finish(budget, permit, launch(), error);
 * }
 * ```
 *
 * COMMANDS of procsup need none of that: ps_command_budget binds one to a key, and each start of its
 * children, restarts among them, takes its permit and books what comes of it by itself.
 *
 * WHAT COUNTS. A permit is one attempt, and while it is out nobody else gets one for its key. When the
 * attempts of a window are used, all others are refused until it is over (a storm, told as one once in each
 * window: ps_error_is_storm). Only success makes a key new before that, and where a healthy time is set
 * (ps_budget_set_healthy) only one that has lasted; or an operator does (ps_budget_reset). How long to rest
 * between two attempts is not said here, but by ps_command_restart.
 *
 * The calls below may be made from any thread, one budget by all of them. A budget lives in one process, and
 * is not written down; in a forked copy its handle answers PS_ERR_FORKED. */

/** A budget: how often each of any number of keys may be started. */
typedef struct ps_budget ps_budget;

/**
 * Makes a budget: so many attempts per key in a window. The window of a key begins with the first attempt
 * that is counted in it, and is over when `window_ms` have passed since (that moment included); then nothing
 * is counted any more. It costs no thread and no descriptor. Never blocks.
 *
 * @param max_attempts  0: 3
 * @param window_ms     0: 30 000, 30 seconds
 * @param budget        receives the handle; free it with ps_budget_free
 * @return PS_OK; PS_ERR_INVALID_ARGUMENT if `window_ms` is negative
 */
ps_status ps_budget_new(uint32_t max_attempts, int64_t window_ms, ps_budget **budget, ps_error **error);

/**
 * Frees a budget. Commands that are bound to it go on with it; another thread that is in a call with it ends
 * that call. Its permits are worth nothing any more. NULL and a freed budget do nothing. Never blocks.
 */
void ps_budget_free(ps_budget *budget);

/**
 * How long a permit is valid that nobody finishes: then the start that it stood for counts as failed, the
 * permit is stale, and the next one may begin. It should be longer than the longest start. It holds for the
 * permits that are given from now on; not for those of commands that are bound to the budget: these end when
 * their child is ready or dead. Never blocks.
 *
 * @param ms  milliseconds from ps_budget_begin on; 0: 60 000, the default; -1: for ever (then
 *            ps_budget_reset is what frees a permit that was abandoned)
 */
ps_status ps_budget_set_lease(ps_budget *budget, int64_t ms, ps_error **error);

/**
 * How long what was started must stay up before its success counts, that is, before the attempts of its key
 * are forgotten: who is ready and dead at once has failed. It holds for the finishes that come. Never
 * blocks.
 *
 * Between ps_budget_finish(budget, permit, 1) and that moment the key has nothing in flight, and its
 * attempts still count. If what was started ends within that time, say so: ps_budget_finish(budget, permit,
 * 0), with the same permit. Who says nothing and begins again, whether that is granted or not, has said the
 * same.
 *
 * @param ms  milliseconds; 0: a success counts at once. Default: 0 for permits, 1000 for the commands that
 *            are bound to the budget
 */
ps_status ps_budget_set_healthy(ps_budget *budget, int64_t ms, ps_error **error);

/**
 * Asks for the permit to start what a key stands for. It is an attempt, whatever becomes of it. Report what
 * came of it with ps_budget_finish; until then, or the end of its lease (ps_budget_set_lease), nobody else
 * gets a permit for this key, also not when the window is over. Never blocks.
 *
 * @param key     what is started, in your words: say all that makes it another thing (service, version,
 *                hash of the executable). Any bytes but NUL, 4096 at most; copied
 * @param permit  receives the permit: a number that no budget of this process gives a second time; never 0
 * @return PS_OK; PS_ERR_IN_PROGRESS if a permit of the key is out (looked at first, and no attempt):
 *         ps_error_retry_after_ms says when its lease ends, -1 if it has none; PS_ERR_BUDGET_EXHAUSTED if
 *         the attempts of the window are used: ps_error_retry_after_ms says when the window is over, and
 *         ps_error_is_storm is 1 at the first such refusal in a window, for what is to be done once (who gave
 *         NULL for `error` has missed it);
 *         PS_ERR_INVALID_ARGUMENT if the key is too long; PS_ERR_LIMIT if memory is short, or the keys that
 *         are in use take 256 MiB already (one takes some 200 bytes and its text; of those whose window is
 *         over, and of which nothing is in flight, 256 KiB stay at most)
 */
ps_status ps_budget_begin(ps_budget *budget, const char *key, uint64_t *permit, ps_error **error);

/**
 * Says what came of a start: once for each permit. A success makes the key as if it had never been tried, at
 * once or when it has lasted (ps_budget_set_healthy); a failure leaves its attempts counted, and ends what
 * is in flight. Never blocks.
 *
 * @param permit     from ps_budget_begin of this budget
 * @param succeeded  1: it was launched and verified; 0: it was not, or has ended within the time of
 *                   ps_budget_set_healthy
 * @return PS_OK; PS_ERR_STATE, and nothing is changed, if the permit is stale: finished before, its lease
 *         over, reset, or none of this budget
 */
ps_status ps_budget_finish(ps_budget *budget, uint64_t permit, int32_t succeeded, ps_error **error);

/**
 * Makes a key as if it had never been tried: for an operator who has mended what was broken and starts it by
 * hand. The permit that may be out is stale then. Never blocks.
 *
 * @param key  one that nobody knows is fine
 * @return PS_OK; PS_ERR_INVALID_ARGUMENT if the key is too long
 */
ps_status ps_budget_reset(ps_budget *budget, const char *key, ps_error **error);

/** How a key of a budget looks. */
typedef struct ps_budget_state {
  /** Set by the caller: sizeof(ps_budget_state). */
  uint32_t size;
  /** Attempts that count now. */
  uint32_t attempts_used;
  /** Attempts that are left in this window. */
  uint32_t remaining;
  /** 1 if a permit is out; else 0. */
  int32_t in_flight;
  /** 1 if the storm of this window has been told (ps_error_is_storm); else 0. */
  int32_t storm;
  /** Means nothing in this version: 0. */
  int32_t reserved;
  /**
   * What ps_budget_begin would say: 0 if it gave a permit now, else in how many milliseconds another try
   * makes sense; -1 if a permit is out that has no lease.
   */
  int64_t retry_after_ms;
} ps_budget_state;

/**
 * Looks at a key. Nothing is changed by it, and nothing is made: a key that nobody knows looks like one that
 * was never tried. Never blocks.
 *
 * @param state  receives how it is now (set state->size first)
 * @return PS_OK; PS_ERR_INVALID_ARGUMENT if the key is too long
 */
ps_status ps_budget_snapshot(ps_budget *budget, const char *key, ps_budget_state *state, ps_error **error);

/**
 * Binds a command to a budget: each start of a child of it takes a permit of the key, and what comes of it
 * is booked by itself. The permit is in flight until the child is ready (ps_command_readiness; without that,
 * until its program has begun) or dead, whatever leases say. It is a success when the child has been up for
 * a while after that: for the healthy_ms of ps_command_restart_limit where that was called for the command,
 * else for that of ps_budget_set_healthy, by default a second. One that ends before has failed, also with 0;
 * unless it was stopped (ps_terminate, ps_supervisor_shutdown, ps_kill_and_reap_all): then the attempts stay
 * as they are.
 *
 *   who needs a permit          another start is in flight  the attempts are used
 *   ps_spawn, with a free slot  PS_ERR_IN_PROGRESS          PS_ERR_BUDGET_EXHAUSTED
 *   a child in line, in turn    waits                       PS_EVENT_GAVE_UP, or waits
 *                                                           (ps_command_budget_wait)
 *   a restart, after its delay  waits                       the same
 *
 * Who is refused by ps_spawn was not started, and what the command owns stays the command's. Who waits holds
 * no slot, so others in line go on; it keeps its place, and of those who wait for one key the first is next.
 * While the attempts are used, but one of the starts among them may still prove to be a success, the others
 * wait for that. A restart that waits is told as PS_EVENT_RESTARTING with PS_REASON_IN_PROGRESS.
 *
 * ps_spawn_replicas takes one permit for the whole set: a success when all are ready and have stayed up, a
 * failure if one has not. (Those of a set that start after that, since they stood in line, take their own.)
 * Their restarts take one each: replicas that died together come back one after the other, each when the one
 * before is ready. With fewer attempts than replicas the last of them wait for the first to prove themselves.
 *
 * The limit of ps_command_restart_limit and its delays are as without a budget: whichever ends first. The
 * times are kept by whoever does the work (ps_supervisor_next_event, ps_reap and others): where nobody does,
 * an end is heard late, and one that is heard before its success was booked is a failure. A budget may be
 * bound to any number of commands and supervisors of this process. ps_spawn needs a supervisor that is not
 * NULL then. Never blocks.
 *
 * @param budget  borrowed; it may be freed at any time, and lives on for the command and its children.
 *                NULL: the command is bound to none (default)
 * @param key     see ps_budget_begin; copied. NULL only with a budget of NULL
 * @return PS_OK; PS_ERR_INVALID_ARGUMENT if the key is too long
 */
ps_status ps_command_budget(ps_command *command, ps_budget *budget, const char *key, ps_error **error);

/**
 * What a child in line, or about to be restarted, does when the attempts of its budget are used: 0: it is
 * given up (PS_EVENT_GAVE_UP with PS_REASON_BUDGET; default). 1: it is told as PS_EVENT_RESTARTING with
 * PS_REASON_BUDGET, waits, and goes on by itself when the window reopens or the key is reset
 * (ps_budget_reset), however often that is; told once until it is started, and again where it is the first
 * that is refused in a later window (storm is 1). A ps_spawn that finds a free slot is refused all the same.
 * Does nothing without ps_command_budget. Never blocks.
 *
 * @param on  1 or 0
 */
ps_status ps_command_budget_wait(ps_command *command, int32_t on, ps_error **error);

/* ==================== spawn locks ======================================================================= */

/* A lock on a path: of all processes that are about to start the same thing, one is. It is the kernel's lock
 * (flock(2), exclusive): it ends with its holder, however that ends. What is in the file says nothing: it may
 * be empty, or name a process that is dead or a stranger. procsup writes its process id there, for people, if
 * nothing else is there.
 *
 * ```c
 * #include <procsup.h>
 *
 * void launch(void);   // yours
 *
 * ps_status launch_alone(const char *path, ps_error **error)
 * {
 *     ps_spawn_lock *lock;
 *     ps_status status = ps_spawn_lock_acquire(path, 5000, &lock, error);
 *     if (status != PS_OK)
 *         return status;   // PS_ERR_LOCKED: another process is at it
 *     status = ps_spawn_lock_check(lock, error);
 *     if (status == PS_OK)
 *         launch();
 *     ps_spawn_lock_release(lock);
 *     return status;
 * }
 * ```
 *
 * In an event loop ps_spawn_lock_begin waits for it without blocking. To start a daemon of which there shall
 * be one, ps_spawn_once does all that belongs to it; a lock alone does not say that what was started lives.
 *
 * No program that this process starts has the lock, by ps_spawn or otherwise (close-on-exec): to have it a
 * process must take it. Two handles of one path exclude each other in one process as in two. Programs that
 * use flock(1) or flock(2) on the same file are excluded as well, those that use lockf(3) or fcntl(2) are
 * not. */

/** A lock that is held, or waited for. */
typedef struct ps_spawn_lock ps_spawn_lock;

/**
 * Takes the lock of a path, and waits for it if need be: at most as long as `timeout_ms` says; a signal
 * handler of the host does not end the wait. The file is made with mode 0600 if it is not there, and stays
 * when the lock is released; its directory must be there. Links on the way are followed, one in the last
 * place is refused.
 *
 * Who waits is woken by the release, and by the death of the holder, within some tens of microseconds
 * (inotify(7)); where the kernel has no watch to give (fs.inotify.max_user_instances), and for holders on
 * other machines of a network file system, it looks at growing distances up to 1.25 seconds. Who of several
 * that wait is next is not said.
 *
 * A file that was replaced while it was waited for is left for the one that the path names now, also where
 * the directory is gone for a while and comes again. With a timeout of 0 there is one try.
 *
 * Needs one descriptor (and another while the file is opened), and one more from the wait on, if it had to
 * wait. That one the kernel takes some 10 ms to close: so it lies until a later call of procsup finds that it
 * has rested, or is used again; one at most in a process.
 *
 * @param path        at best in a directory that belongs to the service's user alone, and that no cleaner
 *                    empties (/run/name). In one that is everybody's (/tmp) another user can make the file
 *                    first; then it is refused. Copied.
 * @param timeout_ms  milliseconds; -1: for ever, 0: not at all
 * @param lock        receives the handle; ps_spawn_lock_release frees it
 * @return PS_OK; PS_ERR_LOCKED if another holds it, or this process by another handle, also when the time is
 *         over: the message names the process that the file names; PS_ERR_LOCK_REPLACED if the file was
 *         removed or replaced in the moment of the try (with a timeout: again and again, or there was none
 *         at last); PS_ERR_NOT_FOUND if the directory is not there; PS_ERR_PERMISSION if file or directory
 *         may not be used, or what has that name is not to be trusted: no regular file (a link, a fifo, a
 *         device, a directory), another user's than root's, this process's or the only one's who can write
 *         in the directory, or one with several names (hard links); PS_ERR_SYSTEM for any other errno (ENOSPC
 *         or EROFS if the file cannot be made, ENOLCK if the file system has no locks); PS_ERR_LIMIT
 */
ps_status ps_spawn_lock_acquire(const char *path, int64_t timeout_ms, ps_spawn_lock **lock, ps_error **error);

/**
 * The same for an event loop: tries once, and does not wait. What comes of it is an event, in any case:
 * ps_spawn_lock_fd is readable when ps_spawn_lock_next_event has something to do. Never blocks (but opening a
 * file takes the file system's time).
 *
 * Needs up to five descriptors until the release.
 *
 * @param path        as in ps_spawn_lock_acquire
 * @param timeout_ms  milliseconds from now on, after which PS_SPAWN_LOCK_FAILED is told; -1: never, 0: there
 *                    is no further try
 * @param lock        receives the handle; ps_spawn_lock_release frees it
 * @return PS_OK, also if another holds the lock; PS_ERR_NOT_FOUND, PS_ERR_PERMISSION, PS_ERR_SYSTEM and
 *         PS_ERR_LIMIT as ps_spawn_lock_acquire
 */
ps_status ps_spawn_lock_begin(const char *path, int64_t timeout_ms, ps_spawn_lock **lock, ps_error **error);

/**
 * The descriptor to wait on, with epoll, poll, libuv, GLib or others: readable while ps_spawn_lock_next_event
 * has something to do, silent while another holds the lock and after the event. Borrowed: it belongs to the
 * lock; do not read or close it. It may be watched edge-triggered (EPOLLET): then call
 * ps_spawn_lock_next_event with a timeout of 0 until it answers PS_PENDING. Never blocks.
 *
 * @return PS_OK; PS_ERR_STATE if the lock is one of ps_spawn_lock_acquire
 */
ps_status ps_spawn_lock_fd(const ps_spawn_lock *lock, int32_t *fd, ps_error **error);

/** What an event says. */
typedef enum ps_spawn_lock_event_kind {
  /** The lock is held. */
  PS_SPAWN_LOCK_ACQUIRED = 1,
  /** It is not, and it is waited for no more; status says why. */
  PS_SPAWN_LOCK_FAILED = 2,
} ps_spawn_lock_event_kind;

/** What came of ps_spawn_lock_begin. */
typedef struct ps_spawn_lock_event {
  /** Set by the caller: sizeof(ps_spawn_lock_event). */
  uint32_t size;
  /** PS_SPAWN_LOCK_ACQUIRED or PS_SPAWN_LOCK_FAILED. */
  int32_t kind;
  /** PS_SPAWN_LOCK_FAILED: why, a status that ps_spawn_lock_acquire could have answered. Else PS_OK. */
  int32_t status;
  /** The errno of that, or 0. */
  int32_t status_errno;
  /**
   * PS_ERR_LOCKED: the process that the file names; 0 if it names none. For display only: it may be dead,
   * its number another's, and the file may say anything.
   */
  int32_t pid;
  /** Means nothing in this version: 0. */
  int32_t reserved;
  /** When it was taken, nanoseconds of CLOCK_MONOTONIC. */
  int64_t time_ns;
} ps_spawn_lock_event;

/**
 * Tries again, if that is due, and takes what has come of it: one event, once. After PS_SPAWN_LOCK_ACQUIRED
 * the lock is held until ps_spawn_lock_release; after PS_SPAWN_LOCK_FAILED ps_spawn_lock_check answers the
 * whole error. It is tried only inside this call.
 *
 * @param timeout_ms  how long to wait, milliseconds; -1: for ever, 0: not at all. A signal handler of the
 *                    host ends the wait (see SIGNALS, at the top); the lock is waited for on
 * @param event       receives the event (set event->size first)
 * @return PS_OK; PS_PENDING if there is none, or it was taken already; PS_ERR_STATE if the lock is one of
 *         ps_spawn_lock_acquire; PS_ERR_SHUTDOWN if it was released meanwhile
 */
ps_status ps_spawn_lock_next_event(ps_spawn_lock *lock,
                                   int64_t timeout_ms,
                                   ps_spawn_lock_event *event,
                                   ps_error **error);

/**
 * Whether the lock is held, and the path still names the file that is locked: to be asked before what must
 * be done by one process is done. Of all processes that hold a lock of one path, at one instant at most one
 * is answered PS_OK; who removes the file lets another one take a lock beside the holder, and from then on
 * it is the holder who is answered PS_ERR_LOCK_REPLACED. The instant is that of the call: a path that was
 * deleted after it is not known. Never blocks (but takes the file system's time).
 *
 * @return PS_OK; PS_PENDING if the lock is waited for; PS_ERR_LOCK_REPLACED if the file was removed or
 *         replaced (or its directory, or a link on the way), or the lock was lost because the descriptor was
 *         closed or unlocked by somebody's own call; the error of PS_SPAWN_LOCK_FAILED (PS_ERR_LOCKED and
 *         others); PS_ERR_PERMISSION or PS_ERR_SYSTEM if the path cannot be looked at
 */
ps_status ps_spawn_lock_check(const ps_spawn_lock *lock, ps_error **error);

/**
 * Releases the lock, or gives up waiting for it, and frees the handle. The file stays: to remove it would
 * let two hold what they take for one lock. It is free when this returns, also where a forked copy of this
 * process has its descriptor open. A thread that is in ps_spawn_lock_next_event gets PS_ERR_SHUTDOWN.
 *
 * In a process that was forked from this one, without an exec, it closes what that copy has inherited, and
 * the lock stays held: all other calls answer PS_ERR_FORKED there. While such a copy lives and has not made
 * this call, it keeps the lock of a holder that is *killed*; nobody is there to unlock.
 *
 * NULL and a freed handle do nothing.
 */
void ps_spawn_lock_release(ps_spawn_lock *lock);

/* ==================== starting once ===================================================================== */

/* A daemon of which one is enough, for all processes that need it; whoever needs it first starts it. Nobody
 * has to start it beforehand, and nobody minds when it has died: the next one who needs it calls this.
 *
 * WHEN NOT. A daemon that is this program's own, and shall run as long as this program, is a child with a
 * restart policy (ps_command_restart). If there shall be several, ps_spawn_replicas keeps them.
 *
 * WHAT IT NEEDS: a directory for two small files, the same for all who call it; an address where the daemon
 * accepts, at best; a command that would run as a service of systemd does, in the foreground. What it writes
 * goes into files of yours. With a budget, that bounds the attempts of this process, not those of others. */

/**
 * Starts a daemon, unless it runs already, and comes back when it can be used: with its child if this call
 * has started it, with NULL if somebody else has. Of any number of processes and threads that call it at
 * once, one starts it. A client that needs its cache daemon:
 *
 * ```c
 * #include <procsup.h>
 * #include <stdio.h>
 *
 * int main(void) {
 *   ps_error *error = NULL;
 *   ps_command *command = NULL;
 *   ps_child *child = NULL;
 *   int failed = 1;
 *
 *   if (ps_command_new("cached", &command, &error) == PS_OK &&
 *       ps_command_arg(command, "--listen=/run/cached/socket", &error) == PS_OK &&
 *       ps_command_stdio(command, 0, PS_STDIO_NULL, -1, &error) == PS_OK &&
 *       ps_command_isolate(command, PS_ISOLATE_SESSION, &error) == PS_OK &&
 *       ps_spawn_once(NULL, "/run/cached", "cached", command, "unix:/run/cached/socket", 5000, &child,
 *                     &error) == PS_OK) {
 *     failed = 0;
 *     puts(child ? "started it" : "it runs");
 *     // Connect to /run/cached/socket: it accepts.
 *   } else {
 *     fprintf(stderr, "%s\n", ps_error_message(error));
 *   }
 *   ps_child_free(child); // the handle; the daemon goes on
 *   ps_command_free(command);
 *   ps_error_free(error);
 *   return failed;
 * }
 * ```
 *
 * THE STEPS, which are those of the error's journey (ps_error_render), and share the one timeout:
 *
 *   connect        to connect_to. If somebody accepts, or has a full line, it runs, and nothing else is done
 *   lock           dir/NAME.lock, which whoever starts it holds until it is ready: so who waits for it finds
 *                  it ready
 *   connect again  somebody may have started it meanwhile. If nobody accepts, and one runs that does not
 *                  accept yet (its starter was killed), that one is waited for
 *   permit         of the command's budget, if it has one (it needs a supervisor, not NULL)
 *   spawn          as ps_spawn; a supervisor's limit is waited for
 *   ready          by the command's own ps_command_readiness; else that somebody accepts at connect_to
 *
 * A daemon that is not ready in time, or cannot be, is killed with its group, and the next call may start it
 * again; one that ends before it is ready is an error at once. The supervisor's other children are looked
 * after meanwhile, as ps_reap does it.
 *
 * WHETHER IT RUNS is not believed of a pid file. The daemon inherits a lock: dir/NAME.run, as its descriptor
 * 99 (or the next number that the command gives to nothing else; a lower one where the hard limit
 * RLIMIT_NOFILE is below 108). It must leave it alone; its own children may inherit it. And before its
 * program begins, it writes into that file who it is: its pid, with the inode of its pidfd (Linux 6.9), its
 * start time, the boot of the machine and the pid namespace, by which no other process is taken for it.
 * Where both are there the process decides: workers that a dead daemon has left hold its lock on, and one
 * that closes all descriptors (closefrom(3)) lets it go. Where the process cannot be seen (a caller in
 * another pid namespace or on another machine, no /proc before Linux 6.9) the lock does; a daemon that has
 * closed its lock as well is then seen by a connection only. The text is for people. The file is a new one
 * for each daemon.
 *
 * A starter may be killed at any moment: there are never two daemons, and the next call starts it, or finds
 * the one that the dead one has started. (A copy of the starter that was forked meanwhile without an exec
 * holds its share of the first lock until its own exec or end.)
 *
 * THE PROGRAM stays in the foreground, as a service of systemd does: one that forks and leaves its work to
 * its child counts as dead when the first process has ended, for who does not get a connection. One that
 * replaces itself by exec(3) is the same process. One that hands over to a successor (ps_handoff) is not:
 * neither record nor lock tell of that, but a connection does, at each moment, since a handoff closes no
 * listener. So give connect_to for such a daemon. (A second one that is started beside a successor is its
 * next successor, if both have one control path.)
 *
 * What lies at its socket's path from a daemon that was killed the program removes itself, before it binds:
 * it is the only one. It runs for others when this process has ended, so its command may have nothing that
 * ties it to this process: no die_with_host, deadline, restart policy, pipe, captured output, output file,
 * sandbox directory or control group. Give it a log file as its streams 1 and 2, /dev/null as 0, and a
 * session of its own (PS_ISOLATE_SESSION), or Ctrl-C at the starter's terminal may end it.
 *
 * ITS LIFE. With `supervisor` NULL it goes on when its handle is freed, and when this process ends, however
 * that ends; ps_kill_and_reap_all kills it. With a supervisor it has that one's events, and is ended with it
 * (ps_supervisor_shutdown, ps_supervisor_free), like its other children.
 *
 * Needs up to seven descriptors for the time of the call.
 *
 * @param supervisor  whose child it becomes; NULL: nobody's but this process's
 * @param dir         where the two files are: a directory that is there, is this user's or root's, and in
 *                    which nobody else may write, unless it has the sticky bit. At best the service's own
 *                    (/run/NAME). Its files may be removed while no daemon runs. Those who need the same
 *                    daemon give the same directory, and are the same user
 * @param name        what its files are called there: 1 to 64 letters, digits, and . _ - @ + : (no dot or
 *                    dash at the beginning)
 * @param command     what to run; copied as by ps_spawn
 * @param connect_to  where it accepts, as in ps_command_readiness: "unix:/path", "unix:@abstract",
 *                    "tcp:host:port". NULL: nowhere. Then the lock and the record alone say that it runs, and
 *                    of one whose starter was killed nobody knows whether it was ready yet
 * @param timeout_ms  for all steps, milliseconds; -1: no limit, 0: only what needs no wait, so a way to ask
 *                    whether one runs: none is started that would have to become ready. A signal handler of
 *                    the host does not end the wait
 * @param child       receives the handle, to be freed with ps_child_free, or NULL: somebody else's runs
 * @return PS_OK; PS_ERR_TIMEOUT: the step is "lock" (another one is starting it), "connect again" (one
 *         runs, and does not accept), "spawn" (none runs, and none was started), "connect" or "ready";
 *         PS_ERR_EXITED if it ended before it was ready; PS_ERR_BUDGET_EXHAUSTED and PS_ERR_IN_PROGRESS
 *         as ps_spawn; PS_ERR_INVALID_ARGUMENT for a name or an address that is none, or a command that
 *         ties; PS_ERR_NOT_FOUND if the directory is not there; PS_ERR_PERMISSION if it, or a file in it,
 *         is not to be trusted (another user's, a link, no regular file, one with several names), or the
 *         socket is not for this user; PS_ERR_LOCK_REPLACED if the directory or the lock was replaced
 *         meanwhile; PS_ERR_PROTOCOL as ps_wait_ready; whatever ps_spawn answers
 */
ps_status ps_spawn_once(ps_supervisor *supervisor,
                        const char *dir,
                        const char *name,
                        const ps_command *command,
                        const char *connect_to,
                        int64_t timeout_ms,
                        ps_child **child,
                        ps_error **error);

/* ==================== the other side ==================================================================== */

/* For a program that is itself a child: of procsup, of systemd, of whoever keeps systemd's conventions. No
 * libsystemd is needed, and no handle. What the starter has said stands in the environment; each call reads
 * it anew (do not change it in another thread meanwhile) and leaves it as it is. Children of this process
 * inherit it: what is for one process bears its pid, and is nothing to the others.
 *
 * A malformed variable is PS_ERR_PROTOCOL, whose ps_error_step is its name. Towards children of yours:
 * ps_command_listen_fd, ps_command_readiness, ps_command_watchdog. */

/** The number of the first descriptor that was given (SD_LISTEN_FDS_START). */
#define PS_LISTEN_FDS_START 3

/**
 * How many descriptors this process was given (LISTEN_FDS): their numbers are PS_LISTEN_FDS_START and up.
 * All of them are close-on-exec from then on; nothing else of them is changed, and they are yours. 0 where
 * none were given, or to another process: LISTEN_PID, and LISTEN_PIDFDID where it is set and the kernel has
 * such numbers (Linux 6.9), must be this process's. So a forked copy was given none.
 *
 * Call it once, at the start: the environment stays, so after you have closed one of them it answers
 * PS_ERR_PROTOCOL, and what you have opened under its number would be made close-on-exec. Never blocks.
 *
 * ```c
 * void take_sockets(void (*serve_at)(int32_t fd)) {
 *   int32_t count = 0;
 *   ps_error *error = NULL;
 *   if (ps_listen_fds(&count, &error) != PS_OK)
 *     fprintf(stderr, "%s\n", ps_error_message(error));
 *   ps_error_free(error);
 *   for (int32_t fd = PS_LISTEN_FDS_START; fd < PS_LISTEN_FDS_START + count; fd++)
 *     serve_at(fd);
 * }
 * ```
 *
 * @return PS_OK; PS_ERR_PROTOCOL if a variable is malformed or a descriptor that it counts is not open (then
 *         none was changed); ps_error_step names the variable
 */
ps_status ps_listen_fds(int32_t *count, ps_error **error);

/**
 * The first descriptor of this name that this process was given (LISTEN_FDNAMES). It is close-on-exec from
 * then on, and yours; the others are not touched: call ps_listen_fds first if you start programs by other
 * means than ps_spawn. For more of one name, go through all by ps_listen_fd_name. Never blocks.
 *
 * @param name  as in LISTEN_FDNAMES. Where that is not set all are called "unknown"; systemd's own names are
 *              "connection" (Accept=yes) and "stored"
 * @return PS_OK; PS_ERR_NOT_FOUND if there is none, or none was given at all; PS_ERR_PROTOCOL as of
 *         ps_listen_fds, and if there are not as many names as descriptors
 */
ps_status ps_listen_fd_named(const char *name, int32_t *fd, ps_error **error);

/**
 * The name of a descriptor that this process was given, NUL-terminated; "unknown" where there are no names.
 * Several may have the same. Touches nothing; never blocks.
 *
 * @param fd                its number: PS_LISTEN_FDS_START and up
 * @param buf, cap, needed  see BYTES, at the top; `needed` counts the NUL
 * @return PS_OK; PS_ERR_NOT_FOUND if it was not given; PS_ERR_LIMIT if the buffer is too small;
 *         PS_ERR_PROTOCOL as of ps_listen_fd_named
 */
ps_status ps_listen_fd_name(int32_t fd, char *buf, size_t cap, size_t *needed, ps_error **error);

/**
 * Tells the starter (NOTIFY_SOCKET) what this process does: assignments with newlines between them, in one
 * message. READY=1, STATUS=text, STOPPING=1, WATCHDOG=1 and all others of sd_notify(3); they are sent as
 * they are. Where nobody asked to be told, PS_OK as well, so a program need not know who has started it;
 * getenv("NOTIFY_SOCKET") tells.
 *
 * Never blocks, so a message can be refused: PS_PENDING says that it was NOT sent because the starter has
 * not read the last ones (the kernel lets some ten wait; net.unix.max_dgram_qlen). For WATCHDOG=1 and STATUS
 * that is no matter, the next one will do; what must arrive is sent again. This waits as long as somebody
 * reads, and five seconds more:
 *
 * ```c
 * void say_ready(void) {
 *   while (ps_notify("READY=1", NULL) == PS_PENDING && ps_notify_barrier(5000, NULL) == PS_OK)
 *     ;
 * }
 * ```
 *
 * By default only the main process is heard, not its children (ps_command_readiness; NotifyAccess= of
 * systemd). READY=1 ends a reload, too, which begins with ps_notify_reloading. Messages with descriptors go
 * by ps_notify_fds, and who the main process is by ps_notify_main_process.
 *
 * @param state  1 to 4096 bytes: systemd drops what is longer
 * @return PS_OK: sent, or nobody asked; PS_PENDING: not sent; PS_ERR_PROTOCOL if NOTIFY_SOCKET is malformed,
 *         PS_ERR_UNSUPPORTED if it is a vsock; PS_ERR_SYSTEM (ECONNREFUSED) if nobody reads there any more,
 *         PS_ERR_NOT_FOUND if the path is gone, PS_ERR_PERMISSION
 */
ps_status ps_notify(const char *state, ps_error **error);

/**
 * ps_notify with descriptors: for the descriptor store of systemd, which keeps them while the service is
 * restarted (FileDescriptorStoreMax=), and gives them to its next process as ps_listen_fds finds them. So
 * listening sockets, and who waits in their lines, outlive a crash:
 *
 * ```c
 * void keep_in_store(int32_t listener) {
 *   ps_notify_fds("FDSTORE=1\nFDNAME=http", &listener, 1, NULL);
 * }
 * void forget_in_store(void) {
 *   ps_notify("FDSTOREREMOVE=1\nFDNAME=http", NULL);
 * }
 * ```
 *
 * Names have at most 255 characters, printable ASCII without ':'; several descriptors may have one name. One
 * that has been stored before, by whatever number, is not stored twice. systemd lets go of those on which
 * poll(2) finds an error or a hang-up, unless FDPOLL=0 says that they are not to be watched (systemd 246); a
 * listening socket needs none. A main process that is heard is one that may store (NotifyAccess=).
 *
 * They are duplicated in the message: yours stay yours. Where nobody asked to be told, and with a starter
 * that is none of systemd's (a host of procsup closes what comes along), nothing is kept: ask ps_listen_fds
 * at the next start, and bind what is not there. Never blocks.
 *
 * @param state  1 to 4096 bytes, as of ps_notify
 * @param fds    so many numbers of open descriptors; NULL with 0
 * @param n      at most 252
 * @return PS_OK: sent, or nobody asked; PS_PENDING: not sent (see ps_notify); PS_ERR_INVALID_ARGUMENT if a
 *         descriptor is not open, or there are too many; PS_ERR_SYSTEM (ETOOMANYREFS) if more descriptors
 *         of this user are in messages that nobody has read than it may have open; otherwise as ps_notify
 */
ps_status ps_notify_fds(const char *state, const int32_t *fds, size_t n, ps_error **error);

/**
 * Tells the service manager who the main process of this service is from now on (MAINPID=): whose end is the
 * service's, and who gets what `$MAINPID` in ExecReload= names. A process that has taken over says it of
 * itself; one that goes may say it of the one that follows it, and is heard with NotifyAccess=main as well.
 * Along goes the number of that process on pidfs (MAINPIDFDID=, Linux 6.9), which systemd 257 and newer
 * compare: a pid that another process has by then is refused. systemd also refuses a process outside
 * the unit's control group, unless root says it.
 *
 * When: with NotifyAccess=all, a successor at PS_HANDOFF_COMMITTED in phase _SETTLED, before it asks for the
 * next event. With NotifyAccess=main nobody hears it then, so the old generation says it at
 * PS_HANDOFF_RETIRE, of event.peer_pid, before it exits (systemd reads messages before it looks who has
 * ended), with READY=1 if it has said that it reloads. One of the two: an old generation that is slow would
 * name one that has been replaced by then. Never at PS_HANDOFF_LIVE: it may be taken back still.
 *
 * ```c
 * void tell_who_serves(const ps_handoff_event *event) {
 *   if (event->kind == PS_HANDOFF_COMMITTED && event->phase == PS_HANDOFF_PHASE_SETTLED)
 *     ps_notify_main_process(0, "READY=1", NULL);
 * }
 * ```
 *
 * Never blocks. The number is one of this process's pid namespace: a service manager outside of that reads
 * another process in it.
 *
 * @param pid    0: this process
 * @param state  more lines for the same message, as of ps_notify: "READY=1"; NULL: none
 * @return PS_OK: sent, or nobody asked; PS_PENDING: not sent (see ps_notify); PS_ERR_NOT_FOUND if there is no
 *         such process, or as ps_notify; otherwise as ps_notify
 */
ps_status ps_notify_main_process(int32_t pid, const char *state, ps_error **error);

/**
 * Tells the service manager that a reload has begun (RELOADING=1, with MONOTONIC_USEC=, which a unit of
 * Type=notify-reload demands); READY=1 ends it. A server that hands over at a reload says it before
 * ps_handoff_upgrade; READY=1 comes from the next generation with ps_notify_main_process, or, at
 * PS_HANDOFF_ABORTED in phase _OWNER, from the one that goes on. Never blocks.
 *
 * @return as ps_notify
 */
ps_status ps_notify_reloading(ps_error **error);

/**
 * Waits until the starter has read all that this process has told it so far (BARRIER=1), or is gone. Where
 * nobody asked to be told there is nothing to wait for. Worth calling before an exit right after a message:
 * systemd may drop what a process said that is gone. (A host of procsup reads it all the same.)
 *
 * Blocks at most timeout_ms. A copy of this process that another thread forks meanwhile holds it up until
 * the copy's exec or end.
 *
 * @param timeout_ms  milliseconds; -1: no limit
 * @return PS_OK; PS_ERR_TIMEOUT; otherwise as ps_notify
 */
ps_status ps_notify_barrier(int64_t timeout_ms, ps_error **error);

/**
 * Whether the starter takes silence of this process for death, and after how many microseconds: then send
 * WATCHDOG=1 by ps_notify, at half that time, from where it shows that the program works. 0: nobody watches
 * (WATCHDOG_USEC is not set, or WATCHDOG_PID is another process; so in a forked copy). Never blocks.
 *
 * @return PS_OK; PS_ERR_PROTOCOL if a variable is malformed; ps_error_step names it
 */
ps_status ps_watchdog_enabled(int64_t *usec, ps_error **error);

/* ==================== workers =========================================================================== */

/* A worker is a process that serves. It is started with a session: a private directory through which it is
 * told its arguments, and says how far it is, where it listens, and what went wrong. The directory is that
 * of Phusion Passenger, so its loaders run unchanged: rack-loader.rb, wsgi-loader.py, node-loader.js. A
 * program that knows nothing of it can be a worker as well, if it listens on the port that it is given.
 *
 * ```c
 * #include <procsup.h>
 * #include <stdio.h>
 *
 * ps_status serve(ps_supervisor *supervisor, const char *program, ps_worker **worker, ps_error **error)
 * {
 *     ps_command *command = NULL;
 *     ps_status status = ps_command_new(program, &command, error);
 *     if (status == PS_OK)
 *         status = ps_command_session(command, "generic_app", "true", error);   // it listens on $PORT
 *     if (status == PS_OK)
 *         status = ps_spawn_direct(supervisor, command, 30000, worker, error);
 *     ps_command_free(command);
 *     struct ps_worker_socket socket = {.size = sizeof socket};
 *     if (status == PS_OK)
 *         status = ps_worker_socket(*worker, 0, &socket, error);
 *     if (status == PS_OK)
 *         printf("at %s, by %s\n", socket.address, socket.protocol);
 *     return status;
 * }
 * ```
 *
 * WHAT IT FINDS. PASSENGER_SPAWN_WORK_DIR names the directory; the arguments stand in its args.json and,
 * one in each file, in args/. It has written "1" to response/finish when it is ready, and before that its
 * sockets to response/properties.json:
 *
 *   {"sockets": [{"address": "unix:/path", "protocol": "http", "concurrency": 1,
 *                 "accept_http_requests": true}]}
 *
 * One of them at least must accept HTTP. A socket of the file system lies in the directory `socket_dir` of
 * its arguments, and is its own user's. Any other byte means that it failed, as does its end: then what it
 * has written to response/error/ (category, summary, problem_description.txt, ...) is in the error.
 *
 * A PORT. With `generic_app` or `find_free_port` a free one is found (from `start_port_min` to
 * `start_port_max`) and stands in the environment as PORT. It counts as ready as soon as somebody accepts
 * there, which is tried every 50 ms on 127.0.0.1; and that is one of its sockets.
 *
 * ARGUMENTS. What nobody says has a default: `app_root` is the command's directory, or that of this
 * process; `start_command` is the command; `app_env` is "production". `starts_using_wrapper` says that the
 * command is a loader: true where a `startup_file` is given, for a loader to load, and else false. `user`
 * and `group` say who it will be, by name or number, with all groups that the user database gives; without
 * them ps_command_credentials does, or else it is who the host is. (Both must name the same.) `app_root`
 * wins over ps_command_cwd. Other names than the reference's are passed on as they are. `spawn_dir` is
 * where directories are made ($TMPDIR or /tmp), which this user or root owns and nobody else can rename in
 * (which is checked; of the directories above it, it is yours to see); `debug_work_dir` leaves them there.
 * What a host that was killed has left there goes when another one first uses the place (its lock tells,
 * not its age). A session is its user's: what is read of it is that user's files alone, never a link's, a
 * mount's or a hard link's to somebody else's. `socket_dir` has at most 70 bytes, for loaders cut longer
 * paths; without it each worker has one of its own, 0700. With `default_user` (and `default_group`) a host
 * that is root lets nobody become root: a user that is root, unknown, or not given and not to be had from
 * the owner of `startup_file` becomes the default one.
 *
 * THE COMMAND is that of any child: user, limits, environment, control group, sandbox directory, budget,
 * stop plan, deadline, lines and files of its output all work. Where it says nothing of a stream
 * (PS_STDIO_INHERIT), 0 is a pipe (ps_worker_stdin), and the last 64 KiB of 1 and 2 are kept
 * (ps_child_output), before it is ready and after. It cannot have a readiness of its own, nor be restarted:
 * PS_ERR_INVALID_ARGUMENT.
 *
 * ONE BUDGET. Whatever takes time takes it from the whole: the directory, the search for a port, the exec,
 * the wait. When it is over the worker's group is killed (PS_CAUSE_NOT_READY).
 *
 * WHAT IS LEFT. The directory goes when the worker is ready, or has failed; a directory that was made for
 * its sockets when it has ended. Nothing that a worker writes is followed (links), waited for (FIFOs), or
 * read beyond its bound (128 KiB a file). */

/**
 * Sets an argument of the session of a worker that runs this command, by the reference's name (`app_type`,
 * `startup_file`, `base_uri`, ...) or any other, which is passed on as it is. Through a preloader it stands
 * over the preloader's own. What is wrong with them together is told when the worker is started. Never
 * blocks; the strings are copied.
 *
 * @param name   the argument, at most 64 bytes; with ".json" behind it the value is any JSON
 * @param value  its value: "true" or "false", a number in digits, or a text, by the argument's type;
 *               `environment_variables` is a JSON object, or base64 of NUL-separated names and values. NULL:
 *               as if it had never been set
 * @return PS_OK; PS_ERR_INVALID_ARGUMENT for a name that is none (it becomes the name of a file), or a value
 *         that is not of its type; PS_ERR_LIMIT beyond 256 of them
 */
ps_status ps_command_session(ps_command *command, const char *name, const char *value, ps_error **error);

/** A process that serves, or is on its way there. */
typedef struct ps_worker ps_worker;

/**
 * Starts a worker by itself, with a session, and waits until it is ready: it has said so, or its port
 * answers. What it needs and what is done with it stands in the section above.
 *
 * Blocks for timeout_ms at the most (and a little while longer after a failure, until the process is
 * reaped), a place in line included, and looks after the supervisor's other children meanwhile. After an
 * error nothing is left of it: its group is killed and reaped, its directories are removed. The error has
 * the journey, what the process has written down of itself, and its output.
 *
 * @param supervisor  who looks after the worker, as for ps_spawn; NULL: the default supervisor
 * @param command     what to run, with the arguments of ps_command_session
 * @param timeout_ms  milliseconds, more than 0 (PS_ERR_INVALID_ARGUMENT); -1: 90 000
 * @param worker      receives the handle; free it with ps_worker_free
 * @return PS_OK; PS_ERR_TIMEOUT if it was not ready in time; PS_ERR_EXITED if it has ended before;
 *         PS_ERR_ABORTED if it has said that it failed; PS_ERR_PROTOCOL if what it says of its sockets is
 *         wrong; PS_ERR_INVALID_ARGUMENT (an argument of the session or the command; all that is wrong is
 *         told); PS_ERR_CANCELLED; PS_ERR_FORKED; what ps_spawn answers: PS_ERR_NOT_FOUND,
 *         PS_ERR_PERMISSION, PS_ERR_LIMIT, PS_ERR_SYSTEM, PS_ERR_STATE, PS_ERR_OUTPUT_EXISTS,
 *         PS_ERR_SHUTDOWN, PS_ERR_UNSUPPORTED, PS_ERR_BUDGET_EXHAUSTED, PS_ERR_IN_PROGRESS
 */
ps_status ps_spawn_direct(ps_supervisor *supervisor,
                          const ps_command *command,
                          int64_t timeout_ms,
                          ps_worker **worker,
                          ps_error **error);

/**
 * Begins to start a worker by itself: as ps_spawn_direct, but it blocks only as ps_spawn does (and not at
 * all where the worker stands in line), and the time counts from when its turn has come. PS_EVENT_STARTED
 * tells that it has a process, PS_EVENT_READY that it is ready; if it never will be, PS_EVENT_FAILED says
 * so, behind PS_EVENT_EXITED if it had a process: event.status is what ps_spawn_direct would have
 * answered, and ps_worker_wait has the whole error. ps_terminate of its child calls it off.
 *
 * @param supervisor, command, timeout_ms, worker  as for ps_spawn_direct
 * @return as ps_spawn_direct, where it is known at once
 */
ps_status ps_spawn_direct_begin(ps_supervisor *supervisor,
                                const ps_command *command,
                                int64_t timeout_ms,
                                ps_worker **worker,
                                ps_error **error);

/**
 * Waits until a worker is ready, or never will be, and looks after its supervisor's children meanwhile.
 * PS_OK stays PS_OK, whatever becomes of the worker later: its child tells that.
 *
 * @param timeout_ms  milliseconds; -1: for ever, 0: not at all. It is the caller's: the worker goes on
 * @return PS_OK; PS_ERR_TIMEOUT if it is not ready yet (ps_error_step: "wait"); else the error of its
 *         start, with its journey, the same at every call: what ps_preloader_spawn answers (PS_ERR_EXITED,
 *         PS_ERR_CANCELLED, PS_ERR_SHUTDOWN, ...)
 */
ps_status ps_worker_wait(ps_worker *worker, int64_t timeout_ms, ps_error **error);

/**
 * The worker's child, to signal, to stop, to reap. The same handle at every call, the one that events carry;
 * from the first call on it is yours to free with ps_child_free, and stays valid after ps_worker_free. Never
 * blocks.
 *
 * @return PS_OK; PS_ERR_FORKED
 */
ps_status ps_worker_child(const ps_worker *worker, ps_child **child, ps_error **error);

/**
 * Somewhere a worker is to be found. Texts are NUL-terminated. (In C its name is `struct ps_worker_socket`,
 * for ps_worker_socket is the call that fills it, as with stat(2).)
 */
struct ps_worker_socket {
  /** Set by the caller: sizeof of the structure. */
  uint32_t size;
  /** What the worker calls it; may be empty. A longer one is cut. */
  char name[64];
  /**
   * tcp://host:port or unix:/path. A path was that of a socket of the worker's user when it was looked at;
   * that user can put another one, or a link, in its place at any time. Who connects with more rights than
   * that user's asks who listens (SO_PEERCRED).
   */
  char address[256];
  /** "http", "session", "preloader", or another one. */
  char protocol[32];
  /** How many requests it takes at once; 0: no limit; less: not known. */
  int32_t concurrency;
  /** 1 if requests of HTTP may be sent there, in that protocol. */
  int32_t accepts_http;
};

/**
 * How many sockets a worker has named; at least one of a worker that is ready, and none of a native
 * preloader's. Never blocks.
 *
 * @return PS_OK; PS_ERR_STATE if it is not ready yet; the error of its start if it never will be;
 *         PS_ERR_FORKED
 */
ps_status ps_worker_socket_count(const ps_worker *worker, uint32_t *count, ps_error **error);

#if defined(__cplusplus) && defined(__GNUC__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow"
#endif
/**
 * One of a worker's sockets. Never blocks.
 *
 * @param index   from 0 on
 * @param socket  receives it (set socket->size first)
 * @return as ps_worker_socket_count; PS_ERR_NOT_FOUND if there are not so many; PS_ERR_LIMIT if its
 *         address or protocol is too long
 */
ps_status ps_worker_socket(const ps_worker *worker,
                           uint32_t index,
                           struct ps_worker_socket *socket,
                           ps_error **error);
#if defined(__cplusplus) && defined(__GNUC__)
#pragma GCC diagnostic pop
#endif

/**
 * The generation of the preloader that a worker was forked from: 1 for the first process of a preloader, one
 * more for each that followed; 0 for a worker that was started by itself. Never blocks.
 *
 * @return as ps_worker_socket_count
 */
ps_status ps_worker_generation(const ps_worker *worker, uint32_t *generation, ps_error **error);

/**
 * The writing end of a worker's standard input; now yours to close, which asks the worker to end.
 * Otherwise it is closed when the child's handle is freed. It is stream 0 of ps_child_stdio. Never blocks.
 *
 * @return PS_OK; PS_ERR_NOT_FOUND if stream 0 is no pipe, or was taken already; PS_ERR_STATE if it has had
 *         no process; PS_ERR_FORKED
 */
ps_status ps_worker_stdin(ps_worker *worker, int32_t *fd, ps_error **error);

/** Whose child a worker is. */
typedef enum ps_worker_kind {
  /** Started by itself. */
  PS_WORKER_DIRECT = 0,
  /** Forked from a preloader, whose child it is. */
  PS_WORKER_FORKED = 1,
  /** Forked from a preloader, and the host's own child (CLONE_PARENT): how it ended is known first-hand. */
  PS_WORKER_SIBLING = 2,
} ps_worker_kind;

/** What is known of a worker beside its sockets. Texts are NUL-terminated; longer ones are cut. */
typedef struct ps_worker_info {
  /** Set by the caller: sizeof(ps_worker_info). */
  uint32_t size;
  /** PS_WORKER_*: how it was made. */
  int32_t kind;
  /** Its pid, for display; 0 if it has had no process. */
  int32_t pid;
  /** As ps_worker_generation. */
  uint32_t generation;
  /** When its making began, nanoseconds of CLOCK_MONOTONIC. */
  int64_t began_ns;
  /** The same, nanoseconds since 1970 (CLOCK_REALTIME). */
  int64_t began_wall_ns;
  /** Since when it is ready, nanoseconds of CLOCK_MONOTONIC. */
  int64_t ready_ns;
  /** The same, nanoseconds since 1970. */
  int64_t ready_wall_ns;
  /** A name that no other worker has: the argument `gupid` of its session; empty where it has none. */
  char gupid[64];
  /** The argument `app_type` of its session. */
  char app_type[32];
} ps_worker_info;

/**
 * What is known of a worker that is ready. (What it has written so far: ps_child_output of its child.) Never
 * blocks.
 *
 * @param info  receives it (set info->size first)
 * @return as ps_worker_socket_count
 */
ps_status ps_worker_get_info(const ps_worker *worker, ps_worker_info *info, ps_error **error);

/**
 * The way that a worker took until it was ready, or until it failed: each step, how it went, when it began
 * and how long it took. NUL-terminated. JSON is one object: `type` ("SPAWN_DIRECTLY",
 * "SPAWN_THROUGH_PRELOADER", "SPAWN_THROUGH_NATIVE_PRELOADER"), `title`, and `steps`, a list in their order
 * of `name`, `state` ("not started", "in progress", "performed", "errored"), `begin_ns`, `end_ns`
 * (CLOCK_MONOTONIC), `duration_ns`, `begin_time` and `end_time`: `relative_ns` to the first, and `absolute`,
 * the time of day (RFC 3339); null is what nobody knows. ps_error_render has the same as `journey` in its
 * JSON. Never blocks.
 *
 * @param format            PS_RENDER_TEXT, PS_RENDER_JSON or PS_RENDER_HTML
 * @param buf, cap, needed  see BYTES, at the top; `needed` counts the NUL
 * @return PS_OK; PS_ERR_STATE if it is under way still, or was never begun; PS_ERR_LIMIT if the buffer is
 *         too small; PS_ERR_INVALID_ARGUMENT for another format; PS_ERR_FORKED
 */
ps_status ps_worker_journey(const ps_worker *worker,
                            int32_t format,
                            char *buf,
                            size_t cap,
                            size_t *needed,
                            ps_error **error);

/**
 * Frees a worker's handle; the process goes on, and belongs to its supervisor. If its child was never asked
 * for (ps_worker_child), that handle goes with it, as by ps_child_free: its standard input is closed then,
 * unless it was taken. NULL and a freed worker do nothing. Never blocks.
 */
void ps_worker_free(ps_worker *worker);

/* ==================== preloaders ======================================================================== */

/* A preloader loads an application once, and forks from it one worker for each that is asked for: they share
 * what was loaded, and are ready in milliseconds. For a program of your own there is PS_PRELOADER_NATIVE
 * (ps_preloader_set_protocol, and the section "inside a preloader"). Without that it speaks the protocol of
 * Phusion Passenger, so rack-preloader.rb runs unchanged; its session is that of a worker (see there), with
 * these differences: it names a socket of the protocol "preloader" (unix, in `socket_dir`), it stays until
 * its standard input is closed, and it is told of each worker's own work directory by a line on that socket:
 *
 *   {"command": "spawn", "work_dir": "/path"}       {"result": "ok", "pid": 4711}
 *                                                   {"result": "error", "message": "why"}
 *
 * An answer ends with a newline or with the connection, and has 10 240 bytes at the most.
 *
 * ```c
 * #include <procsup.h>
 * #include <stdio.h>
 *
 * ps_status three(ps_supervisor *supervisor, ps_command *command, ps_error **error)
 * {
 *     ps_preloader *preloader = NULL;
 *     ps_worker *worker = NULL;
 *     ps_status status = ps_preloader_new(command, &preloader, error);
 *     for (int i = 0; i < 3 && status == PS_OK; i++) {
 *         status = ps_preloader_spawn(preloader, supervisor, NULL, 30000, &worker, error);
 *         if (status == PS_OK)
 *             ps_worker_free(worker);   // it runs on, as the supervisor's child
 *     }
 *     ps_preloader_free(preloader);     // they live on without it
 *     return status;
 * }
 * ```
 *
 * ITS PROCESS is nobody's child but the preloader's own: no event tells of it, no limit counts it, and
 * ps_supervisor_free does not end it (ps_kill_and_reap_all does). It is started by the first worker that
 * is asked for, and by the next one after it has ended. Whoever looks after a supervisor through which it
 * was asked (ps_supervisor_next_event, blocking calls) looks after it: its output is read, and the last
 * 64 KiB are kept for errors; its end is noticed; its idle time runs. Each start counts one generation
 * more, which its workers bear.
 *
 * A PRELOADER THAT IS SILENT may only be slow: a spawn ends with PS_ERR_TIMEOUT then, is not tried again,
 * and the next one asks the same process. If that one is not answered in its time either, the preloader is
 * stopped or hangs: it is asked to go, killed after five seconds, and the worker that is asked for next
 * starts another one. ps_preloader_stop and ps_preloader_reload get rid of it at once. One that dies at each
 * start, or over each command, is started twice at the most for each worker that is asked for; a budget
 * (ps_command_budget on its command) bounds that over all. A native one is asked for many workers at a time,
 * and is replaced when something is under way and it has said nothing at all for 20 seconds; what was under
 * way is asked once more of the next one. */

/** A preloader. */
typedef struct ps_preloader ps_preloader;

/**
 * Makes a preloader. Nothing is started: the first worker that is asked for starts it. Never blocks, but for
 * the look into the user database where `user` or `group` is given.
 *
 * @param command    what to run, with the arguments of ps_command_session: copied, and yours to free. It may
 *                   have neither a readiness nor a restart policy. With a spawn budget (ps_command_budget)
 *                   each start takes a permit
 * @param preloader  receives the handle; free it with ps_preloader_free
 * @return PS_OK; PS_ERR_INVALID_ARGUMENT; PS_ERR_NOT_FOUND (a user or a group, by its name); PS_ERR_LIMIT if
 *         there are no descriptors to be had; PS_ERR_SYSTEM, PS_ERR_PERMISSION
 */
ps_status ps_preloader_new(const ps_command *command, ps_preloader **preloader, ps_error **error);

/**
 * Sets an argument of the preloader's session, and of those of its workers, as ps_command_session does. It
 * holds for the next process (ps_preloader_reload). Never blocks, but for the look into the user database
 * where it is `user` or `group`.
 *
 * @param name   the argument, by the reference's name
 * @param value  its value; NULL: as if it had never been set
 * @return PS_OK; PS_ERR_INVALID_ARGUMENT for a name that is none, or a value that is not of its type, and of
 *         a native preloader, which has no session; PS_ERR_NOT_FOUND (a user or a group); PS_ERR_FORKED
 */
ps_status ps_preloader_set(ps_preloader *preloader, const char *name, const char *value, ps_error **error);

/** What a preloader speaks. */
typedef enum ps_preloader_protocol {
  /** That of Phusion Passenger: a line of JSON, an answer of JSON. */
  PS_PRELOADER_PASSENGER = 0,
  /** procsup's own: the process calls ps_preload_open. */
  PS_PRELOADER_NATIVE = 1,
} ps_preloader_protocol;

/**
 * What the preloader speaks, chosen before a worker is asked of it. Never blocks.
 *
 * PS_PRELOADER_NATIVE: its program is linked with this library and calls ps_preload_open and what follows
 * (see "Inside a preloader"). The command runs as it is: its user, limits, directory and environment are the
 * command's own, a variable PROCSUP_PRELOAD_FD and the descriptor that it names come to it. Where the command
 * says nothing of streams 1 and 2, the last 64 KiB of what it writes are kept, for the error of a start that
 * fails. It has no session: arguments of one (ps_command_session, ps_preloader_set) are refused. It is ready
 * when it says so (ps_preload_ready), asked to go by the end of its channel, and its group is swept when it
 * ends, as that of any child; its workers lead groups of their own.
 *
 * @param protocol  PS_PRELOADER_PASSENGER (default) or PS_PRELOADER_NATIVE
 * @return PS_OK; PS_ERR_STATE once a worker was asked of it; PS_ERR_INVALID_ARGUMENT for another value, a
 *         command with a readiness, and a native preloader with arguments of a session (named in the error);
 *         PS_ERR_NOT_FOUND, PS_ERR_LIMIT, PS_ERR_SYSTEM as ps_preloader_new; PS_ERR_FORKED
 */
ps_status ps_preloader_set_protocol(ps_preloader *preloader, int32_t protocol, ps_error **error);

/**
 * How long the preloader may be of no use before it is stopped, as by ps_preloader_stop; the next worker
 * starts it again. Any command to it counts as use. It is noticed within the looks of supervisors that have
 * workers of it under way or have started it, so it is as punctual as they are looked after. Never blocks.
 *
 * @param ms  milliseconds; -1 (default): for ever. 0 is as 1
 * @return PS_OK; PS_ERR_INVALID_ARGUMENT; PS_ERR_FORKED
 */
ps_status ps_preloader_set_idle_stop(ps_preloader *preloader, int64_t ms, ps_error **error);

/**
 * How many workers wait ready-made. They are forked ahead, in the background, and are processes of this one
 * from then on (ps_live_count counts them, ps_kill_and_reap_all ends them); each waits at its gate, before
 * the first instruction of the application's that is its own, until ps_preloader_spawn or
 * ps_preloader_spawn_begin takes it: that costs no fork. What is taken is replaced. What has ended, has
 * waited for too long, or is older than a reload is never taken. The pool is filled as soon as the preloader
 * runs: a worker that is asked for starts it, or ps_preloader_warm, or a ps_preloader_reload of one that ran.
 * Births for the pool that fail are tried again after 100 ms, then after twice as long each time, up to 25 s.
 * It is looked after within the looks of supervisors that have workers of it under way or have started it.
 * Stopping the preloader ends those that wait. Never blocks.
 *
 * @param idle        how many, up to 1 024; 0 (default): none. Each takes up to six descriptors. Of those
 *                    that are too many, the oldest end
 * @param max_age_ms  how long one may wait, in milliseconds; -1: for ever. 0 is as 1
 * @return PS_OK; PS_ERR_UNSUPPORTED if the preloader's protocol is not PS_PRELOADER_NATIVE;
 *         PS_ERR_INVALID_ARGUMENT; PS_ERR_FORKED
 */
ps_status ps_preloader_set_pool(ps_preloader *preloader, uint32_t idle, int64_t max_age_ms, ps_error **error);

/**
 * Starts the preloader, if it does not run, and waits until its pool is full (at once, if it is, or if there
 * is none).
 *
 * Blocks for timeout_ms at the most, and a second longer where another thread has the preloader in hand.
 * Workers of this preloader are moved along meanwhile, other children of the supervisor are not.
 *
 * @param supervisor  who looks after those that wait, as long as it is there and is looked after itself;
 *                    NULL: the default supervisor
 * @param timeout_ms  milliseconds, more than 0 (PS_ERR_INVALID_ARGUMENT); -1: 90 000
 * @return PS_OK; PS_ERR_TIMEOUT; what ps_preloader_spawn answers where the preloader cannot be started, has
 *         died twice, or does not fork; PS_ERR_LIMIT if two in a row had more memory than they may have;
 *         PS_ERR_STATE if too many workers in a row have died (ps_preloader_set_limits); PS_ERR_CANCELLED if
 *         the preloader was stopped; PS_ERR_SHUTDOWN if it was freed, or the supervisor closed;
 *         PS_ERR_UNSUPPORTED if its protocol is not PS_PRELOADER_NATIVE; PS_ERR_FORKED
 */
ps_status ps_preloader_warm(ps_preloader *preloader,
                            ps_supervisor *supervisor,
                            int64_t timeout_ms,
                            ps_error **error);

/**
 * What the preloader may come to. Never blocks.
 *
 * @param memory_bytes  how much memory of its own the preloader's process may have, resident, neither of
 *                      files nor shared (RssAnon of proc_pid_status(5)); 0 (default): any. It is looked at
 *                      after each birth. One that has more is replaced, as by ps_preloader_reload, as soon as
 *                      no birth is under way; the next worker that is asked for starts the next one. So a
 *                      limit below what the application itself needs starts it anew for every few workers
 * @param dead_births   so many workers in a row that died before they were ready, or were late once they had
 *                      said that they are there, and none is forked any more: workers that are asked for fail
 *                      with PS_ERR_STATE until ps_preloader_reload or ps_preloader_stop. 0 (default):
 *                      no matter how many
 * @return PS_OK; PS_ERR_UNSUPPORTED if the preloader's protocol is not PS_PRELOADER_NATIVE; PS_ERR_FORKED
 */
ps_status ps_preloader_set_limits(ps_preloader *preloader,
                                  uint64_t memory_bytes,
                                  uint32_t dead_births,
                                  ps_error **error);

/**
 * Starts a worker through the preloader, and waits until it is ready. The preloader is started if it does
 * not run. If it dies over the command it is stopped, started once more, and asked once more, with a work
 * directory of its own; an answer that says that it failed, one that cannot be understood, and none in time
 * are not tried again.
 *
 * Of a native preloader: its worker waits in code of this library, before an instruction of the application
 * runs, until it is proven (by the kernel's word on who speaks on a channel of its own, as a child of this
 * process or a descendant of the preloader, of the preloader's user, nobody else of ours), in the registry,
 * and its supervisor's. Where the preloader forks siblings (PS_FORK_SIBLING) it is this process's own child,
 * and how it ended is known first-hand; else as below. It leads a group of its own, has no sockets, and is
 * ready when it says so (ps_worker_ready). The preloader, or a newborn, that dies over it is tried once more;
 * a refusal to fork (threads, which are named) is not: PS_ERR_STATE.
 *
 * Every other worker is the preloader's child, and yet a child as any other: signalled alone, for the group
 * that it is in may be its preloader's; how it ended is told as far as the kernel tells it (see ps_reap).
 *
 * Of Passenger's protocol: the process that the preloader names must be proven, by the kernel's word on who
 * has answered, or as a descendant of the preloader that was born since; it must be the right user's, alive,
 * and nobody else of ours. It waits at the opening of its standard input until all that is done and kill-all
 * would find it.
 *
 * Blocks for timeout_ms at the most (and a little while longer after a failure, until the process is dead),
 * a place in line and the start of the preloader included, and looks after the supervisor's other children
 * meanwhile. After an error nothing is left of the worker. The error has the journey (that of the
 * preloader's start where that failed), what the preloader and the process have written down of themselves,
 * and the output.
 *
 * @param preloader   the preloader
 * @param supervisor  who looks after the worker, as for ps_spawn; NULL: the default supervisor
 * @param worker      what the worker is beside what the preloader makes of it: arguments of its session
 *                    (ps_command_session, over those of the preloader; not of a native one), stop plan,
 *                    deadline, capture, lines, user data. What only the maker of a process can give it
 *                    (users, limits, descriptors, files, control groups), and a restart policy, is refused;
 *                    its program is not looked at. A native preloader's worker also gets standard streams
 *                    (null, a pipe, a descriptor), an input and passed descriptors (ps_command_pass_fd), 249
 *                    at most, before its application goes on: where nothing is said of it, stream 0 is the
 *                    preloader's own, and of 1 and 2 the last 64 KiB are kept. NULL: nothing
 * @param timeout_ms  milliseconds, more than 0 (PS_ERR_INVALID_ARGUMENT); -1: 90 000
 * @param out         receives the handle; free it with ps_worker_free
 * @return PS_OK; PS_ERR_TIMEOUT if it was not ready in time; PS_ERR_EXITED if it, or twice the preloader, has
 *         ended before; PS_ERR_ABORTED if one of them has said that it failed; PS_ERR_PROTOCOL if what one of
 *         them says makes no sense, or it speaks no common version; PS_ERR_PEER_REJECTED if the process that
 *         was named is not the worker, or somebody else listens or speaks in the preloader's place;
 *         PS_ERR_INVALID_ARGUMENT (an argument of the session or the command; another application than the
 *         preloader's); PS_ERR_NOT_FOUND (the program, or the directory for sockets, by its name);
 *         PS_ERR_PERMISSION, PS_ERR_LIMIT, PS_ERR_SYSTEM, PS_ERR_STATE, PS_ERR_OUTPUT_EXISTS;
 *         PS_ERR_UNSUPPORTED where a filter lets nobody be proven to be anybody, or no signal reach a worker;
 *         PS_ERR_CANCELLED if the worker was called off, or the preloader stopped; PS_ERR_SHUTDOWN if the
 *         supervisor was closed, or the preloader freed; PS_ERR_BUDGET_EXHAUSTED, PS_ERR_IN_PROGRESS of the
 *         preloader's budget; PS_ERR_FORKED
 */
ps_status ps_preloader_spawn(ps_preloader *preloader,
                             ps_supervisor *supervisor,
                             const ps_command *worker,
                             int64_t timeout_ms,
                             ps_worker **out,
                             ps_error **error);

/**
 * Begins to start a worker through the preloader: as ps_preloader_spawn, but it blocks only as ps_spawn does
 * (for the exec of a preloader that is to be started, and not at all where the worker stands in line), and
 * the time counts from when its turn at the supervisor has come. Events are those of ps_spawn_direct_begin,
 * and ps_worker_wait has the whole error. Many may be under way at once, from any thread and under any
 * supervisor: the commands to the preloader are said one after the other, the workers get ready side by
 * side.
 *
 * @param preloader, supervisor, worker, timeout_ms, out  as for ps_preloader_spawn
 * @return as ps_preloader_spawn, where it is known at once
 */
ps_status ps_preloader_spawn_begin(ps_preloader *preloader,
                                   ps_supervisor *supervisor,
                                   const ps_command *worker,
                                   int64_t timeout_ms,
                                   ps_worker **out,
                                   ps_error **error);

/**
 * The application has changed: from this call on no worker is taken from a process that was started before
 * it. That process is asked to go (see ps_preloader_stop); the next worker that is asked for, or one that is
 * under way and not born yet, starts the next one; where there is a pool (ps_preloader_set_pool), it is
 * started at once. Workers that are there live on: their generation tells. Never blocks, but for the exec of
 * a preloader.
 *
 * @return PS_OK; PS_ERR_FORKED
 */
ps_status ps_preloader_reload(ps_preloader *preloader, ps_error **error);

/**
 * A worker becomes the next preloader: one that has served for a while has loaded, compiled and cached what a
 * fresh process has not, and what is forked from it shares that. Only for PS_PRELOADER_NATIVE.
 *
 * The worker is told (PS_ASKED_PROMOTE of ps_worker_asked): it ends what it has under way and says
 * ps_preload_ready, which looks for threads there, in the process that will fork; it may collapse its pages
 * again, once. From then on workers are forked from it, of the next generation. The preloader before stays
 * until the first of them is ready, and serves again if the new one ends before that, or if too many of its
 * workers die (ps_preloader_set_limits). The workers that wait in the pool are those of the old one until the
 * new ones are there.
 *
 * A promotion that fails leaves all as it was, and kills nobody: a worker that is late, has threads, or says
 * no (ps_preload_failed) serves on, and may be asked again. Its process stays the child of its supervisor,
 * with its handle and events: whoever ends it ends the preloader, and ps_preloader_stop and
 * ps_preloader_free end it as any other.
 *
 * Blocks until it is the preloader, for timeout_ms at the most (and a second while another thread has the
 * preloader in hand), and looks after the other children of the worker's supervisor meanwhile.
 *
 * @param worker      a worker of this preloader that is ready
 * @param timeout_ms  milliseconds; -1: for ever
 * @return PS_OK: it is; PS_ERR_TIMEOUT: it was not ready to fork in time; PS_ERR_STATE: it has other threads,
 *         which the error names, or is not ready, or was born of what was replaced since
 *         (ps_preloader_reload), or there is no preloader that could stay meanwhile; PS_ERR_ABORTED: it has
 *         said no, and why; PS_ERR_EXITED: it has ended; PS_ERR_IN_PROGRESS: another promotion is under way,
 *         or has borne no worker yet; PS_ERR_CANCELLED: the preloader was reloaded, stopped or freed
 *         meanwhile, or has ended; PS_ERR_LIMIT: it has not looked at the last one that it was asked for, or
 *         there are no descriptors; PS_ERR_PROTOCOL: what it says makes no sense; PS_ERR_UNSUPPORTED: another
 *         protocol, or it cannot know whether it has threads; PS_ERR_INVALID_ARGUMENT: a worker of another
 *         preloader, a time; PS_ERR_SHUTDOWN if the supervisor was closed; PS_ERR_SYSTEM; PS_ERR_FORKED
 */
ps_status ps_preloader_promote(ps_preloader *preloader,
                               ps_worker *worker,
                               int64_t timeout_ms,
                               ps_error **error);

/**
 * The generation of the preloader's last process: 0 before the first one, one more with each. Never blocks,
 * also while a worker is being started.
 *
 * @return PS_OK; PS_ERR_FORKED
 */
ps_status ps_preloader_generation(const ps_preloader *preloader, uint32_t *generation, ps_error **error);

/**
 * The process id of the preloader, for display; 0 if it does not run. Never blocks, also while a worker is
 * being started. (That it has ended is known after a look of a supervisor that has spawned through it.)
 *
 * @return PS_OK; PS_ERR_FORKED
 */
ps_status ps_preloader_pid(const ps_preloader *preloader, int32_t *pid, ps_error **error);

/**
 * When the preloader was used last, nanoseconds of CLOCK_MONOTONIC; before the first use, when it was made.
 * Never blocks, also while a worker is being started.
 *
 * @return PS_OK; PS_ERR_FORKED
 */
ps_status ps_preloader_last_used(const ps_preloader *preloader, int64_t *time_ns, ps_error **error);

/**
 * Stops the preloader: its standard input, or its channel, is closed, which asks it to go; when it has not
 * gone by the end of the grace it is killed (it alone; a native one as any child, with its group). Its socket
 * is removed, if it is still there. Its workers live on; those that are not born yet fail (PS_ERR_CANCELLED),
 * and those that wait in a pool end. The next one that is asked for starts it again.
 *
 * Blocks until it is reaped, for the grace and two seconds at the most.
 *
 * @param grace_ms  milliseconds; -1: 5 000
 * @return PS_OK, also if it does not run; PS_ERR_TIMEOUT if it is there even so; PS_ERR_INVALID_ARGUMENT;
 *         PS_ERR_LIMIT if there is no descriptor to wait by; PS_ERR_SYSTEM; PS_ERR_FORKED
 */
ps_status ps_preloader_stop(ps_preloader *preloader, int64_t grace_ms, ps_error **error);

/**
 * Stops the preloader for good, as ps_preloader_stop does, and frees it. Blocks for a second, and a moment
 * after a kill, at the most. Workers live on, with their handles; those that are not born yet fail
 * (PS_ERR_SHUTDOWN). NULL and freed handles are harmless.
 */
void ps_preloader_free(ps_preloader *preloader);

/* ==================== inside a preloader ================================================================ */

/* A program that wants to be a preloader of the protocol PS_PRELOADER_NATIVE: it loads what takes time, says
 * that it is ready, and forks a worker for each that its host asks for. The same function returns in both:
 *
 * ```c
 * #include <procsup.h>
 * #include <stdio.h>
 *
 * int serve_forks(void (*load)(void), int (*work)(void))
 * {
 *     ps_preload *preload = NULL;
 *     ps_error *error = NULL;
 *     int32_t role = PS_ROLE_PRELOADER;
 *     ps_status status = ps_preload_open(&preload, &error);
 *     load();
 *     if (status == PS_ERR_NOT_FOUND) { // no host: a program as any other
 *         ps_error_free(error);
 *         return work();
 *     }
 *     if (status == PS_OK)
 *         status = ps_preload_ready(preload, PS_FORK_SIBLING | PS_PRELOAD_COLLAPSE, &error);
 *     while (status == PS_OK && role == PS_ROLE_PRELOADER)
 *         status = ps_preload_fork(preload, -1, &role, &error);
 *     if (status == PS_OK && role == PS_ROLE_WORKER)
 *         status = ps_worker_ready(preload, &error);
 *     if (status != PS_OK)
 *         fprintf(stderr, "%s\n", ps_error_message(error));
 *     ps_error_free(error);
 *     if (status != PS_OK || role == PS_ROLE_STOP)
 *         return status != PS_OK;
 *     return work();
 * }
 * ```
 *
 * WHAT IS SHARED. A worker begins as a copy of the preloader: its memory (copied page by page as it is
 * written to), its descriptors, its handlers and its signal mask. So load data, not connections: open those
 * in the hook `in_worker` (ps_preload_on_fork), and draw random numbers anew there. All workers of one
 * preloader have the same addresses: who must not share them is started by itself (ps_spawn). What the
 * preloader has read that workers must not know it wipes before it is ready.
 *
 * THREADS. A fork copies one thread, and the locks of all: so a preloader that has others is refused, with
 * their names, and so is a promotion. Start threads in the worker, or stop them in the hook `before`.
 *
 * THE GATE. Until its host has registered a worker, that runs no instruction of the application, so
 * ps_kill_and_reap_all of the host misses nobody. (With PS_FORK_LIBC, and where a runtime forks by itself,
 * what these call in the new process runs before.)
 *
 * THE END. When the host is gone, or wants it to go, a preloader is told PS_ROLE_STOP and leaves; its workers
 * live on, and are told by ps_worker_asked. Neither depends on PR_SET_PDEATHSIG, which is a thread's. (A copy
 * that a worker or the preloader makes by fork(3) itself holds the channel open: execute a program there, or
 * close what you do not need.) Handles of everything else that the preloader has from this library are
 * PS_ERR_FORKED in a worker; its ps_preload is the only one that goes along. */

/** This process as a preloader, or as a worker of one. */
typedef struct ps_preload ps_preload;

/** What a call of a fork server returns as. */
typedef enum ps_preload_role {
  /** The preloader: it has forked once, or there is nothing more to do now. */
  PS_ROLE_PRELOADER = 0,
  /** A worker: this process is new, registered at its host, and its gate is open. */
  PS_ROLE_WORKER = 1,
  /** The preloader, and it shall go: its host says so, or is gone. */
  PS_ROLE_STOP = 2,
} ps_preload_role;

/** How workers are made. */
typedef enum ps_fork_way {
  /** By libc's fork: handlers of pthread_atfork run, and workers are the preloader's children. */
  PS_FORK_LIBC = 0,
  /**
   * As the host's own children, by a bare clone (CLONE_PARENT): no handler of pthread_atfork runs. Where that
   * cannot be had, as above.
   */
  PS_FORK_SIBLING = 1,
} ps_fork_way;

/** What a worker is asked for. */
typedef enum ps_worker_wish {
  /** Nothing. */
  PS_ASKED_NOTHING = 0,
  /** To become the preloader of the next generation: end your work, and say that you are ready as one. */
  PS_ASKED_PROMOTE = 1,
  /** To go: the host is gone, or lets this worker go. */
  PS_ASKED_STOP = 2,
} ps_worker_wish;

/**
 * Added to how workers are made, where a preloader says that it is ready: its memory is put into huge pages
 * first, if the kernel can (Linux 6.1).
 */
#define PS_PRELOAD_COLLAPSE 256

/**
 * Takes the channel to the host that has started this process as a preloader (PROCSUP_PRELOAD_FD in the
 * environment names its descriptor, which is close-on-exec from then on). The environment stays as it is;
 * so a second open, in this process or in a worker of it, is PS_ERR_STATE, and a program that a worker
 * executes finds no channel. Never blocks. Needs three descriptors.
 *
 * The host is gone when its channel ends, or its process (where a pidfd of it can be had): a forked copy of
 * the host that holds the channel open keeps neither preloader nor workers alive.
 *
 * @return PS_OK; PS_ERR_NOT_FOUND if no host has started this process as a preloader (or it is gone
 *         already): so a program can be both, and load and serve by itself then; PS_ERR_VERSION_MISMATCH;
 *         PS_ERR_STATE; PS_ERR_PROTOCOL; PS_ERR_LIMIT; PS_ERR_SYSTEM
 */
ps_status ps_preload_open(ps_preload **preload, ps_error **error);

/**
 * Frees the handle and closes the channel. What the host has asked this preloader for and it has not made
 * is refused; its workers live on. A worker that has not said that it is ready counts as failed. NULL does
 * nothing.
 */
void ps_preload_free(ps_preload *preload);

/**
 * Puts the memory of this process into huge pages, where at least half of one is in use (madvise(2),
 * MADV_COLLAPSE). A fork then copies one entry for each instead of 512: 64 MiB are forked in 0.1 ms instead
 * of 1.1. Worth it for a preloader with much data that its workers read; each first write of a worker still
 * copies 4 KiB. Once, after everything is loaded and before ps_preload_ready (which does it, too, with
 * PS_PRELOAD_COLLAPSE): workers that are forked later share what was made, so nothing is moved again and
 * their own memory stays flat. The second time there is nothing to do. Blocks as long as the copying takes,
 * some 0.4 ms per MiB. The memory of files and of thread stacks is left as it is.
 *
 * @return PS_OK; PS_ERR_UNSUPPORTED before Linux 6.1, in a kernel without transparent huge pages, or
 *         without /proc; PS_ERR_LIMIT if no huge page was to be had; PS_ERR_STATE once it was said that
 *         this preloader is ready
 */
ps_status ps_preload_collapse(ps_preload *preload, ps_error **error);

/**
 * What is called around each fork, in the thread that called ps_preload_fork (ps_preload_accept and
 * ps_preload_forked, where a runtime forks by itself); each may be NULL, and a second call replaces them.
 *
 *   before        in the preloader, before it is looked whether other threads run: stop them here, flush
 *                 what stdio does not know of, take the locks that a copy must find free
 *   in_preloader  in the preloader, after the fork, whatever came of it: start them again
 *   in_worker     in the worker, when its gate is open: draw new random numbers (a generator that was
 *                 seeded before the fork gives all workers the same), open connections of its own
 *
 * The first two are called by ps_preload_ready as well, around its question for threads. They must return,
 * and may call everything but ps_preload_fork, _accept and _forked.
 *
 * @param data  given to each of them; must live as long as the preloader and its workers
 * @return PS_OK; PS_ERR_BAD_HANDLE, PS_ERR_FORKED
 */
ps_status ps_preload_on_fork(ps_preload *preload,
                             void (*before)(void *data),
                             void (*in_preloader)(void *data),
                             void (*in_worker)(void *data),
                             void *data,
                             ps_error **error);

/**
 * Everything is loaded: the host's requests are taken from now on, by ps_preload_fork. In a worker that was
 * asked to (PS_ASKED_PROMOTE): it is the preloader of the next generation from now on.
 *
 * Other threads are looked for (after the hook `before`): a fork copies the calling thread alone, with all
 * locks as they are. If there are any this fails, and the host is told with their names: nothing is gained
 * by a preloader whose forks would all be refused. A worker then stays a worker.
 *
 * Blocks for what its hooks and the huge pages take. In a worker that was asked it waits for the host's word
 * as well: at most five seconds beyond the time that it was given, and a minute at all. (One that libc's fork
 * has made can have no siblings: it goes on by libc's fork.)
 *
 * @param how  PS_FORK_LIBC: by fork(3). Handlers of pthread_atfork(3) run, those of the new process before
 *             it stands at its gate; workers are children of the preloader, and the host is told how they
 *             ended in a roundabout way. PS_FORK_SIBLING: workers are the host's own children, whose end it
 *             sees first-hand, also when the preloader is gone; for an application whose libraries need no
 *             atfork handler (libc's own state is put right). Where that cannot be had (the preloader is
 *             the init of a pid namespace; musl; an emulator) it is as PS_FORK_LIBC, and the host knows.
 *             Either with | PS_PRELOAD_COLLAPSE: what ps_preload_collapse does, where the kernel can, is
 *             done first; where it cannot that is no error
 * @return PS_OK; PS_ERR_STATE if other threads run (ps_error_step is "threads", the message names up to
 *         32), if it was said already, or if this is a worker that nobody has asked; PS_ERR_TIMEOUT if the
 *         time for becoming a preloader is over; PS_ERR_CANCELLED if the host is gone; PS_ERR_UNSUPPORTED
 *         if it cannot be known whether other threads run (no /proc); PS_ERR_INVALID_ARGUMENT;
 *         PS_ERR_SYSTEM
 */
ps_status ps_preload_ready(ps_preload *preload, int32_t how, ps_error **error);

/**
 * Loading has failed: the host's spawns end at once with this text in their errors, and do not wait until
 * this process has ended or their time is over. In a worker: it does not come to work, or, if it was asked
 * to become a preloader, it cannot and goes on as a worker. Nothing more can be said afterwards (but by a
 * worker that goes on): leave. Never blocks.
 *
 * @param text  for people, UTF-8; of more than 1536 bytes the rest is cut off
 * @return PS_OK; PS_ERR_STATE if this preloader serves already or was told to stop; PS_ERR_CANCELLED if the
 *         host is gone; PS_ERR_INVALID_ARGUMENT if text is NULL; PS_ERR_SYSTEM
 */
ps_status ps_preload_failed(ps_preload *preload, const char *text, ps_error **error);

/**
 * Waits until the host asks for a worker, and forks it; returns in both processes.
 *
 * In the worker the handle is the same, and this call returns when its gate is open: the host has proven
 * who it is and registered it, and has given it its descriptors (those above 2 are close-on-exec). Until
 * then all signals are blocked and, with PS_FORK_SIBLING, no instruction of the application has run. A
 * worker that nobody wants any more ends there with exit code 0. It leads a process group of its own. The
 * preloader's other descriptors are the application's business: the worker has them.
 *
 * Before each fork the output streams of stdio are flushed (fflush(NULL), which waits as a write does) and
 * other threads are looked for. What the preloader is asked for while it forks waits in its channel: forks
 * go one after another.
 *
 * Blocks at most timeout_ms, and for the fork (some 25 us per MiB of its memory in small pages). A signal
 * handler of this process that runs meanwhile ends the wait: PS_OK with PS_ROLE_PRELOADER.
 *
 * @param timeout_ms  milliseconds; -1: no limit; 0: what is there now, which may be nothing
 * @param role        receives PS_ROLE_PRELOADER: one worker was forked, or (timeout_ms 0, or a handler)
 *                    there was nothing to do: call it again. PS_ROLE_WORKER: this is the worker: do its
 *                    work, say ps_worker_ready. PS_ROLE_STOP: the host wants this preloader to go, or is
 *                    gone
 * @return PS_OK; PS_ERR_TIMEOUT; PS_ERR_STATE: other threads run (ps_error_step is "threads", the message
 *         names up to 32), so this worker was refused, which the host is told: the next call may do better;
 *         PS_ERR_LIMIT or PS_ERR_SYSTEM if the fork failed (the host is told as well); PS_ERR_STATE also
 *         before ps_preload_ready, and in a worker; PS_ERR_UNSUPPORTED as ps_preload_ready;
 *         PS_ERR_INVALID_ARGUMENT
 */
ps_status ps_preload_fork(ps_preload *preload, int64_t timeout_ms, int32_t *role, ps_error **error);

/**
 * For a runtime that must fork by itself (Python): as ps_preload_fork, up to the fork. Fork then, by
 * whatever the runtime has for that, and call ps_preload_forked in both processes. All that ps_preload_fork
 * does before a fork is done, but for the blocking of signals. One birth at a time.
 *
 * @param timeout_ms  as of ps_preload_fork
 * @param request     receives a number for ps_preload_forked, or 0: the host wants this preloader to go, or
 *                    is gone
 * @return PS_OK; PS_PENDING if a signal handler of this process has run meanwhile (request is not written);
 *         PS_ERR_TIMEOUT; otherwise as ps_preload_fork; PS_ERR_STATE also if ps_preload_forked was not
 *         called for the last one
 */
ps_status ps_preload_accept(ps_preload *preload, int64_t timeout_ms, uint64_t *request, ps_error **error);

/**
 * What came of a fork that the runtime has made for this request. In the new process this waits at the
 * gate, as ps_preload_fork does: call it first of all, since what runs before runs before the host knows of
 * the process. (It does not return if nobody wants the worker any more.)
 *
 * A child of this preloader is reaped by it (waitid(2), by its number) once the host has seen how it ended:
 * no one else in it should. One that the runtime has made as a sibling (CLONE_PARENT) is the host's.
 *
 * @param request  what ps_preload_accept has answered
 * @param pid      in the preloader the number of the new process; in the new process 0; less: the fork has
 *                 failed with this errno, negated
 * @return PS_OK; PS_ERR_INVALID_ARGUMENT if this is not the request; PS_ERR_FORKED in the new process if
 *         pid is not 0
 */
ps_status ps_preload_forked(ps_preload *preload, uint64_t request, int32_t pid, ps_error **error);

/**
 * What an event loop watches: readable when the host wants something. Then call, with timeout_ms 0,
 * ps_preload_fork or ps_preload_accept in a preloader, ps_worker_asked in a worker. It stays the library's,
 * and is another one after each change of role: ask again then. Never blocks.
 *
 * @return PS_OK; PS_ERR_STATE when nothing will be said any more; PS_ERR_LIMIT and PS_ERR_SYSTEM if it
 *         needs a descriptor that cannot be had
 */
ps_status ps_preload_fd(const ps_preload *preload, int32_t *fd, ps_error **error);

/**
 * This worker works: whoever asked for it gets it now. Once, and never blocks.
 *
 * @return PS_OK; PS_ERR_STATE if it was said already, or if this process is no worker; PS_ERR_CANCELLED if
 *         the host is gone, or does not want it any more
 */
ps_status ps_worker_ready(ps_preload *preload, ps_error **error);

/**
 * What the host wishes of this worker. A worker need not ask: then it is never promoted, and does not learn
 * that its host is gone. Takes one descriptor the first time, a pidfd of the host. Blocks at most timeout_ms;
 * a signal handler of this process ends the wait.
 *
 * @param timeout_ms  milliseconds; -1: no limit; 0: never blocks
 * @param what        receives PS_ASKED_NOTHING (the time is over, or a handler has run); PS_ASKED_PROMOTE,
 *                    once: finish what you are at, stop your threads, close what workers must not share,
 *                    and call ps_preload_ready, or ps_preload_failed if you cannot: then you go on as a
 *                    worker; PS_ASKED_STOP, from then on always: the host is gone, or lets this worker go
 * @return PS_OK; PS_ERR_STATE if this process is no worker; PS_ERR_INVALID_ARGUMENT; PS_ERR_SYSTEM
 */
ps_status ps_worker_asked(ps_preload *preload, int64_t timeout_ms, int32_t *what, ps_error **error);

/* ==================== handoff =========================================================================== */

/* The owner runs. Its successor loads beside it, owns from PS_HANDOFF_LIVE on, and is on probation until
 * PS_HANDOFF_COMMITTED, while the old owner stands by and can take back. ps_handoff_new has a whole server
 * as a sample; docs/guide/handoff.md is the guide, docs/guide/handoff-server.md what is around a server
 * (paths, users, systemd, pid files).
 *
 * TWO SIDES are told PS_HANDOFF_COMMITTED and PS_HANDOFF_ABORTED, and have to do different things:
 * event.phase says which side you are.
 *
 * WHAT YOU MAY DO, and what you do at SIGTERM, ps_handoff_phase says at any time. (Ask it in your event
 * loop, after a signalfd(2) or a pipe, not in the handler itself.)
 *
 *   PS_HANDOFF_PHASE_  accept  write  at SIGTERM
 *   _LOADING, _WARM    no      no     ps_handoff_free, exit: the old generation goes on
 *   _OPENING           yes     yes    stop; ps_handoff_free, exit: the old generation takes back
 *   _PROBATION         yes     yes    to end the service: stop, make durable; ps_handoff_free, exit: the old
 *                                     generation retires. Without the free the exit is a crash: it takes back
 *   _SETTLED, _OWNER,  yes     yes    finish, make durable; ps_handoff_free, exit: a handoff under way is
 *   _DRAINING                         called off. Without the free a warm successor goes on in your place
 *   _SEALING           no      yes    the same
 *   _SEALED            no      no     ps_handoff_free, exit
 *   _OVERLAP           yes     yes    as _STANDBY
 *   _STANDBY           no      no     remember it, and go on taking events: at RETIRE exit; at RESUME do as
 *                                     _OWNER does. This ends, at the latest, with the timeouts PROBATION and
 *                                     twice LIVE (overlap: and SEAL). Who exits at once takes the way back
 *                                     along: if the successor fails then, nobody serves
 *   _GONE              no      no     finish what is open, exit
 *
 * In a first generation, and where the other one is dead, nobody is there to go on or to take back.
 *
 * AN ACCEPT EVENT THAT IS STALE. One wait of an event loop may bring your listener and this handle at once.
 * If you take PS_HANDOFF_SEAL first, the listener's event is to be dropped: accept nothing more in this
 * batch, or ask ps_handoff_phase before each accept. The connection stays in the listener's line for the
 * one who serves next.
 *
 * A DAEMONIZING START (fork, setsid, pid file) asks ps_handoff_was_spawned first of all. 1: do not fork,
 * for your pid is the one that is awaited. 0: daemonize, then call ps_handoff_new, whose handle is of no
 * use in a forked copy. A first generation writes its pid file at PS_HANDOFF_LIVE, a successor at
 * PS_HANDOFF_COMMITTED: until then the old one is the main process, and may be so again.
 *
 * GOING BACK ON PURPOSE. Before the commit (_SEALED and before) the owner calls ps_handoff_cancel, or the
 * successor ps_handoff_failed. After it only the successor can: it stops accepting and writing, calls
 * ps_handoff_failed, and exits. The one that stands by has no call for it (PS_ERR_STATE): ask the successor
 * by a request of yours, or end it. Its pid is event.peer_pid of PS_HANDOFF_COMMITTED. To be sure that the
 * number is still its own, open a pidfd of it, take events until PS_PENDING, and signal by the pidfd if the
 * phase is _STANDBY still.
 *
 * A LISTENER THAT YOU CLOSE answers on, with nobody to accept: the library keeps a duplicate of what it is
 * to hand on. ps_handoff_set_fd(handoff, name, -1, ...) gives that up. */

/** One generation's end of a handoff, in which a running server hands over to the next. */
typedef struct ps_handoff ps_handoff;

/**
 * Opens this server's end of the handoff. The first generation and every successor run the same code. The
 * functions without ps_ are yours:
 *
 * ```c
 * void serve(const char *control_path) {
 *   ps_handoff *handoff = NULL;
 *   ps_error *error = NULL;
 *   int32_t role = 0, fd = -1;
 *   int serving = 0;                                  // whether it accepts and writes
 *
 *   if (ps_handoff_new(control_path, &handoff, &error) != PS_OK)
 *     fail(error);
 *   ps_handoff_role(handoff, &role, NULL);
 *   if (ps_handoff_take_fd(handoff, "http", &fd, NULL) == PS_ERR_NOT_FOUND) {
 *     fd = bind_and_listen();                         // nobody was before me: I am the first
 *     ps_handoff_set_fd(handoff, "http", fd, NULL);
 *   }
 *   load_everything();                                // may take minutes: the old generation serves
 *   if (role == PS_HANDOFF_SUCCESSOR)
 *     ps_handoff_warm(handoff, NULL);
 *
 *   for (;;) {                                        // or ps_handoff_fd in an event loop
 *     ps_handoff_event event = {.size = sizeof event};
 *     ps_status status = ps_handoff_next_event(handoff, -1, &event, &error);
 *     if (status == PS_PENDING)
 *       continue;                                     // a signal handler of yours has run
 *     if (status != PS_OK)
 *       fail(error);
 *     switch (event.kind) {
 *     case PS_HANDOFF_LIVE:
 *       open_writer(event.revision, event.unsealed);
 *       accept_on(fd);
 *       adopt_connections(handoff);                   // see CONNECTIONS, below
 *       serving = 1;
 *       ps_handoff_live(handoff, NULL);
 *       break;
 *     case PS_HANDOFF_DRAIN:
 *       end_background_work();                        // goes on accepting
 *       ps_handoff_drained(handoff, 0, NULL);
 *       break;
 *     case PS_HANDOFF_SEAL:
 *       stop_accepting();
 *       pass_connections(handoff);
 *       serving = 0;
 *       ps_handoff_sealed(handoff, make_durable(), NULL); // too late? RESUME is on its way
 *       break;
 *     case PS_HANDOFF_RESUME:
 *       if (event.unsealed) {
 *         close_connections();                        // the successor may have read from them, ...
 *         open_writer(0, 1);                          // ... and written
 *       }
 *       if (!serving)
 *         accept_on(fd);                              // SEAL had stopped it
 *       serving = 1;
 *       break;
 *     case PS_HANDOFF_COMMITTED:
 *       if (event.phase == PS_HANDOFF_PHASE_SETTLED)
 *         tell_the_service_manager();                 // the new one; the old one stands by
 *       break;
 *     case PS_HANDOFF_RETIRE:
 *       close_connections();
 *       ps_handoff_free(handoff);
 *       exit(0);
 *     case PS_HANDOFF_ABORTED:
 *       if (event.phase == PS_HANDOFF_PHASE_GONE)
 *         exit(1);                                    // a successor, whether it has served or not
 *       break;                                        // an owner goes on
 *     }
 *   }
 * }
 * ```
 *
 * The first generation locks `control_path`.lock, listens at `control_path` (both of mode 0600) and gets
 * PS_HANDOFF_LIVE as its first event. A successor is a process that ps_handoff_upgrade has spawned, or one
 * that this user or root starts while a generation runs: it connects to the path and takes over.
 *
 * Users. A server may give up its rights (setuid) at any time, before this call or after it; each generation
 * does so or not. A running generation admits root and the user that it is now. A successor takes what root
 * or its own user offers, and what another user's process offers only if that hands over the lock file of the
 * path, open for writing and held: it is the running generation, then, whoever it has become. So let root
 * open no path in a directory of a user's whom it does not trust, nor in one for all. A generation that has
 * given up its rights cannot end a successor that stays root and hangs: it takes back when somebody ends it.
 *
 * At every instant at most one process owns. Who has been committed is decided by one word in memory that
 * both share, and it stands if any party is killed, stopped or cut off at any moment
 * (docs/reference/handoff-protocol.md). Listening sockets are handed on as they are: never
 * closed, re-bound or shut down, and their O_NONBLOCK and options never touched.
 *
 * CONNECTIONS. From PS_HANDOFF_SEAL on nobody may answer a request that arrives on a connection which this
 * process has accepted: not this process, which may write nothing, and whose reads would be old; and the next
 * one does not have the connection. A client that keeps its connection open (HTTP/1.1 does) would wait, or
 * find it closed with its request unanswered. So, with PS_HANDOFF_EXCLUSIVE, hand connections on at SEAL:
 *
 * 1. Stop reading. Write the answers to what was read whole. What arrives now waits in the kernel.
 * 2. ps_handoff_pass_connection for each that is open, with the bytes that were read and not answered. With
 *    thousands do that at PS_HANDOFF_DRAIN already (without bytes), and at SEAL only for those that are new
 *    or have bytes; ps_handoff_keep_connection before one is closed.
 * 3. ps_handoff_sealed. Keep your own descriptors, and neither read, write nor shut them down.
 * 4. PS_HANDOFF_RESUME: read on from where you were. If `unsealed` is 1, end those you have passed, by
 *    shutdown(2) and close(2): the successor may have read part of a request, and has them open as long as it
 *    writes its core. PS_HANDOFF_RETIRE: close(2) them; a shutdown(2) would end them for the next one.
 * 5. The next one takes them at PS_HANDOFF_LIVE. Where it closes one, it calls shutdown(2) first: else the
 *    client hears of that only when the old generation has closed its own.
 *
 * What cannot go on in another process (TLS, HTTP/2, a websocket: their state is in yours) is told to come
 * back: from DRAIN on answer with `Connection: close` (GOAWAY, close 1001), go on answering until SEAL, and
 * close what is idle at SEAL. A request that is on its way then gets no answer; clients may repeat it if that
 * is harmless (RFC 9110, 9.2.2), and most do. With PS_HANDOFF_OVERLAP nothing of this is needed: the old
 * generation answers on its connections until PS_HANDOFF_RETIRE, and then says `Connection: close`.
 *
 * An owner looks after both files while it lives: with a watch (inotify(7), one descriptor more; on the two
 * files and the way to them, so others' files in the directory do not wake it), or, where none is to be had,
 * before each handoff and at its end. What somebody has removed or moved it makes anew, and gets
 * PS_HANDOFF_PATH_CHANGED; a handoff that is under way is called off for it (PS_ERR_LOCK_REPLACED), and after
 * the commit the new owner does it. Where another process has the lock by then, two may own: that cannot be
 * undone from here, and nobody can follow this generation until one of the two has ended.
 *
 * A process that you have forked without an exec holds what this handle has as you do, the lock among it.
 * Call ps_handoff_free there, first thing, and before it gives up any rights (who holds the lock counts as
 * the running generation): it closes that and nothing else. Where it is not called, a start after the death
 * of the last generation answers PS_ERR_LOCKED while the copy lives, and the error names it. Children of this
 * process's own supervisors are not admitted at the path (their supervisor would end them):
 * ps_handoff_upgrade is for those.
 *
 * Blocks only for a successor, until the running generation has offered what it hands on: at most 5 seconds,
 * and at most 1 second while the lock is held and nobody listens (5 beside an owner that writes its core), or
 * the owner is dead and a copy of it holds the lock.
 *
 * Identities are exact from Linux 6.5 on (SO_PEERPIDFD); before, they go by pid and start time, or, if
 * one of the two has no /proc (a root given up), by pid and its next message. Where pidfd_send_signal(2) is
 * filtered, a successor that came by the path and hangs cannot be ended either.
 *
 * @param control_path  at most 107 bytes from the root on; every generation names the same one. Nothing, or a
 *                      socket, may be there. It and the lock file must stay where they are: choose a
 *                      directory that no cleaner empties and no link leads to that is turned (/run/name, not
 *                      /tmp, not below "current"), and that belongs to the service's user alone: what root
 *                      makes there is given to that user. Copied.
 * @param handoff       receives the handle; free it with ps_handoff_free
 * @return PS_OK; PS_ERR_IN_PROGRESS if another handoff is under way, before its SEAL; PS_ERR_LOCKED if
 *         the lock is held and nobody listens at the path, or the last owner is dead, or has crashed
 *         and its core is being written: the message names it, and who holds the lock, as far as that
 *         can be seen; PS_ERR_LOCK_REPLACED if a generation runs whose lock file is not the one at the
 *         path: files were removed beside it, or a directory or link was changed (also seen where
 *         nothing is left of them, if the kernel tells who listens by that name: same network
 *         namespace, a process that this one may look at); PS_ERR_TIMEOUT if the running generation
 *         does not answer, which it does not during a seal or a probation either; PS_ERR_PEER_REJECTED
 *         if it does not admit this process, or who answers is another user's process and has not
 *         shown the lock; or a wrapper that was spawned has forked this process;
 *         PS_ERR_VERSION_MISMATCH; PS_ERR_CANCELLED if it has called the handoff off; PS_ERR_ABORTED
 *         if it has given it up, or has spawned this process and closed its channel since;
 *         PS_ERR_PROTOCOL if what it sends makes no sense; PS_ERR_NOT_FOUND if the directory is not
 *         there; PS_ERR_PERMISSION if it may not be used, if lock file or socket are those of another
 *         user as whom the server ran once (the message says whose, and what helps), or if what has
 *         the name of the lock file is not to be trusted (another user's, a link, a file with a
 *         further hard link: nothing is written to those); PS_ERR_INVALID_ARGUMENT if something else
 *         lies at the path, or in the lock file
 */
ps_status ps_handoff_new(const char *control_path, ps_handoff **handoff, ps_error **error);

/**
 * Frees the handle. What that does depends on where this process stands:
 *
 * - An owner calls off a handoff that has not been committed. A successor that it spawned and that owns
 *   nothing is killed and reaped (blocks at most 5 seconds for that); one that owns goes its own way. One
 *   that has crashed and is writing its core is waited for as long, and then left to it.
 * - A successor that was not told LIVE gives up. One that was told LIVE and has not answered gives back. One
 *   that has answered LIVE keeps what it owns, and the old generation retires.
 * - The last generation takes the control path away, if it is still the file that its generations have made;
 *   the lock file stays.
 *
 * - A generation that is over (it was told RETIRE), or stands by, leaves its successor alone. One that it has
 *   spawned is its child still, which nobody reaps from here on: what is left of it when it ends goes with
 *   this process.
 *
 * In a process that was forked from this one, without an exec, it closes what that copy has inherited: lock,
 * control path, channel, what ps_handoff_fd waits for, and the duplicates of what is handed on. That is felt
 * by nobody else: nothing is sent, unlocked, unlinked, killed or reaped, and nothing is waited for, whatever
 * other threads were doing with the handle. All other calls answer PS_ERR_FORKED there, before and after it.
 * What was opened between two instructions of another thread at the fork may stay open. The copy may have
 * closed or re-used descriptors before: what is not the handle's any more is left alone.
 *
 * Descriptors that you took or set are yours. NULL and a freed handle do nothing.
 */
void ps_handoff_free(ps_handoff *handoff);

/**
 * Whether this process was spawned to be a successor: to be asked first of all, before ps_handoff_new, by a
 * server that daemonizes. A successor must be the very process that ps_handoff_upgrade has spawned, so one
 * that is told 1 does not fork, calls no daemon(3) and writes no pid file yet. Takes and changes nothing.
 * Never blocks.
 *
 * It looks at PROCSUP_HANDOFF and at the descriptor that is named there. So it is 0 where neither can be
 * known: in a program that is set-user-id or has capabilities of its file (AT_SECURE in getauxval(3)), or
 * behind a wrapper that clears the environment or closes descriptors. It is 0, too, in a successor that
 * comes by the control path (nobody awaits its pid), in what a successor starts, and once ps_handoff_new has
 * taken the channel: ps_handoff_role knows then. A copy that you have forked before is told 1 as you are,
 * and is not the process that is awaited.
 *
 * @param control_path  the path that ps_handoff_new will get; NULL: any. A process that was spawned for
 *                      another path is told 0, and ps_handoff_new refuses it
 * @param spawned       receives 1 or 0
 * @return PS_OK; PS_ERR_NOT_FOUND if the path is relative and there is no working directory any more
 */
ps_status ps_handoff_was_spawned(const char *control_path, int32_t *spawned, ps_error **error);

/**
 * Whether this process can be replaced where it runs: to be asked at the start by a server that will hand
 * over. systemd takes the end of a unit's main process for the end of the service and kills all others, so it
 * must be told who follows (ps_notify_main_process). PS_ERR_UNSUPPORTED where that cannot be: this process is
 * the main process of a unit (INVOCATION_ID is set, and SYSTEMD_EXEC_PID is its number) and NOTIFY_SOCKET is
 * not set; or it has pid 1, as the first process of a container, whose end is the end of all (start the
 * server below one that stays: examples/container). Types of units:
 *
 *   Type=              NotifyAccess=   what works
 *   notify             all             everything: a successor speaks for itself
 *   notify-reload      all             the same, and systemctl reload waits for its end (systemd 253)
 *   notify, -reload    main (default)  if the old generation names the new one at PS_HANDOFF_RETIRE
 *   exec, simple       all or main     as above; but the start counts as done before it serves
 *   exec, simple,      none (default)  nothing: refused here and by ps_handoff_upgrade. With ExitType=cgroup
 *   forking, dbus                      (systemd 250) it works, which this process cannot see:
 *                                      ps_handoff_set_service_check
 *   oneshot            any             nothing: it is over when its process is
 *
 * PS_OK where there is no systemd, below another supervisor or in a container, in all processes that systemd
 * has not started itself, and under systemd before 248, where that cannot be told. Takes and changes nothing.
 * Never blocks.
 *
 * @return PS_OK; PS_ERR_UNSUPPORTED, with the words for the log
 */
ps_status ps_handoff_check_service(ps_error **error);

/**
 * Whether ps_handoff_upgrade refuses where ps_handoff_check_service does: for a unit with ExitType=cgroup,
 * for a server that reaches its service manager in another way, and for one of pid 1 that stays when it is
 * over. Never blocks.
 *
 * @param on  1 (default) or 0
 */
ps_status ps_handoff_set_service_check(ps_handoff *handoff, int32_t on, ps_error **error);

/** Who a process is in the handoff. */
typedef enum ps_handoff_role_code {
  /** It started cold. */
  PS_HANDOFF_FIRST = 0,
  /** It takes over from a running generation, or has done so. */
  PS_HANDOFF_SUCCESSOR = 1,
} ps_handoff_role_code;

/**
 * Who this process is. It stays what it was. Never blocks.
 *
 * @param role  receives PS_HANDOFF_FIRST or PS_HANDOFF_SUCCESSOR
 */
ps_status ps_handoff_role(const ps_handoff *handoff, int32_t *role, ps_error **error);

/** Where a server stands. */
typedef enum ps_handoff_phase_code {
  /**
   * LIVE was not taken yet: load; write nothing, accept nothing. A successor says when it has loaded
   * everything.
   */
  PS_HANDOFF_PHASE_LOADING = 1,
  /** The same, and it has said so. */
  PS_HANDOFF_PHASE_WARM = 2,
  /** LIVE was taken and is not answered: you own; write and accept. */
  PS_HANDOFF_PHASE_OPENING = 3,
  /**
   * A successor that serves: write and accept. The old generation stands by, and takes back if this process
   * ends, hangs or says that it cannot.
   */
  PS_HANDOFF_PHASE_PROBATION = 4,
  /**
   * A successor whose probation is over, and which stands alone: write and accept. _OWNER follows when
   * COMMITTED was taken and worked off, that is, with the next look for events.
   */
  PS_HANDOFF_PHASE_SETTLED = 5,
  /** The owner: write and accept. There may be a successor that loads. */
  PS_HANDOFF_PHASE_OWNER = 6,
  /** The owner, whose successor is warm: write and accept, begin no work that may take long. */
  PS_HANDOFF_PHASE_DRAINING = 7,
  /**
   * The owner was told SEAL (or is, by the next event): accept nothing more; write what is under way, until
   * you answer.
   */
  PS_HANDOFF_PHASE_SEALING = 8,
  /**
   * SEAL was answered: accept nothing, write nothing. Either the successor is about to own, or this process
   * owns again, and RESUME is to be taken first.
   */
  PS_HANDOFF_PHASE_SEALED = 9,
  /** Overlap mode: the successor owns, and until SEAL both accept. */
  PS_HANDOFF_PHASE_OVERLAP = 10,
  /** The successor owns: accept nothing, write nothing, keep everything. You may be asked to go on. */
  PS_HANDOFF_PHASE_STANDBY = 11,
  /** Over: retired (finish what is open, write nothing, exit), or a successor that came to nothing (exit). */
  PS_HANDOFF_PHASE_GONE = 12,
} ps_handoff_phase_code;

/**
 * Where this process stands: what it may do now. Whether an accept event or a task that was queued before
 * SEAL may still be served, and what a handler of SIGTERM has to do (see the top of this section). For
 * handlers that are called by your event loop: this is no call for a signal handler. Never blocks;
 * answers after PS_HANDOFF_RETIRE, too.
 *
 * It says what is so, with one reservation: a permission counts from the event on that gives it, once that
 * was *taken*. While PS_HANDOFF_LIVE, _RESUME or _COMMITTED waits in the queue, what was before holds: write
 * nothing on the word of this call that an event has not told you to. What takes a permission away holds at
 * once, also while its event (_SEAL, _RETIRE, _ABORTED) still waits.
 *
 * @param phase  receives a PS_HANDOFF_PHASE_*
 */
ps_status ps_handoff_phase(const ps_handoff *handoff, int32_t *phase, ps_error **error);

/**
 * Which generation owns, as this process sees it: 1 for the first, strictly increasing, also over cold
 * starts (the lock file keeps count). A handoff that was taken back counts as well. Never blocks.
 */
ps_status ps_handoff_generation(const ps_handoff *handoff, uint64_t *generation, ps_error **error);

/** Whether two generations may serve at once. */
typedef enum ps_handoff_mode {
  /** One writer: the successor serves after the owner has sealed. */
  PS_HANDOFF_EXCLUSIVE = 0,
  /** The successor accepts before the owner stops. */
  PS_HANDOFF_OVERLAP = 1,
} ps_handoff_mode;

/**
 * Owner: how the next handoffs go. Never blocks.
 *
 * With PS_HANDOFF_EXCLUSIVE the successor serves after the owner has sealed; connections wait in the
 * listening socket's queue meanwhile (tens of microseconds). PS_HANDOFF_OVERLAP is for servers without a
 * writer: the successor accepts beside the owner, which gets PS_HANDOFF_SEAL after that, so there is no gap.
 *
 * @param mode  PS_HANDOFF_EXCLUSIVE (default) or PS_HANDOFF_OVERLAP
 */
ps_status ps_handoff_set_mode(ps_handoff *handoff, int32_t mode, ps_error **error);

/** The waits of a handoff. */
typedef enum ps_handoff_timeout {
  /** For the answer to DRAIN; by default what is left of the whole deadline. */
  PS_HANDOFF_TIMEOUT_DRAIN = 1,
  /** For the answer to SEAL; by default what is left of the whole deadline. */
  PS_HANDOFF_TIMEOUT_SEAL = 2,
  /**
   * For the answer to LIVE, and for the sign of life that ends the probation: a successor that is silent
   * longer is killed. Also, but then at most 5000 ms, for the signs of life before and after SEAL: a
   * successor that is silent longer is given up. And how long RETIRE waits for a successor that has not
   * come back since COMMITTED. Default 5000 ms.
   */
  PS_HANDOFF_TIMEOUT_LIVE = 3,
  /** How long the old generation stands by. Default 2000 ms. */
  PS_HANDOFF_TIMEOUT_PROBATION = 4,
  /** For a whole handoff that began at the control path, until its commit. Default 60000 ms. */
  PS_HANDOFF_TIMEOUT_TAKEOVER = 5,
} ps_handoff_timeout;

/**
 * Owner: how long the next handoffs wait for what. Never blocks.
 *
 * @param which  a PS_HANDOFF_TIMEOUT_*
 * @param ms     milliseconds, at least 1; 0 is allowed for PS_HANDOFF_TIMEOUT_PROBATION. "For ever" is not:
 *               every wait has an end
 */
ps_status ps_handoff_set_timeout(ps_handoff *handoff, int32_t which, int64_t ms, ps_error **error);

/**
 * Hands a descriptor of any kind on under a name; one of the same name is replaced. A duplicate is kept,
 * `fd` stays yours. May be called during a handoff, too: what is set before ps_handoff_sealed (with overlap:
 * ps_handoff_drained) still reaches the successor. What a successor has taken is handed on by itself.
 *
 * To close a listener takes both, -1 here and your own close(2): the duplicate would answer on, and
 * connections wait in its queue for nobody. During a probation the old generation has one, too, until it
 * retires. Connections would be held open in the same way: for those there is ps_handoff_pass_connection.
 *
 * @param name  1 to 255 bytes without a newline, not beginning with "procsup:"; copied
 * @param fd    -1: this name is handed on no more (PS_ERR_NOT_FOUND if it was not)
 * @return PS_OK; PS_ERR_STATE if this generation is over
 */
ps_status ps_handoff_set_fd(ps_handoff *handoff, const char *name, int32_t fd, ps_error **error);

/**
 * Successor: claims a descriptor that was handed on. Each can be taken once, until ps_handoff_live, which
 * closes what nobody has taken. What the running generation sets anew while this one loads can be taken
 * again: ps_handoff_fd_names at PS_HANDOFF_LIVE lists it.
 *
 * The library keeps a duplicate, so each takes two numbers of your limit of open files.
 *
 * @param fd  receives it: close-on-exec, now yours. Its open file description (offset, O_NONBLOCK, socket
 *            options) is shared with the old generation: change nothing of that while the old generation may
 *            take back
 * @return PS_OK; PS_ERR_NOT_FOUND if nothing of that name was handed on, as in the first generation
 */
ps_status ps_handoff_take_fd(ps_handoff *handoff, const char *name, int32_t *fd, ps_error **error);

/**
 * Successor: the names that were handed on and not taken, in the order of their bytes, each followed by a
 * newline.
 *
 * @param buf, cap, needed  see BYTES, at the top
 * @return PS_OK; PS_ERR_LIMIT if the buffer is too small
 */
ps_status ps_handoff_fd_names(const ps_handoff *handoff,
                              char *buf,
                              size_t cap,
                              size_t *needed,
                              ps_error **error);

/**
 * Owner: passes an open connection on to the successor, with what was read of it and is not answered yet (see
 * CONNECTIONS at ps_handoff_new). From PS_HANDOFF_DRAIN on until ps_handoff_sealed (with overlap, in which
 * who passes one must have stopped reading it: until ps_handoff_drained). Called again for the same
 * connection it replaces the bytes. A duplicate is kept, `fd` stays yours. If the handoff comes to nothing,
 * nothing is passed any more; each handoff begins anew.
 *
 * It takes one number of the limit of open files here and one in the successor, one more each with bytes.
 * What is passed before ps_handoff_drained is sent while this process still serves; what is passed after that
 * is sent between ps_handoff_sealed and the commit, in messages of 252, each of which is acknowledged. A
 * successor whose limit is too low ends the handoff, and PS_HANDOFF_RESUME follows. Never blocks.
 *
 * @param fd    the connection: a socket, or any descriptor of which that holds
 * @param data  copied; the successor gets them with the descriptor
 * @param len   how many bytes; 0: none
 * @return PS_OK; PS_ERR_STATE if it is not the time (any more), as when the handoff was called off
 */
ps_status ps_handoff_pass_connection(ps_handoff *handoff,
                                     int32_t fd,
                                     const void *data,
                                     size_t len,
                                     ps_error **error);

/**
 * Owner: passes a connection on no more. Call it before you close one that was passed: else the duplicate
 * that the library keeps holds it open, and the successor gets it. Never blocks.
 *
 * @return PS_OK; PS_ERR_NOT_FOUND if it is not passed on; PS_ERR_STATE after ps_handoff_sealed, if it is:
 *         the successor has it, or is about to
 */
ps_status ps_handoff_keep_connection(ps_handoff *handoff, int32_t fd, ps_error **error);

/**
 * Successor: claims the next connection that was passed on, in no order that means anything. At
 * PS_HANDOFF_LIVE, until ps_handoff_live, which closes those that nobody has taken. Go on as if the bytes had
 * just been read. Nothing of it stays with the library. There is none if `unsealed` is 1: the last owner has
 * read on until its death, nobody knows how far, and its clients see its connections end. Never blocks.
 *
 * While the old generation stands by it has each connection, too: end one by shutdown(2) before close(2).
 *
 * @param fd      receives it: close-on-exec, now yours. Its open file description is shared with the old
 *                generation, as with ps_handoff_take_fd
 * @param buf     receives what the old generation has read of it and not answered; may be NULL if `cap` is 0
 * @param cap     how many bytes there is room for
 * @param needed  receives how many bytes they are, also where there is no room for them; may be NULL
 * @return PS_OK; PS_ERR_NOT_FOUND if none is left; PS_ERR_LIMIT if the buffer is too small: it is still the
 *         next one; PS_ERR_STATE before PS_HANDOFF_LIVE
 */
ps_status ps_handoff_take_connection(ps_handoff *handoff,
                                     int32_t *fd,
                                     void *buf,
                                     size_t cap,
                                     size_t *needed,
                                     ps_error **error);

/**
 * Sets the state for the next generation: any bytes, copied into sealed memory. It may be set again at SEAL:
 * the successor reads at LIVE what was set last. A successor that is to hand on in turn sets its own.
 *
 * @return PS_OK; PS_ERR_STATE if this generation is over
 */
ps_status ps_handoff_set_state(ps_handoff *handoff, const void *data, size_t len, ps_error **error);

/**
 * Successor: the state that was handed on; empty if there is none. It stays readable, and its memory taken,
 * until the handle is freed or this process hands over.
 *
 * @param buf, cap, needed  see BYTES, at the top
 * @return PS_OK; PS_ERR_LIMIT if the buffer is too small
 */
ps_status ps_handoff_state(const ps_handoff *handoff,
                           void *buf,
                           size_t cap,
                           size_t *needed,
                           ps_error **error);

/**
 * The descriptor to wait on: readable while ps_handoff_next_event has something to do. Borrowed: do not read
 * or close it. Never blocks.
 */
ps_status ps_handoff_fd(const ps_handoff *handoff, int32_t *fd, ps_error **error);

/**
 * What a server is told. An owner: DRAIN, SEAL, COMMITTED and RETIRE; or, at any point before RETIRE, RESUME
 * and ABORTED. A successor: LIVE and COMMITTED; or, at any point before COMMITTED, ABORTED.
 */
typedef enum ps_handoff_event_kind {
  /** The successor is warm: end background work, go on accepting, then call ps_handoff_drained. */
  PS_HANDOFF_DRAIN = 1,
  /**
   * Stop accepting, reading and writing; pass open connections on; make everything durable, then call
   * ps_handoff_sealed. (With overlap: stop accepting, and no more than that.) Look at a flag of yours
   * before accept(2): a listener may be ready in the same batch of your event loop in which this event is.
   */
  PS_HANDOFF_SEAL = 2,
  /**
   * You own: open the writer, accept, take the connections, then call ps_handoff_live. The first event of
   * the first generation, too.
   */
  PS_HANDOFF_LIVE = 3,
  /** You own still, or again: go on as before (see unsealed). */
  PS_HANDOFF_RESUME = 4,
  /**
   * The successor stands alone, and its server has worked PS_HANDOFF_COMMITTED off (or has had
   * PS_HANDOFF_TIMEOUT_LIVE for that): close the connections that were passed on, finish those that were
   * not, and exit.
   */
  PS_HANDOFF_RETIRE = 5,
  /**
   * The old generation (event.phase is PS_HANDOFF_PHASE_STANDBY): the successor serves, you stand by. The
   * new one (PS_HANDOFF_PHASE_SETTLED): the probation is over, you stand alone; the old generation is told
   * to exit once you ask for the next event (or begin a handoff of your own; in whatever thread: let one
   * take the events), so tell whoever watches it of yourself before: a service manager (MAINPID), a pid
   * file.
   */
  PS_HANDOFF_COMMITTED = 6,
  /**
   * The handoff came to nothing; `reason` says why. An owner (event.phase is PS_HANDOFF_PHASE_OWNER) goes
   * on. A successor (PS_HANDOFF_PHASE_GONE) stops at once and exits, also one that has served.
   */
  PS_HANDOFF_ABORTED = 7,
  /**
   * Owner: somebody has removed or moved the control path or its lock file (a cleaner, a link that was
   * turned). No answer is awaited; it comes only while no handoff is under way. `reason`: PS_OK, they are
   * this process's again, made anew if need be; PS_ERR_LOCK_REPLACED, another process holds the lock that
   * lies there: whatever it owns, this one does too, and nobody can follow this one. End one of the two.
   * Another status: they could not be made anew; that is tried again.
   */
  PS_HANDOFF_PATH_CHANGED = 8,
} ps_handoff_event_kind;

/** What a server is told in the course of a handoff. */
typedef struct ps_handoff_event {
  /** Set by the caller: sizeof(ps_handoff_event). */
  uint32_t size;
  /**
   * PS_HANDOFF_DRAIN, _SEAL, _LIVE, _RESUME, _RETIRE, _COMMITTED, _ABORTED or _PATH_CHANGED. Ignore those
   * that you do not know: a later version may have more, and none of them awaits an answer.
   */
  int32_t kind;
  /** Which handoff it belongs to; the same number on both sides. 0: to none. */
  uint64_t handoff_id;
  /**
   * PS_HANDOFF_LIVE: what the last owner gave to ps_handoff_sealed; 0 on a cold start, if unsealed is 1,
   * and in overlap mode (where SEAL comes later).
   */
  uint64_t revision;
  /**
   * PS_HANDOFF_LIVE: 1 if the owner died before it had sealed: run crash recovery. PS_HANDOFF_RESUME: 1 if
   * the successor had been told LIVE and may have written: read the state anew from storage.
   */
  int32_t unsealed;
  /** The other process, for display; 0 if there was none. */
  int32_t peer_pid;
  /**
   * PS_HANDOFF_ABORTED: why, a PS_ERR_*. PS_HANDOFF_PATH_CHANGED: how it is now. ps_handoff_reason has the
   * words.
   */
  int32_t reason;
  /**
   * PS_HANDOFF_DRAIN, _SEAL, _LIVE: answer before this, nanoseconds of CLOCK_MONOTONIC. 0: no answer is
   * awaited.
   */
  int64_t deadline_ns;
  /** When it came about, nanoseconds of CLOCK_MONOTONIC. */
  int64_t time_ns;
  /**
   * Where this event puts you, a PS_HANDOFF_PHASE_*. It tells the two sides of an event apart:
   * PS_HANDOFF_COMMITTED is _STANDBY in the old generation and _SETTLED in the new one,
   * PS_HANDOFF_ABORTED is _OWNER in the old one and _GONE in the new one, whether it has served or not.
   */
  int32_t phase;
  /** Means nothing in this version: 0. */
  int32_t reserved;
} ps_handoff_event;

/**
 * Takes the next event, and does what is due: speaks with the other generation, keeps deadlines, reaps. Call
 * it until PS_PENDING whenever ps_handoff_fd is readable: a handoff goes on only inside these calls, and a
 * generation that does not make them is taken for hung.
 *
 * Go on with it after RETIRE, as long as you have connections to finish: a successor that you have spawned is
 * your child, and may hand over to the next generation and end before you. ps_handoff_fd is readable then,
 * and this call reaps it (and nothing else is done to it); it answers PS_PENDING.
 *
 * @param timeout_ms  how long to wait, milliseconds; -1: for ever, 0: not at all. A signal handler of the
 *                    host ends the wait (see SIGNALS, at the top)
 * @param event       receives the event (set event->size first)
 * @return PS_OK; PS_PENDING if there is none; PS_ERR_STATE if there never will be one (this generation is
 *         over, and `timeout_ms` is -1); PS_ERR_SHUTDOWN if the handle was freed meanwhile
 */
ps_status ps_handoff_next_event(ps_handoff *handoff,
                                int64_t timeout_ms,
                                ps_handoff_event *event,
                                ps_error **error);

/**
 * Successor: everything is loaded. Only now is the owner drained and sealed, so loading may take as long as
 * the deadline allows. PS_HANDOFF_LIVE follows, or PS_HANDOFF_ABORTED. Never blocks.
 *
 * @return PS_OK; PS_ERR_STATE if it was said before, or this is no successor
 */
ps_status ps_handoff_warm(ps_handoff *handoff, ps_error **error);

/**
 * Answers PS_HANDOFF_DRAIN: background work has ended. Accepting goes on. In exclusive mode PS_HANDOFF_SEAL
 * follows as soon as the successor has shown that it is awake; if it does not within
 * PS_HANDOFF_TIMEOUT_LIVE, the handoff is off, and nothing was stopped for it. Never blocks.
 *
 * @param open_connections  how many are open; for people to read, procsup does nothing with it
 * @return PS_OK; PS_ERR_STATE if no such answer is awaited (any more): the handoff was called off meanwhile
 */
ps_status ps_handoff_drained(ps_handoff *handoff, uint32_t open_connections, ps_error **error);

/**
 * Answers PS_HANDOFF_SEAL: this process accepts and writes nothing any more, and everything acknowledged is
 * durable. From here on the successor may own: the commit is made at once, or, if descriptors or the state
 * were set since SEAL, when the successor has acknowledged them. Or the handoff is off and PS_HANDOFF_RESUME
 * follows; write nothing before that. Never blocks.
 *
 * @param revision  how far the data go; the successor gets it with PS_HANDOFF_LIVE
 * @return PS_OK; PS_ERR_STATE if no such answer is awaited (any more)
 */
ps_status ps_handoff_sealed(ps_handoff *handoff, uint64_t revision, ps_error **error);

/**
 * Answers PS_HANDOFF_LIVE: this process serves. What was handed on and not taken is closed now. The old
 * generation then stands by for the probation, and takes back if this process ends, or crashes: a core that
 * is being written is let finish, and not waited for. After it this process gets PS_HANDOFF_COMMITTED and
 * stands alone. Never blocks.
 *
 * @return PS_OK; PS_ERR_STATE if no such answer is awaited
 */
ps_status ps_handoff_live(ps_handoff *handoff, ps_error **error);

/**
 * This side cannot go on. The owner gets PS_HANDOFF_RESUME, also when its successor says so after
 * PS_HANDOFF_LIVE: that successor must have stopped writing before it calls, and exit after. Never blocks.
 *
 * @param reason  in words, for people to read; may be NULL. Copied.
 * @return PS_OK; PS_ERR_STATE if there is no handoff to fail
 */
ps_status ps_handoff_failed(ps_handoff *handoff, const char *reason, ps_error **error);

/**
 * Owner: spawns its successor and hands over to it. Returns when the program has begun (as ps_spawn, which
 * says how long that takes); ps_handoff_next_event does the rest. The successor finds its channel by a
 * variable that is added to its environment, PROCSUP_HANDOFF, and must be the very process that is spawned:
 * a wrapper has to exec it. If that wrapper has closed the channel or cleared the environment, or if the
 * program has capabilities from its file or is set-user-id and so believes no environment, it comes by the
 * control path, where it is known, as whatever user it runs; it must be able to open the lock file there. A
 * wrapper that forks it ends the handoff (PS_ERR_PEER_REJECTED), and both sides are told which process was
 * spawned and which one came.
 *
 * Where this process is watched by whoever has started it (WATCHDOG_PID is its number), the successor is in
 * its place: its own number stands there, so that ps_watchdog_enabled finds the watchdog.
 *
 * Until the commit it is a child like any other: stopped by its stop plan and reaped if the handoff comes to
 * nothing, killed by ps_kill_and_reap_all. From the commit on it is none: exit, free and kill-all of this
 * generation leave it alone.
 *
 * @param successor    a command that nothing ties to this process: no die_with_host, cgroup, sandbox_dir,
 *                     deadline, restart policy, pipes or captured output (PS_ERR_INVALID_ARGUMENT)
 * @param deadline_ms  milliseconds for everything until the commit, loading included; at least 1
 * @return PS_OK; what ps_spawn answers; PS_ERR_IN_PROGRESS if a handoff is under way; PS_ERR_STATE if this
 *         process does not own; PS_ERR_LOCK_REPLACED if another process holds the lock that lies beside the
 *         control path now (see PS_HANDOFF_PATH_CHANGED), or what that event said if the lock file could not
 *         be made anew (PS_ERR_NOT_FOUND, PS_ERR_PERMISSION, PS_ERR_INVALID_ARGUMENT): nothing was spawned;
 *         PS_ERR_UNSUPPORTED if the service manager would not follow (ps_handoff_check_service);
 *         PS_ERR_EXITED if the successor has ended already; PS_ERR_SHUTDOWN if the handle was freed
 *         meanwhile: the successor is ended, then
 */
ps_status ps_handoff_upgrade(ps_handoff *handoff,
                             const ps_command *successor,
                             int64_t deadline_ms,
                             ps_error **error);

/**
 * Owner: calls the handoff off, which is possible until the commit. PS_HANDOFF_RESUME (if DRAIN was told)
 * and PS_HANDOFF_ABORTED follow. Never blocks.
 *
 * @return PS_OK; PS_ERR_STATE if there is none, or it is committed
 */
ps_status ps_handoff_cancel(ps_handoff *handoff, ps_error **error);

/**
 * Why the last handoff came to nothing, in words, or, if PS_HANDOFF_PATH_CHANGED was taken since, what
 * became of the control path; they may be the other side's, of which there are at most
 * 1024 bytes. On one line, as in ps_error_message.
 *
 * @param buf, cap, needed  see BYTES, at the top
 * @return PS_OK; PS_ERR_LIMIT if the buffer is too small
 */
ps_status ps_handoff_reason(const ps_handoff *handoff,
                            char *buf,
                            size_t cap,
                            size_t *needed,
                            ps_error **error);

/* ==================== what came of a handoff ============================================================ */

/* Each handoff leaves a record, in the old generation and in the new one: who handed over to whom, when each
 * step was taken, how long nobody served, how many connections went along; and, where it came to nothing, why
 * and how far it had come. For a log when it is over, and for a page that an operator opens later:
 *
 * ```c
 * void log_line(const char *line);
 *
 * void log_outcome(const ps_handoff *handoff)         // at PS_HANDOFF_RETIRE and PS_HANDOFF_ABORTED
 * {
 *   char text[8192];
 *   if (ps_handoff_outcome_text(handoff, 0, PS_RENDER_JSON, text, sizeof text, NULL, NULL) == PS_OK)
 *     log_line(text);
 * }
 * ``` */

/**
 * What came of one handoff. Both generations write it, and tell each other what only they can see; so what
 * one of them did not live to tell may be missing (0).
 */
typedef struct ps_outcome {
  /** Set by the caller: sizeof(ps_outcome). */
  uint32_t size;
  /** 1: the successor owns. 0: it came to nothing, and the old generation went on. */
  int32_t committed;
  /** Which handoff: the same number on both sides, and in ps_handoff_event. */
  uint64_t handoff_id;
  /** Why it came to nothing, a PS_ERR_*; PS_OK if it did not. The text and JSON have the words. */
  int32_t reason;
  /**
   * How far it had come: PS_HANDOFF_PHASE_LOADING (the successor is started, greets and loads), _WARM,
   * _DRAINING, _SEALING, _SEALED (the commit is on its way), _OPENING (it owns, and has not answered LIVE),
   * _OVERLAP, _PROBATION, _SETTLED.
   */
  int32_t phase;
  /** PS_HANDOFF_EXCLUSIVE or PS_HANDOFF_OVERLAP. */
  int32_t mode;
  /**
   * 1: storage had to be read anew, because the old generation died before it had sealed, or the new one
   * was given up after it may have written.
   */
  int32_t unsealed;
  /** The old generation's process, for display. */
  int32_t old_pid;
  /** The successor's process, for display; 0: there was none. */
  int32_t new_pid;
  /** Which generation handed over. */
  uint64_t old_generation;
  /** The successor's; 0: it never owned. */
  uint64_t new_generation;
  /** When it began, nanoseconds of CLOCK_MONOTONIC, as all that follow. */
  int64_t began_ns;
  /** The same, nanoseconds since 1970. */
  int64_t began_realtime_ns;
  /** The successor has said that it is there. 0, here and below: it did not come to that, or nobody knows. */
  int64_t greeted_ns;
  /** It has everything that is handed on. */
  int64_t offered_ns;
  /** It has loaded everything: ps_handoff_warm. */
  int64_t warm_ns;
  /** The old generation's background work has ended: ps_handoff_drained. */
  int64_t drained_ns;
  /** The old generation has stopped: ps_handoff_sealed. */
  int64_t sealed_ns;
  /** The successor owns. */
  int64_t committed_ns;
  /** The successor serves: ps_handoff_live. */
  int64_t live_ns;
  /** The successor stands alone. */
  int64_t settled_ns;
  /** It was over: the old generation retired, or went on. */
  int64_t ended_ns;
  /**
   * How long nobody served: from SEAL's answer to LIVE's, or, if it came to nothing, to RESUME. 0: somebody
   * always did (PS_HANDOFF_OVERLAP), or that is not known.
   */
  int64_t gap_ns;
  /** What ps_handoff_drained said. */
  uint32_t connections_open;
  /** Passed on by ps_handoff_pass_connection. */
  uint32_t connections_passed;
  /** Of those so many were taken by ps_handoff_take_connection; the others were closed at LIVE. */
  uint32_t connections_taken;
  /** Left with the old generation at RETIRE: open at DRAIN, and not passed on. */
  uint32_t connections_left;
  /** Which build the old generation is (ps_handoff_set_build_id), NUL-terminated; empty if it did not say. */
  char old_build_id[72];
  /** The same of the new one. */
  char new_build_id[72];
} ps_outcome;

/**
 * What came of a handoff of this server that is over: committed, when the old generation was told RETIRE and
 * the new one COMMITTED; or come to nothing, when ABORTED was told. Both generations have it, also those that
 * came by the control path. The last 16 are kept, and handed on: a generation knows those before its own. A
 * cold start begins with none, and an older release hands none on. Answers after PS_HANDOFF_RETIRE, too.
 * Never blocks.
 *
 * @param index    0: the last one, 1: the one before, up to 15
 * @param outcome  receives it (set outcome->size first)
 * @return PS_OK; PS_ERR_NOT_FOUND if no more are on record
 */
ps_status ps_handoff_outcome(const ps_handoff *handoff,
                             uint32_t index,
                             ps_outcome *outcome,
                             ps_error **error);

/**
 * The same for people and programs, NUL-terminated, with the time that each step took. A page loads nothing
 * and runs nothing; build ids and words, which may be the other side's, are no syntax in it and command no
 * terminal. JSON is one object: `handoff_id`, `committed`, `reason` (a PS_ERR_*, or null), `reason_code`,
 * `reason_text`, `phase`, `mode` ("exclusive", "overlap"), `unsealed`, `old` and `new` (each with `pid`,
 * `generation`, `build_id`), `began_ns`, `began_time` (RFC 3339), `ended_ns`, `times` (`greeted_ns` to
 * `settled_ns`), `gap_ns`, `connections` (`open`, `passed`, `taken`, `left`), and `journey`, whose steps
 * are greet, offer, load, drain, seal, commit, open, probation, as in ps_worker_journey. null is what did
 * not happen, or nobody knows. Never blocks.
 *
 * @param index             as in ps_handoff_outcome
 * @param format            PS_RENDER_TEXT, PS_RENDER_JSON or PS_RENDER_HTML
 * @param buf, cap, needed  see BYTES, at the top; `needed` counts the NUL
 * @return PS_OK; PS_ERR_NOT_FOUND if no more are on record; PS_ERR_LIMIT if the buffer is too small;
 *         PS_ERR_INVALID_ARGUMENT for another format
 */
ps_status ps_handoff_outcome_text(const ps_handoff *handoff,
                                  uint32_t index,
                                  int32_t format,
                                  char *buf,
                                  size_t cap,
                                  size_t *needed,
                                  ps_error **error);

/**
 * Says which build this process is: a version, a commit. It stands in the records of its handoffs, on both
 * sides. Call it right after ps_handoff_new; what a record has when it ends counts. Never blocks.
 *
 * @param build_id  1 to 64 printable bytes (ASCII); copied
 * @return PS_OK
 */
ps_status ps_handoff_set_build_id(ps_handoff *handoff, const char *build_id, ps_error **error);

/* ==================== a separate supervisor of a handoff ================================================ */

/* For a service whose generations are started, watched and replaced by another process than themselves: a
 * small program that keeps the listeners, or pid 1 of a container. */

/**
 * A supervisor of a handoff, in a process of its own: it starts the first generation of a server, has it
 * replaced, and starts another one when none is left.
 */
typedef struct ps_handoff_supervisor ps_handoff_supervisor;

/** How it is asked. */
typedef enum ps_health_kind {
  /** Not at all: who is ready is healthy. Default. */
  PS_HEALTH_NONE = 0,
  /** Somebody accepts at an address: unix:/path, tcp:host:port. */
  PS_HEALTH_SOCKET = 1,
  /** An answer of 2xx to a GET of http://host:port/path. */
  PS_HEALTH_HTTP = 2,
} ps_health_kind;

/** How generations are replaced. */
typedef enum ps_handoff_protocol {
  /** Both generations use ps_handoff: they hand over to each other, and the supervisor looks on. Default. */
  PS_HANDOFF_PROTOCOL_NATIVE = 0,
  /**
   * Daemons that know LISTEN_FDS and sd_notify, and nothing of procsup: both serve for a while. The new one
   * must say READY=1 (or what its command's readiness is), be found healthy and pass a probation; only then
   * the old one's stop plan runs, with the drain as its first wait. If it fails before, it is ended, and
   * the old one was never touched. Commands may have readiness and a watchdog. See
   * docs/guide/handoff-daemons.md.
   */
  PS_HANDOFF_PROTOCOL_NOTIFY = 1,
  /** Daemons that speak the three-party protocol, version 1, of the crate beyond-handoff. */
  PS_HANDOFF_PROTOCOL_V1 = 2,
} ps_handoff_protocol;

/**
 * Makes a supervisor. Nothing is started or looked for yet: ps_handoff_supervisor_start does the one, for a
 * service that does not run, ps_handoff_supervisor_recover the other, after a restart of this process. The
 * functions without ps_ are yours:
 *
 * ```c
 * #include <procsup.h>
 * #include <stdlib.h>
 * #include <unistd.h>
 *
 * int bind_and_listen(void);
 * void fail(ps_error *error);                         // says why, and exits
 *
 * void supervise(const char *control_path, ps_command *command) {
 *   ps_handoff_supervisor *supervisor = NULL;
 *   ps_error *error = NULL;
 *
 *   if (ps_handoff_supervisor_new(control_path, &supervisor, &error) != PS_OK)
 *     fail(error);
 *   ps_status found = ps_handoff_supervisor_recover(supervisor, &error);
 *   if (found == PS_ERR_NOT_FOUND) {                  // nobody serves, and nothing is held
 *     ps_error_free(error);
 *     error = NULL;
 *     int fd = bind_and_listen();
 *     found = ps_handoff_supervisor_listener(supervisor, "http", fd, &error);
 *     close(fd);                                      // it has a duplicate
 *   }
 *   int32_t pid;
 *   if (found == PS_OK && ps_handoff_supervisor_owner(supervisor, &pid, NULL, NULL) != PS_OK)
 *     found = ps_handoff_supervisor_start(supervisor, command, &error);
 *   if (found != PS_OK)
 *     fail(error);
 *
 *   for (;;) {                                        // or ps_handoff_supervisor_fd in an event loop
 *     ps_handoff_supervisor_event event = {.size = sizeof event};
 *     ps_status status = ps_handoff_supervisor_next_event(supervisor, -1, &event, &error);
 *     if (status == PS_PENDING)
 *       continue;                                     // a signal handler of yours has run
 *     if (status != PS_OK)
 *       fail(error);
 *     if (event.kind != PS_HANDOFF_SUPERVISOR_GAVE_UP)
 *       continue;
 *     if (event.reason != PS_ERR_NOT_FOUND)
 *       exit(1);                                      // whoever watches this process has to see to it
 *     if (ps_handoff_supervisor_start(supervisor, command, &error) != PS_OK)
 *       fail(error);                                  // who was found has ended: its command is yours
 *   }
 * }
 * ```
 *
 * It is an observer that can help, and never one that must: the generations hand over to each other as they
 * do without it. So its crash, its hang, its stop and its restart at any moment change nothing for them or
 * for their clients; its own program is replaced by ending it and starting the new one, which recovers.
 *
 * What it holds: duplicates of the listeners (ps_handoff_supervisor_listener, or fetched from the generation
 * that serves), which it gives to each generation by LISTEN_FDS and LISTEN_FDNAMES, so that one that finds
 * nobody before it starts with them and no connection is refused meanwhile. A successor that takes over gets
 * them from the running generation as well (ps_handoff_take_fd); it should prefer those.
 *
 * A generation that it has started is a child of this process like any other until it may own: then it
 * leaves what ps_kill_and_reap_all ends, for it has to outlive this process. To end it there is
 * ps_handoff_supervisor_stop. So commands are as for ps_handoff_upgrade: nothing may tie the child to this
 * process (PS_ERR_INVALID_ARGUMENT).
 *
 * Costs a descriptor for each listener, three for its event loop, and up to four more. Never blocks.
 *
 * @param control_path  as for ps_handoff_new: where the generations meet. NULL only for
 *                      PS_HANDOFF_PROTOCOL_NOTIFY
 * @param supervisor    receives the handle; free it with ps_handoff_supervisor_free
 * @return PS_OK; PS_ERR_INVALID_ARGUMENT if the path is too long for a socket or names no file;
 *         PS_ERR_NOT_FOUND if it is relative and there is no working directory any more; PS_ERR_LIMIT if
 *         descriptors are not to be had
 */
ps_status ps_handoff_supervisor_new(const char *control_path,
                                    ps_handoff_supervisor **supervisor,
                                    ps_error **error);

/**
 * Frees the supervisor. The generation that serves goes on, with nobody to start another in its place, and
 * stays a child of this process, which has nobody to reap it from then on; what is held here is closed. A
 * successor under way that owns nothing is killed and reaped (blocks at most 5 seconds for that), one that
 * may own goes its own way. Waits of other threads end with PS_ERR_SHUTDOWN.
 *
 * In a process that was forked from this one, without an exec, it closes what that copy has inherited, which
 * is felt by nobody. NULL and a freed handle do nothing.
 */
void ps_handoff_supervisor_free(ps_handoff_supervisor *supervisor);

/**
 * Holds a listener for the generations to come: each gets it by LISTEN_FDS, under this name in
 * LISTEN_FDNAMES. It is a duplicate: `fd` stays yours, and may be closed. It is never bound anew, shut down
 * or changed. From then on clients are not refused while no generation serves: they wait in its queue. May
 * be called at any time; it counts for the generations that are started after it. Never blocks.
 *
 * @param name  1 to 255 printable ASCII characters without a colon; copied
 * @param fd    a socket that listens, or one for datagrams
 * @return PS_OK; PS_ERR_INVALID_ARGUMENT if the name is none or taken, or `fd` is not such a socket;
 *         PS_ERR_LIMIT if 252 are held, or descriptors are not to be had
 */
ps_status ps_handoff_supervisor_listener(ps_handoff_supervisor *supervisor,
                                         const char *name,
                                         int32_t fd,
                                         ps_error **error);

/**
 * How generations are replaced. To be set before ps_handoff_supervisor_start and _recover. Never blocks.
 *
 * With PS_HANDOFF_PROTOCOL_V1 this process stands in the middle, by that protocol: from the end of the old
 * generation's drain until the new one is ready nobody serves unless it goes on. So it is to call for events
 * promptly. If it ends, at any step, one of the two serves on; if it stands still (SIGSTOP) both wait for it.
 * docs/reference/handoff-v1.md has what is spoken, and what is done otherwise than in the crate.
 *
 * @param protocol  a PS_HANDOFF_PROTOCOL_*
 * @return PS_OK; PS_ERR_STATE if a generation was started or looked for already
 */
ps_status ps_handoff_supervisor_set_protocol(ps_handoff_supervisor *supervisor,
                                             int32_t protocol,
                                             ps_error **error);

/**
 * Keeps a journal in this file, for a supervisor that comes after this one (ps_handoff_supervisor_recover).
 * To be set before ps_handoff_supervisor_start and _recover. Never blocks for the disk: it is written whole
 * or not at all, and not flushed, for after a loss of power nobody is left that it could tell of.
 *
 * PS_HANDOFF_PROTOCOL_NATIVE needs none: who owns is asked of the owner. With _NOTIFY it tells who serves,
 * who is on trial and who was sent away, each by marks that the kernel gives to one process only, and the
 * listeners: without it a restarted supervisor knows of no daemon. With _V1 it is the file of the crate,
 * and tells how far a replacement was. What lies at the path and is no journal gets another name (.corrupt)
 * before it is written.
 *
 * One that cannot be written (a full disk) is an error of nobody: what lies there then tells of an earlier
 * time. With _NOTIFY that is tried again each second, and counted (ps_handoff_supervisor_metrics).
 *
 * @param path  in a directory of the service's user; copied
 * @return PS_OK; PS_ERR_STATE if a generation was started or looked for already; PS_ERR_NOT_FOUND if it is
 *         relative and there is no working directory any more; PS_ERR_INVALID_ARGUMENT if it is NULL or
 *         empty, or names no file
 */
ps_status ps_handoff_supervisor_set_journal(ps_handoff_supervisor *supervisor,
                                            const char *path,
                                            ps_error **error);

/**
 * What the generations to come are known by in records (ps_outcome), unless they say their own. Never blocks.
 *
 * @param build_id  1 to 64 printable ASCII characters; copied
 * @return PS_OK; PS_ERR_INVALID_ARGUMENT
 */
ps_status ps_handoff_supervisor_set_build_id(ps_handoff_supervisor *supervisor,
                                             const char *build_id,
                                             ps_error **error);

/**
 * What is asked of a new generation that is ready before the old one goes, where the protocol leaves that to
 * the supervisor (PS_HANDOFF_PROTOCOL_NOTIFY). It is asked again until the answer is good, and has failed
 * when none was for `timeout_ms`; also during the probation. Of an HTTP answer the status counts, and no more
 * than 1 KiB is read. Counts at once. Never blocks.
 *
 * BOTH GENERATIONS ACCEPT at the listeners that they share: whoever asks there is answered by either. To
 * learn something of the new one alone, ask where nobody else is: "%p" in the detail is its process id, as in
 * "unix:/run/app/%p.sock"; or use a command (ps_handoff_supervisor_set_health_command).
 *
 * @param kind        a PS_HEALTH_*
 * @param detail      PS_HEALTH_SOCKET: unix:/path or tcp:host:port; PS_HEALTH_HTTP: http://host:port/path,
 *                    the host a number or localhost (names are not looked up); else NULL. Copied
 * @param timeout_ms  until it must have been found healthy; 0: 5000
 * @return PS_OK; PS_ERR_INVALID_ARGUMENT
 */
ps_status ps_handoff_supervisor_set_health(ps_handoff_supervisor *supervisor,
                                           int32_t kind,
                                           const char *detail,
                                           int64_t timeout_ms,
                                           ps_error **error);

/**
 * The same by a command: 0 is healthy, any other end is not, nor is one that has not ended in time, which is
 * killed. It is started anew for each look, with the process id of the generation it is to look at in
 * PS_HEALTH_PID, and which generation that will be in PS_HEALTH_GENERATION. Never blocks.
 *
 * @param command     copied
 * @param timeout_ms  until one must have ended with 0; 0: 5000
 * @return PS_OK; PS_ERR_INVALID_ARGUMENT if the timeout is negative
 */
ps_status ps_handoff_supervisor_set_health_command(ps_handoff_supervisor *supervisor,
                                                   const ps_command *command,
                                                   int64_t timeout_ms,
                                                   ps_error **error);

/**
 * How long a new generation must live and be healthy before the old one is stopped, where the protocol leaves
 * that to the supervisor (PS_HANDOFF_PROTOCOL_NOTIFY). It comes on top of the deadline of a replacement. If
 * the old one ends meanwhile, the new one is committed at once: nobody is left to go back to. With the others
 * the generations say so themselves (PS_HANDOFF_TIMEOUT_PROBATION). Never blocks.
 *
 * @param ms  milliseconds; 0: not at all, the default
 * @return PS_OK; PS_ERR_INVALID_ARGUMENT
 */
ps_status ps_handoff_supervisor_set_probation(ps_handoff_supervisor *supervisor,
                                              int64_t ms,
                                              ps_error **error);

/**
 * How often another generation is started in the place of one that has ended by itself, whatever its exit
 * code: with the command of the last one that has served. Beyond that PS_HANDOFF_SUPERVISOR_GAVE_UP is told.
 * What was counted before is forgotten. Never blocks.
 *
 * @param max_attempts  so many starts in a window; 0: never. Default 3
 * @param window_ms     0: 30 000, the default
 * @return PS_OK; PS_ERR_INVALID_ARGUMENT if `window_ms` is negative
 */
ps_status ps_handoff_supervisor_set_restart(ps_handoff_supervisor *supervisor,
                                            uint32_t max_attempts,
                                            int64_t window_ms,
                                            ps_error **error);

/**
 * Starts the first generation; PS_HANDOFF_SUPERVISOR_STARTED and, when it serves, _SERVING follow. Also after
 * _STOPPED and _GAVE_UP. A generation that runs already at the path, and that this supervisor does not know,
 * is taken over from by what is started: call ps_handoff_supervisor_recover first.
 *
 * Blocks for the spawn only (see ps_spawn).
 *
 * @param command  copied; it is used again for a generation in the place of this one
 * @return PS_OK; PS_ERR_STATE if a generation runs, or is being started or looked for;
 *         PS_ERR_INVALID_ARGUMENT if the command would tie its child to this process, or the protocol needs a
 *         control path and has none; what ps_spawn answers
 */
ps_status ps_handoff_supervisor_start(ps_handoff_supervisor *supervisor,
                                      const ps_command *command,
                                      ps_error **error);

/**
 * Has the generation that serves replaced by another: PS_HANDOFF_SUPERVISOR_STARTED, any number of _PROGRESS,
 * and _COMMITTED or _ABORTED follow. The old generation serves until then, and on after an _ABORTED.
 *
 * Blocks for the spawn only (see ps_spawn).
 *
 * @param command      copied; once it has served, it is used again for a generation in the place of this one
 * @param deadline_ms  for all of it until the commit; 0: 300 000
 * @param drain_ms     for the end of the old generation's background work (its answer to PS_HANDOFF_DRAIN);
 *                     0: 60 000
 * @return PS_OK; PS_ERR_STATE if no generation serves that this supervisor knows of; PS_ERR_IN_PROGRESS if
 *         one is being replaced already (with PS_HANDOFF_PROTOCOL_NOTIFY until the old one has ended), or the
 *         successor of one that came to nothing has not ended yet: at
 *         _ABORTED it may still be on its way out, and the descriptor is readable when it is gone, with or
 *         without an event. Try again then; PS_ERR_INVALID_ARGUMENT if a time is negative, or the command
 *         would tie its child to this process; with PS_HANDOFF_PROTOCOL_V1 PS_ERR_NOT_FOUND if nobody
 *         listens at the control path and PS_ERR_PEER_REJECTED if another user does; with _NOTIFY
 *         PS_ERR_NOT_FOUND if a generation that was found has a listener that is not held here; what
 *         ps_spawn answers: then nothing has changed
 */
ps_status ps_handoff_supervisor_replace(ps_handoff_supervisor *supervisor,
                                        const ps_command *command,
                                        int64_t deadline_ms,
                                        int64_t drain_ms,
                                        ps_error **error);

/**
 * Calls the replacement off. It is a wish: whether the commit was first, the events say
 * (PS_HANDOFF_SUPERVISOR_ABORTED or _COMMITTED). Never blocks.
 *
 * @return PS_OK; PS_ERR_STATE if none is under way
 */
ps_status ps_handoff_supervisor_cancel(ps_handoff_supervisor *supervisor, ps_error **error);

/**
 * Ends the generation: by its command's stop plan (with PS_HANDOFF_PROTOCOL_NOTIFY also one that was found,
 * whose plan the journal has), or, if this process has not started it, by the default one (SIGTERM, then
 * SIGKILL). A replacement under way is called off first. No other generation is started in its place.
 * PS_HANDOFF_SUPERVISOR_STOPPED follows; the listeners are still held. Never blocks.
 *
 * @param grace_ms  in the place of the plan's first wait; -1: as the plan has it (2000 by default)
 * @return PS_OK, also if it is being stopped already; PS_ERR_STATE if no generation runs that this supervisor
 *         knows of; PS_ERR_PERMISSION if this process may not end it, and nothing has changed;
 *         PS_ERR_UNSUPPORTED if a filter refuses pidfd_send_signal, and it is no child of this process;
 *         PS_ERR_INVALID_ARGUMENT
 */
ps_status ps_handoff_supervisor_stop(ps_handoff_supervisor *supervisor, int64_t grace_ms, ps_error **error);

/**
 * After a restart of this process: finds the generation that serves, with its listeners and its identity.
 * PS_HANDOFF_SUPERVISOR_SERVING is told of who is found.
 *
 * | protocol | who serves | its listeners |
 * |----------|------------|---------------|
 * | _NATIVE  | the owner itself says it, at the control path | from the owner; if there is none, LISTEN_FDS |
 * | _NOTIFY  | the journal, as far as it is proven | LISTEN_FDS; else from the process itself |
 * | _V1      | the kernel says who answers at the control path | LISTEN_FDS |
 *
 * What the application has given before (ps_handoff_supervisor_listener) counts before all of these.
 * LISTEN_FDS is what this process's own starter has kept for it (systemd's descriptor store, FDSTORE=1 with
 * FDNAME=: see ps_notify_fds): its sockets are duplicated by their names, of several with one name the
 * first; the numbers stay as they are, and yours. From a process itself they are taken by pidfd_getfd(2)
 * (Linux 5.6, with the right to trace it), and only the very sockets that it was given. With _NOTIFY they
 * are given on in the order in which it has them. Nothing is bound anew.
 *
 * IDENTITY. A process of the journal counts if the kernel proves it to be the one: by the file handle of
 * its pidfd (Linux 6.14), by its inode (6.9), by its start time, in the same boot and, but for the handle,
 * the same pid namespace. Nobody else is ever signalled, or followed. Who may serve by it and cannot be
 * proven (a filter forbids pidfd_open) ends the recovery with PS_ERR_UNSUPPORTED. A journal that is torn or
 * garbled, and one that others than this user and root can have written, changes nothing. (With _V1 nothing
 * is decided by a journal; one that is none is told as an outcome.)
 *
 * A replacement that was under way goes on by itself with _NATIVE and _V1; its record is there when it has
 * ended. With _NOTIFY nobody has seen its trial: its successor is ended, unless the old one is gone and it
 * was ready; who was sent away is stopped again when its time is over. Nobody hears any more what a daemon
 * says that was found (its watchdog), until it is replaced. How it ends is told
 * (PS_HANDOFF_SUPERVISOR_OWNER_ENDED) with code or signal, though it is nobody's child here, if its parent
 * has not reaped it or the kernel keeps its status (Linux 6.15); one that has ended meanwhile is told of at
 * once if nobody has reaped it, and else is nobody.
 *
 * The command of the generation is not known: if it ends, PS_HANDOFF_SUPERVISOR_GAVE_UP with
 * PS_ERR_NOT_FOUND asks for a ps_handoff_supervisor_start, until a generation of this supervisor's own has
 * served.
 *
 * Blocks at most 5 seconds, while an owner answers nobody (in a probation).
 *
 * @return PS_OK: somebody serves (ps_handoff_supervisor_owner), or nobody does and listeners are held: then
 *         start; PS_ERR_NOT_FOUND if nothing runs and nothing is held: then start, too; PS_ERR_TIMEOUT if
 *         somebody listens at the path, or has its lock, and does not answer; PS_ERR_STATE if a generation
 *         was started or found already; PS_ERR_PEER_REJECTED if the owner does not admit this process, or is
 *         another user; PS_ERR_INVALID_ARGUMENT if the protocol needs a control path and has none;
 *         PS_ERR_PROTOCOL if LISTEN_FDS is not what it says; PS_ERR_LIMIT if descriptors or memory are not to
 *         be had; with _NOTIFY PS_ERR_UNSUPPORTED if who serves cannot be proven, PS_ERR_PROTOCOL if the
 *         journal is none, PS_ERR_PERMISSION if it may be somebody else's, or cannot be read
 */
ps_status ps_handoff_supervisor_recover(ps_handoff_supervisor *supervisor, ps_error **error);

/**
 * Who owns, as far as this supervisor knows. Never blocks.
 *
 * @param pid         receives its pid, for display
 * @param generation  receives its generation, 0 if the protocol has none; or NULL
 * @return PS_OK; PS_ERR_NOT_FOUND if none is known to serve
 */
ps_status ps_handoff_supervisor_owner(const ps_handoff_supervisor *supervisor,
                                      int32_t *pid,
                                      uint64_t *generation,
                                      ps_error **error);

/**
 * What came of a replacement that is over, as ps_handoff_outcome of the generations tells it: the owner's own
 * record, also of handoffs that this supervisor has not asked for; or, where no owner could tell (both ended,
 * or it is of an older release), what was seen here. The last 16 are kept, and a supervisor that comes later
 * gets those of the owner. Never blocks.
 *
 * @param index    0: the last one, 1: the one before, up to 15
 * @param outcome  receives it (set outcome->size first)
 * @return PS_OK; PS_ERR_NOT_FOUND if no more are on record
 */
ps_status ps_handoff_supervisor_outcome(const ps_handoff_supervisor *supervisor,
                                        uint32_t index,
                                        ps_outcome *outcome,
                                        ps_error **error);

/**
 * The same in words, as ps_handoff_outcome_text. Never blocks.
 *
 * @param index             as in ps_handoff_supervisor_outcome
 * @param format            PS_RENDER_TEXT, PS_RENDER_JSON or PS_RENDER_HTML
 * @param buf, cap, needed  see BYTES, at the top; `needed` counts the NUL
 * @return PS_OK; PS_ERR_NOT_FOUND if no more are on record; PS_ERR_LIMIT if the buffer is too small;
 *         PS_ERR_INVALID_ARGUMENT for another format
 */
ps_status ps_handoff_supervisor_outcome_text(const ps_handoff_supervisor *supervisor,
                                             uint32_t index,
                                             int32_t format,
                                             char *buf,
                                             size_t cap,
                                             size_t *needed,
                                             ps_error **error);

/**
 * Counters of this supervisor, in Prometheus' text format (names begin with handoff_): generations,
 * replacements that were done and those that came to nothing by reason, how long they took, the gap of the
 * last one, who owns, how often the journal could not be written. Never blocks.
 *
 * @param buf, cap, needed  see BYTES, at the top
 * @return PS_OK; PS_ERR_LIMIT if the buffer is too small
 */
ps_status ps_handoff_supervisor_metrics(const ps_handoff_supervisor *supervisor,
                                        char *buf,
                                        size_t cap,
                                        size_t *needed,
                                        ps_error **error);

/**
 * A descriptor for an event loop: readable while ps_handoff_supervisor_next_event has something to do. It
 * stays the supervisor's; do not close it. Never blocks.
 *
 * @param fd  receives it
 */
ps_status ps_handoff_supervisor_fd(const ps_handoff_supervisor *supervisor, int32_t *fd, ps_error **error);

/** What has happened. */
typedef enum ps_handoff_supervisor_event_kind {
  /** A generation was started: the first, a successor, or one in the place of one that has ended. `pid`. */
  PS_HANDOFF_SUPERVISOR_STARTED = 1,
  /**
   * This generation owns, and stands alone: `pid`, `generation`. Also one that came without this
   * supervisor (its own upgrade, a takeover). It is no child any more that a kill of all would end.
   */
  PS_HANDOFF_SUPERVISOR_SERVING = 2,
  /** A replacement has come to `phase`, a PS_HANDOFF_PHASE_*: `handoff_id`, `pid` (old), `peer_pid` (new). */
  PS_HANDOFF_SUPERVISOR_PROGRESS = 3,
  /** A replacement is done: `pid` (new), `peer_pid` (old), `generation`. Its record is the outcome 0. */
  PS_HANDOFF_SUPERVISOR_COMMITTED = 4,
  /**
   * A replacement came to nothing, and the old generation serves on, or one is started in its place:
   * `reason`, `pid` (old), `peer_pid` (new). Its record is the outcome 0.
   */
  PS_HANDOFF_SUPERVISOR_ABORTED = 5,
  /**
   * The generation that owned has ended by itself: `pid`, `exit_code`, `exit_signal` as far as they are
   * known (`reason` is PS_ERR_NOT_FOUND where they are not). Not told where its successor owned already
   * when that was seen: that is COMMITTED.
   */
  PS_HANDOFF_SUPERVISOR_OWNER_ENDED = 6,
  /**
   * No generation is started in its place any more: `reason` is PS_ERR_BUDGET_EXHAUSTED (or what stood in
   * the way of a start). The listeners are still held.
   */
  PS_HANDOFF_SUPERVISOR_GAVE_UP = 7,
  /** The generation has ended, as it was asked to: `pid`, `exit_code`, `exit_signal`. */
  PS_HANDOFF_SUPERVISOR_STOPPED = 8,
} ps_handoff_supervisor_event_kind;

/** Something has happened. What does not belong to its kind is 0. */
typedef struct ps_handoff_supervisor_event {
  /** Set by the caller: sizeof(ps_handoff_supervisor_event). */
  uint32_t size;
  /** A PS_HANDOFF_SUPERVISOR_*. Ignore those that you do not know: none of them awaits an answer. */
  int32_t kind;
  /** Which handoff: the same number as in the generations' own events. */
  uint64_t handoff_id;
  /** Of whom, for display. */
  int32_t pid;
  /** The other one, for display. */
  int32_t peer_pid;
  /** Which generation owns by it. */
  uint64_t generation;
  /** PS_HANDOFF_SUPERVISOR_PROGRESS: a PS_HANDOFF_PHASE_*, of the old generation. */
  int32_t phase;
  /** Why, a PS_ERR_*. */
  int32_t reason;
  /** How it ended: its exit code. */
  int32_t exit_code;
  /** The signal that ended it, or 0. */
  int32_t exit_signal;
  /** When it was heard of, nanoseconds of CLOCK_MONOTONIC. */
  int64_t time_ns;
  /** Means nothing in this version: 0. */
  uint64_t reserved;
} ps_handoff_supervisor_event;

/**
 * The next event; also does all the work that is due, so call it whenever the descriptor is readable, until
 * PS_PENDING. A start that follows from what is found is made within it (see ps_spawn).
 *
 * At most 256 events are kept; of those that nobody takes the oldest PS_HANDOFF_SUPERVISOR_PROGRESS goes
 * first.
 *
 * @param timeout_ms  how long to wait, milliseconds; -1: for ever, 0: not at all. A signal handler of the
 *                    host ends the wait (see SIGNALS, at the top)
 * @param event       receives it (set event->size first)
 * @return PS_OK; PS_PENDING if there is none (yet); PS_ERR_SHUTDOWN if the supervisor is freed meanwhile
 */
ps_status ps_handoff_supervisor_next_event(ps_handoff_supervisor *supervisor,
                                           int64_t timeout_ms,
                                           ps_handoff_supervisor_event *event,
                                           ps_error **error);

#ifdef __cplusplus
}
#endif

#endif /* PROCSUP_H */
