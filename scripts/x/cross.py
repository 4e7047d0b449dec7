import shutil
import subprocess

from .talk import Failed, run


def cross(_arguments):
    """Type-checks the library for aarch64.

    rustup must have that target: rustup target add aarch64-unknown-linux-gnu"""
    target = "aarch64-unknown-linux-gnu"
    if shutil.which("rustup"):
        installed = subprocess.run(["rustup", "target", "list", "--installed"], stdout=subprocess.PIPE).stdout.decode().split()
        if target not in installed:
            raise Failed(f"the target is not here: rustup target add {target}")
    run("cargo", "check", "--lib", "--target", target)
