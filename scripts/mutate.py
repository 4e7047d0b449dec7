#!/usr/bin/env python3
"""Mutation testing of the handoff, its supervisor, of coordination, of preloading and of the fork server: known bugs are put into a copy of the sources, one at a time, and the tests that should notice are run.

  mutate.py [NAME ...]     those whose name holds NAME; all of them without
  mutate.py --list         what there is
  mutate.py --check        only whether each bug can still be put in, and its C tests are there
  mutate.py --write        writes the sections of docs/evidence/mutations.md: what was not run here keeps its row

B1 to B20 are bugs of an older protocol (Bn in tests and documents), S and L the laws of docs/reference/handoff-protocol.md. A bug that no test notices is told, and the exit code is 1.
The copy and what is built from it lie in target/mutants; results are kept there, so a run can be continued."""
import argparse
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

from coverage import covered

ROOT = Path(__file__).resolve().parent.parent
PLACE = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")).resolve() / "mutants"
TREE, BUILD, CMAKE, RESULTS = PLACE / "tree", PLACE / "build", PLACE / "cmake", PLACE / "results.json"
DOCUMENT = ROOT / "docs/evidence/mutations.md"
BEGIN, END = "<!-- scripts/mutate.py: begin -->", "<!-- scripts/mutate.py: end -->"
# One build serves the tests in Rust and in C, and is made quickly.
SETTINGS = {"CARGO_TARGET_DIR": str(BUILD), "PROCSUP_HOSTILE_SEEDS": "40", **{
    f"CARGO_PROFILE_{profile}_{what}": value for profile in ("DEV", "TEST") for what, value in (("OPT_LEVEL", "1"), ("DEBUG", "0"))}}
PATIENCE = 300  # seconds for one run of tests: who takes longer hangs

OWNER, SUCCESSOR, WORD = (f"machine/{name}.rs" for name in ("owner", "successor", "word"))
WATCH, OVERLAP, V1 = (f"machine/{name}.rs" for name in ("supervisor", "overlap", "v1"))
SUPERVISED = {WATCH: "handoff_supervisor_explorer", OVERLAP: "overlap_explorer", V1: "v1_explorer"}
SUPERVISED_UNITS = ("handoff::supervisor", "handoff::outcome", "handoff::machine")
RUST = ["handoff", "handoff_hostile"]
EXPLORER = ["handoff_explorer"]
SEARCHES = ("one_", "two_", "every_", "the_fault_table", "(")
PRELOADING = ["begun", "errands", "foreign_children"]
FORK_SERVER = ["newborns"]
NATIVE, INSIDE, SPAWNER = "src/preloader/native/host", "src/preloader/native/inside", "src/sys/spawner/program"
FORK_SERVER_UNITS = ("preloader::native", "supervisor::spawner", "registry::", "sys::fork", "sys::spawner")
PRELOADER_UNITS = ("preloader::", "report::", "journey::", "supervisor::", "registry::", "sys::")
COORDINATION = ["budget", "once_explorer", "scheduler_explorer", "scheduler_model"]
UNITS = ("coordination::", "supervisor::", "process::stop")
UNIT = ["wire.rs", "record.rs", "seqpacket.rs", "tlv.rs", "shared.rs", "socket.rs"]  # where tests stand beside the code


class Mutation:
    """One bug: what is searched (exactly one place) and what is put there. Files are those of src/handoff, or named from `src/` on
    (coordination). `c`: which C tests of the room are run, by parts of their names and by what their files say that they cover."""

    def __init__(self, name, text, *patches, c="", equivalent=""):
        self.name, self.text, self.patches, self.c, self.equivalent = name, text, patches, c, equivalent
        self.pure = any(file.startswith("machine/") for file, _, _ in patches)
        by_name = {"PA ": "preloader", "FS ": "fork server", "SU ": "supervised"}
        self.room = by_name.get(name[:3], "coordination" if patches[0][0].startswith("src/") else "handoff")
        self.c_room = {"fork server": "preloader", "supervised": "handoff"}.get(self.room, self.room)
        self.unit = self.room != "handoff" or any(file.split("/")[-1] in UNIT for file, _, _ in patches)


M = Mutation
MUTATIONS = [
    # ---- the bugs of the older protocol ----
    M("B1", "`O_NONBLOCK` is cleared on receipt",
      ("holdings.rs", "let old = self.named.insert(name, fd);\n                self.replaced.extend(old);\n            }\n            Place::Own(Own::State)",
       "let _ = nix::fcntl::fcntl(&fd, nix::fcntl::FcntlArg::F_SETFL(nix::fcntl::OFlag::empty()));\n                self.named.insert(name, fd);\n            }\n            Place::Own(Own::State)"),
      c="LAW-16|B20"),
    M("B2", "a successor that owns gives up when the channel ends (there, it was the supervisor's)",
      (SUCCESSOR, "(P::Opening, E::Hangup) => {\n                self.cut = true;\n                List::none()\n            }",
       "(P::Opening, E::Hangup) => self.end(Reason::HungUp),"), c="B3|overlap_owner"),
    M("B3", "a warm successor gives up when the owner dies",
      (SUCCESSOR, "(P::Warm, E::PeerGone) => {\n                self.orphan = true;\n                self.go(P::Promoting, Deadline::NEVER, &[Action::Ask(Ask::Promote)])\n            }",
       "(P::Warm, E::PeerGone) => self.end(Reason::Died),"), c="B3|overlap_owner"),
    M("B3 loading", "a loading successor gives up when the owner dies",
      (SUCCESSOR, "(P::Loading, E::PeerGone) => {\n                self.orphan = true;\n                self.go(P::Loading, Deadline::NEVER, &[])\n            }",
       "(P::Loading, E::PeerGone) => self.end(Reason::Died),"), c="B3"),
    M("B4", "no probation: the owner retires when the successor serves",
      (OWNER, "fn stand_by(&mut self, now: i64) -> List {", "fn stand_by(&mut self, now: i64) -> List {\n        if now > 0 { return self.retire(); }"), c="B4|B14|whole_order"),
    M("B5", "the control path is bound anew by the successor",
      ("successor/store.rs", "self.arrived.control = Some(fd),", "self.arrived.control = self.arrived.lock.as_ref().and_then(|lock| {\n                    let there = crate::handoff::control::leftover(&core.path).ok()?;\n                    crate::handoff::control::bind(&core.path, lock, there).ok().map(|(listener, _)| listener)\n                }).or(Some(fd)),"), c="S7|L3"),
    M("B6", "no RESUME after a failed drain",
      (OWNER, "(_, E::Failed) if self.may_cancel()", "(P::Draining, E::Failed) => {\n                self.drained = false;\n                self.abort(Reason::Failed)\n            }\n            (_, E::Failed) if self.may_cancel()"),
      c="S12"),
    M("B7", "no RESUME after a failed seal",
      (OWNER, "(_, E::Failed) if self.may_cancel()", "(P::Sealing, E::Failed) => {\n                self.drained = false;\n                self.abort(Reason::Failed)\n            }\n            (_, E::Failed) if self.may_cancel()"),
      c="S12"),
    M("B8 owner", "the owner waits for ever: DRAIN, SEAL, acknowledgements",
      (OWNER, "after(now, limit).min(self.whole)", "after(now, limit).max(Deadline::NEVER)"), c="L2"),
    M("B8 whole", "the owner waits for ever for WARM",
      (OWNER, "if which == part => self.go(P::Warming, self.whole, &[]),", "if which == part => self.go(P::Warming, Deadline::NEVER, &[]),"), c="L2"),
    M("B8 live", "the owner waits for ever for LIVE",
      (OWNER, "self.go(P::Handing, after(now, self.limits.live), &[Action::SendCommit])", "self.go(P::Handing, Deadline::NEVER, &[Action::SendCommit])"), c="B4"),
    M("B8 successor", "a warm successor waits for ever",
      (SUCCESSOR, "self.go(P::Warm, self.whole, &[Action::SendWarm])", "self.go(P::Warm, Deadline::NEVER, &[Action::SendWarm])"), c="owner_hangs_before"),
    M("B8 guests", "a silent guest keeps others out",
      ("owner/guests.rs", "if self.door.guests.len() == GUESTS {\n                        let oldest = self.door.guests[0].token;\n                        // It may have greeted already.\n                        self.hear_guest(core, oldest);\n                        drop(self.door.dismiss(core, oldest));\n                    }",
       "if !self.door.guests.is_empty() {\n                        continue;\n                    }"), c="B8"),
    M("B9", "claimed descriptors are not kept for the next handoff",
      ("calls.rs", "let (fd, copy) = taken.ok_or_else(|| not_found(name))?;\n            // The application's from here on.\n            driver.core.custody.leave(&fd);\n            driver.core.hand_on(name, copy);\n            Ok(fd)",
       "let (fd, _copy) = taken.ok_or_else(|| not_found(name))?;\n            Ok(fd)"), c="fifty_in_a_row|B20"),
    M("B12", "DRAIN comes with the offer: the successor loads while nobody works",
      (OWNER, "if which == part => self.go(P::Warming, self.whole, &[]),",
       "if which == part => {\n                self.drained = true;\n                self.go(P::Draining, self.whole, &[Action::Tell(Notice::Drain)])\n            }"), c="whole_order"),
    M("B13", "the lock is given up by the old generation with its end (`LOCK_UN`)",
      ("owner/side.rs", "fn release(&mut self, core: &mut Core) {", "fn release(&mut self, core: &mut Core) {\n        crate::sys::lockfile::unlock(&self.lock);"),
      ("../sys/lockfile.rs", "/// Whether the path names this very file.",
       "/// Unlocks.\npub fn unlock(file: &OwnedFd) {\n    // SAFETY: no pointers.\n    let _ = unsafe { check(syscall!(libc::SYS_flock, file.as_raw_fd(), libc::LOCK_UN)) };\n}\n\n/// Whether the path names this very file."),
      c="control_path|whole_order|fifty_in_a_row"),
    M("B14", "a successor serves when it is warm, before it owns",
      (SUCCESSOR, "(P::Loading, E::Warm) => self.go(P::Warm, self.whole, &[Action::SendWarm]),",
       "(P::Loading, E::Warm) => {\n                let mut list = self.open(false);\n                list.push(Action::SendWarm);\n                list\n            }"), c="whole_order"),
    # ---- who owns ----
    M("S1 message", "COMMIT is believed without a look at the word",
      (SUCCESSOR, "(P::Warm, E::Commit) => self.go(P::Looking, self.deadline, &[Action::Ask(Ask::Look)]),", "(P::Warm, E::Commit) => self.open(false),")),
    M("S1 promote", "a successor promotes itself when the channel ends, without proof of a death",
      (SUCCESSOR, "(P::Loading | P::Warm, E::Hangup) if !self.orphan => {",
       "(P::Warm, E::Hangup) => self.go(P::Promoting, Deadline::NEVER, &[Action::Ask(Ask::Promote)]),\n            (P::Loading | P::Warm, E::Hangup) if !self.orphan => {"), c="L1|B3"),
    M("S1 take back", "the standby takes back when the channel ends, without proof of a death",
      (OWNER, "(P::Handing | P::Closing | P::Probation | P::Asking | P::Parting, E::Hangup) => {\n                self.cut = true;\n                List::none()\n            }",
       "(P::Handing | P::Closing | P::Probation | P::Asking | P::Parting, E::Hangup) => self.reclaim(Ask::TakeBack),"), c="B4"),
    M("S1 kill", "the standby takes back when it has killed, before the death",
      (OWNER, "&[Action::Kill]),\n            (P::Condemning, E::Record(_, false, View::Live))", "&[Action::Kill, Action::Ask(Ask::TakeBack)]),\n            (P::Killing, E::Record(Ask::TakeBack, true, _)) => self.resume_after(Reason::Died),\n            (P::Condemning, E::Record(_, false, View::Live))"), c="B4"),
    M("S1 reclaim", "ABORT after the commit is believed without a look at the word",
      (WORD, "(Ask::Reclaim, View::Returned)", "(Ask::Reclaim, View::Returned | View::Committed | View::Live)"), c="B14|S9"),
    M("S1 settled", "SETTLED is believed without a look at the word",
      (OWNER, "E::Settled) => {\n                self.heard = true;\n                self.with(&[Action::Ask(Ask::Look)])", "E::Settled) => {\n                self.retire()")),
    M("S1 ticket", "the word does not know which attempt it is of",
      (WORD, "let mine = self.handoff == ticket.handoff;", "let mine = true;")),
    M("S3 delta", "the commit does not wait for what changed since the offer",
      (OWNER, "match parts {\n            0 => self.commit(),", "match parts {\n            0.. if now > 0 => self.commit(),\n            0 => self.commit(),"), c="D1.7"),
    M("S3 revision", "the revision is not noted", ("owner/side.rs", "self.record.set_revision(revision);", "let _ = revision;"), c="whole_order_exclusive"),
    M("S3 unsealed", "a promoted successor is told that all was sealed",
      (SUCCESSOR, "self.promoted = true;\n                self.open(true)", "self.promoted = true;\n                self.open(false)"), c="B3"),
    M("S3 reload", "a standby that takes back is not told to reload",
      (OWNER, "Action::Tell(Notice::Resume { unsealed: true })", "Action::Tell(Notice::Resume { unsealed: false })"), c="B4|B14"),
    M("S4 take back", "a take-back uses the successor's generation again",
      (WORD, "View::Returned | View::Next) => word(2, Stage::Settled),", "View::Returned | View::Next) => word(1, Stage::Settled),"), c="B4"),
    M("S4 file", "the lock file does not count", ("record.rs", "let _ = lockfile::write(lock, padded.as_bytes());", "let _ = (lock, padded, lockfile::write);"), c="control_path_and_lock"),
    M("S5 unclaimed", "what nobody took stays open",
      ("successor/side.rs", "core.close_unclaimed();\n                Event::Live", "Event::Live"), c="S5"),
    M("S5 standby", "the standby closes what it has handed on when the successor serves",
      ("owner/side.rs", "core.tell(notice, answer, 0);", "if notice == Notice::Committed {\n                    core.close_estate();\n                }\n                core.tell(notice, answer, 0);"), c="B4|fifty_in_a_row"),
    M("S7 shutdown", "the control path's socket is shut down by who leaves",
      ("owner/side.rs", "fn release(&mut self, core: &mut Core) {", "fn release(&mut self, core: &mut Core) {\n        if let Some(listener) = self.door.listener() {\n            let _ = nix::sys::socket::shutdown(std::os::fd::AsRawFd::as_raw_fd(listener), nix::sys::socket::Shutdown::Both);\n        }"), c="fifty_in_a_row|whole_order"),
    M("S7 path", "the control path is not listened to again after an abort",
      ("owner/side.rs", "core.end(peer.and_then(Peer::dismiss));\n                self.door.watch(core);", "core.end(peer.and_then(Peer::dismiss));"), c="a_hundred_aborts"),
    M("S8 dismiss", "a spawned successor that is not needed is left running",
      ("peer.rs", "let _ = child.stop(-1, Cause::Stop);", "let _ = &Cause::Stop;"), c="S7|L2"),
    M("S9 disown", "the successor stays a child to be swept after the commit",
      (OWNER, "&[Action::Disown, Action::Ask(Ask::Commit)]", "&[Action::Ask(Ask::Commit)]"), c="S9|whole_order"),
    M("S9 condemn", "a settled owner can be condemned", (WORD, "(Ask::Condemn, View::Committed | View::Live)", "(Ask::Condemn, View::Committed | View::Live | View::Next)"), c="S9"),
    M("S9 kill", "the standby kills without condemning",
      (OWNER, "(P::Asking, E::Timeout) => self.go(P::Condemning, Deadline::NEVER, &[Action::Ask(Ask::Condemn)]),",
       "(P::Asking, E::Timeout) => self.go(P::Killing, after(now, self.limits.live), &[Action::Kill]),"), c="S9|B4"),
    M("S9 settle", "a condemned successor can settle", (WORD, "(Ask::Settle, View::Committed | View::Live)", "(Ask::Settle, View::Committed | View::Live | View::Condemned)")),
    # ---- who may speak, and what ----
    M("S10 user", "any user is admitted", ("trust.rs", "uid == 0 || uid == nix::unistd::geteuid().as_raw()", "uid < u32::MAX"), c="S10"),
    M("S10 sender", "a message of any process is taken", ("../channel/seqpacket.rs", "if sender.pid == self.peer {", "if sender.pid != 0 {")),
    M("S10 ahead", "what was sent before the pidfd was opened says whose it is", ("owner/offer.rs", "if !found.1 && !link.is_silent() {", "if !found.1 && !link.is_silent() && link.peer < 0 {"), c="sent_ahead"),
    M("S10 lock", "another user's process is believed, whatever lock it sends", ("trust.rs", "lockfile::is_holders(lock, &directory, name) == Ok(true)", "lockfile::is_holders(lock, &directory, name).is_ok()"), c="S10"),
    M("S10 page", "a page that could be shortened is mapped", ("../sys/shared.rs", "let is_page = seals.contains(SealFlag::F_SEAL_SHRINK) && ", "let is_page = !seals.is_empty() && ")),
    M("S10 state", "a state that is not sealed is taken", ("holdings.rs", "if memfd::is_sealed(&fd) =>", "if memfd::is_sealed(&fd) || true =>")),
    M("S10 relisten", "a new owner does not listen anew: whoever connects sees the one before it",
      ("owner/side.rs", "        if let Some(listener) = side.door.listener() {\n            let _ = socket::relisten(listener);\n        }\n        side.publish(core);", "        side.publish(core);"), c="fifty_in_a_row|whole_order|S10"),
    M("S11 id", "another handoff's messages are taken", ("../channel/seqpacket.rs", "if !of_this || message.seq <= self.seen {", "let _ = of_this;\n                if message.seq <= self.seen {")),
    M("S11 sequence", "old messages are taken", ("../channel/seqpacket.rs", "if !of_this || message.seq <= self.seen {", "if !of_this {")),
    M("S11 part", "any part's acknowledgement counts",
      (OWNER, "(P::Offering(part), E::Ack(which)) if which == part => self.go", "(P::Offering(part), E::Ack(which)) if which >= part => self.go"), c="six_hundred"),
    M("S11 places", "descriptors and places need not be as many", ("../channel/tlv.rs", "(P::descriptors(&body) == fds).then_some(body)", "(P::descriptors(&body) >= fds).then_some(body)")),
    M("S12 resume", "RESUME though DRAIN was not told", (OWNER, "if core::mem::take(&mut self.drained) {", "self.drained = false;\n        if self.phase == Phase::Serving {"), c="S7"),
    M("S13 leak", "descriptors that came with a truncated message stay open",
      ("../channel/seqpacket.rs", "if received.truncated {\n            return Found::Truncated;", "if received.truncated {\n            std::mem::forget(received);\n            return Found::Truncated;"), c="successor_without"),
    # ---- liveness ----
    M("L1 order", "a deadline counts before a death",
      ("driver.rs", "&& !side.look_at_peer(core) && !side.postpones(core, now)", "&& !side.postpones(core, now)"), c="B3|L1",
      equivalent="between the two looks lie microseconds, which no test can hit; the explorer's careless driver shows what they would cost"),
    M("L1 dying", "a successor does not wait for an owner that takes long to die", ("driver.rs", "&& !side.look_at_peer(core) && !side.postpones(core, now)", "&& !side.look_at_peer(core)"), c="B3|L1"),
    M("L2 whole", "the offer says only how long the offer itself may take",
      ("owner/offer.rs", "self.machine.whole().left(clock::now())", "self.machine.deadline.left(clock::now())"), c="L2"),
    M("S11 parts", "the parts of each DELTA are numbered from 0",
      ("owner/offer.rs", "(self.next, self.next.saturating_add(count))", "(0, count)"), c="S11|S3"),
    M("L1 wake", "SEAL is told without a look at whether the successor is awake",
      (OWNER, "Mode::Exclusive if parts > 0 => self.probe(parts, 0, now)", "Mode::Exclusive if parts > u16::MAX - 1 => self.probe(parts, 0, now)"), c="L1"),
    M("L1 words", "the end of the channel comes before the last words",
      ("../sys/socket.rs", "Err(Errno::EINTR | Errno::ECONNRESET) => {}\n            Err(errno) => return Err(errno),\n            Ok(length) => break length,", "Err(Errno::EINTR) => {}\n            Err(errno) => return Err(errno),\n            Ok(length) => break length,"), c="S7|B14"),
    M("L1 reclaim", "what was returned is not taken back", (OWNER, "E::Abort(_)) => self.with(&[Action::Ask(Ask::Reclaim)])", "E::Abort(_)) => List::none()"), c="B14"),
    M("L1 look", "a warm successor does not look at the word by itself", ("successor/side.rs", "if !self.look_at.is_over(now) {", "if !self.look_at.is_over(now) || now > 0 {"), c="L1"),
    M("L1 slack", "no slack between the two deadlines", (SUCCESSOR, "const SLACK: i64 = 500_000_000;", "const SLACK: i64 = 0;"),
      c="L2", equivalent="both verdicts are right, and both sides end; the slack only chooses which words come first"),
    M("L6 busy", "a second greeting begins a second handoff", ("owner/guests.rs", "if !self.is_serving() || self.spawning || core.has_untaken() {", "if self.is_serving() && self.spawning {"), c="L6"),
    # ---- coordination; the first two are those of the reference ----
    M("CO double spawn", "the end of a window frees the start that is under way, as in the reference",
      ("src/coordination/budget/key.rs", "        if self.used > 0 && now - self.window >= rules.window {\n            self.forget_counts();\n        }\n        match self.phase {\n            Phase::InFlight { until: Some",
       "        if self.used > 0 && now - self.window >= rules.window {\n            self.forget_counts();\n            self.phase = Phase::Rest;\n        }\n        match self.phase {\n            Phase::InFlight { until: Some"), c="budget_window"),
    M("CO late finish", "a stale finish ends whatever start of its key is under way, as in the reference",
      ("src/coordination/budget/keys.rs", "            if let Some(permit) = before {\n                self.permits.remove(&permit);\n            }\n",
       ""),
      ("src/coordination/budget/key.rs", "            (Phase::InFlight { permit: valid, .. } | Phase::Proving { permit: valid, .. }, Outcome::Failed) if valid == permit => {",
       "            (Phase::InFlight { permit: valid, .. } | Phase::Proving { permit: valid, .. }, Outcome::Failed) if valid >= permit => {"), c="budget_late|budget_stale"),
    M("CO finished twice", "a permit can be finished again",
      ("src/coordination/budget/key.rs", "                self.phase = Phase::Rest;\n                Ok(())\n            }\n            _ => Err(Stale),\n        }\n    }\n\n    /// The permit has no lease",
       "                self.phase = Phase::Rest;\n                Ok(())\n            }\n            (Phase::Rest, _) => Ok(()),\n            _ => Err(Stale),\n        }\n    }\n\n    /// The permit has no lease"),
      ("src/coordination/budget/keys.rs", "            if let Some(permit) = before {\n                self.permits.remove(&permit);\n            }\n",
       ""), c="budget_stale|budget_permit"),
    M("CO healthy", "a success counts at once, however soon its child dies",
      ("src/coordination/budget/key.rs", "                if healthy > 0 {\n",
       "                if healthy > i64::MAX - 1 {\n"), c="budget_ready|early_death_after"),
    M("CO healthy word", "who proves itself and is needed again is taken for a success",
      ("src/coordination/budget/key.rs", "        self.phase = Phase::Rest;\n        if self.used >= rules.attempts {",
       "        if matches!(self.phase, Phase::Proving { .. }) {\n            self.forget_counts();\n        }\n        self.phase = Phase::Rest;\n        if self.used >= rules.attempts {"), c="budget_ready"),
    M("CO storm", "each refusal is told as a storm",
      ("src/coordination/budget/key.rs", "let storm = !core::mem::replace(&mut self.storm, true);",
       "let storm = true;\n            self.storm = true;"), c="budget_storm"),
    M("CO storm success", "a success leaves the storm told",
      ("src/coordination/budget/key.rs", "(self.used, self.storm, self.window) = (0, false, 0);", "(self.used, self.window) = (0, 0);"), c="bound_success_arms"),
    M("CO clock", "a clock that goes backwards is time elapsed when it comes back",
      ("src/coordination/budget/keys.rs", "*self = Self { total: self.at(now), last: Some(now) };",
       "*self = Self { total: self.at(now), last: Some(self.last.map_or(now, |last| last.max(now))) };")),
    M("CO prune", "a key is dropped while its permit is out",
      ("src/coordination/budget/key.rs", "self.used == 0 && self.landed == 0 && self.phase == Phase::Rest",
       "self.used == 0 && self.landed == 0")),
    M("CO moved permit", "the permit of a key that takes the place of a dropped one is lost",
      ("src/coordination/budget/keys.rs", "            self.permits.insert(permit, at);\n        }\n    }\n\n    fn sweep",
       "            let _ = (permit, at);\n        }\n    }\n\n    fn sweep")),
    M("CO second connect", "who has the lock does not look again whether somebody accepts",
      ("src/coordination/once/machine.rs", "if self.endpoint { Task::Connect } else { Task::Look }\n            }\n            (Task::Look",
       "Task::Look\n            }\n            (Task::Look"), c="once_of_twenty|once_of_several"),
    M("CO workers", "the lock that a dead daemon's workers hold on counts as a daemon",
      ("src/coordination/once/machine.rs", "(_, Recorded::Dead | Recorded::Unborn) => false,",
       "(held, Recorded::Dead) => held,\n        (_, Recorded::Unborn) => false,"), c="once_workers"),
    M("CO closefrom", "a daemon that has closed its lock counts as none",
      ("src/coordination/once/machine.rs", "(_, Recorded::Alive) => true,",
       "(held, Recorded::Alive) => held,"), c="once_daemon_that_closed"),
    M("CO sweep", "idle keys are never dropped", ("src/coordination/budget/keys.rs", "const SWEEP: usize = 32;", "const SWEEP: usize = 0;"), c="budget_million"),
    M("CO unlock", "a lock is closed and not unlocked: it lives on in a copy of its holder",
      ("src/sys/lockfile.rs", "unsafe { syscall!(libc::SYS_flock, file.as_raw_fd(), libc::LOCK_UN) };", "unsafe { syscall!(libc::SYS_getpid) };"), c="free_beside_a_living_copy"),
    M("CO path", "who takes a lock does not look whether the path still names it",
      ("src/coordination/spawn_lock/attempt.rs", "Ok(false) => return Ok(Tried::Replaced(taken)),", "Ok(false) => {}"),
      c="spawn_lock_replaced|spawn_lock_follows_its_path"),
    M("CO sender", "whoever sends is heard as the child", ("src/coordination/notify/receiver.rs", "if sender == whom.pid {", "if sender > 0 {"), c="notify_main_process|notify_strangers"),
    M("CO watchdog end", "one that its watchdog has ended, and that leaves with 0, has not failed",
      ("src/supervisor/restart.rs", "            Cause::Watchdog => Ended::Failed(ran),\n", ""), c="watchdog_is_a_failure"),
    M("CO abort", "a watchdog runs the stop plan without SIGABRT",
      ("src/process/stop.rs", "    whole.push(Step { signal: libc::SIGABRT, wait_ms });\n", "    let _ = wait_ms;\n"), c="watchdog_silence"),
    M("CO own pids", "WATCHDOG_PID is not written", ("src/sys/spawn/child.rs", "in &orders.own_pids {", "in &orders.own_pids[..1] {"), c="notify_environment"),
    M("CO last words", "what a child said just before its end is not told",
      ("src/supervisor/carry_out.rs", "let mut jobs = self.tell_signs(&mut ledger, managed, child);\n        jobs.extend(", "let mut jobs: Vec<Job> = Vec::new();\n        jobs.extend("),
      c="ready_comes_before_the_exit"),
    M("CO late look", "one that is dead is judged by the clock of who looks late",
      ("src/process/child/readying.rs", "let gone = late && self.is_dead();", "let gone = false && late;"), c="late_look"),
    M("CO lease", "the permit of a child that takes long to be ready ends with its lease",
      ("src/coordination/budget/mod.rs", "        let rules = self.kept();\n", "        let rules = self.rules();\n"), c="bound_permits_come_back"),
    M("CO unborn", "the lock that was held when no daemon was born counts as a daemon",
      ("src/coordination/once/machine.rs", "(_, Recorded::Dead | Recorded::Unborn) => false,",
       "(_, Recorded::Dead) => false,\n        (held, Recorded::Unborn) => held,"), c="once_child_between|once_starter_killed"),
    M("CO recycled", "whoever has the daemon's number is taken for it",
      ("src/coordination/once/files.rs", "Some(false) => (Recorded::Dead, None),", "Some(false) => (Recorded::Alive, Some(pidfd)),"), c="once_record_of_another"),
    M("CO full", "a message that was not sent is told as sent",
      ("src/coordination/service/notify.rs", "Err(Errno::EAGAIN) => Ok(Sent::Full),", "Err(Errno::EAGAIN) => Ok(Sent::Queued),"), c="notify_never_waits"),
    M("CO window's time", "who waits for a window behind one that is given up has no time", ("src/supervisor/scheduler.rs", "if !waits {", "if false && !waits {"),
      c="bound_waiting_child"),
    M("CO storm waits", "a storm is not told to one that rests already",
      ("src/supervisor/scheduler.rs", "let tell = storm || bound.told < Told::Deferred;", "let tell = bound.told < Told::Deferred;"), c="bound_storm_of_a_later"),
    M("CO reaped number", "after a reap by somebody else a stranger with the child's number is heard",
      ("src/coordination/notify/receiver.rs", "return !whom.reaped || is_reaped_child(whom, found);", "return true;"), c="notify_from_a_recycled"),
    M("CO linger", "a socket that came with a message is closed as long as its sender likes",
      ("src/sys/datagram.rs", "    let _ = setsockopt(&fd, sockopt::Linger, &never);\n", "    let _ = (&fd, never);\n"), c="notify_descriptor_that_closes_slowly"),
    M("CO short wait", "who waits for one that comes back is told of a run's failure",
      ("src/supervisor/managed/ready.rs", "None if patience.is_over() && self.comes_back() => return Ok(false),", "None if false && self.comes_back() => return Ok(false),"),
      c="wait_ready_of_a_failed_run"),
    M("CO odd name", "a process whose name is no text cannot be seen",
      ("src/sys/procfs.rs", "other => return other.map(|length| String::from_utf8_lossy(&line[..length]).into_owned()),",
       "other => return other.and_then(|length| String::from_utf8(line[..length].to_vec()).map_err(std::io::Error::other)),"),
      c="once_daemon_that_is_hard_to_know"),
    M("CO watch behind", "who has waited for another's start keeps an inotify instance", ("src/supervisor/once.rs", "lockwatch::close_parked();", "();"),
      c="once_leaves_no_watch"),
    # ---- workers and preloaders ----
    M("PA in vain", "an errand that leaves what it was told of keeps its host awake",
      ("src/supervisor/errands/turns.rs", "if slot.in_vain > IN_VAIN {", "if false {")),
    M("PA poke chain", "a poke in a turn is a turn within it",
      ("src/supervisor/errands/turns.rs", "if !in_turn() {", "if true {")),
    M("PA descriptors", "what an errand watches beyond the bound is not looked at",
      ("src/supervisor/errands/turns.rs", "if !all {", "if false {")),
    M("PA close", "a supervisor that is freed leaves its errands without a word",
      ("src/supervisor/shutdown.rs", "self.call_off_errands();", "();")),
    M("PA second process", "a process that comes when another is there counts",
      ("src/supervisor/errands/begun.rs", "if in_time {", "if in_time || true {")),
    M("PA let speak", "a waiter is told of an end before who follows the child has spoken",
      ("src/supervisor/managed/ready.rs", "if self.is_begun() {", "if false {")),
    M("PA zero", "a status of 0 is believed of a process that may not be looked at",
      ("src/sys/stranger.rs", "may_be_seen(number))", "may_be_seen(number) || true)")),
    M("PA ours by now", "a worker that has become this process's child stays a zombie",
      ("src/registry/slot.rs", "stranger::end(fd, pid, true)", "stranger::end(fd, pid, false)")),
    M("PA number of a stranger", "a stranger is signalled by its number where a filter forbids the pidfd",
      ("src/registry/slot.rs", "Err(Errno::ENOSYS)", "self.kill_by_number(self.pid(), signal)")),
    M("PA alive twice", "a process that is in the registry is adopted once more",
      ("src/process/adopt.rs", "if registry::is_alive_twice", "if false && registry::is_alive_twice")),
    M("PA kinds", "a file that is no regular one is read",
      ("src/sys/foreign_file.rs", "if let Some(what) = kind(seen.st_mode) {", "if let Some(what) = kind(seen.st_mode).filter(|_| false) {")),
    M("PA owner of a file", "another user's file is read for an application",
      ("src/sys/foreign_file.rs", "seen.st_uid != whose", "false"), c="direct_hostile_user_shows_nothing_of_roots"),
    M("PA end of the word", "a finish FIFO that was closed without a byte counts as silence",
      ("src/preloader/session/mod.rs", "self.has_left() =>", "self.has_left() && false =>")),
    M("PA socket's owner", "a socket of another user is believed",
      ("src/preloader/session/prepare.rs", "found.st_uid != uid =>", "found.st_uid != uid && false =>")),
    M("PA stale lock", "a directory of a live host is removed as a dead one's",
      ("src/preloader/session/place.rs", "if !lockfile::try_lock(&stale)? {", "if !lockfile::try_lock(&stale)? && false {")),
    M("PA another gate", "a FIFO that somebody has put in the gate's place is opened",
      ("src/preloader/session/stdin.rs", "== self.identity {", "== self.identity || true {")),
    M("PA root by rule", "a user that is root stays root where a default user is given",
      ("src/preloader/session/switching.rs", "match asked.filter(|user| user.uid != 0)", "match asked")),
    M("PA number's group", "a number without an entry gets root's group",
      ("src/preloader/session/owner.rs", "Self::with_id(uid, uid)", "Self::with_id(uid, 0)")),
    M("PA category", "a call on a file is an error of the operating system",
      ("src/preloader/failure/category.rs", "_ if OF_FILES.contains(call) => Category::FileSystem,", "_ if OF_FILES.contains(call) => Category::OperatingSystem,")),
    M("PA culprit", "the last step that was done is blamed, not the next",
      ("src/preloader/journey.rs", "own.get(last + 1).or(own.last())", "own.get(last).or(own.last())")),
    M("PA mask", "a confidential argument is shown",
      ("src/preloader/failure/mask.rs", "self.names.contains(name) || ", "")),
    M("PA markup", "an application's HTML is taken as it is",
      ("src/preloader/failure/mod.rs", "markup::text_of(&html)", "html")),
    M("PA syntax", "what was written becomes syntax of a page",
      ("src/report/escape.rs", "'<' => escaped.push_str(\"&lt;\"),", "'<' => escaped.push('<'),")),
    M("PA trap", "a program that cannot be executed behind a login shell is not told of",
      ("src/preloader/setup/script.rs", "trap __ps_failed EXIT", "true")),
    M("PA PWD", "PWD is not the application's directory as it was given",
      ("src/preloader/setup/variables.rs", "list.set(\"PWD\", root);", "();")),
    M("PA certain", "who has named itself is believed without the kernel's word",
      ("src/preloader/client/proof.rs", "let descends = certain || in_its_group()", "let descends = itself || in_its_group()")),
    M("PA keep", "a worker's socket directory goes while it serves",
      ("src/preloader/direct.rs", "Keep::begin(&host, &kept_for, Arc::new(instance));", "drop((&host, &kept_for, instance));"), c="direct_worker_is_ready_when_it_says_so"),
    # ---- the fork server, and the spawner ----
    M("FS again", "a request that two preloaders have died over is asked a third time",
      (f"{NATIVE}/machine/orders.rs", "if std::mem::replace(&mut waiting.again, true) {", "if false {")),
    M("FS reload", "who waits in the pool outlives a reload",
      (f"{NATIVE}/machine/orders.rs", "self.births.discard_if(|_| true, actions);", ""), c="native_pool_of_an_old_generation"),
    M("FS spare", "the preloader before goes as soon as the promoted one says that it is ready",
      (f"{NATIVE}/machine/orders.rs", "actions.push(Action::Promoted(promotion.birth, generation));",
       "actions.push(Action::Promoted(promotion.birth, generation));\n            self.leave_spare(actions);"), c="promotion_new_preloader_that_is_killed"),
    M("FS trim", "a pool that was made smaller stays as it was",
      (f"{NATIVE}/machine/mod.rs", "self.births.trim(actions);", ""), c="native_pool_is_as_large"),
    M("FS ahead", "one birth more than is said is asked for ahead",
      (f"{NATIVE}/machine/mod.rs", "while self.births.under_way(generation).1 < AHEAD {", "while self.births.under_way(generation).1 < AHEAD + 1 {")),
    M("FS idle", "who waits of a promoted preloader that was given up is not taken",
      (f"{NATIVE}/machine/births.rs", "generation <= newborn.generation", "generation == newborn.generation")),
    M("FS rest", "births for the pool that fail are tried again at once",
      (f"{NATIVE}/machine/births.rs", "self.rest_until = now.saturating_add(REST_NS << self.failures.min(MOST_DOUBLED));", "self.rest_until = now;")),
    M("FS pause", "the pool is refilled while who was taken gets to work",
      (f"{NATIVE}/machine/answers.rs", "if pooled {\n            self.births.pause(now);", "if false {\n            self.births.pause(now);")),
    M("FS layout", "a reload is not heard",
      (f"{NATIVE}/machine/mod.rs", "Event::Reload => self.reload(now, &mut actions),", "Event::Reload => {}"), c="native_generations_have_layouts"),
    M("FS after all", "a preloader that was killed with all is started again",
      (f"{NATIVE}/work/processes.rs", "is_some_and(|child| child.was_killed_with_all()) {", "is_some_and(|child| child.was_killed_with_all() && false) {"), c="native_kill_all_refuses"),
    M("FS gate first", "signals are let in before the gate",
      (f"{INSIDE}/serving.rs", "let link = newborn::begin_forked(self, asked, own, &legacy, pass);\n                blocked.lift();", "blocked.lift();\n                let link = newborn::begin_forked(self, asked, own, &legacy, pass);"), c="native_gate_holds"),
    M("FS flush", "stdio is not flushed before a fork",
      (f"{INSIDE}/serving.rs", "fork::flush();", ""), c="native_buffered_output"),
    M("FS SIGCHLD", "signals are not blocked around a fork",
      (f"{INSIDE}/serving.rs", "let blocked = Blocked::all();\n        match self.fork_itself(!asked.hello_will_do) {", "struct Open;\n        impl Open {\n            fn lift(self) {}\n        }\n        let blocked = Open;\n        match self.fork_itself(!asked.hello_will_do) {"), c="native_sigchld"),
    M("FS kept open", "the preloader keeps its workers' ends",
      (f"{INSIDE}/serving.rs", "fds::close_copy(&number);", "let _ = &number;"), c="native_preloader_keeps_nothing"),
    M("FS closed gate", "a gate that was closed lets the newborn pass",
      (f"{INSIDE}/newborn.rs", "            other => match no_short_one(other)? {", "            Only::End => return Ok(()),\n            other => match no_short_one(other)? {"), c="native_gate_holds"),
    M("FS own group", "the preloader's own child leads no group before its host waits for it",
      (f"{INSIDE}/newborn.rs", "if own {", "if false {"), c="native_app_makes_workers"),
    M("FS inherited", "a worker keeps the preloader's channel",
      (f"{INSIDE}/newborn.rs", "    legacy.numbers.close();\n", ""), c="native_worker_has_nothing"),
    M("FS threads", "a process with threads forks",
      (f"{INSIDE}/mod.rs", "if others.is_empty() {", "if true || others.is_empty() {"), c="native_thread_forbids"),
    M("FS greeting", "what lies in a stranger's socket is taken",
      (f"{INSIDE}/opening.rs", "MsgFlags::MSG_PEEK | MsgFlags::MSG_DONTWAIT", "MsgFlags::MSG_DONTWAIT"), c="native_calls_inside"),
    M("FS kept", "a zombie is reaped before the host has seen it",
      (f"{INSIDE}/kept.rs", "if child.released {", "if true {"), c="native_child_of_a_preloader"),
    M("FS host gone", "the end of the channel is no end",
      (f"{INSIDE}/control.rs", "Found::End => self.stopped = true,", "Found::End => break,"), c="native_nobody_outlives"),
    M("FS tid", "a sibling has its original's thread id",
      ("src/sys/fork.rs", "libc::CLONE_PARENT | libc::CLONE_CHILD_SETTID |", "libc::CLONE_PARENT |"), c="native_sibling_keeps"),
    M("FS another child", "any child of the host passes for a newborn",
      ("src/process/adopt/newborn.rs", "Tie::Child => is_younger(pid, pidfd, maker),", "Tie::Child => true,"), c="native_another_child"),
    M("FS user", "a worker may be any user's",
      ("src/process/adopt/newborn.rs", "Some(is) if is == user => {}", "Some(_) if true => {}")),
    M("FS dropped", "who could not be reaped at once is forgotten",
      ("src/process/adopt/newborn.rs", "leftovers::keep(Arc::new(Dying(Mutex::new(Some(held)))), Errno::EBUSY);", "std::mem::forget(held);")),
    M("FS stray", "a worker that somebody has is buried as a stray",
      ("src/process/adopt/strays.rs", "Ok(Some(pid)) if registry::has_number(pid) => return overdue,", "")),
    M("FS hook", "the hook in the worker is not called: all draw the same random numbers",
      (f"{INSIDE}/serving.rs", "            self.call_hook(Moment::InWorker);\n", ""), c="native_random_numbers"),
    M("FS spawner gate", "a shut gate lets a spawner's child pass",
      (f"{SPAWNER}/worker.rs", "if gate == wire::OPEN {", "if gate != wire::BARRED {")),
    M("FS spawner barred", "barred gates let a spawner's child pass",
      (f"{SPAWNER}/worker.rs", " || memory.barred.load(Ordering::SeqCst) != 0 ||", " ||")),
    M("FS spawner parent", "a spawner's child is the spawner's",
      (f"{SPAWNER}/worker.rs", "(libc::CLONE_VFORK | libc::CLONE_PARENT | libc::CLONE_PARENT_SETTID)", "(libc::CLONE_VFORK | libc::CLONE_PARENT_SETTID)"), c="spawner_starts_programs"),
    M("FS spawner user", "who becomes another user shares memory until its exec",
      (f"{SPAWNER}/worker.rs", "let shares = flags & wire::APART == 0;", "let shares = flags & wire::APART == 0 || true;")),
    M("FS spawner hangs", "execs that hang use up the room of all",
      (f"{SPAWNER}/worker.rs", "HANGING.store(running, Ordering::Relaxed);", "let _ = running;"), c="spawner_hanging_exec"),
    M("FS spawner places", "a descriptor is put where another one still stands",
      (f"{SPAWNER}/request.rs", "need = need.max(step.from.wrapping_add(1));", "let _ = &mut need;")),
    M("FS spawner busy", "one that was told already is asked for again",
      ("src/supervisor/spawner/births.rs", "Some(birth) if birth.told => self.end(id, Why::Failed, actions),", "Some(_) if false => {}")),
    M("FS spawner kill-all", "who is made during kill-all is not looked for",
      ("src/registry/all.rs", "if slot::any_is_made_elsewhere() {", "if false && slot::any_is_made_elsewhere() {"), c="spawner_lets_nobody_escape"),
    # ---- a separate supervisor: native ----
    M("SU unseen", "a late or called-off child is killed at once, before it stands still and was looked at",
      (WATCH, "self.go(P::Freezing, after(now, STILL), &[Action::Freeze])", "self.go(P::Killing, Deadline::NEVER, &[Action::Kill])"), c="supervised_replacement_called_off"),
    M("SU heir", "another generation is started beside the child of a dead owner",
      (WATCH, "self.go(Phase::Orphaned, deadline, &[]);", "self.go(Phase::Starting, deadline, &[Action::SpawnFirst]);"), c="supervised_owner_dies"),
    M("SU rest", "nobody asks whether another may be started when none is left",
      (WATCH, "0 => self.go(Phase::Resting, Deadline::NEVER, &[Action::AskPermit]),", "0 => self.go(Phase::Resting, Deadline::NEVER, &[]),"), c="supervised_both_generations_die"),
    M("SU untold", "the application is not told that the owner has called its replacement off",
      (WATCH, "let told = self.aborted(Why::Said);\n                self.go(P::Aborting, after(now, GRACE), &[told])", "let _ = self.aborted(Why::Said);\n                self.go(P::Aborting, after(now, GRACE), &[])"), c="supervised_successor_dies"),
    M("SU thaw", "a child that was stopped, and may own, is not continued",
      (WATCH, "(P::Judging, E::Seen(_)) => self.may_own(List::of(&[Action::Thaw])),", "(P::Judging, E::Seen(_)) => self.may_own(List::none()),")),
    M("SU search", "it is looked for whoever owns without an end",
      (WATCH, "self.go(Phase::Searching, after(now, SEARCH), actions)", "self.go(Phase::Searching, Deadline::NEVER.max(after(now, SEARCH)), actions)")),
    M("SU budget", "a generation that ends at once is started again without a budget",
      (WATCH, "(P::Resting, E::Permit(false)) => self.go(P::Idle, Deadline::NEVER, &[Action::Tell(Told::GaveUp)]),", "(P::Resting, E::Permit(false)) => self.go(P::Starting, Deadline::NEVER, &[Action::SpawnFirst]),"), c="supervised_starts_within"),
    M("SU base", "the word of a dead owner is not looked at: its death is told, though it had handed over",
      (WATCH, "let ended = matches!(seen, Seen::Base | Seen::Offered | Seen::Unknown);", "let ended = seen != Seen::Handing || seen == Seen::Child;")),
    M("SU registry", "a generation that serves stays in the registry, and dies with its supervisor",
      ("supervisor/native/acting.rs", "            child.disown();\n            core.reactor.forget(CHILD);", "            core.reactor.forget(CHILD);"), c="supervised_supervisor_dies_with"),
    M("SU became", "a child that became a first generation by itself is judged by the dead owner's page",
      ("supervisor/native/seeing.rs", "if is_named(path, child)", "if false && is_named(path, child)"), c="supervised_child_that_became"),
    M("SU announced", "limits that were announced before the spawn do not count",
      ("owner/expected.rs", "(counts && self.is_meant(expected, pid)).then_some", "(counts && expected.pid == pid).then_some"), c="supervised_successor_greets_before"),
    M("SU hoards", "whatever an owner sends is kept", ("supervisor/native/channel.rs", "} else if self.named.len() < listeners::MOST {", "} else {"), c="supervised_hostile_owner"),
    M("SU record", "a process with another inode is the one that was written down",
      ("src/process/lasting.rs", "let is_it = self.marks.are_of(&pidfd);", "let is_it = self.marks.are_of(&pidfd).map(|_| true);"), c="notify_recovers_nobody_else"),
    # ---- overlap ----
    M("SU trial", "who is ready is taken for healthy",
      (OVERLAP, "fn ready(&mut self, limits: Limits, now: i64) {", "fn ready(&mut self, limits: Limits, now: i64) {\n        if now >= 0 {\n            return self.prove();\n        }"), c="notify_probation"),
    M("SU probation", "a probation has no time",
      (OVERLAP, "(self.stage, self.until) = (Stage::Probation, after(now, limits.probation));\n        }\n        // The last", "(self.stage, self.until) = (Stage::Probation, after(now, 0));\n        }\n        // The last"),
      (OVERLAP, "None => (self.stage, self.until) = (Stage::Probation, after(now, limits.probation)),", "None => (self.stage, self.until) = (Stage::Probation, after(now, 0)),")),
    M("SU looks", "a look that finds it unhealthy is believed to be good",
      (OVERLAP, "if !healthy {", "if !healthy && now < 0 {"), c="notify_health_by_http"),
    M("SU next", "the next one that fails is not ended",
      (OVERLAP, "_ => self.leave(Action::End(which), todo),", "_ if which == Which::Next => {}\n            _ => self.leave(Action::End(which), todo),"), c="notify_one_that_is_never_ready"),
    M("SU retired", "the old one is not told to end",
      (OVERLAP, "self.leave(Action::Retire, todo);\n                self.draining = true;", "self.draining = true;"), c="notify_good_daemon"),
    M("SU again", "nobody is started when none is left",
      (OVERLAP, "todo.push(Action::Start);", ""), c="notify_both_die"),
    M("SU commit", "COMMITTED is not told",
      (OVERLAP, "        todo.push(Action::Tell(Notice::Committed));\n", "")),
    M("SU twice", "ABORTED is told twice",
      (OVERLAP, "        self.follow(todo);\n        self.start_again(todo);", "        if which == Which::Next {\n            todo.push(Action::Tell(Notice::Aborted(failure)));\n        }\n        self.follow(todo);\n        self.start_again(todo);")),
    M("SU both", "the next one is ended with the current one",
      (OVERLAP, "        self.follow(todo);\n        self.start_again(todo);", "        if which == Which::Current && self.next.take().is_some() {\n            self.leave(Action::End(Which::Next), todo);\n        }\n        self.follow(todo);\n        self.start_again(todo);"), c="notify_old_one_dies"),
    M("SU alone", "a trial goes on although the old one is dead",
      (OVERLAP, "let alone = self.current.is_none_or(|seat| !seat.is_up());", "let alone = self.current.is_some_and(|seat| !seat.is_up());")),
    M("SU approved", "a command is gone back to before its trial is over",
      (OVERLAP, "filter(|seat| seat.stage == Stage::Proven && !seat.approved)", "filter(|seat| seat.is_up() && !seat.approved)")),
    M("SU dead", "who is dead is to leave",
      (OVERLAP, "Failure::Died => {}", "Failure::Died => self.leave(Action::End(which), todo),")),
    M("SU stop", "a stop is forgotten: others are started after it",
      (OVERLAP, "(self.stopping, self.rest) = (true, Deadline::NEVER);", "self.rest = Deadline::NEVER;")),
    M("SU clock", "no time is ever over for the next one",
      (OVERLAP, "Stage::Waiting if seat.until.is_over(now) => self.fail(which, Failure::NotReady, todo),", "Stage::Waiting if seat.until.is_over(now) && which == Which::Current => self.fail(which, Failure::NotReady, todo),"), c="notify_one_that_is_never_ready"),
    # ---- protocol v1 ----
    M("SU B3", "B3: a successor is dismissed because its owner has died",
      (V1, "(P::Greeting | P::Doubting | P::Draining | P::Sealing, _) => self.begin(rescue, list),", "(P::Greeting | P::Doubting | P::Draining | P::Sealing, _) => self.undo(Reason::Died, now, list),")),
    M("SU B5", "B5, B14: a late successor is killed before what it has said is read",
      (V1, "self.wait(P::Closing, Deadline::NEVER);\n                list.push(Action::Shut);", "self.kill(now, &mut list);")),
    M("SU B15", "B15: a late successor is killed although it is all that is left",
      (V1, "(P::Opening, _) => self.deadline = rescue,", "(P::Opening, _) => {}")),
    M("SU B16", "B16: the owner is believed to go on once it was told so",
      (V1, "(P::Resuming, E::OwnerBeat) if self.owes == Owes::Nothing && self.pinged => self.over_aborted(true, &mut list),", "(P::Resuming, E::OwnerBeat) => self.over_aborted(true, &mut list),")),
    M("SU early", "the owner is told to exit before the successor is ready",
      (V1, "list.push(Action::Begin);\n        list.push(Action::Journal(Record::AwaitingReady));", "list.push(Action::Begin);\n        list.push(Action::Commit);\n        list.push(Action::Journal(Record::AwaitingReady));")),
    # ---- the record; those who watch ----
    M("SU kept", "one record more is kept than is said",
      ("outcome/kept.rs", "while self.over.len() >= KEPT {", "while self.over.len() > KEPT {"), c="outcome_sixteen"),
    M("SU half", "a record that was not ended is kept",
      ("outcome/kept.rs", "self.under_way.insert(Box::new(outcome))", "self.put_away();\n        self.under_way.insert(Box::new(outcome))")),
    M("SU observers", "there may be any number of observers",
      ("owner/observers.rs", "if self.observers.list.len() == OBSERVERS {", "if self.observers.list.len() == 100 * OBSERVERS {"), c="supervised_observers_are_bounded"),
    M("SU unread", "an observer that does not read is kept for ever",
      ("owner/observers.rs", "|| (observer.owes() && observer.late.has_come());", ";"),
      ("owner/observers.rs", "self.link.in_line() > IN_LINE;", "false;"), c="supervised_observers_are_bounded"),
    M("SU gap", "observers are told in the gap",
      ("owner/observers.rs", "if self.observers.list.is_empty() || self.is_in_the_gap() {", "if self.observers.list.is_empty() {"), c="supervised_observer_hears"),
    M("SU expected", "an expected successor keeps nobody else out",
      ("owner/expected.rs", "self.other_is_expected(|expected| self.is_meant(expected, pid))", "self.other_is_expected(|expected| self.is_meant(expected, pid)) && pid == 0"), c="supervised_observer_expects"),
    M("SU calls off", "an observer may call off what another has begun",
      ("owner/expected.rs", "expected.by == by && message.body.pid", "(expected.by == by || expected.by != by) && message.body.pid"), c="supervised_observer_expects"),
]


def say(text):
    print(text, flush=True)


def path_of(file):
    return TREE / file if file.startswith("src/") else TREE / "src/handoff" / file


def copy_tree():
    """The sources as they are; only what changed is touched, so that cargo builds little."""
    names = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=str(ROOT), stdout=subprocess.PIPE, check=True)
    wanted = {name for name in names.stdout.decode().split("\0") if name and (ROOT / name).is_file()}
    for copy in [*TREE.rglob("*.rs"), *TREE.rglob("*.c")]:
        if str(copy.relative_to(TREE)) not in wanted:
            copy.unlink()
    for name in wanted:
        source, copy = ROOT / name, TREE / name
        if not copy.exists() or copy.read_bytes() != source.read_bytes():
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(str(source), str(copy))
            copy.chmod(source.stat().st_mode)


def put_in(mutation):
    """Changes the copy; gives what it was, or None if a place is not there once."""
    before = {}
    for file, old, new in mutation.patches:
        path = path_of(file)
        text = path.read_text()
        if text.count(old) != 1:
            say(f"{mutation.name}: {text.count(old)} places in {file}: {old.splitlines()[0]}")
            take_out(before)
            return None
        before.setdefault(path, text)
        path.write_text(text.replace(old, new))
    return before


def take_out(before):
    for path, text in before.items():
        path.write_text(text)


def run(command, seconds, **more):
    """Its output and whether it ended in time; what it started ends with it."""
    began = subprocess.Popen(list(map(str, command)), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True, **more)
    try:
        output, in_time = began.communicate(timeout=seconds)[0], True
    except subprocess.TimeoutExpired:
        os.killpg(began.pid, signal.SIGKILL)
        output, in_time = began.communicate()[0], False
    return output.decode(errors="replace"), began.returncode, in_time


def cargo(*arguments, seconds=PATIENCE):
    command = ["cargo", *arguments]
    return run(command, seconds, cwd=str(TREE), env={**os.environ, **SETTINGS})


def rust_tests(unit, tests, rooms=("handoff::", "sys::shared", "sys::socket")):
    """Names of the tests that failed or did not end; None if nothing could be built."""
    runs = [["--lib", "--", *rooms]] if unit else []
    runs += [[word for test in tests for word in ("--test", test)]] if tests else []
    failed = set()
    for arguments in runs:
        if cargo("test", "--no-run", *arguments, seconds=3600)[1]:
            return None
        output, code, in_time = cargo("test", "--no-fail-fast", *arguments)
        where, waiting, count = "unit", set(), len(failed)
        for line in output.splitlines():
            running = re.match(r"\s+Running (?:unittests )?\S*?(\w+)\.rs", line)
            test = re.match(r"test (\S+) (?:\.\.\. (\w+)|has been running)", line)
            if running:
                where, waiting = running.group(1).replace("lib", "unit"), set()
            elif test:
                name = f"{where}: {test.group(1).split('::')[-1]}"
                waiting.discard(name)
                if test.group(2) == "FAILED":
                    failed.add(name)
                elif not test.group(2):
                    waiting.add(name)
        if not in_time:
            failed |= waiting or {f"{where}: (hangs)"}
        elif code != 0 and len(failed) == count:
            failed.add(f"{where}: (crashes)")
    return failed


def c_names(words, tree, room):
    """The C tests that are meant: by a word like S7 those that cover it, by any other one those with it in their names."""
    files = {path.stem: path for path in sorted((tree / "c-tests" / room).glob("*.c"))}
    names = set()
    for word in filter(None, words.split("|")):
        is_id = re.fullmatch(r"[A-Z]+-?\d+(\.\d+)?", word)
        names |= {name for name, path in files.items() if (word in covered(path.read_text()) if is_id else word in name)}
    return sorted(names)


def c_tests(words, room):
    pattern = f"^{room}/({'|'.join(c_names(words, TREE, room))})$"
    output, _, _ = run(["ctest", "--test-dir", CMAKE, "-R", pattern, "-j", "2", "--timeout", "60"], 2 * PATIENCE)
    names = re.findall(r"Test +#\d+: (\S+) \.*\s*\*\*\*(?!Skipped)", output)
    return {f"C: {re.sub(f'^{room}/', '', name)}" for name in names}


def build_c_tests(ctest):
    """Once; the library beneath them is changed for each bug."""
    if not ctest:
        return False
    cargo("build", "--lib", seconds=3600)
    options = [f"-DPROCSUP_LIBRARY_DIR={BUILD}/debug", "-DPROCSUP_VARIANTS=OFF"]
    code = run(["cmake", "-S", TREE, "-B", CMAKE, *options], 300)[1]
    output, built, _ = run(["cmake", "--build", CMAKE, "--parallel", "2", "--target", "room-handoff", "room-coordination", "room-preloader"], 1200)
    if code or built:
        say(output[-2000:])
        say("the C tests cannot be built: only those in Rust are run")
    return not (code or built)


def noticed_by(mutation, with_c, clean):
    """Which tests turned red; None if the bug does not compile."""
    if mutation.room == "coordination":
        red = rust_tests(True, COORDINATION, UNITS)
    elif mutation.room == "preloader":
        red = rust_tests(True, PRELOADING, PRELOADER_UNITS)
    elif mutation.room == "fork server":
        red = rust_tests(True, FORK_SERVER, FORK_SERVER_UNITS)
    elif mutation.room == "supervised":
        red = rust_tests(True, sorted({SUPERVISED[file] for file, _, _ in mutation.patches if file in SUPERVISED}), SUPERVISED_UNITS)
    else:
        red = rust_tests(mutation.unit, RUST)
    if red is None:
        return None
    if with_c and mutation.c:
        if cargo("build", "--lib", seconds=3600)[1]:
            return None
        red |= c_tests(mutation.c, mutation.c_room)
    if mutation.pure and mutation.room == "handoff" and not red - clean:
        # Its own list of mistakes shows what it finds; here it is asked where nothing else notices.
        red |= rust_tests(False, EXPLORER) or set()
    return red


INTRODUCTIONS = {
    "handoff": [
        "## The handoff", "",
        "By `./x mutate` ([scripts/mutate.py](../../scripts/mutate.py) has the bugs as patches). B numbers are bugs of an older protocol, S and L the",
        "laws of [handoff-protocol.md](../reference/handoff-protocol.md#what-is-guaranteed). `unit` tests are in `src/`, `C` ones are `c-tests/handoff/…`. The",
        "explorer takes long and is asked where none of these notices (in some rows all the same); it has a list of mistakes of its own,",
        "`tests/model/mutant.rs`."],
    "coordination": [
        "## Coordination", "",
        "The patches of `./x mutate CO`, each put in and its test seen to fail. The first two are bugs of the design that the budget was made after. `unit` tests are in `src/`, `C` ones are",
        "`c-tests/coordination/…`; of these only the ones are asked that the bug is put in for."],
    "preloader": [
        "## Workers and preloaders", "",
        "The patches of `./x mutate PA`. `unit` tests are in `src/`, `C` ones are `c-tests/preloader/…`. Those without a row were put in by hand while the",
        "tests were written, and have not been run by this command yet."],
    "fork server": [
        "## The fork server, and the spawner", "",
        "The patches of `./x mutate FS`. `unit` tests are in `src/`, `C` ones are `c-tests/preloader/…`. Those without a row were put in by hand while the",
        "tests were written, each was noticed, and they have not been run by this command yet."],
    "supervised": [
        "## A separate supervisor, and the record of a handoff", "",
        "The patches of `./x mutate SU`: what the lists of mistakes in the three explorers say, put into the sources, and what was put in by hand while the",
        "tests were written. `unit` tests are in `src/`, `C` ones are `c-tests/handoff/…`."],
}


def table(results, old):
    """The sections, with the rows of `old`, the document as it was, for what is not among the results."""
    rows = {match.group(1): match.group(0) for match in re.finditer(r"^\| ([A-Z]+\d* ?[^|]*?) \| .*\|$", old, re.M)}
    return "\n".join([BEGIN, *room_table("handoff", results, rows), "", *room_table("coordination", results, rows), "",
                      *room_table("preloader", results, rows), "", *room_table("fork server", results, rows), "",
                      *room_table("supervised", results, rows), "", END, ""])


def room_table(room, results, rows):
    ours = [mutation for mutation in MUTATIONS if mutation.room == room]
    lines = [*INTRODUCTIONS[room], "", "| | bug put in | noticed by |", "|---|---|---|"]
    for mutation in ours:
        red = results.get(mutation.name)
        if red is None:
            lines += [rows[mutation.name]] if mutation.name in rows else []
            continue
        groups = {}
        for name in sorted(red):
            where, test = name.split(": ", 1)
            if where == "handoff_explorer" and not test.startswith(SEARCHES):
                continue  # it tries mistakes of its own, which look different beside this one
            groups.setdefault(where, []).append(test)
        parts = []
        for where in ("unit", *RUST, *EXPLORER, *COORDINATION, *PRELOADING, *FORK_SERVER, *SUPERVISED.values(), "C"):
            tests = groups.get(where, [])
            shown = ", ".join(f"`{name}`" for name in tests[:3]) + (f" and {len(tests) - 3} more" if len(tests) > 3 else "")
            if tests:
                parts.append(f"{where}: {shown}")
        text = "; ".join(parts) or "nothing" + (f": {mutation.equivalent}" if mutation.equivalent else "")
        lines.append(f"| {mutation.name} | {mutation.text} | {text} |")
    missing = [mutation.name for mutation in ours if mutation.name not in results and mutation.name not in rows]
    if missing:
        lines += ["", "Written, and not run yet: " + ", ".join(missing) + "."]
    return lines


def write(results):
    text = DOCUMENT.read_text()
    section = table(results, text)
    if BEGIN in text:
        text = text[: text.index(BEGIN)] + section + text[text.index(END) + len(END) + 1 :]
    else:
        text = text.rstrip("\n") + "\n\n" + section
    DOCUMENT.write_text(text)
    say(f"{DOCUMENT.relative_to(ROOT)} is written")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*")
    for option in ("--list", "--check", "--write", "--no-c", "--continue"):
        parser.add_argument(option, action="store_true")
    options = parser.parse_args()
    chosen = [m for m in MUTATIONS if not options.names or any(name in m.name for name in options.names)]
    if options.list:
        for mutation in chosen:
            say(f"{mutation.name:<14} {mutation.text}")
        return 0
    results = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    if options.write and not options.names:
        write(results)
        return 0
    copy_tree()
    if options.check:
        missing = []
        for mutation in chosen:
            before = put_in(mutation)
            missing += [mutation.name] if before is None else []
            take_out(before or {})
            for word in filter(None, mutation.c.split("|")):
                if not c_names(word, ROOT, mutation.c_room):
                    say(f"{mutation.name}: no C test is called or covers {word}")
                    missing += [mutation.name]
        say(f"{len(chosen) - len(set(missing))} of {len(chosen)} can be put in, and have their tests")
        return 1 if missing else 0
    with_c = not options.no_c and build_c_tests(shutil.which("ctest") and shutil.which("cmake"))
    say("without a bug:")
    rooms = {mutation.room for mutation in chosen}
    clean = rust_tests(True, RUST + EXPLORER) if "handoff" in rooms else set()
    if clean is not None and "coordination" in rooms:
        more = rust_tests(True, COORDINATION, UNITS)
        clean = None if more is None else clean | more
    if clean is not None and "preloader" in rooms:
        more = rust_tests(True, PRELOADING, PRELOADER_UNITS)
        clean = None if more is None else clean | more
    if clean is not None and "fork server" in rooms:
        more = rust_tests(True, FORK_SERVER, FORK_SERVER_UNITS)
        clean = None if more is None else clean | more
    if clean is not None and "supervised" in rooms:
        more = rust_tests(True, SUPERVISED.values(), SUPERVISED_UNITS)
        clean = None if more is None else clean | more
    if clean is None:
        raise SystemExit("the sources do not build as they are")
    if with_c:
        for room in {mutation.c_room for mutation in chosen}:
            words = "|".join(sorted({mutation.c for mutation in chosen if mutation.c and mutation.c_room == room}))
            clean |= c_tests(words, room) if words else set()
    say(f"  red already: {', '.join(sorted(clean)) or 'none'}")
    bad = []
    for mutation in chosen:
        if getattr(options, "continue") and mutation.name in results:
            continue
        began = time.monotonic()
        before = put_in(mutation)
        if before is None:
            bad.append(mutation.name)
            continue
        try:
            red = noticed_by(mutation, with_c, clean)
        finally:
            take_out(before)
        if red is None:
            say(f"{mutation.name}: does not compile")
            bad.append(mutation.name)
            continue
        red = sorted(red - clean)
        results[mutation.name] = red
        RESULTS.write_text(json.dumps(results, indent=1))
        say(f"{mutation.name:<14} {len(red):>3} tests  {time.monotonic() - began:4.0f} s  {', '.join(red[:4])}")
        if not red and not mutation.equivalent:
            bad.append(mutation.name)
    say(f"not noticed, or not to be put in: {', '.join(bad) or 'none'}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
