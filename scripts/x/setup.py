import shutil

from .talk import Missing
from .tools import cmake_version, find_cmake, get, missing_for_tests, taken_out


def wanted():
    return missing_for_tests() + ([] if shutil.which("valgrind") else ["valgrind"])


def setup(arguments):
    """Gets all that demo, test and sanitize can use, and asks again for what could not be had before.

    Takes a minute, most of it the network's.

    By pip into target/tools: cmake ninja, if there is no CMake >= 3.16 (by apt, if pip cannot: cmake make).
    By apt, as root, what of these is not here: pkg-config libuv1-dev libevent-dev libglib2.0-dev libasio-dev systemd valgrind
    passenger ruby ruby-rack python3 nodejs.

    --no-install    only says what is missing"""
    arguments, (no_install,) = taken_out(arguments, "--no-install")
    if arguments:
        raise Missing(f"what is {arguments[0]}? ./x setup [--no-install]")
    get(wanted, "examples of event loops, the handoff half of the demo, memcheck, tests against systemd and Passenger are left out as far as they need them", not no_install, again=True)
    cmake, _, program = find_cmake()
    print(f"cmake {'.'.join(map(str, cmake_version(cmake)))} ({cmake}) with {program}" + ("" if wanted() else "; nothing is missing"))
