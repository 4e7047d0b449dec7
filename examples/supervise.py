#!/usr/bin/env python3
"""The supervisor of supervise/main.c, from Python: the shared library through ctypes, the loop asyncio's. It starts the first generation of a server
that hands over, has it replaced at SIGHUP, starts another one if none is left, and ends the generation and itself at SIGTERM. The generations may be
written in any language, and so may the supervisor that comes after this one: it is a process like others, and is replaced by starting the next one.

    PROCSUP_LIBRARY=/path/to/libprocsup.so.0.1 python3 supervise.py CONTROL_PATH PROGRAM [ARGUMENTS]

The listener is what this process was given as "http" (LISTEN_FDS), or, if somebody serves already, what that one has.
"""
# ctest: none, it runs for ever: handoff/languages runs it
import asyncio
import ctypes
import os
import signal
import sys
from ctypes import POINTER, byref, c_char_p, c_int32, c_int64, c_size_t, c_uint32, c_uint64, c_void_p

PS_OK, PS_ERR_STATE, PS_ERR_NOT_FOUND, PS_ERR_IN_PROGRESS = 0, -3, -5, -15
STARTED, SERVING, PROGRESS, COMMITTED, ABORTED, OWNER_ENDED, GAVE_UP, STOPPED = range(1, 9)
RENDER_JSON = 2
REPLACE_MS, DRAIN_MS, GRACE_MS = 60000, 10000, 20000

procsup = ctypes.CDLL(os.environ.get("PROCSUP_LIBRARY", "libprocsup.so.0.1"))


class Event(ctypes.Structure):
    _fields_ = [("size", c_uint32), ("kind", c_int32), ("handoff_id", c_uint64), ("pid", c_int32), ("peer_pid", c_int32), ("generation", c_uint64),
                ("phase", c_int32), ("reason", c_int32), ("exit_code", c_int32), ("exit_signal", c_int32), ("time_ns", c_int64), ("reserved", c_uint64)]


# Functions that can fail: their parameters before the last one, which is always the place for the error.
FALLIBLE = {
    "ps_command_new": [c_char_p, POINTER(c_void_p)],
    "ps_command_arg": [c_void_p, c_char_p],
    "ps_listen_fd_named": [c_char_p, POINTER(c_int32)],
    "ps_handoff_supervisor_new": [c_char_p, POINTER(c_void_p)],
    "ps_handoff_supervisor_listener": [c_void_p, c_char_p, c_int32],
    "ps_handoff_supervisor_recover": [c_void_p],
    "ps_handoff_supervisor_owner": [c_void_p, POINTER(c_int32), POINTER(c_uint64)],
    "ps_handoff_supervisor_start": [c_void_p, c_void_p],
    "ps_handoff_supervisor_replace": [c_void_p, c_void_p, c_int64, c_int64],
    "ps_handoff_supervisor_stop": [c_void_p, c_int64],
    "ps_handoff_supervisor_fd": [c_void_p, POINTER(c_int32)],
    "ps_handoff_supervisor_next_event": [c_void_p, c_int64, POINTER(Event)],
    "ps_handoff_supervisor_outcome_text": [c_void_p, c_uint32, c_int32, c_char_p, c_size_t, POINTER(c_size_t)],
}
for name, parameters in FALLIBLE.items():
    getattr(procsup, name).argtypes = [*parameters, POINTER(c_void_p)]
    getattr(procsup, name).restype = c_int32
for name in ("ps_handoff_supervisor_free", "ps_command_free", "ps_error_free"):
    getattr(procsup, name).argtypes, getattr(procsup, name).restype = [c_void_p], None
procsup.ps_error_message.argtypes, procsup.ps_error_message.restype = [c_void_p], c_char_p


class Failed(Exception):
    def __init__(self, status, message):
        super().__init__(message)
        self.status = status


def call(name, *arguments):
    """Calls a function; a failure becomes an exception."""
    error = c_void_p()
    status = getattr(procsup, name)(*arguments, byref(error))
    if status >= 0:
        return status
    message = procsup.ps_error_message(error).decode(errors="replace")
    procsup.ps_error_free(error)
    raise Failed(status, message)


def note(text):
    os.write(2, f"{os.getpid()} supervise.py {text}\n".encode())


class Supervisor:
    def __init__(self, control_path, *words):
        self.handle, self.command, self.wanted, fd = c_void_p(), c_void_p(), False, c_int32()
        self.over = asyncio.get_running_loop().create_future()
        call("ps_handoff_supervisor_new", os.fsencode(control_path), byref(self.handle))
        call("ps_command_new", os.fsencode(words[0]), byref(self.command))
        for word in words[1:]:
            call("ps_command_arg", self.command, os.fsencode(word))
        if not self.finds_who_serves():
            self.do("start", self.command)
        self.do("fd", byref(fd))
        loop = asyncio.get_running_loop()
        loop.add_reader(fd.value, self.take_events)
        loop.add_signal_handler(signal.SIGHUP, self.replace)
        loop.add_signal_handler(signal.SIGTERM, self.stop)

    def finds_who_serves(self):
        pid, fd = c_int32(), c_int32()
        try:
            self.do("recover")  # at most 5 seconds, before anything else of this loop runs
        except Failed as why:
            if why.status != PS_ERR_NOT_FOUND:
                raise
            call("ps_listen_fd_named", b"http", byref(fd))  # nobody serves, and nothing is held: this is a first start
            self.do("listener", b"http", fd)
            os.close(fd.value)  # it is held as a duplicate
        try:
            self.do("owner", byref(pid), None)
        except Failed as why:
            if why.status != PS_ERR_NOT_FOUND:
                raise
        return pid.value != 0  # SERVING says who it is

    def do(self, name, *arguments):
        return call(f"ps_handoff_supervisor_{name}", self.handle, *arguments)

    def take_events(self):
        event = Event(size=ctypes.sizeof(Event))
        while self.do("next_event", 0, byref(event)) == PS_OK:
            if event.kind == SERVING:
                note(f"serving {event.pid} generation {event.generation}")
            elif event.kind in (COMMITTED, ABORTED):
                note(f"outcome {self.outcome()}")
            elif event.kind == OWNER_ENDED:
                note(f"ended {event.pid}")
            elif event.kind == GAVE_UP and event.reason == PS_ERR_NOT_FOUND:
                self.do("start", self.command)  # found, not started, and it has ended: now its successor is ours to start
            elif event.kind in (GAVE_UP, STOPPED) and not self.over.done():
                self.over.set_result(0 if event.kind == STOPPED else 1)
        if self.wanted:
            self.replace()

    def outcome(self):
        needed = c_size_t()
        self.do("outcome_text", 0, RENDER_JSON, None, 0, byref(needed))
        buffer = ctypes.create_string_buffer(needed.value)
        self.do("outcome_text", 0, RENDER_JSON, buffer, needed.value, byref(needed))
        return buffer.value.decode()

    def replace(self):
        """One at a time: while another is under way, or its successor came to nothing and has not ended yet, it is tried again at whatever happens.
        So it is while nobody serves yet."""
        self.wanted = False
        try:
            self.do("replace", self.command, REPLACE_MS, DRAIN_MS)
        except Failed as why:
            self.wanted = why.status in (PS_ERR_IN_PROGRESS, PS_ERR_STATE)
            if not self.wanted:
                note(f"not replaced: {why}")

    def stop(self):
        try:
            self.do("stop", GRACE_MS)
        except Failed as why:
            if why.status == PS_ERR_STATE and not self.over.done():  # nobody serves
                self.over.set_result(0)


async def main():
    supervisor = Supervisor(*sys.argv[1:])
    code = await supervisor.over
    procsup.ps_handoff_supervisor_free(supervisor.handle)
    return code


if len(sys.argv) < 3:
    sys.exit("usage: supervise.py CONTROL_PATH PROGRAM [ARGUMENTS]")
sys.exit(asyncio.run(main()))
