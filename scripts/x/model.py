from .place import TARGET
from .talk import run


def model(arguments):
    """Every interleaving of the registry's atomics, by loom."""
    run("cargo", "test", "--release", "--target-dir", TARGET / "loom", "--test", "model_registry", *arguments)
