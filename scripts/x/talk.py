"""What is printed while something is done, and the running of commands.

Each command leads a process group of its own: whatever ends ./x (Ctrl-C, a signal, a reader that has gone) then ends it with all that it has started,
compilers of a cargo for example, and gives it the time to end its own children."""
import os
import select
import shutil
import signal
import stat
import subprocess
import sys
import threading
import time

from .place import ROOT

TTY = sys.stdout.isatty() and os.environ.get("TERM") != "dumb"
BEGAN = time.monotonic()
COMMAND = ""  # " demo"
EXPECTED = []  # how long it takes, until that was said
PATIENCE = 5  # seconds, for those who shall end
RUNNING = set()
STARTING = threading.Lock()  # nobody is started, and not in RUNNING
HERE = threading.local()  # .silent: in the background nothing is printed
ending = holding = False
held = None


def begin(command, *expected):
    global COMMAND
    COMMAND = " " + command
    EXPECTED.extend(expected)


def announce():
    """How long it will take: said before the first thing that takes any time, and after all complaints of words and of what is not here."""
    if EXPECTED:
        print(colour("1", f"./x{COMMAND}: {EXPECTED[0][0].lower()}{EXPECTED.pop()[1:]}"), flush=True)


def colour(code, text):
    return f"\033[{code}m{text}\033[0m" if TTY else text


def step(title):
    announce()
    print(colour("1;34", f"==> {title}") + colour("2", f"  ({time.monotonic() - BEGAN:.0f} s)"), flush=True)


def silent():
    return getattr(HERE, "silent", False)


def progress(text):
    """A line that the next one replaces."""
    if TTY and not silent():
        print("\r\033[K" + text[: shutil.get_terminal_size().columns - 1], end="", flush=True)


class Failed(Exception):
    """Why a command could not do what it should; `said`: what a program of it has printed, and nobody has seen yet."""
    code = 1

    def __init__(self, text, said=""):
        super().__init__(text)
        self.said = said


class Missing(Failed):
    """Something is not here, or a word is wrong: nothing was begun."""
    code = 2


# ---- what ends ./x ----


# SIGPIPE itself stays ignored, as Python has it: a program that does not read its input is no reason to end.
NO_READER = signal.SIGUSR1
ENDS = {number: 128 + number for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)}
ENDS[NO_READER] = 128 + signal.SIGPIPE


class Interrupted(BaseException):
    """`code`: that of a process that the signal has ended."""

    def __init__(self, code):
        super().__init__()
        self.code = code


def interrupted(number, _frame):
    global held
    ignore_signals()  # one is enough
    held = Interrupted(ENDS[number])
    if not holding:
        raise held


def ignore_signals():
    for number in ENDS:
        if signal.getsignal(number) == interrupted:
            signal.signal(number, lambda *_: None)  # not SIG_IGN, which a child that is just being made would inherit


def catch_signals():
    for number in ENDS:
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, interrupted)
    if stat.S_ISFIFO(os.fstat(1).st_mode):
        threading.Thread(target=watch_reader, daemon=True).start()


def watch_reader():
    """A reader may leave in the minutes in which we print nothing: `./x demo | head -1`."""
    pipe = select.poll()
    pipe.register(1, 0)
    pipe.poll()
    signal.pthread_kill(threading.main_thread().ident, NO_READER)


def signal_group(process, number):
    try:
        os.killpg(process.pid, number)
    except (ProcessLookupError, PermissionError):
        pass


def has_ended(process):
    """Whether it has; it is not reaped, so its group's number is still its own."""
    try:
        return os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
    except ChildProcessError:
        return True


def end_children():
    """Ends all that runs, in order first."""
    global ending
    ignore_signals()
    with STARTING:
        ending = True
        processes = [process for process in RUNNING if process.returncode is None]
    for process in processes:
        signal_group(process, signal.SIGTERM)
    until = time.monotonic() + PATIENCE
    for process in processes:
        while not has_ended(process) and time.monotonic() < until:
            time.sleep(0.01)
        signal_group(process, signal.SIGKILL)


# ---- commands ----


def start(words, **options):
    """A process of its own group, of which end_children knows."""
    group = {"process_group": 0} if sys.version_info >= (3, 11) else {"preexec_fn": os.setpgrp}
    hold(True)
    try:
        with STARTING:
            if ending:
                raise Failed("is ending")
            process = subprocess.Popen([str(word) for word in words], **{"cwd": str(ROOT), **group, **options})
            RUNNING.add(process)
            return process
    except (FileNotFoundError, PermissionError) as error:
        raise Failed(f"{words[0]} is not here" if isinstance(error, FileNotFoundError) else f"{words[0]} cannot be run") from None
    finally:
        hold(False)


def hold(on):
    """Whether signals are only noted by the main thread, which alone feels them. (They are not blocked: a child would inherit that.)"""
    global holding
    if threading.current_thread() is threading.main_thread():
        holding = on
        if held and not on:
            raise held


def finish(process):
    """Its exit code, when it has one."""
    code = process.wait()
    RUNNING.discard(process)
    return code


def call(*words, **options):
    """Runs a program that speaks for itself; gives its exit code."""
    sys.stdout.flush()
    return finish(start(words, **options))


def run(*command, env=None, check=True, quiet=False, log=None, beside=None):
    """Runs a command; gives whether it succeeded. With `quiet` its output is shown only if it did not; with `log` it goes into that file,
    which is then told by the caller. `beside`: a Background without which there is no use in going on."""
    words = [str(word) for word in command]
    settings = "".join(f"{name}={value} " for name, value in (env or {}).items())
    if not silent():
        announce()
        print(colour("2", f"$ {settings}{' '.join(words)}"), flush=True)
    kept = quiet or log or silent()
    output = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT} if kept else {}
    process = start(words, env={**os.environ, **(env or {})}, **output)
    said = []
    for line in process.stdout or ():
        said.append(line.decode(errors="replace"))
        progress(said[-1].rstrip("\n"))
    while beside and not has_ended(process):
        if beside.failed:
            raise beside.failed
        time.sleep(0.05)
    code = finish(process)
    progress("")
    if log:
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("a") as file:
            file.write(f"$ {' '.join(words)}\n{''.join(said)}\n")
        said = []
    if code != 0 and check:
        raise Failed(f"{words[0]} ended with {code}", "".join(said))
    if code != 0:
        print("".join(said), end="", flush=True)
    return code == 0


class Background(threading.Thread):
    """A function beside whatever else is done. It prints nothing; what it gives, or why it failed, comes of end()."""

    def __init__(self, function):
        super().__init__(daemon=True)
        self.function, self.result, self.failed = function, None, None
        self.start()

    def run(self):
        HERE.silent = True
        try:
            self.result = self.function()
        except BaseException as failed:
            self.failed = failed

    def end(self):
        self.join()
        if self.failed:
            raise self.failed
        return self.result
