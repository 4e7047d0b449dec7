"""A virtual machine of ./x kernels: one of Debian's kernels for clouds, and in memory all that the tests need. No disk, no network.

The kernel comes by an apt with folders of its own (the system's is not asked and not changed), signed as any package. scripts/kernels/init.c is
the first process and runs the tests; what it finds comes back by the console."""
import hashlib
import lzma
import os
import re
import shutil
import subprocess
import threading
import time
from pathlib import Path

from .place import ROOT
from .service_vm import pack
from .talk import Failed

MIRROR, KEYS = "http://deb.debian.org/debian", "/usr/share/keyrings/debian-archive-keyring.gpg"
SILENCE = 240  # seconds without a word, and it is taken for hung
# Built as modules, and nobody in there would load them: what tests ask of sockets.
MODULES = ("net/unix/unix_diag.ko", "net/ipv4/inet_diag.ko", "net/ipv4/tcp_diag.ko", "net/ipv6/ipv6.ko")
# That tests run beside the helpers. Who is not here is left out, and the tests of it are skipped in there as they are here.
PROGRAMS = ("sh bash cat sleep true false echo env id kill ls grep sed stty less tty head tail sort wc mkdir rm mv cp ln chmod chown touch stat readlink "
            "mount umount unshare nsenter setsid setpriv prlimit taskset script pwd date od tr cut uname nice nohup timeout seq printf test yes dd rmdir expr ps find xargs mktemp tee rev fold cksum md5sum systemd-notify systemd-socket-activate systemd-tmpfiles python3").split()
# Without its description less asks for a key before it shows anything.
TERMINALS = ("/lib/terminfo/v/vt100", "/usr/share/terminfo/v/vt100")
# Of Debian's, by its numbers.
USERS = {"root": (0, 0), "daemon": (1, 1), "bin": (2, 2), "games": (5, 60), "man": (6, 12), "nobody": (65534, 65534)}
GROUPS = {"root": 0, "daemon": 1, "bin": 2, "adm": 4, "tty": 5, "news": 9, "man": 12, "games": 60, "nogroup": 65534}
# The same for a machine of another kind, by package.
PACKAGES = ["dash", "bash", "coreutils", "grep", "sed", "util-linux", "mount", "less", "libgcc-s1", "libstdc++6", "ncurses-base"]


def mirror():
    """Where this system has its Debian from, if it is one."""
    sources = [Path("/etc/apt/sources.list"), *Path("/etc/apt/sources.list.d").glob("*")]
    text = "\n".join(path.read_text(errors="replace") for path in sources if path.is_file())
    found = re.search(r"^(?!\s*#).*?(https?://\S+/debian)/?(?=\s|$)", text, re.MULTILINE)
    return found.group(1) if found else MIRROR


def quietly(*words, cwd=None):
    """A command of which nobody wants to hear unless it fails."""
    done = subprocess.run([str(word) for word in words], cwd=str(cwd) if cwd else None, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode:
        raise Failed(f"{words[0]} ended with {done.returncode}", done.stdout.decode(errors="replace"))


class Kind:
    """A machine's architecture, by what qemu, Debian and compilers call it."""

    def __init__(self, name, machine, console, qemu, package):
        self.name, self.console, self.qemu, self.package = name, console, [qemu, *machine.split()], package


AMD64 = Kind("amd64", "-accel tcg,thread=multi -cpu max", "ttyS0", "qemu-system-x86_64", "qemu-system-x86")
ARM64 = Kind("arm64", "-M virt -accel tcg,thread=multi -cpu max,pauth-impdef=on", "ttyAMA0", "qemu-system-aarch64", "qemu-system-arm")


class Apt:
    """An apt that knows this suite and architecture alone, below `place`."""

    def __init__(self, place, suite, kind):
        self.place = place / f"apt-{suite}-{kind.name}"
        for folder in ("state/lists/partial", "cache/archives/partial", "etc/preferences.d", "etc/apt.conf.d"):
            (self.place / folder).mkdir(parents=True, exist_ok=True)
        (self.place / "status").touch()
        (self.place / "sources.list").write_text(f"deb [signed-by={KEYS}] {mirror()} {suite} main\n")
        settings = {"APT::Architecture": kind.name, "APT::Architectures": kind.name, "Dir::State": self.place / "state", "Dir::State::status": self.place / "status",
                    "Dir::Cache": self.place / "cache", "Dir::Etc::sourcelist": self.place / "sources.list", "Dir::Etc::sourceparts": "-",
                    "Dir::Etc::preferencesparts": "-", "Dir::Etc::preferences": "-", "APT::Sandbox::User": "root", "Acquire::Languages": "none",
                    "Acquire::Check-Valid-Until": "false", "Acquire::Retries": "2", "APT::Install-Recommends": "false"}
        self.options = [word for name, value in settings.items() for word in ("-o", f"{name}={value}")]

    def run(self, *words):
        quietly("apt-get", *self.options, *words, cwd=self.place)

    def ask(self, *words):
        asked = ["apt-cache", *map(str, self.options), *words]
        return subprocess.run(asked, env={**os.environ, "LC_ALL": "C"}, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout.decode()

    def newest_kernel(self, kind):
        """The packages behind the one without a number: image and modules are two from Linux 7 on."""
        found = re.search(r"Depends: (linux-image-\S+)", self.ask("depends", f"linux-image-cloud-{kind.name}"))
        if not found:
            raise Failed(f"no kernel for {kind.name} in {self.place.name}")
        name = found.group(1)
        parts = [name.replace("linux-image-", f"linux-{part}-") for part in ("binary", "modules")]
        known = self.ask("show", *parts)
        return [part for part in parts if f"Package: {part}\n" in known] or [name]


class Kernel:
    """A kernel that is here: its image, and the modules that are wanted of it."""

    def __init__(self, place, name, suite, kind, may_get):
        self.place, self.kind = place / name, kind
        self.image = self.place / "vmlinuz"
        if not self.image.exists():
            if not may_get:
                raise Failed(f"the kernel {name} is not here, and --no-install")
            self.get(place, suite)

    def get(self, place, suite):
        print(f"Getting the kernel for {self.kind.name} of Debian {suite}", flush=True)
        apt = Apt(place, suite, self.kind)
        apt.run("update")
        packages = apt.newest_kernel(self.kind)
        fetched = self.place / "deb"
        shutil.rmtree(self.place, ignore_errors=True)
        fetched.mkdir(parents=True)
        quietly("apt-get", *apt.options, "download", *packages, cwd=fetched)
        debs = list(fetched.glob("*.deb"))
        unpacked = self.place / "unpacked"
        for deb in debs:
            quietly("dpkg-deb", "-x", deb, unpacked)
        modules = self.place / "modules"
        modules.mkdir()
        for number, wanted in enumerate(MODULES):
            for path in [*unpacked.glob(f"lib/modules/*/kernel/{wanted}*"), *unpacked.glob(f"usr/lib/modules/*/kernel/{wanted}*")]:
                data = path.read_bytes()
                (modules / f"{number}-{Path(wanted).name}").write_bytes(lzma.decompress(data) if path.suffix == ".xz" else data)
        images = [*unpacked.glob("boot/vmlinuz*"), *unpacked.glob("usr/lib/modules/*/vmlinuz")]
        if not images:
            raise Failed(f"no kernel in {' '.join(packages)}")
        shutil.copy(images[0], self.place / "part")
        os.replace(self.place / "part", self.image)
        shutil.rmtree(unpacked)
        shutil.rmtree(fetched)


# ---- what is in the machine ----


def needed_by(path):
    """The shared libraries that a program of this machine loads, the loader among them."""
    listed = subprocess.run(["ldd", str(path)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout.decode()
    return set(re.findall(r"(/\S+) \(0x", listed))


def own_system(root):
    """This machine's own programs, with what they load."""
    libraries = set()
    for name in PROGRAMS:
        path = shutil.which(name, path="/usr/bin:/bin:/usr/sbin:/sbin")
        if path:
            copy(root, path)
            libraries |= needed_by(os.path.realpath(path))
    python = Path(f"/usr/lib/{Path(os.path.realpath('/usr/bin/python3')).name}")
    if python.exists():
        shutil.copytree(python, root / str(python)[1:], ignore=shutil.ignore_patterns("__pycache__", "test", "idlelib", "dist-packages", "config-*"), symlinks=True,
                        dirs_exist_ok=True)
        for extension in (python / "lib-dynload").glob("*.so"):
            libraries |= needed_by(extension)
    for path in [*libraries, *(path for path in TERMINALS if os.path.exists(path))]:
        copy(root, path)


def copy(root, path):
    """A file, behind whatever links lead to it: under its own name and under the one it was found by."""
    real, to = os.path.realpath(path), root / str(path)[1:]
    to.parent.mkdir(parents=True, exist_ok=True)
    if not to.exists():
        shutil.copy(real, to)
    elsewhere = root / real[1:]
    elsewhere.parent.mkdir(parents=True, exist_ok=True)
    if not elsewhere.exists():
        shutil.copy(real, elsewhere)


def other_system(root, place, suite, kind):
    """Debian's programs for another machine, unpacked and not set up."""
    apt = Apt(place, suite, kind)
    debs = apt.place / "cache/archives"
    if not all(any(debs.glob(f"{package}_*.deb")) for package in PACKAGES):
        print(f"Getting {' '.join(PACKAGES)} for {kind.name}", flush=True)
        apt.run("update")
        apt.run("--download-only", "-y", "install", *PACKAGES)
    for deb in debs.glob("*.deb"):
        quietly("bash", "-c", f"set -o pipefail; dpkg-deb --fsys-tarfile '{deb}' | tar -x --keep-directory-symlink -C '{root}'")
    for path in ("usr/share", "var/cache", "usr/lib/systemd"):
        shutil.rmtree(root / path, ignore_errors=True)
    if not (root / "bin/sh").exists():
        (root / "bin/sh").symlink_to("dash")


def contents():
    """A name for what make_root() puts into a machine, as this file says it."""
    return hashlib.sha256(Path(__file__).read_bytes()).hexdigest()[:8]


def make_root(root, fill):
    """The files of a small system."""
    shutil.rmtree(root, ignore_errors=True)
    for folder in "usr/bin usr/sbin usr/lib usr/lib64 usr/local/lib etc proc sys dev tmp run root var/tmp home".split():
        (root / folder).mkdir(parents=True)
    for folder in ("bin", "sbin", "lib", "lib64"):
        (root / folder).symlink_to(f"usr/{folder}")
    fill(root)
    for folder in ("tmp", "var/tmp"):
        (root / folder).chmod(0o1777)
    place = {"nobody": "/nonexistent:/usr/sbin/nologin"}
    lines = [f"{name}:x:{user}:{group}:{name}:{place.get(name, '/root:/bin/sh')}\n" for name, (user, group) in USERS.items()]
    (root / "etc/passwd").write_text("".join(lines))
    (root / "etc/group").write_text("".join(f"{name}:x:{number}:\n" for name, number in GROUPS.items()))
    (root / "etc/nsswitch.conf").write_text("passwd: files\ngroup: files\nhosts: files\n")
    (root / "etc/hosts").write_text("127.0.0.1 localhost\n::1 localhost\n")


# ---- a run ----


def boot(kernel, initrd, log, memory, cpus, jobs, hear):
    """Runs the machine until it ends; hear(line) gets each line that init.c writes, without its "@". Gives whether it came to its end."""
    append = f"console={kernel.kind.console} panic=-1 quiet loglevel=1 random.trust_cpu=on mitigations=off rdinit=/init jobs={jobs}"
    command = [*kernel.kind.qemu, "-m", str(memory), "-smp", str(cpus), "-display", "none", "-monitor", "none", "-nic", "none", "-no-reboot",
               "-kernel", str(kernel.image), "-initrd", str(initrd), "-append", append, "-serial", "stdio"]
    machine = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    heard, done = [time.monotonic()], False

    def watch():
        while machine.poll() is None:
            if time.monotonic() - heard[0] > SILENCE:
                machine.kill()
            time.sleep(1)

    threading.Thread(target=watch, daemon=True).start()
    try:
        with log.open("w", buffering=1) as file:
            for raw in machine.stdout:
                heard[0] = time.monotonic()
                line = raw.decode(errors="replace").rstrip("\r\n")
                file.write(line + "\n")
                at = line.find("@")
                if at >= 0 and line[at + 1:at + 2] in ("B", "F", "T", "|", "=", "D"):  # "@." says only that the machine is there
                    done = done or line[at + 1] == "D"
                    hear(line[at + 1:])
    finally:
        machine.kill()
        machine.wait()
    return done


def assemble(place, kernel, base, own, tests):
    """The system, what is tested, the kernel's modules and the list of tests, one after the other as a kernel unpacks them."""
    over = place / "over"
    shutil.rmtree(over, ignore_errors=True)
    (over / "modules").mkdir(parents=True)
    for module in sorted((kernel.place / "modules").glob("*.ko")):
        shutil.copy(module, over / "modules")
    (over / "tests").write_text(tests)
    shutil.copy(place / "init", over / "init")
    pack(over, place / "over.cpio.zst")
    initrd = place / f"initrd-{kernel.place.name}"
    with initrd.open("wb") as to:
        for part in (base, own, place / "over.cpio.zst"):
            with part.open("rb") as source:
                shutil.copyfileobj(source, to)
    return initrd


def compile_init(place, compiler):
    quietly(compiler, "-std=gnu11", "-O1", "-Wall", "-Wextra", "-static", "-o", place / "init", ROOT / "scripts/kernels/init.c")
