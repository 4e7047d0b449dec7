//! What is true at one moment: the world of owner and successor, the supervisor, and what is between them.

use super::mutant::Mutant;
use crate::clock::Deadline;
use crate::machine::owner;
use crate::machine::supervisor::{Event, Supervisor, Who};
use crate::machine::word::Word;
use crate::model::fifo::Fifo;
use crate::model::product::Choice;
use crate::model::setup::{Setup, WHOLE};
use crate::model::world::{self as pair, Life, Machine, SLOTS, Slot};

/// What a supervisor's limits are, beside an owner's own for takeovers.
pub const OWN_WHOLE: Deadline = Deadline::at(WHOLE / 2);

/// What happened that should not, in order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Fault {
    OwnerDies,
    SuccessorDies,
    SupervisorDies,
    /// The application of the supervisor has called it off.
    Cancelled,
    /// The time of the replacement is over.
    Late,
}

/// What the supervisor says to its owner.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Said {
    Announce,
    Expect(Slot),
    CallOff(Option<Slot>),
}

/// What it hears.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Heard {
    /// With the record of the last handoff: with whom, and whether it was committed to.
    Estate(Slot, u8, Option<(Slot, bool)>),
    Outcome(Slot, bool),
    NotCalledOff,
}

/// Its channel.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Link {
    None,
    Open(Slot),
    /// The other end is closed; what it had said may lie there still.
    Ended,
}

/// A spawn.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Order {
    None,
    Given,
    /// It runs, and the call has not returned.
    Forked(Slot),
}

/// What the application was told of its replacement.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Ending {
    /// It has asked for none, or does not know yet.
    None,
    Committed,
    Aborted,
    /// The supervisor that was asked is dead: the record tells.
    Lost,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Observer {
    pub lives: bool,
    pub machine: Supervisor,
    pub owner: Option<Slot>,
    pub child: Option<Slot>,
    /// The same when they are dead: by their numbers.
    pub last_owner: Option<Slot>,
    pub last_child: Option<Slot>,
    pub order: Order,
    pub link: Link,
    /// The estate has come.
    pub up: bool,
    pub heard: Fifo<Heard, 6>,
    /// Of which page it has a mapping; 0: of none.
    pub page: u8,
    /// Judged, and the kill is not sent.
    pub judged: Option<Slot>,
    /// There is a replacement with limits; there is a record of it.
    pub terms: bool,
    pub recorded: bool,
    pub holds_listeners: bool,
    pub recovering: bool,
    pub permits: u8,
    pub gave_up: bool,
    /// Asked for a replacement, and not told what came of it.
    pub asked: bool,
    pub ending: Ending,
}

/// What an owner knows of a successor that is to come (`owner/expected.rs`).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Expected {
    /// `None`: only announced.
    pub who: Option<Slot>,
    pub greeted: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct World {
    pub pair: pair::World,
    pub s: Observer,
    /// From the supervisor to the owner at the other end of its channel, and whether that end is closed behind it.
    pub said: Fifo<Said, 4>,
    pub closed: bool,
    /// The owner that serves the observer, and what it expects.
    pub serves: Option<Slot>,
    pub expected: Option<Expected>,
    /// An owner whose handoff is over, before it has told so: with whom, and whether it was committed.
    pub ends: Option<(Slot, Slot, bool)>,
    /// The last handoff that is over.
    pub record: Option<(Slot, bool)>,
    /// The page that counts now, who has signed which generation in it; and what stood in the one before.
    pub page: u8,
    pub signed: [Slot; 2],
    pub before: (Word, [Slot; 2]),
    /// Whom the lock file names, if that is one who has taken it by himself.
    pub named: Option<Slot>,
    /// Processes that look for a generation before them; that have listeners by LISTEN_FDS; that are children of the supervisor that lives.
    pub seeks: [bool; SLOTS],
    pub given: [bool; SLOTS],
    pub mine: [bool; SLOTS],
    /// The whole of the offer that was made last; the supervisor's announcement counts with the owner, or is on its way to him.
    pub offered_whole: Option<Deadline>,
    pub announced: bool,
    pub replaced: bool,
    /// The supervisor has died once.
    pub bereaved: bool,
    /// Nobody held a listener any more when a first generation was started.
    pub bound_anew: bool,
    /// It died while it had stopped its child.
    pub left_stopped: bool,
    pub faults: Fifo<Fault, 2>,
    pub mutant: Mutant,
    /// A deadline that comes while something else could happen is a fault; else each may come at any moment.
    pub bounded: bool,
    pub broken: Option<&'static str>,
}

impl World {
    /// An owner serves, and its supervisor watches.
    pub fn new(setup: &Setup, mutant: Mutant, bounded: bool) -> Self {
        let opened = setup.apply(&setup.world(), Choice::Take(0));
        let pair = setup.apply(&opened, Choice::Answer(0));
        assert!(pair.at(0).owner().is_some_and(|owner| owner.phase == owner::Phase::Serving));
        // As `recover` finds it.
        let (machine, _) = Supervisor::new().step(Event::Recover, 0).0.step(Event::Estate(Who::Other), 0);
        let s = Observer {
            lives: true,
            machine,
            owner: Some(0),
            child: None,
            last_owner: None,
            last_child: None,
            order: Order::None,
            link: Link::Open(0),
            up: true,
            heard: Fifo::new(),
            page: 1,
            judged: None,
            terms: false,
            recorded: false,
            holds_listeners: true,
            recovering: false,
            permits: 2,
            gave_up: false,
            asked: false,
            ending: Ending::None,
        };
        Self {
            before: (pair.word, [0; 2]),
            pair,
            s,
            said: Fifo::new(),
            closed: false,
            serves: Some(0),
            expected: None,
            ends: None,
            record: None,
            page: 1,
            signed: [0; 2],
            named: None,
            seeks: [false; SLOTS],
            given: [false; SLOTS],
            mine: [false; SLOTS],
            offered_whole: None,
            announced: false,
            replaced: false,
            bereaved: false,
            bound_anew: false,
            left_stopped: false,
            faults: Fifo::new(),
            mutant,
            bounded,
            broken: None,
        }
    }

    pub fn breaks(&mut self, law: &'static str) {
        self.broken.get_or_insert(law);
    }

    pub fn lock_is_free(&self) -> bool {
        pair::World::slots().all(|slot| !self.pair.at(slot).lives() || self.pair.at(slot).holds & pair::LOCK == 0)
    }

    /// Who accepts at the control path: an owner, but for the gap and what follows.
    pub fn accepts(&self, slot: Slot) -> bool {
        use owner::Phase as P;
        let process = self.pair.at(slot);
        let open =
            |phase| matches!(phase, P::Starting | P::Serving | P::Greeting | P::Offering(_) | P::Warming | P::Draining | P::Probing(_));
        process.life == Life::Running && process.todo.is_empty() && process.owner().is_some_and(|owner| open(owner.phase))
    }

    /// Neither heard nor told.
    pub fn is_in_the_gap(&self, slot: Slot) -> bool {
        use owner::Phase as P;
        let gap = |phase| matches!(phase, P::Sealing | P::Updating(_) | P::Committing | P::Handing);
        self.pair.at(slot).owner().is_some_and(|owner| gap(owner.phase))
    }

    /// A place for another process: one that nobody remembers.
    pub fn free(&self) -> Option<Slot> {
        let s = &self.s;
        let known = [s.owner, s.child, s.last_owner, s.last_child, s.judged];
        let forgotten = |slot: Slot| {
            let peers = pair::World::slots().any(|other| self.pair.at(other).peer == Some(slot));
            !peers && !known.contains(&Some(slot)) && self.pair.owner != slot
        };
        let absent = |slot: &Slot| self.pair.at(*slot).life == Life::Absent;
        let gone = |slot: &Slot| self.pair.at(*slot).life == Life::Gone && forgotten(*slot);
        pair::World::slots().find(absent).or_else(|| pair::World::slots().find(gone))
    }

    /// It lives, and is a party: it owns, or may come to.
    pub fn is_party(&self, slot: Slot) -> bool {
        let process = self.pair.at(slot);
        process.lives()
            && match process.machine {
                Machine::None => self.seeks[slot as usize],
                Machine::Owner(owner) => owner.phase != owner::Phase::Retired,
                Machine::Successor(successor) => successor.phase != crate::machine::successor::Phase::Ended,
            }
    }
}
