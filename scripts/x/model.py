from .place import TARGET
from .talk import run
from .tools import need


def model(arguments):
    """Every interleaving of the registry's atomics, by loom.

    Takes some minutes."""
    need("cargo", "cc")
    run("cargo", "test", "--release", "--config", "profile.release.lto=false", "--target-dir", TARGET / "loom", "--test", "model_registry", *arguments)
