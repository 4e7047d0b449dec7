//! Every order of events that a supervised overlap can meet: `src/handoff/machine/overlap.rs`, as it is, with daemons that are ready when they like,
//! fail in every way that they can, and a host that replaces, cancels and stops at any moment.
//!
//! Time moves only to where the machine wants to be called next, or to where something happens: daemons speak at the same moment as the one before,
//! or after any deadline. What the daemons truly did is kept beside the machine, and the laws are about that.
//!
//! A law is worth something if a mistake breaks it: those are `Mutant`.

// covers: L5, LAW-15, S9, C16-3

#[path = "../src/handoff/machine/mod.rs"]
#[allow(dead_code, missing_docs)]
mod machine;

use std::collections::{BTreeMap, HashSet};

use machine::Actions;
use machine::overlap::{Action, Event, Failure, Limits, Look, Notice, Overlap, Stage, Which};
use procsup::clock::{self, Deadline};

const MS: i64 = clock::MILLI;
const LIMITS: Limits = Limits { health: Some(60 * MS), probation: 100 * MS };
/// How long a daemon has until it is ready.
const READY: i64 = 1_000 * MS;
/// Worlds that a search may find: more is a search that does not end.
const MOST: usize = 3_000_000;

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
enum Law {
    /// Who serves is not touched before its successor has passed its trial, but for a fault of its own.
    Untouched,
    /// Each replacement has one outcome, and none has two.
    OneOutcome,
    /// Nobody is forgotten: who lives has a seat, or leaves.
    Remembered,
    /// Nothing is done to a seat that is empty, or to somebody who has ended.
    NoGhosts,
    /// When nobody is left, somebody is started, in the same step.
    StartedAgain,
    /// Every wait has an end.
    Bounded,
    /// Who is ready serves, when nobody else does.
    WhoIsReadyServes,
    /// The next one is given up for its own failure alone.
    OwnFailure,
    /// Only who has passed a trial is gone back to.
    Approved,
    /// In the end somebody serves that has passed its trial, or nobody is to.
    Settles,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Mutant {
    None,
    NoTrial,
    NoProbation,
    BelievesBadLooks,
    ForgetsTheNext,
    EndsNoRetired,
    NeverStartsAgain,
    EndsNextWithCurrent,
    TrialGoesOnAlone,
    TellsNoCommit,
    TellsAbortTwice,
    NoClock,
    ApprovesAtOnce,
    StopsTheDead,
    GoesOnAfterStop,
}

/// A daemon, as it truly is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
struct Daemon {
    alive: bool,
    begun: i64,
    ready: bool,
    ready_since: Option<i64>,
    /// The first look that was good.
    healthy_since: Option<i64>,
    /// It failed by itself: it was late, unhealthy, silent, or said that it stops.
    faulty: bool,
    leaves: bool,
    drains: bool,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
struct World {
    machine: Overlap,
    now: i64,
    daemons: [Daemon; 8],
    made: u8,
    current: Option<u8>,
    next: Option<u8>,
    /// A look is under way at these.
    looks: [bool; 2],
    faults: u8,
    replaces: u8,
    /// The host may do these yet.
    cancels: bool,
    stops: bool,
    /// How many starts the budget allows, and how many pauses it makes before.
    starts: u8,
    pauses: u8,
    replacing: bool,
    stopped: bool,
    gave_up: bool,
    cancelled: bool,
    broken: Option<Law>,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Choice {
    Replace,
    Cancel,
    Stop,
    Ready(Which),
    Extend(Which),
    Unready(Which),
    Stopping(Which),
    Bitten(Which),
    Dies(Which),
    Looked(Which, bool),
    /// One that leaves has ended.
    Leaves(u8),
    /// The next deadline has come.
    Time,
}

const BOTH: [Which; 2] = [Which::Current, Which::Next];

impl World {
    fn new(setup: Setup) -> Self {
        let mut world = Self {
            machine: Overlap::new(setup.limits),
            now: 0,
            daemons: Default::default(),
            made: 0,
            current: None,
            next: None,
            looks: [false; 2],
            faults: setup.faults,
            replaces: setup.replaces,
            cancels: true,
            stops: setup.stops,
            starts: 2,
            pauses: 1,
            replacing: false,
            stopped: false,
            gave_up: false,
            cancelled: false,
            broken: None,
        };
        if setup.found {
            // Somebody was sent away before the supervisor came again, and somebody serves.
            let leaver = world.make();
            world.daemons[usize::from(leaver)].leaves = true;
            world.step(Event::Leaves, setup);
        }
        let first = world.make();
        world.current = Some(first);
        if setup.found {
            let long_ago = Some(-READY);
            let daemon = &mut world.daemons[usize::from(first)];
            (daemon.begun, daemon.ready, daemon.ready_since, daemon.healthy_since) = (-READY, true, long_ago, long_ago);
            world.step(Event::Found, setup);
        } else {
            world.step(Event::Started { by: Deadline::at(READY) }, setup);
        }
        world
    }

    fn make(&mut self) -> u8 {
        let place = self.daemons.iter().position(|daemon| !daemon.alive).expect("few live at once");
        self.daemons[place] = Daemon { alive: true, begun: self.now, ..Daemon::default() };
        self.made += 1;
        place as u8
    }

    /// Now is 0: what is the same but for the time of day is the same. What is long ago is as long ago as counts.
    fn rebase(&mut self) {
        let now = std::mem::take(&mut self.now);
        let past = |at: i64| (at - now).max(-READY);
        let rebased = |at: Deadline| Deadline::from(at.nanos().map(past));
        for seat in self.machine.current.iter_mut().chain(&mut self.machine.next) {
            (seat.begun, seat.until, seat.healthy_by) = (past(seat.begun), rebased(seat.until), rebased(seat.healthy_by));
            if let Look::Due(at) = &mut seat.look {
                *at = rebased(*at);
            }
        }
        self.machine.rest = rebased(self.machine.rest);
        for daemon in &mut self.daemons {
            let Daemon { alive, leaves, drains, .. } = *daemon;
            *daemon = match () {
                () if !alive => Daemon::default(),
                () if leaves => Daemon { alive, leaves, drains, ..Daemon::default() },
                () => Daemon {
                    begun: past(daemon.begun),
                    ready_since: daemon.ready_since.map(past),
                    healthy_since: daemon.healthy_since.map(past),
                    ..*daemon
                },
            };
        }
    }

    fn id(&self, which: Which) -> Option<u8> {
        if which == Which::Current { self.current } else { self.next }
    }

    fn daemon(&mut self, which: Which) -> Option<&mut Daemon> {
        self.id(which).map(|id| &mut self.daemons[usize::from(id)])
    }

    fn breaks(&mut self, law: Law, broken: bool) {
        if broken && self.broken.is_none() {
            self.broken = Some(law);
        }
    }

    fn passed(&self, id: u8, setup: Setup) -> bool {
        let daemon = self.daemons[usize::from(id)];
        let since = if setup.limits.health.is_some() { daemon.healthy_since.filter(|_| !daemon.faulty) } else { daemon.ready_since };
        since.is_some_and(|since| self.now - since >= setup.limits.probation)
    }

    fn choices(&self, setup: Setup) -> Vec<Choice> {
        let mut all = Vec::new();
        let fault = self.faults > 0;
        if self.replaces > 0 && self.machine.runs() && !self.machine.is_busy() {
            all.push(Choice::Replace);
        }
        if self.cancels && self.machine.next.is_some() {
            all.push(Choice::Cancel);
        }
        if self.stops && !self.gave_up && self.machine.runs() {
            all.push(Choice::Stop);
        }
        for which in BOTH {
            let Some(id) = self.id(which) else { continue };
            let daemon = self.daemons[usize::from(id)];
            if !daemon.ready {
                all.push(Choice::Ready(which));
                if fault {
                    all.extend([Choice::Unready(which), Choice::Extend(which)]);
                }
            }
            if fault {
                all.extend([Choice::Dies(which), Choice::Stopping(which), Choice::Bitten(which)]);
            }
            if self.looks[which as usize] {
                all.push(Choice::Looked(which, true));
                if fault || daemon.faulty {
                    all.push(Choice::Looked(which, false));
                }
            }
        }
        let leaves = |id: &u8| self.daemons[usize::from(*id)].alive && self.daemons[usize::from(*id)].leaves;
        all.extend((0..self.daemons.len() as u8).filter(leaves).map(Choice::Leaves));
        if !self.machine.due().is_never() {
            all.push(Choice::Time);
        }
        _ = setup;
        all
    }

    fn apply(&mut self, choice: Choice, setup: Setup) {
        let by = Deadline::at(self.now + READY);
        match choice {
            Choice::Replace => {
                self.replaces -= 1;
                (self.next, self.replacing, self.cancelled) = (Some(self.make()), true, false);
                self.step(Event::Replace { by }, setup);
            }
            Choice::Cancel => {
                (self.cancels, self.cancelled) = (false, true);
                self.step(Event::Cancel, setup);
            }
            Choice::Stop => {
                (self.stops, self.stopped) = (false, true);
                self.step(Event::Stop, setup);
            }
            Choice::Ready(which) => {
                let now = self.now;
                if let Some(daemon) = self.daemon(which) {
                    (daemon.ready, daemon.ready_since) = (true, Some(now));
                }
                self.step(Event::Ready(which), setup);
            }
            Choice::Extend(which) => {
                self.faults -= 1;
                self.step(Event::Extend(which, i64::MAX), setup);
            }
            Choice::Unready(which) => self.fault(which, Event::Unready(which), setup),
            Choice::Stopping(which) => self.fault(which, Event::Stopping(which), setup),
            Choice::Bitten(which) => self.fault(which, Event::Bitten(which), setup),
            Choice::Dies(which) => {
                if let Some(daemon) = self.daemon(which) {
                    daemon.alive = false;
                }
                self.fault(which, Event::Died(which), setup);
            }
            Choice::Looked(which, healthy) => {
                self.looks[which as usize] = false;
                let now = self.now;
                // Once unhealthy, it is so for a while: that is one fault.
                let mut cost = 0;
                if let Some(daemon) = self.daemon(which) {
                    cost = u8::from(!healthy && !daemon.faulty);
                    daemon.faulty = !healthy;
                    daemon.healthy_since = if healthy { daemon.healthy_since.or(Some(now)) } else { daemon.healthy_since };
                }
                self.faults -= cost;
                self.step(Event::Looked(which, healthy || setup.mutant == Mutant::BelievesBadLooks), setup);
            }
            Choice::Leaves(id) => {
                let daemon = &mut self.daemons[usize::from(id)];
                (daemon.alive, daemon.leaves) = (false, false);
                let drained = daemon.drains;
                self.step(Event::Left { drained }, setup);
            }
            Choice::Time => {
                self.now = self.machine.due().nanos().unwrap_or(self.now).max(self.now);
                self.step(Event::Timeout, setup);
                // What was due is done.
                self.breaks(Law::Bounded, self.machine.due().is_over(self.now));
            }
        }
        self.after(setup);
        self.rebase();
    }

    fn fault(&mut self, which: Which, event: Event, setup: Setup) {
        self.faults -= 1;
        if let Some(daemon) = self.daemon(which) {
            daemon.faulty = true;
        }
        self.step(event, setup);
    }

    fn unseat(&mut self, which: Which) {
        self.looks[which as usize] = false;
        match which {
            Which::Current => self.current = None,
            Which::Next => self.next = None,
        }
    }

    fn step(&mut self, event: Event, setup: Setup) {
        let (mut machine, mut todo) = if setup.mutant == Mutant::NoClock && matches!(event, Event::Timeout) {
            (self.machine, Actions::none())
        } else {
            self.machine.step(event, self.now)
        };
        let mutate =
            |list: &Actions<Action>, keep: &dyn Fn(Action) -> bool| Actions::of(&list.iter().filter(|it| keep(*it)).collect::<Vec<_>>());
        match (setup.mutant, event) {
            (Mutant::NoTrial, Event::Ready(Which::Next)) => {
                machine = self.machine;
                machine.set_limits(Limits { health: None, probation: 0 });
                (machine, todo) = machine.step(event, self.now);
                machine.set_limits(setup.limits);
            }
            (Mutant::NoProbation, _) => {
                machine = self.machine;
                machine.set_limits(Limits { probation: 0, ..setup.limits });
                (machine, todo) = machine.step(event, self.now);
                machine.set_limits(setup.limits);
            }
            (Mutant::ForgetsTheNext, _) => todo = mutate(&todo, &|it| it != Action::End(Which::Next)),
            (Mutant::EndsNoRetired, _) => todo = mutate(&todo, &|it| it != Action::Retire),
            (Mutant::NeverStartsAgain, _) => todo = mutate(&todo, &|it| it != Action::Start),
            (Mutant::TellsNoCommit, _) => todo = mutate(&todo, &|it| it != Action::Tell(Notice::Committed)),
            (Mutant::TellsAbortTwice, _) => {
                let again = todo.iter().find(|it| matches!(it, Action::Tell(Notice::Aborted(_))));
                again.into_iter().for_each(|it| todo.push(it));
            }
            (Mutant::EndsNextWithCurrent, Event::Died(Which::Current)) => {
                let (then, more) = machine.step(Event::Cancel, self.now);
                machine = then;
                more.iter().for_each(|it| todo.push(it));
            }
            (Mutant::TrialGoesOnAlone, Event::Died(Which::Current)) if self.machine.next.is_some() => {
                machine = self.machine;
                machine.current = None;
                todo = Actions::of(&[Action::Tell(Notice::Ended(Failure::Died))]);
            }
            (Mutant::ApprovesAtOnce, Event::Ready(Which::Current)) => todo.push(Action::Approve),
            (Mutant::StopsTheDead, Event::Died(which)) => todo.push(Action::End(which)),
            (Mutant::GoesOnAfterStop, Event::Stop) => (machine, todo) = (self.machine, Actions::none()),
            _ => {}
        }
        self.machine = machine;
        if let Event::Died(which) = event {
            self.unseat(which);
        }
        for action in todo.iter() {
            self.carry_out(action, setup);
        }
    }

    /// It has no seat any more, and is on its way out.
    fn leave(&mut self, which: Which, drains: bool) {
        let Some(daemon) = self.daemon(which) else { return self.breaks(Law::NoGhosts, true) };
        let dead = !daemon.alive;
        (daemon.leaves, daemon.drains) = (true, drains);
        self.breaks(Law::NoGhosts, dead);
        self.unseat(which);
    }

    fn carry_out(&mut self, action: Action, setup: Setup) {
        match action {
            Action::Look(which) => {
                let dead = self.daemon(which).is_none_or(|daemon| !daemon.alive || !daemon.ready);
                self.breaks(Law::NoGhosts, dead);
                self.looks[which as usize] = true;
            }
            Action::End(which) | Action::Abort(which) | Action::Release(which) => {
                let (now, cancelled) = (self.now, self.cancelled || self.stopped);
                let late = |daemon: &Daemon| !daemon.ready && now - daemon.begun >= READY;
                if let Some(daemon) = self.daemon(which).copied() {
                    let own = daemon.faulty || late(&daemon) || (!daemon.ready && which == Which::Current) || self.looks[which as usize];
                    let law = if which == Which::Next { Law::OwnFailure } else { Law::Untouched };
                    self.breaks(law, !(own || cancelled && which == Which::Next));
                }
                self.leave(which, false);
            }
            Action::Retire => {
                let proven = self.next.is_some_and(|id| self.passed(id, setup));
                self.breaks(Law::Untouched, !self.stopped && !proven);
                self.leave(Which::Current, !self.stopped);
            }
            Action::Promote => {
                self.breaks(Law::Remembered, self.current.is_some());
                (self.current, self.next) = (self.next, None);
                self.looks = [self.looks[1], false];
            }
            Action::Approve => {
                let passed = self.current.is_some_and(|id| self.passed(id, setup));
                self.breaks(Law::Approved, !passed);
            }
            Action::Start => {
                self.breaks(Law::NoGhosts, self.current.is_some() || self.next.is_some() || self.stopped);
                let event = if self.pauses > 0 {
                    self.pauses -= 1;
                    Event::NotStarted { again: Deadline::at(self.now + 100 * MS) }
                } else if self.starts > 0 {
                    self.starts -= 1;
                    self.current = Some(self.make());
                    Event::Started { by: Deadline::at(self.now + READY) }
                } else {
                    Event::NotStarted { again: Deadline::NEVER }
                };
                self.step(event, setup);
            }
            Action::Tell(Notice::Committed | Notice::Aborted(_)) => {
                self.breaks(Law::OneOutcome, !self.replacing);
                self.replacing = false;
            }
            Action::Tell(Notice::GaveUp) => self.gave_up = true,
            Action::Tell(_) => {}
        }
    }

    fn after(&mut self, setup: Setup) {
        let machine = self.machine;
        self.breaks(Law::Remembered, machine.current.is_some() != self.current.is_some() || machine.next.is_some() != self.next.is_some());
        let forgotten = (0..self.daemons.len() as u8).any(|id| {
            let daemon = self.daemons[usize::from(id)];
            daemon.alive && !daemon.leaves && self.current != Some(id) && self.next != Some(id)
        });
        self.breaks(Law::Remembered, forgotten);
        self.breaks(Law::OneOutcome, self.replacing != self.next.is_some());
        let idle = machine.current.is_none() && machine.next.is_none() && machine.rest.is_never();
        self.breaks(Law::StartedAgain, idle && !self.gave_up && !self.stopped);
        for seat in machine.current.iter().chain(&machine.next) {
            // A look that is never answered ends as well.
            self.breaks(Law::Bounded, seat.stage != Stage::Proven && machine.due().is_never());
        }
        let up = |id: Option<u8>| id.is_some_and(|id| self.daemons[usize::from(id)].ready);
        let waits = up(self.next) && !up(self.current);
        self.breaks(Law::WhoIsReadyServes, waits);
        let quiet = self.choices(setup).iter().all(|it| matches!(it, Choice::Replace | Choice::Stop | Choice::Cancel) || is_fault(*it));
        let settled = match machine.current {
            Some(seat) => seat.stage == Stage::Proven && seat.serves && machine.next.is_none() && !machine.is_busy() && !self.stopped,
            None => self.gave_up || self.stopped && !machine.stopping,
        };
        self.breaks(Law::Settles, quiet && !settled);
    }
}

fn is_fault(choice: Choice) -> bool {
    use Choice as C;
    matches!(choice, C::Unready(_) | C::Extend(_) | C::Stopping(_) | C::Bitten(_) | C::Dies(_) | C::Looked(_, false))
}

#[derive(Clone, Copy, Debug)]
struct Setup {
    limits: Limits,
    faults: u8,
    replaces: u8,
    stops: bool,
    /// After a restart of the supervisor.
    found: bool,
    mutant: Mutant,
}

const USUAL: Setup = Setup { limits: LIMITS, faults: 2, replaces: 1, stops: true, found: false, mutant: Mutant::None };

/// All worlds that can be reached, breadth first (or until this law is broken); the laws that were broken, each with the shortest way there.
fn explore(setup: Setup, wanted: Option<Law>, mut seen: impl FnMut(&World)) -> (usize, BTreeMap<Law, Vec<Choice>>) {
    let mut broken = BTreeMap::new();
    let mut known: HashSet<World> = HashSet::new();
    let mut all = vec![(World::new(setup), 0, Choice::Time)];
    let mut at = 0;
    while at < all.len() && wanted.is_none_or(|law| !broken.contains_key(&law)) {
        assert!(all.len() < MOST, "{setup:?}");
        let world = all[at].0.clone();
        if let Some(law) = world.broken {
            broken.entry(law).or_insert_with(|| way(&all, at));
        } else {
            seen(&world);
            for choice in world.choices(setup) {
                let mut then = world.clone();
                then.apply(choice, setup);
                if known.insert(then.clone()) {
                    all.push((then, at, choice));
                }
            }
        }
        at += 1;
    }
    (all.len(), broken)
}

fn way(all: &[(World, usize, Choice)], mut at: usize) -> Vec<Choice> {
    let mut way = Vec::new();
    while at != 0 {
        way.push(all[at].2);
        at = all[at].1;
    }
    way.reverse();
    way
}

fn holds(setup: Setup) {
    let (count, broken) = explore(setup, None, |_| {});
    println!("{count} worlds: {setup:?}");
    assert!(broken.is_empty(), "{setup:?}: {broken:#?}");
}

#[test]
fn a_replacement_with_a_fault_keeps_every_law() {
    holds(Setup { faults: 1, ..USUAL });
}

#[test]
fn a_replacement_without_looks_or_probation_keeps_every_law_with_two() {
    for limits in [Limits { health: None, ..LIMITS }, Limits { probation: 0, ..LIMITS }, Limits { health: None, probation: 0 }] {
        holds(Setup { limits, ..USUAL });
    }
}

// covers: C16-8
#[test]
fn who_was_found_again_is_replaced_by_the_same_laws() {
    holds(Setup { found: true, faults: 1, ..USUAL });
    holds(Setup { found: true, limits: Limits { health: None, ..LIMITS }, faults: 1, ..USUAL });
}

/// All of it.
#[test]
#[ignore = "minutes: ./x explore"]
fn full() {
    holds(Setup { faults: 3, ..USUAL });
    holds(Setup { replaces: 2, faults: 2, stops: false, ..USUAL });
    holds(Setup { limits: Limits { health: None, ..LIMITS }, replaces: 3, ..USUAL });
}

#[test]
fn every_situation_is_met() {
    let mut met = [false; 7];
    explore(Setup { faults: 1, ..USUAL }, None, |world| {
        let (current, next) = (world.machine.current, world.machine.next);
        let of = |id: Option<u8>| id.map(|id| world.daemons[usize::from(id)]);
        met[0] |= world.machine.draining;
        met[1] |= current.is_none() && next.is_some();
        met[2] |= current.is_some_and(|seat| seat.serves && seat.stage != Stage::Proven) && world.made == 2;
        met[3] |= world.gave_up;
        met[4] |= world.made > 2 && current.is_some_and(|seat| seat.stage == Stage::Proven);
        met[5] |= of(world.next).is_some_and(|daemon| daemon.ready && daemon.faulty) && current.is_some();
        met[6] |= current.is_some_and(|seat| !seat.is_up()) && next.is_some();
    });
    assert_eq!(met, [true; 7]);
}

#[test]
fn every_mistake_breaks_a_law() {
    use Law as L;
    use Mutant as M;
    let mistakes = [
        (M::NoTrial, L::Untouched),
        (M::NoProbation, L::Untouched),
        (M::BelievesBadLooks, L::Untouched),
        (M::ForgetsTheNext, L::Remembered),
        (M::EndsNoRetired, L::Remembered),
        (M::NeverStartsAgain, L::StartedAgain),
        (M::EndsNextWithCurrent, L::OwnFailure),
        (M::TrialGoesOnAlone, L::WhoIsReadyServes),
        (M::TellsNoCommit, L::OneOutcome),
        (M::TellsAbortTwice, L::OneOutcome),
        (M::NoClock, L::Bounded),
        (M::ApprovesAtOnce, L::Approved),
        (M::StopsTheDead, L::NoGhosts),
        (M::GoesOnAfterStop, L::Settles),
    ];
    for (mutant, law) in mistakes {
        let (_, broken) = explore(Setup { mutant, faults: 1, ..USUAL }, Some(law), |_| {});
        assert!(broken.contains_key(&law), "{mutant:?}: {broken:?}");
    }
}

#[test]
fn a_daemon_cannot_put_its_end_off_for_ever() {
    let by = Deadline::at(READY);
    let (mut machine, _) = Overlap::new(LIMITS).step(Event::Started { by }, 0);
    for turn in 0..10_000 {
        machine = machine.step(Event::Extend(Which::Current, i64::MAX), turn).0;
    }
    assert_eq!(machine.due(), Deadline::at(machine::overlap::LONGEST));
    let shorter = machine.step(Event::Extend(Which::Current, 1), 5).0;
    assert_eq!(shorter.due(), machine.due(), "nor is it shortened");
}
