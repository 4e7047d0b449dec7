"""What ./x does with its words: finds the command, helps, says how long it will take, and ends quietly whatever ends it."""
import difflib
import importlib
import inspect
import os
import signal
import sys

from . import talk
from .talk import Failed, Interrupted, colour

# Each command is a function, in the file scripts/x/<command>.py if not said otherwise here. What it says of itself is its help; of that, the
# paragraph that begins with "Takes" is also said when it begins, after it has found that it can.
COMMANDS = ["demo", "test", "check", "bench", "sanitize", "model", "explore", "fuzz", "mutate", "soak", "service", "kernels", "daemons", "cross", "header", "symbols", "profile", "setup"]
FILES = {"symbols": "header"}
HELP = ("help", "--help", "-h")


def function(command):
    return getattr(importlib.import_module("x." + FILES.get(command, command)), command)


def paragraphs(command):
    return inspect.getdoc(function(command)).split("\n\n")


def usage(title):
    print(title + "\n")
    for command in COMMANDS:
        first, *more = paragraphs(command)[0].splitlines()
        print("  " + colour("1", f"./x {command:<9}") + f" {first}")
        for line in more:
            print(" " * 16 + line)
    print("\n./x help COMMAND tells the rest: options, what it installs, how long it takes. Only demo, test and setup install anything.")


def unknown(word):
    """No second guess: who meant something else has to say so."""
    meant = difflib.get_close_matches(word, COMMANDS, 1, 0.5)
    raise talk.Missing(f"no command '{word}'" + (f"; did you mean {meant[0]}?" if meant else "") + " (./x help lists them)")


def serve(title, words):
    command, *arguments = words or ["help"]
    own = arguments[: arguments.index("--")] if "--" in arguments else arguments
    if command in HELP:
        command, own = (own[0], ["help"]) if own else ("", [])
    if command == "":
        return usage(title)
    if command not in COMMANDS:
        unknown(command)
    if own[:1] == ["help"] or "--help" in own or "-h" in own:
        print(f"./x {command}\n\n{inspect.getdoc(function(command))}")
        return 0
    takes = [" ".join(paragraph.split()) for paragraph in paragraphs(command) if paragraph.startswith("Takes ")]
    talk.begin(command, *takes)
    return function(command)(arguments)


def main(title, words):
    try:
        talk.catch_signals()
        try:
            result = serve(title, words)
            sys.stdout.flush()
            return result if isinstance(result, int) else 0
        finally:
            talk.end_children()  # of which none is left, if all went well; from here on no signal is heard
    except Failed as failed:
        return give_up(failed)
    except BrokenPipeError:  # who has read us has had enough
        return quietly(128 + signal.SIGPIPE)
    except Interrupted as interrupted:
        return quietly(interrupted.code)


def give_up(failed):
    try:
        talk.progress("")
        print(failed.said, end="", flush=True)
        print(colour("1;31", f"./x{talk.COMMAND}: {failed}"), file=sys.stderr)
        return failed.code
    except BrokenPipeError:
        return quietly(128 + signal.SIGPIPE)


def quietly(code):
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):  # what is left in their buffers has no reader
        os.dup2(nowhere, stream.fileno())
    return code
