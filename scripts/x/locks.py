"""Lock files of programs beside the library that are built with it: the trap is that a new dependency of the library makes them stale, which is
noticed only where somebody builds them with --locked."""
import re

from .place import ROOT

BESIDE = ["examples/languages/rust/Cargo.lock", "fuzz/Cargo.lock"]


def locked(path):
    """What a lock file says that procsup needs."""
    packages = path.read_text().split("[[package]]")
    ours = next((text for text in packages if re.search(r'^name = "procsup"$', text, re.MULTILINE)), "")
    listed = re.search(r"^dependencies = \[(.*?)\]", ours, re.MULTILINE | re.DOTALL)
    return set(re.findall(r'^ "([^" ]+)', listed[1], re.MULTILINE)) if listed else set()


def needed():
    """The names under [dependencies]."""
    part = re.search(r"^\[dependencies\]\n(.*?)(?=^\[)", (ROOT / "Cargo.toml").read_text(), re.MULTILINE | re.DOTALL)[1]
    return set(re.findall(r"^([a-z0-9_-]+) *=", part, re.MULTILINE))


def check():
    """A line for each that is stale."""
    wanted = needed()
    return [f"{path}: is not of this Cargo.toml: cargo metadata --manifest-path {path.replace('.lock', '.toml')} writes it anew"
            for path in BESIDE if locked(ROOT / path) != wanted]

