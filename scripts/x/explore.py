import sys

from .build import build_library, cmake_build
from .place import CPUS
from .talk import Missing, run
from .tools import need


def explore(arguments):
    """The machines in full: every order of events of a supervisor's larger worlds, and of two handoffs with two faults (some GB); a million
    handoffs by seed; then a fault at every system call of real processes, in both modes.

    Takes an hour.

    ./x explore model|seeds|faults does one of them. --table writes what the machines say of themselves: docs/evidence/handoff-faults.md
    and docs/internals/supervisor-table.md."""
    need("cargo", "cc")
    # Optimized crate by crate: to do it as one takes each of these programs minutes to build.
    release = ["cargo", "test", "--release", "--config", "profile.release.lto=false"]
    test = [*release, "--test"]
    if "--table" in arguments:
        run(*test, "handoff_explorer", "the_fault_table_is_current", env={"HANDOFF_TABLE": "write"})
        run(*test, "scheduler_explorer", "the_table_of_the_supervisor_is_current", env={"SUPERVISOR_TABLE": "write"})
        return
    parts = [part for part in ("model", "seeds", "faults") if part in arguments or not arguments]
    if not parts:
        raise Missing("which part? ./x explore model, ./x explore seeds, ./x explore faults, or all of them: ./x explore")
    if "faults" in parts:
        need("cmake")  # said at once, not in an hour
    if "model" in parts:
        run(*test, "scheduler_explorer", "--", "--nocapture", "--ignored", "full")
        run(*test, "handoff_explorer", "--", "--nocapture", "--ignored", "full")
        run(*test, "handoff_product_explorer", "--", "--nocapture", "--ignored", "full")
        run(*test, "overlap_explorer", "--", "--nocapture", "--ignored", "full")
        run(*release, "--lib", "--", "--nocapture", "--ignored", "full_a_preloader")
    if "seeds" in parts:
        run(*test, "handoff_simulation", "--", "--nocapture", env={"HANDOFF_HANDOFFS": "1000000"})
    if "faults" in parts:
        build_library()
        build = cmake_build("cmake")
        run(sys.executable, "scripts/handoff_sweep.py", "--bin", build / "c-tests/helpers", "--jobs", 2 * CPUS)
