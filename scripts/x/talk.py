"""What is printed while something is done, and the running of commands."""
import os
import shutil
import subprocess
import sys
import time

from .place import ROOT

TTY = sys.stdout.isatty() and os.environ.get("TERM") != "dumb"
BEGAN = time.monotonic()


def colour(code, text):
    return f"\033[{code}m{text}\033[0m" if TTY else text


def step(title):
    print(colour("1;34", f"==> {title}") + colour("2", f"  ({time.monotonic() - BEGAN:.0f} s)"), flush=True)


def progress(text):
    """A line that the next one replaces."""
    if TTY:
        print("\r\033[K" + text[: shutil.get_terminal_size().columns - 1], end="", flush=True)


class Failed(Exception):
    pass


def run(*command, env=None, check=True, quiet=False, log=None):
    """Runs a command; gives whether it succeeded. With `quiet` its output is shown only if it did not; with `log` it goes into that file,
    which is then told by the caller."""
    words = [str(word) for word in command]
    settings = "".join(f"{name}={value} " for name, value in (env or {}).items())
    print(colour("2", f"$ {settings}{' '.join(words)}"), flush=True)
    output = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT} if quiet or log else {}
    try:
        process = subprocess.Popen(words, cwd=str(ROOT), env={**os.environ, **(env or {})}, **output)
    except FileNotFoundError:
        raise Failed(f"{words[0]} is not here") from None
    said = []
    for line in process.stdout or ():
        said.append(line.decode(errors="replace"))
        progress(said[-1].rstrip("\n"))
    code = process.wait()
    progress("")
    if log:
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("a") as file:
            file.write(f"$ {' '.join(words)}\n{''.join(said)}\n")
    if code != 0:
        if not log:
            print("".join(said), end="", flush=True)
        if check:
            raise Failed(f"{words[0]} ended with {code}")
    return code == 0
