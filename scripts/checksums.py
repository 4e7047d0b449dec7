#!/usr/bin/env python3
"""One program in ten languages (examples/languages/*/checksums.*): each must say the same, and be gone without a trace after Ctrl-C.

    checksums.py LANGUAGE [--program PROGRAM] --library LIBRARY

LANGUAGE: c, cpp (both with --program), python, node_poll, node_async, node_worker, ruby, luajit, php, go, java, rust. What is not here is skipped
(77). What takes long to build, or comes from a registry, runs where PROCSUP_LANGUAGES names the folder for it (./x test languages).

work       twelve files, one that is not there, and one that comes later: it is tried again until a child of the language's own has made it, which the
           language itself reaps. What it says is what this script reckons.
interrupt  at a terminal of its own, with files that never end (FIFOs): Ctrl-C, typed there, ends it with 130; those that run are stopped, those in
           line cancelled; nobody is left, no zombie either.
"""
import argparse
import ctypes
import hashlib
import os
import pathlib
import pty
import shutil
import signal
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
PATIENCE = 60 * float(os.environ.get("PROCSUP_TEST_SLOWNESS", "1"))
PLACE = os.environ.get("PROCSUP_LANGUAGES")
PR_SET_CHILD_SUBREAPER = 36


def skip(why):
    print(f"skipped: {why}")
    sys.exit(77)


def expect(truth, *what):
    if not truth:
        raise AssertionError("\n".join(str(part) for part in what))


def need(program, package):
    return shutil.which(program) or skip(f"{program} is not here (Debian: {package})")


def runs(*command):
    return subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0


def place(language):
    """A folder for what is built."""
    if not PLACE:
        skip(f"{language} takes long to build, or comes from a registry: ./x test languages")
    folder = pathlib.Path(PLACE, language)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


# ---- how each is run: its words, and what its environment has in addition ----


def program(arguments):
    return [arguments.program], {}


def python(arguments):
    return [sys.executable, source("python/checksums.py")], {}


def node(arguments):
    modules = place("node") / "node_modules"
    if not (modules / "koffi").exists():
        skip(f"koffi is not in {modules}")
    return [need("node", "nodejs"), source("node/checksums.js"), "--by", arguments.language.split("_")[1]], {"NODE_PATH": str(modules)}


def ruby(arguments):
    found = need("ruby", "ruby")
    return ([found, source("ruby/checksums.rb")], {}) if runs(found, "-e", "require 'fiddle'") else skip("Ruby has no fiddle here")


def luajit(arguments):
    return [need("luajit", "luajit lua-luv"), source("luajit/checksums.lua")], {}


def php(arguments):
    return [need("php", "php-cli"), source("php/checksums.php")], {}


def go(arguments):
    found, built, libraries = need("go", "golang-go"), place("go"), pathlib.Path(arguments.library).parent
    flags = {"GO111MODULE": "off", "GOFLAGS": "", "GOCACHE": str(built / "cache"), "CGO_ENABLED": "1", "CGO_CFLAGS": f"-I{ROOT}/include",
             "CGO_LDFLAGS": f"-L{libraries} -lprocsup -Wl,-rpath,{libraries}"}
    subprocess.run([found, "build", "-o", built / "checksums", source("go/checksums.go")], env={**os.environ, **flags}, check=True)
    return [built / "checksums"], {}


def java(arguments):
    jar = pathlib.Path("/usr/share/java/jna.jar")
    built = place("java")
    if not jar.exists():
        skip("JNA is not here (Debian: libjna-java)")
    subprocess.run([need("javac", "default-jdk-headless"), "-cp", jar, "-d", built, source("java/Checksums.java")], check=True)
    return [need("java", "default-jdk-headless"), "-cp", f"{jar}:{built}", "Checksums"], {}


def rust(arguments):
    built = place("rust")
    subprocess.run(["cargo", "build", "--quiet", "--locked", "--manifest-path", source("rust/Cargo.toml"), "--target-dir", built], check=True)
    return [built / "debug/checksums"], {}


LANGUAGES = {"c": program, "cpp": program, "python": python, "node_poll": node, "node_async": node, "node_worker": node, "ruby": ruby,
             "luajit": luajit, "php": php, "go": go, "java": java, "rust": rust}


def source(name):
    return str(ROOT / "examples/languages" / name)


# ---- what must be so ----


def children(pid):
    """Those that a process has, of whatever thread: their words by their pids."""
    found = {}
    try:
        for thread in pathlib.Path(f"/proc/{pid}/task").iterdir():
            for child in map(int, (thread / "children").read_text().split()):
                found[child] = pathlib.Path(f"/proc/{child}/cmdline").read_text().split("\0")[:-1]
    except OSError:  # one of them has ended meanwhile
        pass
    return found


def nobody_is_left():
    """Orphans would be ours: this process is a subreaper."""
    try:
        pid, status = os.waitpid(-1, os.WNOHANG)
    except ChildProcessError:
        return
    raise AssertionError(f"somebody is left: {pid or 'it runs'}, status {status}")


def end_all():
    """After a failure: whoever is below this process, also who is reparented to it meanwhile."""
    for _ in range(100):
        for child in children("self"):
            os.kill(child, signal.SIGKILL)  # ours until it is waited for
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            return
        time.sleep(0.01)


def line(folder, name, note=""):
    return f"{name} {hashlib.sha256((folder / name).read_bytes()).hexdigest()}{note}\n"


def work(command, environment, folder):
    names = [f"f{number:02}" for number in range(12)]
    for number, name in enumerate(names):
        (folder / name).write_text(f"{number} " * 1000)
    done = subprocess.run([*command, *names, "+late", "missing"], cwd=str(folder), env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, universal_newlines=True, timeout=PATIENCE)
    expected = "".join(line(folder, name) for name in names) + line(folder, "late", " at a later run")
    expected += "missing exit code 1: sha256sum: missing: No such file or directory\nown child: exit code 7\n"
    expected += "14 files, never more than 4 at once, 0 children left\n"
    expect(done.stdout == expected, "it said", done.stdout, "and not", expected, "and as errors", done.stderr)
    expect((done.returncode, done.stderr) == (0, ""), f"exit code {done.returncode}", done.stderr)
    nobody_is_left()


def interrupt(command, environment, folder):
    (folder / "first").write_text("first")
    names = [f"stuck{number}" for number in range(5)]
    for name in names:
        os.mkfifo(folder / name)
    said = folder / "said"
    said.touch()
    pid, terminal = pty.fork()
    if pid == 0:
        try:
            os.chdir(folder)
            out = os.open(said, os.O_WRONLY)
            os.dup2(out, 1)
            os.dup2(out, 2)
            os.execvpe(command[0], [*command, "first", *names], environment)
        finally:
            os._exit(127)
    # When the fourth runs the first has ended, so the program is in its loop, and minds Ctrl-C.
    end = time.monotonic() + PATIENCE
    while sorted(child[1] for child in children(pid).values() if child[:1] == ["sha256sum"]) != names[:4]:
        expect(time.monotonic() < end, "four do not run:", children(pid), said.read_text())
        expect(os.waitpid(pid, os.WNOHANG) == (0, 0), "it has ended:", said.read_text())
        time.sleep(0.005)
    os.write(terminal, b"\x03")
    while (ended := os.waitpid(pid, os.WNOHANG)) == (0, 0):
        expect(time.monotonic() < end, "Ctrl-C does not end it:", said.read_text())
        time.sleep(0.005)
    status = ended[1]
    expected = line(folder, "first") + "".join(f"{name} SIGTERM, PS_CAUSE_SHUTDOWN\n" for name in names[:4])
    expected += "stuck4 PS_EVENT_CANCELLED\ninterrupted\n6 files, never more than 4 at once, 0 children left\n"
    # Where another thread makes the processes, Ctrl-C may come before the fourth was written down as started: then that is cancelled, too.
    overtaken = expected.replace("stuck3 SIGTERM, PS_CAUSE_SHUTDOWN", "stuck3 PS_EVENT_CANCELLED")
    expect(said.read_text() in (expected, overtaken), "after Ctrl-C it said", said.read_text(), "and not", expected)
    expect(os.WIFEXITED(status) and os.WEXITSTATUS(status) == 130, f"its status was {status:#x}")
    nobody_is_left()
    os.close(terminal)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("language", choices=LANGUAGES)
    parser.add_argument("--program", type=os.path.abspath)
    parser.add_argument("--library", required=True, type=os.path.abspath)
    arguments = parser.parse_args()
    if ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        sys.exit("no subreaper")
    command, more = LANGUAGES[arguments.language](arguments)
    environment = {**os.environ, "PROCSUP_LIBRARY": arguments.library, "PROCSUP_FFI_HEADER": str(ROOT / "include/procsup.ffi.h"), **more}
    command = [str(word) for word in command]
    for part in (work, interrupt):
        with tempfile.TemporaryDirectory(prefix="procsup-checksums.") as folder:
            began = time.monotonic()
            try:
                part(command, environment, pathlib.Path(folder))
            except BaseException:
                end_all()
                raise
            print(f"{arguments.language}: {part.__name__} {time.monotonic() - began:.2f} s")


if __name__ == "__main__":
    main()
