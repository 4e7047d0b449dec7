#!/usr/bin/env python3
"""abi.py check|write HEADERS BASELINE SONAME [CC]: the binary interface that programs are compiled against, as libabigail describes it: each call with its
parameters, each structure with its layout. Written down once (abi/), compared ever after: what changes there breaks programs that are not compiled anew.

The trap: the library itself cannot be asked, a debugger's description of Rust is not that of C. So the header is: a library of empty functions is made
from its prototypes, compiled with a description of all types, and that is what is compared. (That the real one exports the same names is
another test's: check_library.sh.)"""
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

SKIP = 77


def described(headers, soname, cc, folder):
    """The description of this header, in a file."""
    asked, listed, source, made = (folder / name for name in ("asked.c", "listed", "made.c", "made.so"))
    asked.write_text("#include <procsup.h>\n")
    subprocess.run([cc, "-I", headers, "-fsyntax-only", "-aux-info", listed, asked], check=True)
    found = [re.match(r"/\* \S+?:\d+:\w+ \*/ extern (.*\bps_\w+ \(.*\));", line) for line in listed.read_text().splitlines()]
    bodies = [match[1] + " { __builtin_trap(); }" for match in found if match]
    source.write_text("\n".join(["#include <procsup.h>", *bodies, ""]))
    # Parameters without names are C23's.
    subprocess.run([cc, "-std=c2x", "-g", "-O0", "-w", "-fPIC", "-shared", "-I", headers, f"-Wl,-soname,{soname}", "-o", made, source], check=True)
    said = folder / "said.abi"
    quiet = ["--no-show-locs", "--no-comp-dir-path", "--no-corpus-path", "--no-architecture"]
    subprocess.run(["abidw", *quiet, "--out-file", said, made], check=True)
    return said


def names(text):
    return set(re.findall(r"elf-symbol name='(\w+)'", text))


def main(what, headers, baseline, soname, cc="gcc"):
    if not shutil.which("abidw"):
        print("abidw is not here (Debian: abigail-tools)")
        return SKIP
    baseline = Path(baseline)
    with tempfile.TemporaryDirectory() as folder:
        said = described(headers, soname, cc, Path(folder))
        if what == "write":
            baseline.write_text(said.read_text())
            print(f"{baseline}: {len(names(baseline.read_text()))} calls")
            return 0
        if subprocess.run(["abidiff", "--no-added-syms", "--no-architecture", baseline, said]).returncode != 0:
            print(f"The interface is not that of {baseline.name}: programs that were compiled against it break. If it is meant, ./x symbols, and CHANGELOG.md.")
            return 1
        new = names(said.read_text()) - names(baseline.read_text())
        if new:
            print(f"{baseline.name} does not know {', '.join(sorted(new))}: ./x symbols")
            return 1
        print(f"{len(names(said.read_text()))} calls, all as {baseline.name} says")
        return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
