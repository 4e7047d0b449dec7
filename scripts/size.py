#!/usr/bin/env python3
"""size.py LIBRARY [CC]: where the bytes of the shared library are, as the tables of docs/evidence/size.md. LIBRARY is the release build as cargo leaves
it, not stripped: what is asked are its symbols. CC, a C compiler: how long dlopen takes is measured, too, in a fresh process each time.

The trap: with link-time optimization most of what a room says stands in the symbol of whoever calls it, so the rooms say where code has ended, not
who has written it. A comparison of two builds is what they are for."""
import re
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

TIMES = 200
DLOPEN = r"""
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
int main(int argc, char **argv) {
  struct timespec begin, end;
  if (argc > 3 && dlopen(argv[3], RTLD_NOW) == NULL) return 1;
  clock_gettime(CLOCK_MONOTONIC, &begin);
  void *library = dlopen(argv[1], strcmp(argv[2], "now") == 0 ? RTLD_NOW : RTLD_LAZY);
  clock_gettime(CLOCK_MONOTONIC, &end);
  printf("%ld\n", (end.tv_sec - begin.tv_sec) * 1000000000 + end.tv_nsec - begin.tv_nsec);
  return library == NULL;
}
"""


def told(*command):
    return subprocess.run([str(word) for word in command], check=True, capture_output=True, text=True).stdout


def room_of(name):
    """Whose code a symbol is, by its name."""
    bare = name.lstrip("<&*")
    if re.search(r"gimli|addr2line|backtrace|miniz_oxide|rustc_demangle", name):
        return "std: backtraces of panics"
    if name.startswith("ps_"):
        return "capi"
    if "core::ptr::drop_in_place" in name or re.search(r"as core::ops::drop::Drop>", name):
        return "drops"
    if re.search(r"as core::fmt::(Debug|Display)>|^core::fmt|core::num|flt2dec", name):
        return "formatting"
    if re.search(r"collections::btree|collections::vec_deque|hashbrown|slice::sort|indexmap|raw_vec|alloc::vec|alloc::sync", name):
        return "containers, sorting"
    found = re.match(r"procsup::(\w+)", bare) or re.search(r"<impl procsup::(\w+)", name)
    if found:
        return found[1]
    found = re.match(r"(serde_json|serde|nix|memchr|itoa|zmij|ryu|once_cell|indexmap|thiserror)\b", bare)
    return "other crates" if found else "std: the rest"


def symbols(library):
    """Size and name of each function."""
    for line in told("nm", "--size-sort", "--reverse-sort", "--print-size", "--demangle", library).splitlines():
        _, size, kind, name = line.split(" ", 3)
        if kind in "tTwW":
            yield int(size, 16), name


def sections(library):
    for line in told("size", "-A", library).splitlines():
        words = line.split()
        if len(words) == 3 and words[0].startswith(".") and int(words[2]) > 0 and words[0] not in (".bss", ".tbss", ".relro_padding"):
            yield int(words[1]), words[0]


def table(head, rows):
    print("| " + " | ".join(head) + " |\n|---|" + "---:|" * (len(head) - 1))
    for row in rows:
        print("| " + " | ".join(f"{cell:,}".replace(",", " ") if isinstance(cell, int) else str(cell) for cell in row) + " |")
    print()


def dlopen(library, cc, folder):
    source, program = folder / "open.c", folder / "open"
    source.write_text(DLOPEN)
    subprocess.run([cc, "-O1", "-o", program, source, "-ldl"], check=True)
    for name, how in (("lazy", ["lazy"]), ("now", ["now"]), ("lazy, libgcc_s was there", ["lazy", "libgcc_s.so.1"])):
        took = sorted(int(told(program, library, *how)) for _ in range(TIMES))
        yield name, took[TIMES // 2] / 1000, took[TIMES * 9 // 10] / 1000


def main(library, cc=None):
    library = Path(library).resolve()
    with tempfile.TemporaryDirectory() as folder:
        stripped = Path(folder) / "libprocsup.so"
        subprocess.run(["strip", "--strip-all", "-o", stripped, library], check=True)
        relocations = len(re.findall(r"^[0-9a-f]{12,} ", told("readelf", "--relocs", "--wide", library), re.M))
        rows = [("stripped", stripped.stat().st_size), ("with its symbols", library.stat().st_size), ("relocations, a count", relocations)]
        if cc:
            rows += [(f"dlopen, {how}: median and 90th percentile of {TIMES}, us", f"{half:.0f}, {most:.0f}")
                     for how, half, most in dlopen(stripped, cc, Path(folder))]
        table(("the file", "bytes"), rows)
    table(("section", "bytes"), [(f"`{name}`", size) for size, name in sorted(sections(library), reverse=True) if size >= 1024
                                 and not name.startswith((".debug", ".comment"))])
    sizes, counts, largest = Counter(), Counter(), []
    for size, name in symbols(library):
        sizes[room_of(name)] += size
        counts[room_of(name)] += 1
        largest.append((f"`{name[:100]}`", size))
    table(("code of", "bytes", "functions"), [(room, size, counts[room]) for room, size in sizes.most_common()])
    table(("the largest functions", "bytes"), largest[:12])


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    main(*sys.argv[1:])
