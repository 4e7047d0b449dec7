import glob
import os
import re
import shutil
import subprocess

from .build import build_library, cmake_build
from .fuzz_boundary import boundary
from .place import CPUS, ROOT, TARGET
from .runners import Count, conclude, ctest, ctest_filter
from .talk import Failed, run, step
from .tools import need, taken_out

VALGRIND = ["valgrind", "--quiet", "--error-exitcode=99", "--leak-check=full", "--show-leak-kinds=definite", "--errors-for-leak-kinds=definite",
            "--trace-children=no", "--num-callers=30", f"--suppressions={ROOT}/scripts/valgrind.supp"]  # "possible" is any hash table
THREADED = "^(laws|supervisor|fuzz)/"  # where the library is called from several threads at once


def sanitized_library(kind, *options):
    """The library with a sanitizer in its Rust code. The option is not stable, but the same in this pinned toolchain; a shared library brings no
    runtime, the program does: for addresses GCC's serves, what instrumented code calls in it is the same for both compilers. Gives its folder."""
    host = re.search(r"host: (\S+)", subprocess.run(["rustc", "-vV"], stdout=subprocess.PIPE, check=True).stdout.decode()).group(1)
    step(f"Building the library with {kind} sanitizer")
    # With --target, build scripts and macros are built without it. A debug build: with its assertions, and every access where it stands.
    run("cargo", "build", "--lib", "--target", host, "--target-dir", TARGET / f"sanitize-{kind}", *options,
        env={"RUSTC_BOOTSTRAP": "1", "RUSTFLAGS": f"-Zsanitizer={kind}"})
    return TARGET / f"sanitize-{kind}" / host / "debug"


def fuzzed(name, build, seconds, env):
    """The fuzzer of the boundary as one more line of the closing table."""
    count = Count(name)
    good = boundary(seconds, [], program=build / "c-tests/fuzz/boundary", jobs=CPUS, env=env)
    count.ok, count.passed, count.failed = good, int(good), int(not good)
    return count


def address_in_rust(arguments):
    library = sanitized_library("address")
    build = cmake_build("cmake-asan-rust", "-DPROCSUP_SANITIZE=ON", f"-DPROCSUP_LIBRARY_DIR={library}", "-DPROCSUP_BUILD_EXAMPLES=OFF", "-DPROCSUP_INSTALL=OFF")
    step("AddressSanitizer on both sides")
    counts = [ctest(build, ctest_filter(arguments), "asan rust")]
    if not arguments:
        counts.append(fuzzed("asan fuzz", build, 60, {
            "PROCSUP_TEST_SLOWNESS": "3", "LSAN_OPTIONS": f"print_suppressions=0:suppressions={ROOT}/scripts/lsan.supp"}))
    return counts


def thread_in_rust(arguments):
    sysroot = subprocess.run(["rustc", "--print", "sysroot"], cwd=str(ROOT), stdout=subprocess.PIPE, check=True).stdout.decode().strip()
    if not os.path.exists(f"{sysroot}/lib/rustlib/src/rust/library/Cargo.lock"):
        raise Failed("the sources of Rust's library are needed, for its locks must be seen: rustup component add rust-src")
    library = sanitized_library("thread", "-Zbuild-std")
    runtime = next(iter(glob.glob(f"{sysroot}/lib/rustlib/*/lib/librustc-*_rt.tsan.a")), None)
    if not runtime:
        raise Failed("this Rust toolchain has no runtime of ThreadSanitizer")
    build = cmake_build("cmake-tsan", "-DPROCSUP_SANITIZE=thread", f"-DPROCSUP_TSAN_RUNTIME={runtime}", f"-DPROCSUP_LIBRARY_DIR={library}", "-DPROCSUP_BUILD_EXAMPLES=OFF", "-DPROCSUP_INSTALL=OFF")
    step("ThreadSanitizer, on the fork tier")
    os.environ["TSAN_OPTIONS"] = f"suppressions={ROOT}/scripts/tsan.supp halt_on_error=1 die_after_fork=0 report_signal_unsafe=0"
    return [ctest(build, ctest_filter(arguments or [THREADED]), "tsan")]


def sanitize(arguments):
    """The C tests under AddressSanitizer and UBSan, again with the library's own code under AddressSanitizer, then under valgrind memcheck.
    A NAME chooses tests. ./x sanitize --thread: ThreadSanitizer.

    Takes the better part of an hour for all of it.

    --rust      only the part with the library's own code, and the fuzzer of the boundary for a minute
    --thread    only ThreadSanitizer, on the fork tier: the laws, supervisors and the fuzzer, or those of that NAME. Rust's own library is built
                with it, from its sources (rustup component add rust-src; cargo gets what they depend on). What is looked past is in
                scripts/tsan.supp, each with its reason

    Without valgrind that part is left out; ./x setup gets it."""
    arguments, (rust, thread) = taken_out(arguments, "--rust", "--thread")
    need("cargo", "cc", "cmake")
    if thread:
        return conclude(thread_in_rust(arguments))
    if rust:
        return conclude(address_in_rust(arguments))
    if not shutil.which("valgrind"):
        print("valgrind is not here: memcheck is left out (./x setup gets it, as root)")
    build_library()
    build = cmake_build("cmake-asan", "-DPROCSUP_SANITIZE=ON")
    step("AddressSanitizer and UndefinedBehaviorSanitizer")
    counts = [ctest(build, ctest_filter(arguments), "asan+ubsan")]
    counts += address_in_rust(arguments)
    if shutil.which("valgrind"):
        build = cmake_build("cmake-valgrind", f"-DPROCSUP_TEST_LAUNCHER={';'.join(VALGRIND)}")
        step("valgrind memcheck")
        counts.append(ctest(build, ctest_filter(arguments), "valgrind"))
    return conclude(counts)
