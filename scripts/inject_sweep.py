#!/usr/bin/env python3
"""Lets every system call of a scenario fail, one after the other, in every way that it can fail.

    inject_sweep.py --inject PATH/inject [--share N] [--seconds N] [--verbose] -- SCENARIO

The scenario (c-tests/inject/*.c) is first run without faults to list its calls, in the process itself and in the child up to its
exec; then once per call and errno. Of a loop that tries again until the kernel is ready (a removal that waits for its members) only
the first turns are swept: the later ones are the same, and their number tells how busy the machine is. The scenario checks by itself
what must hold and exits with 0. Both `SCENARIO warm` and `SCENARIO cold` are swept (see c-tests/lib/scenario.h). Exit 1 if any run
failed, 77 where tracing is not permitted.

--share N: only each N-th fault; PROCSUP_SWEEP=K in the environment begins with the K-th of them, and PROCSUP_SWEEP=all sweeps them all.
"""
import argparse
import collections
import ctypes
import os
import re
import select
import signal
import subprocess
import sys
import tempfile
import time

# What a call can answer when the machine, a limit, an older kernel or a security module refuses it. Calls whose failure cannot
# happen (getpid), or could only be a broken program (EFAULT), have none.
LIMITS = "EMFILE ENFILE ENOMEM"
REFUSED = "ENOSYS EPERM"
ERRNOS = {
    "clone3": "EAGAIN ENOMEM EMFILE ENFILE EINVAL " + REFUSED,
    "clone": "EAGAIN ENOMEM EMFILE EPERM",
    "fork": "EAGAIN ENOMEM",
    "vfork": "EAGAIN ENOMEM",
    "execve": "EAGAIN ENOMEM EACCES ENOENT EMFILE",
    "execveat": "EAGAIN ENOMEM EACCES ENOENT " + REFUSED,
    "pidfd_open": "EINVAL " + LIMITS + " " + REFUSED,
    "pidfd_send_signal": REFUSED,
    "pidfd-group": "EINVAL " + REFUSED,
    "pidfd-info": "ENOTTY EINVAL EPERM",
    "pidfd_getfd": "EMFILE " + REFUSED,
    "name_to_handle_at": "EOPNOTSUPP ENOMEM " + REFUSED,
    "open_by_handle_at": "EOPNOTSUPP EINVAL EACCES " + LIMITS + " " + REFUSED,
    "waitid": "EINTR",
    "waitid-pidfd": "EINTR EINVAL EPERM",
    "wait4": "EINTR",
    "pipe2": LIMITS,
    "pipe": LIMITS,
    "openat": "EINTR EACCES " + LIMITS,
    "open": "EINTR EACCES " + LIMITS,
    "openat2": "EINTR EAGAIN " + LIMITS + " " + REFUSED,
    "close": "EINTR",
    "close_range": "EMFILE ENOMEM EINVAL " + REFUSED,
    "dup": "EMFILE",
    "dup2": "EMFILE EINTR EBUSY",
    "dup3": "EMFILE EINTR EBUSY",
    "fcntl": "EMFILE EINTR ENOMEM",
    "read": "EINTR",
    "write": "EINTR",
    "sendto": "EINTR ENOMEM",
    "recvfrom": "EINTR ENOMEM",
    "sendmsg": "EINTR EAGAIN ENOMEM ENOBUFS ETOOMANYREFS EPERM",
    "recvmsg": "EINTR EAGAIN ENOMEM ENOBUFS EPERM",
    "socket": "EACCES ENOBUFS " + LIMITS,
    "bind": "EACCES EADDRINUSE ENOSPC EROFS ENOMEM EPERM",
    "listen": "EPERM",
    "connect": "EINTR EAGAIN EACCES ENOMEM EPERM",
    "accept4": "EINTR ECONNABORTED ENOBUFS EPERM " + LIMITS,
    "getsockopt": "ENOMEM EPERM",
    "peer-pidfd": "ENOPROTOOPT EINVAL ENODATA ESRCH EPERM EMFILE",
    "setsockopt": "ENOMEM EPERM",
    "flock": "EINTR ENOLCK ENOMEM EPERM",
    "ftruncate": "EINTR ENOSPC EPERM",
    "pread64": "EINTR EIO",
    "pwrite64": "EINTR ENOSPC EDQUOT EIO",
    "poll": "EINTR ENOMEM",
    "ppoll": "EINTR ENOMEM",
    "epoll_wait": "EINTR",
    "epoll_pwait": "EINTR",
    "epoll_pwait2": "EINTR ENOSYS",
    "epoll_create1": LIMITS,
    "epoll_ctl": "ENOMEM ENOSPC",
    "eventfd2": LIMITS,
    "timerfd_create": LIMITS,
    "timerfd_settime": "EPERM",
    "signalfd4": LIMITS,
    "socketpair": LIMITS,
    "memfd_create": LIMITS + " " + REFUSED,
    "mmap": "ENOMEM EAGAIN",
    "mprotect": "ENOMEM",
    "munmap": "ENOMEM",
    "mremap": "ENOMEM",
    "madvise": "ENOMEM EINVAL",
    "kill": "EPERM",
    "prctl": "EPERM EINVAL",
    "setpgid": "EPERM EACCES",
    "setsid": "EPERM",
    "chdir": "EACCES ENOENT ENOMEM",
    "fchdir": "EACCES",
    "prlimit64": "EPERM",
    "sched_setaffinity": "EINVAL ESRCH",
    "sched_setscheduler": "EPERM",
    "landlock_create_ruleset": "EOPNOTSUPP EMFILE ENOMEM " + REFUSED,
    "landlock_add_rule": "ENOMEM EBADF",
    "landlock_restrict_self": "E2BIG EPERM ENOMEM",
    "setpriority": "EACCES EPERM",
    "setgroups": "EPERM ENOMEM",
    "setresgid": "EPERM",
    "setresuid": "EPERM EAGAIN",
    "getdents64": "ENOMEM",
    "getrandom": "EINTR",
    "linkat": "ENOSPC EDQUOT EIO EROFS ENOENT " + REFUSED,
    "rename": "ENOSPC EDQUOT EIO EROFS ENOENT EPERM",
    "renameat": "ENOSPC EDQUOT EIO EROFS ENOENT EPERM",
    "renameat2": "ENOSPC EDQUOT EIO EROFS ENOENT EINVAL " + REFUSED,
    "unlinkat": "EIO EROFS ENOENT EPERM EBUSY ENOTEMPTY",
    "mkdirat": "EACCES EEXIST EROFS ENOMEM ENOSPC EDQUOT EPERM",
    "mknodat": "EACCES EEXIST EROFS ENOMEM ENOSPC EDQUOT EPERM",
    "newfstatat": "EIO EACCES ENOMEM",
    "statx": "EIO EACCES ENOMEM " + REFUSED,
    "readlink": "ENOENT EACCES ENOMEM EIO",
    "readlinkat": "ENOENT EACCES ENOMEM EIO",
    "fchmod": "EIO EROFS EPERM",
    "fchmodat": "EIO EROFS EPERM ENOENT",
    "fchown": "EIO EROFS EDQUOT EPERM",
    "fchownat": "EIO EROFS EDQUOT EPERM ENOENT",
    "lseek": "EIO",
    "getcwd": "ENOENT ENOMEM",
    "getgroups": "EPERM",
    "nanosleep": "EINTR",
    "clock_nanosleep": "EINTR",
}
CANNOT_FAIL = set(
    "brk exit exit_group futex getegid geteuid getgid getpgid getpgrp getpid getppid getsid gettid getuid rseq rt_sigaction"
    " fcntl-get rt_sigprocmask rt_sigreturn sched_yield set_robust_list set_tid_address sigaltstack umask clock_gettime arch_prctl tgkill".split()
)
OTHERS = "ENOMEM EINTR EPERM"

# Shortages last: for these also every later call of the kind fails.
LASTING = {
    "EMFILE": "clone3 clone pidfd_open pipe2 openat dup dup3 fcntl eventfd2 epoll_create1 timerfd_create memfd_create socketpair accept4 peer-pidfd",
    "ENFILE": "openat pipe2",
    "ENOMEM": "clone3 clone fork mmap",
    "EAGAIN": "clone3 clone fork",
    "ENOSYS": "clone3 close_range pidfd_open pidfd_send_signal pidfd-group",
    "ENOPROTOOPT": "peer-pidfd",
    "EPERM": "clone3 clone close_range pidfd_open pidfd_send_signal pidfd-group waitid-pidfd",
    "EINVAL": "clone3 waitid-pidfd pidfd-group",
}
EXECUTED = {"close"}  # answers an error although it did its work

RUN_SECONDS = 60
# A call that follows the same calls as an earlier one does is a further turn of a loop; this many turns are swept.
CONTEXT, TURNS = 12, 2
# Without its per-thread caches glibc's malloc can say exactly how much is in use.
ENVIRONMENT = {**os.environ, "GLIBC_TUNABLES": "glibc.malloc.tcache_count=0"}


def errnos_of(call, more):
    if call in CANNOT_FAIL:
        return []
    return list(dict.fromkeys(ERRNOS.get(call, OTHERS).split() + more.get(call, [])))


def positions(report):
    """(role, position, call) of each: the n-th of its name, not the n-th of all, for runs differ in what they poll and read."""
    counts = collections.Counter()
    for role, _, call in (line.split() for line in report):
        counts[role, call] += 1
        yield role, str(counts[role, call]), call


def first_turns(calls):
    """The calls without the further turns of loops."""
    lately = collections.defaultdict(lambda: collections.deque(maxlen=CONTEXT))
    turns = collections.Counter()
    for role, position, call in calls:
        lately[role].append(call)
        turn = (role, *lately[role])
        turns[turn] += 1
        if turns[turn] <= TURNS:
            yield role, position, call


def adopt_orphans():
    """Makes every process that a scenario leaves behind a child of ours, so that none can hide."""
    PR_SET_CHILD_SUBREAPER = 36
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def clear_orphans(patience):
    """Reaps what was left behind and died, kills what did not within `patience` seconds; gives how many had to be killed."""
    killed, until = set(), time.monotonic() + patience
    while True:
        try:
            if os.waitpid(-1, os.WNOHANG)[0] == 0:
                if time.monotonic() > until:
                    with open("/proc/self/task/%d/children" % os.getpid()) as children:
                        left = [int(pid) for pid in children.read().split()]
                    for pid in left:
                        os.kill(pid, signal.SIGKILL)
                    killed.update(left)
                select.select([], [], [], 0.001)
        except ChildProcessError:
            return len(killed)


class Sweep:
    def __init__(self, inject, scenario, verbose, share):
        self.inject, self.scenario, self.verbose = inject, scenario, verbose
        self.first, self.every = share
        self.report = tempfile.NamedTemporaryFile(prefix="inject-", suffix=".report")
        self.output = tempfile.TemporaryFile(prefix="inject-", suffix=".output")
        self.runs = self.failed = 0
        self.reached, self.unreached = collections.Counter(), collections.Counter()

    def run(self, mode, options, fault=""):
        """One run of the scenario; gives exit code, its output and the report lines. It may ask for the fault: scenario_injected()."""
        self.report.truncate(0)
        self.output.seek(0)
        self.output.truncate(0)
        command = [self.inject, *options, "--report", self.report.name, "--", self.scenario, mode]
        environment = {**ENVIRONMENT, "PROCSUP_TEST_FAULT": fault}
        process = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=self.output, stderr=subprocess.STDOUT)
        try:
            code = process.wait(RUN_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            code = "hangs"
        left = clear_orphans(patience=0 if code == "hangs" else 2)
        if code == 0 and left:
            code = f"left {left} processes behind"
        self.output.seek(0)
        with open(self.report.name) as report:
            return code, self.output.read().decode(errors="replace"), report.read().splitlines()

    def fail(self, mode, options, code, output):
        self.failed += 1
        tier = os.environ.get("PROCSUP_SPAWN_TIER")
        print(f"FAILED ({code}): {f'PROCSUP_SPAWN_TIER={tier} ' if tier else ''}inject {' '.join(options)} -- {self.scenario} {mode}")
        print("    " + "\n    ".join(output.splitlines()[-12:]), flush=True)

    def sweep(self, mode, deadline):
        code, output, report = self.run(mode, ["--list"])
        if code == 77:
            print("skipped: " + output)
            sys.exit(77)
        if code != 0:
            return self.fail(mode, ["--list"], code, output)
        expected = holdings(output)
        kept = re.search(r"^keeps (\d+) blocks$", output, re.MULTILINE)
        expected["blocks"] = expected.get("blocks", 0) + (int(kept.group(1)) if kept else 0)
        more = {call: errnos.split() for call, errnos in re.findall(r"^faults (\w+) (.*)$", output, re.MULTILINE)}
        calls = list(positions(report))
        before = self.runs
        faults = [
            (role, position, call, errno, lasting)
            for role, position, call in first_turns(calls)
            for errno in errnos_of(call, more if role == "parent" else {})
            for lasting in ((False, True) if call in LASTING.get(errno, "").split() else (False,))
        ]
        for fault in faults[self.first :: self.every]:
            if time.monotonic() > deadline:
                return self.fail(mode, [], "out of time", f"stopped at {' '.join(map(str, fault))}")
            self.one(mode, *fault, expected)
        in_parent = sum(role == "parent" for role, _, _ in calls)
        if in_parent == 0 or (in_parent == len(calls) and "no child\n" not in output):
            self.fail(mode, ["--list"], "blind", "no call of the process, or none of its child, was seen")
        print(f"  {mode}: {in_parent} calls in the process, {len(calls) - in_parent} in the child, {self.runs - before} of {len(faults)} injections")

    def one(self, mode, role, position, call, errno, lasting, expected):
        options = ["--in", role, "--call", call, "--nth", position, "--errno", errno]
        options += ["--sticky"] if lasting else []
        options += ["--after"] if call in EXECUTED else []
        code, output, report = self.run(mode, options, f"{call} {errno}")
        self.runs += 1
        self.unreached[role] += not report  # an earlier run took another way here, e.g. polled once less
        self.reached[role] += bool(report)
        if self.verbose:
            print(f"  {mode} {role} {position} {call} {errno}{' lasting' if lasting else ''}: {code} {' | '.join(output.splitlines())}")
        for what, count in holdings(output).items() if code == 0 else ():
            # How much memory a first use keeps depends on how far it came; leaks of a fault show in a warm library.
            if count > expected[what] and (mode, what) != ("cold", "blocks"):
                code = f"leaked {count - expected[what]} {what}"
        if code != 0:
            self.fail(mode, options, code, output)


def holdings(output):
    """What the scenario says that it still holds at its end."""
    return {what: int(count) for count, what in re.findall(r"^holds (\d+) (\w+)$", output, re.MULTILINE)}


def share_of(every):
    """Where to begin, and how far to go from one to the next."""
    asked = os.environ.get("PROCSUP_SWEEP", "0")
    return (0, 1) if asked == "all" or every < 2 else (int(asked) % every, every)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--inject", required=True)
    parser.add_argument("--seconds", type=float, default=540, help="give up (and fail) after this time")
    parser.add_argument("--share", type=int, default=1, metavar="N", help="only each N-th fault")
    parser.add_argument("--verbose", action="store_true", help="a line per injection")
    parser.add_argument("scenario")
    options = parser.parse_args()

    adopt_orphans()
    sweep = Sweep(options.inject, options.scenario, options.verbose, share_of(options.share))
    if sweep.every > 1:
        print(f"each {sweep.every}th fault, from number {sweep.first} (PROCSUP_SWEEP={sweep.first}; all: PROCSUP_SWEEP=all)")
    deadline = time.monotonic() + options.seconds
    for mode in ("warm", "cold"):
        sweep.sweep(mode, deadline)
    name = os.path.basename(options.scenario)
    print(f"{name}: {sweep.runs} injections, {sum(sweep.unreached.values())} not reached, {sweep.failed} failed")
    # How far a child comes that its parent kills is a matter of luck.
    fewest = {"parent": 3 / 4, "child": 1 / 100}
    blind = [role for role, least in fewest.items() if sweep.reached[role] < least * (sweep.reached[role] + sweep.unreached[role])]
    if blind:
        print(f"{name}: too many are not reached in the {', '.join(blind)}")
    return 1 if sweep.failed or blind else 0


if __name__ == "__main__":
    sys.exit(main())
