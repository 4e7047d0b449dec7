"""./x header, ./x symbols: what is committed of the interface."""
import re
import subprocess

from .build import build_library
from .place import LIBRARY, ROOT
from .talk import Failed, run
from .tools import need


def header(_arguments):
    """Writes include/procsup.h and include/procsup.ffi.h anew from the Rust sources.

    Takes a minute and a half the first time, ten seconds then."""
    need("cargo", "cc")
    run("cargo", "test", "--quiet", "--test", "header_drift", env={"PROCSUP_UPDATE_HEADER": "1"})


def symbols(_arguments):
    """Writes symbols.txt anew from the built library, and abi/ from the header, after a wanted change of the interface.

    Takes a minute and a half, to build the library."""
    need("cargo", "cc")
    build_library()
    listed = subprocess.run(["nm", "-D", "--defined-only", str(LIBRARY)], stdout=subprocess.PIPE, check=True).stdout.decode()
    names = sorted(line.split()[2] for line in listed.splitlines())
    foreign = [name for name in names if not name.startswith("ps_")]
    if foreign:
        raise Failed("exported, but not ours to export: " + ", ".join(foreign))
    (ROOT / "symbols.txt").write_text("\n".join(names) + "\n")
    print(f"symbols.txt: {len(names)} names")
    dynamic = subprocess.run(["readelf", "--dynamic", "--wide", str(LIBRARY)], stdout=subprocess.PIPE, check=True).stdout.decode()
    soname = re.search(r"SONAME.*\[(.*)\]", dynamic)[1]
    run("python3", ROOT / "scripts/abi.py", "write", ROOT / "include", ROOT / "abi" / f"{soname}.abi", soname)
