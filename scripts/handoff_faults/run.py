"""One run: the processes, the fault, and what is waited for."""
import mmap
import os
import shutil
import signal
import struct
import tempfile
import time

from .check import check
from .layout import (
    ACKS, COMMAND, COUNT, ENTRIES, ENTRY, EVENTS, HEADER, HELD, HOLD, HUNG, LAST_NS, LAST_PID, LIVE, LIVE_MS, MODE, MODES, NOBODY, OFFER_MS,
    OVERLAP, OWNER, PROBATION, PROBATION_MS, QUIT, SEAL_LIMIT, SEAL_MS, SHORT_WHOLE_MS, SLACK_MS, STOP, SUCCESSOR, SWEEP, TOLD, UPGRADE, WAIT, WHOLE,
    WHOLE_MS, Event, now_ns)
from .lock import LockProbe
from .table import ALONE, BACK, COLD, HANGS, STAYS, SUCCESSOR_OWNS, UNSEALED


class Failure(Exception):
    pass


def alive(pid):
    """The first thread may be a zombie while another one still ends: then children have not come to us, and the pidfd says no."""
    try:
        with open(f"/proc/{pid}/stat") as stat:
            fields = stat.read().rsplit(")", 1)[1].split()
            return fields[0] not in "ZX" or int(fields[17]) > 1
    except (FileNotFoundError, ProcessLookupError):
        return False


class Run:
    """A server, clients, one handoff with a fault, one without. `expected`: how many descriptors each role may hold; {}: to be found out."""

    def __init__(self, bin_dir, setup, fault, base, expected, faults):
        self.faults = faults
        self.expected, self.reference = expected, not expected
        self.bin, self.setup, self.fault = bin_dir, setup, fault
        self.mode, self.way = setup
        self.dir = tempfile.mkdtemp(prefix="handoff-", dir=base)
        self.whole = SHORT_WHOLE_MS if fault.kind == "stop" else WHOLE_MS
        path = os.path.join(self.dir, "trace")
        with open(path, "wb") as file:
            file.truncate(HEADER + ENTRIES * ENTRY.size)
        with open(path, "r+b") as file:
            self.map = mmap.mmap(file.fileno(), 0)
        self.events, self.exits = [], {}
        self.tool = self.client = None
        self.struck = None     # (pid, ns) of the process that was killed or stopped
        self.let_go = False
        self.report = os.path.join(self.dir, "report")
        self.lock = LockProbe(os.path.join(self.dir, "control.lock"))
        self.notes = {}
        self.seal = SEAL_MS if self.mode == OVERLAP else 0
        # How long what follows the commit may take.
        self.tail = 2 * LIVE_MS + PROBATION_MS + self.seal
        words = {SWEEP: os.getpid(), MODE: MODES.index(self.mode), LIVE: LIVE_MS, PROBATION: PROBATION_MS, WHOLE: self.whole, SEAL_LIMIT: self.seal}
        for place, value in words.items():
            self.put(place, value)

    # -- the shared words --

    def put(self, place, value):
        self.map[place:place + 4] = struct.pack("=I", value)

    def get(self, place):
        return struct.unpack_from("=I", self.map, place)[0]

    def look(self):
        """Reads the ring, and reaps."""
        head = min(struct.unpack_from("=Q", self.map, 0)[0], ENTRIES)
        self.events = []
        for at in range(head):
            ns, pid, event, a, b = ENTRY.unpack_from(self.map, HEADER + at * ENTRY.size)
            if event:
                self.events.append(Event(ns, pid, EVENTS[event], a, b))
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                break
            if pid == 0:
                break
            self.exits[pid] = status
        return self.events

    def start(self, program, *arguments):
        output = os.path.join(self.dir, "output")
        path = os.path.join(self.bin, program)
        actions = [(os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0),
                   (os.POSIX_SPAWN_OPEN, 1, output, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), (os.POSIX_SPAWN_DUP2, 1, 2)]
        return os.posix_spawn(path, [path, *arguments], os.environ, file_actions=actions)

    def wait(self, what, condition, ms):
        until = time.monotonic() + ms / 1000
        pause = 0.0003
        while True:
            self.look()
            self.lock.probe(self)
            found = condition()
            if found:
                return found
            if time.monotonic() > until:
                raise Failure(f"{what}: not within {ms} ms")
            time.sleep(pause)
            pause = min(pause * 1.3, 0.004)

    def say(self, pid, command):
        self.put(COMMAND, command)
        try:
            os.kill(pid, signal.SIGUSR1)
        except ProcessLookupError:
            raise Failure(f"L1: {pid} is gone, and served") from None

    # -- what the processes are --

    def servers(self):
        return list(dict.fromkeys(event.pid for event in self.events if event.name == "START"))

    def of(self, pid, *names):
        return [event for event in self.events if event.pid == pid and event.name in names]

    def told(self, pid, name):
        return [event for event in self.of(pid, "TOLD") if TOLD[event.a] == name]

    def dead(self, pid):
        return pid in self.exits or not alive(pid)

    def settled(self, pid):
        """It owns, as far as it knows: it serves and has no handoff under way."""
        role = self.of(pid, "OFFERED")
        if not role or (role[0].a == 1 and not self.told(pid, "COMMITTED")):
            return False
        if role[0].a == 0 and not [event for event in self.of(pid, "ANSWERED") if TOLD.get(event.a) == "LIVE"]:
            return False
        begun = False
        for event in self.of(pid, "UPGRADED", "TOLD", "UPGRADE"):
            if event.name == "UPGRADE":
                begun = True
            elif (event.name == "UPGRADED" and event.a) or (event.name == "TOLD" and TOLD[event.a] == "ABORTED"):
                begun = False
            elif event.name == "TOLD" and TOLD[event.a] == "DRAIN":
                begun = True
        serving = [event.name for event in self.of(pid, "ACCEPT_ON", "ACCEPT_OFF")]
        return not begun and serving and serving[-1] == "ACCEPT_ON"

    def accepts(self, pid):
        last = self.of(pid, "ACCEPT_ON", "ACCEPT_OFF", "EXIT")
        return bool(last) and last[-1].name == "ACCEPT_ON" and not self.told(pid, "RETIRE")

    def is_held(self, pid):
        return self.fault.kind == "stop" and self.struck is not None and self.struck[0] == pid and not self.let_go

    def outcome(self):
        """The one process that serves while all others are gone; HUNG if there is only the one that we have stopped; NOBODY."""
        living = [pid for pid in self.servers() if not self.dead(pid)]
        if not living and self.struck and self.struck[0] and not self.newborn():
            return NOBODY
        if self.struck and self.fault.kind == "kill" and self.struck[0] in living:
            return None  # it is dying, and what is known of it is old
        acting = [pid for pid in living if not self.is_held(pid)]
        if not acting and living and self.fault.lasts == "for good":
            return HUNG
        if len(acting) != 1 or not self.settled(acting[0]):
            return None
        if len(living) > 1 and self.fault.lasts != "for good":
            return None
        return acting[0]

    def newborn(self):
        """A process that has not come to its main() yet: orphans come to us."""
        known = {self.tool, self.client, *self.servers()}
        with open(f"/proc/self/task/{os.getpid()}/children") as children:
            return [pid for pid in map(int, children.read().split()) if pid not in known and alive(pid)]

    def serves(self, pid, since):
        return self.get(LAST_PID) == pid and struct.unpack_from("=Q", self.map, LAST_NS)[0] > since

    # -- the tool --

    def attach(self, pid):
        self.tool = self.start("inject", "--pid", str(pid), *self.fault.options(), "--report", self.report)
        self.wait("the tracer attaches", lambda: self.reported("attached") or self.tool in self.exits, 5000)
        if self.tool in self.exits:
            if os.waitstatus_to_exitcode(self.exits[self.tool]) == 77:
                raise PermissionError
            raise Failure("the tracer did not attach")
        self.put(HELD, 0)
        self.put(HOLD, 0)

    def reported(self, word):
        try:
            with open(self.report) as report:
                return [line.split() for line in report if line.startswith(word)]
        except FileNotFoundError:
            return []

    def note_strike(self):
        if self.struck is None and self.fault.kind in ("kill", "stop"):
            lines = self.reported("killed" if self.fault.kind == "kill" else "stopped")
            if lines:
                pid = self.traced
                if self.fault.party == "child":
                    pid = 0
                self.struck = (pid, int(lines[0][4]))
                self.notes["call"] = lines[0][3]
        return self.struck

    def release(self):
        """Ends the tracer; whoever it holds goes on."""
        self.let_go = True
        until = time.monotonic() + 5
        while self.tool and self.tool not in self.exits:
            os.kill(self.tool, signal.SIGUSR1)
            time.sleep(0.002)
            self.look()
            if time.monotonic() > until:
                raise Failure("the tracer does not end")

    # -- a run --

    def hand_over(self, owner, traced):
        """Begins a handoff; gives who is traced."""
        if traced:
            self.put(HOLD, OWNER if traced in ("owner", "child") else SUCCESSOR)
        if self.way == "spawned":
            self.say(owner, UPGRADE)
        else:
            if traced in ("owner", "child"):
                self.say(owner, WAIT)
            else:
                self.start("handoff_server", self.dir)
        if traced:
            self.traced = self.wait("somebody to trace", lambda: self.get(HELD), 5000)
            self.attach(self.traced)
            if traced == "owner" and self.way == "takeover":
                self.start("handoff_server", self.dir)

    def settle(self, first, since):
        """Waits for the outcome of the handoff that has begun; gives who serves, after the first request that it has answered."""
        fault = self.fault
        bound = self.whole + self.tail + SLACK_MS + (2 * OFFER_MS if fault.kind == "stop" else 2500)

        def step():
            if not self.struck and self.note_strike():
                return None  # look at everything anew
            if fault.kind == "stop" and self.struck and not self.let_go:
                lasted = (now_ns() - self.struck[1]) / 1e9
                if lasted > {"brief": 0.02, "long": self.long_stop() / 1000, "for good": 3600}[fault.lasts]:
                    self.release()
            begun = self.struck or (self.of(first, "UPGRADE") if self.way == "spawned" else len(self.servers()) > 1)
            return self.outcome() if begun else None

        who = self.wait("one process that serves", step, bound)
        if who == HUNG:
            self.notes["hung"] = True
            self.release()
            who = self.wait("one process that serves, after the stop", step, bound)
        if who == NOBODY:
            self.check_alone()
            self.start("handoff_server", self.dir)
            since = now_ns()
            who = self.wait("a cold start", lambda: max(self.outcome() or 0, 0), 3000)
        self.wait(f"{who} to answer", lambda: self.serves(who, since) and self.serves(who, self.struck[1] if self.struck else 0), 3000)
        return who

    def check_alone(self):
        """Nobody is left after a kill: only if there was nobody else, because the other one had not begun or was not needed any more."""
        self.notes["alone"] = True
        self.look()  # all are dead: what the last one has written before its end was perhaps not read yet
        others = [pid for pid in self.servers() if pid != self.struck[0]]
        if not all(self.told(pid, "RETIRE") for pid in others):
            raise Failure(f"L1: nobody is left, and {others} did not retire")

    def play(self):
        self.first = self.start("handoff_server", self.dir)
        self.wait("the first generation", lambda: self.of(self.first, "ACCEPT_ON"), 5000)
        self.client = self.start("handoff_client", self.dir)
        self.wait("the first request", lambda: self.get(ACKS) > 2, 5000)
        since = now_ns()
        self.hand_over(self.first, None if self.fault.kind == "none" else self.fault.party)
        who = self.settle(self.first, since)
        held = None if self.let_go or not self.struck or self.fault.kind != "stop" else self.struck[0]
        if self.tool and not held:
            self.release()
            if not self.struck and self.note_strike():  # it had settled before its turn came
                if self.fault.kind == "kill":
                    who = self.settle(self.first, since)
                else:
                    self.fault = self.fault._replace(lasts="brief")  # and was let go at once
            self.wait("the others to end", lambda: all(self.dead(pid) for pid in self.servers() if pid != who), 4000)
        self.notes["outcome"] = self.name_outcome(who)
        self.notes["gap_ms"] = 0
        self.again(who, held)
        return self.finish()

    def again(self, who, held):
        if not held:
            self.compare(who)
        if self.reference and who == self.first:
            self.come_to_nothing(who)
        fault, self.fault = self.fault, self.fault._replace(lasts="for good")
        begin, before = now_ns(), set(self.servers())
        if self.way == "spawned":
            self.say(who, UPGRADE)
        else:
            self.start("handoff_server", self.dir)

        def next_one():
            fresh = [pid for pid in self.servers() if pid not in before]
            # A stranger keeps others out until its handoff is called off; also one that has died in the line, while that is being found out.
            if fresh and self.way == "takeover" and self.of(fresh[0], "NEW_FAILED") and self.dead(fresh[0]):
                before.update(fresh)
                self.start("handoff_server", self.dir)
                return False
            return len(fresh) == 1 and self.settled(fresh[0]) and self.dead(who) and fresh[0]

        self.last = self.wait("L3, the next handoff", next_one, PROBATION_MS + SLACK_MS + (self.whole if held else 0))
        self.wait(f"L3, {self.last} to answer", lambda: self.serves(self.last, begin), 2000)
        self.fault = fault
        if held:
            # It ends; or, started by nobody of us, it takes its turn as a successor now.
            self.release()
            self.last = self.wait("the stopped one to end", self.outcome, self.whole + self.tail + SLACK_MS + OFFER_MS)
        self.compare(self.last)

    def come_to_nothing(self, who):
        """Once more, and nothing more may be held than after the first time (which may keep what a first use needs)."""
        self.expected, self.tool, self.struck, self.let_go = {"first": self.notes["held by first"]}, None, None, False
        os.unlink(self.report)
        since = now_ns()
        self.hand_over(who, self.fault.party)
        self.settle(who, since)
        self.release()
        self.compare(who)

    def compare(self, pid):
        """Descriptors and children of who serves: as in a run without a fault, by its role."""
        role = "first" if self.of(pid, "OFFERED")[0].a == 0 else "successor"
        until = time.monotonic() + 2.5
        while True:
            held, children = self.count(pid)
            self.notes["held by " + role] = held
            if not children and held <= self.expected.get(role, held):
                return
            if time.monotonic() > until: # it may still be reaping; that needs no help
                raise Failure(f"S7: {pid} holds {held} descriptors and has {children} children; without a fault it holds {self.expected.get(role)}")
            time.sleep(0.01)

    def count(self, pid):
        before = len(self.of(pid, "HOLDS"))
        self.say(pid, COUNT)
        self.wait("a count of what is held", lambda: len(self.of(pid, "HOLDS")) > before, 3000)
        return tuple(self.of(pid, "HOLDS")[-1][3:])

    def name_outcome(self, who):
        if self.notes.get("hung"):
            return HANGS  # before the stop ended, nobody else served; what came after is up to who went on
        if who == self.first:
            resumed = self.told(who, "RESUME")
            return BACK if resumed and resumed[-1].b else STAYS
        if self.notes.get("alone"):
            return ALONE
        if self.of(who, "OFFERED")[0].a == 0:
            return COLD
        return UNSEALED if self.told(who, "LIVE")[-1].b else SUCCESSOR_OWNS

    def finish(self):
        self.put(STOP, 1)
        self.wait("the client to end", lambda: self.client in self.exits, 5000)
        self.say(self.last, QUIT)
        self.wait("the last server to end", lambda: self.dead(self.last), 3000)
        self.wait("all to be reaped", lambda: not self.has_children(), 3000)
        return check(self)

    def has_children(self):
        try:
            os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            return True
        except ChildProcessError:
            return False

    def long_stop(self):
        return self.whole + self.tail + 500

    def clear(self, keep):
        """Ends whatever is left."""
        left = 0
        until = time.monotonic() + 5
        while time.monotonic() < until:
            self.look()
            if not self.has_children():
                break
            with open(f"/proc/self/task/{os.getpid()}/children") as children:
                pids = [int(pid) for pid in children.read().split()]
            for pid in pids:
                os.kill(pid, signal.SIGKILL)
                left += 1
            time.sleep(0.002)
        self.lock.close()
        if not keep:
            self.map.close()
            shutil.rmtree(self.dir, ignore_errors=True)
        return left

    def story(self):
        self.look()
        begin = self.events[0].ns if self.events else 0
        shown = sorted(self.events)
        shown = shown[:40] + shown[-12:] if len(shown) > 52 else shown
        lines = [f"{(event.ns - begin) / 1e6:9.3f} {event.pid} {event.name} "
                 + (f"{TOLD.get(event.a, event.a)} {event.b}" if event.name in ("TOLD", "ANSWERED", "REFUSED") else f"{event.a} {event.b}")
                 for event in shown]
        if self.struck:
            lines.append(f"{(self.struck[1] - begin) / 1e6:9.3f} {self.struck[0]} <- {self.fault}")
        return "\n      ".join(lines + [" ".join(line) for line in self.reported("")][-6:])
