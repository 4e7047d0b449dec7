//! Every order of events that the handoff's machines can meet: `src/handoff/machine/`, as it is, in a model of the kernel and of the
//! applications (`model/`), with up to two faults and two handoffs in a row. The invariants S1-S14 and L1-L6 are those of
//! docs/reference/handoff-protocol.md; which of them a model without descriptors cannot see is said in `model/invariants.rs`.
//!
//! What happens is cut as fine as another process could notice: a step of a machine is its event with the first action, then one action
//! after the other; a crash, a stop, a cut may come between any two. Every deadline may come at any moment. So there is no time in
//! the worlds, and they are finitely many. (Actions that nobody else can notice, as an event for the application, have no moment of
//! their own: a crash before and after them leave the same.)
//!
//! What a search cannot do by itself is fail: so each law has mistakes that break it (`model/mutant.rs`), which must be found, and
//! there is a list of situations that must be reached.
//!
//! The searches here are the small ones. `./x explore` takes them all: two faults in two handoffs, in both modes, successors spawned,
//! by takeover, and both at once.

// covers: LAW-14, LAW-15, S1, S2, S3, S4, S5, S6, S7, S8, S9, S11, S12, S14, S15, S16, L1, L2, L3, L5, D1.1, D1.8, F32, F34

#[path = "../src/handoff/machine/mod.rs"]
#[allow(dead_code, missing_docs)]
mod machine;
mod model;

use std::time::Instant;

use machine::word::Stage;
use machine::{Mode, Notice, owner, successor};
use model::mutant::Mutant;
use model::product::Choice;
use model::setup::{Setup, Sight, Way, fault};
use model::world::{Broken, Channel, Life, World};
use model::{table, trace};
use procsup::clock;
use stateright::{Checker, HasDiscoveries, Model, Property};

/// A situation, by name.
type Situation = (&'static str, fn(&Search, &World) -> bool);

struct Search {
    setup: Setup,
    /// What must be reached, else the search shows little.
    wanted: &'static [Situation],
}

fn kept<const LAW: u8>(_: &Search, world: &World) -> bool {
    world.broken.is_none_or(|(law, _)| law as u8 != LAW)
}

/// S2 is S1 here: the model's applications accept exactly while they may write.
const LAWS: [Situation; 17] = [
    ("S1, S2: at most one process may write, and accepts", kept::<{ Broken::S1 as u8 }>),
    ("S3: what was acknowledged is in what the next owner opens", kept::<{ Broken::S3 as u8 }>),
    ("S4: generations increase, and each has one owner", kept::<{ Broken::S4 as u8 }>),
    ("S5: every listener is held", kept::<{ Broken::S5 as u8 }>),
    ("S6: the lock is held", kept::<{ Broken::S6 as u8 }>),
    ("S7: what is called off leaves all as it was", kept::<{ Broken::S7 as u8 }>),
    ("S8: a spawned successor ends as owner or is reaped", kept::<{ Broken::S8 as u8 }>),
    ("S9: the owner is never killed", kept::<{ Broken::S9 as u8 }>),
    ("S11: a message that comes twice counts once", kept::<{ Broken::S11 as u8 }>),
    ("S12: hooks come in order, and RESUME once", kept::<{ Broken::S12 as u8 }>),
    ("S14: a commit needs a seal and a warm successor", kept::<{ Broken::S14 as u8 }>),
    ("S15: RETIRE is told once the successor's application has worked COMMITTED off, or had LIVE's time", kept::<{ Broken::S15 as u8 }>),
    ("S16: a core is not cut", kept::<{ Broken::S16 as u8 }>),
    ("L1, L5: somebody serves in the end", kept::<{ Broken::L1 as u8 }>),
    ("L2: every handoff ends", kept::<{ Broken::L2 as u8 }>),
    ("L3: another can follow", kept::<{ Broken::L3 as u8 }>),
    ("L6: one candidate at a time", kept::<{ Broken::L6 as u8 }>),
];

impl Model for Search {
    type State = World;
    type Action = Choice;

    fn init_states(&self) -> Vec<World> {
        vec![self.setup.world()]
    }

    fn actions(&self, world: &World, out: &mut Vec<Choice>) {
        if world.broken.is_none() {
            self.setup.steps(world, out);
            self.setup.events(world, out);
        }
    }

    fn next_state(&self, world: &World, choice: Choice) -> Option<World> {
        Some(self.setup.apply(world, choice))
    }

    fn properties(&self) -> Vec<Property<Self>> {
        let laws = LAWS.iter().map(|(name, holds)| Property::always(name, *holds));
        laws.chain(self.wanted.iter().map(|(name, reached)| Property::sometimes(name, *reached))).collect()
    }
}

/// Searches all of it, or until a law is broken; says how far it was, and how the law was broken.
fn search(setup: Setup, wanted: &'static [Situation]) -> Option<(Broken, &'static str)> {
    let began = Instant::now();
    // One thread finds the same mistake each time.
    let threads = if setup.mutant == Mutant::None { 2 } else { 1 };
    let checker = Search { setup, wanted }.checker().threads(threads).finish_when(HasDiscoveries::AnyFailures).spawn_bfs().join();
    let mutant = if setup.mutant == Mutant::None { String::new() } else { format!(", {:?}", setup.mutant) };
    println!(
        "{:?}, {:?}, {} handoffs, {} faults{mutant}: {} states, {} transitions, depth {}, {:.1} s",
        setup.mode,
        setup.way,
        setup.handoffs,
        setup.faults,
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
    let (law, path) = found.into_iter().min_by_key(|(name, path)| (path.clone().into_actions().len(), *name))?;
    println!("  broken: {law}");
    let broken = path.last_state().broken;
    trace::print(&setup, path.into_actions().into_iter().map(|choice| (0, choice)));
    broken
}

fn holds(setup: Setup) {
    assert_eq!(search(setup, &[]), None);
}

const MODES: [Mode; 2] = [Mode::Exclusive, Mode::Overlap];
const WAYS: [Way; 3] = [Way::Spawned, Way::Takeover, Way::Both];

#[test]
fn one_handoff_with_two_faults() {
    for way in WAYS {
        MODES.into_iter().for_each(|mode| holds(Setup { faults: 2, ..Setup::new(mode, way) }));
    }
}

/// The offer comes in two parts, and two parts have changed since.
#[test]
fn one_long_handoff_with_two_faults() {
    MODES.into_iter().for_each(|mode| holds(Setup { faults: 2, parts: 2, changed: 2, ..Setup::new(mode, Way::Spawned) }));
}

#[test]
fn two_handoffs_without_faults() {
    MODES.into_iter().for_each(|mode| holds(Setup { faults: 0, handoffs: 2, ..Setup::new(mode, Way::Spawned) }));
}

#[test]
fn two_handoffs_with_a_death() {
    holds(Setup { first: fault::CRASH, handoffs: 2, ..Setup::new(Mode::Exclusive, Way::Spawned) });
}

/// The owner may not signal the successor: a kill does nothing.
#[test]
fn one_handoff_out_of_reach() {
    for way in [Way::Spawned, Way::Takeover] {
        MODES.into_iter().for_each(|mode| holds(Setup { unkillable: true, ..Setup::new(mode, way) }));
    }
}

/// All of it.
#[test]
#[ignore = "minutes and some GB: ./x explore"]
fn full() {
    for way in WAYS {
        MODES.into_iter().for_each(|mode| holds(Setup { faults: 3, parts: 2, changed: 2, ..Setup::new(mode, way) }));
    }
    MODES.into_iter().for_each(|mode| holds(Setup { unkillable: true, faults: 3, ..Setup::new(mode, Way::Takeover) }));
    for way in WAYS {
        MODES.into_iter().for_each(|mode| holds(Setup { faults: 2, handoffs: 2, changed: 1, ..Setup::new(mode, way) }));
    }
}

// ---- what the search must meet, else it shows little ----

fn is_told(world: &World, which: Notice) -> bool {
    world.processes.iter().any(|process| process.app.notices.iter().any(|told| told == which))
}

fn first_successor(world: &World, phase: successor::Phase) -> bool {
    world.at(1).successor().is_some_and(|machine| machine.phase == phase)
}

fn owner_is(world: &World, phase: owner::Phase) -> bool {
    world.at(0).owner().is_some_and(|machine| machine.phase == phase)
}

const ONE_HANDOFF: [Situation; 21] = [
    ("a successor settles", |_, world| world.owner == 1 && world.word.stage == Stage::Settled),
    ("the owner is told to exit", |_, world| is_told(world, Notice::Retire)),
    ("the owner goes on", |_, world| is_told(world, Notice::Resume { unsealed: false })),
    ("the owner takes back", |_, world| is_told(world, Notice::Resume { unsealed: true })),
    ("a successor follows unsealed", |_, world| is_told(world, Notice::Live { unsealed: true })),
    ("the ownership is given back", |_, world| world.word.stage == Stage::Returned),
    ("a condemned successor serves on", |_, world| first_successor(world, successor::Phase::Fenced) && world.at(1).app.serves),
    ("its standby dies before the kill", |_, world| first_successor(world, successor::Phase::Fenced) && world.at(0).is_dead()),
    ("a condemned successor is killed", |_, world| world.word.stage == Stage::Condemned && world.at(1).is_dead()),
    ("the channel ends before the death shows", |_, world| {
        first_successor(world, successor::Phase::Warm) && world.at(0).life == Life::Dying
    }),
    ("a standby outlives what it stood by for", |_, world| world.owner == 0 && world.word.generation == 3 && world.at(0).app.serves),
    ("a child waits to be reaped", |_, world| world.at(1).life == Life::Zombie && world.at(1).dismissed),
    ("a spawned successor comes by the path, its channel lost", |_, world| {
        let owner = world.at(0).owner().is_some_and(|owner| owner.phase == machine::owner::Phase::Greeting);
        owner && world.at(0).channel == Channel::Seen && world.at(1).channel == Channel::Waiting
    }),
    ("a successor announces", |_, world| first_successor(world, successor::Phase::Announcing)),
    ("the owner waits for that", |_, world| owner_is(world, owner::Phase::Parting)),
    ("it retires though the application never comes back", |_, world| {
        is_told(world, Notice::Retire) && world.at(1).app.hangs && !world.at(1).app.knows
    }),
    ("a successor dies that has settled, and not said so", |_, world| {
        world.owner == 0 && world.word.generation == 3 && world.at(0).app.serves && world.at(1).is_dead()
    }),
    ("a successor dumps, and the owner goes on", |_, world| {
        world.at(1).life == Life::Dumping && world.word.generation == 3 && world.at(0).app.serves
    }),
    ("a candidate dumps, and the owner goes on", |_, world| {
        world.at(1).life == Life::Dumping && world.at(1).dismissed && world.word.generation == 1 && world.at(0).app.serves
    }),
    ("an owner dumps, and is followed", |_, world| world.at(0).life == Life::Dumping && world.owner == 1 && world.at(1).app.serves),
    ("nobody is left", |_, world| world.processes.iter().all(|process| !process.lives())),
];

const TWO_HANDOFFS: [Situation; 2] = [
    ("the third generation settles", |_, world| world.owner == 2 && world.word.generation == 3 && world.word.stage == Stage::Settled),
    ("a handoff follows one that failed", |_, world| world.owner == 2 && world.word.generation == 2 && world.word.stage == Stage::Settled),
];

const OUT_OF_REACH: [Situation; 3] = [
    ("it serves on, condemned by one that cannot kill it", |_, world| {
        owner_is(world, owner::Phase::Killing) && first_successor(world, successor::Phase::Fenced) && world.at(1).app.serves
    }),
    ("somebody ends it, and the owner goes on", |_, world| world.owner == 0 && world.word.generation == 3 && world.at(0).app.serves),
    ("it answers in the end, and the owner retires", |_, world| {
        world.owner == 1 && world.word.stage == Stage::Settled && owner_is(world, owner::Phase::Retired)
    }),
];

#[test]
fn every_situation_is_met() {
    assert_eq!(search(Setup { unkillable: true, ..Setup::new(Mode::Exclusive, Way::Takeover) }, &OUT_OF_REACH), None);
    assert_eq!(search(Setup { faults: 2, ..Setup::new(Mode::Exclusive, Way::Spawned) }, &ONE_HANDOFF), None);
    assert_eq!(search(Setup { faults: 0, handoffs: 2, ..Setup::new(Mode::Exclusive, Way::Spawned) }, &TWO_HANDOFFS), None);
}

// ---- mistakes, which must be found ----
//
// Of the bugs B1-B9 of the handoff that this one replaces, B1 (O_NONBLOCK of a shared description), B5 (the control path) and B9 (a supervisor's
// listeners) have nothing in the machines: other tests have them.

/// The law that such a mistake breaks: as a forbidden move, and by what comes of it alone.
fn mistake(mutant: Mutant, faults: u8, move_breaks: Broken, effect_breaks: &[Broken]) {
    let setup = Setup { faults, changed: 1, mutant, ..Setup::new(Mode::Exclusive, Way::Spawned) };
    let found = search(setup, &[]).map(|(law, _)| law);
    assert_eq!(found, Some(move_breaks), "{mutant:?}");
    let found = search(Setup { effects_only: true, ..setup }, &[]).map(|(law, _)| law);
    assert!(found.map_or(effect_breaks.is_empty(), |law| effect_breaks.contains(&law)), "{mutant:?}: {found:?}");
}

// covers: B2
/// B2, B8: it ends with the channel, though it owns: nobody serves in the end, and until then it writes without the lock.
#[test]
fn b02_a_successor_that_ends_on_hangup() {
    mistake(Mutant::EndsOnHangup, 1, Broken::S6, &[Broken::S6, Broken::L1]);
}

// covers: B3
/// B3: it ends beside a dead owner.
#[test]
fn b03_a_warm_successor_that_ends_beside_a_dead_owner() {
    mistake(Mutant::EndsBesideDeadOwner, 1, Broken::L1, &[Broken::L1]);
}

// covers: B3
/// B3 again: a crash shows as the end of the channel first.
#[test]
fn b03_a_warm_successor_that_ends_with_the_channel() {
    mistake(Mutant::LeavesOnHangup, 1, Broken::L1, &[Broken::L1]);
}

// covers: B4
/// B4: nobody is left to take back.
#[test]
fn b04_no_probation() {
    mistake(Mutant::NoProbation, 1, Broken::L1, &[Broken::L1]);
}

// covers: B6, B7
/// B6, B7: a hook that fails leaves the owner drained for good.
#[test]
fn b06_b07_no_resume_after_a_failed_hook() {
    mistake(Mutant::NoResume, 1, Broken::S12, &[Broken::S12, Broken::L1, Broken::S7]);
}

// covers: B8
/// B8: the owner waits for ever.
#[test]
fn b08_no_deadline_for_the_successor_to_open() {
    mistake(Mutant::NoDeadlineInHanding, 0, Broken::L2, &[Broken::L2]);
}

// covers: B8
/// B8, in the seal.
#[test]
fn b08_no_deadline_for_the_seal() {
    mistake(Mutant::NoDeadlineInSealing, 0, Broken::L2, &[Broken::L2]);
}

// covers: B14
/// B14: it serves before it knows the decision.
#[test]
fn b14_a_successor_that_opens_when_warm() {
    mistake(Mutant::OpensWhenWarm, 0, Broken::S1, &[Broken::S1, Broken::S3]);
}

/// It believes the message. Only the move is wrong: the owner that has condemned it waits for its death.
#[test]
fn a_successor_that_opens_without_looking() {
    mistake(Mutant::OpensWithoutLooking, 0, Broken::S1, &[]);
}

/// B15: the standby kills without compare-and-swap.
#[test]
fn a_standby_that_kills_without_condemning() {
    mistake(Mutant::CondemnsWithoutAsking, 0, Broken::S9, &[Broken::S9]);
}

/// It takes back without proof of death.
#[test]
fn a_standby_that_takes_back_from_the_living() {
    mistake(Mutant::TakesBackFromTheLiving, 0, Broken::S1, &[Broken::S1, Broken::S3]);
}

/// It goes on with what it remembers.
#[test]
fn a_standby_that_takes_back_without_reload() {
    mistake(Mutant::TakesBackWithoutReload, 0, Broken::S3, &[Broken::S3]);
}

/// The end of the channel is taken for a death.
#[test]
fn a_successor_that_promotes_itself_on_hangup() {
    mistake(Mutant::PromotesOnHangup, 1, Broken::S1, &[Broken::S1, Broken::S3, Broken::S9]);
}

#[test]
fn an_owner_that_commits_before_the_seal() {
    mistake(Mutant::CommitsBeforeSealed, 0, Broken::S14, &[Broken::S3, Broken::S12]);
}

#[test]
fn an_owner_that_resumes_twice() {
    mistake(Mutant::ResumesTwice, 0, Broken::S12, &[Broken::S12]);
}

#[test]
fn an_owner_that_keeps_its_child() {
    mistake(Mutant::KeepsTheChild, 0, Broken::S7, &[Broken::S7, Broken::S8]);
}

#[test]
fn a_standby_that_retires_on_hangup() {
    mistake(Mutant::RetiresOnHangup, 1, Broken::L1, &[Broken::L1]);
}

/// Give-up and commit do not exclude each other.
#[test]
fn a_successor_that_gives_up_without_asking() {
    mistake(Mutant::RenouncesWithoutAsking, 0, Broken::L1, &[Broken::L1]);
}

#[test]
fn a_generation_that_comes_back() {
    mistake(Mutant::SameGeneration, 0, Broken::S4, &[Broken::S4]);
}

#[test]
fn a_settled_owner_that_is_condemned() {
    mistake(Mutant::CondemnsTheSettled, 1, Broken::S9, &[Broken::S9, Broken::L3]);
}

#[test]
fn a_condemned_successor_that_ends_beside_a_dead_standby() {
    mistake(Mutant::EndsWhenCondemned, 1, Broken::L1, &[Broken::S6, Broken::L1]);
}

#[test]
fn a_second_commit_that_opens_again() {
    mistake(Mutant::OpensTwice, 0, Broken::S11, &[Broken::S3, Broken::S11]);
}

#[test]
fn a_successor_that_says_it_has_settled_before_its_application_knows() {
    mistake(Mutant::SettlesUntold, 0, Broken::S15, &[]);
}

#[test]
fn an_owner_that_retires_as_soon_as_the_word_says_settled() {
    mistake(Mutant::RetiresUnheard, 0, Broken::S15, &[]);
}

/// With a successor that it may not signal.
#[test]
fn a_standby_that_takes_a_kill_for_a_death() {
    let setup = Setup { unkillable: true, mutant: Mutant::TakesBackAfterTheKill, ..Setup::new(Mode::Exclusive, Way::Takeover) };
    assert_eq!(search(setup, &[]).map(|(law, _)| law), Some(Broken::S1));
    let found = search(Setup { effects_only: true, ..setup }, &[]).map(|(law, _)| law);
    assert!(matches!(found, Some(Broken::S1 | Broken::S3)), "{found:?}");
}

/// Not the machine's: a driver that waits for the pidfd of a process that dumps its core.
#[test]
fn a_dump_that_is_not_seen_breaks_s16_and_l1() {
    let blind = Setup { sight: Sight::PidfdOnly, first: fault::DUMP, ..Setup::new(Mode::Exclusive, Way::Spawned) };
    let found = search(blind, &[]).map(|(law, _)| law);
    assert!(matches!(found, Some(Broken::S16 | Broken::L1)), "{found:?}");
}

/// Nor is this: a process that is stopped goes on some day.
#[test]
fn a_stop_that_is_taken_for_a_dump_breaks_s1() {
    let hasty = Setup { sight: Sight::StoppedToo, first: fault::STOP, ..Setup::new(Mode::Exclusive, Way::Spawned) };
    assert_eq!(search(hasty, &[]).map(|(law, _)| law), Some(Broken::S1));
}

/// Not the machine's: a driver that does not look at the pidfd before it delivers a timeout (against R1 of `model/driver.rs`).
#[test]
fn a_timeout_before_a_death_that_shows_breaks_l1() {
    let careless = Setup { careless: true, ..Setup::new(Mode::Exclusive, Way::Spawned) };
    assert_eq!(search(careless, &[]).map(|(law, _)| law), Some(Broken::L1));
}

// ---- the page for operators ----

/// A channel closes before a crash shows, so its end is no verdict yet: also where nothing else has an end.
#[test]
fn l1_an_ended_channel_lingers_where_no_deadline_is_set() {
    let limits = machine::Limits { drain: i64::MAX, seal: i64::MAX, live: i64::MAX, probation: i64::MAX };
    let owner = machine::owner::Owner::new(false, Mode::Exclusive, limits);
    let (owner, _) = owner.step(machine::owner::Event::Begin { whole: clock::Deadline::NEVER }, 0);
    assert_eq!(owner.deadline, clock::Deadline::NEVER);
    let (owner, actions) = owner.step(machine::owner::Event::Hangup, 1_000);
    assert!(actions.iter().next().is_none() && !owner.deadline.is_over(1_000), "it waits for the pidfd");
    let (owner, _) = owner.step(machine::owner::Event::PeerGone, 2_000);
    assert_eq!(owner.phase, machine::owner::Phase::Serving);
}

/// docs/evidence/handoff-faults.md is what the machines do. `HANDOFF_TABLE=write` writes it anew.
#[test]
fn the_fault_table_is_current() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/evidence/handoff-faults.md");
    let page = table::page();
    if std::env::var_os("HANDOFF_TABLE").is_some() {
        std::fs::write(path, &page).expect("docs is there");
    }
    let committed = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        committed == page,
        "docs/evidence/handoff-faults.md is not what the machines do: ./x explore --table writes it, read the difference"
    );
}
