#!/usr/bin/env python3
"""Children under Python's asyncio, through ctypes. The glue is three lines:

    call("ps_supervisor_fd", handle, byref(fd))                          one descriptor for all its children ...
    loop.add_reader(fd, take_events)                                     ... which the loop watches, and in take_events()
    while call("ps_supervisor_next_event", handle, 0, byref(event)) == PS_OK: ...

On top of it a Supervisor gives Child objects: await child.wait(), async for line in child.lines(), child.stop(). No thread, no child
watcher; the asyncio.subprocess of the same program is not disturbed. remove_reader() before the supervisor is freed.

    PROCSUP_LIBRARY=/path/to/libprocsup.so.0.1 python3 loop_asyncio.py

hello_dlopen.py is the smaller program.
"""
import asyncio
import collections
import ctypes
import os
import signal
import sys
from ctypes import POINTER, byref, c_char_p, c_int32, c_int64, c_size_t, c_uint32, c_uint64, c_void_p

PS_OK, PS_ERR_NOT_FOUND, PS_ERR_CANCELLED = 0, -5, -9
STARTED, EXITED, OUTPUT, CANCELLED, SHUTDOWN_DONE, FAILED = 1, 2, 3, 7, 8, 9  # PS_EVENT_*
CAUSE_SELF, CAUSE_STOP, CAUSE_DEADLINE = 0, 1, 2
STDIO_NULL = 1

# ---- the library -------------------------------------------------------------------------------------------------------------

procsup = ctypes.CDLL(os.environ.get("PROCSUP_LIBRARY", "libprocsup.so.0.1"))


class Exit(ctypes.Structure):
    _fields_ = [("size", c_uint32), ("kind", c_int32), ("code", c_int32), ("signal", c_int32), ("core_dumped", c_int32), ("cause", c_int32),
                ("user_us", c_int64), ("system_us", c_int64), ("max_rss_kib", c_int64), ("started_ns", c_int64), ("ended_ns", c_int64),
                ("reserved", c_uint64 * 4)]


class Event(ctypes.Structure):
    _fields_ = [("size", c_uint32), ("kind", c_int32), ("child", c_void_p), ("pid", c_int32), ("stream", c_int32), ("user_data", c_uint64),
                ("time_ns", c_int64), ("exit", Exit), ("status", c_int32), ("run", c_uint32), ("delay_ms", c_int64)]


# Functions that can fail: their parameters before the last one, which is always the place for the error.
FALLIBLE = {
    "ps_supervisor_new": [POINTER(c_void_p)],
    "ps_supervisor_fd": [c_void_p, POINTER(c_int32)],
    "ps_supervisor_next_event": [c_void_p, c_int64, POINTER(Event)],
    "ps_supervisor_set_max_running": [c_void_p, c_uint32],
    "ps_supervisor_counts": [c_void_p, POINTER(c_uint32), POINTER(c_uint32), POINTER(c_uint32)],
    "ps_supervisor_shutdown": [c_void_p, c_int64],
    "ps_event_data": [c_void_p, c_char_p, c_size_t, POINTER(c_size_t)],
    "ps_command_new": [c_char_p, POINTER(c_void_p)],
    "ps_command_arg": [c_void_p, c_char_p],
    "ps_command_stdio": [c_void_p, c_int32, c_int32, c_int32],
    "ps_command_output_lines": [c_void_p, c_int32],
    "ps_command_stop_step": [c_void_p, c_int32, c_int64],
    "ps_command_deadline": [c_void_p, c_int64],
    "ps_command_user_data": [c_void_p, c_uint64],
    "ps_spawn": [c_void_p, c_void_p, POINTER(c_void_p)],
    "ps_terminate_begin": [c_void_p, c_int64],
}
for name, parameters in FALLIBLE.items():
    getattr(procsup, name).argtypes = [*parameters, POINTER(c_void_p)]
    getattr(procsup, name).restype = c_int32
for name in ("ps_supervisor_free", "ps_command_free", "ps_child_free", "ps_error_free"):
    getattr(procsup, name).argtypes, getattr(procsup, name).restype = [c_void_p], None
procsup.ps_error_message.argtypes, procsup.ps_error_message.restype = [c_void_p], c_char_p
procsup.ps_status_name.argtypes, procsup.ps_status_name.restype = [c_int32], c_char_p
procsup.ps_live_count.argtypes, procsup.ps_live_count.restype = [], c_uint32


class Error(Exception):
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
    raise Error(status, message)


# ---- children under asyncio --------------------------------------------------------------------------------------------------


class Child:
    def __init__(self):
        self.handle, self.started = c_void_p(), 0
        self.ended = asyncio.get_running_loop().create_future()  # an Exit, or the Error that kept it from starting
        self.waiting_lines = asyncio.Queue()

    async def wait(self):
        return await asyncio.shield(self.ended)  # a waiter that is cancelled does not cancel the others

    async def lines(self):
        """What it prints, line by line, to its end."""
        while (line := await self.waiting_lines.get()) is not None:
            yield line

    def stop(self):
        """Starts its stop plan; wait() tells when it has ended. A child in the queue is cancelled."""
        call("ps_terminate_begin", self.handle, -1)

    def finish(self, end=None, error=None):
        self.waiting_lines.put_nowait(None)
        if error is None:
            self.ended.set_result(end)
        else:
            self.ended.set_exception(error)
        procsup.ps_child_free(self.handle)


class Supervisor:
    def __init__(self, max_running):
        self.handle, fd = c_void_p(), c_int32()
        call("ps_supervisor_new", byref(self.handle))
        call("ps_supervisor_set_max_running", self.handle, max_running)
        call("ps_supervisor_fd", self.handle, byref(fd))
        self.fd, self.children, self.busiest, self.seen = fd.value, {}, 0, collections.Counter()
        self.over = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().add_reader(self.fd, self.take_events)

    def take_events(self):
        event = Event(size=ctypes.sizeof(Event))
        while call("ps_supervisor_next_event", self.handle, 0, byref(event)) == PS_OK:
            self.seen[event.kind] += 1
            self.busiest = max(self.busiest, self.busy())
            child = self.children.get(event.user_data)
            if event.kind == STARTED:
                child.started += 1
            elif event.kind == OUTPUT:
                child.waiting_lines.put_nowait(self.event_data())
            elif event.kind == EXITED:
                self.children.pop(event.user_data).finish(Exit.from_buffer_copy(event.exit))
            elif event.kind in (FAILED, CANCELLED):
                status = event.status if event.kind == FAILED else PS_ERR_CANCELLED
                self.children.pop(event.user_data).finish(error=Error(status, procsup.ps_status_name(status).decode()))
            elif event.kind == SHUTDOWN_DONE:
                self.over.set_result(None)

    def event_data(self):
        length = c_size_t()
        call("ps_event_data", self.handle, None, 0, byref(length))
        buffer = ctypes.create_string_buffer(length.value + 1)
        call("ps_event_data", self.handle, buffer, length.value, byref(length))
        return buffer.raw[: length.value]

    def busy(self):
        pending, running, stopping = c_uint32(), c_uint32(), c_uint32()
        call("ps_supervisor_counts", self.handle, byref(pending), byref(running), byref(stopping))
        return running.value + stopping.value

    def spawn(self, *words, lines=False, deadline_ms=None):
        """Starts a program, or queues it: never waits. SIGTERM, 100 ms, SIGKILL is its stop plan."""
        command, child = c_void_p(), Child()
        call("ps_command_new", words[0].encode(), byref(command))
        try:
            for word in words[1:]:
                call("ps_command_arg", command, word.encode())
            call("ps_command_stdio", command, 0, STDIO_NULL, -1)
            call("ps_command_output_lines", command, lines)
            call("ps_command_stop_step", command, signal.SIGTERM, 100)
            call("ps_command_stop_step", command, signal.SIGKILL, -1)
            if deadline_ms is not None:
                call("ps_command_deadline", command, deadline_ms)
            call("ps_command_user_data", command, id(child))
            call("ps_spawn", self.handle, command, byref(child.handle))
        finally:
            procsup.ps_command_free(command)
        self.children[id(child)] = child
        return child

    async def close(self, grace_ms=1000):
        """Ends all children, with their stop plans, and goes."""
        call("ps_supervisor_shutdown", self.handle, grace_ms)
        await self.over
        asyncio.get_running_loop().remove_reader(self.fd)
        procsup.ps_supervisor_free(self.handle)


# ---- twenty children, four at a time: some fail, one must be stopped, one is too slow, one prints, one is not there -----------


async def ends_with(child, code, stopped_by=0, cause=CAUSE_SELF):
    end = await child.wait()
    assert (end.code, end.signal, end.cause) == (code, stopped_by, cause), (end.code, end.signal, end.cause)
    assert child.started == 1
    return f"signal {end.signal}" if end.signal else f"exit code {end.code}"


async def talks(supervisor):
    child = supervisor.spawn("sh", "-c", "i=0; while [ $i -lt 50 ]; do echo line $i; i=$((i + 1)); done", lines=True)
    lines = [line async for line in child.lines()]
    assert lines == [f"line {i}".encode() for i in range(50)], lines
    return await ends_with(child, 0)


async def ignores_sigterm(supervisor):
    child = supervisor.spawn("sh", "-c", "trap '' TERM; echo ready; exec sleep 1000", lines=True)
    async for line in child.lines():
        assert line == b"ready"
        child.stop()  # returns at once; the steps of the plan are wake-ups of the loop like all others
    return await ends_with(child, -1, signal.SIGKILL, CAUSE_STOP)


async def is_too_slow(supervisor):
    return await ends_with(supervisor.spawn("sleep", "1000", deadline_ms=200), -1, signal.SIGTERM, CAUSE_DEADLINE)


async def is_not_there(supervisor):
    try:
        await supervisor.spawn("no-such-program").wait()  # fails here or there: it may have been queued
    except Error as error:
        assert error.status == PS_ERR_NOT_FOUND
        return str(error)
    raise AssertionError("no-such-program ran")


async def just_ends(supervisor, code):
    return await ends_with(supervisor.spawn("sh", "-c", f"exit {code}"), code)


async def main():
    supervisor = Supervisor(max_running=4)
    work = [talks(supervisor), ignores_sigterm(supervisor), is_too_slow(supervisor), just_ends(supervisor, 3), is_not_there(supervisor)]
    work += [just_ends(supervisor, 1 if i % 5 == 0 else 0) for i in range(15)]
    names = [job.__name__ for job in work]
    for name, how in zip(names, await asyncio.gather(*work)):
        print(f"{name:16} {how}")
    await supervisor.close()

    seen, busiest = supervisor.seen, supervisor.busiest
    assert (seen[STARTED], seen[EXITED], seen[OUTPUT], seen[SHUTDOWN_DONE]) == (19, 19, 51, 1) and seen[FAILED] <= 1, seen
    assert sum(seen.values()) == 90 + seen[FAILED], seen
    assert busiest <= 4 and not supervisor.children and procsup.ps_live_count() == 0
    print("20 children, each as expected")


if __name__ == "__main__":
    asyncio.run(main(), debug="-d" in sys.argv)
