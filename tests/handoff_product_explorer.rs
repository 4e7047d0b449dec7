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
use proptest::prelude::*;

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
            .map(|slot| {
                format!(
                    "{:?} {}{}",
                    world.pair.at(slot).life,
                    model::trace::phase(&world.pair, slot),
                    if world.pair.at(slot).app.serves { " serves" } else { "" }
                )
            })
            .collect();
        println!(
            "  {:<40} {:?}({})  {}  | S {:?} {:?} said {} heard {}",
            format!("{act:?}"),
            world.pair.word.stage,
            world.pair.word.generation,
            parties.join(" | "),
            world.s.machine.phase,
            world.s.link,
            world.said.iter().count(),
            world.s.heard.iter().count()
        );
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
    for mode in [Mode::Exclusive, Mode::Overlap] {
        holds(setup(mode, 1), true);
    }
}

/// L5: who serves after both, and what was told of the replacement; `None`: none was asked for.
#[test]
fn two_faults_and_how_each_pair_ends() {
    use Ending::{Aborted, Committed, Lost};
    use Fault::{Cancelled, Late, OwnerDies, SuccessorDies, SupervisorDies};
    use Serves::{BoundAnew, Old, StartedAgain, Successor};
    const NONE: Ending = Ending::None;
    let kept = [(Old, Aborted), (Successor, Committed)];
    let started = [(StartedAgain, NONE), (StartedAgain, Committed), (StartedAgain, Aborted)];
    let unheard = [(Old, NONE), (Old, Lost), (Successor, Committed), (Successor, Lost)];
    // The standby took back from one that had settled, and died; or the successor follows its owner.
    let both: Vec<_> = [&[(Old, Committed), (Successor, Committed)][..], &started].concat();
    // It was told ABORTED, and the owner died before its successor had heard so: SERVING follows.
    let off: Vec<_> = [&kept[..], &[(Successor, Aborted)], &started[1..]].concat();
    let bound = [(BoundAnew, NONE), (BoundAnew, Committed), (BoundAnew, Aborted), (BoundAnew, Lost)];
    let held = [(Old, Committed), (Old, Aborted), (Old, Lost), (Successor, Committed), (Successor, Lost), (StartedAgain, Lost)];
    type Named<'a> = (&'a [Fault], Vec<(Serves, Ending)>);
    let expected: [Named<'_>; 20] = [
        (&[], vec![(Old, NONE), (Successor, Committed)]),
        (&[OwnerDies], [&kept[..], &started].concat()),
        (&[OwnerDies, OwnerDies], both.clone()),
        (&[OwnerDies, SuccessorDies], both.clone()),
        (&[OwnerDies, SupervisorDies], [&held[..], &started, &bound].concat()),
        (&[OwnerDies, Cancelled], off.clone()),
        (&[OwnerDies, Late], [&off[..], &[(Old, Committed), (StartedAgain, NONE)]].concat()),
        (&[SuccessorDies], vec![(Old, Aborted)]),
        (&[SuccessorDies, SupervisorDies], vec![(Old, Aborted), (Old, Lost)]),
        (&[SuccessorDies, Cancelled], vec![(Old, Aborted)]),
        (&[SuccessorDies, Late], vec![(Old, Aborted)]),
        (&[SupervisorDies], unheard.to_vec()),
        (&[SupervisorDies, SupervisorDies], unheard.to_vec()),
        (&[SupervisorDies, Cancelled], [&kept[..], &[(Old, Lost), (Successor, Lost)]].concat()),
        (&[SupervisorDies, Late], [&kept[..], &[(Old, Lost), (Successor, Lost)]].concat()),
        (&[Cancelled], kept.to_vec()),
        (&[Cancelled, Cancelled], kept.to_vec()),
        (&[Cancelled, Late], kept.to_vec()),
        (&[Late], kept.to_vec()),
        // Told that it was late, and then its successor owns all the same: SERVING follows.
        (&[Late, Late], [&kept[..], &[(Successor, Aborted)]].concat()),
    ];
    let named: Endings = expected.into_iter().map(|(faults, ends)| (faults.to_vec(), ends.into_iter().collect())).collect();
    let found = holds(setup(Mode::Exclusive, 2), true);
    for (faults, ends) in &found {
        assert_eq!(Some(ends), named.get(faults), "{faults:?}");
    }
    assert_eq!(found.len(), named.len());
}

/// Each deadline at any moment; and two faults where both may serve.
#[test]
#[ignore = "minutes: ./x explore"]
fn full() {
    holds(setup(Mode::Overlap, 2), true);
    for mode in [Mode::Exclusive, Mode::Overlap] {
        holds(setup(mode, 1), false);
    }
}

#[test]
fn mistakes_are_found() {
    for (mutant, faults, bounded, law) in [
        (Mutant::KillsUnseen, 1, true, "S9"),
        (Mutant::StopsUnseen, 1, true, "L4"),
        (Mutant::JudgesByThePage, 1, false, "L4"),
        (Mutant::AnnouncesNobody, 0, true, "LAW-15"),
        (Mutant::ExpectsForEver, 1, true, "L6"),
        (Mutant::TiedToTheSupervisor, 1, true, "L4"),
        (Mutant::TellsNothing, 1, true, "S12"),
        (Mutant::WaitsForTheOwner, 1, true, "L2"),
    ] {
        let (_, broken, _) = search(setup(Mode::Exclusive, faults), mutant, bounded);
        assert!(broken.is_some_and(|broken| broken.starts_with(law)), "{mutant:?}: {broken:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    /// Any order, deadlines at any moment; then whatever is left to happen, until nothing is.
    #[test]
    fn any_schedule_keeps_the_laws(overlap: bool, picks in proptest::collection::vec(any::<u16>(), 0..160)) {
        let setup = setup(if overlap { Mode::Overlap } else { Mode::Exclusive }, 2);
        let mut world = World::new(&setup, Mutant::None, false);
        let mut acts = Vec::new();
        for pick in picks {
            acts.clear();
            world.acts(&setup, &mut acts);
            let Some(act) = acts.get(usize::from(pick) % acts.len().max(1)) else { break };
            world = world.apply(&setup, *act);
            prop_assert_eq!(world.broken, None, "{:?}", act);
        }
        world.bounded = true;
        world.pair.faults = setup.faults;
        for turn in 0..2_000usize {
            acts.clear();
            world.acts(&setup, &mut acts);
            if acts.is_empty() || world.is_quiet(&setup) {
                break;
            }
            world = world.apply(&setup, acts[turn % acts.len()]);
            prop_assert_eq!(world.broken, None);
        }
        prop_assert!(world.is_quiet(&setup), "it does not come to rest: {:?}", world);
    }
}
