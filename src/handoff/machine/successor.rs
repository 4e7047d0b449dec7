//! The successor: the generation that is to come.
//!
//! ```text
//!  Greeting --offer--> Receiving --last part--> Loading --warm--> Warm --COMMIT, and the word says so--> Opening
//!     |                    |                       |               |                                        | live
//!     +--------------------+-----------------------+---------------+                                        v
//!     |   off, or no answer: renounce              |  owner dead   |                                   (Confirming)
//!     v                                            +-> Promoting --+--> Opening, unsealed                   |
//!   Ended  <-- failed: return; condemned -------------------------------------------------------- Live <----+
//!                                                                                                  | asked, or nobody is there to ask
//!                                                                                                  v
//!                                                                              (Settling) ----> Announcing --taken--> Settled: the owner
//! ```
//!
//! Once it has settled, it says so to the owner only when its application has taken COMMITTED and come back: RETIRE follows, and whoever
//! watches the old process (a service manager, a pid file) must know the new one by then.
//!
//! It never serves before the word says that it owns (D1.8), and never lets go by itself once its application was told LIVE: that one
//! may be writing.

use super::word::{Ask, View};
use super::{Actions, Limits, Mode, Notice, Reason, after};
use crate::clock::Deadline;

/// Where the successor stands.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Phase {
    /// HELLO is sent; the offer is awaited.
    Greeting,
    /// This part of the offer is awaited.
    Receiving(u16),
    /// The application loads.
    Loading,
    /// The commit is awaited.
    Warm,
    /// A COMMIT has come: the word is being looked at.
    Looking,
    /// It is being decided whether it is off.
    Renouncing,
    /// The owner is dead: it is being decided who follows.
    Promoting,
    /// The application opens.
    Opening,
    /// The word is being told that it serves.
    Confirming,
    /// It serves; the old owner stands by.
    Live,
    /// The word is being told that it stands alone.
    Settling,
    /// It stands alone; its application is told so, and the owner hears of it once that was worked off.
    Announcing,
    /// It serves, and the standby means to kill it.
    Fenced,
    /// The word is being told that it cannot serve.
    Returning,
    /// It is the owner.
    Settled,
    /// It came to nothing: exit.
    Ended,
}

/// What happens to the successor.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Event {
    /// Message: a part of the offer; the first brings limits and the time until when all must be done.
    Offer {
        /// Which.
        part: u16,
        /// Of how many.
        parts: u16,
        /// When all must be done.
        whole: Deadline,
        /// How this handoff goes.
        mode: Mode,
        /// How long it waits for what.
        limits: Limits,
    },
    /// Message: a part of what changed since.
    Delta(u16),
    /// Message: it is yours.
    Commit,
    /// Message: do you stand alone?
    Settle,
    /// Message: it is off.
    Abort(Reason),
    /// Application: everything is loaded.
    Warm,
    /// Application: it serves.
    Live,
    /// Application: it cannot.
    Failed,
    /// Application: it has taken COMMITTED, and comes back.
    Taken,
    /// The owner is dead, or dumps its core.
    PeerGone,
    /// The channel has ended.
    Hangup,
    /// The deadline has come.
    Timeout,
    /// Something could not be sent or made.
    Trouble,
    /// What a change of the word came to.
    Record(Ask, bool, View),
}

/// What the successor's driver shall do.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Action {
    /// Change the word; the answer comes back as an event before anything else does.
    Ask(Ask),
    /// This part has arrived.
    SendAck(u16),
    /// Everything is loaded.
    SendWarm,
    /// It serves.
    SendLive,
    /// It stands alone.
    SendSettled,
    /// It gives up.
    SendAbort(Reason),
    /// The channel is closed, and everything that was received and not taken.
    Release,
    /// An event for the application.
    Tell(Notice),
}

/// The successor's state.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Successor {
    /// Where it stands.
    pub phase: Phase,
    /// When [`Event::Timeout`] is due.
    pub deadline: Deadline,
    whole: Deadline,
    mode: Mode,
    limits: Limits,
    /// Until when the offer must have come.
    offer: Deadline,
    /// The owner is dead.
    orphan: bool,
    /// The channel is lost.
    cut: bool,
    /// It has made itself the owner.
    promoted: bool,
    /// Its application has answered LIVE.
    serves: bool,
    /// Why it ends, while that is being decided.
    reason: Reason,
}

type List = Actions<Action>;

/// How much longer than the owner it waits: the owner's own verdict, if it comes, comes first.
const SLACK: i64 = 500_000_000;

impl Successor {
    /// HELLO has been sent.
    pub fn new(deadline: Deadline) -> Self {
        let limits = Limits { drain: 0, seal: 0, live: 0, probation: 0 };
        let (whole, reason) = (deadline, Reason::HungUp);
        let mode = Mode::Exclusive;
        Self {
            phase: Phase::Greeting,
            deadline,
            whole,
            mode,
            limits,
            offer: whole,
            orphan: false,
            cut: false,
            promoted: false,
            serves: false,
            reason,
        }
    }

    /// Whether the channel has ended, and what comes of that is still waited for.
    pub fn is_cut(&self) -> bool {
        self.cut
    }

    /// The whole offer has arrived.
    pub fn is_offered(&self) -> bool {
        !matches!(self.phase, Phase::Greeting | Phase::Receiving(_) | Phase::Ended)
    }

    /// This part of the offer is the next.
    pub fn awaits_offer(&self, part: u16) -> bool {
        match self.phase {
            Phase::Greeting => part == 0,
            Phase::Receiving(awaited) => part == awaited,
            _ => false,
        }
    }

    /// It owns: its application was told LIVE, and nothing has ended that.
    pub fn serves_now(&self) -> bool {
        use Phase::*;
        matches!(self.phase, Opening | Confirming | Live | Settling | Announcing | Fenced)
    }

    /// One step. An event that this phase does not await changes nothing (S11).
    pub fn step(mut self, event: Event, now: i64) -> (Self, List) {
        use {Event as E, Phase as P};
        let actions = match (self.phase, event) {
            (P::Greeting, E::Offer { part: 0, parts, whole, mode, limits }) => {
                (self.whole, self.mode, self.limits) = (whole.plus(SLACK), mode, limits);
                self.received(0, parts)
            }
            (P::Receiving(awaited), E::Offer { part, parts, .. }) if part == awaited => self.received(part, parts),
            (P::Greeting | P::Receiving(_), E::PeerGone) => self.end(Reason::Died),
            (P::Greeting | P::Receiving(_), E::Hangup) => self.end(Reason::HungUp),
            (P::Greeting | P::Receiving(_), E::Timeout) => self.give_up(Reason::Timeout),
            (P::Greeting | P::Receiving(_), E::Trouble) => self.give_up(Reason::System),

            (P::Loading, E::Warm) if self.orphan => self.go(P::Promoting, Deadline::NEVER, &[Action::Ask(Ask::Promote)]),
            (P::Loading, E::Warm) if self.cut => self.go(P::Warm, self.deadline, &[]),
            (P::Loading, E::Warm) => self.go(P::Warm, self.whole, &[Action::SendWarm]),
            (P::Loading, E::Failed) => self.give_up(Reason::Failed),
            // Nobody else is left: it goes on, and promotes itself when it is warm. There is nobody to wait for any more.
            (P::Loading, E::PeerGone) => {
                self.orphan = true;
                self.go(P::Loading, Deadline::NEVER, &[])
            }
            // Most likely the owner is dying, which may take long (it releases all its memory between the end of its channel and its
            // death): its pidfd says who follows. One that calls off says so before it closes.
            (P::Loading | P::Warm, E::Hangup) if !self.orphan => {
                self.cut = true;
                List::none()
            }
            (P::Loading, E::Timeout) => self.give_up(self.late()),
            // At once: the owner may be sealed, and wait for the answer that cannot be given.
            (P::Loading, E::Trouble) if !self.orphan => self.give_up(Reason::System),
            (P::Warm, E::Trouble) => self.renounce(Reason::System),

            (P::Warm, E::Delta(part)) => self.go(P::Warm, self.deadline, &[Action::SendAck(part)]),
            (P::Warm, E::Commit) => self.go(P::Looking, self.deadline, &[Action::Ask(Ask::Look)]),
            (P::Looking, E::Record(_, _, View::Committed)) => self.open(false),
            // Not so: the message was none of this handoff's owner.
            (P::Looking, E::Record(..)) => self.go(P::Warm, self.deadline, &[]),
            (P::Warm, E::PeerGone) => {
                self.orphan = true;
                self.go(P::Promoting, Deadline::NEVER, &[Action::Ask(Ask::Promote)])
            }
            (P::Warm, E::Timeout) => self.renounce(self.late()),
            (P::Warm, E::Failed) => self.renounce(Reason::Failed),
            (P::Renouncing, E::Record(_, false, View::Committed)) if self.reason == Reason::Failed => self.give_back(),
            // The owner's message is late or lost; its word counts.
            (P::Renouncing, E::Record(_, false, View::Committed)) => self.open(false),
            (P::Renouncing, E::Record(..)) => self.leave(self.reason),
            (P::Promoting, E::Record(_, true, _)) if self.serves => self.settled(),
            (P::Promoting, E::Record(_, true, _)) => {
                self.promoted = true;
                self.open(true)
            }
            // It had committed before it died.
            (P::Promoting, E::Record(_, false, View::Committed)) => self.open(false),
            (P::Promoting, E::Record(..)) => self.end(Reason::Fenced),
            (P::Greeting | P::Receiving(_) | P::Loading | P::Warm, E::Abort(reason)) => self.end(reason),

            (P::Opening, E::Live) if self.promoted => self.settled(),
            (P::Opening, E::Live) => {
                self.serves = true;
                match self.orphan || self.cut {
                    true => self.go(P::Settling, Deadline::NEVER, &[Action::Ask(Ask::Settle)]),
                    false => self.go(P::Confirming, Deadline::NEVER, &[Action::Ask(Ask::Confirm)]),
                }
            }
            (P::Opening | P::Live, E::Failed) if self.orphan => self.end(Reason::Failed),
            (P::Opening | P::Live, E::Failed) => self.give_back(),
            (P::Opening, E::PeerGone) => {
                self.orphan = true;
                List::none()
            }
            (P::Opening, E::Hangup) => {
                self.cut = true;
                List::none()
            }
            (P::Confirming, E::Record(_, true, _)) => {
                let overlap = if self.mode == Mode::Overlap { self.limits.seal } else { 0 };
                let wait = self.limits.probation.saturating_add(overlap).saturating_add(self.limits.live);
                self.go(P::Live, after(now, wait), &[Action::SendLive])
            }
            // The standby means to kill it, and acts only after that: until then it may serve on, and if the standby dies first, it stays.
            (P::Confirming | P::Settling, E::Record(_, false, View::Condemned)) if self.orphan => {
                self.go(P::Promoting, Deadline::NEVER, &[Action::Ask(Ask::Promote)])
            }
            (P::Confirming | P::Settling, E::Record(_, false, View::Condemned)) => self.go(P::Fenced, Deadline::NEVER, &[]),
            (P::Confirming | P::Settling, E::Record(_, false, _)) => self.end(Reason::Fenced),
            (P::Fenced, E::PeerGone) => {
                self.orphan = true;
                self.go(P::Promoting, Deadline::NEVER, &[Action::Ask(Ask::Promote)])
            }
            (P::Fenced, E::Failed) => self.end(Reason::Failed),
            // Asked, or nobody is there to ask.
            (P::Live, E::Settle | E::Timeout) => self.go(P::Settling, Deadline::NEVER, &[Action::Ask(Ask::Settle)]),
            (P::Live, E::PeerGone | E::Hangup) => {
                self.orphan |= event == E::PeerGone;
                self.go(P::Settling, Deadline::NEVER, &[Action::Ask(Ask::Settle)])
            }
            // Nobody is told to go.
            (P::Settling, E::Record(_, true, _)) if self.orphan => self.settled(),
            (P::Settling, E::Record(_, true, _)) => {
                self.go(P::Announcing, after(now, self.limits.live), &[Action::Tell(Notice::Committed)])
            }
            (P::Announcing, E::Taken | E::Timeout | E::PeerGone | E::Hangup) => {
                self.go(P::Settled, Deadline::NEVER, &[Action::SendSettled, Action::Release])
            }
            (P::Returning, E::Record(..)) => self.leave(Reason::Failed),
            _ => List::none(),
        };
        (self, actions)
    }

    fn go(&mut self, phase: Phase, deadline: Deadline, actions: &[Action]) -> List {
        (self.phase, self.deadline) = (phase, deadline);
        List::of(actions)
    }

    /// Why it stops waiting.
    fn late(&self) -> Reason {
        if self.cut { Reason::HungUp } else { Reason::Timeout }
    }

    fn received(&mut self, part: u16, parts: u16) -> List {
        let (phase, deadline) = match part + 1 < parts {
            true => (Phase::Receiving(part + 1), self.offer.min(self.whole)),
            false => (Phase::Loading, self.whole),
        };
        self.go(phase, deadline, &[Action::SendAck(part)])
    }

    /// Before WARM: the owner cannot have committed.
    fn give_up(&mut self, reason: Reason) -> List {
        let mut actions = List::of(&[Action::Ask(Ask::Renounce)]);
        self.leave(reason).iter().for_each(|action| actions.push(action));
        actions
    }

    fn renounce(&mut self, reason: Reason) -> List {
        self.reason = reason;
        self.go(Phase::Renouncing, Deadline::NEVER, &[Action::Ask(Ask::Renounce)])
    }

    fn give_back(&mut self) -> List {
        self.go(Phase::Returning, Deadline::NEVER, &[Action::Ask(Ask::Return)])
    }

    /// It owns: no deadline, the application may be writing from now on. The owner, if there is one, keeps the time.
    fn open(&mut self, unsealed: bool) -> List {
        self.go(Phase::Opening, Deadline::NEVER, &[Action::Tell(Notice::Live { unsealed })])
    }

    /// Beside a dead owner.
    fn settled(&mut self) -> List {
        self.go(Phase::Settled, Deadline::NEVER, &[Action::Tell(Notice::Committed), Action::Release])
    }

    fn leave(&mut self, reason: Reason) -> List {
        self.go(Phase::Ended, Deadline::NEVER, &[Action::SendAbort(reason), Action::Tell(Notice::Aborted(reason)), Action::Release])
    }

    /// The other side knows, or is not there.
    fn end(&mut self, reason: Reason) -> List {
        self.go(Phase::Ended, Deadline::NEVER, &[Action::Tell(Notice::Aborted(reason)), Action::Release])
    }
}
