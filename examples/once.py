#!/usr/bin/env python3
"""A daemon that is started once, from Python, through the shared library and ctypes.

    PROCSUP_LIBRARY=/path/to/libprocsup.so.0.1 python3 once.py           the story
                                               python3 once.py ask DIR   a client: starts the daemon where none runs
                                               python3 once.py serve PATH   the daemon

Four clients need it at the same moment, one of them starts it, all of them wait until it is ready. One that cannot start is tried as often as
its budget says, and not once more. examples/daemon.c is the same in C, with restarts and a watchdog.
"""
import ctypes
import os
import socket
import subprocess
import sys
import tempfile
from ctypes import POINTER, byref, c_char_p, c_int32, c_int64, c_uint32, c_void_p

PS_OK = 0
PS_ERR_BUDGET_EXHAUSTED = -14
PS_STDIO_NULL = 1
PS_ISOLATE_SESSION = 2
PS_READY_NOTIFY = 1
PATIENCE_MS = 20000

procsup = ctypes.CDLL(os.environ.get("PROCSUP_LIBRARY", "libprocsup.so.0.1"))

# Functions that can fail: their parameters before the last one, which is always the place for the error.
FALLIBLE = {
    "ps_budget_new": [c_uint32, c_int64, POINTER(c_void_p)],
    "ps_budget_reset": [c_void_p, c_char_p],
    "ps_command_new": [c_char_p, POINTER(c_void_p)],
    "ps_command_arg": [c_void_p, c_char_p],
    "ps_command_stdio": [c_void_p, c_int32, c_int32, c_int32],
    "ps_command_isolate": [c_void_p, c_int32],
    "ps_command_readiness": [c_void_p, c_int32, c_char_p, c_int64],
    "ps_command_budget": [c_void_p, c_void_p, c_char_p],
    "ps_supervisor_new": [POINTER(c_void_p)],
    "ps_spawn_once": [c_void_p, c_char_p, c_char_p, c_void_p, c_char_p, c_int64, POINTER(c_void_p)],
    "ps_notify": [c_char_p],
}
for name, parameters in FALLIBLE.items():
    getattr(procsup, name).argtypes = [*parameters, POINTER(c_void_p)]
    getattr(procsup, name).restype = c_int32
for name in ("ps_supervisor_free", "ps_budget_free", "ps_command_free", "ps_child_free", "ps_error_free"):
    getattr(procsup, name).argtypes = [c_void_p]
    getattr(procsup, name).restype = None
procsup.ps_error_message.argtypes, procsup.ps_error_message.restype = [c_void_p], c_char_p
procsup.ps_error_retry_after_ms.argtypes, procsup.ps_error_retry_after_ms.restype = [c_void_p], c_int64


class Failed(Exception):
    """A call that failed: its status, and how long to wait before it makes sense again."""

    def __init__(self, name, status, error):
        super().__init__(f"{name}: {procsup.ps_error_message(error).decode(errors='replace')}")
        self.status, self.retry_after_ms = status, procsup.ps_error_retry_after_ms(error)


def call(name, *arguments):
    error = c_void_p()
    status = getattr(procsup, name)(*arguments, byref(error))
    if status < 0:
        failed = Failed(name, status, error)
        procsup.ps_error_free(error)
        raise failed
    return status


class Budget:
    """How often something may be started; 0, 0: three times in 30 s."""

    def __init__(self, attempts=0, window_ms=0):
        self.handle = c_void_p()
        call("ps_budget_new", attempts, window_ms, byref(self.handle))

    def reset(self, key):
        call("ps_budget_reset", self.handle, key.encode())

    def __del__(self):
        procsup.ps_budget_free(self.handle)


class Supervisor:
    """Whoever looks after children: one of its own, which ends them with itself."""

    def __init__(self):
        self.handle = c_void_p()
        call("ps_supervisor_new", byref(self.handle))

    def __del__(self):
        procsup.ps_supervisor_free(self.handle)


def start_once(directory, name, *words, supervisor=None, budget=None):
    """Starts a daemon that says when it is ready, where none runs yet. True: it was we who started it. Without a supervisor it stays when we leave;
    for a budget there must be one, who sees whether it stays up."""
    command, child = c_void_p(), c_void_p()
    call("ps_command_new", words[0].encode(), byref(command))
    try:
        for word in words[1:]:
            call("ps_command_arg", command, word.encode())
        for stream in (0, 1):
            call("ps_command_stdio", command, stream, PS_STDIO_NULL, -1)
        call("ps_command_isolate", command, PS_ISOLATE_SESSION)
        call("ps_command_readiness", command, PS_READY_NOTIFY, None, PATIENCE_MS)
        if budget:
            call("ps_command_budget", command, budget.handle, name.encode())
        address = f"unix:{directory}/{name}.socket"
        call("ps_spawn_once", supervisor and supervisor.handle, directory.encode(), name.encode(), command, address.encode(), PATIENCE_MS, byref(child))
    finally:
        procsup.ps_command_free(command)
    procsup.ps_child_free(child)
    return bool(child)


def serve(path):
    """The daemon. It ends when it is told to, or when nobody asks for half a minute."""
    with socket.socket(socket.AF_UNIX) as listener:
        if os.path.exists(path):
            os.unlink(path)  # a dead one's
        listener.bind(path)
        listener.listen(64)
        listener.settimeout(30)
        call("ps_notify", b"READY=1")
        request = b""
        while request != b"quit":
            with listener.accept()[0] as client:
                request = client.recv(16)
                if request:
                    client.sendall(str(os.getpid()).encode())


def ask(directory, request=b"hello"):
    with socket.socket(socket.AF_UNIX) as server:
        server.connect(f"{directory}/greeter.socket")
        server.sendall(request)
        return int(server.recv(16))


def client(directory):
    started = start_once(directory, "greeter", sys.executable, __file__, "serve", f"{directory}/greeter.socket")
    print("started" if started else "found", ask(directory))


def story(directory):
    clients = [subprocess.Popen([sys.executable, __file__, "ask", directory], stdout=subprocess.PIPE, universal_newlines=True) for _ in range(4)]
    said = [process.communicate()[0].split() for process in clients]
    print(*(" ".join(words) for words in said), sep="\n")
    assert sorted(how for how, _ in said) == ["found", "found", "found", "started"]
    assert len({pid for _, pid in said}) == 1 and ask(directory, b"quit") == int(said[0][1])

    supervisor, budget, refused = Supervisor(), Budget(), None
    for attempt in range(1, 5):
        try:
            start_once(directory, "broken", "false", supervisor=supervisor, budget=budget)
        except Failed as failed:
            print(f"attempt {attempt}: {failed}")
            refused = failed
    assert refused.status == PS_ERR_BUDGET_EXHAUSTED and 0 < refused.retry_after_ms <= 30000
    print(f"and not before {refused.retry_after_ms / 1000:.1f} s, unless somebody says so: ps_budget_reset")
    budget.reset("broken")


if len(sys.argv) == 3:
    {"serve": serve, "ask": client}[sys.argv[1]](sys.argv[2])
else:
    with tempfile.TemporaryDirectory(prefix="once-") as place:
        story(place)
