import ast

import figures  # scripts/figures.py

from . import imports, links, locks
from .place import ROOT, shown
from .talk import Failed, Missing, colour, run, step
from .tools import need


def python():
    """Every script can be read by the oldest Python that is promised."""
    complaints = []
    for path in [ROOT / "x", *sorted(ROOT.glob("scripts/**/*.py")), *sorted(ROOT.glob("examples/**/*.py"))]:
        try:
            ast.parse(path.read_text(), filename=shown(path), feature_version=(3, 8))
        except SyntaxError as error:
            complaints.append(f"{shown(path)}:{error.lineno}: {error.msg}")
    return complaints


def check(arguments):
    """Format, lint, documentation: warnings are errors. Who uses whom in src/, and where the links of the documents lead.

    Takes a minute and a half; all but rust three seconds.

    python     scripts are Python 3.8
    links      links, anchors and names of documents (scripts/x/links.py)
    imports    arrows only down, unsafe in two rooms, no cycles without a reason (scripts/x/imports.py)
    figures    the figures of documents are those of docs/evidence/figures (scripts/figures.py)
    locks      lock files beside the library's own are of this Cargo.toml (scripts/x/locks.py)
    rust       cargo fmt, clippy, doc
    All of them without a name."""
    quick = {"python": python, "links": links.check, "imports": imports.check, "figures": figures.check, "locks": locks.check}
    for name in arguments:
        if name not in (*quick, "rust"):
            raise Missing(f"what is {name}? ./x check [{'|'.join(quick)}|rust]")
    rust = "rust" in arguments or not arguments
    if rust:
        need("cargo", "cc")
    wrong = 0
    for name, complain in quick.items():
        if name in arguments or not arguments:
            step(f"Checking: {name}")
            complaints = complain()
            wrong += len(complaints)
            for complaint in complaints:
                print(colour("31", complaint), flush=True)
    if rust:
        step("Checking: format, lints, documentation")
        run("cargo", "fmt", "--check")
        run("cargo", "clippy", "--all-targets", "--", "-D", "warnings")
        run("cargo", "doc", "--no-deps", "--lib", "--document-private-items", env={"RUSTDOCFLAGS": "-D warnings"})
    if wrong:
        raise Failed(f"{wrong} complaints")
