#!/usr/bin/env python3
"""procsup from another language: the shared library through ctypes, children under asyncio's event loop.

    PROCSUP_LIBRARY=/path/to/libprocsup.so.0.1 python3 hello_dlopen.py

What a binding has to know: handles are opaque pointers, a status is an int32_t, structures begin with their size, and there are
no callbacks: one descriptor to wait on, one function to take events.
"""
import asyncio
import ctypes
import os
from ctypes import POINTER, byref, c_char_p, c_int32, c_int64, c_size_t, c_uint32, c_uint64, c_void_p

PS_OK, PS_PENDING = 0, 1
PS_EVENT_EXITED = 2
PS_EXIT_EXITED = 1

procsup = ctypes.CDLL(os.environ.get("PROCSUP_LIBRARY", "libprocsup.so.0.1"))


class Exit(ctypes.Structure):
    _fields_ = [("size", c_uint32), ("kind", c_int32), ("code", c_int32), ("signal", c_int32), ("core_dumped", c_int32), ("cause", c_int32),
                ("user_us", c_int64), ("system_us", c_int64), ("max_rss_kib", c_int64), ("started_ns", c_int64), ("ended_ns", c_int64),
                ("reserved", c_uint64 * 4)]


class Event(ctypes.Structure):
    _fields_ = [("size", c_uint32), ("kind", c_int32), ("child", c_void_p), ("pid", c_int32), ("stream", c_int32),
                ("user_data", c_uint64), ("time_ns", c_int64), ("exit", Exit)]


# Functions that can fail: their parameters before the last one, which is always the place for the error.
FALLIBLE = {
    "ps_supervisor_new": [POINTER(c_void_p)],
    "ps_supervisor_fd": [c_void_p, POINTER(c_int32)],
    "ps_supervisor_next_event": [c_void_p, c_int64, POINTER(Event)],
    "ps_command_new": [c_char_p, POINTER(c_void_p)],
    "ps_command_arg": [c_void_p, c_char_p],
    "ps_command_capture": [c_void_p, c_size_t],
    "ps_command_user_data": [c_void_p, c_uint64],
    "ps_spawn": [c_void_p, c_void_p, POINTER(c_void_p)],
    "ps_child_output": [c_void_p, c_char_p, c_size_t, POINTER(c_size_t)],
}
for name, parameters in FALLIBLE.items():
    getattr(procsup, name).argtypes = [*parameters, POINTER(c_void_p)]
    getattr(procsup, name).restype = c_int32
for name in ("ps_supervisor_free", "ps_command_free", "ps_child_free", "ps_error_free"):
    getattr(procsup, name).argtypes = [c_void_p]
    getattr(procsup, name).restype = None
procsup.ps_error_message.argtypes, procsup.ps_error_message.restype = [c_void_p], c_char_p
procsup.ps_live_count.argtypes, procsup.ps_live_count.restype = [], c_uint32


def call(name, *arguments):
    """Calls a function; a failure becomes an exception."""
    error = c_void_p()
    status = getattr(procsup, name)(*arguments, byref(error))
    if status < 0:
        message = procsup.ps_error_message(error).decode(errors="replace")
        procsup.ps_error_free(error)
        raise OSError(f"{name}: {message}")
    return status


class Supervisor:
    """Children as awaitables: one reader on one descriptor serves them all."""

    def __init__(self):
        self.handle, fd = c_void_p(), c_int32()
        call("ps_supervisor_new", byref(self.handle))
        call("ps_supervisor_fd", self.handle, byref(fd))
        self.fd, self.waiting = fd.value, {}
        asyncio.get_running_loop().add_reader(self.fd, self.take_events)

    def take_events(self):
        event = Event(size=ctypes.sizeof(Event))
        while call("ps_supervisor_next_event", self.handle, 0, byref(event)) == PS_OK:
            if event.kind == PS_EVENT_EXITED:
                end = Exit.from_buffer_copy(event.exit)
                self.waiting.pop(event.user_data).set_result((end, output_of(event.child)))
                procsup.ps_child_free(event.child)

    async def run(self, *words):
        """Runs a program to its end: (exit record, the last bytes that it wrote)."""
        command, child = c_void_p(), c_void_p()
        done = asyncio.get_running_loop().create_future()
        call("ps_command_new", words[0].encode(), byref(command))
        try:
            for word in words[1:]:
                call("ps_command_arg", command, word.encode())
            call("ps_command_capture", command, 65536)
            call("ps_command_user_data", command, id(done))
            call("ps_spawn", self.handle, command, byref(child))
        finally:
            procsup.ps_command_free(command)
        self.waiting[id(done)] = done
        return await done

    def close(self):
        asyncio.get_running_loop().remove_reader(self.fd)
        procsup.ps_supervisor_free(self.handle)


def output_of(child):
    length = c_size_t()
    call("ps_child_output", child, None, 0, byref(length))
    buffer = ctypes.create_string_buffer(length.value + 1)
    call("ps_child_output", child, buffer, length.value, byref(length))
    return buffer.raw[: length.value]


async def main():
    supervisor = Supervisor()
    programs = [("uname", "-s"), ("sh", "-c", "echo no luck; exit 3"), ("sh", "-c", "kill -TERM $$")]
    results = await asyncio.gather(*(supervisor.run(*words) for words in programs))
    for words, (end, output) in zip(programs, results):
        how = f"exit code {end.code}" if end.kind == PS_EXIT_EXITED else f"signal {end.signal}"
        print(f"{' '.join(words):32} {how:12} {end.user_us + end.system_us:6} us of CPU  {output.decode()!r}")
    try:
        await supervisor.run("no-such-program")
    except OSError as error:
        print(error)
    supervisor.close()
    assert [end.code for end, _ in results] == [0, 3, -1] and procsup.ps_live_count() == 0


asyncio.run(main())
