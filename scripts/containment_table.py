#!/usr/bin/env python3
"""Compares the table in docs/guide/containment.md with what the library does on this machine.

    containment_table.py PROGRAM DOCUMENT

PROGRAM is the test containment_table, which prints the table when its argument is "table". With PROCSUP_UPDATE_DOCS=1 in the environment
the document is written anew. Exit 1 if they differ, 77 where the program cannot find out (no control groups).
"""
import difflib
import os
import subprocess
import sys

BEGIN, END = "<!-- table: begin (scripts/containment_table.py) -->\n", "<!-- table: end -->\n"


def main(program, document):
    run = subprocess.run([program, "table"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, universal_newlines=True)
    if run.returncode != 0:
        print(run.stdout, end="")
        return run.returncode if run.returncode == 77 else 1
    with open(document) as file:
        text = file.read()
    if text.count(BEGIN) != 1 or text.count(END) != 1:
        print(f"{document}: the lines {BEGIN.strip()} and {END.strip()} must each be there once")
        return 1
    before, _, rest = text.partition(BEGIN)
    told, _, after = rest.partition(END)
    if told == run.stdout:
        return 0
    if os.environ.get("PROCSUP_UPDATE_DOCS"):
        with open(document, "w") as file:
            file.write(before + BEGIN + run.stdout + END + after)
        print(f"{document}: the table was written anew")
        return 0
    print("".join(difflib.unified_diff(told.splitlines(True), run.stdout.splitlines(True), document, "this machine")), end="")
    print("If this is what the library shall do, run ctest with PROCSUP_UPDATE_DOCS=1 and commit the document.")
    return 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
