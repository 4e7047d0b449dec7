#!/usr/bin/env python3
"""What docs/guide/handoff.md ("From another language") says of Python, row by row, with the glue of examples/tally.py.

    PROCSUP_LIBRARY=/path/to/libprocsup.so.0.1 python3 languages_python.py
"""
# covers: C16-6
import asyncio
import ctypes
import importlib.util
import os
import pathlib
import signal
import socket
import sys
import tempfile
import threading
import time
from ctypes import byref, c_int32

ROOT = pathlib.Path(__file__).resolve().parent.parent
PS_PENDING, PS_ERR_BAD_HANDLE, PS_ERR_FORKED = 1, -2, -11


def tally_module():
    """The example, without its last line, which serves."""
    spec = importlib.util.spec_from_file_location("tally", ROOT / "examples/tally.py")
    module = importlib.util.module_from_spec(spec)
    source = (ROOT / "examples/tally.py").read_text()
    last = "sys.exit(asyncio.run(main()))\n"
    assert source.endswith(last)
    exec(compile(source[: -len(last)], "tally.py", "exec"), module.__dict__)
    return module


def open_descriptors():
    return {fd for fd in map(int, os.listdir("/proc/self/fd")) if os.path.lexists(f"/proc/self/fd/{fd}")}


BEFORE = open_descriptors()
tally = tally_module()


def first_generation(directory):
    """A handle that serves, of which nothing more is to be told."""
    handoff = tally.Handoff(f"{directory}/control")
    event = tally.Event(size=ctypes.sizeof(tally.Event))
    before = time.monotonic_ns()
    assert handoff.do("next_event", -1, byref(event)) == tally.PS_OK and event.kind == tally.LIVE
    assert before - 10**10 < event.time_ns <= time.monotonic_ns(), "times are those of time.monotonic_ns"
    handoff.do("live")
    return handoff


def turns_of_a_thread(wait):
    """How often another thread runs while `wait` waits."""
    turns, over = 0, False

    def turn():
        nonlocal turns
        while not over:
            turns += 1
            time.sleep(0.001)

    thread = threading.Thread(target=turn)
    thread.start()
    time.sleep(0.02)
    before = turns
    wait()
    counted = turns - before
    over = True
    thread.join()
    return counted


def other_threads_run_in_a_call(handoff):
    event = tally.Event(size=ctypes.sizeof(tally.Event))
    wait = lambda: handoff.do("next_event", 200, byref(event))
    assert any(turns_of_a_thread(wait) > 3 for _ in range(50)), "CDLL lets go of the interpreter"  # who may run is not always run
    holding = ctypes.PyDLL(os.environ["PROCSUP_LIBRARY"]).ps_handoff_next_event
    holding.argtypes, holding.restype = tally.procsup.ps_handoff_next_event.argtypes, c_int32
    assert turns_of_a_thread(lambda: holding(handoff.handle, 200, byref(event), None)) <= 3, "PyDLL holds it, but for a moment before and behind"


def handles_are_cut_without_argtypes(handoff):
    bare = ctypes.CDLL(os.environ["PROCSUP_LIBRARY"]).ps_handoff_phase  # its own: no argtypes
    phase = c_int32()
    assert handoff.handle.value > 2**32
    assert bare(handoff.handle.value, byref(phase), None) == PS_ERR_BAD_HANDLE
    assert bare(handoff.handle, byref(phase), None) == tally.PS_OK, "a c_void_p is passed whole"


def python_hears_a_signal_at_once(handoff):
    heard = []
    event = tally.Event(size=ctypes.sizeof(tally.Event))
    signal.signal(signal.SIGALRM, lambda *_: heard.append(time.monotonic()))
    signal.setitimer(signal.ITIMER_REAL, 0.1)
    began = time.monotonic()
    assert handoff.do("next_event", 300_000, byref(event)) == PS_PENDING
    assert len(heard) == 1 and heard[0] - began < 60, "a signal ends the call, and the handler runs"
    signal.signal(signal.SIGALRM, signal.SIG_DFL)


def descriptors_are_not_inheritable(handoff):
    """PEP 446, and the library's: what a child shall have is passed on by name."""
    ours = open_descriptors() - BEFORE
    assert handoff.number("fd") in ours and len(ours) > 5 and not any(os.get_inheritable(fd) for fd in ours)


def a_forked_copy_owns_nothing(handoff, directory):
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:  # after os.register_at_fork's ps_handoff_free
        status = tally.procsup.ps_handoff_phase(handoff.handle, byref(c_int32()), None)
        held = [os.path.realpath(f"/proc/self/fd/{fd}") for fd in os.listdir("/proc/self/fd")]
        os.write(writer, b"%d %d" % (status, sum(path.startswith(str(directory)) for path in held)))
        os._exit(0)
    os.waitpid(pid, 0)
    assert os.read(reader, 64) == b"%d 0" % PS_ERR_FORKED, "the copy holds neither lock nor path"
    os.close(reader), os.close(writer)
    assert handoff.number("phase") == 6, "and nobody else notices"


async def a_reader_that_is_removed_hears_nothing_more():
    loop, pairs, heard = asyncio.get_running_loop(), [socket.socketpair() for _ in range(2)], []

    def hear(number):
        heard.append(number)
        for ours, _ in pairs:  # as SEAL does it, while the other one was found readable in the same step
            loop.remove_reader(ours)

    for number, (ours, theirs) in enumerate(pairs):
        theirs.send(b"x")
        loop.add_reader(ours, hear, number)
    await asyncio.sleep(0.02)
    assert len(heard) == 1, heard


async def start_server_has_connections_nowhere():
    """Between its accept and its connection_made a connection is in no transport, and steps of the loop lie between."""
    loop, made, in_between = asyncio.get_running_loop(), [], []

    class Listener(socket.socket):
        def accept(self):
            accepted = super().accept()
            loop.call_soon(lambda: in_between.append(len(made)))
            return accepted

    class Protocol(asyncio.Protocol):
        def connection_made(self, transport):
            made.append(transport)

    listener = Listener(socket.AF_INET, socket.SOCK_STREAM)
    listener.bind(("127.0.0.1", 0))
    listener.listen()
    server = await loop.create_server(Protocol, sock=listener, backlog=1)
    with socket.create_connection(listener.getsockname()):
        while not made:
            await asyncio.sleep(0.001)
    assert in_between[0] == 0, "another callback, such as SEAL's, ran after the accept, when nobody knew the connection"
    made[0].close()
    server.close()


async def an_exception_in_a_callback_ends_nothing():
    loop, told = asyncio.get_running_loop(), []
    loop.set_exception_handler(lambda loop, context: told.append(context["exception"]))
    loop.call_soon(lambda: 1 // 0)
    await asyncio.sleep(0.01)
    assert [type(why) for why in told] == [ZeroDivisionError]


async def in_a_loop():
    await a_reader_that_is_removed_hears_nothing_more()
    await start_server_has_connections_nowhere()
    await an_exception_in_a_callback_ends_nothing()


with tempfile.TemporaryDirectory(prefix="languages-python.") as place:
    one = first_generation(place)
    other_threads_run_in_a_call(one)
    handles_are_cut_without_argtypes(one)
    python_hears_a_signal_at_once(one)
    descriptors_are_not_inheritable(one)
    a_forked_copy_owns_nothing(one, place)
    one.free()
    asyncio.run(in_a_loop())
print("as the guide says")
