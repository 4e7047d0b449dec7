"""Who may use whom in src/: arrows only down, `unsafe` in two rooms only, no cycle between the files of a room.

It reads `use crate::..`, `use super::..`, paths in the middle of code, and what is used by the name of a module below. A name that a mod.rs
hands on (`pub use lines::Line`) is an arrow to the file that has it, not to the mod.rs. Test modules inside src/ may look anywhere."""
import re
import tempfile
from pathlib import Path

from .place import ROOT

# From below: a room may use those of the floors below its own, never those beside it. A folder that is not named here is refused.
FLOORS = [
    ["error", "clock", "journey", "report", "lock"],  # the ground, with all other files right in src/: these may use each other
    ["sys"],
    ["registry", "channel"],
    ["coordination"],  # below the processes: a command names its budget, a process has its readiness; it knows neither
    ["process"],
    ["supervisor"],
    ["preloader", "handoff"],
    ["capi"],
    ["lib"],  # the face: names what the others export
]
UNSAFE = {"sys", "capi"}
# These know that room by its face only: what its mod.rs has or hands on.
BY_THE_FACE = {("preloader", "supervisor"), ("handoff", "supervisor")}
# Cycles between files that are meant.
CYCLES = [
    ({"capi/convert", "capi/error", "capi/guard", "capi/handles"},
     "an error is a handle, a handle is converted, and the guard makes errors of what went wrong in either"),
    ({"sys/mod", "sys/call"}, "the room asks by a bare call who this process is, and the call's macro names itself by way of the room"),
    ({"sys/spawn/clone", "sys/spawn/fork", "sys/spawn/tiers"}, "the engine asks which tier works here, finding out is a spawn, and the last tier shares its parts"),
    ({"supervisor/inner", "supervisor/orphans", "supervisor/events", "supervisor/managed/mod", "supervisor/permits", "supervisor/mod", "supervisor/default",
      "supervisor/once", "supervisor/starts", "supervisor/errands/mod", "supervisor/errands/begun", "supervisor/errands/turns", "supervisor/spawner/mod",
      "supervisor/spawner/line", "supervisor/carry_out"},
     "the ledger holds orphans, children, permits, errands, a spawner and the events that keep a child alive, and what a panic left to be carried out; a call on a child drives the ledger; and an errand's host is a face"),
    ({"preloader/session/mod", "preloader/session/layout", "preloader/session/private", "preloader/session/prepare", "preloader/session/response",
      "preloader/session/stdin", "preloader/session/place", "preloader/session/predefined", "preloader/session/violations"},
     "a session is made of its parts, and its parts are made for a session"),
    ({"preloader/client/request", "preloader/client/work"}, "the work holds requests, and a request is one of this work"),
    ({"preloader/core", "preloader/request", "preloader/visit"}, "the core holds requests and visits, and each of them tells the core"),
    ({"preloader/native/host/mod", "preloader/native/host/birth", "preloader/native/host/pool", "preloader/native/host/process", "preloader/native/host/promote",
      "preloader/native/host/request", "preloader/native/host/work/mod", "preloader/native/host/work/births", "preloader/native/host/work/processes"},
     "what is in the hand of whoever drives is made of these, each of them tells it, and the calls on it fill more than one file"),
    ({"preloader/native/inside/control", "preloader/native/inside/mod", "preloader/native/inside/opening", "preloader/native/inside/worker"},
     "what a process is at the moment decides which of these has its channel, and each of them may make it the next"),
    ({"process/command/mod", "process/command/streams", "process/command/identity", "process/command/life", "process/command/belongings",
      "process/command/program", "process/command/prepared", "process/command/lasting", "process/command/readiness",
      "process/command/inheritance", "process/command/processors", "process/command/landlock"},
     "a command is made of its parts, and each part has its setters on the command"),
    ({"handoff/side", "handoff/owner/side", "handoff/owner/guests", "handoff/owner/keeper", "handoff/owner/offer", "handoff/owner/observers",
      "handoff/owner/expected", "handoff/owner/recording", "handoff/successor/side", "handoff/successor/store", "handoff/successor/recording"},
     "a party is one of the sides, and a side may become the next party; each party's actions fill more than one file"),
    ({"handoff/supervisor/native/mod", "handoff/supervisor/native/seeing"},
     "the way holds what is seen, and what it sees fills a file of its own"),
]
# Arrows that are wrong and stand until they are mended: (file, file or room) -> why.
STANDING = {}


class Source:
    """One file as a module: its path, its words without comments, strings and tests."""

    def __init__(self, path, src):
        parts = path.relative_to(src).with_suffix("").parts
        self.path, self.name = path, "/".join(parts)
        self.module = parts[:-1] if parts[-1] in ("mod", "lib") else parts
        self.room = parts[0]
        self.text = without_tests(bare(path.read_text()))
        self.code, self.aliases, self.uses, self.inline = "", {}, [], []


def bare(text):
    """Rust without comments and without what stands in strings; as many lines as before."""
    token = re.compile(r'//[^\n]*|/\*|\bb?c?r(#*)".*?"\1|"(?:\\.|[^"\\])*"|\'(?:\\.[^\']*|[^\\\'])\'', re.DOTALL)
    out, at = [], 0
    while True:
        found = token.search(text, at)
        if not found:
            return "".join(out) + text[at:]
        out.append(text[at : found.start()])
        end = found.end()
        if found.group().startswith("/*"):
            depth = 1
            while depth and end < len(text):
                mark = re.compile(r"/\*|\*/").search(text, end)
                if not mark:
                    end = len(text)
                    break
                depth += 1 if mark.group() == "/*" else -1
                end = mark.end()
        out.append("\n" * text.count("\n", found.start(), end) or " ")
        at = end


def end_of_item(text, at):
    """Where the item ends that begins here: behind its closing brace or its semicolon."""
    depth = 0
    for found in re.compile(r"[{}();\[\]]").finditer(text, at):
        mark = found.group()
        depth += (mark in "{([") - (mark in "})]")
        if depth == 0 and mark in "};":
            return found.end()
    return len(text)


def without_tests(text):
    while True:
        found = re.search(r"#\[cfg\((?:test|all\(test\b[^\]]*)\)\]", text)
        if not found:
            return text
        end = end_of_item(text, found.end())
        text = text[: found.start()] + "\n" * text.count("\n", found.start(), end) + text[end:]


def leaves(tree, prefix=()):
    """`a::{b, c as d}` -> (path, name under which it is known here)."""
    tree = tree.strip()
    head, brace, rest = tree.partition("{")
    path = prefix + tuple(word.strip() for word in head.split("::") if word.strip())
    if not brace:
        last, renamed, name = path[-1].partition(" as ") if path else ("", "", "")
        path = path[:-1] + (last.strip(),)
        if path[-1] == "self":
            path = path[:-1]
        return [(path, name.strip() if renamed else path[-1])] if path else []
    depth, begin, found = 0, 0, []
    rest = rest[: rest.rindex("}")]
    for at, mark in enumerate(rest + ","):
        depth += (mark == "{") - (mark == "}")
        if mark == "," and depth == 0:
            if rest[begin:at].strip():
                found += leaves(rest[begin:at], path)
            begin = at + 1
    return found


class Tree:
    def __init__(self, src):
        self.files = [Source(path, src) for path in sorted(src.rglob("*.rs"))]
        # A file that only a test module names (`#[cfg(test)] mod x;`) is a test.
        declared = {f.module + (name,) for f in self.files for name in re.findall(r"\bmod (\w+)\s*;", f.text)}
        self.files = [f for f in self.files if f.module == () or f.module in declared]
        self.by_module = {f.module: f for f in self.files}
        for file in self.files:
            self.read(file)

    def read(self, file):
        """Notes the paths that a file uses, absolute, and the names by which it knows them."""
        text = file.text
        for found in re.finditer(r"(\bpub(?:\([^)]*\))? +)?\buse\s+([^;]+);", text):
            for path, name in leaves(found.group(2)):
                path = self.absolute(file, path, depth_of(text, found.start()))
                if path:
                    file.uses.append((path, name, bool(found.group(1)), line_of(text, found.start())))
                    file.aliases[name] = path
        code = file.code = re.sub(r"\buse\s+[^;]+;", lambda found: "\n" * found.group().count("\n"), text)
        below = [module[-1] for module in self.by_module if module and module[:-1] == file.module]
        words = "|".join(["crate", "super", "self", *map(re.escape, below)])
        for found in re.finditer(rf"(?<![\w:])(?:{words})(?:\s*::\s*[A-Za-z_]\w*)+", code):
            path = tuple(re.split(r"\s*::\s*", found.group()))
            path = self.absolute(file, path, depth_of(code, found.start()))
            if path:
                file.inline.append((path, line_of(code, found.start())))

    def absolute(self, file, path, inner):
        """The path from the root of the crate; None for one of another crate. `inner`: modules inside the file around it."""
        here = file.module + inner
        if path[0] == "crate":
            return path[1:]
        if path[0] in ("super", "self"):
            while path and path[0] in ("super", "self"):
                here = here[:-1] if path[0] == "super" else here
                path = path[1:]
            return here + path
        return file.module + path if file.module + path[:1] in self.by_module else None

    def target(self, path, seen=()):
        """The file that has what the path names, through names that are handed on."""
        module = ()
        for word in path:
            if module + (word,) not in self.by_module:
                break
            module += (word,)
        file, rest = self.by_module[module], path[len(module) :]
        if rest and rest[0] in file.aliases and (module, rest[0]) not in seen:
            return self.target(file.aliases[rest[0]] + rest[1:], seen + ((module, rest[0]),))
        return file

    def arrows(self):
        """(from, to, path, line) for each use of one file by another; a name that is only handed on is not used."""
        for file in self.files:
            handed_on = file.path.name in ("mod.rs", "lib.rs")
            for path, name, public, line in file.uses:
                only = public and handed_on and not re.search(rf"\b{name}\b", file.code)
                if not only:
                    yield file, self.target(path), path, line
            for path, line in file.inline:
                yield file, self.target(path), path, line


def depth_of(text, at):
    """The names of the modules inside the file that hold this place."""
    inner = ()
    for found in re.finditer(r"\bmod (\w+)\s*\{", text):
        if found.start() > at:
            break
        if end_of_item(text, found.start()) > at:
            inner += (found.group(1),)
    return inner


def line_of(text, at):
    return text.count("\n", 0, at) + 1


def circles(graph):
    """The sets of files that reach each other (Tarjan's components of more than one)."""
    number, low, stack, found = {}, {}, [], []

    def visit(node):
        number[node] = low[node] = len(number)
        stack.append(node)
        for other in sorted(graph.get(node, ())):
            if other not in number:
                visit(other)
                low[node] = min(low[node], low[other])
            elif other in stack:
                low[node] = min(low[node], number[other])
        if low[node] == number[node]:
            part = stack[stack.index(node) :]
            del stack[stack.index(node) :]
            if len(part) > 1:
                found.append(set(part))

    for node in sorted(graph):
        if node not in number:
            visit(node)
    return found


def violations(src, standing, cycles):
    """What is wrong below src: a line for each."""
    level = {room: at for at, rooms in enumerate(FLOORS) for room in rooms}
    tree, complaints, graph = Tree(src), [], {}
    level.update({file.room: 0 for file in tree.files if file.name == file.room and file.room not in level})
    for file in tree.files:
        if file.room not in level:
            complaints.append(f"{file.name}: on which floor is {file.room}? scripts/x/imports.py has the table")
        if file.room not in UNSAFE:
            for found in re.finditer(r"\bunsafe\b", file.text):
                complaints.append(f"{file.name}.rs:{line_of(file.text, found.start())}: unsafe belongs to {' and '.join(sorted(UNSAFE))}")
    for file, other, path, line in tree.arrows():
        a, b = file.room, other.room
        if file is other or a not in level or b not in level:
            continue
        wrong = ""
        if a != b and level[b] >= level[a] and (level[a] > 0 or level[b] > 0):
            wrong = "stands beside it" if level[b] == level[a] else "stands above it"
        elif (a, b) in BY_THE_FACE and path[:2] in tree.by_module and len(path) > 1:
            wrong = f"is an inside of {b}"
        if wrong and not {(file.name, other.name), (file.name, b), (a, b)} & set(standing):
            complaints.append(f"{file.name}.rs:{line}: uses {'::'.join(path)} ({other.name}.rs), which {wrong}")
        if a == b or level[a] == level[b] == 0:
            graph.setdefault(file.name, set()).add(other.name)
    found = circles(graph)
    complaints += [f"{', '.join(sorted(meant))} is no cycle any more: out of the table with it" for meant, _ in cycles if not any(c <= meant for c in found)]
    for circle in found:
        if not any(circle <= meant for meant, _ in cycles):
            arrows = [f"{a} -> {b}" for a in sorted(circle) for b in sorted(graph.get(a, set()) & circle)]
            complaints.append(f"a cycle, and no reason for it in scripts/x/imports.py: {', '.join(arrows)}")
    return complaints


BAD = {  # a tree in which everything is wrong once
    "lib.rs": "mod clock; mod error; mod sys; mod registry; mod channel; mod supervisor; mod handoff; mod attic; mod day;\npub use sys::fine::Fine;\n",
    "clock.rs": "use crate::sys;\n",
    "error.rs": "// unsafe, crate::capi::x\nconst A: &str = \"unsafe { crate::sys::x }\"; const B: char = '\"'; fn f<'a>() {}\n",
    "attic/mod.rs": "",
    "day.rs": "use crate::clock;\n",
    "sys/mod.rs": "pub mod fine;\npub mod round;\npub mod about;\nfn f() { crate::error::g(); }\n",
    "sys/fine.rs": "pub struct Fine;\nunsafe fn g() {}\n#[cfg(test)]\nmod tests {\n    use crate::handoff;\n    mod m { fn f() { unsafe {} } }\n}\n",
    "sys/round.rs": "use super::{about::Thing as Other, fine};\n",
    "sys/about.rs": "mod m {\n    fn f() { super::super::round::g(); }\n}\n",
    "registry/mod.rs": "use crate::{\n    channel as c,\n    sys::{self, fine::Fine},\n};\n",
    "channel/mod.rs": "fn f() { unsafe { crate::Fine } }\n",
    "supervisor/mod.rs": "mod inner;\nmod slot;\npub use inner::Inner;\n",
    "supervisor/inner.rs": "use super::slot::Slot;\n",
    "supervisor/slot.rs": "use super::Inner;\n",
    "handoff/mod.rs": "use crate::supervisor::Inner;\nuse crate::supervisor::inner::Books;\n",
}
FOUND = [
    "a cycle, and no reason for it in scripts/x/imports.py: supervisor/inner -> supervisor/slot, supervisor/slot -> supervisor/inner",
    "a cycle, and no reason for it in scripts/x/imports.py: sys/about -> sys/round, sys/round -> sys/about",
    "attic/mod: on which floor is attic? scripts/x/imports.py has the table",
    "channel/mod.rs:1: unsafe belongs to capi and sys",
    "clock, day is no cycle any more: out of the table with it",
    "clock.rs:1: uses sys (sys/mod.rs), which stands above it",
    "handoff/mod.rs:2: uses supervisor::inner::Books (supervisor/inner.rs), which is an inside of supervisor",
    "registry/mod.rs:1: uses channel (channel/mod.rs), which stands beside it",
]


def self_test():
    """Each thing that is wrong in a bad tree is found, and nothing else."""
    with tempfile.TemporaryDirectory() as folder:
        for name, text in BAD.items():
            (Path(folder) / name).parent.mkdir(exist_ok=True)
            (Path(folder) / name).write_text(text)
        found = sorted(violations(Path(folder), {}, [({"clock", "day"}, "was one")]))
    if found != FOUND:
        raise AssertionError("the check of imports finds\n" + "\n".join(found))


def check():
    self_test()
    return violations(ROOT / "src", STANDING, CYCLES)
