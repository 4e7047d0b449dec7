"""The shared trace and the files of a run, as c-tests/helpers/handoff_trace.h and handoff_record.h have them; and the times of a run."""
import collections
import struct
import time

EVENTS = ("HOLE START OFFERED NEW_FAILED WARM TOLD ANSWERED REFUSED WRITE_ON WRITE_OFF ACCEPT_ON ACCEPT_OFF RIVAL_DEAD RIVAL_ALIVE"
          " BAD_REVISION UPGRADE UPGRADED HOLDS EXIT TROUBLE OWNS").split()
TOLD = {1: "DRAIN", 2: "SEAL", 3: "LIVE", 4: "RESUME", 5: "RETIRE", 6: "COMMITTED", 7: "ABORTED"}
SWEEP, PORT, HOLD, HELD, COMMAND, STOP, ACKS, LAST_PID, LIVE, PROBATION, WHOLE, MODE = range(8, 56, 4)
LAST_NS, SEAL_LIMIT = 56, 64
HEADER, ENTRY, ENTRIES = 4096, struct.Struct("=QIIqq"), 4096
UPGRADE, WAIT, COUNT, QUIT = 1, 2, 3, 4
OWNER, SUCCESSOR = 1, 2
HUNG, NOBODY = -1, -2
RECORD = struct.Struct("=QQQII")
CLIENT = struct.Struct("=QQQQII")
ACKNOWLEDGED, REFUSED, BROKEN, UNANSWERED = 1, 2, 3, 4

# ---- times of a run, milliseconds ----

LIVE_MS, PROBATION_MS, WHOLE_MS = 300, 50, 2000
SEAL_MS = 300         # in overlap mode a successor waits that long for a standby that is silent
SHORT_WHOLE_MS = 800  # of runs with a stop: what is awaited for it
SLACK_MS = 1500       # for the machine: two processors, many processes
OFFER_MS = 5000       # how long a successor waits for an offer, and an owner for a greeting

Event = collections.namedtuple("Event", "ns pid name a b")
EXCLUSIVE, OVERLAP = MODES = "exclusive", "overlap"  # in the order of the PS_HANDOFF_* numbers
WAYS = "spawned", "takeover"


class Setup(collections.namedtuple("Setup", "mode way")):
    def __str__(self):
        return f"{self.mode}, {self.way}"


def now_ns():
    return time.clock_gettime_ns(time.CLOCK_MONOTONIC)
