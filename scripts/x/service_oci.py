"""The container of ./x service: the image folder is made here (three programs and their libraries), the configuration is examples/container/config.json,
the runtime is runc. The container's network is its own; the clients run inside of it (runc exec)."""
import json
import os
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path

from .place import ROOT
from .talk import colour

PATIENCE = 60
ID = f"procsup-{os.getpid()}"


class Wrong(Exception):
    pass


def wait(what, seconds=PATIENCE):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = what()
        if found:
            return found
        time.sleep(0.05)
    raise Wrong(f"not in time: {what.__doc__ or what.__name__}")


def every_library(program):
    """All of them, the loader too: there is nothing else in the image."""
    listed = subprocess.run(["ldd", program], stdout=subprocess.PIPE, check=True).stdout.decode()
    return {match.group(1) for match in re.finditer(r"(/\S+) \(0x", listed)}


class Container:
    name, title = "oci", "A container of runc"

    def __init__(self, place, programs, _may_download, _kvm):
        self.programs, self.bundle, self.state = programs, place / "bundle", place / "runc"
        self.root = self.bundle / "rootfs"
        self.make()

    def make(self):
        shutil.rmtree(self.bundle, ignore_errors=True)
        for folder in ("usr/bin", "proc", "dev", "tmp", "var/lib/kv", "stop"):
            (self.root / folder).mkdir(parents=True)
        for name, program in self.programs.items():
            shutil.copy(program, self.root / "usr/bin" / name)
            for path in every_library(program):
                # Where the loader looks, whatever the place here.
                inside = Path("lib64" if Path(path).name.startswith("ld-") else "lib/x86_64-linux-gnu") / Path(path).name
                (self.root / inside).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(path, self.root / inside)
        shutil.copy(ROOT / "examples/container/config.json", self.bundle / "config.json")

    def shell(self):
        print(f"runc --root {self.state} run --bundle {self.bundle} {ID}")

    # ---- one container ----

    def runc(self, *words, **options):
        return subprocess.run(["runc", "--root", str(self.state), *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=PATIENCE, **options)

    def begin(self, arguments=None, watchdog=None):
        config = json.loads((ROOT / "examples/container/config.json").read_text())
        if arguments:
            config["process"]["args"] = arguments
        if watchdog:
            config["process"]["args"][2] = str(watchdog)
        # The library that was built lies where its programs look for it there.
        config["process"]["env"].append("LD_LIBRARY_PATH=/lib/x86_64-linux-gnu")
        (self.bundle / "config.json").write_text(json.dumps(config))
        self.output = (self.bundle / "output").open("w+")
        command = ["runc", "--root", str(self.state), "run", "--bundle", str(self.bundle), ID]
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=self.output, stderr=self.output)
        wait(self.stat)

    def client(self, *words):
        return ["runc", "--root", str(self.state), "exec", "--env", "LD_LIBRARY_PATH=/lib/x86_64-linux-gnu", ID, "/usr/bin/client", "8080", *words]

    def stat(self):
        """an answer of the server"""
        if self.process.poll() is not None:
            raise Wrong(f"the container has ended with {self.process.returncode}")
        asked = subprocess.run(self.client("ask", "GET", "/_stat"), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        return json.loads(asked.stdout) if asked.returncode == 0 else None

    def processes(self):
        """pid inside: pid here"""
        listed = json.loads(self.runc("ps", "--format", "json", ID).stdout or b"[]")
        found = {}
        for pid in listed or []:
            try:
                status = Path(f"/proc/{pid}/status").read_text()
            except OSError:
                continue
            numbers = re.search(r"NSpid:\s+(.*)", status).group(1).split()
            name = re.search(r"Name:\s+(.*)", status).group(1)
            if name in ("kv", "container"):
                found[int(numbers[-1])] = pid
        return found

    def owner(self):
        return wait(self.stat)["pid"]

    def kill_inside(self, pid, number):
        os.kill(self.processes()[pid], number)

    def signal(self, number):
        answered = self.runc("kill", ID, number)
        if answered.returncode != 0:
            raise Wrong(answered.stderr.decode())

    def load(self):
        (self.root / "stop/now").unlink(missing_ok=True)
        self.loader = subprocess.Popen(self.client("load", "/stop/now"), stdout=subprocess.PIPE)
        time.sleep(0.5)

    def unload(self, **wanted):
        """Its figures; those that are wanted must be so."""
        time.sleep(0.3)
        (self.root / "stop/now").touch()
        words = self.loader.communicate(timeout=PATIENCE)[0].decode().strip()
        figures = dict(word.split("=") for word in words.split())
        for name, value in wanted.items():
            if figures.get(name) != str(value):
                raise Wrong(f"{words}: {name} is not {value}")
        if int(figures.get("requests", 0)) < 20:
            raise Wrong(f"hardly a request: {words}")
        self.words = words

    def generation(self, number):
        def there():
            found = self.stat()
            return found and found["generation"] == number and found
        there.__doc__ = f"generation {number}"
        return wait(there)

    def alone(self):
        """one generation, below the first process"""
        return len(self.processes()) == 2

    def ended(self, code):
        try:
            found = self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            raise Wrong("the container does not end") from None
        if found != code:
            raise Wrong(f"the container ended with {found}, not {code}")

    # ---- cases ----

    def case_start(self):
        self.begin()
        if sorted(self.processes())[0] != 1 or self.owner() == 1:
            raise Wrong("the server is the first process")

    def case_upgrade(self):
        """from inside: POST /_upgrade"""
        self.begin()
        self.load()
        subprocess.run(self.client("ask", "POST", "/_upgrade"), stdout=subprocess.DEVNULL, check=True)
        self.generation(2)
        wait(self.alone)
        self.unload(failed=0, refused=0, lost=0)

    def case_reload(self):
        """a signal to the container, five times: the first process passes it on to whoever owns"""
        self.begin()
        self.load()
        for number in range(2, 7):
            self.signal("USR2")
            self.generation(number)
            wait(self.alone)
        self.unload(failed=0, refused=0, lost=0)

    def case_rollback_successor_does_not_start(self):
        self.begin()
        self.load()
        before = self.owner()
        good = self.root / "usr/bin/kv"
        good.rename(good.with_name("kv.good"))
        try:
            shutil.copy(self.programs["client"], good)  # any program that ends at once with these arguments
            self.signal("USR2")
            time.sleep(1.5)
        finally:
            good.with_name("kv.good").rename(good)
        self.unload(failed=0, refused=0, lost=0)
        if self.owner() != before or not self.alone():
            raise Wrong("another process serves")

    def case_rollback_in_probation(self):
        """the new generation is killed while it serves: the old one takes back"""
        self.begin()
        self.load()
        before = self.owner()
        self.signal("USR2")
        self.kill_inside(self.generation(2)["pid"], signal.SIGKILL)
        if self.generation(3)["pid"] != before:
            raise Wrong("another process serves")
        self.unload(refused=0, lost=0)

    def case_crash_of_the_standby(self):
        """the main process dies while it stands by: the container goes on with the one that serves"""
        self.begin()
        self.load()
        before = self.owner()
        self.signal("USR2")
        self.generation(2)
        self.kill_inside(before, signal.SIGKILL)
        time.sleep(4)  # longer than its first process waits for word
        self.generation(2)
        self.unload(failed=0, refused=0, lost=0)

    def case_crash(self):
        """the container ends as its server does, and whoever has started it starts it again"""
        self.begin()
        self.kill_inside(self.owner(), signal.SIGKILL)
        self.ended(128 + signal.SIGKILL)
        self.begin()

    def case_crash_of_a_later_generation(self):
        self.begin()
        self.signal("USR2")
        self.generation(2)
        wait(self.alone)
        self.kill_inside(self.owner(), signal.SIGKILL)
        self.ended(128 + signal.SIGKILL)

    def case_stop(self):
        self.begin()
        self.signal("TERM")
        self.ended(0)

    def case_stop_of_a_later_generation(self):
        self.begin()
        self.signal("USR2")
        self.generation(2)
        wait(self.alone)
        self.signal("TERM")
        self.ended(0)

    def case_stop_in_probation(self):
        """two generations, both get SIGTERM, both end in good order"""
        self.begin()
        self.signal("USR2")
        self.generation(2)
        self.signal("TERM")
        self.ended(0)

    def case_watchdog(self):
        self.begin(watchdog=3000)
        self.signal("USR2")
        self.generation(2)
        wait(self.alone)
        time.sleep(4)  # it is heard
        self.kill_inside(self.owner(), signal.SIGSTOP)
        self.ended(128 + signal.SIGKILL)  # of SIGABRT a stopped process does not die

    def case_no_zombies(self):
        """who is put into the container from outside, and loses its parent, is reaped"""
        self.begin()
        for _ in range(3):
            self.load()
            self.unload(failed=0)
        states = [re.search(r"State:\s+(\S)", Path(f"/proc/{pid}/status").read_text()).group(1) for pid in self.processes().values()]
        if "Z" in states:
            raise Wrong(f"{states}")

    def case_server_as_first_process_is_refused(self):
        """known to go wrong: the kernel kills the successor with the first process. The upgrade is refused"""
        self.begin(["/usr/bin/kv", "--port", "8080", "--data", "/var/lib/kv"])
        self.signal("USR2")
        time.sleep(1)
        self.generation(1)
        said = (self.bundle / "output").read_text()
        if "no upgrade: " not in said or "pid namespace" not in said:
            raise Wrong("the server does not say why")

    def case_server_as_first_process_known_wrong(self):
        self.begin(["/usr/bin/kv", "--port", "8080", "--data", "/var/lib/kv", "--any-service"])
        self.signal("USR2")
        self.ended(0)

    # ---- one after the other ----

    def run(self, wanted):
        results = []
        names = [name[5:] for name in type(self).__dict__ if name.startswith("case_")]
        for name in [name for name in names if not wanted or name in wanted]:
            began, self.words, self.process, self.loader, error = time.monotonic(), "", None, None, None
            try:
                getattr(self, "case_" + name)()
            except (Wrong, OSError, KeyError, ValueError, subprocess.SubprocessError) as failed:
                error = failed
            ms = int((time.monotonic() - began) * 1000)
            self.end()
            print(f"  {colour('31', 'FAILED') if error else colour('32', 'ok    ')} {name}  {ms / 1000:.1f} s  {self.words}", flush=True)
            if error:
                print(f"    {type(error).__name__}: {error}")
                said = self.bundle / "output"
                print("\n".join("    " + line for line in (said.read_text().splitlines()[-20:] if said.exists() else [])), flush=True)
            results.append(("runc", name, error is None, ms, self.words))
        return results

    def end(self):
        """Nothing of it is left."""
        self.runc("delete", "--force", ID)
        for process in (self.loader, self.process):
            if process:
                process.kill()
                process.wait()
        good = self.root / "usr/bin/kv.good"
        if good.exists():
            good.rename(self.root / "usr/bin/kv")
