//! Budgets without a clock: every order of small worlds, and long random lives against a naive model. The explorer is held against the laws alone, and the
//! bugs of others (running-process 4.10, section 6.1: a window that ends forgets who is in flight, permits have no generation) must be found by it.

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};

use procsup::coordination::budget::key::{Denial, Landed, Outcome, Rules, Stale, View};
use procsup::coordination::budget::keys::{Keys, Query, Refused};
use proptest::prelude::*;

/// All hash alike: so every lookup meets every key.
fn query(key: usize) -> Query<'static> {
    const NAMES: [&[u8]; 5] = [b"a", b"b", b"", b"d", b"ee"];
    Query { hash: 7, text: NAMES[key] }
}

// ---- every order of small worlds ----

const SMALL: Rules = Rules { attempts: 2, window: 3, lease: 5 };

/// What is explored: the real thing, or one with a bug.
#[derive(Clone)]
enum Machine {
    Real(Keys),
    Reference(Reference),
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Bug {
    /// The end of a window clears the mark that one is in flight.
    WindowClearsFlight,
    /// A finish is of a key, not of a permit.
    NoGeneration,
    /// The storm is told at each refusal.
    StormEachTime,
    /// A window is not over in its last moment.
    WindowIsLonger,
    /// The lease is not looked at when a late finish comes.
    LateFinishCounts,
    /// A time that goes back counts as time elapsed.
    BackwardsElapses,
}

/// As running-process 4.10 describes its coordinator, with a lease, and with one bug of choice.
#[derive(Clone)]
struct Reference {
    bug: Bug,
    now: i64,
    keys: BTreeMap<usize, State>,
}

#[derive(Clone, Copy, Default, PartialEq, Eq, Hash, Debug)]
struct State {
    window: i64,
    used: u32,
    storm: bool,
    permit: u64,
    began: i64,
}

impl Reference {
    fn state(&mut self, key: usize) -> &mut State {
        let (now, bug) = (self.now, self.bug);
        let state = self.keys.entry(key).or_default();
        if state.used > 0 && now - state.window >= SMALL.window + i64::from(bug == Bug::WindowIsLonger) {
            (state.used, state.storm) = (0, false);
            if bug == Bug::WindowClearsFlight {
                state.permit = 0;
            }
        }
        if state.permit != 0 && now - state.began >= SMALL.lease && bug != Bug::LateFinishCounts {
            state.permit = 0;
        }
        state
    }

    fn begin(&mut self, key: usize, permit: u64) -> Result<u64, Denial> {
        let (now, bug) = (self.now, self.bug);
        let state = self.state(key);
        if state.permit != 0 && now - state.began < SMALL.lease {
            return Err(Denial::InProgress { retry_after_ns: Some(SMALL.lease - (now - state.began)) });
        }
        if state.used >= SMALL.attempts {
            let storm = !state.storm || bug == Bug::StormEachTime;
            state.storm = true;
            return Err(Denial::Exhausted { retry_after_ns: SMALL.window - (now - state.window), storm });
        }
        if state.used == 0 {
            state.window = now;
        }
        state.used += 1;
        (state.permit, state.began) = (permit, now);
        Ok(permit)
    }

    fn finish(&mut self, key: usize, permit: u64, succeeded: bool) -> Result<(), Stale> {
        let bug = self.bug;
        let state = self.state(key);
        if state.permit == 0 || (state.permit != permit && bug != Bug::NoGeneration) {
            return Err(Stale);
        }
        state.permit = 0;
        if succeeded {
            *state = State::default();
        }
        Ok(())
    }
}

/// What must hold, by what was answered alone.
#[derive(Clone, Default, PartialEq, Eq, Hash, Debug)]
struct Ghost {
    /// The permit that is out, and when it was given; kept: no lease.
    out: Option<(u64, i64, bool)>,
    proving: Option<(u64, i64)>,
    /// When the window began, and how many were begun in it.
    window: Option<(i64, u32)>,
    storms: u32,
}

impl Ghost {
    fn pass(&mut self, now: i64) {
        if self.window.is_some_and(|(began, _)| now - began >= SMALL.window) {
            (self.window, self.storms) = (None, 0);
        }
        if self.out.is_some_and(|(_, began, kept)| !kept && now - began >= SMALL.lease) {
            self.out = None;
        }
        if self.proving.is_some_and(|(_, until)| now >= until) {
            *self = Self { out: self.out, ..Self::default() };
        }
    }

    fn used(&self) -> u32 {
        self.window.map_or(0, |(_, used)| used)
    }
}

#[derive(Clone)]
struct World {
    machine: Machine,
    /// What the clock shows, and all that has elapsed.
    clock: i64,
    elapsed: i64,
    ghosts: [Ghost; 2],
    /// The last permits of each key.
    hands: [VecDeque<u64>; 2],
    next: u64,
    broken: Option<&'static str>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Choice {
    Begin(usize),
    /// Key, which of its last permits (or none that ever was), and how long it has to stay up if it succeeded.
    Finish(usize, usize, Option<i64>),
    Keep(usize, usize),
    Reset(usize),
    Time(i64),
}

const HANDS: usize = 2;
const HEALTHY: i64 = 2;

impl World {
    fn new(machine: Machine) -> Self {
        Self { machine, clock: 10, elapsed: 0, ghosts: Default::default(), hands: Default::default(), next: 1, broken: None }
    }

    fn breaks(&mut self, law: &'static str, kept: bool) {
        if !kept {
            self.broken.get_or_insert(law);
        }
    }

    fn permit(&self, key: usize, which: usize) -> u64 {
        self.hands[key].get(which).copied().unwrap_or(u64::MAX)
    }

    fn view(&self, key: usize) -> Option<View> {
        if let Machine::Real(keys) = &self.machine { Some(keys.view(SMALL, self.clock, query(key))) } else { None }
    }

    fn step(&mut self, choice: Choice) {
        let real = matches!(self.machine, Machine::Real(_));
        match choice {
            Choice::Time(by) => {
                self.clock += by;
                self.elapsed += by.max(0);
                match &mut self.machine {
                    Machine::Real(keys) => drop(keys.finish(SMALL, self.clock, u64::MAX, Outcome::Failed)),
                    Machine::Reference(it) if it.bug == Bug::BackwardsElapses => it.now += by.abs(),
                    Machine::Reference(it) => it.now += by.max(0),
                }
            }
            Choice::Begin(key) => {
                let permit = self.next;
                let answer = match &mut self.machine {
                    Machine::Real(keys) => keys.begin(SMALL, self.clock, query(key), || permit).map_err(|refused| match refused {
                        Refused::Denied(denial) => denial,
                        other => panic!("{other:?}"),
                    }),
                    Machine::Reference(it) => it.begin(key, permit),
                };
                self.ghosts[key].pass(self.elapsed);
                let ghost = self.ghosts[key].clone();
                match answer {
                    Ok(given) => {
                        self.breaks("never two valid permits of one key", ghost.out.is_none());
                        self.breaks("never more begins in a window than attempts", ghost.used() < SMALL.attempts);
                        let ghost = &mut self.ghosts[key];
                        let (began, used) = ghost.window.unwrap_or((self.elapsed, 0));
                        (ghost.window, ghost.out, ghost.proving) = (Some((began, used + 1)), Some((given, self.elapsed, false)), None);
                        self.next += 1;
                        self.hands[key].push_front(given);
                        self.hands[key].truncate(HANDS);
                    }
                    Err(Denial::InProgress { retry_after_ns }) => {
                        let left = ghost.out.map(|(_, began, kept)| (!kept).then_some(SMALL.lease - (self.elapsed - began)));
                        self.breaks("in progress is said while a permit is out, until its lease ends", left == Some(retry_after_ns));
                    }
                    Err(Denial::Exhausted { retry_after_ns, storm }) => {
                        self.breaks(
                            "exhausted is said where every attempt was used",
                            ghost.used() == SMALL.attempts && ghost.out.is_none(),
                        );
                        let left = ghost.window.map(|(began, _)| SMALL.window - (self.elapsed - began));
                        self.breaks("a window opens again when it was said to", left == Some(retry_after_ns));
                        self.breaks("a storm is told once in a window, by its first refusal", storm == (ghost.storms == 0));
                        self.ghosts[key].storms += 1;
                        self.ghosts[key].proving = None;
                    }
                }
            }
            Choice::Finish(key, which, healthy) => {
                let permit = self.permit(key, which);
                let before = self.view(key);
                let outcome = healthy.map_or(Outcome::Failed, Outcome::Succeeded);
                let answer = match &mut self.machine {
                    Machine::Real(keys) => keys.finish(SMALL, self.clock, permit, outcome),
                    Machine::Reference(it) => it.finish(key, permit, healthy.is_some()),
                };
                self.ghosts[key].pass(self.elapsed);
                let ghost = &mut self.ghosts[key];
                let flies = ghost.out.is_some_and(|(out, ..)| out == permit);
                let proves = ghost.proving.is_some_and(|(proving, _)| proving == permit) && healthy.is_none();
                if answer.is_ok() {
                    (ghost.out, ghost.proving) = (ghost.out.filter(|_| !flies), ghost.proving.filter(|_| !proves));
                    match healthy {
                        Some(0) => *ghost = Ghost::default(),
                        Some(healthy) => ghost.proving = Some((permit, self.elapsed + healthy)),
                        None => {}
                    }
                }
                self.breaks("a permit is finished once, in its time, and no other one", answer.is_ok() == (flies || proves));
                if real && answer.is_err() {
                    self.breaks("a stale finish changes nothing", before == self.view(key));
                }
            }
            Choice::Keep(key, which) => {
                let permit = self.permit(key, which);
                let Machine::Real(keys) = &mut self.machine else { return };
                let answer = keys.keep(SMALL, self.clock, permit);
                self.ghosts[key].pass(self.elapsed);
                let out = self.ghosts[key].out.as_mut().filter(|out| out.0 == permit);
                let is_out = out.map(|out| out.2 = true).is_some();
                self.breaks("only what is in flight is kept", answer.is_ok() == is_out);
            }
            Choice::Reset(key) => {
                match &mut self.machine {
                    Machine::Real(keys) => drop(keys.reset(self.clock, query(key))),
                    Machine::Reference(it) => drop(it.keys.remove(&key)),
                }
                self.ghosts[key] = Ghost::default();
            }
        }
        for key in 0..2 {
            self.ghosts[key].pass(self.elapsed);
            if let Some(view) = self.view(key) {
                let ghost = self.ghosts[key].clone();
                self.breaks("a look shows the attempts that count", view.attempts_used == ghost.used());
                self.breaks("a look shows what is left", view.remaining == SMALL.attempts - ghost.used());
                self.breaks("a look shows what is in flight", view.in_flight == ghost.out.is_some());
                self.breaks("a look shows the storm", view.storm == (ghost.storms > 0));
                let now = view.retry_after_ns == Some(0);
                self.breaks("a look says whether a begin is granted", now == (ghost.out.is_none() && ghost.used() < SMALL.attempts));
            }
        }
        if let Machine::Real(keys) = &self.machine {
            let known = self.ghosts.iter().filter(|ghost| **ghost != Ghost::default()).count();
            let count = keys.count();
            self.breaks("what is not idle is known", count >= known);
        }
    }

    /// Equal for two worlds that cannot be told apart (as far as 64 bits go): times as ages, permits by their place in the hands.
    fn picture(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        let places = |permit: u64| {
            let place = |key: usize| self.hands[key].iter().position(|known| *known == permit);
            (place(0), place(1))
        };
        for (ghost, hand) in self.ghosts.iter().zip(&self.hands) {
            let out = ghost.out.map(|(permit, began, kept)| (places(permit), if kept { 0 } else { began - self.elapsed }, kept));
            let proving = ghost.proving.map(|(permit, until)| (places(permit), until - self.elapsed));
            (out, proving, ghost.window.map(|(began, used)| (began - self.elapsed, used)), ghost.storms > 0, hand.len()).hash(&mut hasher);
        }
        match &self.machine {
            Machine::Real(keys) => {
                let (hand, list) = keys.picture(SMALL);
                hand.hash(&mut hasher);
                list.into_iter().for_each(|seen| (seen.text, seen.key, seen.permit.map(places)).hash(&mut hasher));
            }
            Machine::Reference(it) => {
                for (key, state) in &it.keys {
                    let out = (state.permit != 0).then(|| (places(state.permit), (it.now - state.began).min(9)));
                    let window = (state.used > 0).then(|| (it.now - state.window).min(9));
                    (key, state.used, state.storm, out, window).hash(&mut hasher);
                }
            }
        }
        hasher.finish()
    }
}

fn choices() -> Vec<Choice> {
    let mut all = vec![Choice::Time(1), Choice::Time(-1), Choice::Time(2)];
    for key in 0..2 {
        all.extend([Choice::Begin(key), Choice::Reset(key)]);
        for which in 0..=HANDS {
            all.extend([None, Some(0), Some(HEALTHY)].map(|healthy| Choice::Finish(key, which, healthy)));
            all.push(Choice::Keep(key, which));
        }
    }
    all
}

/// How many worlds there are; the first law that is broken, and the way there.
fn explore(machine: Machine, choices: &[Choice], most: usize) -> (usize, Option<(&'static str, Vec<Choice>)>) {
    let first = World::new(machine);
    let mut seen = HashSet::from([first.picture()]);
    let mut line = VecDeque::from([(first, Vec::new())]);
    while let Some((world, way)) = line.pop_front() {
        for choice in choices {
            let mut next = world.clone();
            next.step(*choice);
            let mut way = way.clone();
            way.push(*choice);
            if let Some(law) = next.broken {
                return (seen.len(), Some((law, way)));
            }
            if seen.insert(next.picture()) {
                line.push_back((next, way));
            }
        }
        assert!(seen.len() < most, "the world has no end");
    }
    (seen.len(), None)
}

// covers: RP-4, RP-5, RP-6, RP-7, RP-8, RP-10, C13-1
#[test]
fn every_order_of_small_worlds_keeps_the_laws() {
    let (states, broken) = explore(Machine::Real(Keys::default()), &choices(), 2_000_000);
    println!("two keys, 2 attempts in 3 ticks, a lease of 5, to be healthy for 0 or {HEALTHY}: {states} states");
    assert_eq!(broken, None);
    assert!(states > 1_000, "the world is no world: {states} states");
}

// covers: RP-7, C13-1
#[test]
fn the_bugs_of_the_reference_are_found() {
    // Neither keeps a permit, nor waits for anybody's health.
    let simple: Vec<Choice> =
        choices().into_iter().filter(|choice| !matches!(choice, Choice::Keep(..) | Choice::Finish(_, _, Some(HEALTHY)))).collect();
    for (bug, law) in [
        (Bug::WindowClearsFlight, "never two valid permits of one key"),
        (Bug::NoGeneration, "a permit is finished once, in its time, and no other one"),
        (Bug::StormEachTime, "a storm is told once in a window, by its first refusal"),
        (Bug::WindowIsLonger, "exhausted is said where every attempt was used"),
        (Bug::LateFinishCounts, "a permit is finished once, in its time, and no other one"),
        (Bug::BackwardsElapses, ""),
    ] {
        let reference = Reference { bug, now: 0, keys: BTreeMap::new() };
        let (states, broken) = explore(Machine::Reference(reference), &simple, 2_000_000);
        let (found, way) = broken.unwrap_or_else(|| panic!("{bug:?} is not found in {states} states"));
        println!("{bug:?}: \"{found}\" after {way:?}");
        assert!(law.is_empty() || found == law, "{bug:?}: {found}");
    }
}

// ---- long lives against a naive model ----

const RULES: Rules = Rules { attempts: 3, window: 20, lease: 35 };

/// Every time is counted down, tick by tick.
#[derive(Clone, Default, Debug)]
struct Naive {
    used: u32,
    storm: bool,
    window_left: i64,
    flight: Option<(u64, Option<i64>)>,
    proving: Option<(u64, i64)>,
    landed: u32,
    /// Which life of the key it is: a reset begins the next one.
    life: u64,
}

impl Naive {
    fn forget(&mut self) {
        (self.used, self.storm, self.window_left) = (0, false, 0);
    }

    fn tick(&mut self) {
        if self.used > 0 {
            self.window_left -= 1;
            if self.window_left == 0 {
                self.forget();
            }
        }
        if let Some((_, Some(left))) = &mut self.flight {
            *left -= 1;
            if *left == 0 {
                self.flight = None;
            }
        }
        if let Some((_, left)) = &mut self.proving {
            *left -= 1;
            if *left == 0 {
                self.proving = None;
                self.forget();
            }
        }
    }

    fn begin(&mut self, permit: u64) -> Result<u64, Denial> {
        if let Some((_, lease)) = self.flight {
            return Err(Denial::InProgress { retry_after_ns: lease });
        }
        self.proving = None;
        if self.used == RULES.attempts {
            let storm = !self.storm;
            self.storm = true;
            return Err(Denial::Exhausted { retry_after_ns: self.window_left, storm });
        }
        if self.used == 0 {
            self.window_left = RULES.window;
        }
        self.used += 1;
        self.flight = Some((permit, Some(RULES.lease)));
        Ok(permit)
    }

    fn flies(&self, permit: u64) -> bool {
        self.flight.is_some_and(|(valid, _)| valid == permit)
    }

    fn finish(&mut self, permit: u64, outcome: Outcome) -> Result<(), Stale> {
        let flies = self.flies(permit);
        match outcome {
            Outcome::Failed if flies => self.flight = None,
            Outcome::Failed if self.proving.is_some_and(|(valid, _)| valid == permit) => self.proving = None,
            Outcome::Succeeded(0) if flies => {
                self.flight = None;
                self.forget();
            }
            Outcome::Succeeded(healthy) if flies => (self.flight, self.proving) = (None, Some((permit, healthy))),
            _ => return Err(Stale),
        }
        Ok(())
    }

    fn view(&self) -> View {
        let retry_after_ns = match self.flight {
            Some((_, lease)) => lease,
            None if self.used == RULES.attempts => Some(self.window_left),
            None => Some(0),
        };
        let remaining = RULES.attempts - self.used;
        View { attempts_used: self.used, remaining, in_flight: self.flight.is_some(), storm: self.storm, retry_after_ns }
    }
}

#[derive(Clone, Copy, Debug)]
enum Do {
    Time(i64),
    Begin(usize),
    /// Which of all permits that were given, counted back from the last.
    Finish(usize, Outcome),
    Keep(usize),
    Land(usize),
    /// Which of those that have landed.
    Settle(usize, bool),
    Resume(usize),
    Reset(usize),
    View(usize),
    Many(usize),
}

fn doing() -> impl Strategy<Value = Do> {
    let outcome = prop_oneof![Just(Outcome::Failed), Just(Outcome::Succeeded(0)), (1i64..12).prop_map(Outcome::Succeeded)];
    prop_oneof![
        4 => (-10i64..15).prop_map(Do::Time),
        1 => (0i64..60).prop_map(Do::Time),
        8 => (0usize..5).prop_map(Do::Begin),
        6 => (0usize..6, outcome).prop_map(|(which, outcome)| Do::Finish(which, outcome)),
        1 => (0usize..3).prop_map(Do::Keep),
        2 => (0usize..3).prop_map(Do::Land),
        2 => (0usize..3, any::<bool>()).prop_map(|(which, good)| Do::Settle(which, good)),
        1 => (0usize..3).prop_map(Do::Resume),
        1 => (0usize..5).prop_map(Do::Reset),
        3 => (0usize..5).prop_map(Do::View),
        1 => (1usize..40).prop_map(Do::Many),
    ]
}

fn denied(refused: Refused) -> Denial {
    match refused {
        Refused::Denied(denial) => denial,
        other => panic!("{other:?}"),
    }
}

/// The real one and the naive one, side by side.
#[derive(Default)]
struct Both {
    keys: Keys,
    naive: [Naive; 5],
    clock: i64,
    given: Vec<(usize, u64)>,
    landed: Vec<(usize, u64, Landed)>,
    next: u64,
}

impl Both {
    fn run(&mut self, what: Do) -> Result<(), TestCaseError> {
        let next = self.next + 1;
        match what {
            Do::Time(by) => {
                self.clock += by;
                // Both know of it.
                prop_assert_eq!(self.keys.keep(RULES, self.clock, 0), Err(Stale));
                (0..by).for_each(|_| self.naive.iter_mut().for_each(Naive::tick));
            }
            Do::Begin(key) => {
                let naive = self.naive[key].begin(next);
                prop_assert_eq!(self.keys.begin(RULES, self.clock, query(key), || next).map_err(denied), naive);
                if naive.is_ok() {
                    self.next = next;
                    self.given.push((key, next));
                }
            }
            Do::Finish(back, outcome) => {
                let Some((key, permit)) = self.given.iter().rev().nth(back).copied() else { return Ok(()) };
                prop_assert_eq!(self.keys.finish(RULES, self.clock, permit, outcome), self.naive[key].finish(permit, outcome));
            }
            Do::Keep(back) => {
                let Some((key, permit)) = self.given.iter().rev().nth(back).copied() else { return Ok(()) };
                let flies = self.naive[key].flies(permit);
                prop_assert_eq!(self.keys.keep(RULES, self.clock, permit).is_ok(), flies);
                if flies {
                    self.naive[key].flight = Some((permit, None));
                }
            }
            Do::Land(back) => {
                let Some((key, permit)) = self.given.iter().rev().nth(back).copied() else { return Ok(()) };
                let flies = self.naive[key].flies(permit);
                let landed = self.keys.land(RULES, self.clock, permit);
                prop_assert_eq!(landed.is_ok(), flies);
                if let Ok(landed) = landed {
                    self.naive[key].flight = None;
                    self.naive[key].landed += 1;
                    self.landed.push((key, self.naive[key].life, landed));
                }
            }
            Do::Settle(which, good) => {
                if which >= self.landed.len() {
                    return Ok(());
                }
                let (key, life, landed) = self.landed.remove(which);
                let known = self.naive[key].life == life;
                prop_assert_eq!(self.keys.settle(RULES, self.clock, query(key), landed, good).is_ok(), known);
                if known {
                    self.naive[key].landed -= 1;
                    if good {
                        self.naive[key].forget();
                    }
                }
            }
            Do::Resume(which) => {
                let Some((key, life, landed)) = self.landed.get(which).copied() else { return Ok(()) };
                let naive = &mut self.naive[key];
                let known = naive.life == life;
                let expected = match naive.flight {
                    Some((_, lease)) if known => Err(Denial::InProgress { retry_after_ns: lease }),
                    None if known => Ok(next),
                    _ => naive.begin(next),
                };
                prop_assert_eq!(self.keys.resume(RULES, self.clock, query(key), landed, || next).map_err(denied), expected);
                if expected.is_ok() {
                    if known {
                        naive.landed -= 1;
                        // It is needed again: who proves himself beside it has not stayed up.
                        (naive.flight, naive.proving) = (Some((next, None)), None);
                    }
                    self.landed.remove(which);
                    self.next = next;
                    self.given.push((key, next));
                }
            }
            Do::Reset(key) => {
                self.keys.reset(self.clock, query(key));
                self.naive[key] = Naive { life: self.naive[key].life + 1, ..Naive::default() };
            }
            Do::View(key) => prop_assert_eq!(self.keys.view(RULES, self.clock, query(key)), self.naive[key].view()),
            // Others come and go: what is swept and moved in between changes nobody else.
            Do::Many(count) => {
                for number in 0..count {
                    let text = [b'm', number as u8];
                    let other = Query { hash: number as u64 % 3, text: &text };
                    self.next += 1;
                    let permit = self.next;
                    if self.keys.begin(RULES, self.clock, other, || permit).is_ok() && number % 4 > 0 {
                        prop_assert_eq!(self.keys.finish(RULES, self.clock, permit, Outcome::Succeeded(0)), Ok(()));
                    }
                }
            }
        }
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    // covers: RP-2, RP-3, RP-4, RP-5, RP-6, RP-8, RP-9, RP-10, C13-1
    #[test]
    fn a_budget_does_what_a_naive_one_does(doings in prop::collection::vec(doing(), 1..200)) {
        let mut both = Both::default();
        for what in doings {
            both.run(what)?;
        }
        for key in 0..5 {
            both.run(Do::View(key))?;
        }
    }
}
