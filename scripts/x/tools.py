"""What must be here, and how it is got: CMake by pip into target/tools, all else by apt, as root. Only ./x demo, test and setup get anything, they
say first what, and what could not be had is not asked for again (without a network apt takes long to say so) until ./x setup asks."""
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from .place import ROOT, TARGET, TOOLS, shown
from .talk import Missing, announce, colour, run

PASSENGER = Path("/usr/share/passenger/helper-scripts/rack-preloader.rb")
LOOPS = {"libuv": "libuv1-dev", "libevent": "libevent-dev", "glib-2.0": "libglib2.0-dev"}  # for pkg-config, for apt
NO_CMAKE = "CMake >= 3.16 with make or ninja is not here"
TRIED, LOG = TARGET / "install-tried", TARGET / "install.log"
PATIENCE = ["-o", "Acquire::Retries=0", "-o", "Acquire::http::Timeout=20", "-o", "Acquire::https::Timeout=20", "-o", "DPkg::Lock::Timeout=60"]

# ---- what is here ----


def cmake_version(path):
    try:
        text = subprocess.run([str(path), "--version"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout.decode()
    except OSError:
        return (0, 0)
    found = re.search(r"version (\d+)\.(\d+)", text)
    return (int(found.group(1)), int(found.group(2))) if found else (0, 0)


def find_cmake():
    """cmake >= 3.16 and what it drives: (cmake, generator, its program), or None."""
    cmake = next((c for c in (shutil.which("cmake"), str(TOOLS / "bin/cmake")) if c and cmake_version(c) >= (3, 16)), None)
    make, ninja = shutil.which("make"), shutil.which("ninja") or shutil.which(str(TOOLS / "bin/ninja"))
    if not cmake or not (make or ninja):
        return None
    return (cmake, "Unix Makefiles", make) if make else (cmake, "Ninja", ninja)


def need_cmake():
    """For those who get nothing."""
    found = find_cmake()
    if not found:
        raise Missing(f"{NO_CMAKE}: ./x setup gets it, or install cmake and make")
    return found


def need(*programs):
    """Fails where one of these is not here, and says for all of them how to get it: cargo, cc, cmake."""
    lacks = [look() for name, look in (("cargo", no_cargo), ("cc", no_compiler)) if name in programs]
    if any(lacks):
        raise Missing("; ".join(lack for lack in lacks if lack))
    if "cmake" in programs:
        need_cmake()


def no_cargo():
    """What is wrong with the cargo of this machine, or None. rustup puts it where a shell that was there before does not look."""
    home = Path(os.environ.get("CARGO_HOME", Path.home() / ".cargo")) / "bin"
    if not shutil.which("cargo") and (home / "cargo").exists():
        os.environ["PATH"] += os.pathsep + str(home)
    if not shutil.which("cargo"):
        return "cargo is not here: get Rust from https://rustup.rs"
    # In the repository: where its toolchain is not here yet, rustup gets it now, and says so.
    asked = subprocess.run(["cargo", "--version"], cwd=str(ROOT), stdout=subprocess.PIPE).stdout.decode()
    wanted = re.search(r'^rust-version = "(\d+)\.(\d+)"', (ROOT / "Cargo.toml").read_text(), re.MULTILINE).groups()
    found = re.search(r"cargo (\d+)\.(\d+)", asked)
    if not found:
        return f"cargo does not work: see what {shutil.which('cargo')} --version says in this directory"
    if tuple(map(int, found.groups())) < tuple(map(int, wanted)):
        return f"cargo is too old ({'.'.join(found.groups())}, and {'.'.join(wanted)} is needed): get Rust from https://rustup.rs"
    return None


def no_compiler():
    """The same of the C compiler, which Rust calls cc, too."""
    how = "install gcc and the headers of the C library (Debian: apt install gcc libc6-dev)"
    if not shutil.which("cc"):
        return f"a C compiler (cc) is not here: {how}"
    program = b"#include <stdio.h>\nint main(void) { return puts(\"\") < 0; }\n"
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    works = subprocess.run(["cc", "-x", "c", "-", "-o", os.devnull], input=program, **quiet).returncode == 0
    return None if works else f"cc cannot build a program: {how}"


def has_package(name):
    return bool(shutil.which("pkg-config")) and subprocess.call(["pkg-config", "--exists", name], stderr=subprocess.DEVNULL) == 0


def missing_loops(*names):
    """The packages, as apt calls them, of those event loops that are not here; without names of all that the examples have."""
    missing = [] if shutil.which("pkg-config") else ["pkg-config"]
    missing += [LOOPS[name] for name in names or LOOPS if not has_package(name)]
    if not names and shutil.which("c++"):
        ask = b"#if !__has_include(<asio.hpp>)\n#error\n#endif\n"
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        if subprocess.run(["c++", "-x", "c++", "-E", "-"], input=ask, **quiet).returncode != 0:
            missing.append("libasio-dev")
    return missing


def missing_systemd():
    """Its package, where one of its programs that tests use is not here (libsystemd comes with it). None of it has to run."""
    return [] if all(shutil.which(name) for name in ("systemd-notify", "systemd-socket-activate")) else ["systemd"]


def missing_peers():
    """The packages of those programs that c-tests/interop drives and that are not here: Passenger's loaders and preloader, and what they run in. Any
    node does. The python3 is the distribution's, by its path: another one may be too new for Passenger's loader, or not be for other users to run."""
    missing = [] if PASSENGER.exists() else ["passenger"]
    missing += [name for name, path in (("ruby", "/usr/bin/ruby"), ("python3", "/usr/bin/python3")) if not Path(path).exists()]
    if not shutil.which("node"):
        missing.append("nodejs")
    if "ruby" in missing or subprocess.call(["/usr/bin/ruby", "-e", "require 'rack'"], stderr=subprocess.DEVNULL) != 0:
        missing.append("ruby-rack")
    return missing


def missing_builders():
    """Those who build against what is installed, and look whether its interface is still the same."""
    programs = {"meson": "meson", "ninja": "ninja-build", "abidw": "abigail-tools"}
    return [package for program, package in programs.items() if not shutil.which(program)]


def missing_languages():
    """Those that read the flat header (c-tests/languages), and those of examples/languages that cost little."""
    missing = [package for program, package in {"luajit": "luajit", "php": "php-cli"}.items() if not shutil.which(program)]
    if "luajit" in missing or subprocess.call(["luajit", "-e", "require 'luv'"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) != 0:
        missing.append("lua-luv")
    if subprocess.call(["/usr/bin/python3", "-c", "import cffi"], stderr=subprocess.DEVNULL) != 0:
        missing.append("python3-cffi")
    return missing


def missing_for_tests():
    return missing_loops() + missing_systemd() + missing_peers() + missing_builders() + missing_languages()


# ---- getting it ----


def was_tried(what):
    return TRIED.exists() and what in TRIED.read_text().splitlines()


def note_tried(what):
    TARGET.mkdir(parents=True, exist_ok=True)
    with TRIED.open("a") as file:
        file.write(what + "\n")


def pip_cmake():
    pip = ("-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--retries", "1", "--timeout", "20", "cmake", "ninja")
    return run(sys.executable, "-m", "venv", TOOLS, check=False, log=LOG) and run(TOOLS / "bin/python", *pip, check=False, log=LOG)


def apt_install(packages):
    """Whether apt had them all. Its words go into a file: a reader wants one line."""
    apt = ("apt-get", *PATIENCE, "install", "-y", "--no-install-recommends", *packages)
    quiet = {"DEBIAN_FRONTEND": "noninteractive"}
    if run(*apt, env=quiet, check=False, log=LOG):
        return True
    if not run("apt-get", *PATIENCE, "update", check=False, log=LOG):
        return False
    if run(*apt, env=quiet, check=False, log=LOG):
        return True
    # One that this distribution does not have must not keep the others away.
    known = [name for name in packages if run("apt-get", "install", "--simulate", "--no-install-recommends", name, check=False, log=LOG)]
    if known and known != packages:
        run(*apt[:-len(packages)], *known, env=quiet, check=False, log=LOG)
    return False


class Wanted:
    """What a command needs beside cargo and a C compiler: CMake, and those packages that `packages()` finds missing; `loss` says what is left out
    without them. To make one says what will be got, and fails where it is clear already that it cannot go on; fetch() gets it."""

    def __init__(self, packages, loss, install, again=False):
        need("cargo", "cc")
        self.packages, self.loss, self.install = packages, loss, install
        if again and install and TRIED.exists():
            TRIED.unlink()
        self.missing, self.cmake = packages(), find_cmake()
        self.apt = os.geteuid() == 0 and bool(shutil.which("apt-get"))
        if not self.cmake:
            if not install:
                raise Missing(f"{NO_CMAKE}, and --no-install: install cmake and make, or leave that option out")
            if was_tried("cmake"):
                raise Missing(f"{NO_CMAKE} and could not be had before: install cmake and make, or ask again with ./x setup")
        plans = []
        if not self.cmake:
            plans.append("by pip into " + shown(TOOLS) + ": cmake ninja" + (" (by apt, if pip cannot: cmake make)" if self.apt else ""))
        if self.will_ask_apt():
            plans.append("by apt: " + " ".join(self.missing))
        announce()
        if plans:
            print(colour("1;34", "==> Getting what is not here, ") + "; ".join(plans) + "   (--no-install: nothing of it)", flush=True)

    def wish(self):
        return "apt " + " ".join(self.missing)

    def will_ask_apt(self):
        return bool(self.install and self.missing and self.apt and not was_tried(self.wish()))

    def fetch(self):
        """Gives what is to be said of it, a line each."""
        if not self.cmake:
            get_cmake(self.apt)
        if not self.missing:
            return []
        if not self.install:
            why = "not here, and --no-install"
        elif not self.apt:
            why = "not here, and only root can ask apt" if shutil.which("apt-get") else "not here, and there is no apt-get to ask"
        elif not self.will_ask_apt():
            why = "could not be had before (./x setup asks again)"
        else:
            wish = self.wish()
            apt_install(self.missing)
            self.missing = self.packages()
            why = f"apt could not get them: {shown(LOG)} (./x setup asks again)"
            if self.missing:
                note_tried(wish)
        return [colour("33", f"without {' '.join(self.missing)}: {self.loss}") + f"; {why}"] if self.missing else []


def get(packages, loss, install, again=False):
    """The same at once."""
    for line in Wanted(packages, loss, install, again).fetch():
        print(line, flush=True)


def get_cmake(apt):
    if not (pip_cmake() and find_cmake()) and not (apt and apt_install(["cmake", "make"]) and find_cmake()):
        note_tried("cmake")
        raise Missing(f"{NO_CMAKE} and could not be had ({shown(LOG)}): install cmake and make, or python3-venv; ./x setup asks again")


def taken_out(arguments, *options):
    """The arguments without these options, and for each option whether it was there."""
    return [a for a in arguments if a not in options], [option in arguments for option in options]
