import argparse
import fnmatch
import json
import os
import platform
import re
import shutil
import subprocess
import time
from collections import Counter
from datetime import datetime, timezone
from pathlib import Path

from .build import CARGO_RUSTC, build_library, cmake_build
from .kernel_vm import AMD64, ARM64, KEYS, Kernel, assemble, boot, compile_init, contents, copy, make_root, needed_by, other_system, own_system
from .place import CPUS, LIBRARY, ROOT, TARGET, shown
from .runners import Count
from .service_vm import pack
from .talk import Failed, Missing, colour, progress, run, step
from .tools import LOG, apt_install, find_cmake, get_cmake, need_cmake

PLACE = TARGET / "kernels"
RESULTS, PAGE = PLACE / "results.json", ROOT / "docs/evidence/kernels.md"
BOUNDED = ROOT / "scripts/kernels/bounded"
# Name, Debian's suite, machine. The first two are those of CI.
KERNELS = {"6.1": ("bookworm", AMD64), "6.12": ("trixie", AMD64), "5.10": ("bullseye", AMD64), "7.3": ("trixie-backports", AMD64),
           "arm64-6.1": ("bookworm", ARM64), "arm64-6.12": ("trixie", ARM64)}
CI = ["6.1", "6.12"]
ROOMS = ["boundary", "laws", "process", "output", "containment", "coordination", "supervisor", "preloader", "handoff", "cpp", "inject", "fuzz", "soak"]
NEVER_SKIPPED = ["process/kernel_takes_the_best_way", "process/spawn_tier_is_the_fast_one", "containment/cgroup_bomb_within_a_pids_limit",
                 "containment/cgroup_memory_limit_spares_the_host", "containment/memory_kills_are_told", "containment/memory_kills_of_others"]
EXAMPLES = ["init", "container"]  # that tests run
VARIABLES = []  # for each test
PATIENCE = 300  # seconds, for a test
SAMPLE = 40  # one in so many of the faults that ./x test puts in
AGAIN = 8  # so many that have failed are run once more
SLOWNESS = 10  # of a machine that is emulated
MEMORY = 4096  # MiB, of which it has what it touches


def kernels(arguments):
    """The C tests on real kernels, each in a virtual machine (qemu) that this makes: Debian's 5.10, 6.1, 6.12 and 7.3 for clouds, and arm64's.
    ./x kernels NAME ...: only these; without a name all.

    As root. Gets what is not here: by apt qemu-system-x86 cpio zstd, for arm64 qemu-system-arm gcc-aarch64-linux-gnu g++-aarch64-linux-gnu; the kernels by an
    apt of their own into target/kernels (15 to 35 MB each, kept); for arm64 also a Debian's programs, and by rustup that target's std.

    Takes about half an hour for a kernel on two idle processors, as the machines are emulated; what was found until then is kept if it is ended before.

    --bounded         only what depends on the kernel, as ./x test does it (scripts/kernels/bounded): a minute or two for each
    --only TEXT       tests whose name holds TEXT
    --set NAME=VALUE  a variable for them all; may be repeated (PROCSUP_KILLS=1000: as many children for the test of memory kills)
    --no-install      gets nothing
    --table           writes docs/evidence/kernels.md: the last result of each test on each kernel

    Exit code 0: all passed, or skipped for a reason that was said."""
    parser = argparse.ArgumentParser(prog="./x kernels", add_help=False)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--bounded", action="store_true")
    parser.add_argument("--only", default="")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--no-install", action="store_true")
    parser.add_argument("--table", action="store_true")
    options = parser.parse_args(arguments)
    unknown = set(options.names) - set(KERNELS)
    if unknown:
        raise Missing(f"no kernel {' '.join(sorted(unknown))}: {' '.join(KERNELS)}")
    names = options.names or list(KERNELS)
    may_get = not options.no_install
    kinds = {KERNELS[name][1] for name in names}
    install(kinds, may_get)
    if may_get and not find_cmake():
        print("Getting by pip: cmake ninja", flush=True)
        get_cmake(True)
    builds = {kind: built(kind) for kind in (AMD64, ARM64) if kind in kinds}
    patterns = bounded() if options.bounded else everything()
    VARIABLES.extend(options.set)
    counts = [on(name, builds[KERNELS[name][1]], patterns, options.only, may_get) for name in names]
    if options.table:
        write_page()
    for count in counts:
        print(colour("32" if count.ok else "31", str(count)), flush=True)
    return 0 if all(count.ok for count in counts) else 1


def in_test(build, install_allowed):
    """The bounded part for ./x test: counts, one a kernel. `build`: where the C tests are. As root a machine that cannot be had is a failure,
    if getting it is allowed."""
    if os.geteuid() != 0:
        print(colour("33", "without real kernels: only root can unpack a system for them"), flush=True)
        return []
    if not install_allowed and not all((PLACE / name / "vmlinuz").exists() for name in CI):
        print(colour("33", "without real kernels: not here, and --no-install"), flush=True)
        return []
    if platform.machine() != "x86_64" or not shutil.which("apt-get"):
        print(colour("33", "without real kernels: they are got by apt, for x86_64"), flush=True)
        return []
    install({AMD64}, install_allowed)
    return [on(name, build, bounded(), "", install_allowed) for name in CI]


def bounded():
    lines = (line.split("#")[0].strip() for line in BOUNDED.read_text().splitlines())
    return [line for line in lines if line]


def everything():
    return [f"{room}/*" for room in ROOMS]


def install(kinds, may):
    wanted = {"cpio": "cpio", "zstd": "zstd", "dpkg-deb": "dpkg", KEYS: "debian-archive-keyring", **{kind.qemu[0]: kind.package for kind in kinds}}
    if ARM64 in kinds:
        wanted.update({"aarch64-linux-gnu-gcc": "gcc-aarch64-linux-gnu", "aarch64-linux-gnu-g++": "g++-aarch64-linux-gnu"})
    missing = [package for program, package in wanted.items() if not (shutil.which(program) or os.path.exists(program))]
    if missing and may:
        print("Getting by apt: " + " ".join(missing), flush=True)
        apt_install(missing)
    missing = [program for program in wanted if not (shutil.which(program) or os.path.exists(program))]
    if missing:
        raise Failed(f"not here: {' '.join(missing)}" + (f" (apt could not get them: {shown(LOG)})" if may else ", and --no-install"))


def built(kind):
    """The build folder of the C tests for this machine."""
    if kind is AMD64:
        build_library()
        return cmake_build("cmake", "-DPROCSUP_VARIANTS=OFF") if not (TARGET / "cmake/CMakeCache.txt").exists() else cmake_build("cmake")
    target = "aarch64-unknown-linux-gnu"
    step(f"Building the library for {target}")
    if shutil.which("rustup"):
        run("rustup", "target", "add", target, quiet=True)
    linker = {"CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER": "aarch64-linux-gnu-gcc"}
    run(*CARGO_RUSTC, "--target", target, env=linker)
    compilers = ["-DCMAKE_SYSTEM_NAME=Linux", "-DCMAKE_SYSTEM_PROCESSOR=aarch64", "-DCMAKE_C_COMPILER=aarch64-linux-gnu-gcc",
                 "-DCMAKE_CXX_COMPILER=aarch64-linux-gnu-g++", "-DPROCSUP_VARIANTS=OFF", "-DPROCSUP_BUILD_EXAMPLES=OFF",
                 f"-DPROCSUP_LIBRARY_DIR={TARGET / target / 'release'}"]
    return cmake_build("cmake-arm64", *compilers)


# ---- the tests ----


def listed(build, patterns, text):
    """Those of ctest that are programs of ours, plain: name, seconds, whether alone, variables, words."""
    ctest = Path(need_cmake()[0]).with_name("ctest")
    shown_tests = subprocess.run([str(ctest), "--show-only=json-v1"], cwd=str(build), stdout=subprocess.PIPE, check=True).stdout
    for test in json.loads(shown_tests)["tests"]:
        name, words = test["name"], test.get("command", [])
        if "@" in name or text not in name or not any(fnmatch.fnmatch(name, pattern) for pattern in patterns):
            continue
        words = inside(words, build)
        if not words:
            continue
        properties = {entry["name"]: entry["value"] for entry in test["properties"]}
        variables = [value for value in properties.get("ENVIRONMENT", []) if not value.startswith("PROCSUP_TEST_SLOWNESS=")]
        yield name, properties.get("TIMEOUT", 120), properties.get("PROCESSORS", 1) > 2, [f"PROCSUP_TEST_SLOWNESS={SLOWNESS}", *variables, *VARIABLES], words


def inside(words, build):
    """The command as the machine runs it: a program of ours alone, or a sweep of faults over one, of which a sample does. None: it has no place there."""
    if len(words) == 1 and words[0].startswith(str(build / "c-tests")):
        return words
    sweep = ROOT / "scripts/inject_sweep.py"
    if str(sweep) in words and "arm64" not in build.name:  # no python3 in there
        share = words.index("--share") + 1
        return ["/usr/bin/python3", *words[1:share], str(SAMPLE * int(words[share])), *words[share + 1:]]
    return None


def system(kind, suite):
    """The archive of what is in every machine of this kind."""
    archive = PLACE / f"system-{kind.name}-{contents()}.cpio.zst"
    if not archive.exists():
        for old in PLACE.glob(f"system-{kind.name}*.cpio.zst"):
            old.unlink()
        print(f"Packing a system for {kind.name}", flush=True)
        root = PLACE / f"system-{kind.name}"
        make_root(root, own_system if kind is AMD64 else lambda root: other_system(root, PLACE, suite, kind))
        pack(root, archive)
        shutil.rmtree(root)
    return archive


def tested(build, kind):
    """The archive of what is tested, at the places that it has here: programs, helpers, the library."""
    root = PLACE / f"tested-{kind.name}"
    shutil.rmtree(root, ignore_errors=True)
    strip = "strip" if kind is AMD64 else "aarch64-linux-gnu-strip"
    folder = root / str(build)[1:]
    for room in (room for room in ("helpers", *ROOMS) if (build / "c-tests" / room).exists()):
        shutil.copytree(build / "c-tests" / room, folder / "c-tests" / room, ignore=shutil.ignore_patterns("CMakeFiles", "*.o"))
    for example in (build / "examples" / name for name in EXAMPLES):
        if example.exists():
            (folder / "examples").mkdir(exist_ok=True)
            shutil.copy(example, folder / "examples")
    library = LIBRARY.parent if kind is AMD64 else TARGET / "aarch64-unknown-linux-gnu/release"
    to = root / str(library)[1:]
    to.mkdir(parents=True, exist_ok=True)
    for path in library.glob("libprocsup.so*"):
        shutil.copy(path, to)
    for source in ("c-tests", "include", "docs", "scripts"):  # tests read some of it
        shutil.copytree(ROOT / source, root / str(ROOT / source)[1:], dirs_exist_ok=True)
    programs = [path for path in (folder / "c-tests").rglob("*") if path.is_file() and os.access(path, os.X_OK)]
    if kind is AMD64:
        # A folder in the place of a link would take its place in the machine, and all that is behind it away.
        for link in (link for link in ("lib", "lib64") if os.path.islink(f"/{link}") and not (root / link).exists()):
            (root / os.readlink(f"/{link}")).mkdir(parents=True, exist_ok=True)
            (root / link).symlink_to(os.readlink(f"/{link}"))
        for needed in {library for program in [*programs, *to.glob("libprocsup.so")] for library in needed_by(program) if "procsup" not in library}:
            copy(root, needed)
    subprocess.run([strip, "-g", *programs, *to.glob("libprocsup.so*")], stderr=subprocess.DEVNULL)
    archive = PLACE / f"tested-{kind.name}.cpio.zst"
    pack(root, archive)
    shutil.rmtree(root)
    return archive


def on(name, build, patterns, text, may_get):
    """The tests on one kernel."""
    suite, kind = KERNELS[name]
    step(f"Linux {name}")
    PLACE.mkdir(parents=True, exist_ok=True)
    count = Count(f"on {name}")
    kernel = Kernel(PLACE, name, suite, kind, may_get)
    compile_init(PLACE, "cc" if kind is AMD64 else "aarch64-linux-gnu-gcc")
    tests = list(listed(build, patterns, text))
    if not tests:
        return count
    archives = system(kind, suite), tested(build, kind)
    results = Results(name, tests, count, [test[0] for test in listed(build, everything(), "")])
    # Two CPUs that are emulated have no use for more than those of this machine; the jobs mostly wait.
    cpus = max(2, min(CPUS, 4))
    initrd = assemble(PLACE, kernel, *archives, lines(tests))
    done = boot(kernel, initrd, PLACE / f"{name}.log", MEMORY, cpus, 2 * cpus, results.hear)
    if not done and "Kernel panic" in (PLACE / f"{name}.log").read_text(errors="replace"):
        # qemu emulates two CPUs in two threads, and one may execute what the other is just patching (a static key): int3 in the kernel itself.
        print("  the kernel of the machine has panicked; once more", flush=True)
        results = results.anew()
        done = boot(kernel, initrd, PLACE / f"{name}.log", MEMORY, cpus, 2 * cpus, results.hear)
    failed = [test for test in tests if results.found.get(test[0], [""])[0] == "failed"]
    if done and 0 < len(failed) <= AGAIN:
        # An emulated machine beside others is late now and then, as no machine is: who is right alone was only late, and that is said.
        print(f"  once more, one after the other: {' '.join(test[0] for test in failed)}", flush=True)
        results.again()
        done = boot(kernel, assemble(PLACE, kernel, *archives, lines(failed)), PLACE / f"{name}-again.log", MEMORY, cpus, 1, results.hear)
    results.end(done)
    return count


def lines(tests):
    """As init.c reads them; who takes long comes late, and who runs alone last, when the others are through."""
    return "".join("\t".join(["!" * alone + test, str(int(max(PATIENCE, 2.5 * seconds))), str(len(variables)), *variables, *words]) + "\n"
                   for test, seconds, alone, variables, words in sorted(tests, key=lambda test: (test[2], test[1])))


class Results:
    """What the machine says, as it says it."""

    def __init__(self, kernel, tests, count, of):
        self.kernel, self.tests, self.total, self.count, self.of = kernel, tests, len(tests), count, of
        self.said, self.found, self.machine, self.log = [], {}, "", PLACE / f"{kernel}.log"
        self.told = time.monotonic()

    def anew(self):
        return Results(self.kernel, self.tests, self.count.anew(), self.of)

    def hear(self, line):
        kind, _, rest = line.partition(" ")
        if kind == "B":
            print(f"  {rest}; {time.monotonic() - self.count.began:.0f} s", flush=True)
            self.machine = self.machine or rest
        elif kind in ("|", "="):
            self.said.append(rest)
        elif kind == "F":
            self.said = []
        elif kind == "T":
            test, code, ms = rest.split()
            self.take(test, int(code), int(ms))
            self.said = []

    def take(self, test, code, ms):
        verdict = {0: "passed", 77: "failed" if test in NEVER_SKIPPED else "skipped"}.get(code, "failed")
        setattr(self.count, verdict, getattr(self.count, verdict) + 1)
        if verdict == "skipped":
            self.count.left_out.append(test)
        self.found[test] = [verdict, ms, self.said[-1] if self.said else "", state()]
        if verdict == "failed":
            progress("")
            print(colour("31", f"  FAILED on {self.kernel}: {test} ({code})") + "".join(f"\n    {text}" for text in self.said[-25:]), flush=True)
        progress(f"{len(self.found)}/{self.total} {test}")
        if time.monotonic() - self.told > 15:
            self.told = time.monotonic()
            print(f"  {len(self.found)} of {self.total}, {self.count.failed} failed", flush=True)
            self.keep()

    def again(self):
        """Those that have failed are run once more, and what comes of that counts."""
        late = [test for test, (verdict, *_) in self.found.items() if verdict == "failed"]
        self.count.failed -= len(late)
        for test in late:
            del self.found[test]
        self.log = PLACE / f"{self.kernel}-again.log"
        self.count.note = f"   ({len(late)} at the second try)"

    def end(self, done):
        count = self.count
        count.seconds = time.monotonic() - count.began
        if not done or len(self.found) < self.total:
            count.failed += 1
            print(colour("31", f"  the machine ended before its tests: {len(self.found)} of {self.total}") + f"\n{tail(self.log)}", flush=True)
        count.ok = count.failed == 0
        self.keep()

    def keep(self):
        kept = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
        mine = kept.setdefault(self.kernel, {"machine": "", "longest": [0, 0], "tests": {}})
        mine["machine"], mine["of"] = self.machine, len(self.of)
        mine["longest"] = max(mine.get("longest", [0, 0]), [len(self.found), round(time.monotonic() - self.count.began)], key=lambda run: run[0])
        mine["tests"] = {test: result for test, result in {**mine["tests"], **self.found}.items() if test in self.of}
        whole = RESULTS.with_suffix(".part")
        whole.write_text(json.dumps(kept, indent=0) + "\n")
        os.replace(whole, RESULTS)


def tail(log):
    return "\n".join("    " + re.sub(r"[^ -~]", "?", line) for line in log.read_text(errors="replace").splitlines()[-15:]) if log.exists() else ""


# ---- the page ----

HEAD = """# On real kernels

Written by `./x kernels --table`, down to "What was found": the C tests (each behaviour once; the kernel itself is the variant) in a virtual machine with a
kernel of Debian's, as root, as grandchildren of its first process, with control groups of version 2 and their memory, pids and cpu controllers. Emulated
(qemu without KVM), so seconds say little: they are those of the longest run. "earlier" is before the day was noted.

Of the tests that Python drives, the sweeps of faults (`inject/`) are among these, one fault in forty, where there is a python3 (not for arm64). The others
need a compiler, this repository or a network of daemons beside them, and ask little of the kernel; so it is with those that run other people's programs
(`interop/`, `languages/`).
"""
BY_HAND = "## What was found"  # from here to its end the page is not this command's
SAYS = "process/kernel_takes_the_best_way"  # and what


def state():
    """When a result was had: a commit may be written anew before it is anybody's."""
    return f"{datetime.now(timezone.utc):%Y-%m-%d %H:%M}"


def runs(tests):
    """Of which day the results are: the most first."""
    counted = Counter(result[3][:10] if len(result) > 3 else "earlier" for result in tests.values()).most_common()
    return counted[0][0] if len(counted) == 1 else "; ".join(f"{count}: {which}" for which, count in counted)


def row(cells):
    return "| " + " | ".join(map(str, cells)) + " |"


def write_page():
    kept = json.loads(RESULTS.read_text())
    names = [name for name in KERNELS if name in kept]
    lines = [HEAD, row(["kernel", "machine", "tests", "passed", "skipped", "failed", "ran", "seconds"]), "|---|---|---:|---:|---:|---:|---|---:|"]
    for name in names:
        mine = kept[name]
        verdicts = Counter(verdict for verdict, *_ in mine["tests"].values())
        several, seconds = mine.get("longest", [0, 0])
        lines.append(row([name, mine["machine"], f"{len(mine['tests'])} of {mine.get('of', '?')}", verdicts["passed"], verdicts["skipped"], verdicts["failed"],
                          runs(mine["tests"]), f"{seconds} for {several}"]))
    lines += ["", "## Ways taken", "", "What `" + SAYS + "` says; it fails if one is not the best that this kernel has.", ""]
    lines += [f"- {kept[name]['tests'][SAYS][2]}" for name in names if kept[name]["tests"].get(SAYS, ["", 0, ""])[2]]
    lines += ["", "## By room", "", "Passed, of those that ran.", "", row(["room", *names]), "|---|" + "---:|" * len(names)]
    for room in ROOMS:
        cells = []
        for name in names:
            verdicts = [verdict for test, (verdict, *_) in kept[name]["tests"].items() if test.startswith(room + "/")]
            passed = verdicts.count("passed")
            cells.append(f"{passed} of {len(verdicts)}" if passed < len(verdicts) else str(passed) if verdicts else "-")
        lines.append(row([room, *cells]))
    odd = sorted({test for name in names for test, (verdict, *_) in kept[name]["tests"].items() if verdict != "passed"})
    lines += ["", "## What did not pass everywhere", "", row(["test", *names, "why"]), "|---|" + "---|" * (len(names) + 1)]
    for test in odd:
        results = [kept[name]["tests"].get(test, ["-", 0, ""]) for name in names]
        whys = dict.fromkeys(said.replace("skipped: ", "").replace("|", "/").replace(f"{ROOT}/", "") for verdict, _, said, *_ in results if verdict in ("skipped", "failed") and said)
        lines.append(row([test, *(verdict for verdict, *_ in results), "; ".join(whys)]))
    old = PAGE.read_text() if PAGE.exists() else ""
    found = old[old.index(BY_HAND):].splitlines() if BY_HAND in old else []
    PAGE.write_text("\n".join(lines + [""] * bool(found) + found) + "\n")
    print(f"written: {shown(PAGE)}")
