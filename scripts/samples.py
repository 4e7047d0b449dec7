#!/usr/bin/env python3
"""Compiles the C samples of include/procsup.h and of docs/guide as they stand there, without a warning, and upgrades the servers among them.

    samples.py --cc CC --library DIRECTORY     (where libprocsup.so is)

A sample in a document is a block of C (`c sketch`: not a whole one; `c examples/FILE`: it stands so in that file); one that includes or declares nothing
is compiled behind procsup.h. The two servers, ps_handoff_new's in the header and the one of docs/guide/handoff.md, are compiled with
c-tests/lib/sample_server.h, which has what they leave to the reader, and must do what they say: be replaced, go on beside a successor that dies or gives
back, exit when they are told that they came to nothing.
"""
# covers: F39, C14-5, C15-6
import argparse
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
WARNINGS = ["-std=gnu11", "-Wall", "-Wextra", "-Werror", "-Wno-unused-function"]
PATIENCE = 30 * float(os.environ.get("PROCSUP_TEST_SLOWNESS", "1"))


def header_samples():
    """The complete program at the top, and what stands between ``` in a description."""
    text = (ROOT / "include/procsup.h").read_text()
    program = re.search(r"A complete program:\n \*\n((?: \*(?:     .*)?\n)+)", text).group(1)
    yield "procsup.h: the complete program", re.sub(r"(?m)^ \* {0,5}", "", program)
    for block in re.finditer(r"(?ms)^ \* ```c\n(.*?)^ \* ```", text):
        line = text.count("\n", 0, block.start()) + 1
        yield f"procsup.h:{line}", re.sub(r"(?m)^ \* ?", "", block.group(1))


def guide_pages():
    return sorted([*(ROOT / "docs/guide").glob("handoff*.md"), *(ROOT / "docs/guide" / f"{name}.md" for name in ("coordination", "preloader", "fork-server", "service", "signals", "terminals"))])


def parts_of_examples():
    """What a guide shows of an example must be there still."""
    for page in guide_pages():
        text = page.read_text()
        for block in re.finditer(r"(?ms)^```c (examples/\S+)\n(.*?)^```", text):
            name = f"{page.name}:{text.count(chr(10), 0, block.start()) + 1}"
            if block.group(2) not in (ROOT / block.group(1)).read_text():
                sys.exit(f"{name}: {block.group(1)} does not have this part any more")
            print(f"{name}: stands in {block.group(1)}")


def guide_samples():
    for page in guide_pages():
        text = page.read_text()
        for block in re.finditer(r"(?ms)^```c\n(.*?)^```", text):
            yield f"{page.name}:{text.count(chr(10), 0, block.start()) + 1}", block.group(1)


class Samples:
    def __init__(self, cc, library, place):
        self.cc, self.library, self.place, self.count = cc, library, pathlib.Path(place), 0

    def compile(self, name, text, *more):
        self.count += 1
        source = self.place / f"sample{self.count}.c"
        source.write_text(text)
        command = [self.cc, *WARNINGS, f"-I{ROOT / 'include'}", f"-I{ROOT / 'c-tests/lib'}", *more, str(source)]
        run = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, universal_newlines=True)
        if run.returncode != 0:
            sys.exit(f"{name} does not compile:\n{run.stdout}")
        print(f"{name}: compiles")

    def server(self, name, text):
        program = self.place / f"server{self.count + 1}"
        # What the sample declares of the reader's own comes from the header with the stubs; `serve` is what it defines.
        text = re.sub(r"(?ms)^/\* yours \*/\n.*?\n\n", "", text).replace("void serve(", "static void serve(", 1)
        self.compile(name, f'#include "sample_server.h"\n{text}', f"-L{self.library}", "-Wl,-rpath," + self.library, "-o", str(program),
                     "-x", "none", "-pthread", "-Wl,--no-as-needed", "-lprocsup")
        return program


class Stage:
    """One server after the other on one control path."""

    def __init__(self, name, program, place):
        self.name, self.program, self.place, self.all = name, str(program), pathlib.Path(place), []
        self.place.mkdir()

    def start(self, *trouble):
        command = [self.program, str(self.place / "control"), str(self.place / "port"), *trouble]
        self.all.append(subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, universal_newlines=True))
        return self.all[-1]

    def until(self, what, condition):
        end = time.monotonic() + PATIENCE
        while not condition():
            if time.monotonic() > end:
                raise AssertionError(f"{self.name}: {what}: not in time")
            time.sleep(0.01)

    def answer(self):
        with socket.create_connection(("127.0.0.1", int((self.place / "port").read_text())), timeout=PATIENCE) as client:
            return int(client.makefile().readline() or 0)

    def says(self, process, wanted):
        line = process.stdout.readline().strip()
        if line != wanted:
            raise AssertionError(f"{self.name}: a server says {line!r}, not {wanted!r}")

    def served_by(self, what, process):
        self.until(what, lambda: self.answer() == process.pid)

    def ended(self, what, process, code):
        self.until(what, lambda: process.poll() is not None)
        if process.returncode != code:
            raise AssertionError(f"{self.name}: {what}: ended with {process.returncode}, not {code}")

    def play(self):
        first = self.start()
        self.until("the first listens", (self.place / "port").exists)
        self.served_by("the first serves", first)
        second = self.start()
        self.served_by("the second takes over", second)
        self.ended("the first retires", first, 0)
        self.says(second, f"main process {second.pid}")

        # Before it is warm: nothing was stopped for it.
        third = self.start("hang")
        self.says(third, "loading")
        third.kill()
        third.wait()
        self.served_by("the second goes on", second)

        # On probation: taken back, whether it dies ...
        self.ended("the fourth serves, and dies", self.start("die"), -signal.SIGKILL)
        self.served_by("the second takes back", second)

        # ... or says so. It has served, and has to exit.
        fifth = self.start("give-back")
        self.ended("the fifth gives back, and exits", fifth, 1)
        self.served_by("the second takes back again", second)

        sixth = self.start()
        self.served_by("the sixth takes over", sixth)
        self.ended("the second retires", second, 0)
        self.served_by("the sixth serves", sixth)

    def end(self):
        for process in self.all:
            if process.poll() is None:
                process.send_signal(signal.SIGKILL)
            process.wait()
            process.stdout.close()


def play(stage, failures):
    try:
        stage.play()
        print(f"{stage.name}: is replaced, takes back, exits")
    except Exception as failure:  # whatever it is, the others are played, too
        failures.append(f"{type(failure).__name__}: {failure}")
    finally:
        stage.end()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--cc", default="cc")
    parser.add_argument("--library", required=True)
    options = parser.parse_args()
    parts_of_examples()
    with tempfile.TemporaryDirectory(prefix="samples-") as place:
        samples = Samples(options.cc, os.path.abspath(options.library), place)
        stages = []
        for name, text in [*header_samples(), *guide_samples()]:
            if "void serve(" in text:
                program = samples.server(name, text)
                stages.append(Stage(name, program, pathlib.Path(place) / f"stage{samples.count}"))
            else:
                samples.compile(name, text if "#include" in text else f"#include <procsup.h>\n#include <stdio.h>\n#include <stdlib.h>\n#include <time.h>\n{text}", "-fsyntax-only")
        if len(stages) != 2:
            sys.exit(f"there are {len(stages)} sample servers, and there should be that of the header and that of the guide")
        failures = []
        threads = [threading.Thread(target=play, args=(stage, failures)) for stage in stages]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if failures:
            sys.exit("\n".join(failures))


if __name__ == "__main__":
    main()
