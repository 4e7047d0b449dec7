"""What must hold in exclusive mode, where one process accepts, and writes: by the log, what the clients were told, and the trace."""
import collections
import os

from .layout import ACKNOWLEDGED, RECORD, now_ns


def check_writer(run, requests):
    bad = []
    with open(os.path.join(run.dir, "log"), "rb") as file:
        data = file.read()
    if len(data) % RECORD.size:
        bad.append("the log ends with a torn record")
    log = list(RECORD.iter_unpack(data[:len(data) - len(data) % RECORD.size]))

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
    for pid, begin in writing.items():
        intervals[pid].append((begin, now_ns()))
    flat = sorted((begin, end, pid) for pid, list_ in intervals.items() for begin, end in list_)
    for (_, end, one), (begin, _, two) in zip(flat, flat[1:]):
        if begin < end and one != two:
            bad.append(f"S1: {one} wrote until {end}, and {two} from {begin}")
    for seq, _, ns, pid, _ in log:
        if not any(begin <= ns <= end for begin, end in intervals[pid]):
            bad.append(f"S1: {pid} wrote record {seq} outside of its time")
    return bad
