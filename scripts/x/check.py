import ast

from .place import ROOT, shown
from .talk import Failed, colour, run, step


def python():
    """Every script can be read by the oldest Python that is promised."""
    complaints = []
    for path in [ROOT / "x", *sorted(ROOT.glob("scripts/**/*.py")), *sorted(ROOT.glob("examples/*.py"))]:
        try:
            ast.parse(path.read_text(), filename=shown(path), feature_version=(3, 8))
        except SyntaxError as error:
            complaints.append(f"{shown(path)}:{error.lineno}: {error.msg}")
    return complaints


def check(_arguments):
    """Format, lint, documentation: warnings are errors. Scripts are Python 3.8."""
    step("Checking")
    complaints = python()
    for complaint in complaints:
        print(colour("31", complaint), flush=True)
    run("cargo", "fmt", "--check")
    run("cargo", "clippy", "--all-targets", "--", "-D", "warnings")
    run("cargo", "doc", "--no-deps", "--lib", "--document-private-items", env={"RUSTDOCFLAGS": "-D warnings"})
    if complaints:
        raise Failed(f"{len(complaints)} complaints")
