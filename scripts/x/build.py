"""The library by cargo, and the C programs by CMake, against it."""
import re
import shutil
import subprocess

from .place import CPUS, LIBRARY, RELEASE, ROOT, TARGET, shown
from .talk import Background, run, silent, step
from .tools import cmake_version, need_cmake

# Several hundred small programs: what they are compiled for is that they run, and each message of a makefile is a process.
FAST = [f"-DCMAKE_{language}_FLAGS_RELWITHDEBINFO=-O1 -g1 -DNDEBUG" for language in ("C", "CXX")]
FAST += ["-DCMAKE_RULE_MESSAGES=OFF", "-DCMAKE_TARGET_MESSAGES=OFF"]


# Named, as an rlib among them would keep cargo from optimizing the crates as one. The names of functions hang on them: so does what a profile says.
CARGO_RUSTC = ["cargo", "rustc", "--release", "--lib", "--crate-type", "cdylib,staticlib"]


def profile_flags():
    """What tells the compiler which paths are hot (release.args; `./x profile` makes it). It is of one compiler and one kind of machine; another one
    would find nothing in it, or refuse it. cmake/library.cmake and .ci/run ask the same."""
    try:
        about = subprocess.run(["rustc", "-vV"], cwd=str(ROOT), stdout=subprocess.PIPE, check=True).stdout.decode()
    except (OSError, subprocess.CalledProcessError):
        return []  # cargo will say what is missing
    channel = re.search(r'channel = "(.*)"', (ROOT / "rust-toolchain.toml").read_text()).group(1)
    meant = f"\nrelease: {channel}\n" in about and "\nhost: x86_64-unknown-linux-gnu\n" in about
    return ["--", "@release.args"] if meant else []


def build_library(beside=None):
    """`beside`: what goes on meanwhile, and is needed as well (a Background)."""
    step("Building the library" + ("" if LIBRARY.exists() else ": more than a minute, for most of it in one thread"))
    run(*CARGO_RUSTC, *profile_flags(), beside=beside)


def cmake_build(folder, *options, targets=()):
    """Configures and builds the C programs against the library in target/release; gives the build folder."""
    step(f"Building the C programs in {shown(TARGET / folder)}")
    configure, build = cmake_commands(folder, options, targets)
    run(*configure, quiet=True)
    run(*build, quiet=True)
    return TARGET / folder


def cmake_build_begin(folder, *options, targets=()):
    """The same in the background: what it gives has end(), which waits for it and gives the build folder."""
    step(f"Building the C programs in {shown(TARGET / folder)}, beside what follows")
    commands = cmake_commands(folder, options, targets)

    def both():
        for command in commands:
            run(*command)
        return TARGET / folder

    return Background(both)


def cmake_commands(folder, options, targets):
    """What configures, which needs no library yet, and what builds."""
    cmake, generator, program = need_cmake()
    print_tools(cmake, program)
    build = TARGET / folder
    cache = build / "CMakeCache.txt"
    made_for = (f"CMAKE_GENERATOR:INTERNAL={generator}\n", f"CMAKE_HOME_DIRECTORY:INTERNAL={ROOT}\n")
    if cache.exists() and not all(line in cache.read_text() for line in made_for):
        shutil.rmtree(str(build))  # another generator, or the tree was moved
    configure = [cmake, "-S", ROOT, "-B", build, "-G", generator, f"-DCMAKE_MAKE_PROGRAM={program}", f"-DPROCSUP_LIBRARY_DIR={RELEASE}",
                 "-DPROCSUP_BUILD_TESTS=ON", "-DPROCSUP_BUILD_EXAMPLES=ON", "-DPROCSUP_WERROR=ON", *FAST, *options]
    wanted = [word for target in targets for word in ("--target", target)]
    return configure, [cmake, "--build", build, "--parallel", CPUS, *wanted]


def print_tools(cmake, program):
    if not silent():
        print(f"using cmake {'.'.join(map(str, cmake_version(cmake)))} ({cmake}) with {program}", flush=True)
