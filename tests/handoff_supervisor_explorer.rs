//! The supervisor's machine (`src/handoff/machine/supervisor.rs`, as it is) in every order of events, beside generations of which only that is modelled
//! which a supervisor can notice: who lives, what the word says, who holds the lock. What generations do between themselves is explored in
//! `handoff_explorer.rs`; here they may do at any moment whatever they may do at all, also die, hang, and be killed by the supervisor.
//!
//! Laws: S8 a child ends as owner, or is reaped; S9 nobody is killed who owns, or could come to own without an owner beside him; S12 a replacement has
//! one end; L1, L5 when nobody is left and nothing hinders, another is started, or GAVE_UP or STOPPED was told; L2, LAW-15 each wait has a deadline or
//! waits for a death; L4 its own death leaves everything as it is (it has no effect but its actions, of which none touches an owner).

// covers: S8, S9, S12, L1, L2, L4, L5, LAW-15, C16-1

#[path = "../src/handoff/machine/mod.rs"]
#[allow(dead_code, missing_docs)]
mod machine;

use std::collections::{HashMap, VecDeque};

use machine::supervisor::{Action, Event, Phase, Seen, Supervisor, Told, Who};
use procsup::clock;
use procsup::clock::Deadline;

/// Whose the word is. One generation at most is there beside the child: the owner.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Word {
    /// The owner's, or nobody's.
    Base,
    /// The child has an offer.
    Offered,
    /// It was committed to, and the owner stands by.
    Handing,
    /// The child's alone.
    Child,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Life {
    None,
    Runs,
    /// Dead, and the supervisor was not told.
    Dead,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
struct World {
    machine: Supervisor,
    owner: Life,
    child: Life,
    word: Word,
    /// The child was stopped by the supervisor; it is being ended.
    frozen: bool,
    ending: bool,
    hangs: bool,
    /// The estate of who owns is known, and nobody else has come since.
    known: bool,
    spawning: bool,
    permits: u8,
    faults: u8,
    /// Asked for, and told.
    asked: bool,
    idle_told: bool,
    stops: u8,
    broken: Option<&'static str>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Mutant {
    None,
    /// Kills whoever is late, without a look.
    KillsUnseen,
    /// Takes the death of the owner for that of the service while its successor lives.
    StartsBesideAnHeir,
    /// A spawn that fails is the end.
    ForgetsTheRest,
    /// Nobody is told what came of a replacement whose both parties died.
    TellsNothing,
}

/// What one choice does.
type Act = Box<dyn Fn(&mut World, Mutant)>;

impl World {
    fn new() -> Self {
        Self {
            machine: Supervisor::new(),
            owner: Life::None,
            child: Life::None,
            word: Word::Base,
            frozen: false,
            ending: false,
            hangs: false,
            known: false,
            spawning: false,
            permits: 1,
            faults: 0,
            asked: false,
            idle_told: true,
            stops: 0,
            broken: None,
        }
    }

    fn breaks(&mut self, law: &'static str) {
        self.broken.get_or_insert(law);
    }

    fn child_owns(&self) -> bool {
        self.word == Word::Child || self.word == Word::Handing
    }

    fn feed(&mut self, event: Event, mutant: Mutant) {
        let now = 1_000_000_000_000;
        let (next, actions) = self.machine.step(event, now);
        let mut list: Vec<Action> = actions.iter().collect();
        let was = self.machine;
        self.machine = next;
        match mutant {
            Mutant::KillsUnseen if list.contains(&Action::Freeze) => {
                list = vec![Action::Kill];
                self.machine.phase = Phase::Killing;
                self.machine.deadline = Deadline::NEVER;
            }
            Mutant::StartsBesideAnHeir if self.machine.phase == Phase::Orphaned && was.phase == Phase::Bereft => {
                list.push(Action::SpawnFirst);
                self.machine.phase = Phase::Starting;
            }
            Mutant::ForgetsTheRest if self.machine.phase == Phase::Resting => {
                self.machine.phase = Phase::Searching;
                self.machine.deadline = Deadline::NEVER;
                list.retain(|action| *action != Action::AskPermit);
            }
            Mutant::TellsNothing => list.retain(|action| !matches!(action, Action::Tell(Told::Aborted(_)))),
            _ => {}
        }
        for action in list {
            self.act(action, mutant);
        }
    }

    fn act(&mut self, action: Action, mutant: Mutant) {
        match action {
            Action::SpawnFirst | Action::SpawnSuccessor => {
                if action == Action::SpawnFirst && (self.owner == Life::Runs || self.child == Life::Runs) {
                    self.breaks("S2: a first generation is started beside one that lives");
                }
                self.spawning = true;
            }
            Action::Expect | Action::CallOff => {}
            Action::Freeze => self.frozen = self.child == Life::Runs,
            Action::Thaw => self.frozen = false,
            Action::Kill => {
                if self.child == Life::Runs && self.child_owns() {
                    self.breaks("S9: the owner is killed");
                }
                if self.child == Life::Runs && !self.frozen {
                    self.breaks("S9: one is killed that was not stopped before it was judged");
                }
                self.ending = true;
            }
            Action::StopChild => self.ending = true,
            Action::StopOwner => self.owner = if self.owner == Life::Runs { Life::Dead } else { self.owner },
            Action::Adopt => {
                // The old one goes its own way.
                if self.child == Life::Runs {
                    self.owner = Life::Runs;
                    self.child = Life::None;
                    (self.frozen, self.ending) = (false, false);
                    self.word = Word::Base;
                }
            }
            Action::Look => {
                let seen = match self.word {
                    Word::Base => Seen::Base,
                    Word::Offered => Seen::Offered,
                    Word::Handing => Seen::Handing,
                    Word::Child => Seen::Child,
                };
                self.feed(Event::Seen(seen), mutant);
            }
            Action::AskPermit => {
                let permit = self.permits > 0;
                self.permits = self.permits.saturating_sub(1);
                self.feed(Event::Permit(permit), mutant);
                if self.spawning && !permit {
                    self.breaks("L5: another is started although the budget is used up");
                }
            }
            Action::Tell(Told::OwnerEnded) if self.word == Word::Child && self.child == Life::Runs => {
                self.breaks("S12: a generation that has handed over is told as one that has ended");
            }
            Action::Tell(Told::Committed | Told::Aborted(_)) => {
                if !self.asked {
                    self.breaks("S12: a replacement has a second end");
                }
                self.asked = false;
            }
            Action::Tell(Told::GaveUp | Told::Stopped) => self.idle_told = true,
            Action::Tell(Told::Serving | Told::OwnerEnded) => {}
        }
    }

    /// What can happen next, with what each is called.
    fn choices(&self) -> Vec<(&'static str, Act)> {
        let mut out: Vec<(&'static str, Act)> = Vec::new();
        let mut may = |name, act: Act| out.push((name, act));
        let phase = self.machine.phase;
        let feed = |event: Event| -> Act { Box::new(move |world: &mut World, mutant| world.feed(event, mutant)) };

        // ---- the application ----
        if phase == Phase::Idle && self.idle_told && self.permits == 1 && self.owner == Life::None {
            may(
                "start",
                Box::new(|world, mutant| {
                    world.idle_told = false;
                    world.feed(Event::Start, mutant);
                }),
            );
        }
        if phase == Phase::Watching && !self.asked && self.faults == 0 {
            may(
                "replace",
                Box::new(|world, mutant| {
                    world.asked = true;
                    world.feed(Event::Replace { whole: Deadline::at(2_000_000_000_000) }, mutant);
                }),
            );
        }
        if self.machine.replacing {
            may("cancel", feed(Event::Cancel));
        }
        if self.stops == 0 && phase != Phase::Idle {
            may(
                "stop",
                Box::new(|world, mutant| {
                    world.stops += 1;
                    world.feed(Event::Stop, mutant);
                }),
            );
        }
        // ---- the driver ----
        if self.spawning {
            may(
                "born",
                Box::new(|world, mutant| {
                    world.spawning = false;
                    (world.child, world.frozen, world.ending, world.hangs) = (Life::Runs, false, false, false);
                    world.word = Word::Base;
                    world.feed(Event::Born, mutant);
                }),
            );
            if self.faults < 2 {
                may(
                    "not born",
                    Box::new(|world, mutant| {
                        world.spawning = false;
                        world.faults += 1;
                        // The call answers that.
                        world.asked &= world.machine.phase != Phase::Preparing;
                        world.feed(Event::NotBorn, mutant);
                        world.idle_told |= world.machine.phase == Phase::Idle;
                    }),
                );
            }
        }
        if self.owner == Life::Dead {
            may(
                "owner seen dead",
                Box::new(|world, mutant| {
                    world.owner = Life::None;
                    world.feed(Event::OwnerGone, mutant);
                }),
            );
        }
        if self.child == Life::Dead {
            may(
                "child seen dead",
                Box::new(|world, mutant| {
                    world.child = Life::None;
                    (world.frozen, world.ending) = (false, false);
                    let word = world.word;
                    // A standby takes back; one that stood alone is followed by nobody.
                    if world.owner == Life::Runs && word != Word::Child {
                        world.word = Word::Base;
                    }
                    world.feed(Event::ChildGone, mutant);
                    if world.word == Word::Child {
                        world.word = Word::Base;
                    }
                }),
            );
        }
        if self.frozen {
            may("stands still", feed(Event::Still(true)));
            if phase == Phase::Freezing {
                may("does not stand still", feed(Event::Still(false)));
            }
        } else if phase == Phase::Freezing && self.child != Life::Runs {
            may("stands still, dead", feed(Event::Still(true)));
        }
        if !self.machine.deadline.is_never() {
            may("deadline", feed(Event::Timeout));
        }
        if phase == Phase::Searching && self.owner == Life::None && self.child == Life::None {
            may("lock free", feed(Event::LockFree));
        }
        // ---- generations ----
        if self.child == Life::Runs && self.ending {
            may("the child ends", Box::new(|world, _| world.child = Life::Dead));
        }
        // The owner's own doing, also while the child stands still.
        if self.child == Life::Runs && self.word == Word::Offered && self.owner == Life::Runs && !self.ending {
            may("commit", Box::new(|world, _| world.word = Word::Handing));
        }
        if self.child == Life::Runs && !self.frozen && !self.hangs && !self.ending {
            match (self.word, self.owner) {
                (Word::Base, Life::Runs) => may("offer", Box::new(|world, _| world.word = Word::Offered)),
                (Word::Offered, Life::Runs) => {
                    may(
                        "called off",
                        Box::new(|world, mutant| {
                            world.word = Word::Base;
                            world.feed(Event::Ended { committed: false }, mutant);
                        }),
                    );
                    may(
                        "called off, and gone",
                        Box::new(|world, mutant| {
                            world.word = Word::Base;
                            world.child = Life::Dead;
                            world.feed(Event::Ended { committed: false }, mutant);
                        }),
                    );
                }
                (Word::Handing, _) => may(
                    "settle",
                    Box::new(|world, _| {
                        world.word = Word::Child;
                        // Told, and on its way out.
                        if world.owner == Life::Runs {
                            world.owner = Life::Dead;
                        }
                    }),
                ),
                // A first one, or one whose owner is dead.
                (Word::Base | Word::Offered, _) => may("promote", Box::new(|world, _| world.word = Word::Child)),
                (Word::Child, _) => {}
            }
            if self.word == Word::Child && self.machine.looks_on() {
                may("estate of the child", feed(Event::Estate(Who::Child)));
            }
        }
        if self.owner == Life::Runs && matches!(phase, Phase::Replacing | Phase::CallingOff) {
            may("refused", feed(Event::Refused));
            may("connected again", feed(Event::Estate(Who::Owner)));
        }
        if self.faults < 2 {
            if self.owner == Life::Runs {
                may(
                    "the owner dies",
                    Box::new(|world, _| {
                        world.faults += 1;
                        world.owner = Life::Dead;
                    }),
                );
            }
            if self.child == Life::Runs {
                may(
                    "the child dies",
                    Box::new(|world, _| {
                        world.faults += 1;
                        world.child = Life::Dead;
                    }),
                );
                if !self.hangs {
                    may(
                        "the child hangs",
                        Box::new(|world, _| {
                            world.faults += 1;
                            world.hangs = true;
                        }),
                    );
                }
            }
        }
        out
    }

    fn check(&mut self) {
        let machine = self.machine;
        use Phase as P;
        let waits_for_somebody = match machine.phase {
            P::Idle | P::Watching => true,
            P::Starting | P::Preparing => self.spawning,
            // The application of a first generation; the death of who was killed, or is being ended.
            P::Opening | P::Killing => self.child != Life::None,
            P::Stopping => self.child != Life::None || self.owner != Life::None,
            // One that owns, and has not said so.
            P::Replacing | P::Orphaned if machine.deadline.is_never() => self.child != Life::None,
            _ => !machine.deadline.is_never(),
        };
        if !waits_for_somebody {
            self.breaks("L2: a wait without an end");
        }
        if machine.phase == P::Idle && !self.idle_told {
            self.breaks("L1: nobody is left, and nobody was told");
        }
        if matches!(machine.phase, P::Idle | P::Watching) && self.asked && !self.spawning {
            self.breaks("S12: a replacement has no end");
        }
        if machine.phase == P::Idle && self.child == Life::Runs {
            self.breaks("S8: a child is neither owner nor looked after");
        }
        if self.frozen && self.child == Life::Runs && !self.ending && !matches!(machine.phase, P::Freezing | P::Judging | P::Killing) {
            self.breaks("S8: a child stays stopped");
        }
        if machine.phase == P::Watching && self.owner == Life::None {
            self.breaks("L1: it watches nobody");
        }
    }
}

/// All of it, or until a law is broken.
fn search(mutant: Mutant) -> Option<&'static str> {
    let first = World::new();
    let mut known: HashMap<World, Option<(World, &'static str)>> = HashMap::from([(first, None)]);
    let mut line = VecDeque::from([first]);
    while let Some(world) = line.pop_front() {
        for (name, act) in world.choices() {
            let mut next = world;
            act(&mut next, mutant);
            next.check();
            if known.contains_key(&next) {
                continue;
            }
            known.insert(next, Some((world, name)));
            if next.broken.is_some() {
                let mut steps = Vec::new();
                let mut at = next;
                while let Some(Some((before, name))) = known.get(&at) {
                    steps.push(format!("{name} -> {:?}", at.machine.phase));
                    at = *before;
                }
                steps.reverse();
                println!("{mutant:?}: {:?}\n  {}\n  {next:?}", next.broken, steps.join("\n  "));
                return next.broken;
            }
            line.push_back(next);
        }
    }
    println!("{mutant:?}: {} states", known.len());
    use Phase::*;
    for phase in [
        Idle, Starting, Opening, Watching, Preparing, Replacing, CallingOff, Aborting, Looking, Freezing, Judging, Killing, Concluding,
        Orphaned, Searching, Resting, Stopping,
    ] {
        // A look is answered within its step.
        let met = matches!(phase, Looking | Judging) || known.keys().any(|world| world.machine.phase == phase);
        assert!(met, "never met: {phase:?}");
    }
    let heir = known.keys().any(|world| world.machine.phase == Orphaned && world.word == Word::Child);
    let frozen_owner = known.keys().any(|world| world.frozen && world.child_owns());
    let both = known.keys().any(|world| world.machine.phase == Concluding && world.owner == Life::Dead);
    assert!(heir && frozen_owner && both, "an heir {heir}, a frozen owner {frozen_owner}, a double fault {both}");
    None
}

#[test]
fn every_order_of_events_keeps_the_laws() {
    assert_eq!(search(Mutant::None), None);
}

#[test]
fn mistakes_are_found() {
    for (mutant, law) in
        [(Mutant::KillsUnseen, "S9"), (Mutant::StartsBesideAnHeir, "S2"), (Mutant::ForgetsTheRest, "L2"), (Mutant::TellsNothing, "S12")]
    {
        let found = search(mutant);
        assert!(found.is_some_and(|found| found.starts_with(law)), "{mutant:?}: {found:?}");
    }
}
