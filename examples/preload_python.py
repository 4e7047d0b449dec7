#!/usr/bin/env python3
"""A Python application that is loaded once and forked, by procsup's own fork server, through ctypes.

    PROCSUP_LIBRARY=/path/to/libprocsup.so.0.1 python3 preload_python.py                    the story
                                               python3 preload_python.py application HOW    what the host starts: it loads, its workers answer

The interpreter must be told of a fork: its locks, its thread state, its hooks (os.register_at_fork), its random numbers. Two ways, HOW:

    fork      os.fork() does all that. The library says when (ps_preload_accept) and is told (ps_preload_forked); the worker is the preloader's child.
    sibling   the library forks, and the worker is the host's own child. What os.fork() would have done stands in three functions of CPython's, which
              are the hooks of the library: PyOS_BeforeFork, PyOS_AfterFork_Parent, PyOS_AfterFork_Child.

The trap of the second one: a function called through ctypes.CDLL gives the interpreter's lock back while it runs, and the hooks must hold it. So what
calls them (ps_preload_ready, ps_preload_fork) is called through PyDLL, which keeps it, and only when there is something to do (ps_preload_fd): nobody
waits inside of it.

docs/guide/fork-server.md says more; examples/native_preloader.c is the same in C.
"""
import ctypes
import json
import os
import random
import select
import socket
import sys
import time
from ctypes import POINTER, byref, c_char_p, c_int32, c_int64, c_uint32, c_uint64, c_void_p

PS_OK = 0
PS_PRELOADER_NATIVE = 1
PS_FORK_LIBC, PS_FORK_SIBLING = 0, 1
PS_ROLE_PRELOADER, PS_ROLE_WORKER, PS_ROLE_STOP = 0, 1, 2
READY_MS = 30000
WORKERS = 3
CONNECTION = 3  # the descriptor by which a worker is asked

PATH = os.environ.get("PROCSUP_LIBRARY", "libprocsup.so.0.1")
procsup = ctypes.CDLL(PATH)
procsup_with_lock = ctypes.PyDLL(PATH)

# Functions that can fail: their parameters before the last one, which is always the place for the error.
FALLIBLE = {
    "ps_command_new": [c_char_p, POINTER(c_void_p)],
    "ps_command_arg": [c_void_p, c_char_p],
    "ps_command_pass_fd": [c_void_p, c_int32, c_int32],
    "ps_supervisor_new": [POINTER(c_void_p)],
    "ps_preloader_new": [c_void_p, POINTER(c_void_p)],
    "ps_preloader_set_protocol": [c_void_p, c_int32],
    "ps_preloader_spawn": [c_void_p, c_void_p, c_void_p, c_int64, POINTER(c_void_p)],
    "ps_worker_child": [c_void_p, POINTER(c_void_p)],
    "ps_reap": [c_void_p, c_int64, c_void_p],
    "ps_preload_open": [POINTER(c_void_p)],
    "ps_preload_on_fork": [c_void_p, c_void_p, c_void_p, c_void_p, c_void_p],
    "ps_preload_ready": [c_void_p, c_int32],
    "ps_preload_fd": [c_void_p, POINTER(c_int32)],
    "ps_preload_fork": [c_void_p, c_int64, POINTER(c_int32)],
    "ps_preload_accept": [c_void_p, c_int64, POINTER(c_uint64)],
    "ps_preload_forked": [c_void_p, c_uint64, c_int32],
    "ps_worker_ready": [c_void_p],
}
for name, parameters in FALLIBLE.items():
    for library in (procsup, procsup_with_lock):
        getattr(library, name).argtypes = [*parameters, POINTER(c_void_p)]
        getattr(library, name).restype = c_int32
for name in ("command", "supervisor", "preloader", "preload", "worker", "child", "error"):
    getattr(procsup, f"ps_{name}_free").argtypes = [c_void_p]
    getattr(procsup, f"ps_{name}_free").restype = None
procsup.ps_error_message.argtypes, procsup.ps_error_message.restype = [c_void_p], c_char_p
procsup.ps_live_count.restype = c_uint32


class Exit(ctypes.Structure):
    _fields_ = [("size", c_uint32), ("kind", c_int32), ("code", c_int32), ("signal", c_int32), ("core_dumped", c_int32), ("cause", c_int32),
                ("user_us", c_int64), ("system_us", c_int64), ("max_rss_kib", c_int64), ("started_ns", c_int64), ("ended_ns", c_int64),
                ("reserved", c_uint64 * 4)]


def call(name, *arguments, library=procsup):
    error = c_void_p()
    status = getattr(library, name)(*arguments, byref(error))
    if status < 0:
        message = procsup.ps_error_message(error).decode(errors="replace")
        procsup.ps_error_free(error)
        raise RuntimeError(f"{name}: {message}")
    return status


# ---- the application ----


def load():
    """What takes long: modules, and a table."""
    import decimal  # noqa: F401
    import email.parser  # noqa: F401
    import http.server  # noqa: F401

    return {str(n): n * n for n in range(200000)}


def by_fork(preload):
    """True in a worker, False when it is to stop."""
    request = c_uint64()
    while True:
        if call("ps_preload_accept", preload, -1, byref(request)) != PS_OK:
            continue  # a signal handler has run
        if request.value == 0:
            return False
        sys.stdout.flush()
        try:
            pid = os.fork()
        except OSError as error:
            pid = -error.errno  # the host is told why
        call("ps_preload_forked", preload, request, pid)  # in the worker: waits until the host knows it
        if pid == 0:
            return True


def by_sibling(preload):
    """The same, forked by the library."""
    role, fd = c_int32(), c_int32()
    call("ps_preload_fd", preload, byref(fd))
    while True:
        select.select([fd.value], [], [])
        sys.stdout.flush()
        if call("ps_preload_fork", preload, -1, byref(role), library=procsup_with_lock) == PS_OK and role.value != PS_ROLE_PRELOADER:
            return role.value == PS_ROLE_WORKER


def application(how):
    preload = c_void_p()
    call("ps_preload_open", byref(preload))
    table = load()
    if how == "sibling":
        hooks = [ctypes.cast(getattr(ctypes.pythonapi, name), c_void_p)
                 for name in ("PyOS_BeforeFork", "PyOS_AfterFork_Parent", "PyOS_AfterFork_Child")]
        call("ps_preload_on_fork", preload, *hooks, None)  # called with a pointer that they do not look at
    call("ps_preload_ready", preload, PS_FORK_SIBLING if how == "sibling" else PS_FORK_LIBC, library=procsup_with_lock)
    if not (by_sibling if how == "sibling" else by_fork)(preload):
        procsup.ps_preload_free(preload)
        return 0
    call("ps_worker_ready", preload)
    with socket.socket(fileno=CONNECTION) as connection, connection.makefile("rw") as lines:
        for line in lines:
            answer = {"pid": os.getpid(), "parent": os.getppid(), "square": table[line.strip()], "random": random.random()}
            lines.write(json.dumps(answer) + "\n")
            lines.flush()
    return 7  # an exit code of its own, to be seen by the host


# ---- the host ----


class Worker:
    def __init__(self, preloader, supervisor):
        self.handle, self.child = c_void_p(), c_void_p()
        command, (ours, theirs) = c_void_p(), socket.socketpair()
        call("ps_command_new", b"worker", byref(command))
        call("ps_command_pass_fd", command, theirs.fileno(), CONNECTION)
        began = time.monotonic()
        call("ps_preloader_spawn", preloader, supervisor, command, READY_MS, byref(self.handle))
        self.took_ms = (time.monotonic() - began) * 1e3
        call("ps_worker_child", self.handle, byref(self.child))
        procsup.ps_command_free(command)
        theirs.close()
        self.connection, self.lines = ours, ours.makefile("rw")

    def ask(self, number):
        self.lines.write(f"{number}\n")
        self.lines.flush()
        return json.loads(self.lines.readline())

    def end(self):
        """Closes its connection, and gives how it ended."""
        self.lines.close()
        self.connection.close()
        end = Exit(size=ctypes.sizeof(Exit))
        call("ps_reap", self.child, READY_MS, byref(end))
        procsup.ps_worker_free(self.handle)
        procsup.ps_child_free(self.child)
        return end.code


def story(how):
    """Whether all was as it must be."""
    supervisor, preloader, command = c_void_p(), c_void_p(), c_void_p()
    call("ps_supervisor_new", byref(supervisor))
    call("ps_command_new", sys.executable.encode(), byref(command))
    for argument in (__file__, "application", how):
        call("ps_command_arg", command, argument.encode())
    call("ps_preloader_new", command, byref(preloader))
    call("ps_preloader_set_protocol", preloader, PS_PRELOADER_NATIVE)
    procsup.ps_command_free(command)
    print({"fork": "os.fork(), said and told", "sibling": "forked by the library, the host's own children"}[how])
    workers = [Worker(preloader, supervisor) for _ in range(WORKERS)]
    answers = [worker.ask(1000 + number) for number, worker in enumerate(workers)]
    for worker, answer in zip(workers, answers):
        whose = "the host" if answer["parent"] == os.getpid() else "the preloader"
        print(f"  ready after {worker.took_ms:6.1f} ms, pid {answer['pid']}, child of {whose}, says {answer['square']} and {answer['random']:.6f}")
    codes = [worker.end() for worker in workers]
    print(f"  their exit codes: {codes}")
    procsup.ps_preloader_free(preloader)
    procsup.ps_supervisor_free(supervisor)
    right = [answer["square"] for answer in answers] == [(1000 + number) ** 2 for number in range(WORKERS)]
    alone = len({answer["pid"] for answer in answers}) == len({answer["random"] for answer in answers}) == WORKERS
    parents = {answer["parent"] == os.getpid() for answer in answers}
    return right and alone and codes == [7] * WORKERS and parents == {how == "sibling"}


def main():
    if sys.argv[1:2] == ["application"]:
        return application(sys.argv[2])
    good = [story("fork"), story("sibling")]
    print(f"{procsup.ps_live_count()} processes are left")
    return 0 if all(good) and procsup.ps_live_count() == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
