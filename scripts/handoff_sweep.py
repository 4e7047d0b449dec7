#!/usr/bin/env python3
"""Kills, stops and disturbs both parties of a handoff at every system call, under live traffic, and checks what must hold.

    handoff_sweep.py --bin DIRECTORY [--seconds N] [--share K/N] [--jobs N] [--only TEXT] [--verbose] [--table FILE]

DIRECTORY holds the programs `inject`, `handoff_server` and `handoff_client` (c-tests/helpers). Each run starts a server and clients that
keep requests under way, lets it hand over (to a successor that it spawns, and to one that takes over by the control path), and lets one
fault happen: SIGKILL before or after the n-th system call of one party, a stop there (brief, longer than every deadline, or for good), or
an errno as its answer. Then it waits until exactly one process serves, lets that one hand over once more without a fault, and ends it.

Checked from the log, from what the clients were told and from a trace that all processes share (the ids are those of
docs/handoff-protocol.md):
  S1 S2  intervals in which processes write, and accept, never overlap: whoever begins looks whether the others are dead
  S3     each acknowledged write is in the log exactly once, in order, under the number that was acknowledged; sealed = found at LIVE
  S4     generations increase              S5  no connection is ever refused while a process lives that holds the listener
  S7 S8  descriptors and children as before, no zombie, no file, every successor ends as owner or is gone
  S9     whoever has settled is killed by nobody but the sweep
  L1     one process serves within the deadlines      L2  the handoff ends      L3  the next one succeeds at once
  E4     who serves, what was told and how long nobody served is what docs/handoff-faults.md says

--share K/N: of all runs only each N-th, beginning with the K-th; without it all are made (some thousands). Exit 1 if one failed, 77
where tracing is not permitted.
"""
import argparse
import collections
import ctypes
import json
import mmap
import os
import re
import shutil
import signal
import struct
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import inject_sweep  # noqa: E402  which errno a call can answer

# ---- the layout of c-tests/helpers/handoff_trace.h and handoff_record.h ----

EVENTS = ("HOLE START OFFERED NEW_FAILED WARM TOLD ANSWERED REFUSED WRITE_ON WRITE_OFF ACCEPT_ON ACCEPT_OFF RIVAL_DEAD RIVAL_ALIVE"
          " BAD_REVISION UPGRADE UPGRADED HOLDS EXIT TROUBLE").split()
TOLD = {1: "DRAIN", 2: "SEAL", 3: "LIVE", 4: "RESUME", 5: "RETIRE", 6: "COMMITTED", 7: "ABORTED"}
SWEEP, PORT, HOLD, HELD, COMMAND, STOP, ACKS, LAST_PID, LIVE, PROBATION, WHOLE, OVERLAP = range(8, 56, 4)
LAST_NS = 56
HEADER, ENTRY, ENTRIES = 4096, struct.Struct("=QIIqq"), 4096
UPGRADE, WAIT, COUNT, QUIT = 1, 2, 3, 4
OWNER, SUCCESSOR = 1, 2
HUNG, NOBODY = -1, -2
RECORD = struct.Struct("=QQQII")
CLIENT = struct.Struct("=QQQQII")
ACKNOWLEDGED, REFUSED, BROKEN, UNANSWERED = 1, 2, 3, 4

# ---- times of a run, milliseconds ----

LIVE_MS, PROBATION_MS, WHOLE_MS = 300, 50, 2000
SHORT_WHOLE_MS = 800  # of runs with a stop: what is awaited for it
SLACK_MS = 1500       # for the machine: two processors, many processes
OFFER_MS = 5000       # how long a successor waits for an offer, and an owner for a greeting

DEADLINES = {"0": 0, "offer": OFFER_MS, "live": LIVE_MS, "probation": PROBATION_MS, "look": 250, "linger": 200}  # and whole, drain, seal

Event = collections.namedtuple("Event", "ns pid name a b")


def now_ns():
    return time.clock_gettime_ns(time.CLOCK_MONOTONIC)


class Failure(Exception):
    pass


# ---- what may become of a fault, from the tables that the explorer has written ----

STAYS, SUCCESSOR_OWNS, UNSEALED, BACK, COLD, ALONE, HANGS = (
    "owner stays", "successor", "successor, unsealed", "taken back", "cold start", "nobody else was there", "hangs, and owns")

# Which steps of docs/handoff-faults.md a party can be in, by what it has been told (in capitals) or has done last. Before the first of
# them there is no handoff: a death then is that of the only server there is.
BEFORE, STARTS, HELLO, OFFER, LOADS, DRAIN, SEAL, LAST = (
    "before", "successor starts", "HELLO", "OFFER", "successor loads", "DRAIN", "SEAL", "last changes")
COMMIT, OPENS, IS_LIVE, ON_PROBATION, ASKED, SETTLED, RETIRED = (
    "COMMIT (not yet heard)", "successor opens", "LIVE (not yet heard)", "probation", "asked to settle", "settled (not yet heard)", "retired")
STEPS = {
    "owner": {
        "live": [BEFORE, HELLO, OFFER, LOADS], "start": [BEFORE], "upgrade": [BEFORE, STARTS], "upgraded": [STARTS, HELLO, OFFER, LOADS],
        "DRAIN": [DRAIN], "drained": [DRAIN, SEAL], "SEAL": [SEAL, LAST, COMMIT], "sealed": [COMMIT, OPENS, IS_LIVE, ON_PROBATION],
        "COMMITTED": [ON_PROBATION, ASKED, SETTLED], "RETIRE": [RETIRED]},
    "successor": {
        "start": [STARTS, HELLO, OFFER], "offered": [LOADS], "warm": [LOADS, DRAIN, SEAL, LAST, COMMIT], "LIVE": [OPENS],
        "live": [OPENS, IS_LIVE, ON_PROBATION, ASKED, SETTLED, RETIRED], "COMMITTED": [SETTLED, RETIRED]},
}


class Faults:
    """The tables of exclusive mode in docs/handoff-faults.md: (way, fault, step) -> [(who serves then, what is told, milliseconds without service)]"""

    def __init__(self, path):
        self.rows = {"spawned": collections.defaultdict(list), "takeover": collections.defaultdict(list)}
        with open(path) as file:
            sections = re.split(r"^## ", file.read(), flags=re.MULTILINE)
        for way, title in ("spawned", "Exclusive mode, the successor is spawned"), ("takeover", "Exclusive mode, takeover"):
            text = [section for section in sections if section.startswith(title)]
            if not text:
                raise SystemExit(f"{path}: no section '{title}'")
            fresh, steps = collections.defaultdict(list), []
            for line in text[0].splitlines():
                cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
                if len(cells) != 5 or cells[0] == "fault" or cells[0].startswith("-"):
                    continue
                if cells[1] != "(or)":
                    steps = re.sub(r", not yet heard", " (not yet heard)", cells[1]).split(", ")
                for step in steps:
                    fresh[cells[0], step].append((cells[2], cells[4], cells[3]))
            self.rows[way].update(self.rows["spawned"] if way == "takeover" else {})
            self.rows[way].update(fresh)
        for key in ("O is killed", SEAL), ("N is stopped", ASKED):
            if not self.rows["takeover"][key]:
                raise SystemExit(f"{path}: nothing about '{key[0]}' while '{key[1]}'")

    @staticmethod
    def outcomes(who, told):
        if who.startswith("nobody"):
            return {COLD, ALONE}  # a successor that finds the lock free begins anew by itself
        if "once" in who:
            return {HANGS}
        if who == "N":
            return {UNSEALED if "LIVE (unsealed)" in told else SUCCESSOR_OWNS}
        return {BACK if "RESUME (unsealed)" in told else STAYS}

    @staticmethod
    def wait(text, whole):
        known = {**DEADLINES, "whole": whole, "drain": whole, "seal": whole}
        return max((sum(known[word] for word in way.split(" + ")) for way in text.split(" or ")), default=0) if text != "-" else 0

    def expected(self, way, fault, step, whole, long_stop):
        """{outcome: at most so many milliseconds without service}"""
        if fault.kind == "errno":  # before the commit it calls the handoff off or does not matter; behind it the successor owns or gives back
            return dict.fromkeys((STAYS, SUCCESSOR_OWNS, BACK), whole + LIVE_MS)
        if fault.party == "child":
            return {STAYS: 0, SUCCESSOR_OWNS: 0}
        if fault.lasts == "brief":
            return {SUCCESSOR_OWNS: 0}
        found = {}

        def add(outcome, wait):
            found[outcome] = max(found.get(outcome, 0), wait)

        name = f"{'O' if fault.party == 'owner' else 'N'} is {'killed' if fault.kind == 'kill' else 'stopped'}"
        for where in STEPS[fault.party].get(step, []):
            rows = self.rows[way][name, where]
            if where == BEFORE:
                rows = [("nobody: start anew" if fault.kind == "kill" else "O, once it is continued", "", "-")]
            elif where == RETIRED and fault.party == "owner":
                rows = [("N", "", "0")]
            elif where == RETIRED and fault.kind == "stop":
                rows = [("N, once it is continued", "", "-")]
            for who, told, text in rows:
                for outcome in self.outcomes(who, told):
                    add(outcome, self.wait(text, whole) + (whole + OFFER_MS if outcome == HANGS else 0))
                    # It goes on before the others have given up waiting, or is the owner that it was, or the stranger that comes again.
                    if fault.lasts == "long" and outcome == HANGS:
                        add(STAYS if fault.party == "owner" else SUCCESSOR_OWNS, long_stop)
                        add(SUCCESSOR_OWNS, long_stop)
                    if fault.lasts == "long" and way == "takeover" and fault.party == "successor" and outcome == STAYS:
                        add(SUCCESSOR_OWNS, long_stop)
        if fault.lasts == "long":
            found.pop(HANGS, None)
        return found


class Fault(collections.namedtuple("Fault", "kind party nth call errno after sticky lasts")):
    """kind: none, list, kill, stop or errno; party: owner, child (of its spawn, up to the exec) or successor; lasts: of a stop."""

    def options(self):
        role = "child" if self.party == "child" else "parent"
        if self.kind == "list":
            return ["--list"]
        options = ["--in", role, "--nth", str(self.nth)]
        options += ["--call", self.call] if self.kind == "errno" else []
        options += ["--errno", self.errno] if self.kind == "errno" else ["--" + self.kind]
        options += ["--after"] if self.after else []
        return options + (["--sticky"] if self.sticky else [])

    def __str__(self):
        if self.kind in ("none", "list"):
            return self.kind
        where = f"{self.party} {'after' if self.after else 'at'} {self.nth} {self.call}"
        more = {"errno": f" {self.errno}{' lasting' if self.sticky else ''}", "stop": f" {self.lasts}", "kill": ""}[self.kind]
        return f"{where} {self.kind}{more}"


NONE = Fault("none", "owner", 0, "", "", False, False, "")


def alive(pid):
    """The first thread may be a zombie while another one still ends: then children have not come to us, and the pidfd says no."""
    try:
        with open(f"/proc/{pid}/stat") as stat:
            fields = stat.read().rsplit(")", 1)[1].split()
            return fields[0] not in "ZX" or int(fields[17]) > 1
    except (FileNotFoundError, ProcessLookupError):
        return False


class Run:
    def __init__(self, bin_dir, way, overlap, fault, base, expected, faults):
        self.faults = faults
        self.expected, self.reference = expected, not expected
        self.bin, self.way, self.fault, self.overlap = bin_dir, way, fault, overlap
        self.dir = tempfile.mkdtemp(prefix="handoff-", dir=base)
        self.whole = SHORT_WHOLE_MS if fault.kind == "stop" else WHOLE_MS
        path = os.path.join(self.dir, "trace")
        with open(path, "wb") as file:
            file.truncate(HEADER + ENTRIES * ENTRY.size)
        with open(path, "r+b") as file:
            self.map = mmap.mmap(file.fileno(), 0)
        self.events, self.read, self.exits = [], 0, {}
        self.tool = self.client = None
        self.struck = None     # (pid, ns) of the process that was killed or stopped
        self.let_go = False
        self.report = os.path.join(self.dir, "report")
        self.notes = {}
        for place, value in (SWEEP, os.getpid()), (LIVE, LIVE_MS), (PROBATION, PROBATION_MS), (WHOLE, self.whole), (OVERLAP, int(overlap)):
            self.put(place, value)

    # -- the shared words --

    def put(self, place, value):
        self.map[place:place + 4] = struct.pack("=I", value)

    def get(self, place):
        return struct.unpack_from("=I", self.map, place)[0]

    def look(self):
        """Reads what is new in the ring; holes of the killed are passed over at the end only."""
        head = min(struct.unpack_from("=Q", self.map, 0)[0], ENTRIES)
        at, self.events = 0, []
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
            found = condition()
            if found:
                return found
            if time.monotonic() > until:
                raise Failure(f"{what}: not within {ms} ms")
            time.sleep(pause)
            pause = min(pause * 1.3, 0.004)

    def say(self, pid, command):
        self.put(COMMAND, command)
        os.kill(pid, signal.SIGUSR1)

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
        bound = self.whole + 2 * LIVE_MS + PROBATION_MS + SLACK_MS + (2 * OFFER_MS if fault.kind == "stop" else 2500)

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
        self.notes["outcome"] = self.name_outcome(who)
        self.notes["gap_ms"] = 0
        held = None if self.let_go or not self.struck or self.fault.kind != "stop" else self.struck[0]
        if self.tool and not held:
            self.release()
            self.wait("the others to end", lambda: all(self.dead(pid) for pid in self.servers() if pid != who), 4000)
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
            self.last = self.wait("the stopped one to end", self.outcome, self.whole + 2 * LIVE_MS + PROBATION_MS + SLACK_MS + OFFER_MS)
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
            return "hangs, and owns" # before the stop ended, nobody else served; what came after is up to who went on
        if who == self.first:
            aborted = self.told(who, "RESUME")
            return "taken back" if aborted and aborted[-1].b else "owner stays"
        if self.notes.get("alone"):
            return "nobody else was there"
        if self.of(who, "OFFERED")[0].a == 0:
            return "cold start"
        return "successor, unsealed" if self.told(who, "LIVE")[-1].b else "successor"

    def finish(self):
        self.put(STOP, 1)
        self.wait("the client to end", lambda: self.client in self.exits, 5000)
        self.say(self.last, QUIT)
        self.wait("the last server to end", lambda: self.dead(self.last), 3000)
        self.wait("all to be reaped", lambda: not self.has_children(), 3000)
        return self.check()

    def has_children(self):
        try:
            os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            return True
        except ChildProcessError:
            return False

    # -- what must hold --

    def step_of(self, pid, ns):
        """What the party was last told or did when the fault came."""
        step = "start"
        for event in self.events:
            if event.pid != pid or event.ns > ns:
                continue
            if event.name in ("UPGRADE", "UPGRADED", "OFFERED", "WARM"):
                step = event.name.lower()
            elif event.name == "TOLD":
                step = TOLD[event.a]
            elif event.name == "ANSWERED" and event.a in (1, 2, 3):
                step = {1: "drained", 2: "sealed", 3: "live"}[event.a]
        return step

    def check(self):
        bad = []
        self.look()
        with open(os.path.join(self.dir, "log"), "rb") as file:
            data = file.read()
        if len(data) % RECORD.size:
            bad.append("the log ends with a torn record")
        log = list(RECORD.iter_unpack(data[:len(data) - len(data) % RECORD.size]))
        with open(os.path.join(self.dir, "client"), "rb") as file:
            requests = list(CLIENT.iter_unpack(file.read()))

        # S3
        where = {}
        for index, (seq, number, _, _, _) in enumerate(log):
            if seq != index:
                bad.append(f"S3: record {index} of the log has the number {seq}")
            if number in where:
                bad.append(f"S3: request {number} is in the log twice")
            where[number] = index
        for number, seq, _, _, pid, outcome in requests:
            if outcome == ACKNOWLEDGED and (where.get(number) != seq or log[seq][3] != pid):
                bad.append(f"S3: request {number} was acknowledged as {seq} by {pid}, and the log has it as {where.get(number)}")

        # S1, S2, by the trace; and by the log itself
        writing, intervals = {}, collections.defaultdict(list)
        accepting = set()
        for event in sorted(self.events):
            if event.name == "WRITE_ON":
                writing[event.pid] = event.ns
            elif event.name == "WRITE_OFF" and event.pid in writing:
                intervals[event.pid].append((writing.pop(event.pid), event.ns))
            elif event.name == "RIVAL_DEAD":
                if event.a in writing:
                    intervals[event.a].append((writing.pop(event.a), event.ns))
                accepting.discard(event.a)
            elif event.name == "RIVAL_ALIVE":
                bad.append(f"S1: {event.pid} began to write while {event.a} did")
            elif event.name == "ACCEPT_ON":
                if accepting - {event.pid} and not self.overlap:
                    bad.append(f"S2: {event.pid} began to accept while {accepting} did")
                accepting.add(event.pid)
            elif event.name == "ACCEPT_OFF":
                accepting.discard(event.pid)
            elif event.name == "BAD_REVISION":
                bad.append(f"S3: {event.pid} found {event.a} records, and {event.b} were sealed")
            elif event.name == "TROUBLE" and not (self.fault.kind == "errno" and event.pid == getattr(self, "traced", 0)):
                bad.append(f"the server {event.pid} itself: line {event.a}, errno {event.b}")
        for pid, begin in writing.items():
            intervals[pid].append((begin, now_ns()))
        flat = sorted((begin, end, pid) for pid, list_ in intervals.items() for begin, end in list_)
        for (_, end, one), (begin, _, two) in zip(flat, flat[1:]):
            if begin < end and one != two:
                bad.append(f"S1: {one} wrote until {end}, and {two} from {begin}")
        for seq, _, ns, pid, _ in log:
            if not any(begin <= ns <= end for begin, end in intervals[pid]):
                bad.append(f"S1: {pid} wrote record {seq} outside of its time")

        # S4
        generations = [event.b for event in self.events if event.name == "OFFERED"]
        if any(one > two for one, two in zip(generations, generations[1:])):
            bad.append(f"S4: generations {generations}")

        # S5, and what clients may feel: a process that is killed takes the one connection with it that it is answering
        cold = sum(event.name == "OFFERED" and event.a == 0 for event in self.events) > 1
        deaths = [pid for pid in self.servers() if not self.of(pid, "EXIT")]
        counts = collections.Counter(outcome for *_, outcome in requests)
        if counts[REFUSED] and not cold:
            bad.append(f"S5: {counts[REFUSED]} connections were refused")
        if counts[BROKEN] > len(deaths) and not cold:
            bad.append(f"{counts[BROKEN]} connections broke, and {len(deaths)} processes were killed")
        if counts[UNANSWERED]:
            bad.append(f"{counts[UNANSWERED]} requests were not answered at the end")

        # S9: the library kills those that have not settled, and nobody else
        for pid in deaths:
            by_us = self.struck and self.struck[0] == pid and self.fault.kind == "kill"
            if not by_us and (pid == self.first or self.told(pid, "COMMITTED")):
                bad.append(f"S9: {pid} was killed, and had settled")
        for pid in self.servers():
            code = self.of(pid, "EXIT")
            if code and code[0].a not in (0, 2, 3) and not (self.fault.kind == "errno" and pid == getattr(self, "traced", 0)):
                bad.append(f"{pid} exited with {code[0].a}")

        # S7, S8
        left = set(os.listdir(self.dir)) - {"trace", "log", "client", "output", "report", "control.lock"}
        if left:
            bad.append(f"S7: files are left: {sorted(left)}")

        # how long nobody answered, from the fault on
        ends = sorted(over for *_, over, _, outcome in requests if outcome == ACKNOWLEDGED)
        since = self.struck[1] if self.struck else 0
        self.notes["gap_ms"] = max((two - one for one, two in zip(ends, ends[1:]) if two > since), default=0) / 1e6
        self.notes["acks"] = counts[ACKNOWLEDGED]
        if self.fault.kind != "none" and self.fault.kind != "list":
            bad += self.check_outcome()
        return bad

    def check_outcome(self):
        """Is it what the table says, and did it come in time (L1)?"""
        outcome, gap, fault = self.notes["outcome"], self.notes["gap_ms"], self.fault
        if self.struck:
            self.notes["step"] = self.step_of(self.traced, self.struck[1]) if fault.party != "child" else "fork"
        elif fault.kind == "errno" and self.reported("injected"):
            self.notes["step"] = "any"
        else:
            return []  # an earlier call was made once less
        allowed = self.faults.expected(self.way, fault, self.notes["step"], self.whole, self.long_stop())
        if outcome not in allowed:
            return [f"E4: struck at {self.notes['step']} the outcome is \"{outcome}\", by the table {sorted(allowed)}"]
        if gap > allowed[outcome] + SLACK_MS:
            return [f"L1: {gap:.0f} ms without an answer; {allowed[outcome]} ms would be in order"]
        return []

    def long_stop(self):
        return self.whole + 2 * LIVE_MS + PROBATION_MS + 500

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
        if not keep:
            self.map.close()
            shutil.rmtree(self.dir, ignore_errors=True)
        return left

    def story(self):
        self.look()
        begin = self.events[0].ns if self.events else 0
        shown = sorted(self.events)
        shown = shown[:60] + shown[-20:] if len(shown) > 80 else shown
        lines = [f"{(event.ns - begin) / 1e6:9.3f} {event.pid} {event.name} "
                 + (f"{TOLD.get(event.a, event.a)} {event.b}" if event.name in ("TOLD", "ANSWERED", "REFUSED") else f"{event.a} {event.b}")
                 for event in shown]
        if self.struck:
            lines.append(f"{(self.struck[1] - begin) / 1e6:9.3f} {self.struck[0]} <- {self.fault}")
        return "\n      ".join(lines + [" ".join(line) for line in self.reported("")][-6:])


def one(options, way, overlap, fault, base, expected, faults):
    """One run; gives (failures, notes, calls)."""
    run = Run(options.bin, way, overlap, fault, base, expected, faults)
    try:
        bad = run.play()
        calls = [(role, call) for role, _, call in (line for line in run.reported("") if len(line) == 3)] if fault.kind == "list" else []
    except Failure as failure:
        bad, calls = [str(failure)], []
        run.look()
    notes = dict(run.notes)
    if bad or options.story:
        notes["story"] = run.story()
    if bad and options.keep:
        notes["kept"] = run.dir
    run.clear(keep=bad and options.keep)
    return bad, notes, calls


def faults_of(calls, party, way):
    """Every fault of a party whose calls are these, in the order in which they come."""
    roles = {"owner": "parent", "successor": "parent", "child": "child"}
    names = [call for role, call in calls if role == roles[party]]
    counts = collections.Counter()
    for index, call in enumerate(names, 1):
        counts[call] += 1
        yield Fault("kill", party, index, call, "", False, False, "")
        yield Fault("kill", party, index, call, "", True, False, "")
        if party != "child":
            for lasts in "brief", "long", "for good":
                yield Fault("stop", party, index, call, "", False, False, lasts)
        for errno in inject_sweep.errnos_of(call, {}):
            for sticky in (False, True) if call in inject_sweep.LASTING.get(errno, "").split() else (False,):
                yield Fault("errno", party, counts[call], call, errno, call in inject_sweep.EXECUTED, sticky, "")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bin", required=True)
    parser.add_argument("--seconds", type=float, default=3600, help="give up (and fail) after this time")
    parser.add_argument("--share", default="1/1", metavar="K/N")
    parser.add_argument("--jobs", type=int, default=4)
    parser.add_argument("--only", default="", help="runs whose name holds this text")
    parser.add_argument("--verbose", action="store_true", help="a line per run")
    parser.add_argument("--story", action="store_true", help="with --verbose: the trace of each run")
    parser.add_argument("--keep", action="store_true", help="leave the directories of failed runs")
    parser.add_argument("--table", help="write what became of each fault to this file")
    parser.add_argument("--faults", default=os.path.join(os.path.dirname(os.path.abspath(__file__)), "../docs/handoff-faults.md"),
                        help="the tables that say what may become of each (docs/handoff-faults.md)")
    options = parser.parse_args()
    sys.exit(Sweep(options).all())


class Sweep:
    def __init__(self, options):
        self.options = options
        self.deadline = time.monotonic() + options.seconds
        self.base = tempfile.mkdtemp(prefix="handoff-sweep-", dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None)
        self.outcomes = collections.Counter()
        self.gaps = collections.defaultdict(list)
        self.done = self.failed = self.unreached = 0
        self.expected = {}
        self.faults = Faults(options.faults)

    def all(self):
        inject_sweep.adopt_orphans()
        try:
            plan = []
            for way in "spawned", "takeover":
                plan += self.plan(way)
            first, every = (int(number) for number in self.options.share.split("/"))
            plan = [item for item in plan[first - 1::every] if self.options.only in f"{item[0]} {item[1]}"]
            self.run_all(plan)
        except PermissionError:
            print("skipped: tracing is not permitted")
            return 77
        finally:
            shutil.rmtree(self.base, ignore_errors=not self.options.keep) if not self.options.keep else None
        return self.sum_up()

    def plan(self, way):
        # A handoff that works, and one that comes to nothing: what the two roles hold then is what they may hold.
        self.expected[way] = {}
        for fault in NONE, Fault("kill", "successor", 1, "", "", False, False, ""):
            bad, notes, _ = one(self.options, way, False, fault, self.base, {}, self.faults)
            if bad:
                self.fail(way, fault, bad, notes)
                return []
            self.expected[way].update({what[8:]: held for what, held in notes.items() if what.startswith("held by ")})
        plan = []
        for party in ("owner", "successor", "child") if way == "spawned" else ("owner", "successor"):
            fault = Fault("list", party, 0, "", "", False, False, "")
            bad, notes, calls = one(self.options, way, False, fault, self.base, self.expected[way], self.faults)
            if bad or not calls:
                self.fail(way, fault, bad or ["no call was seen"], notes)
                continue
            faults = list(faults_of(calls, party, way))
            print(f"{way}, {party}: {sum(role == ('child' if party == 'child' else 'parent') for role, _ in calls)} calls, {len(faults)} faults", flush=True)
            plan += [(way, fault) for fault in faults]
        return plan

    def run_all(self, plan):
        """Workers of their own, each with the orphans of its own runs."""
        pipes = []
        for job in range(self.options.jobs):
            ours, theirs = os.pipe()
            pid = os.fork()
            if pid == 0:
                ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
                os.close(ours)
                status = 1
                try:
                    inject_sweep.adopt_orphans()
                    with os.fdopen(theirs, "w") as answers:
                        for item in plan[job::self.options.jobs]:
                            if time.monotonic() > self.deadline:
                                answers.write(json.dumps([*item, ["out of time"], {}]) + "\n")
                                break
                            bad, notes, _ = one(self.options, item[0], False, item[1], self.base, self.expected[item[0]], self.faults)
                            answers.write(json.dumps([*item, bad, notes]) + "\n")
                            answers.flush()
                    status = 0
                finally:
                    os._exit(status)
            os.close(theirs)
            pipes.append((pid, os.fdopen(ours)))
        self.gather(pipes)

    def gather(self, pipes):
        import select
        open_pipes = {pipe.fileno(): (pid, pipe) for pid, pipe in pipes}
        buffers = collections.defaultdict(bytes)
        while open_pipes:
            for fd in select.select(list(open_pipes), [], [])[0]:
                data = os.read(fd, 65536)
                buffers[fd] += data
                *lines, buffers[fd] = buffers[fd].split(b"\n")
                for line in lines:
                    way, fault, bad, notes = json.loads(line)
                    self.take(way, Fault(*fault), bad, notes)
                if not data:
                    pid, pipe = open_pipes.pop(fd)
                    status = os.waitpid(pid, 0)[1]
                    if status:
                        self.failed += 1
                        print(f"FAILED: a worker ended with {status}")

    def take(self, way, fault, bad, notes):
        self.done += 1
        reached = "step" in notes
        self.unreached += not reached
        if bad:
            self.fail(way, fault, bad, notes)
        elif reached:
            key = (way, fault.party, notes.get("step", fault.call), f"{fault.kind} {fault.lasts or fault.errno}".strip())
            self.outcomes[key + (notes["outcome"],)] += 1
            self.gaps[fault.party, fault.kind, fault.lasts, notes["outcome"]].append(notes["gap_ms"])
        if self.options.verbose:
            print(f"  {way} {fault}: {notes.get('step', '')} -> {notes.get('outcome')}, gap {notes.get('gap_ms', 0):.1f} ms{'' if reached else ', NOT REACHED'}", flush=True)
            if self.options.story:
                print("      " + notes.get("story", ""))

    def fail(self, way, fault, bad, notes):
        self.failed += 1
        print(f"FAILED: {way}, {fault}: " + "; ".join(bad[:4]))
        print("      " + notes.get("story", "").replace("\n", "\n") + (f"\n      kept: {notes['kept']}" if "kept" in notes else ""), flush=True)

    def sum_up(self):
        table = collections.defaultdict(collections.Counter)
        for (way, party, step, fault, outcome), count in self.outcomes.items():
            table[way, party, step, fault][outcome] += count
        lines = [f"{way:9} {party:9} {step:16} {fault:16} " + ", ".join(f"{outcome} {count}" for outcome, count in sorted(row.items()))
                 for (way, party, step, fault), row in sorted(table.items()) if not fault.startswith("errno")]
        print("\n".join(lines))
        for key, gaps in sorted(self.gaps.items()):
            gaps.sort()
            print(f"gap {' '.join(filter(None, key)):50} n {len(gaps):5}  p50 {gaps[len(gaps) // 2]:8.1f} ms  max {gaps[-1]:8.1f} ms")
        if self.options.table:
            with open(self.options.table, "w") as file:
                json.dump([[*key, count] for key, count in sorted(self.outcomes.items())], file, indent=0)
        print(f"handoff: {self.done} injections, {self.unreached} not reached, {self.failed} failed")
        return 1 if self.failed or self.unreached > self.done / 4 else 0


if __name__ == "__main__":
    main()
