"""S12, and what each mode tells when: the events of each process, in order."""
from .layout import EXCLUSIVE, OVERLAP, TOLD

# (where it is, what it is told): where it is then
ORDER = {
    ("first", "LIVE"): "serves", ("candidate", "LIVE"): "opens", ("opens", "COMMITTED"): "serves",
    ("candidate", "ABORTED"): "ended", ("opens", "ABORTED"): "ended",
    ("serves", "DRAIN"): "drains", ("drains", "SEAL"): "seals", ("seals", "COMMITTED"): "stands by", ("stands by", "RETIRE"): "retires",
    ("serves", "ABORTED"): "serves", ("drains", "RESUME"): "resumes", ("seals", "RESUME"): "resumes", ("stands by", "RESUME"): "resumes",
    ("resumes", "ABORTED"): "serves",
}
# The successor has settled, and its LIVE was lost with the channel: there was nobody to stop accepting for.
OF_OVERLAP = {("drains", "COMMITTED"): "stands by"}
COMMITS_AFTER = {EXCLUSIVE: "seals", OVERLAP: "drains"}


def check_order(run):
    bad, at = [], {}
    order = {**ORDER, **(OF_OVERLAP if run.mode == OVERLAP else {})}
    for event in sorted(run.events):
        if event.name == "OFFERED":
            at[event.pid] = "candidate" if event.a else "first"
        if event.name != "TOLD":
            continue
        was, told = at[event.pid], TOLD[event.a]
        if was == "candidate" and told == "LIVE" and not event.b and COMMITS_AFTER[run.mode] not in at.values():
            bad.append(f"S12: {event.pid} was told LIVE, and the others are {at}")
        if (was, told) not in order:
            bad.append(f"S12: {event.pid} was told {told} where it {was}")
        at[event.pid] = order.get((was, told), was)
    if at[run.last] != "serves":
        bad.append(f"S12: {run.last} {at[run.last]} at the end")
    return bad
