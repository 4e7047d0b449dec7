import re
import subprocess

from .fuzz_boundary import boundary
from .place import ROOT, TARGET
from .talk import Failed, Missing, call, run, step
from .tools import need

# What cargo-fuzz would set; all of it is stable. No AddressSanitizer, which is not: the library's unsafe code is under ./x sanitize.
COVERAGE = "--cfg fuzzing -Cpasses=sancov-module " + " ".join(
    f"-Cllvm-args=-sanitizer-coverage-{what}" for what in ("level=4", "inline-8bit-counters", "pc-table", "trace-compares"))


def fuzz(arguments):
    """Fuzzing: ./x fuzz [SECONDS] [TARGET ...]; 30 seconds each by default.
    ./x fuzz boundary [SECONDS]: every call of the C interface with anything.

    Takes the seconds that are asked for, for each; the first time three minutes more to build them.

    boundary is c-tests/fuzz/boundary.c: calls, handles, arguments, threads, forks and signals by the dice of a seed, on all CPUs, each time
    with seeds that were not tried yet. ./x fuzz 0 boundary --first SEED runs one again; --plain: one thread in each host, no timer;
    --tolerate "F27 F28" looks past faults that are known; --steps N: calls per thread.

    All other targets are guided by coverage, and are parsers and hostile peers of the handoff: what is found lies in target/fuzz;
    ./x fuzz 0 TARGET FILE runs it again."""
    options = []
    if "boundary" in arguments:
        at = next((i for i, argument in enumerate(arguments) if argument.startswith("--")), len(arguments))
        arguments, options = arguments[:at], arguments[at:]
    numbers = [argument for argument in arguments if argument.isdigit()]
    names = [argument for argument in arguments if not argument.isdigit()]
    if arguments and arguments[0] != "boundary" and not arguments[0].isdigit():
        raise Missing("./x fuzz [SECONDS] [TARGET ...], ./x fuzz boundary [SECONDS], or ./x fuzz 0 TARGET FILE")
    seconds = numbers[0] if numbers else "30"
    if seconds == "0" and not names:
        raise Missing("./x fuzz 0 TARGET FILE, or ./x fuzz 0 boundary --first SEED")
    known = ["boundary", *sorted(path.stem for path in (ROOT / "fuzz/targets").glob("*.rs"))]
    for name in names if seconds != "0" else names[:1]:
        if name not in known:
            raise Missing(f"what is {name}? {' '.join(known)}")
    need("cargo", "cc", *(["cmake"] if not names or "boundary" in names else []))
    failed = []
    if (not names or "boundary" in names) and not boundary(int(seconds), options):
        failed.append("boundary")
    others = [name for name in names if name != "boundary"]
    if others or not names:
        failed += coverage_guided(seconds, arguments, others)
    if failed:
        raise Failed("found something: " + ", ".join(failed))


def coverage_guided(seconds, arguments, names):
    """The names of the targets that found something."""
    host = re.search(r"host: (\S+)", subprocess.run(["rustc", "-vV"], stdout=subprocess.PIPE, check=True).stdout.decode()).group(1)
    step("Building the fuzzers")
    # With --target, build scripts and macros are built without the flags.
    run("cargo", "build", "--release", "--manifest-path", "fuzz/Cargo.toml", "--target", host, "--target-dir", TARGET / "fuzz",
        env={"RUSTFLAGS": COVERAGE})
    programs = TARGET / "fuzz" / host / "release"
    if seconds == "0":
        code = call(programs / arguments[1], *arguments[2:], cwd=str(TARGET / "fuzz"))
        return [arguments[1]] if code else []
    seeds = TARGET / "fuzz/corpus/wire"  # the packets of the protocol's document, each with some numbers of descriptors
    seeds.mkdir(parents=True, exist_ok=True)
    for name, block in re.findall(r"```hex (\S+)\n(.*?)```", (ROOT / "docs/reference/handoff-protocol.md").read_text(), re.DOTALL):
        packet = bytes.fromhex("".join(line.split("#")[0] for line in block.splitlines()))
        for count in (0, 1, 5):
            (seeds / f"{name}-{count}").write_bytes(bytes([count]) + packet)
    failed = []
    for name in names or sorted(path.stem for path in (ROOT / "fuzz/targets").glob("*.rs")):
        step(f"Fuzzing: {name}")
        corpus = TARGET / "fuzz/corpus" / name
        corpus.mkdir(parents=True, exist_ok=True)
        options = (f"-max_total_time={seconds}", "-max_len=1000", "-timeout=60", f"-artifact_prefix={TARGET}/fuzz/{name}-")
        if not run(programs / name, corpus, *options, check=False, quiet=True):
            failed.append(name)
        else:
            print(f"{name}: nothing found, {sum(1 for _ in corpus.iterdir())} inputs of interest")
    return failed
