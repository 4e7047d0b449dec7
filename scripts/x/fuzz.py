import re
import subprocess

from .place import ROOT, TARGET
from .talk import Failed, run, step

# What cargo-fuzz would set; all of it is stable. No AddressSanitizer, which is not: the library's unsafe code is under ./x sanitize.
COVERAGE = "--cfg fuzzing -Cpasses=sancov-module " + " ".join(
    f"-Cllvm-args=-sanitizer-coverage-{what}" for what in ("level=4", "inline-8bit-counters", "pc-table", "trace-compares"))


def fuzz(arguments):
    """Coverage-guided fuzzing of the handoff: ./x fuzz [SECONDS] [TARGET ...]; 30 seconds each by default. What is found lies in
    target/fuzz; ./x fuzz 0 TARGET FILE runs it again."""
    seconds = arguments[0] if arguments else "30"
    if not seconds.isdigit() or (seconds == "0" and len(arguments) < 2):
        raise Failed("./x fuzz [SECONDS] [TARGET ...], or ./x fuzz 0 TARGET FILE")
    host = re.search(r"host: (\S+)", subprocess.run(["rustc", "-vV"], stdout=subprocess.PIPE, check=True).stdout.decode()).group(1)
    step("Building the fuzzers")
    # With --target, build scripts and macros are built without the flags.
    run("cargo", "build", "--release", "--manifest-path", "fuzz/Cargo.toml", "--target", host, "--target-dir", TARGET / "fuzz",
        env={"RUSTFLAGS": COVERAGE})
    programs = TARGET / "fuzz" / host / "release"
    if seconds == "0":
        return subprocess.call([str(programs / arguments[1]), *arguments[2:]], cwd=str(TARGET / "fuzz"))
    seeds = TARGET / "fuzz/corpus/wire"  # the packets of the protocol's document, each with some numbers of descriptors
    seeds.mkdir(parents=True, exist_ok=True)
    for name, block in re.findall(r"```hex (\S+)\n(.*?)```", (ROOT / "docs/reference/handoff-protocol.md").read_text(), re.DOTALL):
        packet = bytes.fromhex("".join(line.split("#")[0] for line in block.splitlines()))
        for count in (0, 1, 5):
            (seeds / f"{name}-{count}").write_bytes(bytes([count]) + packet)
    failed = []
    for name in arguments[1:] or sorted(path.stem for path in (ROOT / "fuzz/targets").glob("*.rs")):
        step(f"Fuzzing: {name}")
        corpus = TARGET / "fuzz/corpus" / name
        corpus.mkdir(parents=True, exist_ok=True)
        options = (f"-max_total_time={seconds}", "-max_len=1000", "-timeout=60", f"-artifact_prefix={TARGET}/fuzz/{name}-")
        if not run(programs / name, corpus, *options, check=False, quiet=True):
            failed.append(name)
        else:
            print(f"{name}: nothing found, {sum(1 for _ in corpus.iterdir())} inputs of interest")
    if failed:
        raise Failed("found something: " + ", ".join(failed))
