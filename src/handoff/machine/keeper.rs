//! The keeper: an owner looks after its control path and its lock file, which cleaners remove and turned links hide.
//!
//! ```text
//!   Idle --look--> Looking --all its own--> Idle
//!                     |  \--the path is not--> Binding --------------> Idle
//!                     | the lock is not           ^
//!                     v                           | the path is not
//!                  Locking --taken--> Checking ---+--the path is--> Idle
//! ```
//!
//! Who makes them anew must first win the lock that lies at the name now: another first generation may stand there, or be on its way. So there are two
//! ends: they are this process's again, or another holds them, and then it is told that two may own. That cannot be healed from here: neither
//! knows what the other has written.
//!
//! It works only while no handoff is under way: a successor has the lock of the offer, and must not become owner under one that lies nowhere.

use super::Actions;

/// What is at a name.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Place {
    /// This process's file.
    Own,
    /// Nothing.
    Gone,
    /// Another file.
    Another,
    /// It cannot be said (no right to look).
    Unknown,
}

/// What is at both names.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Seen {
    /// That of the lock file.
    pub lock: Place,
    /// The control path.
    pub path: Place,
}

impl Seen {
    /// Whether this process's lock file is not the one that others find.
    pub fn is_lock_lost(self) -> bool {
        matches!(self.lock, Place::Gone | Place::Another)
    }

    fn is_path_lost(self) -> bool {
        matches!(self.path, Place::Gone | Place::Another)
    }
}

/// Why they are not this process's.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Loss {
    /// Another process holds the lock that lies there now, or answers at the path beside a lock that nobody holds.
    Another,
    /// They could not be made anew: a number of the driver's.
    Failed(i32),
}

/// What came of an action.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Outcome {
    /// It is done.
    Done,
    /// Another process holds the lock, or another file is it by now.
    Held,
    /// Somebody answers at the path.
    Answered(i32),
    /// It could not be done.
    Failed(i32),
}

/// What happens.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Event {
    /// It is time to look: a step of the handoff, the watch, the clock.
    Look,
    /// What was seen, by the lock in hand if there is one.
    Seen(Seen),
    /// What taking the lock came to.
    Locked(Outcome),
    /// What binding the path came to.
    Bound(Outcome),
}

/// What the driver shall do.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Action {
    /// Look at both names.
    Look,
    /// Take the lock that lies there, made if it is gone; it is in hand then.
    TakeLock,
    /// The lock in hand is closed.
    LetGo,
    /// The lock in hand is the lock from here on; the old one is closed.
    Adopt,
    /// Bind the path anew, under the lock in hand or else the own one. Not if somebody answers there.
    Bind,
    /// An event for the application: they are its own (again), or not.
    Tell(Option<Loss>),
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Phase {
    Idle,
    Looking,
    Locking,
    /// With a lock in hand.
    Checking,
    Binding {
        in_hand: bool,
    },
}

/// The keeper's state.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Keeper {
    phase: Phase,
    /// What was told last.
    loss: Option<Loss>,
    /// The lock file that others find is held by this process, as far as it knows.
    holds_lock: bool,
}

type List = Actions<Action>;

impl Keeper {
    /// Of files that have just been made, or received.
    pub const NEW: Self = Self { phase: Phase::Idle, loss: None, holds_lock: true };

    /// Whether a handoff may begin: whoever receives the lock receives the one that lies at the name.
    pub fn holds_lock(&self) -> bool {
        self.holds_lock
    }

    /// What is wrong: then it is looked again by the clock, for who holds the files ends without a sign.
    pub fn loss(&self) -> Option<Loss> {
        self.loss
    }

    /// One step. What is not awaited changes nothing.
    pub fn step(mut self, event: Event) -> (Self, List) {
        use {Event as E, Phase as P};
        let actions = match (self.phase, event) {
            (P::Idle, E::Look) => self.go(P::Looking, &[Action::Look]),
            (P::Looking, E::Seen(seen)) if seen.is_lock_lost() => {
                self.holds_lock = false;
                self.go(P::Locking, &[Action::TakeLock])
            }
            // The lock lies there, and its holder is this process: it has what it needs.
            (P::Looking, E::Seen(seen)) if seen.lock == Place::Own && seen.is_path_lost() => {
                self.holds_lock = true;
                self.go(P::Binding { in_hand: false }, &[Action::Bind])
            }
            (P::Looking, E::Seen(seen)) if seen.lock == Place::Own => self.well(&[], self.loss.is_some()),
            // Nothing new is known.
            (P::Looking, E::Seen(_)) => self.go(P::Idle, &[]),
            (P::Locking, E::Locked(Outcome::Done)) => self.go(P::Checking, &[Action::Look]),
            (P::Locking, E::Locked(outcome)) => self.lost(&[], loss_of(outcome)),
            (P::Checking, E::Seen(seen)) if seen.lock != Place::Own => self.lost(&[Action::LetGo], Loss::Another),
            (P::Checking, E::Seen(seen)) if seen.is_path_lost() => self.go(P::Binding { in_hand: true }, &[Action::Bind]),
            (P::Checking, E::Seen(_)) => self.well(&[Action::Adopt], true),
            (P::Binding { in_hand }, E::Bound(Outcome::Done)) => self.well(if in_hand { &[Action::Adopt] } else { &[] }, true),
            // The lock file was taken from a generation that lives: it is not to be kept from it.
            (P::Binding { in_hand: true }, E::Bound(Outcome::Held | Outcome::Answered(_))) => self.lost(&[Action::LetGo], Loss::Another),
            // The path alone: who owns is decided by the lock, and that is held.
            (P::Binding { in_hand: true }, E::Bound(Outcome::Failed(why))) => {
                self.holds_lock = true;
                self.lost(&[Action::Adopt], Loss::Failed(why))
            }
            (P::Binding { in_hand: false }, E::Bound(outcome)) => {
                self.holds_lock = outcome != Outcome::Held;
                self.lost(&[], loss_of(outcome))
            }
            _ => List::none(),
        };
        (self, actions)
    }

    fn go(&mut self, phase: Phase, actions: &[Action]) -> List {
        self.phase = phase;
        List::of(actions)
    }

    fn well(&mut self, actions: &[Action], tell: bool) -> List {
        (self.loss, self.holds_lock) = (None, true);
        let mut actions = self.go(Phase::Idle, actions);
        if tell {
            actions.push(Action::Tell(None));
        }
        actions
    }

    fn lost(&mut self, actions: &[Action], loss: Loss) -> List {
        let mut actions = self.go(Phase::Idle, actions);
        if self.loss != Some(loss) {
            self.loss = Some(loss);
            actions.push(Action::Tell(self.loss));
        }
        actions
    }
}

fn loss_of(outcome: Outcome) -> Loss {
    match outcome {
        Outcome::Answered(why) | Outcome::Failed(why) => Loss::Failed(why),
        Outcome::Done | Outcome::Held => Loss::Another,
    }
}
