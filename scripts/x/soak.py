import glob
import os
from pathlib import Path

from .build import build_library, cmake_build
from .talk import Missing, run, step
from .tools import need


def soak(arguments):
    """Long runs: ./x soak [COUNT], 1 000 000 by default.

    Takes an hour with that."""
    if len(arguments) > 1 or not all(word.isdigit() for word in arguments):
        raise Missing(f"what is {' '.join(arguments)}? ./x soak [COUNT]")
    need("cargo", "cc", "cmake")
    build_library()
    build = cmake_build("cmake")
    programs = sorted(path for path in glob.glob(str(build / "c-tests/soak/*")) if os.access(path, os.X_OK))
    for program in programs:
        step(Path(program).name)
        run(program, *(arguments or ["1000000"]))
