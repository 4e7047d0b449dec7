#!/usr/bin/env python3
"""Which status each call was seen to answer, held against what the header says that it may answer.

    statuses.py --cc CC [--header FILE] [--env NAME=VALUE]... [--jobs N] [--seconds N] [--table] PROGRAM...

The programs (of c-tests) are run with a library before ours that hands every call through and notes what it answered, in memory that they all
share: also in forked copies, in signal handlers and in the programs that they start. A status counts as said if the comment of the function in
the header has its name, if its @return says "as ps_reap" or "what ps_spawn answers" of a function that may answer it, or if the paragraph
ERRORS at the top says it of every function (PS_ERR_BAD_HANDLE of those that take a handle, ...).

Exit 1 if a call answered what nobody said, or PS_ERR_INTERNAL; 77 where nothing can be preloaded. --table prints all that was seen.
"""
import argparse
import concurrent.futures
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
COLUMNS = 64  # statuses 0, 1 and -1 .. -62, each a byte
HANDLES = r"\bps_(command|child|supervisor|error|handoff|handoff_supervisor|budget|spawn_lock|worker|preloader|preload|output)\s*\*\s*\w+"
# What the paragraph ERRORS says of all: (status, the words that say it there, of which functions).
GENERAL = [
    ("PS_ERR_BAD_HANDLE", "takes a handle", HANDLES),
    ("PS_ERR_FORKED", "takes a handle", HANDLES),
    ("PS_ERR_INVALID_ARGUMENT", "takes pointers or numbers", r"\S"),
    ("PS_ERR_LIMIT", "run out", r"\S"),
    ("PS_ERR_SYSTEM", "run out", r"\S"),
    ("PS_ERR_SHUTDOWN", "another thread frees", r"\bps_(supervisor|handoff|handoff_supervisor)\s*\*\s*\w+"),
]
# Its answer is what the error is about.
NOT_ITS_OWN = {"ps_error_status"}


class Call:
    """A function that answers a status: name, parameters, what its comment says."""

    def __init__(self, name, parameters, comment):
        self.name = name
        self.parameters = " ".join(parameters.split())
        self.said = set(re.findall(r"\bPS_(?:OK|PENDING|ERR_[A-Z_]*[A-Z])\b", comment)) | {"PS_OK"}
        answers = " ".join(re.sub(r"\n \* ?", "\n", comment.partition("@return")[2]).split())
        self.like = set(re.findall(r"\bas (ps_\w+)", answers)) | set(re.findall(r"\bwhat (ps_\w+) answers", answers))

    def arguments(self):
        """Their names, for the call that is handed through."""
        if self.parameters == "void":
            return []
        # `int (*name)(int)` is one, too.
        found = [re.search(r"\(\*(\w+)\)|(\w+)\s*(?:\[\w*\])?$", parameter) for parameter in self.parameters.split(",")]
        return [name.group(1) or name.group(2) for name in found]


def calls_of(text):
    pattern = re.compile(r"(?:/\*\*((?:(?!\*/).)*)\*/\s*)?^ps_status (ps_\w+)\(([^;{]*)\);", re.S | re.M)
    calls = [Call(name, parameters, comment or "") for comment, name, parameters in pattern.findall(text)]
    by_name = {call.name: call for call in calls}
    for _ in calls:  # as long as a chain of references can be
        for call in calls:
            for other in call.like:
                call.said |= by_name[other].said
    return [call for call in calls if call.name not in NOT_ITS_OWN]


def statuses_of(text):
    return {name: int(number) for name, number in re.findall(r"\b(PS_OK|PS_PENDING|PS_ERR_\w+) = (-?\d+)", text)}


def column(status):
    return status if status >= 0 else 1 - status


def general_of(text, calls):
    """Adds what is said of all functions, as long as it is."""
    paragraph = re.search(r"\* ERRORS\..*?\n \*\n", text, re.S).group(0)
    paragraph = re.sub(r"\s*\n \*\s*", " ", paragraph)
    for status, words, which in GENERAL:
        if status not in paragraph or words not in paragraph:
            sys.exit(f"statuses.py: ERRORS, at the top of the header, says {status} of no function that {words}")
        for call in calls:
            if re.search(which, call.parameters):
                call.said.add(status)


def shim_of(header, calls):
    """The library that is loaded before ours."""
    lines = ["#define _GNU_SOURCE", "#include <dlfcn.h>", "#include <fcntl.h>", "#include <stdlib.h>", "#include <sys/mman.h>",
             "#include <unistd.h>", f'#include "{header}"',
             f"static unsigned char nowhere[{COLUMNS}], *seen;",
             "static ps_status note(int call, ps_status status)", "{",
             f"    unsigned place = status >= 0 ? (unsigned)status : 1u - (unsigned)status;",
             f"    if (place < {COLUMNS})", f"        (seen ? seen + call * {COLUMNS} : nowhere)[place] = 1;",
             "    return status;", "}"]
    for number, call in enumerate(calls):
        lines += [f"static __typeof__({call.name}) *real_{call.name};",
                  f"ps_status {call.name}({call.parameters})", "{",
                  f"    return note({number}, real_{call.name}({', '.join(call.arguments())}));", "}"]
    lines += ["__attribute__((constructor)) static void begin(void)", "{"]
    lines += [f'    real_{call.name} = (__typeof__(real_{call.name}))dlsym(RTLD_NEXT, "{call.name}");' for call in calls]
    lines += ['    const char *path = getenv("PROCSUP_STATUSES");',
              "    int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;", "    if (fd < 0)", "        return;",
              f"    void *at = mmap(NULL, {len(calls)} * {COLUMNS}, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);",
              "    seen = at == MAP_FAILED ? NULL : at;", "    close(fd);", "}"]
    return "\n".join(lines) + "\n"


def run(program, environment, seconds):
    try:
        done = subprocess.run([program], env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                              timeout=seconds, check=False)
    except subprocess.TimeoutExpired:
        return "takes too long"
    if done.returncode in (0, 77):
        return None
    return f"exit {done.returncode}: " + done.stdout.decode(errors="replace").strip()[-500:]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cc", default="cc")
    parser.add_argument("--header", type=Path, default=ROOT / "include/procsup.h")
    parser.add_argument("--env", action="append", default=[])
    parser.add_argument("--jobs", type=int, default=max(2, os.cpu_count() or 1))
    parser.add_argument("--seconds", type=float, default=300)
    parser.add_argument("--table", action="store_true")
    parser.add_argument("programs", nargs="+")
    options = parser.parse_args()
    text = options.header.read_text()
    calls, numbers = calls_of(text), statuses_of(text)
    general_of(text, calls)
    with tempfile.TemporaryDirectory(prefix="procsup-statuses-") as home:
        source, shim, seen = Path(home, "shim.c"), Path(home, "shim.so"), Path(home, "seen")
        source.write_text(shim_of(options.header.resolve(), calls))
        seen.write_bytes(bytes(len(calls) * COLUMNS))
        seen.chmod(0o666)  # tests become other users
        os.chmod(home, 0o755)
        subprocess.run([options.cc, "-shared", "-fPIC", "-O1", "-o", shim, source, "-ldl"], check=True)
        environment = dict(os.environ, LD_PRELOAD=str(shim), PROCSUP_STATUSES=str(seen), **dict(pair.split("=", 1) for pair in options.env))
        with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
            outcomes = list(pool.map(lambda program: run(program, environment, options.seconds), options.programs))
        table = seen.read_bytes()
    failures = [f"{program}: {why}" for program, why in zip(options.programs, outcomes) if why]
    names = {column(number): name for name, number in numbers.items()}
    silent, unsaid, count = [], [], 0
    for number, call in enumerate(calls):
        row = table[number * COLUMNS:(number + 1) * COLUMNS]
        found = {names.get(place, f"status {1 - place}") for place in range(COLUMNS) if row[place]}
        count += len(found)
        if options.table:
            print(f"{call.name}: {' '.join(sorted(found)) or '-'}")
        if not found:
            silent.append(call.name)
        unsaid += [f"{call.name} answers {name}, which its comment does not say" for name in sorted(found - call.said)]
        if "PS_ERR_INTERNAL" in found:
            unsaid.append(f"{call.name} answers PS_ERR_INTERNAL: a defect")
    if not count:
        print("skipped: nothing was seen; the programs may have the library in themselves")
        sys.exit(77)
    if silent:
        print("never called:", " ".join(silent))
    print(f"{count} answers of {len(calls)} functions seen in {len(options.programs)} programs")
    for line in failures + unsaid:
        print("FAILED:", line)
    sys.exit(bool(failures or unsaid))


if __name__ == "__main__":
    main()
