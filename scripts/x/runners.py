"""cargo test and ctest: run, counted, summed up."""
import re
import subprocess
import time
from pathlib import Path

from .place import CPUS, ROOT
from .talk import BEGAN, TTY, colour, finish, progress, start, step
from .tools import need_cmake


class Count:
    """What a test runner said, added up."""

    def __init__(self, name):
        self.name, self.began = name, time.monotonic()
        self.passed = self.failed = self.skipped = 0
        self.ok, self.note, self.seconds = True, "", 0
        self.left_out = []  # the names of what was skipped, where they are known

    def anew(self):
        """Nothing counted yet, by the clock of before."""
        self.passed = self.failed = self.skipped = 0
        self.left_out = []
        return self

    def __str__(self):
        counts = f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped"
        return f"{self.name:<10} {counts:<42} {self.seconds:6.0f} s{self.note}"

    def lines(self, command, cwd, stderr=None):
        """The lines that a runner prints, one by one; notes its end."""
        print(colour("2", "$ " + " ".join(map(str, command))), flush=True)
        runner = start(command, cwd=str(cwd), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=stderr)
        for line in runner.stdout:
            yield line.decode(errors="replace").rstrip("\n")
        self.ok = finish(runner) == 0
        self.seconds = time.monotonic() - self.began
        progress("")
        if not self.ok and self.failed == 0:
            self.failed = 1  # it did not even come to its tests


def cargo_test(arguments):
    count = Count("cargo test")
    for line in count.lines(["cargo", "test", "--color=always" if TTY else "--color=never", "--no-fail-fast", *arguments], ROOT):
        result = re.match(r"test result: .* (\d+) passed; (\d+) failed; (\d+) ignored", line)
        if result:
            count.passed, count.failed, count.skipped = (a + int(b) for a, b in zip((count.passed, count.failed, count.skipped), result.groups()))
        if re.match(r"test .* \.\.\. .*ok", line):
            progress(line)
        elif line and not line.startswith(("running ", "test result: ok")):
            progress("")
            print(line, flush=True)
    return count


def ctest(build, arguments, name="ctest"):
    count = Count(name)
    # Most tests wait for something: three times as many as there are CPUs keep those busy. Those that do not say so (cmake/tests.cmake).
    command = [Path(need_cmake()[0]).with_name("ctest"), "--output-on-failure", "--no-label-summary", "-j", 3 * CPUS, *arguments]
    told = time.monotonic()
    for line in count.lines(command, build, stderr=subprocess.STDOUT):
        result = re.match(r"\s*(\d+)/(\d+) Test +#\d+: (\S+) \.*\s*(\*\*\*)?(\w+)", line)
        if result:
            done, total, test, _, verdict = result.groups()
            count.passed += verdict == "Passed"
            count.skipped += verdict == "Skipped"
            count.left_out += [test] if verdict == "Skipped" else []
            count.failed += verdict not in ("Passed", "Skipped")
            if verdict not in ("Passed", "Skipped"):
                progress("")
                print(colour("31", line), flush=True)
            progress(f"{done}/{total} {test}")
            if not TTY and time.monotonic() - told > 15:
                told = time.monotonic()
                print(f"  {done} of {total}, {count.failed} failed", flush=True)
        elif line.strip() and not re.match(r"\s+Start +\d+:|Test project|Total Test time|\d+% tests passed|The following tests|Errors while|\s+\d+ - ", line):
            progress("")
            print(line, flush=True)
    log = build / "Testing/Temporary/LastTest.log"
    injections = sum(map(int, re.findall(r": (\d+) injections,", log.read_text(errors="replace")))) if log.exists() else 0
    count.note = f"   {injections} faults injected" if injections else ""
    return count


def conclude(counts):
    """The closing table and line; gives the exit code."""
    step("Summary")
    for count in counts:
        print(colour("32" if count.ok else "31", str(count)))
    real = [name for count in counts for name in count.left_out if name.startswith("interop/")]
    if real:  # against real programs: as root on Debian there is no reason for it
        print(colour("33", f"{len(real)} tests against programs of others are skipped: {' '.join(real)}"))
    passed, failed, skipped = (sum(getattr(c, kind) for c in counts) for kind in ("passed", "failed", "skipped"))
    good = all(c.ok for c in counts) and failed == 0
    print(colour("1;32" if good else "1;31", f"{passed} passed, {failed} failed, {skipped} skipped in {time.monotonic() - BEGAN:.0f} s"))
    return 0 if good else 1


def ctest_filter(arguments):
    """A plain word chooses tests by name; options go to ctest as they are."""
    return ["-R", arguments[0], *arguments[1:]] if arguments and not arguments[0].startswith("-") else list(arguments)
