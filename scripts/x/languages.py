"""What examples/languages needs beside what all tests need (./x test languages): more languages by apt, koffi for Node by npm. Rust's program gets
tokio by cargo when it is built."""
import json
import os
import shutil
from pathlib import Path

from .place import ROOT, TARGET, shown
from .talk import colour, run
from .tools import LOG, missing_for_tests, note_tried, was_tried

JNA = Path("/usr/share/java/jna.jar")
PLACE = TARGET / "languages"


def meant(name):
    """Whether the tests of that name are those."""
    return name is not None and name.startswith("languages")


def missing_more():
    """Those that take long to get or to build."""
    programs = {"node": "nodejs", "npm": "npm", "ruby": "ruby", "go": "golang-go", "javac": "default-jdk-headless"}
    return [package for program, package in programs.items() if not shutil.which(program)] + ([] if JNA.exists() else ["libjna-java"])


def packages(name):
    """What finds the packages that tests of that name lack."""
    return (lambda: missing_for_tests() + missing_more()) if meant(name) else missing_for_tests


def prepare(name, install):
    """Lets scripts/checksums.py build, into target/languages, if that is what is meant. Gets koffi."""
    if meant(name):
        os.environ["PROCSUP_LANGUAGES"] = str(PLACE)
        get_koffi(install)


def get_koffi(install):
    folder = PLACE / "node"
    wanted = json.loads((ROOT / "examples/languages/node/package.json").read_text())["dependencies"]["koffi"]
    if (folder / "node_modules/koffi").exists() or not install or was_tried("koffi") or not shutil.which("npm"):
        return
    folder.mkdir(parents=True, exist_ok=True)
    print(colour("1;34", "==> Getting what is not here, ") + f"by npm into {shown(folder)}: koffi {wanted}", flush=True)
    if not run("npm", "install", "--no-save", "--no-audit", "--no-fund", "--prefix", folder, f"koffi@{wanted}", check=False, log=LOG):
        note_tried("koffi")
        print(colour("33", f"without koffi: the tests of Node are skipped; npm could not get it: {shown(LOG)} (./x setup asks again)"), flush=True)
