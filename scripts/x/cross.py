import shutil
import subprocess

from .talk import Missing, run
from .tools import need


def cross(_arguments):
    """Type-checks the library for aarch64.

    Takes half a minute.

    rustup must have that target: rustup target add aarch64-unknown-linux-gnu"""
    need("cargo", "cc")
    target = "aarch64-unknown-linux-gnu"
    if shutil.which("rustup"):
        installed = subprocess.run(["rustup", "target", "list", "--installed"], stdout=subprocess.PIPE).stdout.decode().split()
        if target not in installed:
            raise Missing(f"the target is not here: rustup target add {target}")
    run("cargo", "check", "--lib", "--target", target)
