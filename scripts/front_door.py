#!/usr/bin/env python3
"""What ./x says and does in its first second, on machines that lack something, to words that are wrong, and when it is ended.

Those machines are a PATH of a few programs; their cargo writes down that it was called."""
import ast
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent
PATIENCE = 20 * float(os.environ.get("PROCSUP_TEST_SLOWNESS", "1"))
CARGO = """#!/bin/sh
case "$1" in
--version) echo "cargo ${CARGO_IS:-1.95.0} (0000000 2026-01-01)" ;;
*) echo $$ "$@" >>"$CALLS"; exec sleep 1000 ;;
esac
"""


def undo_ignored():
    """A shell that has put us into the background has SIGINT ignored, and what is ignored is inherited."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


class Machine:
    """One that has only these programs."""

    def __init__(self, *programs, **env):
        self.place = tempfile.TemporaryDirectory(prefix="front-door-")
        self.root = pathlib.Path(self.place.name)
        self.bin = self.root / "bin"
        self.bin.mkdir()
        self.calls = self.root / "calls"
        made = {"cargo": CARGO, "cc": "#!/bin/sh\nexit ${CC_ENDS:-0}\n", "cmake": "#!/bin/sh\necho cmake version ${CMAKE_IS:-3.25.1}\n", "make": "#!/bin/sh\n"}
        for name in ("sh", "sleep"):
            (self.bin / name).symlink_to(f"/bin/{name}")
        for name in programs:
            (self.bin / name).write_text(made[name])
            (self.bin / name).chmod(0o755)
        self.env = {"PATH": str(self.bin), "HOME": str(self.root), "CARGO_TARGET_DIR": str(self.root / "target"), "CALLS": str(self.calls), **env}

    def start(self, *words, **options):
        pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "universal_newlines": True}
        return subprocess.Popen([sys.executable, str(ROOT / "x"), *words], env=self.env, cwd="/", preexec_fn=undo_ignored, **{**pipes, **options})

    def x(self, *words):
        """Exit code, output and errors."""
        process = self.start(*words)
        out, err = process.communicate(timeout=PATIENCE)
        return process.returncode, out, err

    def building(self):
        """The pid of a cargo that builds; there is none until somebody has called it."""
        said = self.calls.read_text() if self.calls.exists() else ""
        return int(said.split()[0]) if said.endswith("\n") else None


def until(condition):
    end = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > end:
            raise AssertionError("not in time")
        time.sleep(0.01)


def lives(pid):
    try:
        return "Z" not in pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False


class FrontDoor(unittest.TestCase):
    def refused(self, machine, words, *wanted):
        """One line says what is wrong; nothing was begun, and no time was told that it would take."""
        code, out, err = machine.x(*words)
        self.assertEqual((code, out), (2, ""), err)
        self.assertEqual(err.count("\n"), 1, err)
        for word in wanted:
            self.assertIn(word, err)
        self.assertIsNone(machine.building())
        self.assertFalse((machine.root / "target").exists())

    def test_what_is_not_here_is_named_before_anything_is_built(self):
        nothing, poor = Machine(), Machine("cargo", "cc")
        self.refused(nothing, ["demo"], "https://rustup.rs", "gcc libc6-dev")
        self.refused(Machine("cc", "cmake", "make"), ["check"], "cargo is not here")
        self.refused(Machine("cargo", "cc", "cmake", "make", CARGO_IS="1.63.0"), ["demo"], "too old (1.63", "1.88")
        self.refused(Machine("cargo", "cc", "cmake", "make", CC_ENDS="1"), ["demo"], "cannot build a program", "libc6-dev")
        self.refused(poor, ["demo", "--no-install"], "CMake >= 3.16", "--no-install")
        self.refused(poor, ["soak"], "CMake >= 3.16", "./x setup")
        self.refused(Machine("cargo", "cc", "cmake", "make", CMAKE_IS="3.13.4"), ["sanitize"], "CMake >= 3.16")

    def test_no_library_is_built_for_a_demo_that_cannot_be(self):
        machine = Machine("cargo", "cc")
        (machine.root / "target").mkdir()
        (machine.root / "target/tools").write_text("")  # so there can be no venv, and there is no apt
        code, _, err = machine.x("demo")
        self.assertEqual(code, 2, err)
        self.assertRegex(err, r"^\./x demo: CMake >= 3\.16 .* could not be had .*install cmake and make[^\n]*\n$")
        self.assertFalse(machine.building() and lives(machine.building()))
        self.assertIn("could not be had before", machine.x("demo")[2])  # and it is not tried again

    def test_a_wrong_word_is_named(self):
        machine = Machine("cargo", "cc", "cmake", "make")
        self.refused(machine, ["tset"], "no command 'tset'", "did you mean test?")
        self.refused(machine, ["help", "dmeo"], "no command 'dmeo'", "did you mean demo?")
        self.refused(machine, ["quux"], "no command 'quux'", "./x help lists them")
        self.refused(machine, ["demo", "--no-instal"], "--no-instal?", "--no-install")
        self.refused(machine, ["bench", "span"], "what is span?", "spawn")
        self.refused(machine, ["fuzz", "10", "wires"], "what is wires?", "wire")

    def test_help_only_helps(self):
        machine = Machine()
        whole = machine.x()
        self.assertIn("./x demo", whole[1])
        for words in (["help"], ["--help"]):
            self.assertEqual(machine.x(*words), whole)
        demo = machine.x("help", "demo")
        self.assertEqual((demo[0], demo[2]), (0, ""))
        self.assertIn("Takes ", demo[1])
        for words in (["demo", "--help"], ["--help", "demo"], ["demo", "help"], ["demo", "--no-install", "-h"]):
            self.assertEqual(machine.x(*words), demo)

    def test_the_time_is_told_first(self):
        machine = Machine("cargo", "cc", "cmake", "make")
        process = machine.start("demo", "--no-install")
        self.assertRegex(process.stdout.readline(), r"^\./x demo: takes .*(minute|second)")
        process.terminate()
        process.communicate(timeout=PATIENCE)

    def ended(self, end, code):
        """What ends ./x ends the cargo that it runs, and nobody complains."""
        machine = Machine("cargo", "cc", "cmake", "make")
        process = machine.start("demo", "--no-install")
        until(machine.building)
        end(process)
        self.assertEqual(process.wait(timeout=PATIENCE), code)
        self.assertEqual(process.stderr.read(), "")
        until(lambda: not lives(machine.building()))
        process.stdout.close()
        process.stderr.close()

    def test_it_ends_quietly_with_all_that_it_runs(self):
        self.ended(lambda process: process.send_signal(signal.SIGINT), 130)
        self.ended(lambda process: process.send_signal(signal.SIGTERM), 143)
        self.ended(lambda process: process.stdout.close(), 141)

    def test_a_reader_that_has_gone_is_no_trouble(self):
        reading, writing = os.pipe()
        os.close(reading)
        process = Machine().start("help", stdout=writing)
        os.close(writing)
        self.assertEqual(process.communicate(timeout=PATIENCE)[1], "")
        self.assertEqual(process.returncode, 141)

    def test_an_old_python_is_told(self):
        """What says so must be read by it: nothing newer may stand in that file."""
        text = (ROOT / "x").read_text()
        self.assertFalse([node for node in ast.walk(ast.parse(text, feature_version=(3, 4))) if isinstance(node, ast.JoinedStr)])
        pretend = f"import sys; sys.version_info = (3, 6, 9, 'final', 0); sys.argv = ['x', 'help']; exec(compile({text!r}, {str(ROOT / 'x')!r}, 'exec'), {{'__name__': '__main__', '__file__': {str(ROOT / 'x')!r}}})"
        asked = subprocess.run([sys.executable, "-c", pretend], stdout=subprocess.PIPE, stderr=subprocess.PIPE, universal_newlines=True)
        self.assertEqual((asked.returncode, asked.stdout), (2, ""))
        self.assertEqual(asked.stderr, "./x: needs Python 3.8 or newer, and this is 3.6\n")


if __name__ == "__main__":
    unittest.main()
