import subprocess

from .build import build_library, cmake_build
from .place import ROOT, TARGET, shown
from .talk import step
from .tools import get, has_package, missing_loops, taken_out


# covers: C14-5, C15-6
def demo(arguments):
    """Builds everything and shows the library at work: children of all kinds, a crash loop that is given up, a daemon that
    twenty processes want to start at once, fifty workers that are forked from an application that was loaded once (arguments
    go to examples/demo), workers of one application (of rack or Python, where Passenger's loaders are here: ./x setup) and the
    page that says why it does not start when it is broken; then a server that is replaced again and again under load; half of
    the requests come over connections that are kept. Pictures and pages in target/demo.

    Gets what it needs and is not here:
    by pip into target/tools: cmake ninja, if there is no CMake >= 3.16 (by apt, if pip cannot: cmake make);
    by apt, as root: pkg-config libevent-dev, for the server.

    --no-install    installs nothing; without libevent the server is left out
    DIRECTORY       whose files the children work on"""
    arguments, (no_install,) = taken_out(arguments, "--no-install")
    get(lambda: missing_loops("libevent"), "the handoff half of the demo is left out", not no_install)
    build_library()
    libevent = has_package("libevent")
    build = cmake_build("cmake", targets=["example_demo", "example_workers", *(["example_kv", "example_kv_load"] if libevent else [])])
    output = shown(TARGET / "demo")
    step("Children")
    children = subprocess.call([str(build / "examples/demo"), "-o", output, *arguments], cwd=str(ROOT))
    step("Workers of one application")
    workers = subprocess.call([str(build / "examples/workers"), "-o", output], cwd=str(ROOT))
    step("Handoff: a key-value server is upgraded under load")
    if not libevent:
        print("left out: libevent is not here (./x setup gets it, as root)")
        return children or workers
    load = ["--seconds", "10", "--rate", "1500", "--upgrades", "32", "--every", "300", "--probation", "50", "--kept", "50"]
    handoffs = subprocess.call([str(build / "examples/kv_load"), "-o", output, *load], cwd=str(ROOT))
    print(f"  {output}/handoff.svg shows every request and every handoff, {output}/kv.log what the generations say")
    return children or workers or handoffs
