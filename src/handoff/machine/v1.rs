//! The supervisor of protocol v1: it asks the old process (the *incumbent*, here the owner) to drain and to seal, tells the new one to begin, and the
//! old one to exit.
//!
//! ```text
//!  Greeting --both have greeted--> Draining --drained--> Sealing --sealed--> Opening --ready--> Over(Committed)
//!     |                               |                     |                 |  |
//!     |   the owner hangs up: Doubting whether it is dead;   |       late, off |  | the successor has died
//!     |   any death of it: Opening    |                     |                 v  |
//!     |                               v                     v             Closing|--ready--> Over(Committed)
//!     |        any other failure: the successor is dismissed                  |  |
//!     v                               |                                 empty |  |
//!   Over(Aborted) <---confirmed--- Resuming <---------dead--------- Ending <--+--+     nobody is left: Over(Lost)
//! ```
//!
//! Who may write is decided by a lock of theirs that this process never holds; so what it must get right is whom it ends, and when.
//! - **An owner that dies is succeeded, not avenged** (B3): its lock is free, and the successor is well. It gets its Begin.
//! - **A successor that has begun is ended only if the owner lives** (B15), and only once its way to us is shut and what it had said
//!   was read (Closing; B5, B14): READY is the word after which it publishes itself and serves, so either it came through, and then it stays, or it
//!   never can.
//! - **The owner is told to go on when the successor is dead**, for it takes the lock just once; and is believed to go on when it says so (B16):
//!   whoever reads a heartbeat answers it, behind all that came before.
//! - The end of a channel is not a death (`LINGER`), and who dumps its core holds its lock until that is written: such an owner is waited for.
//! - The journal is an action that nothing waits for, and that cannot fail (B17).
//!
//! | wait       | for what                          | how long                               | then                       |
//! |------------|-----------------------------------|----------------------------------------|----------------------------|
//! | Greeting   | the owner's Hello; the successor's | [`HELLO`]; the whole                  | dismissed                  |
//! | Doubting   | whether the owner is dead         | [`super::LINGER`]; a core: a whole     | dismissed, resumed         |
//! | Draining   | Drained                           | the drain, [`SLACK`]; [`SILENCE`]      | dismissed, resumed         |
//! | Sealing    | SealComplete                      | the whole, [`SLACK`]; [`SILENCE`]      | dismissed, resumed         |
//! | Opening    | Ready                             | the whole, [`SLACK`]; [`SILENCE`] once it has sent a heartbeat; the owner dead: a whole of its own | Closing |
//! | Closing    | what was said already             | no time: it is read at once            | Ending                     |
//! | Ending     | the successor's death             | [`KILL`] and again, [`KILLS`] times    | resumed all the same       |
//! | Resuming   | a sign that the owner goes on     | [`RESUME`], as often as it shows that it is busy, [`RESUMES`] times | aborted, unconfirmed |

mod words;

use super::{Actions, LINGER, Reason, after};
use crate::clock::{Deadline, MILLI};
pub use words::{Action, End, Event, Owes, Owner, Phase, Record, Session, Successor};

/// For an owner's greeting. (A successor has the whole: whatever it loads before it greets, nobody waits for.)
pub const HELLO: i64 = 5_000 * MILLI;
/// What is under way when a time is over may still arrive.
pub const SLACK: i64 = 1_000 * MILLI;
/// Who sends heartbeats every two seconds is hung after so long.
pub const SILENCE: i64 = 10_000 * MILLI;
/// For a process that was killed to be dead.
pub const KILL: i64 = 10_000 * MILLI;
/// How often that is repeated.
pub const KILLS: u8 = 6;
/// For the owner to say that it goes on.
pub const RESUME: i64 = 10_000 * MILLI;
/// How often a sign of life prolongs that.
pub const RESUMES: u8 = 30;

type List = Actions<Action>;

/// The supervisor's state.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Supervisor {
    /// Where it stands.
    pub phase: Phase,
    /// What is known of the owner.
    pub owner: Owner,
    /// The channel to it.
    pub session: Session,
    /// What it answers first.
    pub owes: Owes,
    /// What is known of the successor.
    pub successor: Successor,
    /// Why it is called off.
    reason: Reason,
    /// The owner has greeted.
    met: bool,
    /// PrepareHandoff was sent.
    prepared: bool,
    /// The owner has sealed.
    sealed: bool,
    /// The owner goes on by itself, and must not be told.
    resumed: bool,
    /// A heartbeat was sent that it will answer.
    pinged: bool,
    /// What this phase waits for.
    deadline: Deadline,
    /// When whoever is to send heartbeats is hung.
    silence: Deadline,
    whole: Deadline,
    whole_ns: i64,
    drain_ns: i64,
    left: u8,
}

impl Supervisor {
    /// Of a connection with the owner, and a successor that was just started. All must be done within `whole`, the drain within `drain`, nanoseconds.
    pub fn new(whole: i64, drain: i64, now: i64) -> Self {
        let whole_end = after(now, whole);
        Self {
            phase: Phase::Greeting,
            owner: Owner::Lives,
            session: Session::Open,
            owes: Owes::Nothing,
            successor: Successor::Started,
            reason: Reason::Cancelled,
            met: false,
            prepared: false,
            sealed: false,
            resumed: false,
            pinged: false,
            deadline: after(now, HELLO).min(whole_end),
            silence: Deadline::NEVER,
            whole: whole_end,
            whole_ns: whole,
            drain_ns: drain,
            left: 0,
        }
    }

    /// Until when something is awaited.
    pub fn deadline(&self) -> Deadline {
        self.deadline.min(self.silence)
    }

    /// Whether it has ended.
    pub fn end(&self) -> Option<End> {
        match self.phase {
            Phase::Over(end) => Some(end),
            _ => None,
        }
    }

    /// Whether it can be called off now.
    pub fn can_be_called_off(&self) -> bool {
        use Phase as P;
        matches!(self.phase, P::Greeting | P::Draining | P::Sealing | P::Opening) && self.owner == Owner::Lives
    }

    /// One step. What is not awaited changes nothing.
    pub fn step(mut self, event: Event, now: i64) -> (Self, List) {
        use {Event as E, Phase as P};
        let mut list = List::none();
        match (self.phase, event) {
            (P::Over(_), _) => {}
            // ---- deaths ----
            (_, E::OwnerDied) => self.owner_died(now, &mut list),
            (P::Greeting | P::Draining | P::Sealing | P::Doubting, E::OwnerCrashed) if self.owner == Owner::Lives => {
                self.owner = Owner::Crashed;
                // Its lock is its own until its core is written.
                self.wait(P::Doubting, after(now, self.whole_ns));
            }
            (P::Opening, E::OwnerCrashed) if self.owner == Owner::Lives => {
                self.owner = Owner::Crashed;
                self.deadline = after(now, self.whole_ns);
            }
            (_, E::OwnerCrashed) => {}
            (_, E::Died) => self.successor_died(now, &mut list),
            // ---- the owner ----
            (P::Greeting, E::OwnerGreeted) if !self.met => {
                self.met = true;
                list.push(Action::AckOwner);
                self.deadline = self.whole;
                if self.successor == Successor::Greeted {
                    self.prepare(now, &mut list);
                }
            }
            (P::Resuming, E::OwnerGreeted) if self.session == Session::Closed => self.over_aborted(true, &mut list),
            (P::Draining, E::Drained) => {
                list.push(Action::RequestSeal);
                list.push(Action::Journal(Record::Draining));
                self.owes = Owes::Sealed;
                self.wait(P::Sealing, self.whole.plus(SLACK));
                self.silence = after(now, SILENCE);
                list.push(Action::Progress(P::Sealing));
            }
            (P::Sealing, E::SealComplete) => {
                (self.owes, self.sealed) = (Owes::Nothing, true);
                self.begin(self.whole.plus(SLACK), &mut list);
            }
            (P::Sealing, E::SealFailed) => {
                (self.owes, self.resumed) = (Owes::Nothing, true);
                self.undo(Reason::PeerFailed, now, &mut list);
            }
            (P::Draining | P::Sealing, E::OwnerBeat) => self.silence = after(now, SILENCE),
            (P::Resuming, E::OwnerBeat) if self.owes == Owes::Nothing && self.pinged => self.over_aborted(true, &mut list),
            (P::Resuming, E::OwnerBeat) => self.prolong(now),
            (P::Resuming, E::Drained) if self.owes == Owes::Drained => {
                self.owes = Owes::Nothing;
                self.prolong(now);
            }
            (P::Resuming, E::SealComplete | E::SealFailed) if self.owes == Owes::Sealed => {
                // After a seal that failed it goes on by itself, and closes the session of whoever tells it to: that is seen as its end.
                self.owes = Owes::Nothing;
                self.prolong(now);
            }
            (P::Opening | P::Closing | P::Ending, E::OwnerBeat) => {}
            // ---- the owner's channel ----
            (P::Greeting | P::Draining | P::Sealing, E::OwnerHungUp) => {
                self.leave(&mut list);
                self.wait(P::Doubting, after(now, LINGER));
            }
            (P::Doubting, E::OwnerHungUp | E::OwnerTrouble(_)) => self.leave(&mut list),
            (P::Greeting | P::Draining | P::Sealing, E::OwnerTrouble(reason)) => {
                self.leave(&mut list);
                self.undo(reason, now, &mut list);
            }
            (P::Opening | P::Closing | P::Ending, E::OwnerHungUp) => self.leave(&mut list),
            (P::Resuming, E::OwnerHungUp | E::OwnerTrouble(_)) if self.session != Session::Closed => {
                self.leave(&mut list);
                list.push(Action::Reconnect);
                self.prolong(now);
            }
            (P::Opening | P::Closing | P::Ending, _) if event.is_of_owner() && self.session == Session::Open => {
                self.session = Session::Deaf;
                list.push(Action::Ignore);
            }
            (P::Greeting | P::Draining | P::Sealing, _) if event.is_of_owner() => {
                self.leave(&mut list);
                self.undo(Reason::Protocol, now, &mut list);
            }
            (_, _) if event.is_of_owner() => {}
            // ---- the successor ----
            (P::Greeting, E::Greeted) if self.successor == Successor::Started => {
                self.successor = Successor::Greeted;
                list.push(Action::Ack);
                if self.owner == Owner::Dead {
                    self.begin(after(now, self.whole_ns), &mut list);
                } else if self.met {
                    self.prepare(now, &mut list);
                }
            }
            (P::Doubting, E::Greeted) if self.successor == Successor::Started => {
                self.successor = Successor::Greeted;
                list.push(Action::Ack);
            }
            (P::Opening | P::Closing, E::Ready) => self.commit(&mut list),
            (P::Opening, E::Beat) => self.silence = after(now, SILENCE),
            (_, E::Beat) => {}
            (P::Closing, E::Trouble(_) | E::HungUp | E::Empty) => self.kill(now, &mut list),
            (P::Opening, E::Trouble(_) | E::HungUp) => {
                self.reason = trouble_of(event);
                self.kill(now, &mut list);
            }
            (P::Greeting | P::Doubting | P::Draining | P::Sealing, E::Trouble(_) | E::HungUp) => {
                self.undo(trouble_of(event), now, &mut list);
            }
            (P::Greeting | P::Doubting | P::Draining | P::Sealing, E::Ready | E::Greeted) => self.undo(Reason::Protocol, now, &mut list),
            (P::Opening, E::Greeted) => {
                self.reason = Reason::Protocol;
                self.kill(now, &mut list);
            }
            // ---- time, and the application ----
            (P::Greeting | P::Draining | P::Sealing, E::Timeout) => self.undo(Reason::Timeout, now, &mut list),
            (P::Greeting | P::Draining | P::Sealing, E::Cancel) if self.owner == Owner::Lives => {
                self.undo(Reason::Cancelled, now, &mut list);
            }
            (P::Doubting, E::Timeout) => {
                self.undo(if self.owner == Owner::Crashed { Reason::Timeout } else { Reason::HungUp }, now, &mut list)
            }
            (P::Opening, E::Cancel | E::Timeout) if self.owner == Owner::Lives || event == E::Timeout => {
                self.reason = off(event);
                self.wait(P::Closing, Deadline::NEVER);
                list.push(Action::Shut);
            }
            (P::Ending, E::Timeout) if self.left > 0 => {
                self.left -= 1;
                self.deadline = after(now, KILL);
                list.push(Action::Kill);
            }
            (P::Ending, E::Timeout) => self.without_successor(self.reason, now, &mut list),
            (P::Resuming, E::Timeout) => self.over_aborted(false, &mut list),
            _ => {}
        }
        (self, list)
    }

    fn wait(&mut self, phase: Phase, deadline: Deadline) {
        (self.phase, self.deadline, self.silence) = (phase, deadline, Deadline::NEVER);
    }

    fn prepare(&mut self, now: i64, list: &mut List) {
        // In front of the first thing that anybody could feel.
        list.push(Action::Journal(Record::Negotiating));
        list.push(Action::Prepare(self.whole, self.drain_ns));
        (self.prepared, self.owes) = (true, Owes::Drained);
        self.wait(Phase::Draining, after(now, self.drain_ns).min(self.whole).plus(SLACK));
        self.silence = after(now, SILENCE);
        list.push(Action::Progress(Phase::Draining));
    }

    fn begin(&mut self, deadline: Deadline, list: &mut List) {
        self.successor = Successor::Begun;
        list.push(Action::Begin);
        list.push(Action::Journal(Record::AwaitingReady));
        self.wait(Phase::Opening, deadline);
        list.push(Action::Progress(Phase::Opening));
    }

    fn commit(&mut self, list: &mut List) {
        if self.session != Session::Closed && self.owner == Owner::Lives {
            list.push(Action::Commit);
        }
        list.push(Action::Journal(Record::Committed));
        self.leave(list);
        self.over(End::Committed { unsealed: !self.sealed }, list);
    }

    fn owner_died(&mut self, now: i64, list: &mut List) {
        use Phase as P;
        if self.owner == Owner::Dead {
            return;
        }
        (self.owner, self.owes) = (Owner::Dead, Owes::Nothing);
        self.leave(list);
        let rescue = after(now, self.whole_ns);
        match (self.phase, self.successor) {
            (P::Resuming, _) | (_, Successor::Gone) => self.over(End::Lost(Reason::Died), list),
            (P::Greeting | P::Doubting, Successor::Started) => self.wait(P::Greeting, rescue),
            (P::Greeting | P::Doubting | P::Draining | P::Sealing, _) => self.begin(rescue, list),
            // It is all that is left: it has the time that anybody has.
            (P::Opening, _) => self.deadline = rescue,
            // What it said is still being read; but it will not be killed for being late.
            _ => {}
        }
    }

    fn successor_died(&mut self, now: i64, list: &mut List) {
        use Phase as P;
        if self.successor == Successor::Gone {
            return;
        }
        let reason = if matches!(self.phase, P::Closing | P::Ending) { self.reason } else { Reason::Died };
        self.successor = Successor::Gone;
        if self.phase == P::Doubting {
            // Whether anybody is left is not known yet.
            self.reason = reason;
            return;
        }
        self.without_successor(reason, now, list);
    }

    /// The successor has failed, or is not wanted; it has not begun.
    fn undo(&mut self, reason: Reason, now: i64, list: &mut List) {
        if self.successor != Successor::Gone {
            self.successor = Successor::Gone;
            list.push(Action::Dismiss);
        }
        self.without_successor(reason, now, list);
    }

    /// It may have the lock. Its death is awaited.
    fn kill(&mut self, now: i64, list: &mut List) {
        self.wait(Phase::Ending, after(now, KILL));
        self.left = KILLS;
        list.push(Action::Kill);
    }

    /// The owner goes on, if it lives.
    fn without_successor(&mut self, reason: Reason, now: i64, list: &mut List) {
        self.reason = reason;
        if self.owner == Owner::Dead {
            return self.over(End::Lost(reason), list);
        }
        if !self.prepared {
            return self.over_aborted(true, list);
        }
        self.wait(Phase::Resuming, after(now, RESUME));
        self.left = RESUMES;
        if !self.resumed && self.session != Session::Closed {
            list.push(Action::Resume);
        }
        if self.session == Session::Open {
            list.push(Action::Ping);
            self.pinged = true;
        } else {
            self.leave(list);
            list.push(Action::Reconnect);
        }
        list.push(Action::Journal(Record::ResumingAfterAbort));
        list.push(Action::Progress(Phase::Resuming));
    }

    fn prolong(&mut self, now: i64) {
        if self.left > 0 {
            self.left -= 1;
            self.deadline = after(now, RESUME);
        }
    }

    fn leave(&mut self, list: &mut List) {
        if self.session != Session::Closed {
            self.session = Session::Closed;
            list.push(Action::Leave);
        }
    }

    fn over_aborted(&mut self, confirmed: bool, list: &mut List) {
        self.leave(list);
        self.over(End::Aborted { reason: self.reason, confirmed }, list);
    }

    fn over(&mut self, end: End, list: &mut List) {
        self.wait(Phase::Over(end), Deadline::NEVER);
        list.push(Action::Journal(Record::Clear));
        list.push(Action::Tell(end));
    }
}

impl Event {
    fn is_of_owner(self) -> bool {
        use Event as E;
        matches!(self, E::OwnerGreeted | E::Drained | E::SealComplete | E::SealFailed | E::OwnerBeat | E::OwnerTrouble(_) | E::OwnerHungUp)
    }
}

fn off(event: Event) -> Reason {
    if event == Event::Cancel { Reason::Cancelled } else { Reason::Timeout }
}

fn trouble_of(event: Event) -> Reason {
    match event {
        Event::OwnerTrouble(reason) | Event::Trouble(reason) => reason,
        _ => Reason::HungUp,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: i64 = 1_000 * MILLI;

    fn at(seconds: i64) -> Deadline {
        Deadline::at(seconds * SECOND)
    }

    /// A machine that has heard this, each at its second.
    fn told(events: &[(Event, i64)]) -> Supervisor {
        let machine = Supervisor::new(300 * SECOND, 60 * SECOND, 0);
        events.iter().fold(machine, |machine, (event, second)| machine.step(*event, second * SECOND).0)
    }

    // covers: HO-4, LAW-15
    #[test]
    fn every_wait_has_its_time() {
        use Event as E;
        let greeted = [(E::OwnerGreeted, 1), (E::Greeted, 2)];
        assert_eq!(told(&[]).deadline(), at(5), "an owner's Hello");
        assert_eq!(told(&greeted[..1]).deadline(), at(300), "a successor's has the whole");
        let beats = |from: &[(Event, i64)], until: i64| {
            let all: Vec<_> = from.iter().copied().chain((1..=until / 2).map(|beat| (E::OwnerBeat, 2 * beat))).collect();
            told(&all)
        };
        assert_eq!(told(&greeted).deadline(), at(12), "silence");
        assert_eq!(beats(&greeted, 40).deadline(), at(50), "a heartbeat every two seconds");
        assert_eq!(beats(&greeted, 60).deadline(), at(63), "the drain, and what is under way");
        let drained = [&greeted[..], &[(E::Drained, 10)]].concat();
        assert_eq!(told(&drained).deadline(), at(20));
        assert_eq!(beats(&drained, 298).deadline(), at(301), "the whole, and what is under way");
        let begun = [&drained[..], &[(E::SealComplete, 11)]].concat();
        assert_eq!(told(&begun).deadline(), at(301), "a successor need not send heartbeats");
        assert_eq!(told(&[&begun[..], &[(E::Beat, 20)]].concat()).deadline(), at(30), "but one that does");
        let alone = [&drained[..], &[(E::OwnerDied, 100)]].concat();
        assert_eq!(told(&alone).deadline(), at(400), "the time that anybody has");
        let left = [&begun[..], &[(E::OwnerDied, 100)]].concat();
        assert_eq!(told(&left).deadline(), at(400), "the same for one that had begun");
        let off = [&drained[..], &[(E::Cancel, 12)]].concat();
        assert_eq!(told(&off).deadline(), at(22), "a sign that it goes on");
        assert_eq!(told(&[&off[..], &[(E::OwnerBeat, 14)]].concat()).deadline(), at(24), "it seals still");
        let hung_up = [&drained[..], &[(E::OwnerHungUp, 12)]].concat();
        assert_eq!(told(&hung_up).deadline(), Deadline::at(12 * SECOND + LINGER));
    }

    /// The order of what is said, to whom.
    // covers: HO-3
    #[test]
    fn the_happy_path_says_one_thing_after_the_other() {
        use {Action as A, Event as E};
        let mut machine = Supervisor::new(300 * SECOND, 60 * SECOND, 0);
        let mut all = Vec::new();
        for event in [E::Greeted, E::OwnerGreeted, E::OwnerBeat, E::Drained, E::OwnerBeat, E::SealComplete, E::Beat, E::Ready] {
            let (next, actions) = machine.step(event, 0);
            machine = next;
            all.extend(actions.iter().filter(|action| !matches!(action, A::Journal(_) | A::Progress(_))));
        }
        let end = End::Committed { unsealed: false };
        let whole = Deadline::at(300 * SECOND);
        assert_eq!(all, [A::Ack, A::AckOwner, A::Prepare(whole, 60 * SECOND), A::RequestSeal, A::Begin, A::Commit, A::Leave, A::Tell(end)]);
    }
}
