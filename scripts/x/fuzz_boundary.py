"""./x fuzz boundary: c-tests/fuzz/boundary.c for long, on all CPUs, each time with other seeds."""
import collections
import os
import re
import subprocess
import time

from .build import build_library, cmake_build
from .place import CPUS, ROOT, TARGET
from .talk import finish, run, start, step

NEXT = TARGET / "fuzz/boundary.seed"  # where the last run has ended
FIRST = 1000  # the seeds below are those of ./x test


def documented():
    """Which statuses the header names for each call: in its own words, in those of the calls that it refers to, and for all of its kind."""
    text = (ROOT / "include/procsup.h").read_text()
    found = re.findall(r"/\*\*((?:[^*]|\*(?!/))*)\*/\s*[\w ]+?\**\b(ps_\w+)\(([^;]*)\);", text)
    words = {name: re.sub(r"\s*\n \* *", " ", comment) for comment, name, _ in found}
    parameters = {name: arguments for _, name, arguments in found}

    def named(name, seen=()):
        said = words.get(name, "")
        statuses = set(re.findall(r"PS_(?:OK|PENDING|ERR_\w+)", said)) | {"PS_OK"}
        for other in re.findall(r"\b(?:as|what) (ps_\w+)", said.replace("else as", "as")):
            if other not in seen and other != name:
                statuses |= named(other, (*seen, name))
        return statuses

    handle = re.compile(r"\bps_(?:command|child|supervisor|handoff|error) \*\w")
    result = {}
    for name in words:
        general = {"PS_ERR_INVALID_ARGUMENT"}
        if handle.search(parameters[name]):
            general |= {"PS_ERR_BAD_HANDLE", "PS_ERR_FORKED"}
        if " cap," in parameters[name]:
            general.add("PS_ERR_LIMIT")
        result[name] = named(name) | general
    return result


def summary(files):
    """What was answered that the header does not name."""
    counts = collections.Counter()
    for file in files:
        for line in file.read_text().splitlines() if file.exists() else ():
            name, status, count = line.split()
            counts[name, status] += int(count)
    known = documented()
    others = [(name, status, count) for (name, status), count in sorted(counts.items()) if status not in known.get(name, ())]
    if others:
        print("answered, and not named in the header:")
        for name, status, count in others:
            print(f"  {name:<30} {status:<26} {count:>8}")


def boundary(seconds, options, program=None, jobs=None, env=None):
    """Whether nothing was found. `program`: another build of it."""
    if program is None:
        build_library()
        program = cmake_build("cmake", targets=("fuzz.boundary", "room-helpers")) / "c-tests/fuzz/boundary"
    if seconds == 0:
        return run(program, "--count", "1", *options, env=env, check=False)
    step("Fuzzing: boundary")
    jobs = jobs or 2 * CPUS  # a host waits as much as it works
    first = int(NEXT.read_text()) if NEXT.exists() else FIRST
    NEXT.parent.mkdir(parents=True, exist_ok=True)
    files = [TARGET / f"fuzz/boundary-{job}.statuses" for job in range(jobs)]
    commands = [[str(program), "--first", str(first + job), "--stride", str(jobs), "--seconds", str(seconds), "--statuses", str(files[job]), *options]
                for job in range(jobs)]
    print(f"{jobs} at once, seeds from {first} on, {seconds} s")
    running = [start(command, env={**os.environ, **(env or {})}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) for command in commands]
    began, hosts, good = time.monotonic(), 0, True
    for process in running:
        said = process.communicate()[0].decode(errors="replace")
        print(said, end="", flush=True)
        good &= finish(process) == 0
        hosts = max([hosts, *map(int, re.findall(r"^(\d+) hosts", said, re.MULTILINE))])
    NEXT.write_text(str(first + hosts * jobs))
    summary(files)
    print(f"boundary: {'nothing' if good else 'something'} found in {time.monotonic() - began:.0f} s")
    return good

