"""Where things are."""
import os
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")).resolve()
TOOLS = TARGET / "tools"  # a Python venv, for what the machine lacks
RELEASE = TARGET / "release"
LIBRARY = RELEASE / "libprocsup.so"
CPUS = len(os.sched_getaffinity(0))


def shown(path):
    """A path as it is told: from the root, if it lies below."""
    name = os.path.relpath(str(path), str(ROOT))
    return str(path) if name.startswith("..") else name
