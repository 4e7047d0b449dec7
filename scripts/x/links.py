"""Every relative link of the *.md files leads to a file, and its anchor to a heading there; every document that a source names is there."""
import re
import subprocess
import tempfile
from pathlib import Path

from .place import ROOT

NAMED = re.compile(r"\bdocs/[\w./-]+\.(?:md|svg)\b")
WAITING = ("src/", "include/", "c-tests/")  # where names of documents are still to follow their move


def files(root):
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=str(root), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    if listed.returncode == 0:
        return [root / name for name in listed.stdout.decode().splitlines() if (root / name).is_file()]
    return [path for path in root.rglob("*") if path.is_file() and "target" not in path.relative_to(root).parts]


def prose(text):
    """Without what is shown as code."""
    text = re.sub(r"^(```|~~~).*?^\1[ \t]*$", "", text, flags=re.DOTALL | re.MULTILINE)
    return re.sub(r"(`+).+?\1", "", text)


def anchors(text):
    """The anchors of the headings, as GitHub makes them."""
    text = re.sub(r"^(```|~~~).*?^\1[ \t]*$", "", text, flags=re.DOTALL | re.MULTILINE)
    found = set(re.findall(r"<a (?:id|name)=\"([^\"]+)\"", text))
    for heading in re.findall(r"^#{1,6} +(.*?) *#*$", text, re.MULTILINE):
        shown = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", heading)
        name = re.sub(r"[^\w\- ]", "", shown.lower()).replace(" ", "-")
        number = 0
        while name + (f"-{number}" if number else "") in found:
            number += 1
        found.add(name + (f"-{number}" if number else ""))
    return found


def broken(root):
    """What leads nowhere: a line for each."""
    complaints = []
    for path in files(root):
        name = path.relative_to(root).as_posix()
        try:
            text = path.read_text()
        except UnicodeDecodeError:
            continue
        if not name.startswith(WAITING):
            complaints += [f"{name}: {document} is not there" for document in sorted(set(NAMED.findall(text))) if not (root / document).exists()]
        if path.suffix != ".md":
            continue
        links = re.findall(r"\]\(<?([^)\s>]+)>?(?: +\"[^\"]*\")?\)", prose(text)) + re.findall(r"^\[[^\]]+\]: +<?([^\s>]+)", prose(text), re.MULTILINE)
        for link in links + re.findall(r"<(?:a href|img src)=\"([^\"]+)\"", prose(text)):
            if re.match(r"[a-z][a-z0-9+.-]*:|//", link):
                continue
            place, _, anchor = link.partition("#")
            target = path.parent / place if place else path
            if not target.exists():
                complaints.append(f"{name}: {link}: there is no such file")
            elif anchor and target.suffix == ".md" and anchor not in anchors(target.read_text()):
                complaints.append(f"{name}: {link}: there is no such heading")
    return complaints


def self_test():
    """What is broken is found, and nothing else."""
    pages = {"a.md": "# One `two`, three\n## Same\n## Same\n[x](b.md#b-ü_c) [y](#one-two-three) [z](#same-1) [w](https://example.org) `[v](no.md)`\n"
                     "```\n[u](no.md)\n# Not a heading\n```\n![p](d/p.svg) [bad](no.md) [bad](b.md#no) [bad](#not-a-heading) [bad]: no\n[t]: no-such\n",
             "b.md": "## B (ü_c)\n[back](./a.md)", "d/p.svg": "", "code.rs": "// docs" "/here.md and docs" "/gone.md\n", "docs" "/here.md": "[up](../d)\n"}
    expected = ["a.md: #not-a-heading: there is no such heading", "a.md: b.md#no: there is no such heading", "a.md: no-such: there is no such file",
                "a.md: no.md: there is no such file", "code.rs: docs" "/gone.md is not there"]
    with tempfile.TemporaryDirectory() as folder:
        for name, text in pages.items():
            (Path(folder) / name).parent.mkdir(exist_ok=True)
            (Path(folder) / name).write_text(text)
        found = sorted(broken(Path(folder)))
    if found != expected:
        raise AssertionError(f"the check of links finds {found}")


def check():
    self_test()
    return broken(ROOT)
