#!/usr/bin/env python3
"""Which test shows which requirement: writes docs/evidence/coverage, a page for each list of requirements.

  coverage.py            writes the pages
  coverage.py --check    exit 1 if a page is not current, or if tags and requirements contradict each other

What is required stands in docs/evidence/requirements.json: lists of ids, each with a few words. A test says in a tag what it shows:

  /* covers: EV-11, LAW-10 */     in C and C++, a line of its own
  // covers: B3                   in Rust: of the function that follows, or of the file, where an empty line does
  # covers: S1                    in a script

An id must be tagged somewhere, or have "due" (the piece of work that it comes with) or "out" (why it never will); it must not have a tag
and one of these. A tag must name an id that there is. "note" is a remark; "also" are further rows with their tests (room/behaviour)."""
import argparse
import json
import os
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
REQUIREMENTS = ROOT / "docs/evidence/requirements.json"
PAGES = ROOT / "docs/evidence/coverage"
ROOMS = ROOT / "c-tests"

C_TAG = re.compile(r"^/\* *covers: *(.*?) *\*/", re.MULTILINE)
RUST_TAG = re.compile(r"^ *// *covers: *(.*?) *\n((?: *(?:#\[|//).*\n)* *(?:pub )?fn (\w+))?", re.MULTILINE)
SCRIPT_TAG = re.compile(r"^# *covers: *(.*?) *$", re.MULTILINE)


def words(tag):
    return [word for word in re.split(r"[ ,]+", tag) if word]


def covered(text):
    """The ids that the text of a C test names."""
    return [word for tag in C_TAG.findall(text) for word in words(tag)]


class Shown:
    """A test: how it is called, and the file that it stands in."""

    def __init__(self, name, path):
        self.name, self.path = name, path

    def __str__(self):
        return f"[`{self.name}`]({os.path.relpath(self.path, PAGES)})"


def tags():
    """All tags: (id, test) in the order of the files; and what is wrong with them."""
    found, wrong = [], []

    def take(path, name, ids, count):
        if "covers:" in path.read_text() and not count:
            wrong.append(f"{path.relative_to(ROOT)}: a tag must be a line of its own")
        for word in ids:
            found.append((word, Shown(name, path)))

    for path in sorted([*ROOMS.rglob("*.c"), *ROOMS.rglob("*.cpp")]):
        text = path.read_text()
        take(path, str(path.relative_to(ROOMS).with_suffix("")), covered(text), len(C_TAG.findall(text)))
    for path in sorted([*(ROOT / "tests").rglob("*.rs"), *(ROOT / "src").rglob("*.rs")]):
        matches = list(RUST_TAG.finditer(path.read_text()))
        for match in matches:
            name = str(path.relative_to(ROOT)) + (f": {match.group(3)}" if match.group(3) else "")
            take(path, name, words(match.group(1)), len(matches))
    for path in sorted((ROOT / "scripts").rglob("*.py")):
        if path != Path(__file__).resolve():
            for tag in SCRIPT_TAG.findall(path.read_text()):
                take(path, str(path.relative_to(ROOT)), words(tag), 1)
    return found, wrong


def read():
    """The lists, each requirement with its tests; and all that is wrong."""
    lists = json.loads(REQUIREMENTS.read_text())["lists"]
    every, (found, wrong) = {}, tags()
    for entry in lists:
        for requirement in entry["ids"]:
            if requirement["id"] in every:
                wrong.append(f"{requirement['id']} stands twice in {REQUIREMENTS.name}")
            every[requirement["id"]] = {**requirement, "tests": []}
        entry["ids"] = [every[requirement["id"]] for requirement in entry["ids"]]
        for row in entry.get("also", []):
            paths = [next(iter(ROOMS.glob(name + ".c*")), None) for name in row["tests"]]
            wrong += [f"{entry['list']}, {row['what']}: there is no test {name}" for name, path in zip(row["tests"], paths) if not path]
            row["tests"] = [Shown(name, path) for name, path in zip(row["tests"], paths) if path]
    for word, test in found:
        if word not in every:
            wrong.append(f"{test.path.relative_to(ROOT)}: there is no requirement {word}")
        elif test.name not in (other.name for other in every[word]["tests"]):
            every[word]["tests"].append(test)
    for name, requirement in every.items():
        states = [state for state in ("tests", "due", "out") if requirement.get(state)]
        if not states:
            wrong.append(f"{name}: no test covers it, and it is neither due nor out")
        elif len(states) > 1:
            wrong.append(f"{name}: {' and '.join(states)}: " + ", ".join(test.name for test in requirement["tests"]))
    return lists, wrong


def row(*cells):
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def state(requirement):
    return next((name for name in ("due", "out") if name in requirement), "done")


def count(entry):
    states = [state(requirement) for requirement in entry["ids"]]
    return [str(states.count(name)) for name in ("done", "due", "out")]


def page(entry):
    done, due, out = count(entry)
    lines = ["<!-- by scripts/coverage.py: do not edit -->", f"# {entry['title']}", ""]
    lines += [entry["about"], ""] if entry["about"] else []
    lines += [f"{len(entry['ids'])} in all: {done} done, {due} due, {out} out.", "", row("id", "what", "state", "tests, reasons"), "|---|---|---|---|"]
    for requirement in entry["ids"]:
        shown = ", ".join(map(str, requirement["tests"]))
        why = {"done": shown, "due": f"with: {requirement.get('due')}", "out": requirement.get("out")}[state(requirement)]
        note = f". {requirement['note'][0].upper()}{requirement['note'][1:]}" if requirement.get("note") else ""
        lines.append(row(requirement["id"], requirement["title"], state(requirement), why + note))
    if entry.get("also"):
        lines += ["", f"## {entry['also_title']}", "", row("what", "tests"), "|---|---|"]
        for also in entry["also"]:
            lines.append(row(also["what"], "; ".join(filter(None, (", ".join(map(str, also["tests"])), also.get("note"))))))
    return "\n".join(lines) + "\n"


def index(lists):
    lines = ["<!-- by scripts/coverage.py: do not edit -->", "# Requirements, and which test shows each", "",
             "*Done*: a test says in its tag that it covers it. *Due*: with a later piece of work, which is named. *Out*: never, and why. The list of what",
             "is required is [requirements.json](../requirements.json).", "", row("list", "ids", "done", "due", "out"), "|---|---|---|---|---|"]
    lines += [row(f"[{entry['title']}]({entry['page']})", str(len(entry["ids"])), *count(entry)) for entry in lists]
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    lists, wrong = read()
    pages = {"README.md": index(lists), **{entry["page"]: page(entry) for entry in lists}}
    for path in sorted(PAGES.glob("*.md")):
        if path.name not in pages:
            wrong.append(f"{path.relative_to(ROOT)} belongs to no list")
    for name, text in pages.items():
        path = PAGES / name
        if options.check and (not path.exists() or path.read_text() != text):
            wrong.append(f"{path.relative_to(ROOT)} is not current: scripts/coverage.py writes it")
        elif not options.check:
            PAGES.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
    print("\n".join(wrong) or f"{sum(len(entry['ids']) for entry in lists)} requirements in {len(lists)} lists, none without an answer")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
