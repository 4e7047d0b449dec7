"""The profile that a release build is made by."""
import shutil
import subprocess
import sys
from pathlib import Path

from .build import CARGO_RUSTC, build_library
from .place import LIBRARY, ROOT, TARGET
from .talk import Missing, run, step
from .tools import need

WRITTEN = ROOT / "hot.profdata"
# What is to be fast; the rest of the library is laid out as what is seldom passed.
TRAINED_BY = ("spawn", "supervisor", "spawner", "preloader", "coordination")


def profile(arguments):
    """Writes hot.profdata anew, by which a release build knows what is hot: ./x profile. After changes where a spawn or an event passes.

    Takes ten minutes, for two builds of the library and the benches in short.

    A function that has changed is built without it until then, which shows: `boundary/library_file` counts the instructions of a spawn."""
    if arguments:
        raise Missing(f"what is {arguments[0]}?")
    need("cargo", "cc", "rustup")
    run("rustup", "component", "add", "llvm-tools", quiet=True)
    counts, target = TARGET / "profile/counts", TARGET / "profile"
    shutil.rmtree(counts, ignore_errors=True)
    step("Building the library with counters")
    run(*CARGO_RUSTC, "--", f"-Cprofile-generate={counts}", env={"CARGO_TARGET_DIR": str(target)})
    step("What the benches pass")
    bench = ["cargo", "run", "--quiet", "--release", "--manifest-path", "bench/Cargo.toml", "--"]
    for kind in TRAINED_BY:
        run(*bench, kind, "--quick", "--lib", target / "release/libprocsup.so", quiet=True)
    sysroot = subprocess.run(["rustc", "--print", "sysroot"], cwd=str(ROOT), stdout=subprocess.PIPE, check=True).stdout.decode().strip()
    tool = next(Path(sysroot).glob("lib/rustlib/*/bin/llvm-profdata"))
    run(tool, "merge", "-o", WRITTEN, counts)
    build_library()
    step("What it came to")
    run(sys.executable, "scripts/steps.py", LIBRARY)
