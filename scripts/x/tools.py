"""What must be here, and how it is got: CMake by pip into target/tools, all else by apt, as root. Only ./x demo, test and setup get anything, they
say first what, and what could not be had is not asked for again (without a network apt takes long to say so) until ./x setup asks."""
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from .place import TARGET, TOOLS, shown
from .talk import Failed, colour, run

PASSENGER = Path("/usr/share/passenger/helper-scripts/rack-preloader.rb")
LOOPS = {"libuv": "libuv1-dev", "libevent": "libevent-dev", "glib-2.0": "libglib2.0-dev"}  # for pkg-config, for apt
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
        raise Failed("CMake >= 3.16 with make or ninja is not here: ./x setup gets it, or install cmake and make")
    return found


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
    """Those that read the flat header (c-tests/languages)."""
    missing = [package for program, package in {"luajit": "luajit", "php": "php-cli"}.items() if not shutil.which(program)]
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


def get(packages, loss, install, again=False):
    """Gets CMake and those packages that `packages()` finds missing; `loss` says what is left out without them. Fails where it cannot go on."""
    if not shutil.which("cargo"):
        raise Failed("cargo is not here: https://rustup.rs")
    if not (shutil.which("cc") or shutil.which("gcc")):
        raise Failed("a C compiler is not here: install gcc and the headers of the C library (Debian: gcc libc6-dev)")
    if again and install and TRIED.exists():
        TRIED.unlink()
    missing, cmake = packages(), find_cmake()
    apt = os.geteuid() == 0 and bool(shutil.which("apt-get"))
    wish = "apt " + " ".join(missing)
    plans = []
    if install and not cmake and not was_tried("cmake"):
        plans.append("by pip into " + shown(TOOLS) + ": cmake ninja" + (" (by apt, if pip cannot: cmake make)" if apt else ""))
    if install and missing and apt and not was_tried(wish):
        plans.append("by apt: " + " ".join(missing))
    if plans:
        print(colour("1;34", "==> Getting what is not here, ") + "; ".join(plans) + "   (--no-install: nothing of it)", flush=True)
    if not cmake:
        get_cmake(install, apt)
    if not missing:
        return
    why = "not here"
    if not install:
        why = "not here, and --no-install"
    elif not apt:
        why = "not here, and only root can ask apt" if shutil.which("apt-get") else "not here, and there is no apt-get to ask"
    elif was_tried(wish):
        why = "could not be had before (./x setup asks again)"
    else:
        apt_install(missing)
        missing = packages()
        why = f"apt could not get them: {shown(LOG)} (./x setup asks again)"
        if missing:
            note_tried(wish)
    if missing:
        print(colour("33", f"without {' '.join(missing)}: {loss}") + f"; {why}", flush=True)


def get_cmake(install, apt):
    lack = "CMake >= 3.16 with make or ninja is not here"
    if not install:
        raise Failed(f"{lack}, and --no-install: install cmake and make, or leave that option out")
    if was_tried("cmake"):
        raise Failed(f"{lack} and could not be had before: install cmake and make, or ask again with ./x setup")
    if not (pip_cmake() and find_cmake()) and not (apt and apt_install(["cmake", "make"]) and find_cmake()):
        note_tried("cmake")
        raise Failed(f"{lack} and could not be had ({shown(LOG)}): install cmake and make, or python3-venv; ./x setup asks again")


def taken_out(arguments, *options):
    """The arguments without these options, and for each option whether it was there."""
    return [a for a in arguments if a not in options], [option in arguments for option in options]
