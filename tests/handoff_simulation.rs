//! The handoff's machines on virtual time, by seed: generation after generation, with messages that take long, hooks that are slow,
//! clocks that jump and faults at random. The same model and the same invariants as in `handoff_explorer.rs`, which sees everything
//! that two handoffs can come to; this one sees what hundreds of them leave behind.
//!
//! A run that breaks an invariant is shortened until nothing can be left out, and printed. `HANDOFF_SEED=n` runs that seed alone,
//! `HANDOFF_HANDOFFS=n` sets how many handoffs there are in all (`./x explore` takes a million).

// covers: S1, S3, S4, L1, L3, D1.1

#[path = "../src/handoff/machine/mod.rs"]
#[allow(dead_code, missing_docs)]
mod machine;
mod model;

use std::time::Instant;

use machine::{Mode, owner};
use model::mutant::Mutant;
use model::product::Choice;
use model::setup::{Setup, Way};
use model::trace;
use model::world::{Broken, Life, Slot, World};
use procsup::clock;

const MS: i64 = 1_000_000;
const S: i64 = 1000 * MS;

/// SplitMix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn below(&mut self, end: i64) -> i64 {
        (self.next() % end.max(1) as u64) as i64
    }

    fn one_in(&mut self, n: i64) -> bool {
        self.below(n) == 0
    }
}

/// What a run came to.
#[derive(Default, Debug)]
struct Tally {
    handoffs: u64,
    settled: u64,
    faults: u64,
    /// Times that nobody was left, and a server was started cold.
    cold_starts: u64,
    choices: u64,
    generations: u64,
}

/// What happened since the world was last at rest, and that world.
struct Failure {
    start: World,
    log: Vec<(i64, Choice)>,
    broken: (Broken, &'static str),
}

struct Simulation {
    setup: Setup,
    random: Random,
    world: World,
    /// What can happen, and when it will.
    agenda: Vec<(Choice, i64)>,
    start: World,
    log: Vec<(i64, Choice)>,
    /// One fault in so many choices.
    rarity: i64,
    tally: Tally,
}

impl Simulation {
    fn new(seed: u64, mutant: Mutant) -> Self {
        let mut random = Random(seed);
        let mode = if random.one_in(3) { Mode::Overlap } else { Mode::Exclusive };
        let setup = Setup {
            parts: 1 + random.below(3) as u16,
            changed: random.below(3) as u16,
            handoffs: u8::MAX,
            faults: 2,
            timed: true,
            recycled: true,
            mutant,
            ..Setup::new(mode, Way::Both)
        };
        let rarity = [40, 100, 400, 10_000][random.below(4) as usize];
        let world = setup.world();
        Self { setup, random, world, agenda: Vec::new(), start: world, log: Vec::new(), rarity, tally: Tally::default() }
    }

    /// Runs so many handoffs.
    fn run(&mut self, handoffs: u64) -> Result<(), Box<Failure>> {
        while self.tally.handoffs < handoffs {
            self.happen();
            if let Some(broken) = self.world.broken {
                return Err(Box::new(Failure { start: self.start, log: std::mem::take(&mut self.log), broken }));
            }
            self.rest();
        }
        Ok(())
    }

    /// Between two handoffs: what came before counts no more.
    fn rest(&mut self) {
        let world = &mut self.world;
        let resting = |slot: Slot| match world.at(slot).life {
            Life::Absent | Life::Gone => true,
            Life::Running => {
                let process = world.at(slot);
                let idle = process.owner().is_some_and(|owner| owner.phase == owner::Phase::Serving);
                idle && process.app.serves && !process.app.hangs && process.app.notices.is_empty() && process.todo.is_empty()
            }
            _ => false,
        };
        if World::slots().all(resting) && World::slots().any(|slot| world.at(slot).life == Life::Running) {
            self.tally.settled += u64::from(self.start.owner != world.owner);
            self.tally.generations = self.tally.generations.max(world.word.generation.into());
            (world.handoffs, world.faults, world.heir) = (0, 0, None);
            self.start = *world;
            self.log.clear();
        } else if World::slots().all(|slot| !world.at(slot).lives() && !matches!(world.at(slot).life, Life::Dying | Life::Dumping)) {
            // The last one has died: its lock is free, and somebody starts a server. The record begins anew.
            self.tally.cold_starts += 1;
            let now = world.now;
            *world = World { now, ..self.setup.world() };
            self.agenda.clear();
            self.start = *world;
            self.log.clear();
        }
    }

    fn happen(&mut self) {
        let mut steps = Vec::new();
        self.setup.steps(&self.world, &mut steps);
        let mut wanted = Vec::new();
        self.setup.events(&self.world, &mut wanted);
        let (faults, wanted): (Vec<_>, Vec<_>) = wanted.into_iter().partition(|choice| choice.is_fault());
        self.tally.choices += 1;
        let idle = steps.is_empty();

        if self.random.one_in(5_000) {
            self.world.now += self.random.below(100 * S);
        }
        if !faults.is_empty() && self.log.len() > 2 && self.random.one_in(self.rarity) {
            let choice = faults[self.random.below(faults.len() as i64) as usize];
            self.tally.faults += 1;
            return self.choose(choice);
        }
        steps.extend(
            wanted.into_iter().filter(|choice| matches!(choice, Choice::Continued(_) | Choice::Dumped(_)) || self.world.handoffs < 3),
        );
        self.agenda.retain(|(choice, _)| steps.contains(choice));
        for choice in steps {
            if !self.agenda.iter().any(|(known, _)| *known == choice) {
                let at = self.world.now + self.delay(choice, idle);
                self.agenda.push((choice, at));
            }
        }
        let next = self.agenda.iter().min_by_key(|(_, at)| *at).copied();
        let deadline = World::slots()
            .filter(|slot| self.world.at(*slot).life == Life::Running)
            .filter_map(|slot| self.world.at(slot).deadline())
            .filter(|at| *at > self.world.now)
            .min();
        match (next, deadline) {
            (Some((choice, at)), deadline) if deadline.is_none_or(|deadline| at <= deadline) => {
                self.world.now = self.world.now.max(at);
                self.agenda.retain(|(known, _)| *known != choice);
                self.choose(choice);
            }
            (_, Some(deadline)) => self.world.now = deadline,
            // Only what is stopped or hangs for ever is left: an operator kills it.
            (_, None) => {
                let stuck = World::slots().find(|slot| self.world.at(*slot).lives());
                if let Some(slot) = stuck {
                    self.choose(Choice::Crash(slot));
                }
            }
        }
    }

    fn choose(&mut self, choice: Choice) {
        if matches!(choice, Choice::Upgrade(_) | Choice::Takeover(_) | Choice::NoSpawn(_)) {
            self.tally.handoffs += 1;
        }
        self.log.push((self.world.now, choice));
        self.world = self.setup.apply(&self.world, choice);
    }

    /// How long it takes.
    fn delay(&mut self, choice: Choice, idle: bool) -> i64 {
        let random = &mut self.random;
        match choice {
            Choice::Upgrade(_) | Choice::Takeover(_) => random.below(if idle { 10 * S } else { 100 * S }),
            Choice::Continued(_) => random.below(100 * S),
            Choice::Dumped(_) => random.below(20 * S),
            Choice::Take(_) | Choice::Answer(_) => match random.below(20) {
                0 => random.below(30 * S),
                1 => random.below(4 * S),
                _ => random.below(20 * MS),
            },
            Choice::Receive(_) | Choice::Hangup(_) | Choice::PeerGone(_) | Choice::Exited(_) => match random.below(50) {
                0 => random.below(10 * S),
                1..4 => random.below(S),
                _ => random.below(MS / 10),
            },
            Choice::Look(_) => random.below(250 * MS),
            Choice::StopPlan(_) => random.below(2 * S),
            Choice::Timeout(_) => random.below(MS),
            _ => random.below(MS / 100),
        }
    }
}

/// Plays a log again; what cannot happen is left out.
fn replay(setup: &Setup, start: &World, log: &[(i64, Choice)]) -> (World, Vec<(i64, Choice)>) {
    let mut world = *start;
    let mut played = Vec::new();
    for (now, choice) in log {
        let at = World { now: world.now.max(*now), ..world };
        let mut enabled = Vec::new();
        setup.steps(&at, &mut enabled);
        setup.events(&at, &mut enabled);
        if enabled.contains(choice) {
            world = setup.apply(&at, *choice);
            played.push((at.now, *choice));
        }
        if world.broken.is_some() {
            break;
        }
    }
    (world, played)
}

/// Leaves out whatever can be left out (delta debugging).
fn shorten(setup: &Setup, failure: &Failure) -> Vec<(i64, Choice)> {
    let law = failure.broken.0;
    let mut log = failure.log.clone();
    let mut chunk = log.len().div_ceil(2);
    loop {
        let mut from = 0;
        let mut shorter = false;
        while from < log.len() {
            let mut tried = log.clone();
            tried.drain(from..(from + chunk).min(log.len()));
            let (world, played) = replay(setup, &failure.start, &tried);
            if world.broken.is_some_and(|(broken, _)| broken == law) && played.len() < log.len() {
                log = played;
                shorter = true;
            } else {
                from += chunk;
            }
        }
        if chunk == 1 && !shorter {
            return log;
        }
        chunk = if shorter { chunk.min(log.len().div_ceil(2)).max(1) } else { chunk.div_ceil(2).max(1) };
    }
}

fn tell(seed: u64, setup: &Setup, failure: &Failure) -> usize {
    let short = shorten(setup, failure);
    println!(
        "seed {seed} breaks {:?} ({}); {} choices, shortened to {}:",
        failure.broken.0,
        failure.broken.1,
        failure.log.len(),
        short.len()
    );
    if setup.mutant == Mutant::None {
        println!("  replay: HANDOFF_SEED={seed} cargo test --test handoff_simulation on_virtual_time -- --nocapture");
    }
    trace::print_from(setup, failure.start, short.iter().copied());
    short.len()
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().expect("a number"))
}

/// Seeds in a row, until that many handoffs were made.
fn simulate(handoffs: u64) {
    let began = Instant::now();
    let per_seed = 2_000;
    let one = number("HANDOFF_SEED");
    let seeds = one.map_or(0..handoffs.div_ceil(per_seed), |seed| seed..seed + 1);
    let mut total = Tally::default();
    for seed in seeds {
        let mut simulation = Simulation::new(seed, Mutant::None);
        if let Err(failure) = simulation.run(per_seed) {
            tell(seed, &simulation.setup, &failure);
            panic!("seed {seed} breaks {:?}", failure.broken);
        }
        let tally = simulation.tally;
        total.handoffs += tally.handoffs;
        total.settled += tally.settled;
        total.faults += tally.faults;
        total.cold_starts += tally.cold_starts;
        total.choices += tally.choices;
        total.generations = total.generations.max(tally.generations);
    }
    println!("{total:?} in {:.1} s", began.elapsed().as_secs_f64());
    assert!(one.is_some() || total.settled > total.handoffs / 10, "too few of them come to their end: the simulation shows little");
}

#[test]
fn handoffs_on_virtual_time() {
    simulate(number("HANDOFF_HANDOFFS").unwrap_or(20_000));
}

/// What breaks is found, and shortened to what is needed for it.
#[test]
fn a_mistake_is_found_and_shortened() {
    let mistakes = [
        (Mutant::CondemnsWithoutAsking, Broken::S9),
        (Mutant::TakesBackFromTheLiving, Broken::S1),
        (Mutant::LeavesOnHangup, Broken::L1),
        (Mutant::TakesBackWithoutReload, Broken::S3),
    ];
    for (mutant, law) in mistakes {
        let found = (0..200).find_map(|seed| {
            let mut simulation = Simulation::new(seed, mutant);
            simulation.run(500).err().filter(|failure| failure.broken.0 == law).map(|failure| (seed, simulation, failure))
        });
        let (seed, simulation, failure) = found.unwrap_or_else(|| panic!("{mutant:?} is not found"));
        println!("{mutant:?}:");
        let length = tell(seed, &simulation.setup, &failure);
        assert!(length < 60, "{mutant:?}: {length} choices are no short trace");
    }
}
