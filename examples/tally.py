#!/usr/bin/env python3
"""The server of tally.c, from Python: the shared library through ctypes, the loop asyncio's. tally.c says what it does, and what generations hand on to
each other, in whatever language each of them is written; docs/guide/handoff.md ("From another language") says why things stand here as they do.

    PROCSUP_LIBRARY=/path/to/libprocsup.so.0.1 python3 tally.py DIRECTORY [--limit BYTES] [--probation MS]
"""
# ctest: none, it serves for ever: handoff/languages runs it
import argparse
import asyncio
import ctypes
import json
import os
import signal
import socket
import sys
import traceback
from ctypes import POINTER, byref, c_char_p, c_int32, c_int64, c_size_t, c_uint32, c_uint64, c_void_p

PS_OK, PS_ERR_NOT_FOUND = 0, -5
FIRST, SUCCESSOR = 0, 1
DRAIN, SEAL, LIVE, RESUME, RETIRE, COMMITTED, ABORTED = range(1, 8)
PHASE_SETTLED, PHASE_STANDBY, PHASE_GONE = 5, 11, 12
TIMEOUT_SEAL, TIMEOUT_PROBATION = 2, 4
RENDER_JSON = 2
HEAD_MAX, MOST, DEADLINE_MS = 4096, 1000, 20000

# Not PyDLL: that one holds the interpreter's lock until a call is back, and other threads stand still for as long as a spawn takes, or a wait.
procsup = ctypes.CDLL(os.environ.get("PROCSUP_LIBRARY", "libprocsup.so.0.1"))


class Event(ctypes.Structure):
    _fields_ = [("size", c_uint32), ("kind", c_int32), ("handoff_id", c_uint64), ("revision", c_uint64), ("unsealed", c_int32), ("peer_pid", c_int32),
                ("reason", c_int32), ("deadline_ns", c_int64), ("time_ns", c_int64), ("phase", c_int32), ("reserved", c_int32)]


# Functions that can fail: their parameters before the last one, which is always the place for the error. Each one needs them: without, ctypes
# passes every number as a C int, and cuts a handle or a revision off.
FALLIBLE = {
    "ps_command_new": [c_char_p, POINTER(c_void_p)],
    "ps_command_arg": [c_void_p, c_char_p],
    "ps_listen_fd_named": [c_char_p, POINTER(c_int32)],
    "ps_handoff_new": [c_char_p, POINTER(c_void_p)],
    "ps_handoff_role": [c_void_p, POINTER(c_int32)],
    "ps_handoff_phase": [c_void_p, POINTER(c_int32)],
    "ps_handoff_generation": [c_void_p, POINTER(c_uint64)],
    "ps_handoff_set_timeout": [c_void_p, c_int32, c_int64],
    "ps_handoff_set_build_id": [c_void_p, c_char_p],
    "ps_handoff_set_fd": [c_void_p, c_char_p, c_int32],
    "ps_handoff_take_fd": [c_void_p, c_char_p, POINTER(c_int32)],
    "ps_handoff_pass_connection": [c_void_p, c_int32, c_char_p, c_size_t],
    "ps_handoff_take_connection": [c_void_p, POINTER(c_int32), c_char_p, c_size_t, POINTER(c_size_t)],
    "ps_handoff_set_state": [c_void_p, c_char_p, c_size_t],
    "ps_handoff_state": [c_void_p, c_char_p, c_size_t, POINTER(c_size_t)],
    "ps_handoff_fd": [c_void_p, POINTER(c_int32)],
    "ps_handoff_next_event": [c_void_p, c_int64, POINTER(Event)],
    "ps_handoff_warm": [c_void_p],
    "ps_handoff_drained": [c_void_p, c_uint32],
    "ps_handoff_sealed": [c_void_p, c_uint64],
    "ps_handoff_live": [c_void_p],
    "ps_handoff_failed": [c_void_p, c_char_p],
    "ps_handoff_upgrade": [c_void_p, c_void_p, c_int64],
    "ps_handoff_outcome_text": [c_void_p, c_uint32, c_int32, c_char_p, c_size_t, POINTER(c_size_t)],
}
for name, parameters in FALLIBLE.items():
    getattr(procsup, name).argtypes = [*parameters, POINTER(c_void_p)]
    getattr(procsup, name).restype = c_int32
for name in ("ps_handoff_free", "ps_command_free", "ps_error_free"):
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


class Handoff:
    """ps_handoff. Nothing frees it by itself, no __del__ and no `with`: an exit without the free is a crash to the other generation, and that is what an
    exception in an owner shall be: a successor that is warm goes on in its place."""

    def __init__(self, control_path):
        self.handle = c_void_p()
        call("ps_handoff_new", os.fsencode(control_path), byref(self.handle))
        # A copy by os.fork or multiprocessing owns nothing, but it holds the lock and the sockets until it gives them up.
        os.register_at_fork(after_in_child=self.free)

    def free(self):
        procsup.ps_handoff_free(self.handle)

    def do(self, name, *arguments):
        return call(f"ps_handoff_{name}", self.handle, *arguments)

    def number(self, name, kind=c_int32):
        value = kind()
        self.do(name, byref(value))
        return value.value

    def copy_out(self, name, *arguments):
        needed = c_size_t()
        self.do(name, *arguments, None, 0, byref(needed))
        buffer = ctypes.create_string_buffer(needed.value)
        self.do(name, *arguments, buffer, needed.value, byref(needed))
        return buffer.raw

    def take_fd(self, name):
        fd = c_int32()
        try:
            self.do("take_fd", name, byref(fd))
        except Failed as why:
            if why.status != PS_ERR_NOT_FOUND:
                raise
            return None
        return fd.value

    def connections(self):
        """Those that were passed on, each with what was read of it."""
        fd, needed, buffer = c_int32(), c_size_t(), ctypes.create_string_buffer(HEAD_MAX)
        while True:
            try:
                self.do("take_connection", byref(fd), buffer, len(buffer), byref(needed))
            except Failed as why:
                if why.status != PS_ERR_NOT_FOUND:
                    raise
                return
            yield socket.socket(fileno=fd.value), bytearray(buffer.raw[: needed.value])


class Log:
    """Storage: a record a line."""

    def __init__(self, path):
        self.fd, self.end, self.records = os.open(path, os.O_RDWR | os.O_CREAT, 0o600), 0, 0

    def read(self):
        """What has come since. The old generation may still write, so half a line is only one that is read later."""
        while whole := (chunk := os.pread(self.fd, 65536, self.end)).rfind(b"\n") + 1:
            self.records += chunk.count(b"\n", 0, whole)
            self.end += whole

    def repair(self):
        """Nobody has sealed. What is whole counts, acknowledged or not; half a line is a crash's."""
        self.read()
        os.ftruncate(self.fd, self.end)
        os.fdatasync(self.fd)

    def add(self, text):
        if os.pwrite(self.fd, text + b"\n", self.end) != len(text) + 1:
            raise OSError("the log is full")
        os.fdatasync(self.fd)
        self.end += len(text) + 1
        self.records += 1


class Tally:
    def __init__(self, options):
        self.options, self.loop = options, asyncio.get_running_loop()
        self.over, self.serving, self.leaving = self.loop.create_future(), False, False
        self.generation, self.served, self.connections = 0, 0, {}  # a socket: what was read of a request that is not whole
        self.log = Log(f"{options.directory}/log")
        self.handoff = Handoff(f"{options.directory}/control")
        self.role = self.handoff.number("role")
        self.handoff.do("set_build_id", b"tally in Python")
        self.handoff.do("set_timeout", TIMEOUT_SEAL, 2000)
        self.handoff.do("set_timeout", TIMEOUT_PROBATION, options.probation)
        fd = self.handoff.take_fd(b"http")
        if fd is None:
            given = c_int32()
            call("ps_listen_fd_named", b"http", byref(given))
            fd = given.value
            self.handoff.do("set_fd", b"http", fd)
            os.set_blocking(fd, False)  # once, while nobody shares it
        self.listener = socket.socket(fileno=fd)
        self.warm_up()
        self.loop.add_reader(self.handoff.number("fd"), self.take_events)
        self.loop.add_signal_handler(signal.SIGUSR2, self.upgrade)
        self.loop.add_signal_handler(signal.SIGTERM, self.leave)

    def note(self, text):
        os.write(2, f"{os.getpid()} python {self.generation} {text}\n".encode())  # in one piece: the generations share it

    def warm_up(self):
        """Everything that may take long, or raise: the old generation serves meanwhile, and is told why it goes on."""
        try:
            self.limit = int(self.options.limit)
            if not 1 <= self.limit < HEAD_MAX - 1:
                raise ValueError("--limit")
            self.log.read()
            if self.role == SUCCESSOR:
                self.handoff.do("warm")
        except Exception as why:
            if self.role == SUCCESSOR:
                self.handoff.do("failed", f"warming up: {why!r}".encode())
            raise

    # ---- requests. Not asyncio.start_server: it accepts in one step of the loop and makes the transport in a later one; between them a connection is
    # nowhere, and SEAL could not pass it on. remove_reader takes effect at once, also for what this step of the loop has already found.

    def start(self):
        self.serving = True
        self.loop.add_reader(self.listener, self.accept)
        for connection in self.connections:
            self.loop.add_reader(connection, self.readable, connection)

    def stop(self):
        self.serving = False
        for one in (self.listener, *self.connections):
            self.loop.remove_reader(one)

    def accept(self):
        if len(self.connections) >= MOST:
            return
        try:
            connection, _ = self.listener.accept()
        except (BlockingIOError, InterruptedError, ConnectionAbortedError):
            return
        connection.setblocking(False)
        self.connections[connection] = bytearray()
        self.loop.add_reader(connection, self.readable, connection)

    def readable(self, connection):
        try:
            data = connection.recv(65536)
            if data and self.serve(connection, data):
                return
        except BlockingIOError:
            return
        except ConnectionError:
            pass
        self.drop(connection)

    def serve(self, connection, data):
        """Answers all requests that are whole; what is left is the beginning of one. False: it is over."""
        read = self.connections[connection]
        read += data
        while (end := read.find(b"\r\n\r\n")) >= 0:
            head = bytes(read[:end])
            del read[: end + 4]
            answer = self.answer(head)
            if connection.send(answer) != len(answer):  # who has not read the last ones has lost this one
                return False
        return len(read) < HEAD_MAX

    def answer(self, head):
        method, path = (head.split(b" ") + [b""])[:2]
        status, adds = "200 OK", method == b"POST" and path[:1] == b"/" and len(path) > 1
        if adds and len(path) - 1 > self.limit:
            status = "414 URI Too Long"
        elif (method != b"GET" and not adds) or b"\n" in path:
            status = "400 Bad Request"
        elif adds:
            self.log.add(path[1:])
        self.served += 1
        body = json.dumps({"records": self.log.records, "served": self.served, "generation": self.generation, "language": "python", "pid": os.getpid()}) + "\n"
        return f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()

    def drop(self, connection):
        self.loop.remove_reader(connection)
        del self.connections[connection]
        try:
            connection.shutdown(socket.SHUT_RDWR)  # for as long as the old generation stands by, it has this connection as well
        except OSError:
            pass
        connection.close()

    # ---- the handoff

    def take_events(self):
        event = Event(size=ctypes.sizeof(Event))
        on = {LIVE: self.live, DRAIN: self.drain, SEAL: self.seal, RESUME: self.resume, COMMITTED: self.committed, RETIRE: self.retire, ABORTED: self.aborted}
        while not self.over.done() and self.handoff.do("next_event", 0, byref(event)) == PS_OK:
            on.get(event.kind, lambda event: None)(event)  # none that is not known awaits an answer

    def live(self, event):
        if event.unsealed or self.role == FIRST:
            self.log.repair()
        else:
            self.log.read()
            if self.log.records != event.revision:
                self.handoff.do("failed", b"the log is not the one that was sealed")
                return self.end(1)
        lines = self.handoff.copy_out("state").decode().split("\n")
        if lines[0] == "tally 1":
            self.served = int(dict(line.split(" ", 1) for line in lines if " " in line)["served"])
        self.generation = self.handoff.number("generation", c_uint64)
        self.connections.update(self.handoff.connections())
        self.start()
        self.handoff.do("live")
        self.note(f"serves connections={len(self.connections)} records={self.log.records}")

    def drain(self, event):
        self.answer_event("drained", len(self.connections))

    def seal(self, event):
        self.stop()
        for connection, read in self.connections.items():
            # A bytearray is no char *: bytes() makes one.
            self.answer_event("pass_connection", connection.fileno(), bytes(read), len(read))
        state = f"tally 1\nserved {self.served}\n".encode()
        self.answer_event("set_state", state, len(state))
        self.answer_event("sealed", self.log.records)

    def answer_event(self, name, *arguments):
        """Too late is no error: RESUME is on its way."""
        try:
            self.handoff.do(name, *arguments)
        except Failed as why:
            self.note(f"{name}: {why}")

    def resume(self, event):
        if event.unsealed:  # the successor may have written, and may have read from what was passed on
            self.log.repair()
            for connection in list(self.connections):
                self.drop(connection)
        if self.leaving:
            return self.end(0)
        self.start()

    def committed(self, event):
        if event.phase == PHASE_SETTLED:
            self.note_outcome()

    def retire(self, event):
        self.note_outcome()
        self.end(0)

    def aborted(self, event):
        self.note_outcome()
        if event.phase == PHASE_GONE:
            self.end(1)

    def note_outcome(self):
        text = self.handoff.copy_out("outcome_text", 0, RENDER_JSON)
        self.note(f"outcome {text[:-1].decode()}")

    def upgrade(self):
        directory, command = os.fsencode(self.options.directory), c_void_p()
        try:
            call("ps_command_new", directory + b"/next", byref(command))
            call("ps_command_arg", command, directory)
            self.handoff.do("upgrade", command, DEADLINE_MS)
        except Failed as why:
            self.note(f"not upgraded: {why}")
        procsup.ps_command_free(command)

    def leave(self):
        self.leaving = True
        if self.handoff.number("phase") != PHASE_STANDBY:  # there RETIRE comes, or RESUME
            self.end(0)

    def end(self, code):
        """Whatever was acknowledged is durable. The loop takes a step more before it ends: nothing may be served in it."""
        if not self.over.done():
            self.stop()
            self.loop.remove_reader(self.handoff.number("fd"))
            self.handoff.free()
            self.over.set_result(code)


def crash(loop, context):
    """An exception of a callback. asyncio would log it and go on, with a SEAL that nobody answers, or a log that is not what we think."""
    traceback.print_exception(context.get("exception"))
    os._exit(1)


async def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("directory")
    parser.add_argument("--limit", default="256")
    parser.add_argument("--probation", type=int, default=2000)
    asyncio.get_running_loop().set_exception_handler(crash)
    return await Tally(parser.parse_args()).over


sys.exit(asyncio.run(main()))
