import glob
import os
from pathlib import Path

from .build import build_library, cmake_build
from .talk import run, step
from .tools import need_cmake


def soak(arguments):
    """Long runs: ./x soak [COUNT], 1 000 000 by default."""
    need_cmake()  # said at once
    build_library()
    build = cmake_build("cmake")
    programs = sorted(path for path in glob.glob(str(build / "c-tests/soak/*")) if os.access(path, os.X_OK))
    for program in programs:
        step(Path(program).name)
        run(program, *(arguments or ["1000000"]))
