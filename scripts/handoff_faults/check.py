"""What must hold when a run is over: by the log, what the clients were told, and the trace."""
import collections
import os

from .layout import ACKNOWLEDGED, BROKEN, CLIENT, RECORD, REFUSED, SLACK_MS, TOLD, UNANSWERED, now_ns


def check(run):
    bad = []
    run.look()
    with open(os.path.join(run.dir, "log"), "rb") as file:
        data = file.read()
    if len(data) % RECORD.size:
        bad.append("the log ends with a torn record")
    log = list(RECORD.iter_unpack(data[:len(data) - len(data) % RECORD.size]))
    with open(os.path.join(run.dir, "client"), "rb") as file:
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
    for event in sorted(run.events):
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
            if accepting - {event.pid}:
                bad.append(f"S2: {event.pid} began to accept while {accepting} did")
            accepting.add(event.pid)
        elif event.name == "ACCEPT_OFF":
            accepting.discard(event.pid)
        elif event.name == "BAD_REVISION":
            bad.append(f"S3: {event.pid} found {event.a} records, and {event.b} were sealed")
        elif event.name == "TROUBLE" and not (run.fault.kind == "errno" and event.pid == getattr(run, "traced", 0)):
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
    generations = [event.b for event in run.events if event.name == "OFFERED"]
    if any(one > two for one, two in zip(generations, generations[1:])):
        bad.append(f"S4: generations {generations}")

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


def check_outcome(run):
    """Is it what the table says, and did it come in time (L1)?"""
    outcome, gap, fault = run.notes["outcome"], run.notes["gap_ms"], run.fault
    if run.struck:
        run.notes["step"] = step_of(run, run.traced, run.struck[1]) if fault.party != "child" else "fork"
    elif fault.kind == "errno" and run.reported("injected"):
        run.notes["step"] = "any"
    else:
        return []  # an earlier call was made once less
    allowed = run.faults.expected(run.way, fault, run.notes["step"], run.whole, run.long_stop())
    if outcome not in allowed:
        return [f"E4: struck at {run.notes['step']} the outcome is \"{outcome}\", by the table {sorted(allowed)}"]
    if gap > allowed[outcome] + SLACK_MS:
        return [f"L1: {gap:.0f} ms without an answer; {allowed[outcome]} ms would be in order"]
    return []
