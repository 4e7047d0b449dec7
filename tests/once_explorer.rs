//! Every order of events that starters of one daemon can meet: each other, kills of any of them at any step, daemons that die, that close all they
//! inherited, that leave workers behind which hold their lock on, and somebody who listens there without us.
//!
//! The machine (`src/coordination/once/machine.rs`) is the one that runs in production. What `files.rs`, the spawn engine and the child do is cut here
//! as fine as another process could notice: take the lock, look, make the file, rename it, clone, record the birth (which the child does, with a
//! share of the lock until then), exec, close, await, release. A flock is held by whoever has its description open: a bit for each.
//!
//! Two laws. **Never two**: at no instant are there two processes that were made to be the daemon; and none is made beside somebody who accepted at the
//! address before the lock was taken. **Never none for longer than one retry**: from every state, if those who are at it are killed and one comes who
//! is left alone, a daemon accepts in the end.
//!
//! What a law needs to be worth anything is a mistake that breaks it: those are `Mutant`.

// covers: C13-6

#[path = "../src/coordination/once/machine.rs"]
#[allow(dead_code, missing_docs)]
mod machine;

use std::time::Instant;

use machine::{Heard, Machine, Recorded, Task};
use stateright::{Checker, HasDiscoveries, Model, Property};

const STARTERS: usize = 2;
const DAEMONS: usize = 3;
/// A file is held by its name and by whoever has it open; more than this are never there at once.
const FILES: usize = 5;
type Ino = u8;

/// Who has a description open: a bit for each starter, then for each daemon, then for the workers of each.
type Holders = u16;

const fn starter(p: usize) -> Holders {
    1 << p
}

const fn daemon(d: usize) -> Holders {
    1 << (STARTERS + d)
}

const fn workers(d: usize) -> Holders {
    1 << (STARTERS + DAEMONS + d)
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
struct File {
    holders: Holders,
    /// Who was born with it.
    born: Option<u8>,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Life {
    /// There is none.
    None,
    /// Between clone and record.
    Cloned,
    /// Between record and exec.
    Born,
    /// Its program runs.
    Up,
    /// And accepts.
    Accepts,
    Dead,
}

impl Life {
    fn is_alive(self) -> bool {
        !matches!(self, Life::None | Life::Dead)
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
struct Daemon {
    life: Life,
    /// The file that it was born with, while it has it open.
    file: Option<Ino>,
}

/// Where a starter is within the task `Start`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Start {
    Make,
    Rename(Ino),
    Clone(Ino),
    /// It hangs in the clone until the exec.
    Exec(Ino, u8),
    Close(Ino, u8),
    Await(u8),
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Starter {
    Out,
    Runs {
        machine: Machine,
        start: Start,
        /// Somebody accepted when it took the lock.
        saw: bool,
    },
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
struct World {
    /// Who has the description of the lock open that is held.
    lock: Holders,
    files: [File; FILES],
    run: Option<Ino>,
    new: Option<Ino>,
    starters: [Starter; STARTERS],
    daemons: [Daemon; DAEMONS],
    /// Somebody else accepts at the address.
    stranger: bool,
    starts: u8,
    kills: u8,
    deaths: u8,
    closes: u8,
    works: u8,
    strangers: u8,
    broken: Option<Law>,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Law {
    Two,
    BesideAnother,
    None,
    /// More than there can be: the model's own.
    Bounds,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Choice {
    Come(usize),
    Step(usize),
    Kill(usize),
    /// The daemon goes on.
    Go(usize),
    Die(usize),
    CloseAll(usize),
    Work(usize),
    WorkersEnd(usize),
    Stranger,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Mutant {
    None,
    /// Who has the lock does not connect once more.
    NoSecondConnect,
    /// A record of nobody, left by a starter that is dead, is taken for one of a daemon.
    TrustsADeadStarter,
    /// A number that another process has now is taken for the daemon.
    TrustsAPid,
    /// The file of before is used again.
    SameFile,
    /// The lock alone says whether one runs.
    LockAlone,
    /// The record is written by the starter, behind the exec.
    StarterRecords,
    /// The child has no share of the lock.
    NoShare,
    /// The starter unlocks the daemon's lock, where it should only close it.
    Unlocks,
    /// The lock is let go before the daemon was cloned.
    ReleasesEarly,
}

#[derive(Clone, Copy, Debug)]
struct Setup {
    endpoint: bool,
    /// Whether the record tells if its process lives: no, in another pid namespace.
    identity: bool,
    starts: u8,
    kills: u8,
    deaths: u8,
    closes: u8,
    works: u8,
    strangers: u8,
    mutant: Mutant,
}

const ALL: Setup =
    Setup { endpoint: true, identity: true, starts: 4, kills: 2, deaths: 1, closes: 1, works: 1, strangers: 1, mutant: Mutant::None };

impl World {
    fn accepts(&self) -> bool {
        self.stranger || self.daemons.iter().any(|daemon| daemon.life == Life::Accepts)
    }

    fn new_file(&mut self) -> Ino {
        let is_used = |ino: Ino| {
            let open = self.files[ino as usize].holders != 0;
            open || [self.run, self.new].contains(&Some(ino))
        };
        match (0..FILES as Ino).find(|ino| !is_used(*ino)) {
            Some(ino) => ino,
            None => {
                self.broken = Some(Law::Bounds);
                0
            }
        }
    }

    /// Somebody ends: the kernel closes what it had.
    fn close(&mut self, who: Holders) {
        self.lock &= !who;
        self.files.iter_mut().for_each(|file| file.holders &= !who);
    }

    /// What nobody can find or hold looks all the same.
    fn tidy(&mut self) {
        for ino in 0..FILES as Ino {
            if self.files[ino as usize].holders == 0 && ![self.run, self.new].contains(&Some(ino)) {
                self.files[ino as usize] = File::default();
            }
        }
    }

    fn recorded(&self, setup: &Setup, file: File) -> Recorded {
        let mutant = setup.mutant;
        match file.born.map(|d| self.daemons[d as usize].life.is_alive()) {
            None if mutant == Mutant::TrustsADeadStarter => Recorded::Alive,
            None => Recorded::Unborn,
            Some(_) if !setup.identity => Recorded::Unknown,
            Some(false) if mutant == Mutant::TrustsAPid => Recorded::Alive,
            Some(true) => Recorded::Alive,
            Some(false) => Recorded::Dead,
        }
    }

    fn look(&self, setup: &Setup) -> Heard {
        let Some(run) = self.run else { return Heard::Saw { held: false, recorded: Recorded::None } };
        let file = self.files[run as usize];
        let held = file.holders != 0;
        let recorded = if setup.mutant == Mutant::LockAlone { Recorded::Unknown } else { self.recorded(setup, file) };
        Heard::Saw { held, recorded }
    }

    fn finish(&mut self, p: usize) {
        self.starters[p] = Starter::Out;
        let had = self.lock & starter(p) != 0;
        // LOCK_UN: felt by all who share it.
        if had {
            self.lock = 0;
        }
        self.close(starter(p));
    }

    /// Whether a starter can go on.
    fn is_free(&self, p: usize) -> bool {
        match self.starters[p] {
            Starter::Out => false,
            Starter::Runs { machine, start, .. } => match (machine.task(), start) {
                (Task::Lock, _) => self.lock == 0,
                (Task::Start, Start::Exec(_, d)) => !matches!(self.daemons[d as usize].life, Life::Cloned | Life::Born),
                (Task::Start, Start::Await(d)) => self.daemons[d as usize].life != Life::Up,
                _ => true,
            },
        }
    }

    fn step(&mut self, setup: &Setup, p: usize) {
        let Starter::Runs { mut machine, mut start, mut saw } = self.starters[p] else { return };
        let mutant = setup.mutant;
        match machine.task() {
            Task::Connect => {
                _ = machine.hear(Heard::Accepts(self.accepts()));
            }
            Task::Lock => {
                self.lock = starter(p);
                saw = self.stranger;
                machine.hear(Heard::Done);
                if mutant == Mutant::NoSecondConnect {
                    machine.hear(Heard::Accepts(false));
                }
            }
            Task::Look => _ = machine.hear(self.look(setup)),
            Task::Pause => _ = machine.hear(Heard::Done),
            Task::Start => match start {
                Start::Make => {
                    // A leftover is removed first.
                    self.new = None;
                    self.tidy();
                    let reused = self.run.filter(|_| mutant == Mutant::SameFile);
                    let file = match reused {
                        // Somebody holds it: this one is given up.
                        Some(run) if self.files[run as usize].holders != 0 => return self.finish(p),
                        Some(run) => run,
                        None => self.new_file(),
                    };
                    self.files[file as usize] = File { holders: starter(p), born: None };
                    if reused.is_none() {
                        self.new = Some(file);
                    }
                    start = if reused.is_some() { Start::Clone(file) } else { Start::Rename(file) };
                }
                Start::Rename(file) => {
                    (self.run, self.new) = (Some(file), None);
                    if mutant == Mutant::ReleasesEarly {
                        self.lock = 0;
                    }
                    start = Start::Clone(file);
                }
                Start::Clone(file) => {
                    let Some(d) = self.daemons.iter().position(|daemon| daemon.life == Life::None) else {
                        self.broken = Some(Law::Bounds);
                        return;
                    };
                    if saw && self.stranger && setup.endpoint {
                        self.broken = Some(Law::BesideAnother);
                    }
                    self.daemons[d] = Daemon { life: Life::Cloned, file: Some(file) };
                    self.files[file as usize].holders |= daemon(d);
                    if mutant != Mutant::NoShare && self.lock & starter(p) != 0 {
                        self.lock |= daemon(d);
                    }
                    start = Start::Exec(file, d as u8);
                }
                Start::Exec(file, d) => {
                    if mutant == Mutant::StarterRecords && self.daemons[d as usize].life != Life::Dead {
                        self.files[file as usize].born = Some(d);
                    }
                    start = Start::Close(file, d);
                }
                Start::Close(file, d) => {
                    let holders = &mut self.files[file as usize].holders;
                    *holders = if mutant == Mutant::Unlocks { 0 } else { *holders & !starter(p) };
                    start = Start::Await(d);
                }
                Start::Await(d) => {
                    // Dead before it is ready: an error, and the next one may start again.
                    if self.daemons[d as usize].life == Life::Dead {
                        return self.finish(p);
                    }
                    machine.hear(Heard::Done);
                }
            },
            Task::Runs | Task::Started => return self.finish(p),
        }
        self.starters[p] = Starter::Runs { machine, start, saw };
    }

    /// The daemon goes on: records its birth, executes its program, accepts.
    fn go(&mut self, setup: &Setup, d: usize) {
        let Daemon { life, file } = self.daemons[d];
        self.daemons[d].life = match life {
            Life::Cloned => {
                if let Some(file) = file.filter(|_| setup.mutant != Mutant::StarterRecords) {
                    self.files[file as usize].born = Some(d as u8);
                }
                self.lock &= !daemon(d);
                Life::Born
            }
            Life::Born => Life::Up,
            Life::Up => Life::Accepts,
            other => other,
        };
    }

    fn can_go(&self, d: usize) -> bool {
        matches!(self.daemons[d].life, Life::Cloned | Life::Born | Life::Up)
    }

    fn die(&mut self, d: usize) {
        self.daemons[d] = Daemon { life: Life::Dead, file: None };
        self.close(daemon(d));
    }

    /// Numbers of daemons that nobody knows any more are used again.
    fn bury(&mut self) {
        for d in 0..DAEMONS {
            let named = self.files.iter().any(|file| file.born == Some(d as u8) || file.holders & workers(d) != 0);
            let awaited = self.starters.iter().any(|starter| {
                matches!(starter, Starter::Runs { start: Start::Exec(_, of) | Start::Close(_, of) | Start::Await(of), .. } if *of == d as u8)
            });
            if self.daemons[d].life == Life::Dead && !named && !awaited {
                self.daemons[d].life = Life::None;
            }
        }
    }

    fn check(&mut self) {
        self.tidy();
        self.bury();
        if self.broken.is_none() && self.daemons.iter().filter(|daemon| daemon.life.is_alive()).count() > 1 {
            self.broken = Some(Law::Two);
        }
    }

    fn come(&mut self, setup: &Setup, p: usize) {
        self.starters[p] = Starter::Runs { machine: Machine::new(setup.endpoint), start: Start::Make, saw: false };
    }

    /// Those who are at it are killed, and one comes who is left alone: is there one in the end?
    fn retried(&self, setup: &Setup) -> Option<Law> {
        let mut world = *self;
        for p in 0..STARTERS {
            world.starters[p] = Starter::Out;
            world.close(starter(p));
        }
        // Nobody can tell them from a daemon then; they end some time.
        if !setup.identity {
            (0..DAEMONS).for_each(|d| world.close(workers(d)));
        }
        world.check();
        world.come(setup, 0);
        for _ in 0..100 {
            for d in 0..DAEMONS {
                if world.can_go(d) {
                    world.go(setup, d);
                }
            }
            if world.is_free(0) {
                world.step(setup, 0);
            }
            world.check();
            if world.starters[0] == Starter::Out {
                break;
            }
        }
        let ended = world.starters[0] == Starter::Out;
        let one = world.daemons.iter().any(|daemon| daemon.life.is_alive()) || (setup.endpoint && world.stranger);
        if world.broken.is_some() { world.broken } else { (!ended || !one).then_some(Law::None) }
    }
}

struct Search {
    setup: Setup,
    wanted: Wanted,
}

type Wanted = &'static [(&'static str, fn(&Search, &World) -> bool)];

impl Model for Search {
    type State = World;
    type Action = Choice;

    fn init_states(&self) -> Vec<World> {
        let Setup { starts, kills, deaths, closes, works, strangers, .. } = self.setup;
        vec![World {
            lock: 0,
            files: [File::default(); FILES],
            run: None,
            new: None,
            starters: [Starter::Out; STARTERS],
            daemons: [Daemon { life: Life::None, file: None }; DAEMONS],
            stranger: false,
            starts,
            kills,
            deaths,
            closes,
            works,
            strangers,
            broken: None,
        }]
    }

    fn actions(&self, world: &World, out: &mut Vec<Choice>) {
        if world.broken.is_some() {
            return;
        }
        for p in 0..STARTERS {
            if world.starters[p] == Starter::Out {
                if world.starts > 0 {
                    out.push(Choice::Come(p));
                }
                continue;
            }
            if world.is_free(p) {
                out.push(Choice::Step(p));
            }
            if world.kills > 0 {
                out.push(Choice::Kill(p));
            }
        }
        for d in 0..DAEMONS {
            let Daemon { life, file } = world.daemons[d];
            if world.can_go(d) {
                out.push(Choice::Go(d));
            }
            if life.is_alive() && world.deaths > 0 {
                out.push(Choice::Die(d));
            }
            let is_up = matches!(life, Life::Up | Life::Accepts);
            if is_up && file.is_some() && world.closes > 0 {
                out.push(Choice::CloseAll(d));
            }
            if is_up && file.is_some() && world.works > 0 {
                out.push(Choice::Work(d));
            }
            if world.files.iter().any(|file| file.holders & workers(d) != 0) {
                out.push(Choice::WorkersEnd(d));
            }
        }
        if world.strangers > 0 && !world.stranger {
            out.push(Choice::Stranger);
        }
    }

    fn next_state(&self, last: &World, choice: Choice) -> Option<World> {
        let (mut world, setup) = (*last, &self.setup);
        match choice {
            Choice::Come(p) => {
                world.starts -= 1;
                world.come(setup, p);
            }
            Choice::Step(p) => world.step(setup, p),
            Choice::Kill(p) => {
                world.kills -= 1;
                world.starters[p] = Starter::Out;
                world.close(starter(p));
            }
            Choice::Go(d) => world.go(setup, d),
            Choice::Die(d) => {
                world.deaths -= 1;
                world.die(d);
            }
            Choice::CloseAll(d) => {
                world.closes -= 1;
                world.daemons[d].file = None;
                world.close(daemon(d));
            }
            Choice::Work(d) => {
                world.works -= 1;
                let file = world.daemons[d].file?;
                world.files[file as usize].holders |= workers(d);
            }
            Choice::WorkersEnd(d) => world.close(workers(d)),
            Choice::Stranger => {
                world.strangers -= 1;
                world.stranger = true;
            }
        }
        world.check();
        if world.broken.is_none() {
            world.broken = world.retried(setup);
        }
        Some(world)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        let law = Property::always("the laws hold", |_: &Search, world: &World| world.broken.is_none());
        let wanted = self.wanted.iter().map(|(name, reached)| Property::sometimes(name, *reached));
        std::iter::once(law).chain(wanted).collect()
    }
}

/// Searches all of it, or until a law is broken; says how far it was, and how the law was broken.
fn search(setup: Setup, wanted: Wanted) -> Option<Law> {
    let began = Instant::now();
    // One thread finds the same mistake each time.
    let threads = if setup.mutant == Mutant::None { 2 } else { 1 };
    let checker = Search { setup, wanted }.checker().threads(threads).finish_when(HasDiscoveries::AnyFailures).spawn_bfs().join();
    println!(
        "{setup:?}: {} states, {} transitions, depth {}, {:.1} s",
        checker.unique_state_count(),
        checker.state_count(),
        checker.max_depth(),
        began.elapsed().as_secs_f64()
    );
    let mut found = checker.discoveries();
    for (name, _) in wanted {
        let reached = found.remove(name).is_some();
        assert!(reached || !found.is_empty(), "never reached: {name}");
    }
    let path = found.into_values().next()?;
    let broken = path.last_state().broken;
    println!("  broken: {broken:?}");
    let choices: Vec<String> = path.into_actions().iter().map(|choice| format!("{choice:?}")).collect();
    println!("    {}", choices.join(" "));
    broken
}

const REACHED: Wanted = &[
    ("a daemon accepts whose starter was killed", |search, world| {
        let idle = world.starters.iter().all(|starter| *starter == Starter::Out);
        idle && world.kills < search.setup.kills && world.daemons.iter().any(|daemon| daemon.life == Life::Accepts)
    }),
    ("a second one runs while workers hold the first one's file", |_, world| {
        (0..DAEMONS).any(|d| {
            let left = world.daemons[d].life == Life::Dead && world.files.iter().any(|file| file.holders & workers(d) != 0);
            left && world.daemons.iter().any(|other| other.life == Life::Accepts)
        })
    }),
    ("one runs that has let its lock go", |_, world| {
        world.daemons.iter().any(|daemon| daemon.life == Life::Accepts && daemon.file.is_none())
    }),
    ("a leftover lies beside the record", |_, world| world.new.is_some() && world.run.is_some() && world.lock == 0),
];

#[test]
fn starters_that_are_killed_at_any_step_make_one_daemon() {
    assert_eq!(search(ALL, REACHED), None);
}

#[test]
fn without_an_endpoint_the_record_alone_keeps_it_to_one() {
    assert_eq!(search(Setup { endpoint: false, strangers: 0, ..ALL }, &[]), None);
}

#[test]
fn without_an_identity_the_lock_alone_keeps_it_to_one() {
    for endpoint in [true, false] {
        assert_eq!(search(Setup { endpoint, identity: false, closes: 0, strangers: 0, ..ALL }, &[]), None);
    }
}

/// `cargo test --release --test once_explorer -- --ignored --nocapture`
#[test]
#[ignore = "minutes"]
fn wide() {
    for endpoint in [true, false] {
        assert_eq!(search(Setup { endpoint, starts: 6, kills: 3, deaths: 2, works: 2, ..ALL }, &[]), None);
    }
}

#[test]
fn mistakes_are_found() {
    let quiet = Setup { strangers: 0, ..ALL };
    let silent = Setup { endpoint: false, ..quiet };
    for (mutant, setup, law) in [
        (Mutant::NoSecondConnect, ALL, Law::BesideAnother),
        (Mutant::TrustsADeadStarter, quiet, Law::None),
        (Mutant::TrustsAPid, quiet, Law::None),
        (Mutant::SameFile, quiet, Law::None),
        (Mutant::LockAlone, silent, Law::Two),
        (Mutant::StarterRecords, quiet, Law::Two),
        (Mutant::NoShare, quiet, Law::Two),
        (Mutant::Unlocks, Setup { identity: false, closes: 0, ..silent }, Law::Two),
        (Mutant::ReleasesEarly, quiet, Law::Two),
    ] {
        assert_eq!(search(Setup { mutant, ..setup }, &[]), Some(law), "{mutant:?}");
    }
}
