"""What may become of a fault: docs/evidence/handoff-faults.md, which the explorer has written, read into what a run can see."""
import collections
import re

from .layout import EXCLUSIVE, LIVE_MS, OFFER_MS, OVERLAP, PROBATION_MS, Setup

DEADLINES = {"0": 0, "offer": OFFER_MS, "live": LIVE_MS, "probation": PROBATION_MS, "look": 250, "linger": 200}  # and whole, drain, seal


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

STAYS, SUCCESSOR_OWNS, UNSEALED, BACK, COLD, ALONE, HANGS = (
    "owner stays", "successor", "successor, unsealed", "taken back", "cold start", "nobody else was there", "hangs, and owns")

# Which steps of docs/evidence/handoff-faults.md a party can be in, by what it has been told (in capitals) or has done last. Before the first of
# them there is no handoff: a death then is that of the only server there is.
BEFORE, STARTS, HELLO, OFFER, LOADS, DRAIN, PROBE, SEAL, LAST = (
    "before", "successor starts", "HELLO", "OFFER", "successor loads", "DRAIN", "wake probe", "SEAL", "last changes")
COMMIT, OPENS, IS_LIVE, CLOSES, ON_PROBATION, ASKED, SETTLED, RETIRED = (
    "COMMIT (not yet heard)", "successor opens", "LIVE (not yet heard)", "old one closes", "probation", "asked to settle",
    "settled (not yet heard)", "retired")
SAME = {
    "owner": {
        "live": [BEFORE, HELLO, OFFER, LOADS], "start": [BEFORE], "upgrade": [BEFORE, STARTS], "upgraded": [STARTS, HELLO, OFFER, LOADS],
        "COMMITTED": [ON_PROBATION, ASKED, SETTLED], "RETIRE": [RETIRED]},
    "successor": {"start": [STARTS, HELLO, OFFER], "offered": [LOADS], "LIVE": [OPENS], "COMMITTED": [SETTLED, RETIRED]},
}
# The answer that lets the commit follow is over when that is made.
STEPS = {
    EXCLUSIVE: {
        "owner": {
            **SAME["owner"], "DRAIN": [DRAIN], "drained": [DRAIN, PROBE, SEAL], "SEAL": [SEAL, LAST, COMMIT],
            "sealed": [COMMIT, OPENS, IS_LIVE, ON_PROBATION]},
        "successor": {
            **SAME["successor"], "warm": [LOADS, DRAIN, PROBE, SEAL, LAST, COMMIT],
            "live": [OPENS, IS_LIVE, ON_PROBATION, ASKED, SETTLED, RETIRED]}},
    OVERLAP: {
        "owner": {
            **SAME["owner"], "DRAIN": [DRAIN, LAST, COMMIT], "drained": [LAST, COMMIT, OPENS, IS_LIVE, CLOSES], "SEAL": [CLOSES],
            "sealed": [CLOSES, ON_PROBATION]},
        "successor": {
            **SAME["successor"], "warm": [LOADS, DRAIN, LAST, COMMIT],
            "live": [OPENS, IS_LIVE, CLOSES, ON_PROBATION, ASKED, SETTLED, RETIRED]}},
}
# Each is what is different from those before it.
SPAWNED, TAKEOVER, OVERLAP_SPAWNED, OVERLAP_TAKEOVER = TITLES = (
    "Exclusive mode, the successor is spawned", "Exclusive mode, takeover", "Overlap mode, the successor is spawned", "Overlap mode, takeover")
TABLES = {
    Setup(EXCLUSIVE, "spawned"): (SPAWNED,), Setup(EXCLUSIVE, "takeover"): (SPAWNED, TAKEOVER),
    Setup(OVERLAP, "spawned"): (SPAWNED, OVERLAP_SPAWNED), Setup(OVERLAP, "takeover"): (SPAWNED, OVERLAP_SPAWNED, OVERLAP_TAKEOVER),
}


class Faults:
    """The tables of docs/evidence/handoff-faults.md: setup, (fault, step) -> [(who serves then, what is told, milliseconds without service)]"""

    def __init__(self, path):
        with open(path) as file:
            sections = re.split(r"^## ", file.read(), flags=re.MULTILINE)
        tables = {title: self.read(path, sections, title) for title in TITLES}
        self.rows = {setup: {key: rows for title in titles for key, rows in tables[title].items()} for setup, titles in TABLES.items()}
        for setup, key in (
                (Setup(EXCLUSIVE, "takeover"), ("O is killed", SEAL)), (Setup(EXCLUSIVE, "takeover"), ("N is stopped", ASKED)),
                (Setup(OVERLAP, "takeover"), ("N is stopped", CLOSES))):
            if key not in self.rows[setup]:
                raise SystemExit(f"{path}: {setup}: nothing about '{key[0]}' while '{key[1]}'")

    @staticmethod
    def read(path, sections, title):
        text = [section for section in sections if section.startswith(title)]
        if not text:
            raise SystemExit(f"{path}: no section '{title}'")
        table, steps = collections.defaultdict(list), []
        for line in text[0].splitlines():
            cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
            if len(cells) != 5 or cells[0] == "fault" or cells[0].startswith("-"):
                continue
            if cells[1] != "(or)":
                steps = re.sub(r", not yet heard", " (not yet heard)", cells[1]).split(", ")
            for step in steps:
                table[cells[0], step].append((cells[2], cells[4], cells[3]))
        return table

    @staticmethod
    def outcomes(who, told):
        if who.startswith("nobody"):
            return {ALONE}
        if who == "N, as a first generation":
            return {COLD}
        if "once" in who:
            return {HANGS}
        if who == "N":
            return {UNSEALED if "LIVE (unsealed)" in told else SUCCESSOR_OWNS}
        if who != "O":
            raise SystemExit(f"docs/evidence/handoff-faults.md: who is '{who}'?")
        return {BACK if "RESUME (unsealed)" in told else STAYS}

    @staticmethod
    def wait(text, whole):
        known = {**DEADLINES, "whole": whole, "drain": whole, "seal": whole}
        return max((sum(known[word] for word in way.split(" + ")) for way in text.split(" or ")), default=0) if text != "-" else 0

    def expected(self, setup, fault, step, whole, long_stop):
        """{outcome: at most so many milliseconds without service}"""
        if fault.kind == "errno":  # before the commit it calls the handoff off or does not matter; behind it the successor owns or gives back
            return dict.fromkeys((STAYS, SUCCESSOR_OWNS, BACK), (whole if setup.mode == EXCLUSIVE else PROBATION_MS) + LIVE_MS)
        if fault.party == "child":
            return {STAYS: 0, SUCCESSOR_OWNS: 0}
        if fault.lasts == "brief":
            return {SUCCESSOR_OWNS: 0}
        found = {}

        def add(outcome, wait):
            found[outcome] = max(found.get(outcome, 0), wait)

        name = f"{'O' if fault.party == 'owner' else 'N'} is {'killed' if fault.kind == 'kill' else 'stopped'}"
        for where in STEPS[setup.mode][fault.party].get(step, []):
            rows = self.rows[setup].get((name, where), [])
            if where == BEFORE:
                kill = ("nobody: start anew", "", "-"), ("N, as a first generation", "", "0")
                rows = kill if fault.kind == "kill" else [("O, once it is continued", "", "-")]
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
                    if fault.lasts == "long" and setup.way == "takeover" and fault.party == "successor" and outcome == STAYS:
                        add(SUCCESSOR_OWNS, long_stop)
        if fault.lasts == "long":
            found.pop(HANGS, None)
        return found
