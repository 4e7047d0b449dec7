import argparse
import json
import os
import shutil

from .build import build_library, cmake_build
from .place import ROOT, TARGET, shown
from .service_oci import Container
from .service_vm import Machine
from .talk import Failed, Missing, colour, run, step
from .tools import LOG, apt_install, get, missing_loops

PLACE = TARGET / "service"
RESULTS, PAGE = PLACE / "results.json", ROOT / "docs/evidence/service.md"
# What apt calls the package of a program.
PROGRAMS = {"debootstrap": "debootstrap", "qemu-system-x86_64": "qemu-system-x86", "cpio": "cpio", "zstd": "zstd", "runc": "runc"}


def service(arguments):
    """The handoff under a real systemd, in a virtual machine that this makes, and as the first process of a container (runc):
    start, upgrade, rollback, crash, reload, stop, watchdog, under load; the unit files and the container of examples/.

    As root. Gets what is not here: by apt debootstrap qemu-system-x86 cpio zstd runc libevent-dev; by debootstrap a Debian 13 with its
    systemd (257), and its kernel for clouds (6.12): some 150 MB, of which target/service keeps 45.

    Takes a quarter of an hour.

    vm, oci           only that one
    --case NAME       only this case; may be repeated
    --programs DIR    kv, container, supervise and their library from there, built already
    --no-install      gets nothing
    --kvm             the machine is not emulated; where /dev/kvm works that is five times as fast
    --shell           the machine with a shell on its console instead

    --table           writes docs/evidence/service.md: the last result of each case

    Exit code 0: all passed."""
    parser = argparse.ArgumentParser(prog="./x service", add_help=False)
    parser.add_argument("where", nargs="*")
    parser.add_argument("--case", action="append", default=[])
    parser.add_argument("--programs")
    parser.add_argument("--no-install", action="store_true")
    parser.add_argument("--shell", action="store_true")
    parser.add_argument("--kvm", action="store_true")
    parser.add_argument("--table", action="store_true")
    options = parser.parse_args(arguments)
    if os.geteuid() != 0:
        raise Missing("only root can make a Debian, a machine and a container")
    wanted = options.where or ["vm", "oci"]
    if set(wanted) - {"vm", "oci"}:
        raise Missing(f"what is {' '.join(wanted)}? vm or oci")
    install(not options.no_install)
    programs = built(options.programs)
    results = []
    for kind in (Machine, Container):
        if kind.name in wanted:
            step(kind.title)
            here = kind(PLACE, programs, not options.no_install, options.kvm)
            if options.shell:
                here.shell()
                return 0
            results += here.run(options.case)
    return conclude(results, options.table)


def install(may):
    missing = [package for program, package in PROGRAMS.items() if not shutil.which(program)]
    if missing and may:
        print("Getting by apt: " + " ".join(missing), flush=True)
        apt_install(missing)
    missing = [program for program in PROGRAMS if not shutil.which(program)]
    if missing:
        raise Failed(f"not here: {' '.join(missing)}" + (f" (apt could not get them: {shown(LOG)})" if may else ""))


def built(given):
    """Where kv, container and the client are, by name."""
    PLACE.mkdir(parents=True, exist_ok=True)
    if given:
        folder = given
    else:
        get(lambda: missing_loops("libevent"), "the server of the cases is examples/kv, which needs it", True)
        build_library()
        folder = cmake_build("cmake", targets=["example_kv", "example_container", "example_supervise"]) / "examples"
    programs = {name: os.path.join(folder, name) for name in ("kv", "container", "supervise")}
    lacking = [path for path in programs.values() if not os.access(path, os.X_OK)]
    if lacking:
        raise Failed(f"not built: {' '.join(lacking)} (libevent-dev?)")
    programs["client"] = str(PLACE / "client")
    run("cc", "-O1", "-Wall", "-Wextra", "-o", programs["client"], ROOT / "scripts/service/client.c")
    return programs


def conclude(results, table):
    """Results: where, case, passed, milliseconds, words. The last of each case is kept over several runs."""
    kept = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    for where, case, *rest in results:
        kept[f"{where}: {case}"] = rest
    RESULTS.write_text(json.dumps(kept, indent=1) + "\n")
    failed = [result for result in results if not result[2]]
    print(colour("1;31" if failed else "1;32", f"{len(results) - len(failed)} of {len(results)} cases passed"))
    if table:
        PAGE.write_text(page(kept))
        print(f"written: {shown(PAGE)}")
    return 1 if failed or not results else 0


HEAD = """# Under a service manager, and in a container

Written by `./x service --table`. Each case is a function of its name in [scripts/service/cases.sh](../../scripts/service/cases.sh) (in the virtual machine) or
[scripts/x/service_oci.py](../../scripts/x/service_oci.py) (in the container); the units are those of [examples/service](../../examples/service) (what goes wrong on
purpose is in [scripts/service/units](../../scripts/service/units)), the container is [examples/container](../../examples/container). How to read the load:
a client writes and reads back, over one connection that is kept and one that is new each time; *failed* had no answer on an open connection, *refused* found
nobody listening, *lost* was acknowledged and not there. A server that is killed fails what was open on it, so there only the other two must be 0.

The machine: Debian 13, systemd 257, Linux 6.12, emulated (qemu without KVM) on two CPUs on which much else ran, so its seconds say what was waited for and not what
an upgrade costs (for that: [handoff-bench.md](handoff-bench.md)). The container: runc 1.1, on the host's kernel.
"""


def page(kept):
    lines = [HEAD]
    for where in sorted({name.split(": ")[0] for name in kept}, reverse=True):
        lines += [f"## {where}\n", "| case | passed | seconds | requests | failed | refused | lost | slowest, ms |", "|---|---|---:|---:|---:|---:|---:|---:|"]
        for name, (passed, ms, words) in kept.items():
            if name.startswith(where + ": "):
                found = dict(word.split("=") for word in words.split() if "=" in word)
                load = " | ".join(found.get(column, "") for column in ("requests", "failed", "refused", "lost", "slowest_ms"))
                lines.append(f"| {name.split(': ')[1].replace('_', ' ')} | {'yes' if passed else '**no**'} | {ms / 1000:.1f} | {load} |")
        lines.append("")
    return "\n".join(lines)
