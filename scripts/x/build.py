"""The library by cargo, and the C programs by CMake, against it."""
import shutil
import threading

from .place import CPUS, RELEASE, ROOT, TARGET, shown
from .talk import run, step
from .tools import cmake_version, need_cmake

# Several hundred small programs: what they are compiled for is that they run, and each message of a makefile is a process.
FAST = [f"-DCMAKE_{language}_FLAGS_RELWITHDEBINFO=-O1 -g1 -DNDEBUG" for language in ("C", "CXX")]
FAST += ["-DCMAKE_RULE_MESSAGES=OFF", "-DCMAKE_TARGET_MESSAGES=OFF"]


def build_library():
    step("Building the library")
    run("cargo", "build", "--release", "--lib")


def cmake_build(folder, *options, targets=()):
    """Configures and builds the C programs against the library in target/release; gives the build folder."""
    return cmake_build_begin(folder, *options, targets=targets).end()


def cmake_build_begin(folder, *options, targets=()):
    """The same in the background: what it gives has end(), which waits for it and gives the build folder."""
    cmake, generator, program = need_cmake()
    print(f"using cmake {'.'.join(map(str, cmake_version(cmake)))} ({cmake}) with {program}")
    build = TARGET / folder
    cache = build / "CMakeCache.txt"
    made_for = (f"CMAKE_GENERATOR:INTERNAL={generator}\n", f"CMAKE_HOME_DIRECTORY:INTERNAL={ROOT}\n")
    if cache.exists() and not all(line in cache.read_text() for line in made_for):
        shutil.rmtree(str(build))  # another generator, or the tree was moved
    step(f"Building the C programs in {shown(build)}")
    configure = [cmake, "-S", ROOT, "-B", build, "-G", generator, f"-DCMAKE_MAKE_PROGRAM={program}", f"-DPROCSUP_LIBRARY_DIR={RELEASE}",
                 "-DPROCSUP_BUILD_TESTS=ON", "-DPROCSUP_BUILD_EXAMPLES=ON", "-DPROCSUP_WERROR=ON", *FAST, *options]
    wanted = [word for target in targets for word in ("--target", target)]
    return Background(build, configure, [cmake, "--build", build, "--parallel", CPUS, *wanted])


class Background(threading.Thread):
    """Commands one after the other beside whatever else is done; silent but for the end of one that fails."""

    def __init__(self, result, *commands):
        super().__init__(daemon=True)
        self.result, self.commands, self.failed = result, commands, None
        self.start()

    def run(self):
        try:
            for command in self.commands:
                run(*command, quiet=True)
        except BaseException as failed:
            self.failed = failed

    def end(self):
        self.join()
        if self.failed:
            raise self.failed
        return self.result
