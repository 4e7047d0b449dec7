"""The profile that a release build is made by."""
import shutil
import subprocess
import sys
from pathlib import Path

from .build import CARGO_RUSTC, build_library, cmake_build
from .place import LIBRARY, ROOT, TARGET
from .talk import Missing, call, run, step
from .tools import need, need_cmake

WRITTEN = ROOT / "hot.profdata"
PLACE = TARGET / "profile"
# What is to be fast, and how much it weighs. Of budgets in shared memory there are so many in a second that they would be all that is hot.
BENCHES = {"spawn": 10, "supervisor": 10, "spawner": 10, "preloader": 10, "coordination": 1}
# What tests pass is not cold: an output in lines, a queue, a handoff.
TESTS = "^(process|output|supervisor|coordination|preloader|handoff|cpp)/[^@]*$"


def profile(arguments):
    """Writes hot.profdata anew, by which a release build knows what is hot: ./x profile. After changes where a spawn or an event passes.

    Takes a quarter of an hour, for two builds of the library, the benches in short and a part of the tests.

    A function that has changed is built without it until then, which shows: `boundary/library_file` counts the instructions of a spawn."""
    if arguments:
        raise Missing(f"what is {arguments[0]}?")
    need("cargo", "cc", "rustup")
    run("rustup", "component", "add", "llvm-tools", quiet=True)
    shutil.rmtree(PLACE / "counts", ignore_errors=True)
    step("Building the library with counters")
    run(*CARGO_RUSTC, "--", f"-Cprofile-generate={PLACE / 'counts'}", env={"CARGO_TARGET_DIR": str(PLACE)})
    library = PLACE / "release/libprocsup.so"
    step("What the benches pass")
    bench = ["cargo", "run", "--quiet", "--release", "--manifest-path", "bench/Cargo.toml", "--"]
    for kind in BENCHES:
        run(*bench, kind, "--quick", "--lib", library, quiet=True, env={"LLVM_PROFILE_FILE": f"{PLACE}/counts/{kind}/%m.profraw"})
    tests(cmake_build("cmake"), library)
    weighed = [f"-weighted-input={weight},{merged(kind)}" for kind, weight in {**BENCHES, "tests": 1}.items()]
    # It never returns, of which the compiler would complain.
    run(tool(), "merge", "--no-function=5spawn5child4fail17h", "-o", WRITTEN, *weighed)
    build_library()
    step("What it came to")
    run(sys.executable, "scripts/steps.py", LIBRARY)


def tests(build, library):
    """They have the library with counters in the place of theirs. Some fail for what it writes; that is no matter here."""
    step("What tests pass")
    soname = next(LIBRARY.parent.glob("libprocsup.so.*")).name
    (library.parent / soname).unlink(missing_ok=True)
    (library.parent / soname).symlink_to(library.name)
    ctest = Path(need_cmake()[0]).with_name("ctest")
    # A file for each process: one that is killed while it writes loses its own alone.
    counted = f"LLVM_PROFILE_FILE={PLACE}/counts/tests/%p.profraw"
    call("env", counted, f"LD_LIBRARY_PATH={library.parent}", ctest, "--test-dir", build, "--timeout", 30, "-j", 4, "-R", TESTS, "--progress", "-Q")


def merged(kind):
    """The counts of one kind in one file."""
    written = PLACE / f"counts/{kind}.profdata"
    run(tool(), "merge", "--failure-mode=all", "-o", written, PLACE / "counts" / kind, quiet=True)
    return written


def tool():
    sysroot = subprocess.run(["rustc", "--print", "sysroot"], cwd=str(ROOT), stdout=subprocess.PIPE, check=True).stdout.decode().strip()
    return next(Path(sysroot).glob("lib/rustlib/*/bin/llvm-profdata"))
