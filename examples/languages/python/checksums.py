#!/usr/bin/env python3
"""Checksums of files by sha256sum, four at a time, under asyncio. The same program in ten languages: docs/languages.md.

    PROCSUP_LIBRARY=.../libprocsup.so.0.1 PROCSUP_FFI_HEADER=.../procsup.ffi.h python3 checksums.py FILE... +LATER...

+LATER is a file that is not there yet: it is tried again until it is, and a child of asyncio's own makes it meanwhile. Ctrl-C stops all children by
their stop plans; then the loop ends by itself.

Two faces of one library. PyDLL keeps the interpreter's lock while a call runs: for calls that start programs (ps_spawn, and ps_supervisor_next_event,
which starts who stands in line). They read this process's environment, and os.environ writes it: without the lock another thread may move it away
under their eyes. CDLL gives the lock back: for calls that wait, so that other threads run meanwhile.
"""
import asyncio
import ctypes
import os
import re
import signal
import sys
from ctypes import byref
from pathlib import Path

AT_ONCE = 4
PATH = os.environ.get("PROCSUP_LIBRARY", "libprocsup.so.0.1")
HEADER = Path(os.environ.get("PROCSUP_FFI_HEADER", Path(__file__).resolve().parents[3] / "include/procsup.ffi.h")).read_text()

# ---- the flat header, as ctypes has it ----

TYPES = {"void": None, "char": ctypes.c_char, "int32_t": ctypes.c_int32, "uint32_t": ctypes.c_uint32, "int64_t": ctypes.c_int64,
         "uint64_t": ctypes.c_uint64, "size_t": ctypes.c_size_t, "ps_status": ctypes.c_int32}


def type_of(words):
    """Of `const char *name`, `ps_event *event`, `int32_t fd`: strings are bytes, other pointers take what byref() gives."""
    base = re.sub(r"\b(const|struct)\b|\*", "", words).split()[0]
    stars = words.count("*")
    return TYPES[base] if not stars else ctypes.c_char_p if base == "char" and stars == 1 else ctypes.c_void_p


def structure(name, body):
    fields = []
    for words in body.split(";")[:-1]:
        field, length = re.match(r".*?(\w+)(?:\[(\d+)\])?$", words.strip(), re.DOTALL).groups()
        fields.append((field, type_of(words) * int(length) if length else type_of(words)))
    TYPES[name] = type(name, (ctypes.Structure,), {"_fields_": fields})
    return TYPES[name]


globals().update({name: int(value) for name, value in re.findall(r"\b(PS_\w+) = (-?\d+)", HEADER)})
for name, body in re.findall(r"typedef struct (\w+) \{(.*?)\}", HEADER, re.DOTALL):
    globals()[name] = structure(name, body)
DECLARED = re.findall(r"^([\w *]+?)\b(ps_\w+)\(([^()]*)\);", HEADER, re.DOTALL | re.MULTILINE)
PROTOTYPES = {name: (result, parameters) for result, name, parameters in DECLARED}
waiting, holding = ctypes.CDLL(PATH), ctypes.PyDLL(PATH)


def function(library, name):
    found = getattr(library, name)
    if found.argtypes is None:  # without them a handle would be passed as a C int, and cut
        result, parameters = PROTOTYPES[name]
        found.argtypes = [] if parameters == "void" else [type_of(parameter) for parameter in parameters.split(",")]
        found.restype = type_of(result)
    return found


def call(name, *arguments, library=waiting):
    """A call that can fail: its failure is an exception."""
    error = ctypes.c_void_p()
    status = function(library, name)(*arguments, byref(error))
    if status < 0:
        message = function(waiting, "ps_error_message")(error).decode(errors="replace")
        function(waiting, "ps_error_free")(error)
        raise OSError(f"{name}: {message}")
    return status


def named(name, number):
    return function(waiting, name)(number).decode()


# ---- the work ----


class Checksums:
    def __init__(self, names):
        self.loop = asyncio.get_running_loop()
        self.names = [name.lstrip("+") for name in names]
        self.results = [None] * len(names)
        self.running = self.most = 0
        self.own, self.own_code, self.interrupted, self.ending = None, None, False, False
        self.done = self.loop.create_future()
        self.supervisor, fd = ctypes.c_void_p(), ctypes.c_int32()
        call("ps_supervisor_new", byref(self.supervisor))
        call("ps_supervisor_set_max_running", self.supervisor, AT_ONCE)
        call("ps_supervisor_fd", self.supervisor, byref(fd))
        self.fd = fd.value
        self.loop.add_reader(self.fd, self.take_events)
        self.loop.add_signal_handler(signal.SIGINT, self.interrupt)
        self.children = [self.spawn(number, name.startswith("+")) for number, name in enumerate(names)]

    def spawn(self, number, later):
        command, child = ctypes.c_void_p(), ctypes.c_void_p()
        call("ps_command_new", b"sha256sum", byref(command))
        if later:
            call("ps_command_restart", command, PS_RESTART_ON_FAILURE, 10, 100)
            call("ps_command_restart_limit", command, 0, 10000)  # 0: it never gives up
        call("ps_command_arg", command, os.fsencode(self.names[number]))
        call("ps_command_env", command, b"LC_ALL", b"C")
        call("ps_command_stdio", command, 0, PS_STDIO_NULL, -1)
        call("ps_command_capture", command, 4096)
        call("ps_command_user_data", command, number)
        call("ps_spawn", self.supervisor, command, byref(child), library=holding)  # or stands in line
        function(waiting, "ps_command_free")(command)
        return child

    def take_events(self):
        try:
            event = ps_event(size=ctypes.sizeof(ps_event))
            while call("ps_supervisor_next_event", self.supervisor, 0, byref(event), library=holding) == PS_OK:
                self.on_event(event)
            self.end_if_all_is_over()
        except Exception as why:  # asyncio would log it, and look at a descriptor that stays readable again and again
            self.loop.remove_reader(self.fd)
            self.done.set_exception(why)

    def on_event(self, event):
        number = event.user_data
        if event.kind == PS_EVENT_STARTED:
            self.running += 1
            self.most = max(self.most, self.running)
        elif event.kind == PS_EVENT_EXITED:
            self.running -= 1
            self.results[number] = self.result(number, event)
        elif event.kind == PS_EVENT_RESTARTING:  # comes right behind EXITED: that was not the last run
            self.results[number] = None
            if self.own is None:
                self.own = asyncio.ensure_future(self.make(self.names[number]))
        elif event.kind in (PS_EVENT_FAILED, PS_EVENT_CANCELLED):
            self.results[number] = named("ps_event_kind_name", event.kind)
        elif event.kind == PS_EVENT_SHUTDOWN_DONE:
            self.loop.remove_reader(self.fd)  # before the supervisor is freed, whose descriptor it is
            self.loop.remove_signal_handler(signal.SIGINT)
            self.done.set_result(None)

    def result(self, number, event):
        length, buffer = ctypes.c_size_t(), ctypes.create_string_buffer(4096)
        call("ps_child_output", self.children[number], buffer, 4096, byref(length))
        output, end = buffer.raw[: length.value].decode(errors="replace").strip(), event.exit
        if end.kind != PS_EXIT_EXITED:
            return f"{named('ps_signal_name', end.signal)}, {named('ps_cause_name', end.cause)}"
        if end.code != 0:
            return f"exit code {end.code}: {output}"
        return output.split()[0] + (" at a later run" if event.run > 1 else "")

    async def make(self, name):
        """A child that procsup knows nothing of."""
        script = 'echo it has come >"$0.new" && mv "$0.new" "$0"; exit 7'
        process = await asyncio.create_subprocess_exec("sh", "-c", script, name)
        self.own_code = await process.wait()
        self.end_if_all_is_over()

    def end_if_all_is_over(self):
        if all(self.results) and (self.own is None or self.own_code is not None):
            self.end()

    def end(self):
        if not self.ending:
            self.ending = True
            call("ps_supervisor_shutdown", self.supervisor, 1000)  # one last event says that all is over

    def interrupt(self):
        self.interrupted = True
        self.end()

    def close(self):
        for child in self.children:
            function(waiting, "ps_child_free")(child)
        function(waiting, "ps_supervisor_free")(self.supervisor)  # with the lock let go: it may wait for a child that does not die


async def main(names):
    work = Checksums(names)
    await work.done
    work.close()
    for name, result in zip(work.names, work.results):
        print(name, result)
    if work.own_code is not None:
        print("own child: exit code", work.own_code)
    if work.interrupted:
        print("interrupted")
    kept = "never more than" if work.most <= AT_ONCE else "MORE THAN"
    print(f"{len(names)} files, {kept} {AT_ONCE} at once, {function(waiting, 'ps_live_count')()} children left")
    return 130 if work.interrupted else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main(sys.argv[1:])))
