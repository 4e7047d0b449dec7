//! The supervisor: it starts generations, has them replaced, and starts another when none is left. Two things it never does: it never decides who
//! owns, and nobody ever waits for it.
//!
//! ```text
//!  phase        owner child  what is awaited                              and then
//!  Idle           -     -    Start, Recover
//!  Starting       -     .    the spawn                                    born: Opening; not: Idle, or Resting where nobody has asked
//!  Opening        -     x    its estate                                   Watching; dead: Resting
//!  Watching       x     -    Replace, Stop                                dead: Searching
//!  Preparing      x     .    the spawn                                    born: Replacing; not: Watching
//!  Replacing      x     x    the child's estate, or how it ended          Watching; aborted: Aborting; dead: Concluding; late: CallingOff
//!  CallingOff     x     x    the same                                     refused, or no answer: Looking
//!  Aborting       x     x    the end of a child that was called off       Watching; late: Looking
//!  Looking        ?     x    what the word says                           the child may own: as in Judging; it does not: Freezing
//!  Freezing       ?     x    that the child stands still                  Judging; it does not: back to where it came from
//!  Judging        ?     x    what the word says                           the child may own: continued; it does not: Killing
//!  Killing        ?     x    its death                                    Concluding, or Searching
//!  Concluding     x     -    what the owner says came of it               Watching
//!  Bereft         -     ?    what the word says of a dead owner's heirs   Orphaned, or Searching
//!  Orphaned       -     x    the child's estate: it goes on by itself     Watching; dead: Searching; late: Looking
//!  Searching      -     -    somebody's estate, or that the lock is free  Watching; free, or late: Resting
//!  Resting        -     -    a permit for another start                   Starting; none: Idle, GAVE_UP
//!  Stopping       ?     ?    the death of whoever is being ended          Idle, STOPPED
//! ```
//!
//! The races that shaped it:
//! - **A kill and a promotion.** A child that was called off may own a moment later (its owner dies, and it has not heard). So it is stopped first, and
//!   the word looked at while it can change nothing; only who does not own then is killed (S9).
//! - **A supervisor that dies while its child stands still** leaves it so for good. So the word is looked at before, too, and one that owns already, and
//!   serves, is never stopped (L4).
//! - **An owner's death and its retirement look alike.** What the word says decides: if it is the next one's, it was a handoff.
//! - **The death of both.** Whoever may still be there holds the lock: another is started when it is free, with the listeners that are held here, so
//!   that nobody is refused meanwhile (L5).
//! - Nothing that is heard on the channel is needed: pidfds, the word and the lock say the same a little later.

mod words;

use super::{Actions, LINGER, after};
use crate::clock::Deadline;
pub use words::{Action, Event, Phase, Seen, Told, Who, Why};

type List = Actions<Action>;

/// How long an owner may take over its answer.
pub const SLACK: i64 = 5_000_000_000;
/// How long a child that was called off may take over its end.
pub const GRACE: i64 = 2_000_000_000;
/// How long it is looked for who owns where the known owner is dead and the lock is held.
pub const SEARCH: i64 = 15_000_000_000;
/// How long a stopped child may take to stand still.
pub const STILL: i64 = 500_000_000;
/// Until it is tried again to end a child that could not be judged.
const AGAIN: i64 = 1_000_000_000;
/// Between two starts in a row that came to nothing; doubled each time.
const REST: i64 = 100_000_000;
const LONGEST_REST: i64 = 5_000_000_000;
/// For a successor that nobody has given a deadline.
const USUAL: i64 = 300_000_000_000;

/// The machine.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Supervisor {
    /// Where it stands.
    pub phase: Phase,
    /// Until when something is awaited.
    pub deadline: Deadline,
    /// An owner is known, and was not seen dead.
    pub owner: bool,
    /// A child that was started and does not own yet, as far as is known.
    pub child: bool,
    /// The application has asked for a replacement, and does not know what came of it.
    pub replacing: bool,
    /// It wants no generation any more.
    pub stopping: bool,
    /// The owner has said, or the word, that the child owns: it is not judged any more.
    committed: bool,
    /// The time of the replacement is over.
    late: bool,
    /// It was called off.
    cancelled: bool,
    /// Somebody has asked for this start.
    asked: bool,
    whole: Deadline,
    /// Starts in a row that came to nothing.
    failures: u8,
}

impl Default for Supervisor {
    fn default() -> Self {
        Self::new()
    }
}

impl Supervisor {
    /// Nothing runs that it knows of.
    pub const fn new() -> Self {
        Self {
            phase: Phase::Idle,
            deadline: Deadline::NEVER,
            owner: false,
            child: false,
            replacing: false,
            stopping: false,
            committed: false,
            late: false,
            cancelled: false,
            asked: false,
            whole: Deadline::NEVER,
            failures: 0,
        }
    }

    /// Whether a channel to whoever owns is wanted.
    pub fn looks_on(&self) -> bool {
        !matches!(self.phase, Phase::Idle | Phase::Resting | Phase::Starting)
    }

    /// Whether it is looked whether the lock is free.
    pub fn looks_at_lock(&self) -> bool {
        self.phase == Phase::Searching
    }

    /// One step: the state after it, and what is to be done. Events that mean nothing now change nothing (S11).
    pub fn step(mut self, event: Event, now: i64) -> (Self, List) {
        use Event as E;
        use Phase as P;
        let actions = match (self.phase, event) {
            (P::Idle, E::Start) => {
                (self.asked, self.failures, self.stopping) = (true, 0, false);
                self.go(P::Starting, Deadline::NEVER, &[Action::SpawnFirst])
            }
            (P::Idle, E::Recover) => self.go(P::Searching, Deadline::NEVER, &[]),
            (P::Searching, E::Forget) => self.go(P::Idle, Deadline::NEVER, &[]),

            // ---- spawns ----
            (P::Starting, E::Born) => {
                self.child = true;
                match self.stopping {
                    true => self.go(P::Stopping, Deadline::NEVER, &[Action::StopChild]),
                    false => self.go(P::Opening, Deadline::NEVER, &[]),
                }
            }
            (P::Starting, E::NotBorn) if self.stopping => self.stopped(),
            (P::Starting, E::NotBorn) if self.asked => self.go(P::Idle, Deadline::NEVER, &[]),
            (P::Starting, E::NotBorn) => self.rest(now),
            (P::Watching, E::Replace { whole }) => {
                (self.replacing, self.whole) = (true, whole.plus(LINGER));
                (self.late, self.committed, self.cancelled) = (false, false, false);
                self.go(P::Preparing, Deadline::NEVER, &[Action::SpawnSuccessor])
            }
            (P::Preparing, E::Born) => {
                self.child = true;
                match (self.owner, self.cancelled) {
                    (false, _) => self.go(P::Bereft, Deadline::NEVER, &[Action::Look]),
                    (true, true) => self.go(P::CallingOff, after(now, SLACK), &[Action::Expect, Action::CallOff]),
                    (true, false) => self.go(P::Replacing, self.whole, &[Action::Expect]),
                }
            }
            (P::Preparing, E::NotBorn) => {
                self.replacing = false;
                match self.owner {
                    false => self.go(P::Bereft, Deadline::NEVER, &[Action::Look]),
                    true => self.watch(&[Action::CallOff]),
                }
            }

            // ---- who owns ----
            (P::Opening | P::Replacing | P::CallingOff | P::Aborting | P::Orphaned | P::Freezing | P::Judging, E::Estate(Who::Child)) => {
                let thaw = matches!(self.phase, P::Freezing | P::Judging);
                self.adopt(thaw)
            }
            // A generation that nobody knew of: what was started follows it.
            (P::Opening, E::Estate(_)) => {
                (self.owner, self.whole, self.late) = (true, after(now, USUAL), false);
                self.go(P::Replacing, self.whole, &[Action::Tell(Told::Serving), Action::Expect])
            }
            (P::Replacing | P::CallingOff, E::Estate(who)) => {
                let told = if who == Who::Other { Some(Action::Tell(Told::Serving)) } else { None };
                self.owner = true;
                let mut list = told.map_or(List::none(), |told| List::of(&[told]));
                list.push(Action::Expect);
                if self.phase == P::CallingOff {
                    list.push(Action::CallOff);
                }
                list
            }
            (P::Orphaned, E::Estate(_)) => {
                self.owner = true;
                self.go(P::Replacing, self.whole.max(after(now, SLACK)), &[Action::Tell(Told::Serving), Action::Expect])
            }
            (P::Searching, E::Estate(_)) => {
                self.owner = true;
                self.failures = 0;
                self.watch(&[Action::Tell(Told::Serving)])
            }
            (P::Stopping, E::Estate(Who::Other)) => {
                self.owner = true;
                List::of(&[Action::StopOwner])
            }
            (P::Stopping, E::Estate(Who::Child)) => {
                (self.owner, self.child) = (true, false);
                List::of(&[Action::Adopt, Action::StopOwner])
            }
            (P::Idle | P::Starting | P::Resting, E::Estate(_)) => List::none(),
            (_, E::Estate(Who::Other)) => {
                self.owner = true;
                List::of(&[Action::Tell(Told::Serving)])
            }

            // ---- how it ended, by the owner's word ----
            (P::Replacing | P::CallingOff, E::Ended { committed: false }) => {
                let told = self.aborted(Why::Said);
                self.go(P::Aborting, after(now, GRACE), &[told])
            }
            (P::Replacing | P::CallingOff | P::Aborting, E::Ended { committed: true }) => {
                self.committed = true;
                self.go(P::Replacing, Deadline::NEVER, &[])
            }
            (P::Aborting | P::Freezing | P::Judging | P::Killing, E::Ended { committed: false }) if self.replacing => {
                List::of(&[self.aborted(Why::Said)])
            }
            (P::Freezing, E::Ended { committed: true }) => {
                self.committed = true;
                List::none()
            }
            (P::Concluding, E::Ended { committed: false }) => {
                let told = self.aborted(Why::Said);
                self.watch(&[told])
            }

            // ---- deaths ----
            (P::Opening, E::ChildGone) => {
                self.child = false;
                let mut list = List::of(&[Action::Tell(Told::OwnerEnded)]);
                self.rest(now).iter().for_each(|action| list.push(action));
                list
            }
            (P::Replacing | P::CallingOff | P::Freezing | P::Judging | P::Killing | P::Aborting, E::ChildGone) => {
                self.child = false;
                match (self.owner, self.replacing) {
                    (false, _) => self.go(P::Bereft, Deadline::NEVER, &[Action::Look]),
                    (true, true) => self.go(P::Concluding, after(now, SLACK), &[Action::Look]),
                    (true, false) => self.watch(&[]),
                }
            }
            // It stood alone before it died: the old one retires, or has done so.
            (P::Concluding, E::Seen(Seen::Child)) => {
                (self.replacing, self.owner) = (false, false);
                self.search(now, &[Action::Tell(Told::Committed), Action::Adopt, Action::Tell(Told::OwnerEnded)])
            }
            (P::Orphaned, E::ChildGone) => {
                self.child = false;
                let told = self.replacing.then(|| self.aborted(Why::Ended));
                self.search(now, told.as_slice())
            }
            (P::Watching, E::OwnerGone) => {
                self.owner = false;
                self.go(P::Bereft, Deadline::NEVER, &[Action::Look])
            }
            (P::Preparing | P::Freezing | P::Judging | P::Killing, E::OwnerGone) => {
                self.owner = false;
                List::none()
            }
            (P::Replacing | P::CallingOff | P::Aborting | P::Concluding, E::OwnerGone) => {
                self.owner = false;
                self.go(P::Bereft, Deadline::NEVER, &[Action::Look])
            }
            (P::Bereft, E::ChildGone) => {
                self.child = false;
                List::none()
            }
            (P::Bereft, E::Seen(seen)) => self.bereft(seen, now),

            // ---- calling off ----
            (P::Preparing, E::Cancel) => {
                self.cancelled = true;
                List::none()
            }
            (P::Replacing, E::Cancel) if !self.committed => {
                self.cancelled = true;
                self.go(P::CallingOff, after(now, SLACK).min(self.whole), &[Action::CallOff])
            }
            (P::CallingOff, E::Refused | E::Timeout) | (P::Aborting, E::Timeout) => self.doubt(),
            // The owner has called it off itself by now, unless the child has not come to it, or it hangs.
            (P::Replacing, E::Timeout) => {
                self.late = true;
                self.go(P::CallingOff, after(now, SLACK), &[Action::CallOff])
            }
            (P::Orphaned, E::Timeout) => {
                self.late = true;
                self.doubt()
            }
            (P::Concluding, E::Timeout) => {
                let told = self.aborted(if self.cancelled { Why::Cancelled } else { Why::Ended });
                self.watch(&[told])
            }
            (P::Looking, E::Seen(Seen::Base | Seen::Offered)) => self.go(P::Freezing, after(now, STILL), &[Action::Freeze]),
            (P::Looking, E::Seen(Seen::Unknown)) => self.go_back(now, List::none()),
            (P::Looking, E::Seen(_)) => self.may_own(List::none()),
            (P::Freezing, E::Still(true)) => self.go(P::Judging, Deadline::NEVER, &[Action::Look]),
            (P::Freezing, E::Still(false) | E::Timeout) => self.go_back(now, List::of(&[Action::Thaw])),
            (P::Judging, E::Seen(Seen::Base | Seen::Offered)) if self.owner || self.late => {
                let why = if self.late { Why::Late } else { Why::Cancelled };
                let told = self.replacing.then(|| self.aborted(why));
                let mut list = List::of(&[Action::Kill]);
                // It sees the death as well; but who knows when.
                told.into_iter().for_each(|told| list.push(told));
                self.phase = P::Killing;
                self.deadline = Deadline::NEVER;
                list
            }
            // Its owner is dead, and it was only to be called off: it is all that is left.
            (P::Judging, E::Seen(Seen::Base | Seen::Offered)) => self.go(P::Orphaned, self.whole, &[Action::Thaw]),
            (P::Judging, E::Seen(Seen::Unknown)) => self.go_back(now, List::of(&[Action::Thaw])),
            (P::Judging, E::Seen(_)) => self.may_own(List::of(&[Action::Thaw])),

            // ---- another start ----
            (P::Searching, E::LockFree | E::Timeout) => self.rest(now),
            (P::Resting, E::Timeout) => self.go(P::Resting, Deadline::NEVER, &[Action::AskPermit]),
            (P::Resting, E::Permit(true)) => {
                self.asked = false;
                self.go(P::Starting, Deadline::NEVER, &[Action::SpawnFirst])
            }
            (P::Resting, E::Permit(false)) => self.go(P::Idle, Deadline::NEVER, &[Action::Tell(Told::GaveUp)]),

            // ---- the end ----
            (P::Starting, E::Stop) => {
                self.stopping = true;
                List::none()
            }
            (P::Watching | P::Concluding, E::Stop) => self.stop_all(&[]),
            (P::Opening | P::Orphaned, E::Stop) => self.stop_all(&[]),
            (P::Preparing, E::Stop) => {
                (self.stopping, self.cancelled) = (true, true);
                List::none()
            }
            (P::Replacing | P::CallingOff | P::Aborting, E::Stop) => {
                let off = if self.phase == P::Replacing && !self.committed { &[Action::CallOff][..] } else { &[] };
                (self.stopping, self.cancelled) = (true, true);
                // An owner that is being ended calls it off as well; its successor must not go on in its place.
                self.stop_all(off)
            }
            (P::Freezing | P::Judging | P::Killing | P::Bereft, E::Stop) => {
                self.stopping = true;
                List::none()
            }
            (P::Searching | P::Resting, E::Stop) => self.stopped(),
            (P::Stopping, E::OwnerGone) => {
                self.owner = false;
                if self.child { List::none() } else { self.stopped() }
            }
            (P::Stopping, E::ChildGone) => {
                self.child = false;
                if self.owner { List::none() } else { self.stopped() }
            }
            _ => List::none(),
        };
        (self, actions)
    }

    fn go(&mut self, phase: Phase, deadline: Deadline, actions: &[Action]) -> List {
        (self.phase, self.deadline) = (phase, deadline);
        List::of(actions)
    }

    fn aborted(&mut self, why: Why) -> Action {
        self.replacing = false;
        Action::Tell(Told::Aborted(why))
    }

    /// An owner is there, and no child.
    fn watch(&mut self, actions: &[Action]) -> List {
        if self.stopping {
            return self.stop_all(actions);
        }
        self.go(Phase::Watching, Deadline::NEVER, actions)
    }

    /// The child owns.
    fn adopt(&mut self, thaw: bool) -> List {
        let mut list = if thaw { List::of(&[Action::Thaw]) } else { List::none() };
        list.push(Action::Adopt);
        if std::mem::take(&mut self.replacing) {
            list.push(Action::Tell(Told::Committed));
        }
        list.push(Action::Tell(Told::Serving));
        (self.owner, self.child, self.failures) = (true, false, 0);
        self.watch(&[]).iter().for_each(|action| list.push(action));
        list
    }

    /// The owner is dead; what was the word then?
    fn bereft(&mut self, seen: Seen, now: i64) -> List {
        let ended = matches!(seen, Seen::Base | Seen::Offered | Seen::Unknown);
        let mut list = if ended { List::of(&[Action::Tell(Told::OwnerEnded)]) } else { List::none() };
        if self.stopping {
            self.stop_all(&[]).iter().for_each(|action| list.push(action));
            return list;
        }
        if self.child {
            let owns = self.committed || matches!(seen, Seen::Handing | Seen::Child);
            // One that was called off goes; it may not have heard that, and then goes on.
            let deadline = if owns {
                Deadline::NEVER
            } else if self.replacing {
                self.whole
            } else {
                self.whole.min(after(now, SLACK))
            };
            self.go(Phase::Orphaned, deadline, &[]);
            return list;
        }
        // It owned alone, and is dead as well.
        if seen == Seen::Child {
            list.push(Action::Adopt);
            if std::mem::take(&mut self.replacing) {
                list.push(Action::Tell(Told::Committed));
            }
            list.push(Action::Tell(Told::OwnerEnded));
        } else if self.replacing {
            list.push(self.aborted(Why::Ended));
        }
        self.search(now, &[]).iter().for_each(|action| list.push(action));
        list
    }

    fn search(&mut self, now: i64, actions: &[Action]) -> List {
        if self.stopping {
            let mut list = List::of(actions);
            self.stopped().iter().for_each(|action| list.push(action));
            return list;
        }
        self.go(Phase::Searching, after(now, SEARCH), actions)
    }

    fn rest(&mut self, now: i64) -> List {
        if self.stopping {
            return self.stopped();
        }
        let rest = if self.failures == 0 { 0 } else { (REST << self.failures.min(6)).min(LONGEST_REST) };
        self.failures = self.failures.saturating_add(1);
        match rest {
            0 => self.go(Phase::Resting, Deadline::NEVER, &[Action::AskPermit]),
            rest => self.go(Phase::Resting, after(now, rest), &[]),
        }
    }

    /// It is to be ended, if it does not own.
    fn doubt(&mut self) -> List {
        self.go(Phase::Looking, Deadline::NEVER, &[Action::Look])
    }

    /// The child owns, or is about to: it is not judged any more.
    fn may_own(&mut self, list: List) -> List {
        self.committed = true;
        (self.phase, self.deadline) = (if self.owner { Phase::Replacing } else { Phase::Orphaned }, Deadline::NEVER);
        list
    }

    /// It could not be judged now.
    fn go_back(&mut self, now: i64, mut list: List) -> List {
        if self.late && self.replacing {
            list.push(self.aborted(Why::Late));
        }
        let phase = if self.owner { Phase::Aborting } else { Phase::Orphaned };
        (self.phase, self.deadline) = (phase, after(now, AGAIN));
        list
    }

    /// Whoever is there is ended.
    fn stop_all(&mut self, before: &[Action]) -> List {
        let mut list = List::of(before);
        self.stopping = true;
        if self.replacing {
            list.push(self.aborted(Why::Cancelled));
        }
        if self.child {
            list.push(Action::StopChild);
        }
        if self.owner {
            list.push(Action::StopOwner);
        }
        if !self.child && !self.owner {
            self.stopped().iter().for_each(|action| list.push(action));
            return list;
        }
        (self.phase, self.deadline) = (Phase::Stopping, Deadline::NEVER);
        list
    }

    fn stopped(&mut self) -> List {
        (self.stopping, self.replacing) = (false, false);
        self.go(Phase::Idle, Deadline::NEVER, &[Action::Tell(Told::Stopped)])
    }
}
