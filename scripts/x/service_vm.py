"""The virtual machine of ./x service: Debian's systemd as the first process, the whole tree in memory, results over a serial line.

The tree is made once (debootstrap) and packed; what a run adds (our programs, the unit files, the cases) is a second archive behind it, which the
kernel unpacks over the first. Nothing of the machine touches a disk or a network."""
import os
import shutil
import subprocess
import threading
import time

from .place import ROOT, shown
from .talk import Failed, colour, run

SUITE, MIRROR = "trixie", "http://deb.debian.org/debian"
# What nobody reads in there: half of the size.
LEFT_OUT = ["var/cache/apt", "var/lib/apt/lists", "var/lib/dpkg/info", "usr/share/doc", "usr/share/man", "usr/share/locale", "usr/share/zoneinfo",
            "usr/share/info", "usr/lib/x86_64-linux-gnu/perl-base", "usr/share/perl5", "boot", "tmp"]
SILENCE = 300  # seconds without a word, and it is taken for hung


def libraries(program):
    """Those that a program needs and a Debian does not have of itself: name in its directory, path here."""
    listed = subprocess.run(["ldd", program], stdout=subprocess.PIPE, check=True).stdout.decode()
    pairs = [line.split() for line in listed.splitlines() if "=>" in line]
    missing = [words[0] for words in pairs if words[2] == "not"]
    if missing:
        raise Failed(f"{program} does not find {' '.join(missing)}")
    return {words[0]: words[2] for words in pairs if not words[0].startswith(("libc.", "libm.", "libpthread.", "libdl.", "librt.", "ld-"))}


def pack(folder, archive):
    """A folder as the kernel wants it. Under its name when it is whole."""
    command = f"set -o pipefail; cd '{folder}' && find . -print0 | cpio --null --quiet -o -H newc -R 0:0 | zstd -q -T0 -3 -f -o '{archive}.part'"
    run("bash", "-c", command, quiet=True)
    os.replace(f"{archive}.part", archive)


class Machine:
    name, title = "vm", "A virtual machine with Debian's systemd"

    def __init__(self, place, programs, may_download, kvm):
        self.place, self.programs, self.kvm = place, programs, kvm
        self.kernel, self.base = place / "vmlinuz", place / "base.cpio.zst"
        if not (self.kernel.exists() and self.base.exists()):
            if not may_download:
                raise Failed(f"{shown(self.base)} is not there, and --no-install")
            self.make()
        self.initrd = place / "initrd"
        self.add()

    def make(self):
        root = self.place / "root"
        if not (root / "usr/lib/systemd/systemd").exists():
            print(f"A Debian {SUITE}: one to three minutes", flush=True)
            shutil.rmtree(root, ignore_errors=True)
            run("debootstrap", "--variant=minbase", "--include=systemd,systemd-sysv,procps", SUITE, root, MIRROR, log=self.place / "debootstrap.log")
        if not self.kernel.exists():
            print("Its kernel for clouds", flush=True)
            shutil.copy("/etc/resolv.conf", root / "etc/resolv.conf")
            apt = "apt-get -o APT::Sandbox::User=root"
            script = (f"cd /tmp && rm -f linux-image*.deb && {apt} update && {apt} download "
                      "$(apt-cache depends linux-image-cloud-amd64 | sed -n 's/.*Depends: \\(linux-image-[0-9].*\\)/\\1/p')")
            run("chroot", root, "sh", "-c", script, log=self.place / "debootstrap.log")
            (package,) = (root / "tmp").glob("linux-image*.deb")
            unpacked = self.place / "kernel"
            run("dpkg-deb", "-x", package, unpacked)
            package.unlink()
            (image,) = (unpacked / "boot").glob("vmlinuz*")
            shutil.copy(image, self.kernel)
            shutil.rmtree(unpacked)
        print("Packing it", flush=True)
        for path in LEFT_OUT:
            shutil.rmtree(root / path, ignore_errors=True)
        for path in ("tmp", "var/lib/dpkg/info"):
            (root / path).mkdir(parents=True)
        (root / "tmp").chmod(0o1777)
        pack(root, self.base)
        shutil.rmtree(root)

    def add(self):
        """What this run has in the machine."""
        over = self.place / "over"
        shutil.rmtree(over, ignore_errors=True)
        libs, units = over / "usr/local/lib/x86_64-linux-gnu", over / "etc/systemd/system"
        for folder in (over / "cases", over / "usr/bin", libs, units / "multi-user.target.wants", over / "etc/systemd/journald.conf.d"):
            folder.mkdir(parents=True)
        for name in ("kv", "container", "supervise"):
            shutil.copy(self.programs[name], over / "usr/bin" / name)
            for library, path in libraries(self.programs[name]).items():
                shutil.copy(path, libs / library)
        shutil.copy(self.programs["client"], over / "cases/client")
        shutil.copy(ROOT / "scripts/service/cases.sh", over / "cases/run")
        for unit in [*(ROOT / "examples/service").iterdir(), *(ROOT / "scripts/service/units").glob("*.service")]:
            shutil.copy(unit, units / unit.name)
        for unit in ("kv", "kv-reload", "kv-supervised"):
            (units / f"{unit}.service.d").mkdir()
            shutil.copy(ROOT / "scripts/service/units/faster.conf", units / f"{unit}.service.d/faster.conf")
        (units / "multi-user.target.wants/cases.service").symlink_to("../cases.service")
        (units / "default.target").symlink_to("/usr/lib/systemd/system/multi-user.target")
        for idle in ("getty@tty1", "serial-getty@ttyS0", "systemd-timesyncd", "apt-daily.timer", "ldconfig"):
            name = idle if "." in idle else idle + ".service"
            (units / name).symlink_to("/dev/null")
        # The programs find libprocsup by the loader's cache in there, not where it was built.
        (over / "etc/ld.so.conf.d").mkdir(parents=True)
        (over / "etc/systemd/system.conf.d").mkdir()
        (over / "etc/systemd/system.conf.d/cases.conf").write_text("[Manager]\nDefaultEnvironment=LD_LIBRARY_PATH=/usr/local/lib/x86_64-linux-gnu\n")
        (over / "init").symlink_to("/lib/systemd/systemd")
        (over / "etc/machine-id").write_text("0123456789abcdef0123456789abcdef\n")
        (over / "etc/hostname").write_text("cases\n")
        pack(over, self.place / "over.cpio.zst")
        with self.initrd.open("wb") as to:
            for part in (self.base, self.place / "over.cpio.zst"):
                with part.open("rb") as source:
                    shutil.copyfileobj(source, to)

    def command(self, words, *serial):
        # Emulated, if nobody asks for more: in a machine that is virtual itself /dev/kvm may be there and break down at the first page.
        how = ["-accel", "kvm", "-cpu", "host"] if self.kvm else ["-accel", "tcg,thread=multi", "-cpu", "max"]
        append = "console=ttyS0 panic=-1 quiet systemd.show_status=0 systemd.log_target=journal random.trust_cpu=on mitigations=off " + words
        return ["qemu-system-x86_64", *how, "-m", "1536", "-smp", "2", "-display", "none", "-monitor", "none", "-nic", "none", "-no-reboot",
                "-kernel", str(self.kernel), "-initrd", str(self.initrd), "-append", append, *serial]

    def shell(self):
        subprocess.call(self.command("systemd.mask=cases.service rdinit=/bin/bash", "-serial", "mon:stdio"))

    def run(self, cases):
        """Its results, one a case."""
        boot = self.place / "boot.log"
        words = f"cases={','.join(cases)}" if cases else ""
        began = time.monotonic()
        command = self.command(words, "-serial", f"file:{boot}", "-serial", "stdio")
        machine = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        heard, results, said, done = [time.monotonic()], [], [], False

        def watch():
            while machine.poll() is None:
                if time.monotonic() - heard[0] > SILENCE:
                    machine.kill()
                time.sleep(1)

        threading.Thread(target=watch, daemon=True).start()
        for raw in machine.stdout:
            heard[0] = time.monotonic()
            line = raw.decode(errors="replace").strip()
            if line.startswith("BOOTED "):
                print(f"  {line[7:]}; {time.monotonic() - began:.0f} s since it was switched on", flush=True)
            elif line.startswith("CASE "):
                _, name, verdict, ms = line.split()
                passed = verdict == "ok"
                words = "; ".join(text[2:] for text in said if text.startswith("| requests="))
                print(f"  {colour('32', 'ok    ') if passed else colour('31', 'FAILED')} {name}  {int(ms) / 1000:.1f} s  {words}", flush=True)
                if not passed:
                    print("\n".join("    " + text for text in said), flush=True)
                results.append(("systemd", name, passed, int(ms), words))
                said = []
            elif line == "DONE":
                done = True
            elif line:
                said.append(line)
        machine.wait()
        if not done:
            tail = "\n".join(said[-20:]) + "\n" + "\n".join(boot.read_text(errors="replace").splitlines()[-20:]) if boot.exists() else ""
            raise Failed(f"the machine ended before its cases: {machine.stderr.read().decode()[-500:]}\n{tail}")
        return results
