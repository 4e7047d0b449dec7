"""What must hold when a run is over, in either mode: by what the clients were told, and the trace."""
import collections
import os

from .layout import ACKNOWLEDGED, BROKEN, CLIENT, EXCLUSIVE, REFUSED, SLACK_MS, TOLD, UNANSWERED
from .order import check_order
from .overlap import check_overlap
from .writer import check_writer


def check(run):
    bad = []
    run.look()
    with open(os.path.join(run.dir, "client"), "rb") as file:
        requests = list(CLIENT.iter_unpack(file.read()))

    bad += check_writer(run, requests) if run.mode == EXCLUSIVE else check_overlap(run, requests)
    bad += check_order(run)
    for event in run.events:
        if event.name == "TROUBLE" and not (run.fault.kind == "errno" and event.pid == getattr(run, "traced", 0)):
            bad.append(f"the server {event.pid} itself: line {event.a}, errno {event.b}")

    # S4
    generations = [event.b for event in run.events if event.name == "OFFERED"]
    if any(one > two for one, two in zip(generations, generations[1:])):
        bad.append(f"S4: generations {generations}")
    owners = [(event.a, event.pid) for event in sorted(run.events) if event.name == "OWNS"]
    if any(one > two or one == two and pid != same for (one, pid), (two, same) in zip(owners, owners[1:])):
        bad.append(f"S4: owners {owners}")

    # S5, and what clients may feel: a process that is killed takes the one connection with it that it is answering
    cold = sum(event.name == "OFFERED" and event.a == 0 for event in run.events) > 1
    deaths = [pid for pid in run.servers() if not run.of(pid, "EXIT")]
    counts = collections.Counter(outcome for *_, outcome in requests)
    if counts[REFUSED] and not cold:
        bad.append(f"S5: {counts[REFUSED]} connections were refused")
    if counts[BROKEN] > len(deaths) and not cold:
        bad.append(f"{counts[BROKEN]} connections broke, and {len(deaths)} processes were killed")
    if counts[UNANSWERED]:
        bad.append(f"{counts[UNANSWERED]} requests were not answered at the end")

    bad += run.lock.bad  # S6

    # S9: the library kills those that have not settled, and nobody else
    for pid in deaths:
        by_us = run.struck and run.struck[0] == pid and run.fault.kind == "kill"
        if not by_us and (pid == run.first or run.told(pid, "COMMITTED")):
            bad.append(f"S9: {pid} was killed, and had settled")
    for pid in run.servers():
        code = run.of(pid, "EXIT")
        if code and code[0].a not in (0, 2, 3) and not (run.fault.kind == "errno" and pid == getattr(run, "traced", 0)):
            bad.append(f"{pid} exited with {code[0].a}")

    # S7, S8
    left = set(os.listdir(run.dir)) - {"trace", "log", "client", "output", "report", "control.lock"}
    if left:
        bad.append(f"S7: files are left: {sorted(left)}")

    # how long nobody answered, from the fault on
    ends = sorted(over for *_, over, _, outcome in requests if outcome == ACKNOWLEDGED)
    since = run.struck[1] if run.struck else 0
    run.notes["gap_ms"] = max((two - one for one, two in zip(ends, ends[1:]) if two > since), default=0) / 1e6
    run.notes["acks"] = counts[ACKNOWLEDGED]
    if run.fault.kind != "none" and run.fault.kind != "list":
        bad += check_outcome(run)
    return bad


def step_of(run, pid, ns):
    """What the party was last told or did when the fault came."""
    step = "start"
    for event in run.events:
        if event.pid != pid or event.ns > ns:
            continue
        if event.name in ("UPGRADE", "UPGRADED", "OFFERED", "WARM"):
            step = event.name.lower()
        elif event.name == "TOLD":
            step = TOLD[event.a]
        elif event.name == "ANSWERED" and event.a in (1, 2, 3):
            step = {1: "drained", 2: "sealed", 3: "live"}[event.a]
    return step


def note_step(run):
    """Where the fault came, if it did."""
    if run.struck:
        run.notes["step"] = step_of(run, run.traced, run.struck[1]) if run.fault.party != "child" else "fork"
    elif run.fault.kind == "errno" and run.reported("injected"):
        run.notes["step"] = "any"
    return "step" in run.notes


def check_outcome(run):
    """Is it what the table says, and did it come in time (L1)?"""
    outcome, gap, fault = run.notes["outcome"], run.notes["gap_ms"], run.fault
    if not note_step(run):
        return []  # an earlier call was made once less
    allowed = run.faults.expected(run.setup, fault, run.notes["step"], run.whole, run.long_stop())
    if outcome not in allowed:
        return [f"E4: struck at {run.notes['step']} the outcome is \"{outcome}\", by the table {sorted(allowed)}"]
    if gap > allowed[outcome] + SLACK_MS:
        return [f"L1: {gap:.0f} ms without an answer; {allowed[outcome]} ms would be in order"]
    return []
