from .build import build_library
from .place import LIBRARY
from .talk import Missing, run, step
from .tools import need

KINDS = ("spawn", "supervisor", "coordination", "preloader", "spawner", "handoff")


# covers: C13-8, C14-must-figure, C15-4, C16-7
def bench(arguments):
    """Side-by-side figures: ./x bench spawn|supervisor|coordination|preloader|spawner|handoff [--json FILE] [--svg DIR] [--quick] ...

    Takes one to three minutes for most of them, fifty for handoff; the first time two more to build it.

    spawn, supervisor    one to three minutes; --quick 15 s
    coordination         two minutes; --quick ten seconds
    preloader            a minute; needs python3, ruby and passenger (./x setup)
    spawner              a minute; as root also while an exec hangs
    handoff              fifty minutes, --quick three; nginx and gunicorn if they are here
    spawn --parts        what each call of a spawn costs here
    --json FILE          the results, for a program
    --svg DIR            pictures
    --strict             exit code 1 when a limit was missed
    bench/README.md says how it is measured and has all options."""
    if not arguments or arguments[0] not in KINDS:
        raise Missing((f"what is {arguments[0]}?" if arguments else "which one?") + f" ./x bench {'|'.join(KINDS)}")
    need("cargo", "cc")
    build_library()
    step("Benchmark")
    run("cargo", "run", "--release", "--manifest-path", "bench/Cargo.toml", "--", arguments[0], "--lib", LIBRARY, *arguments[1:])
