"""What must hold in overlap mode, where two accept for a while and nothing is kept: by what the clients were told, and the trace."""
import collections

from .layout import ACKNOWLEDGED, TOLD


def check_overlap(run, requests):
    bad, told = [], {}
    begun, intervals = {}, collections.defaultdict(list)
    for event in sorted(run.events):
        others = begun.keys() - {event.pid}
        if event.name == "TOLD":
            told[event.pid] = TOLD[event.a]
            if told[event.pid] == "SEAL" and not others:
                bad.append(f"L1: {event.pid} was told SEAL, and nobody else accepts")
        elif event.name == "ANSWERED" and TOLD.get(event.a) == "SEAL" and event.pid in begun:
            bad.append(f"{event.pid} answered SEAL and accepts")
        elif event.name == "ACCEPT_ON":
            begun[event.pid] = event.ns
        elif event.name == "ACCEPT_OFF":
            intervals[event.pid].append((begun.pop(event.pid), event.ns))
            if told[event.pid] == "DRAIN":
                bad.append(f"L1: {event.pid} stopped accepting at DRAIN")
    for pid, ns in begun.items():
        intervals[pid].append((ns, float("inf")))

    # An answer is the time of the answer.
    for number, ns, sent, over, pid, outcome in requests:
        if outcome == ACKNOWLEDGED and not (sent <= ns <= over and any(begin <= ns <= end for begin, end in intervals[pid])):
            bad.append(f"L1: request {number} was answered by {pid}, which did not accept then")
    return bad
