import os
import sys

from .talk import run
from .tools import find_cmake, need


def mutate(arguments):
    """Puts known bugs into a copy of the sources, one by one, and shows which tests notice: ./x mutate [NAME ...] (--list, --write).

    Takes an hour for all of them.

    --list        what there is
    --check       only whether each bug can still be put in
    --continue    leaves out those that have a result in target/mutants
    --no-c        only the tests in Rust
    --write       writes the section of docs/evidence/mutations.md from the results"""
    need("cargo", "cc")
    cmake = find_cmake()
    if cmake:
        os.environ["PATH"] = os.path.dirname(cmake[0]) + os.pathsep + os.environ["PATH"]
    else:
        print("CMake is not here: only the tests in Rust are run (./x setup gets it)")
    run(sys.executable, "scripts/mutate.py", *arguments)
