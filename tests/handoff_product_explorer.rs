//! Owner, successor and supervisor, all three as they are (`src/handoff/machine/`), in every order of events, with up to two faults: any of them dies,
//! the replacement is called off, its time is over. What is between owner and successor is the model of `handoff_explorer.rs`; what a supervisor adds
//! is in `model3/`. A supervisor that hangs is one whose events come late: every order is here.
//!
//! The laws of two parties are looked at in each world of three. Beside them: L4 the death of the supervisor changes nothing for a generation; S9
//! it kills nobody who was told to serve, and signals nobody but its own child; S5 listeners stay open as long as one of the three lives; L5 each
//! double fault has an ending with a name, and one of the list below; L2 what stands still is settled.

// covers: C16-1, LAW-14, LAW-15, S1, S2, S3, S5, S8, S9, S12, L1, L2, L4, L5, L6

#[path = "../src/handoff/machine/mod.rs"]
#[allow(dead_code, missing_docs)]
mod machine;
mod model;
mod model3;

use std::collections::hash_map::DefaultHasher;
use std::collections::{BTreeMap, BTreeSet, HashSet, VecDeque};
use std::hash::{Hash, Hasher};
use std::time::Instant;

use machine::Mode;
use model::setup::{Setup, Way};
use model3::choices::{Act, DEATHS};
use model3::mutant::Mutant;
use model3::outcomes::Serves;
use model3::world::{Ending, Fault, World};
use procsup::clock;

fn setup(mode: Mode, faults: u8) -> Setup {
    Setup { handoffs: 0, faults, first: DEATHS, others: DEATHS, ..Setup::new(mode, Way::Takeover) }
}

type Endings = BTreeMap<Vec<Fault>, BTreeSet<(Serves, Ending)>>;

/// Everything, breadth first, or until a law is broken. What is kept of a world that was seen is its hash, and how it was come to.
fn search(setup: Setup, mutant: Mutant, bounded: bool) -> (usize, Option<&'static str>, Endings) {
    let began = Instant::now();
    let hash = |world: &World| {
        let mut hasher = DefaultHasher::new();
        world.hash(&mut hasher);
        hasher.finish()
    };
    let first = World::new(&setup, mutant, bounded);
    let mut known = HashSet::from([hash(&first)]);
    let mut ways: Vec<(u32, Act)> = vec![(0, Act::Replace)];
    let mut line = VecDeque::from([(first, 0u32)]);
    let mut endings = Endings::new();
    let mut acts = Vec::new();
    while let Some((world, at)) = line.pop_front() {
        if let Some(broken) = world.broken {
            println!("{mutant:?}: broken after {} worlds: {broken}", known.len());
            print(&setup, mutant, bounded, &ways, at);
            return (known.len(), Some(broken), endings);
        }
        if world.is_quiet(&setup) {
            let (faults, serves, ending) = world.outcome();
            endings.entry(faults).or_default().insert((serves, ending));
        }
        acts.clear();
        world.acts(&setup, &mut acts);
        for act in &acts {
            let next = world.apply(&setup, *act);
            if known.insert(hash(&next)) {
                ways.push((at, *act));
                line.push_back((next, ways.len() as u32 - 1));
            }
        }
    }
    println!("{:?}, {} faults, {mutant:?}: {} worlds, {:.1} s", setup.mode, setup.faults, known.len(), began.elapsed().as_secs_f64());
    (known.len(), None, endings)
}

fn print(setup: &Setup, mutant: Mutant, bounded: bool, ways: &[(u32, Act)], mut at: u32) {
    let mut acts = Vec::new();
    while at != 0 {
        let (before, act) = ways[at as usize];
        acts.push(act);
        at = before;
    }
    let mut world = World::new(setup, mutant, bounded);
    for act in acts.into_iter().rev() {
        world = world.apply(setup, act);
        let parties: Vec<String> = model::world::World::slots()
            .map(|slot| format!("{:?} {}{}", world.pair.at(slot).life, model::trace::phase(&world.pair, slot), if world.pair.at(slot).app.serves { " serves" } else { "" }))
            .collect();
        println!("  {:<40} {:?}({})  {}  | S {:?} {:?} said {} heard {}", format!("{act:?}"), world.pair.word.stage, world.pair.word.generation, parties.join(" | "), world.s.machine.phase, world.s.link, world.said.iter().count(), world.s.heard.iter().count());
    }
    println!("  {:?}", world.s);
    println!("  {:?} {:?} {:?}", world.expected, world.serves, world.faults);
}

fn holds(setup: Setup, bounded: bool) -> Endings {
    let (_, broken, endings) = search(setup, Mutant::None, bounded);
    for (faults, ends) in &endings {
        println!("{faults:?}: {ends:?}");
    }
    assert_eq!(broken, None);
    endings
}

#[test]
fn one_fault() {
    holds(setup(Mode::Exclusive, 1), true);
}

#[test]
fn two_faults() {
    holds(setup(Mode::Exclusive, 2), true);
}

#[test]
#[ignore = "minutes: ./x explore"]
fn full() {
    holds(setup(Mode::Exclusive, 1), false);
    holds(setup(Mode::Overlap, 2), true);
}
