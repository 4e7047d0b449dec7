//! The owner: the generation that runs.
//!
//! ```text
//!  Starting --live--> Serving --begin--> Greeting --hello--> Offering --last ack--> Warming --warm--> Draining
//!                      ^   ^                                                                             | drained
//!                      |   |   any failure before the commit: withdraw, RESUME if it was told to drain,  v
//!                      |   +---------------------------------- ABORTED ------------- (Probing) Sealing (Updating) (exclusive)
//!                      |                                                                                 | sealed
//!                      |                       returned, or proven dead                                  v
//!                      +--- RESUME, ABORTED --- (Condemning, Killing) <-- Handing (Closing) <--ok-- Committing
//!                                                        ^                     | live
//!                                                        |                     v
//!                                                        +---------------- Probation --> Asking --settled--> Retired
//!                                                                                            +--> Parting -----^
//! ```
//!
//! Until the commit the owner may call everything off alone. After it, it acts again only when the successor has returned the ownership,
//! or is proven dead, or dumps its core, after which no thread of it runs (D1.8). In overlap mode the commit follows DRAIN, and SEAL is told
//! once the successor serves (Closing).

use super::word::{Ask, View};
use super::{Actions, LINGER, Limits, Mode, Notice, Reason, after};
use crate::clock::Deadline;

/// Where the owner stands.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Phase {
    /// The first generation, before its application has opened.
    Starting,
    /// No handoff.
    Serving,
    /// There is a peer; its HELLO is awaited.
    Greeting,
    /// This part of the offer is to be acknowledged.
    Offering(u16),
    /// The successor loads.
    Warming,
    /// The application ends background work.
    Draining,
    /// This part of what changed since the offer is to be acknowledged, while the server still serves.
    Probing(u16),
    /// The application makes everything durable.
    Sealing,
    /// This part of what has changed since then is to be acknowledged.
    Updating(u16),
    /// The commit is being decided.
    Committing,
    /// The successor opens.
    Handing,
    /// Overlap: both serve; the application stops accepting.
    Closing,
    /// The successor serves; this one stands by.
    Probation,
    /// The successor was asked whether it stands alone.
    Asking,
    /// It stands alone, by the word, and has not said that its application knows.
    Parting,
    /// It is being decided whether the successor shall die.
    Condemning,
    /// It was killed; its death is awaited.
    Killing,
    /// The ownership is being taken back.
    Reclaiming,
    /// Over: exit.
    Retired,
}

/// What happens to the owner.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Event {
    /// Application: it has opened for the first time.
    Opened,
    /// A successor was spawned, to be done with by then.
    Begin {
        /// When all must be done.
        whole: Deadline,
    },
    /// A process on the control path greets, with the whole deadline; or the spawned one does.
    Hello {
        /// When all must be done; of no account for a spawned one.
        whole: Deadline,
        /// How many parts the offer has.
        parts: u16,
    },
    /// Application: call it off.
    Cancel,
    /// Application: the background work has ended; so many parts have changed since the offer.
    Drained(u16),
    /// Application: everything is durable; the same.
    Sealed(u16),
    /// Application: it cannot.
    Failed,
    /// Message: this part has arrived.
    Ack(u16),
    /// Message: it has loaded everything.
    Warm,
    /// Message: it serves.
    Live,
    /// Message: it stands alone.
    Settled,
    /// Message: it gives up.
    Abort(Reason),
    /// Its pidfd is readable, or it dumps its core.
    PeerGone,
    /// The channel has ended.
    Hangup,
    /// The deadline has come.
    Timeout,
    /// The deadline has come, and this process may not kill the successor.
    OutOfReach,
    /// The word is looked at, though no message has come.
    Look,
    /// Something could not be sent or made.
    Trouble,
    /// What a change of the word came to.
    Record(Ask, bool, View),
}

/// What the owner's driver shall do.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Action {
    /// Change the word; the answer comes back as an event before anything else does.
    Ask(Ask),
    /// Send this part of the offer.
    SendOffer(u16),
    /// Send this part of what changed since.
    SendDelta(u16),
    /// Tell the successor that it owns.
    SendCommit,
    /// Ask it whether it stands alone.
    SendSettle,
    /// Tell it that it is off.
    SendAbort(Reason),
    /// From now on it is no child to be swept.
    Disown,
    /// SIGKILL, through its pidfd.
    Kill,
    /// It is not needed: if this process spawned it, it is ended by the stop plan and reaped. The channel is closed.
    Dismiss,
    /// It goes its own way. The channel is closed, and all that was handed on.
    Release,
    /// An event for the application.
    Tell(Notice),
}

/// The owner's state.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Owner {
    /// Where it stands.
    pub phase: Phase,
    /// When [`Event::Timeout`] is due.
    pub deadline: Deadline,
    mode: Mode,
    limits: Limits,
    /// Everything before the commit is to be done by then.
    whole: Deadline,
    parts: u16,
    /// DRAIN was told, and neither RESUME nor RETIRE since (S12).
    drained: bool,
    /// The channel was lost.
    cut: bool,
    /// COMMITTED was told.
    committed: bool,
    /// The successor says that it stands alone; the word is being looked at.
    heard: bool,
}

type List = Actions<Action>;

/// How long the acknowledgement of a part of the offer may take: a successor that has greeted waits for nothing else. One that is silent must
/// not keep others out (bug B8 of the older protocol).
const OFFERING: i64 = 5_000_000_000;

impl Owner {
    /// The first generation (`starting`), or one that has just settled.
    pub fn new(starting: bool, mode: Mode, limits: Limits) -> Self {
        let phase = if starting { Phase::Starting } else { Phase::Serving };
        let (deadline, whole) = (Deadline::NEVER, Deadline::NEVER);
        Self { phase, deadline, mode, limits, whole, parts: 0, drained: false, cut: false, committed: false, heard: false }
    }

    /// Changes mode and limits, which count from the next handoff on.
    pub fn configure(&mut self, mode: Mode, limits: Limits) {
        (self.mode, self.limits) = (mode, limits);
    }

    /// Other limits for the handoff that is under way: a whole that ends no later than it does, and (`drain`) the time for DRAIN.
    pub fn hasten(&mut self, whole: Deadline, drain: Option<i64>) {
        if self.may_cancel() {
            self.whole = self.whole.min(whole);
            self.deadline = self.deadline.min(self.whole);
            self.limits.drain = drain.unwrap_or(self.limits.drain);
        }
    }

    /// Until when everything before the commit is to be done.
    pub fn whole(&self) -> Deadline {
        self.whole
    }

    /// No handoff is under way.
    pub fn is_idle(&self) -> bool {
        matches!(self.phase, Phase::Starting | Phase::Serving)
    }

    /// Whether the channel has ended, and what comes of that is still waited for.
    pub fn is_cut(&self) -> bool {
        self.cut
    }

    /// The next deadline would condemn the successor. One that may not kill it says [`Event::OutOfReach`] then.
    pub fn may_condemn(&self) -> bool {
        matches!(self.phase, Phase::Handing | Phase::Asking)
    }

    /// The word may say that the successor stands alone, and no message tell of it.
    pub fn looks(&self) -> bool {
        self.phase == Phase::Asking
    }

    /// It may call the handoff off alone.
    pub fn may_cancel(&self) -> bool {
        use Phase::*;
        matches!(self.phase, Greeting | Offering(_) | Warming | Draining | Probing(_) | Sealing | Updating(_))
    }

    /// One step. An event that this phase does not await changes nothing (S11).
    pub fn step(mut self, event: Event, now: i64) -> (Self, List) {
        use {Event as E, Phase as P};
        let actions = match (self.phase, event) {
            (P::Starting, E::Opened) => self.go(P::Serving, Deadline::NEVER, &[]),
            (P::Serving, E::Begin { whole }) => {
                self.whole = whole;
                self.go(P::Greeting, whole, &[])
            }
            (P::Serving, E::Hello { whole, parts }) => {
                self.whole = whole;
                self.offer(parts)
            }
            (P::Greeting, E::Hello { parts, .. }) => {
                self.cut = false;
                self.offer(parts)
            }
            // A wrapper may have closed it: the successor that it becomes greets at the control path then, and its death is seen by its pidfd.
            (P::Greeting, E::Hangup) => {
                self.cut = true;
                List::none()
            }
            (P::Offering(_), E::Record(Ask::Offer, true, _)) => self.go(P::Offering(0), self.by(now, OFFERING), &[Action::SendOffer(0)]),
            (P::Offering(_), E::Record(Ask::Offer, false, _)) => self.abort(Reason::System),
            (P::Offering(part), E::Ack(which)) if which == part && part + 1 < self.parts => {
                self.go(P::Offering(part + 1), self.by(now, OFFERING), &[Action::SendOffer(part + 1)])
            }
            (P::Offering(part), E::Ack(which)) if which == part => self.go(P::Warming, self.whole, &[]),
            (P::Warming, E::Warm) => {
                self.drained = true;
                self.go(P::Draining, self.by(now, self.limits.drain), &[Action::Tell(Notice::Drain)])
            }
            // It must not stop serving for a successor that it cannot reach.
            (P::Draining, E::Drained(_)) | (P::Sealing, E::Sealed(_)) if self.cut => self.abort(Reason::HungUp),
            (P::Draining, E::Drained(parts)) => match self.mode {
                Mode::Exclusive if parts > 0 => self.probe(parts, 0, now),
                Mode::Exclusive => self.seal(now),
                Mode::Overlap => self.update(parts, now),
            },
            (P::Probing(part), E::Ack(which)) if which == part && part + 1 < self.parts => self.probe(self.parts, part + 1, now),
            (P::Probing(part), E::Ack(which)) if which == part => self.seal(now),
            (P::Sealing, E::Sealed(parts)) => self.update(parts, now),
            (P::Updating(part), E::Ack(which)) if which == part && part + 1 < self.parts => {
                self.go(P::Updating(part + 1), self.soon(now), &[Action::SendDelta(part + 1)])
            }
            (P::Updating(part), E::Ack(which)) if which == part => self.commit(),
            (P::Committing, E::Record(Ask::Commit, true, _)) => self.go(P::Handing, after(now, self.limits.live), &[Action::SendCommit]),
            // It has renounced in the same moment.
            (P::Committing, E::Record(Ask::Commit, false, _)) => self.abort(Reason::PeerFailed),

            // Before the commit: whatever goes wrong, it is off.
            (_, E::Cancel) if self.may_cancel() => self.abort(Reason::Cancelled),
            (_, E::Failed) if self.may_cancel() => self.abort(Reason::Failed),
            (_, E::Timeout) if self.may_cancel() => self.abort(if self.cut { Reason::HungUp } else { Reason::Timeout }),
            (_, E::PeerGone) if self.may_cancel() => self.abort(Reason::Died),
            // Most likely it is dying: then that is the reason, and comes at once.
            (_, E::Hangup) if self.may_cancel() => {
                self.cut = true;
                self.deadline = self.deadline.min(after(now, LINGER));
                List::none()
            }
            (_, E::Trouble) if self.may_cancel() => self.abort(Reason::System),
            (_, E::Abort(reason @ (Reason::Version | Reason::Protocol | Reason::Denied | Reason::Displaced))) if self.may_cancel() => {
                self.abort(reason)
            }
            (_, E::Abort(_)) if self.may_cancel() => self.abort(Reason::PeerFailed),

            // After it: the successor owns, until it returns it or is proven dead.
            (P::Handing, E::Live) => self.opened(now),
            (P::Handing, E::Timeout) => self.go(P::Condemning, Deadline::NEVER, &[Action::Ask(Ask::CondemnUnopened)]),
            (P::Closing, E::Sealed(_) | E::Timeout | E::Failed) => self.stand_by(now),
            (P::Probation, E::Timeout) if self.cut => self.go(P::Asking, after(now, self.limits.live), &[Action::Ask(Ask::Look)]),
            (P::Probation, E::Timeout) => self.go(P::Asking, after(now, self.limits.live), &[Action::SendSettle]),
            // Condemned by one that cannot kill it, it could never settle, and this process never go: it may answer yet.
            (P::Handing | P::Asking, E::OutOfReach) => {
                self.deadline = after(now, self.limits.live);
                self.with(&[Action::Ask(Ask::Look)])
            }
            (P::Asking, E::Look) => self.with(&[Action::Ask(Ask::Look)]),
            // Look, do not believe: only the word says that it stands alone.
            (P::Closing | P::Probation | P::Asking, E::Settled) => {
                self.heard = true;
                self.with(&[Action::Ask(Ask::Look)])
            }
            (P::Handing | P::Closing | P::Probation | P::Asking, E::Record(Ask::Look, _, seen)) => {
                let heard = core::mem::take(&mut self.heard);
                match seen {
                    View::Next if !heard => self.part(now),
                    // Other: it has begun a handoff of its own since.
                    View::Next | View::Other => self.retire(),
                    View::Returned => self.reclaim(Ask::Reclaim),
                    // Its LIVE was lost with the channel.
                    View::Live if self.phase == P::Handing => self.opened(now),
                    _ => List::none(),
                }
            }
            (P::Parting, E::Settled | E::Timeout) => self.retire(),
            (P::Asking, E::Timeout) => self.go(P::Condemning, Deadline::NEVER, &[Action::Ask(Ask::Condemn)]),
            (P::Condemning, E::Record(_, true, _)) => self.go(P::Killing, after(now, self.limits.live), &[Action::Kill]),
            (P::Condemning, E::Record(_, false, View::Live)) => self.opened(now),
            (P::Condemning, E::Record(_, false, View::Returned)) => self.reclaim(Ask::Reclaim),
            // In the last moment: its application has had no time yet.
            (P::Condemning, E::Record(_, false, View::Next)) => self.part(now),
            (P::Condemning, E::Record(_, false, _)) => self.retire(),
            // Uninterruptible: it still owns, and cannot act. Nothing else may.
            (P::Killing, E::Timeout) => self.go(P::Killing, after(now, self.limits.live), &[Action::Kill]),
            (P::Handing | P::Closing | P::Probation | P::Asking | P::Parting | P::Killing, E::PeerGone) => self.reclaim(Ask::TakeBack),
            // The same.
            (P::Handing | P::Closing | P::Probation | P::Asking, E::Abort(_)) => self.with(&[Action::Ask(Ask::Reclaim)]),
            (P::Handing | P::Closing | P::Probation | P::Asking, E::Record(Ask::Reclaim, true, _)) => self.resume_after(Reason::PeerFailed),
            (P::Reclaiming, E::Record(Ask::TakeBack, true, _)) => self.resume_after(Reason::Died),
            (P::Reclaiming, E::Record(Ask::Reclaim, true, _)) => self.resume_after(Reason::PeerFailed),
            (P::Reclaiming, E::Record(_, false, _)) => self.retire(),
            (P::Handing | P::Closing | P::Probation | P::Asking | P::Parting, E::Hangup) => {
                self.cut = true;
                List::none()
            }
            _ => List::none(),
        };
        (self, actions)
    }

    /// This much from now, but within the whole.
    fn by(&self, now: i64, limit: i64) -> Deadline {
        after(now, limit).min(self.whole)
    }

    /// A sealed server is a stopped server: the successor's acknowledgement must come as soon as any other sign of life.
    fn soon(&self, now: i64) -> Deadline {
        self.by(now, self.limits.live.min(OFFERING))
    }

    fn go(&mut self, phase: Phase, deadline: Deadline, actions: &[Action]) -> List {
        (self.phase, self.deadline) = (phase, deadline);
        List::of(actions)
    }

    fn with(&mut self, actions: &[Action]) -> List {
        List::of(actions)
    }

    fn offer(&mut self, parts: u16) -> List {
        self.parts = parts;
        self.go(Phase::Offering(0), Deadline::NEVER, &[Action::Ask(Ask::Offer)])
    }

    /// A successor that sleeps, or hangs, shall not be found so while the server is sealed: it answers once more before.
    fn probe(&mut self, parts: u16, part: u16, now: i64) -> List {
        self.parts = parts;
        self.go(Phase::Probing(part), self.soon(now), &[Action::SendDelta(part)])
    }

    fn seal(&mut self, now: i64) -> List {
        self.go(Phase::Sealing, self.by(now, self.limits.seal), &[Action::Tell(Notice::Seal)])
    }

    /// What changed since goes first: once the word says Committed, the successor may be alone with what it has.
    fn update(&mut self, parts: u16, now: i64) -> List {
        self.parts = parts;
        match parts {
            0 => self.commit(),
            _ => self.go(Phase::Updating(0), self.soon(now), &[Action::SendDelta(0)]),
        }
    }

    fn commit(&mut self) -> List {
        self.go(Phase::Committing, Deadline::NEVER, &[Action::Disown, Action::Ask(Ask::Commit)])
    }

    /// The successor serves.
    fn opened(&mut self, now: i64) -> List {
        match self.mode {
            Mode::Exclusive => self.stand_by(now),
            Mode::Overlap => self.go(Phase::Closing, after(now, self.limits.seal), &[Action::Tell(Notice::Seal)]),
        }
    }

    fn stand_by(&mut self, now: i64) -> List {
        self.committed = true;
        self.go(Phase::Probation, after(now, self.limits.probation), &[Action::Tell(Notice::Committed)])
    }

    fn abort(&mut self, reason: Reason) -> List {
        let mut actions =
            self.go(Phase::Serving, Deadline::NEVER, &[Action::Ask(Ask::Withdraw), Action::SendAbort(reason), Action::Dismiss]);
        self.cut = false;
        if core::mem::take(&mut self.drained) {
            actions.push(Action::Tell(Notice::Resume { unsealed: false }));
        }
        actions.push(Action::Tell(Notice::Aborted(reason)));
        actions
    }

    fn reclaim(&mut self, ask: Ask) -> List {
        self.go(Phase::Reclaiming, Deadline::NEVER, &[Action::Ask(ask)])
    }

    /// The ownership is back; what the successor has written is in storage only.
    fn resume_after(&mut self, reason: Reason) -> List {
        (self.drained, self.cut, self.committed) = (false, false, false);
        let told = [Action::Dismiss, Action::Tell(Notice::Resume { unsealed: true }), Action::Tell(Notice::Aborted(reason))];
        self.go(Phase::Serving, Deadline::NEVER, &told)
    }

    /// It stands alone. Whoever watches this process has to hear of that before it ends: the successor's application is given the time.
    fn part(&mut self, now: i64) -> List {
        self.go(Phase::Parting, after(now, self.limits.live), &[])
    }

    fn retire(&mut self) -> List {
        self.drained = false;
        match self.committed {
            true => self.go(Phase::Retired, Deadline::NEVER, &[Action::Tell(Notice::Retire), Action::Release]),
            // Its word that it serves was lost with the channel.
            false => {
                self.go(Phase::Retired, Deadline::NEVER, &[Action::Tell(Notice::Committed), Action::Tell(Notice::Retire), Action::Release])
            }
        }
    }
}
