"""What PyDLL and CDLL do to the other threads of a Python program, as docs/languages.md says it. Arguments: EXAMPLE (checksums.py).

A start is made to last: of a program that is open for writing (ETXTBSY) the library waits for the writer, a quarter of a second.
"""
import ctypes
import errno
import importlib.util
import os
import stat
import sys
import tempfile
import threading
import time
from ctypes import byref

specification = importlib.util.spec_from_file_location("checksums", sys.argv[1])
ps = importlib.util.module_from_spec(specification)
sys.dont_write_bytecode = True
specification.loader.exec_module(ps)


class Other(threading.Thread):
    """Another thread, which writes the environment in each of its turns."""

    def __init__(self):
        super().__init__(daemon=True)
        self.turns = 0
        self.start()

    def run(self):
        while True:
            os.environ["TURN"] = str(self.turns)
            self.turns += 1
            time.sleep(0.001)


def turns_during(name, library, *arguments):
    """How many turns the other thread had during one call, and what that answered."""
    called, error = ps.function(library, name), ctypes.c_void_p()
    before = other.turns
    status = called(*arguments, byref(error))
    return other.turns - before, status, error


def start(library, program):
    command, child = ctypes.c_void_p(), ctypes.c_void_p()
    ps.call("ps_command_new", program.encode(), byref(command))
    turns, status, error = turns_during("ps_spawn", library, None, command, byref(child))
    assert status < 0 and ps.function(ps.waiting, "ps_error_errno")(error) == errno.ETXTBSY, status
    ps.function(ps.waiting, "ps_error_free")(error)
    ps.function(ps.waiting, "ps_command_free")(command)
    return turns


def wait(library, supervisor):
    event = ps.ps_event(size=ctypes.sizeof(ps.ps_event))
    turns, status, _ = turns_during("ps_supervisor_next_event", library, supervisor, 200, byref(event))
    assert status == ps.PS_PENDING, status
    return turns


def compare(what, turns):
    """Who may run is not always run, and a thread that is about to call may be made to wait: on a busy machine the first look may show nothing."""
    free = kept = None
    for _ in range(20):
        free, kept = turns(ps.waiting), turns(ps.holding)
        if free > 5 and kept <= 2:
            break
    print(f"{what}: {free} turns of another thread with CDLL, {kept} with PyDLL")
    assert free > 5, "CDLL lets other threads run"
    assert kept <= 2, "PyDLL does not, but for a moment before and behind"


other = Other()
with tempfile.TemporaryDirectory() as folder:
    program = os.path.join(folder, "program")
    with open(program, "wb") as written:
        written.write(b"\x7fELF")
        written.flush()
        os.chmod(program, stat.S_IRWXU)
        compare("a start", lambda library: start(library, program))
supervisor = ctypes.c_void_p()
ps.call("ps_supervisor_new", byref(supervisor))
compare("a wait", lambda library: wait(library, supervisor))
ps.function(ps.waiting, "ps_supervisor_free")(supervisor)
