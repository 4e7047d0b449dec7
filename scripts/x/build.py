"""The library by cargo, and the C programs by CMake, against it."""
import shutil

from .place import CPUS, RELEASE, ROOT, TARGET, shown
from .talk import run, step
from .tools import cmake_version, need_cmake


def build_library():
    step("Building the library")
    run("cargo", "build", "--release", "--lib")


def cmake_build(folder, *options, targets=()):
    """Configures and builds the C programs against the library in target/release; gives the build folder."""
    cmake, generator, program = need_cmake()
    print(f"using cmake {'.'.join(map(str, cmake_version(cmake)))} ({cmake}) with {program}")
    build = TARGET / folder
    cache = build / "CMakeCache.txt"
    made_for = (f"CMAKE_GENERATOR:INTERNAL={generator}\n", f"CMAKE_HOME_DIRECTORY:INTERNAL={ROOT}\n")
    if cache.exists() and not all(line in cache.read_text() for line in made_for):
        shutil.rmtree(str(build))  # another generator, or the tree was moved
    step(f"Building the C programs in {shown(build)}")
    run(cmake, "-S", ROOT, "-B", build, "-G", generator, f"-DCMAKE_MAKE_PROGRAM={program}", f"-DPROCSUP_LIBRARY_DIR={RELEASE}",
        "-DPROCSUP_WERROR=ON", *options, quiet=True)
    wanted = [word for target in targets for word in ("--target", target)]
    run(cmake, "--build", build, "--parallel", CPUS, *wanted, quiet=True)
    return build
