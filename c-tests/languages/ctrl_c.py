"""Ctrl-C in a program that waits within a call of the library: it is typed at a terminal as soon as the program waits, and the program must say so.

    ctrl_c.py LIBRARY PROGRAM [ARGUMENT...]     LIBRARY is one more argument of it, and in its environment
    ctrl_c.py LIBRARY                           a program in Python: this file, by ctypes

A program says "waiting NAME", waits, and says "interrupted NAME" when the handler of its language has run; as often as it likes, and "done" at the end.
"""
import ctypes
import os
import pathlib
import pty
import re
import select
import signal
import sys
import time

PATIENCE = 30 * float(os.environ.get("PROCSUP_TEST_SLOWNESS", "1"))
POLLS = {"x86_64": (7, 271), "aarch64": (73,)}[os.uname().machine]  # poll, ppoll


# ---- the program in Python ----

INTERRUPTED = -24  # PS_ERR_INTERRUPTED: Python's own handler says what follows


class Event(ctypes.Structure):
    _fields_ = [("size", ctypes.c_uint32), ("kind", ctypes.c_int32), ("rest", ctypes.c_uint64 * 64)]


class Library:
    def __init__(self, path):
        self.calls, self.error = ctypes.CDLL(path), ctypes.c_void_p()
        self.calls.ps_error_message.restype = ctypes.c_char_p
        self.calls.ps_error_message.argtypes = [ctypes.c_void_p]

    def call(self, name, *arguments):
        status = getattr(self.calls, name)(*arguments, ctypes.byref(self.error))
        if status < 0 and status != INTERRUPTED:
            raise OSError(self.calls.ps_error_message(self.error).decode())
        return status


def wait_in_python(path):
    library = Library(path)
    supervisor, command, child = ctypes.c_void_p(), ctypes.c_void_p(), ctypes.c_void_p()
    library.call("ps_supervisor_new", ctypes.byref(supervisor))
    library.call("ps_command_new", b"sleep", ctypes.byref(command))
    library.call("ps_command_arg", command, b"1000")
    library.call("ps_command_readiness", command, 1, None, ctypes.c_int64(-1))  # PS_READY_NOTIFY, which it never says
    library.call("ps_spawn", supervisor, command, ctypes.byref(child))
    event, index = Event(size=ctypes.sizeof(Event)), ctypes.c_size_t()
    library.call("ps_supervisor_next_event", supervisor, ctypes.c_int64(-1), ctypes.byref(event))  # STARTED
    children, minute = (ctypes.c_void_p * 1)(child), ctypes.c_int64(60000)
    waits = {
        "next_event": lambda: library.call("ps_supervisor_next_event", supervisor, ctypes.c_int64(-1), ctypes.byref(event)),
        "wait_ready": lambda: library.call("ps_wait_ready", child, minute),
        "wait_any": lambda: library.call("ps_wait_any", children, ctypes.c_size_t(1), minute, ctypes.byref(index)),
        "wait_all": lambda: library.call("ps_wait_all", children, ctypes.c_size_t(1), minute),
    }
    for name, wait in waits.items():
        try:
            print("waiting", name, flush=True)
            wait()
            print("missed", name, flush=True)  # Python's handler runs behind the call, before this
        except KeyboardInterrupt:
            print("interrupted", name, flush=True)
    library.call("ps_terminate", child, ctypes.c_int64(0), None)
    library.calls.ps_child_free(child)
    library.calls.ps_command_free(command)
    library.calls.ps_supervisor_free(supervisor)
    print("done", flush=True)


# ---- who types ----


def is_waiting(pid):
    """Whether its main thread sleeps in poll; where that cannot be seen: whether it sleeps."""
    try:
        state = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return True
    try:
        where = pathlib.Path(f"/proc/{pid}/syscall").read_text().split()[0]
    except OSError:
        where = ""
    return state == "S" and (not where.isdigit() or int(where) in POLLS)


class Terminal:
    def __init__(self, words):
        self.pid, self.fd = pty.fork()
        self.text = ""
        if self.pid == 0:
            os.execvp(words[0], words)

    def read(self, end):
        """Whether there is more to come."""
        while not select.select([self.fd], [], [], 0.05)[0]:
            if time.monotonic() > end:
                self.fail("nothing is said")
        try:
            data = os.read(self.fd, 4096)
        except OSError:  # EIO: nobody has it open any more
            return False
        self.text += data.decode(errors="replace")
        return bool(data)

    def fail(self, why):
        os.kill(self.pid, signal.SIGKILL)
        sys.exit(f"{why}: {self.text!r}")

    def run(self):
        typed, end = 0, time.monotonic() + PATIENCE
        while self.read(end):
            waits = re.findall(r"waiting ?(\S*)", self.text)
            if len(waits) > typed:
                while not is_waiting(self.pid):
                    if time.monotonic() > end:
                        self.fail("it does not wait")
                    time.sleep(0.002)
                os.write(self.fd, b"\x03")
                typed, end = len(waits), time.monotonic() + PATIENCE
        status = os.waitpid(self.pid, 0)[1]
        said = re.findall(r"interrupted ?(\S*)", self.text)
        if os.WIFEXITED(status) and os.WEXITSTATUS(status) == 77 and not typed:
            print("skipped:", self.text.strip())
            sys.exit(77)
        if status != 0 or not waits or said != waits or "done" not in self.text or "missed" in self.text:
            sys.exit(f"status {status}, waits {waits}, interrupted {said}: {self.text!r}")
        print("interrupted:", " ".join(said))


if sys.argv[2:] == ["--wait"]:
    wait_in_python(sys.argv[1])
else:
    os.environ["PROCSUP_LIBRARY"] = sys.argv[1]
    program = sys.argv[2:] + sys.argv[1:2] if sys.argv[2:] else [sys.executable, os.path.abspath(__file__), sys.argv[1], "--wait"]
    Terminal(program).run()
