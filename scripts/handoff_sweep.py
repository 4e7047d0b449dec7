#!/usr/bin/env python3
"""Kills, stops and disturbs both parties of a handoff at every system call, under live traffic, and checks what must hold.

    handoff_sweep.py --bin DIRECTORY [--mode exclusive|overlap] [--seconds N] [--share K/N] [--jobs N] [--only TEXT] [--verbose]
                     [--table FILE]

DIRECTORY holds the programs `inject`, `handoff_server` and `handoff_client` (c-tests/helpers). Each run starts a server and clients that
keep requests under way, lets it hand over (exclusive and overlap; to a successor that it spawns, and to one that takes over by the control
path), and lets one fault happen: SIGKILL before or after the n-th system call of one party, a stop there (brief, longer than every
deadline, or for good), or an errno as its answer. Then it waits until exactly one process serves, lets that one hand over once more
without a fault, and ends it.

Checked from what the clients were told, from a trace that all processes share and, in exclusive mode, from the log (the ids are those of
docs/reference/handoff-protocol.md):
  S1 S2  exclusive: intervals in which processes write, and accept, never overlap: whoever begins looks whether the others are dead
  S3     exclusive: each acknowledged write is in the log exactly once, in order, under the number that was acknowledged; sealed = found at LIVE
  S4     generations increase              S5  no connection is ever refused while a process lives that holds the listener
  S6     nobody else can have the lock while a process accepts
  S7 S8  descriptors and children as before, no zombie, no file, every successor ends as owner or is gone
  S9     whoever has settled is killed by nobody but the sweep
  S12    each process is told DRAIN, SEAL, RESUME or RETIRE in the order of its mode; the commit follows SEAL, in overlap mode DRAIN
  L1     one process serves within the deadlines; overlap: who is told to stop accepting does not leave nobody, and each request is
         answered by a process that accepts
  L2     the handoff ends                  L3  the next one succeeds at once
  E4     who serves, what was told and how long nobody served is what docs/evidence/handoff-faults.md says

--share K/N: of all runs only each N-th, beginning with the K-th; without it all are made (some thousands). Exit 1 if one failed, 77
where tracing is not permitted.
"""
# covers: LAW-14, S1, S2, S3, S4, S5, S6, S9, S12, L1
import argparse
import collections
import ctypes
import json
import os
import re
import select
import shutil
import signal
import sys
import tempfile
import time
import traceback

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import inject_sweep  # noqa: E402  which errno a call can answer
from handoff_faults.check import note_step  # noqa: E402
from handoff_faults.layout import MODES, WAYS, Setup  # noqa: E402
from handoff_faults.run import Failure, Run  # noqa: E402
from handoff_faults.table import NONE, Fault, Faults  # noqa: E402

TIME = re.compile("not within|without an answer")


def one(options, setup, fault, base, expected, faults):
    """One run; gives (failures, notes, calls). What only took too long is tried again: a machine that is busy is not late three times. But
    the n-th call is not always the same one: only a run that was struck at the same place shows that it was the machine."""
    late = []
    for _ in range(8):
        bad, notes, calls = once(options, setup, fault, base, expected, faults)
        if bad and all(TIME.search(text) for text in bad):
            late.append((bad, notes, calls))
            if len(late) == 3:
                break
        elif bad or not late or is_same(late[-1][1], notes):
            notes["late_for"] = late[-1][0] if late else []
            return bad, notes, calls
    return late[-1]


def is_same(late, notes):
    return late.get("step") == notes.get("step") and late.get("outcome") in (None, notes.get("outcome"))


def once(options, setup, fault, base, expected, faults):
    run = Run(options.bin, setup, fault, base, expected, faults)
    try:
        bad = run.play()
        calls = [(role, call) for role, _, call in (line for line in run.reported("") if len(line) == 3)] if fault.kind == "list" else []
    except Failure as failure:
        bad, calls = [str(failure)], []
        run.look()
        run.note_strike()
        note_step(run)
    notes = dict(run.notes)
    if bad or options.story:
        notes["story"] = run.story()
    if bad and options.keep:
        notes["kept"] = run.dir
    run.clear(keep=bad and options.keep)
    return bad, notes, calls


def faults_of(calls, party):
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
    parser.add_argument("--mode", choices=(*MODES, "both"), default="both")
    parser.add_argument("--seconds", type=float, default=3600, help="give up (and fail) after this time")
    parser.add_argument("--share", default="1/1", metavar="K/N")
    parser.add_argument("--jobs", type=int, default=4)
    parser.add_argument("--only", default="", help="runs whose name holds this text")
    parser.add_argument("--verbose", action="store_true", help="a line per run")
    parser.add_argument("--story", action="store_true", help="with --verbose: the trace of each run")
    parser.add_argument("--keep", action="store_true", help="leave the directories of failed runs")
    parser.add_argument("--table", help="write what became of each fault to this file")
    parser.add_argument("--faults", default=os.path.join(os.path.dirname(os.path.abspath(__file__)), "../docs/evidence/handoff-faults.md"),
                        help="the tables that say what may become of each (docs/evidence/handoff-faults.md)")
    options = parser.parse_args()
    sys.exit(Sweep(options).all())


class Sweep:
    def __init__(self, options):
        self.options = options
        self.deadline = time.monotonic() + options.seconds
        self.base = tempfile.mkdtemp(prefix="handoff-sweep-", dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None)
        self.outcomes = collections.Counter()
        self.gaps = collections.defaultdict(list)
        self.done = self.failed = self.unreached = self.late = 0
        self.expected = {}
        self.faults = Faults(options.faults)

    def all(self):
        inject_sweep.adopt_orphans()
        try:
            plan = []
            for mode in MODES:
                for way in WAYS:
                    plan += self.plan(Setup(mode, way)) if self.options.mode in (mode, "both") else []
            first, every = (int(number) for number in self.options.share.split("/"))
            plan = [item for item in plan[first - 1::every] if self.options.only in f"{item[0]}, {item[1]}"]
            self.run_all(plan)
        except PermissionError:
            print("skipped: tracing is not permitted")
            return 77
        finally:
            if not self.options.keep:
                shutil.rmtree(self.base, ignore_errors=True)
        return self.sum_up()

    def plan(self, setup):
        # A handoff that works, and one that comes to nothing: what the two roles hold then is what they may hold.
        self.expected[setup] = {}
        for fault in NONE, Fault("kill", "successor", 1, "", "", False, False, ""):
            bad, notes, _ = one(self.options, setup, fault, self.base, {}, self.faults)
            if bad:
                self.fail(setup, fault, bad, notes)
                return []
            self.expected[setup].update({what[8:]: held for what, held in notes.items() if what.startswith("held by ")})
        plan = []
        for party in ("owner", "successor", "child") if setup.way == "spawned" else ("owner", "successor"):
            fault = Fault("list", party, 0, "", "", False, False, "")
            bad, notes, calls = one(self.options, setup, fault, self.base, self.expected[setup], self.faults)
            if bad or not calls:
                self.fail(setup, fault, bad or ["no call was seen"], notes)
                continue
            faults = list(faults_of(calls, party))
            count = sum((role == "child") == (party == "child") for role, _ in calls)
            print(f"{setup}, {party}: {count} calls, {len(faults)} faults", flush=True)
            plan += [(setup, fault) for fault in faults]
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
                            bad, notes, _ = one(self.options, item[0], item[1], self.base, self.expected[item[0]], self.faults)
                            answers.write(json.dumps([*item, bad, notes]) + "\n")
                            answers.flush()
                    status = 0
                except Exception:
                    traceback.print_exc()
                finally:
                    os._exit(status)
            os.close(theirs)
            pipes.append((pid, os.fdopen(ours)))
        self.gather(pipes)

    def gather(self, pipes):
        open_pipes = {pipe.fileno(): (pid, pipe) for pid, pipe in pipes}
        buffers = collections.defaultdict(bytes)
        while open_pipes:
            for fd in select.select(list(open_pipes), [], [])[0]:
                data = os.read(fd, 65536)
                buffers[fd] += data
                *lines, buffers[fd] = buffers[fd].split(b"\n")
                for line in lines:
                    setup, fault, bad, notes = json.loads(line)
                    self.take(Setup(*setup), Fault(*fault), bad, notes)
                if not data:
                    pid, pipe = open_pipes.pop(fd)
                    status = os.waitpid(pid, 0)[1]
                    if status:
                        self.failed += 1
                        print(f"FAILED: a worker ended with {status}")

    def take(self, setup, fault, bad, notes):
        self.done += 1
        if notes.get("late_for") and not bad:
            self.late += 1
            print(f"late, and not when made again: {setup}, {fault}: " + "; ".join(notes["late_for"]), flush=True)
        reached = "step" in notes
        self.unreached += not reached
        if bad:
            self.fail(setup, fault, bad, notes)
        elif reached:
            key = (*setup, fault.party, notes.get("step", fault.call), f"{fault.kind} {fault.lasts or fault.errno}".strip())
            self.outcomes[key + (notes["outcome"],)] += 1
            self.gaps[setup.mode, fault.party, fault.kind, fault.lasts, notes["outcome"]].append(notes["gap_ms"])
        if self.options.verbose:
            became = f"{notes.get('step', '')} -> {notes.get('outcome')}, gap {notes.get('gap_ms', 0):.1f} ms"
            print(f"  {setup}, {fault}: {became}{'' if reached else ', NOT REACHED'}", flush=True)
            if self.options.story:
                print("      " + notes.get("story", ""))

    def fail(self, setup, fault, bad, notes):
        self.failed += 1
        print(f"FAILED: {setup}, {fault}: " + "; ".join(bad[:4]))
        print("      " + notes.get("story", "") + (f"\n      kept: {notes['kept']}" if "kept" in notes else ""), flush=True)

    def sum_up(self):
        table = collections.defaultdict(collections.Counter)
        for (*setup, party, step, fault, outcome), count in self.outcomes.items():
            table[(*setup, party, step, fault)][outcome] += count
        lines = [f"{mode:9} {way:9} {party:9} {step:16} {fault:16} " + ", ".join(f"{outcome} {count}" for outcome, count in sorted(row.items()))
                 for (mode, way, party, step, fault), row in sorted(table.items()) if not fault.startswith("errno")]
        print("\n".join(lines))
        for key, gaps in sorted(self.gaps.items()):
            gaps.sort()
            print(f"gap {' '.join(filter(None, key)):60} n {len(gaps):5}  p50 {gaps[len(gaps) // 2]:8.1f} ms  max {gaps[-1]:8.1f} ms")
        if self.options.table:
            with open(self.options.table, "w") as file:
                json.dump([[*key, count] for key, count in sorted(self.outcomes.items())], file, indent=0)
        print(f"handoff: {self.done} injections, {self.unreached} not reached, {self.late} late and made again, {self.failed} failed")
        return 1 if self.failed or self.unreached > self.done / 4 else 0


if __name__ == "__main__":
    main()
