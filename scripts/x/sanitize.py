import shutil

from .build import build_library, cmake_build
from .place import ROOT
from .runners import conclude, ctest, ctest_filter
from .talk import step
from .tools import need_cmake

VALGRIND = ["valgrind", "--quiet", "--error-exitcode=99", "--leak-check=full", "--show-leak-kinds=definite", "--errors-for-leak-kinds=definite",
            "--trace-children=no", "--num-callers=30", f"--suppressions={ROOT}/scripts/valgrind.supp"]  # "possible" is any hash table


def sanitize(arguments):
    """The C tests under AddressSanitizer and UBSan, then under valgrind memcheck. A NAME chooses tests.

    Without valgrind that part is left out; ./x setup gets it."""
    need_cmake()  # said at once
    if not shutil.which("valgrind"):
        print("valgrind is not here: memcheck is left out (./x setup gets it, as root)")
    build_library()
    build = cmake_build("cmake-asan", "-DPROCSUP_SANITIZE=ON")
    step("AddressSanitizer and UndefinedBehaviorSanitizer")
    counts = [ctest(build, ctest_filter(arguments), "asan+ubsan")]
    if shutil.which("valgrind"):
        build = cmake_build("cmake-valgrind", f"-DPROCSUP_TEST_LAUNCHER={';'.join(VALGRIND)}")
        step("valgrind memcheck")
        counts.append(ctest(build, ctest_filter(arguments), "valgrind"))
    return conclude(counts)
