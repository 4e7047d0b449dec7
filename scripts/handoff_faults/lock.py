"""S6: whether the lock is held, asked again and again while a run goes on."""
import fcntl
import os

EXITING = 4  # PF_EXITING: it may have closed its files already


def runs(pid):
    try:
        with open(f"/proc/{pid}/stat") as stat:
            fields = stat.read().rsplit(")", 1)[1].split()
            return fields[0] not in "ZX" and not int(fields[6]) & EXITING
    except (FileNotFoundError, ProcessLookupError):
        return False


class LockProbe:
    """Asks only while somebody accepts: then the lock is not to be had, and asking for it disturbs nobody."""

    def __init__(self, path):
        self.path, self.fd, self.bad = path, None, []

    def probe(self, run):
        acting = [pid for pid in run.servers() if run.accepts(pid)]
        if not acting or self.bad:
            return
        if self.fd is None:
            self.fd = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        try:
            fcntl.flock(self.fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return
        fcntl.flock(self.fd, fcntl.LOCK_UN)
        still = [pid for pid in acting if runs(pid)]  # first: a trace that is read later tells of an end that came before
        run.look()
        for pid in still:
            if run.accepts(pid):
                self.bad.append(f"S6: the lock was free while {pid} accepted")

    def close(self):
        if self.fd is not None:
            os.close(self.fd)
