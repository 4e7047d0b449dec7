from pathlib import Path

from .build import build_library, cmake_commands
from .place import ROOT, TARGET, shown
from .talk import Background, Missing, call, run, step
from .tools import Wanted, has_package, missing_loops, taken_out


# covers: C14-5, C15-6
def demo(arguments):
    """Builds the library and shows it at work: children, workers of one application, a server that is replaced under load.
    Pictures and pages in target/demo.

    Children of all kinds, a crash loop that is given up, a daemon that twenty processes want to start at once, fifty workers that are forked
    from an application that was loaded once; workers of one application (of rack or Python, where Passenger's loaders are here: ./x setup) and
    the page that says why it does not start when it is broken; then a server that is replaced again and again; half of the requests come over
    connections that are kept.

    Takes less than two minutes on two CPUs, half a minute when the library is built.

    Gets what it needs and is not here:
    by pip into target/tools: cmake ninja, if there is no CMake >= 3.16 (by apt, if pip cannot: cmake make);
    by apt, as root: pkg-config libevent-dev, for the server.

    --no-install    installs nothing; without libevent the server is left out
    DIRECTORY       whose files the children work on"""
    arguments, (no_install,) = taken_out(arguments, "--no-install")
    for word in arguments:
        if len(arguments) > 1 or not Path(word).is_dir():
            raise Missing(f"what is {' '.join(arguments)}? ./x demo [--no-install] [DIRECTORY]")
    wanted = Wanted(lambda: missing_loops("libevent"), "the handoff half of the demo is left out", not no_install)
    beside = Background(lambda: prepare(wanted))  # the network, and one thread: there is room for both beside a compiler
    build_library(beside)
    remarks, libevent, build = beside.end()
    for line in remarks:
        print(line, flush=True)
    step("Building the C programs")
    run(*build, quiet=True)
    examples, output = TARGET / "cmake/examples", shown(TARGET / "demo")
    step("Children")
    children = call(examples / "demo", "-o", output, *arguments)
    step("Workers of one application")
    workers = call(examples / "workers", "-o", output)
    step("Handoff: a key-value server is upgraded under load")
    if not libevent:
        print("left out: libevent is not here (./x setup gets it, as root)")
        return children or workers
    load = ["--seconds", "10", "--rate", "1500", "--upgrades", "32", "--every", "300", "--probation", "50", "--kept", "50"]
    handoffs = call(examples / "kv_load", "-o", output, *load)
    print(f"  {output}/handoff.svg shows every request and every handoff, {output}/kv.log what the generations say")
    return children or workers or handoffs


def prepare(wanted):
    """All but the library, and what has to be linked with it: what is to be said, whether there is a server, and the command that builds."""
    remarks = wanted.fetch()
    libevent = has_package("libevent")
    configure, build = cmake_commands("cmake", (), ["example_demo", "example_workers", *(["example_kv", "example_kv_load"] if libevent else [])])
    run(*configure)
    return remarks, libevent, build
