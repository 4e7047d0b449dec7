"""What PyDLL and CDLL do to the other threads of a Python program, as docs/languages.md says it. Arguments: EXAMPLE (checksums.py).

A start is made to last: of a program that is open for writing (ETXTBSY) the library waits for the writer, a quarter of a second.
"""
import ctypes
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


def turns_meanwhile(do):
    """How often another thread had a turn while this one did that. It writes the environment in each."""
    turns, over = 0, False

    def turn():
        nonlocal turns
        while not over:
            os.environ["TURN"] = str(turns)
            turns += 1
            time.sleep(0.001)

    thread = threading.Thread(target=turn)
    thread.start()
    while turns < 3:
        time.sleep(0.001)
    before = turns
    do()
    counted, over = turns - before, True
    thread.join()
    return counted


def start(library, program):
    command, child, error = ctypes.c_void_p(), ctypes.c_void_p(), ctypes.c_void_p()
    ps.call("ps_command_new", program.encode(), byref(command))
    status = ps.function(library, "ps_spawn")(None, command, byref(child), byref(error))
    assert status < 0 and ps.function(ps.waiting, "ps_error_errno")(error) == 26, "ETXTBSY was expected"
    ps.function(ps.waiting, "ps_error_free")(error)
    ps.function(ps.waiting, "ps_command_free")(command)


def wait(library, supervisor):
    event = ps.ps_event(size=ctypes.sizeof(ps.ps_event))
    assert ps.call("ps_supervisor_next_event", supervisor, 200, byref(event), library=library) == ps.PS_PENDING


with tempfile.TemporaryDirectory() as folder:
    program = os.path.join(folder, "program")
    with open(program, "wb") as written:
        written.write(b"\x7fELF")
        os.chmod(program, stat.S_IRWXU)
        written.flush()
        free, kept = (turns_meanwhile(lambda: start(library, program)) for library in (ps.waiting, ps.holding))
print(f"a start: {free} turns of another thread with CDLL, {kept} with PyDLL")
assert free > 5, "CDLL lets other threads write the environment during a start"
assert kept <= 2, "PyDLL does not, but for a moment before and behind"

supervisor = ctypes.c_void_p()
ps.call("ps_supervisor_new", byref(supervisor))
free, kept = (turns_meanwhile(lambda: wait(library, supervisor)) for library in (ps.waiting, ps.holding))
print(f"a wait: {free} turns of another thread with CDLL, {kept} with PyDLL")
assert free > 5 and kept <= 2
ps.function(ps.waiting, "ps_supervisor_free")(supervisor)
