//! A few requests, a pool, and a preloader that may die, be replaced or replace itself at each point: every order of what can happen, against the laws of
//! the machine.
//!
//! The world beside the machine is what the driver would have: processes by generation, births, what each request was told. It knows nothing of how the
//! machine decides.

use std::collections::{BTreeMap, HashSet};

use super::machine::{AHEAD, Action, Birth, End, Event, Id, Machine, Preloader, SILENCE_NS, Unpromoted, Why};
use crate::clock::Deadline;

const SECOND: i64 = 1_000_000_000;
/// What the pool allows.
const AGE: i64 = 15 * SECOND;

/// How far a request is, as the one who asked sees it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Seen {
    /// How many have died over it.
    Asked {
        deaths: u32,
    },
    Worker(Birth),
    Told(End),
    CalledOff,
}

/// A process that was started or promoted, and not left.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Stand {
    Starting,
    Ready { heard: i64 },
    Promoting(Birth),
    Ended,
}

/// A birth, as the driver sees it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Way {
    Asked {
        at: i64,
    },
    /// Discarded, and to be answered still.
    Discarded {
        at: i64,
    },
    Idle {
        since: i64,
    },
    /// Its gate is to be opened, or was.
    Adopted {
        id: Id,
        pooled: bool,
    },
    Serving,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
struct World {
    machine: Machine,
    now: i64,
    ticks: u32,
    requests: BTreeMap<Id, Seen>,
    births: BTreeMap<Birth, (u32, Way)>,
    processes: BTreeMap<u32, Stand>,
    /// The one before the promoted one, as long as that has not proved itself; and that one.
    spare: Option<(u32, u32)>,
    generations: u32,
    starts: u32,
    forks: u32,
    /// What was born of these, and before, is old.
    oldest: u32,
    target: usize,
    dead: u32,
    faults: u32,
    orders: Vec<u8>,
    most: Most,
}

/// How much happens, at the most.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
struct Most {
    requests: u64,
    warm: bool,
    idle: u32,
    faults: u32,
    orders: usize,
    ticks: u32,
    dead_births: u32,
}

const ORDERS: [u8; 7] = *b"RSCBPNO";

impl World {
    fn new(most: Most) -> Self {
        let mut machine = Machine::new(0);
        machine.step(Event::SetIdle(Some(40 * SECOND)), 0);
        machine.step(Event::SetPool { idle: most.idle, max_age_ns: Some(AGE) }, 0);
        machine.step(Event::SetLimits { dead_births: most.dead_births }, 0);
        Self {
            machine,
            now: 0,
            ticks: 0,
            requests: BTreeMap::new(),
            births: BTreeMap::new(),
            processes: BTreeMap::new(),
            spare: None,
            generations: 0,
            starts: 0,
            forks: 0,
            oldest: 0,
            target: most.idle as usize,
            dead: 0,
            faults: 0,
            orders: Vec::new(),
            most,
        }
    }

    /// What can happen next.
    fn events(&self) -> Vec<Event> {
        let mut events = Vec::new();
        let next = self.requests.len() as u64 + 1;
        if next <= self.most.requests {
            // One that is over before a silent preloader is found out, one after.
            let until = Deadline::at(self.now + if next.is_multiple_of(2) { 5 } else { 25 } * SECOND);
            events.push(if self.most.warm && next == 1 { Event::Warm(next, until) } else { Event::Ask(next, until) });
        }
        if matches!(self.requests.get(&1), Some(Seen::Asked { .. })) {
            events.push(Event::CallOff(1));
        }
        let faulty = self.faults < self.most.faults;
        for (generation, stand) in &self.processes {
            match stand {
                Stand::Starting | Stand::Promoting(_) => {
                    events.push(Event::Started(*generation));
                    events.extend(faulty.then_some(Event::StartFailed(*generation)));
                }
                Stand::Ready { .. } => events.extend(faulty.then_some(Event::Ended(*generation))),
                Stand::Ended => {}
            }
        }
        let mut first = true;
        for (birth, (_, way)) in &self.births {
            match way {
                Way::Asked { .. } => {
                    events.push(Event::Registered(*birth));
                    if faulty && std::mem::take(&mut first) {
                        events.extend([Why::Refused, Why::Died].map(|why| Event::BirthFailed(*birth, why)));
                    }
                }
                Way::Discarded { .. } => events.extend([Event::Registered(*birth), Event::BirthFailed(*birth, Why::Lost)]),
                Way::Idle { .. } => events.extend(faulty.then_some(Event::Died(*birth))),
                Way::Adopted { .. } => {
                    events.push(Event::Ready(*birth));
                    if faulty {
                        events.extend([Event::Died(*birth), Event::NotReady(*birth)]);
                    }
                }
                Way::Serving => {}
            }
        }
        if self.ticks < self.most.ticks && !self.machine.due().is_never() {
            events.push(Event::Tick);
        }
        if self.orders.len() < self.most.orders {
            events.extend(ORDERS.iter().filter(|order| !self.orders.contains(order)).filter_map(|order| self.order(*order)));
        }
        events
    }

    fn order(&self, order: u8) -> Option<Event> {
        let ready = self.machine.serving().filter(|_| self.machine.preloader() == Preloader::Ready);
        let serving = self.births.iter().find(|(_, (_, way))| *way == Way::Serving);
        match order {
            b'R' => Some(Event::Reload),
            b'S' => Some(Event::Stop),
            b'C' => Some(Event::Close),
            b'B' => ready.map(Event::TooBig),
            b'P' => serving.map(|(birth, _)| Event::Promote(*birth, Deadline::at(self.now + 8 * SECOND))),
            b'N' => Some(Event::SetPool { idle: 0, max_age_ns: Some(AGE) }),
            _ => self.births.keys().next_back().map(|birth| Event::Promote(*birth, Deadline::at(self.now + 8 * SECOND))),
        }
    }

    fn after(&self, event: Event) -> Self {
        let mut next = self.clone();
        if event == Event::Tick {
            next.ticks += 1;
            next.now = next.now.max(next.machine.due().nanos().unwrap());
        }
        next.hear(event);
        for action in next.machine.step(event, next.now) {
            next.carry_out(action, event);
        }
        next.check();
        assert!(event != Event::Tick || next.machine.due() > Deadline::at(next.now), "a tick that is always due: {next:?}");
        next
    }

    /// What the event itself means.
    fn hear(&mut self, event: Event) {
        let order = match event {
            Event::Reload => b'R',
            Event::Stop => b'S',
            Event::Close => b'C',
            Event::TooBig(_) => b'B',
            Event::Promote(birth, _) if self.births[&birth].1 == Way::Serving => b'P',
            Event::Promote(..) => b'O',
            Event::SetPool { .. } => b'N',
            _ => 0,
        };
        if order != 0 {
            self.orders.push(order);
        }
        let is_fault = matches!(event, Event::StartFailed(_) | Event::Ended(_) | Event::Died(_) | Event::NotReady(_))
            || matches!(event, Event::BirthFailed(_, why) if why != Why::Lost);
        self.faults += u32::from(is_fault);
        match event {
            Event::Ask(id, _) | Event::Warm(id, _) => _ = self.requests.insert(id, Seen::Asked { deaths: 0 }),
            Event::CallOff(id) => _ = self.requests.insert(id, Seen::CalledOff),
            Event::Started(generation) => {
                let before = self.processes.insert(generation, Stand::Ready { heard: self.now });
                if let Some(Stand::Promoting(_)) = before {
                    let ready = |(_, stand): &(&u32, &Stand)| matches!(stand, Stand::Ready { .. });
                    let old = self.processes.range(..generation).filter(ready).map(|(generation, _)| *generation).next_back();
                    self.spare = Some((old.expect("somebody stays"), generation));
                }
            }
            Event::StartFailed(generation) if self.processes[&generation] == Stand::Starting => {
                self.processes.insert(generation, Stand::Ended);
            }
            Event::Ended(generation) => {
                self.processes.insert(generation, Stand::Ended);
                self.one_has_died();
                if self.spare.is_some_and(|(old, new)| old == generation || new == generation) {
                    self.spare = None;
                }
            }
            Event::Registered(birth) => {
                self.heard(birth);
                match self.births[&birth] {
                    (generation, Way::Asked { .. }) => _ = self.births.insert(birth, (generation, Way::Idle { since: self.now })),
                    // It is there, and is discarded once more.
                    (_, Way::Discarded { .. }) => {}
                    other => panic!("{other:?} is registered"),
                }
            }
            Event::BirthFailed(birth, why) => {
                self.heard(birth);
                self.births.remove(&birth);
                self.one_has_died();
                self.dead += u32::from(why == Why::Died);
            }
            Event::Died(birth) => {
                if let Some((_, Way::Adopted { id, pooled })) = self.births.remove(&birth)
                    && let Some(seen @ Seen::Worker(_)) = self.requests.get_mut(&id)
                {
                    // How many had died before it was adopted is forgotten here.
                    *seen = Seen::Asked { deaths: 1 };
                    self.dead += u32::from(!pooled);
                }
                self.one_has_died();
            }
            Event::Ready(birth) => {
                let (generation, _) = self.births[&birth];
                self.births.insert(birth, (generation, Way::Serving));
                self.dead = 0;
                if self.spare.is_some_and(|(_, new)| new == generation) {
                    self.spare = None;
                }
            }
            Event::NotReady(birth) => {
                self.births.remove(&birth);
                self.dead += 1;
            }
            Event::Reload => self.oldest = self.generations,
            Event::SetPool { idle, .. } => self.target = idle as usize,
            _ => {}
        }
    }

    fn one_has_died(&mut self) {
        for seen in self.requests.values_mut() {
            if let Seen::Asked { deaths } = seen {
                *deaths = (*deaths + 1).min(2);
            }
        }
    }

    fn heard(&mut self, birth: Birth) {
        let (generation, _) = self.births[&birth];
        if let Some(Stand::Ready { heard }) = self.processes.get_mut(&generation) {
            *heard = self.now;
        }
    }

    fn under_way(&self, generation: u32) -> usize {
        self.births.values().filter(|(of, way)| *of == generation && matches!(way, Way::Asked { .. } | Way::Discarded { .. })).count()
    }

    fn carry_out(&mut self, action: Action, event: Event) {
        match action {
            Action::Start(generation) => {
                (self.starts, self.generations) = (self.starts + 1, self.generations + 1);
                assert_eq!(generation, self.generations, "generations are counted from 1");
                let alive = |stand: &Stand| !matches!(stand, Stand::Ended);
                assert!(!self.processes.values().any(alive), "started beside another one");
                self.processes.insert(generation, Stand::Starting);
            }
            Action::Leave(generation) => self.leave(generation, event),
            Action::Fork(generation, birth, _) => {
                self.forks += 1;
                assert!(matches!(self.processes.get(&generation), Some(Stand::Ready { .. })), "{generation} is asked, and cannot answer");
                assert!(generation > self.oldest, "an old generation is asked");
                assert!(!matches!(event, Event::TooBig(_)), "asked, and too big");
                assert!(self.births.keys().all(|known| *known < birth), "a number is used twice");
                self.births.insert(birth, (generation, Way::Asked { at: self.now }));
                assert!(self.under_way(generation) <= AHEAD, "too many are under way");
            }
            Action::Adopt(birth, id) => {
                let (generation, way) = self.births[&birth];
                let Way::Idle { since } = way else { panic!("{way:?} is adopted") };
                assert!(generation > self.oldest, "a worker of an old generation is adopted");
                let asked_before = event == Event::Registered(birth);
                assert!(
                    asked_before || self.spare.is_none_or(|(_, new)| generation >= new),
                    "one of the old preloader is adopted after a promotion"
                );
                assert!(self.now < since + AGE, "adopted, and too old");
                assert!(matches!(self.requests[&id], Seen::Asked { .. }), "adopted for {:?}", self.requests[&id]);
                let older = self.requests.range(..id).any(|(older, seen)| {
                    matches!(seen, Seen::Asked { .. }) && !(self.most.warm && *older == 1) && event != Event::Registered(birth)
                });
                assert!(!older, "the oldest first");
                let pooled = event != Event::Registered(birth);
                self.births.insert(birth, (generation, Way::Adopted { id, pooled }));
                self.requests.insert(id, Seen::Worker(birth));
            }
            Action::Discard(birth) => match self.births.get(&birth).copied() {
                Some((generation, Way::Asked { at })) => {
                    if event == Event::Tick {
                        self.one_has_died();
                    }
                    // Whose process is there answers for it.
                    self.births.insert(birth, (generation, Way::Discarded { at }));
                }
                Some((_, Way::Idle { .. })) => _ = self.births.remove(&birth),
                Some((_, Way::Discarded { .. })) if event == Event::Registered(birth) => _ = self.births.remove(&birth),
                other => panic!("{other:?} is discarded"),
            },
            Action::Warmed(id) => {
                let idle = self.births.values().filter(|(of, way)| matches!(way, Way::Idle { .. }) && Some(*of) >= self.machine.serving());
                assert!(idle.count() >= self.target, "warm, and not full");
                assert!(matches!(self.requests.insert(id, Seen::Worker(0)), Some(Seen::Asked { .. })), "told twice");
            }
            Action::Promote(birth, generation) => {
                self.generations += 1;
                assert_eq!(generation, self.generations, "generations are counted from 1");
                let (of, way) = self.births[&birth];
                assert!(way == Way::Serving && of > self.oldest, "{way:?} of {of} is promoted");
                self.processes.insert(generation, Stand::Promoting(birth));
            }
            Action::Promoted(birth, generation) => {
                assert_eq!(event, Event::Started(generation));
                assert!(matches!(self.births[&birth].1, Way::Serving));
            }
            Action::PromoteFailed(birth, why) => {
                let promoting =
                    self.processes.iter().find(|(_, stand)| **stand == Stand::Promoting(birth)).map(|(generation, _)| *generation);
                let never = matches!(why, Unpromoted::NoPreloader | Unpromoted::Busy | Unpromoted::Old | Unpromoted::NotReady);
                assert!(promoting.is_none() || !never || matches!(event, Event::Promote(..)));
                if let (Some(generation), false) = (promoting, never) {
                    self.processes.remove(&generation);
                }
            }
            Action::Fail(id, end) => {
                let before = self.requests.insert(id, Seen::Told(end));
                let Some(Seen::Asked { deaths }) = before else { panic!("{id} is told twice: {before:?}") };
                match end {
                    End::Crashed | End::Failed(_, Why::Died | Why::Late | Why::Lost) if !(self.most.warm && id == 1) => {
                        // A silent one, and a birth that does not come, are as good as dead.
                        assert!(deaths >= 2 || event == Event::Tick, "one more try: {self:?}");
                    }
                    End::DeadBirths(_) => assert!(self.dead >= self.most.dead_births && self.most.dead_births > 0),
                    End::Late(_) | End::LateInLine(_) => assert_eq!(event, Event::Tick),
                    _ => {}
                }
            }
        }
    }

    fn leave(&mut self, generation: u32, event: Event) {
        let stand = self.processes.remove(&generation).unwrap_or_else(|| panic!("{generation} is left twice"));
        if event == Event::Tick
            && let Stand::Ready { heard } = stand
        {
            let waits = |(of, way): &(u32, Way)| match way {
                Way::Asked { at, .. } | Way::Discarded { at } if *of == generation => Some(*at),
                _ => None,
            };
            // What was given up within this look was under way before.
            let silent = self.births.values().filter_map(waits).min().is_some_and(|at| self.now >= at.max(heard) + SILENCE_NS);
            assert!(silent || self.now >= 40 * SECOND || self.orders.contains(&b'B'), "killed for being slow: {self:?}");
        }
        if let Some((old, new)) = self.spare
            && old == generation
        {
            let may = matches!(event, Event::Reload | Event::Stop | Event::Close) || self.orders.contains(&b'B') || self.now >= 40 * SECOND;
            assert!(may, "{old} is left before {new} has proved itself, at {event:?}");
        }
        if self.spare.is_some_and(|(old, new)| old == generation || new == generation) {
            self.spare = None;
        }
        // Nobody answers for these any more.
        self.births.retain(|_, (of, way)| *of != generation || !matches!(way, Way::Discarded { .. }));
        let forgotten = self.births.values().any(|(of, way)| *of == generation && matches!(way, Way::Asked { .. }));
        assert!(!forgotten, "a birth of a generation that was left is neither discarded nor settled");
    }

    /// What holds after each event.
    fn check(&self) {
        let idle = self.births.values().filter(|(_, way)| matches!(way, Way::Idle { .. })).count();
        assert!(idle <= self.target, "more are idle than shall be");
        assert_eq!(idle, self.machine.idle());
        let old = |(of, way): &(u32, Way)| *of <= self.oldest && matches!(way, Way::Asked { .. } | Way::Idle { .. });
        assert!(!self.births.values().any(old), "an old one waits: {self:?}");
        let asked = |(id, seen): &(&Id, &Seen)| matches!(seen, Seen::Asked { .. }) && !(self.most.warm && **id == 1);
        let waiting = self.requests.iter().filter(asked).count();
        let new = self.spare.map_or(0, |(_, new)| new);
        let fits = self.births.values().any(|(of, way)| *of >= new && matches!(way, Way::Idle { .. }));
        assert!(waiting == 0 || !fits, "somebody waits, and somebody is idle");
        let warming = matches!(self.requests.get(&1), Some(Seen::Asked { .. })) && self.most.warm;
        match self.machine.preloader() {
            Preloader::Absent => assert!(waiting == 0 && !warming, "nobody waits for nothing"),
            Preloader::Closed => assert!(waiting == 0 && !warming && self.processes.is_empty() && idle == 0, "{self:?}"),
            Preloader::Starting => assert!(self.machine.wanted_until() > Deadline::PAST),
            Preloader::Ready => {
                let serving = self.machine.serving().unwrap();
                let held = self.orders.contains(&b'B') || (self.most.dead_births > 0 && self.dead >= self.most.dead_births);
                assert!(
                    waiting == 0 || self.births.values().any(|(_, way)| matches!(way, Way::Asked { .. } | Way::Discarded { .. })) || held,
                    "{self:?}"
                );
                assert!(matches!(self.processes[&serving], Stand::Ready { .. }));
            }
        }
        assert!((waiting == 0 && !warming) || !self.machine.due().is_never(), "whoever waits has a time");
        // One for each who asked, one more after a death, one for each that was replaced.
        let bound = 2 * self.requests.len() as u32 + self.faults + self.orders.len() as u32;
        assert!(self.starts <= bound, "{} starts: {self:?}", self.starts);
        let births = (bound + 1) * (self.most.idle + 1) + self.ticks * (self.most.idle + 1);
        assert!(self.forks <= 2 * births, "{} forks: {self:?}", self.forks);
    }
}

fn explore(most: Most) -> (usize, BTreeMap<&'static str, u32>) {
    let mut seen = HashSet::new();
    let mut line = vec![World::new(most)];
    let mut what = BTreeMap::new();
    while let Some(world) = line.pop() {
        for event in world.events() {
            let next = world.after(event);
            if seen.insert(next.clone()) {
                note(&world, event, &next, &mut what);
                line.push(next);
            }
        }
    }
    println!("{} states: {what:?}", seen.len());
    // Time passes: whatever nobody ends by itself has an end, within every state.
    let states = seen.len();
    for mut world in seen {
        for _ in 0..40 {
            if world.requests.values().all(|seen| !matches!(seen, Seen::Asked { .. })) {
                break;
            }
            world.most.ticks += 1;
            world = world.after(Event::Tick);
        }
        assert!(world.requests.values().all(|seen| !matches!(seen, Seen::Asked { .. })), "{world:?}");
    }
    (states, what)
}

/// What was come by, so that it is known to be come by.
fn note(before: &World, event: Event, next: &World, what: &mut BTreeMap<&'static str, u32>) {
    let mut count = |name, is| *what.entry(name).or_default() += u32::from(is);
    let asked = |world: &World, id| matches!(world.requests.get(&id), Some(Seen::Asked { .. }));
    count("adopted from the pool", matches!(event, Event::Ask(id, _) if matches!(next.requests[&id], Seen::Worker(_))));
    count("asked once more", matches!(event, Event::Ended(_)) && asked(before, 2) && asked(next, 2));
    count("crashed", next.requests.values().any(|seen| *seen == Seen::Told(End::Crashed)));
    count("spare", next.spare.is_some());
    count("fallen back", before.spare.is_some() && next.machine.serving() < before.machine.serving() && next.machine.serving().is_some());
    count("silent", event == Event::Tick && before.processes.len() > next.processes.len());
    count("dead births", next.requests.values().any(|seen| matches!(seen, Seen::Told(End::DeadBirths(_)))));
}

const FEW: Most = Most { requests: 2, warm: false, idle: 0, faults: 0, orders: 0, ticks: 0, dead_births: 0 };

// covers: C15-2, C15-must-machine, CO-puma-3596, CO-puma-2786, LAW-15
#[test]
fn a_preloader_and_its_births_may_die_at_every_point_of_every_request() {
    let (_, what) = explore(Most { faults: 2, ticks: 2, ..FEW });
    assert!(what["asked once more"] > 0 && what["crashed"] > 0 && what["silent"] > 0, "{what:?}");
}

// covers: C15-2, C15-must-machine, FS-16, CO-pitchfork-79
#[test]
fn a_pool_and_its_preloader_may_die_at_every_point() {
    let (_, what) = explore(Most { idle: 1, faults: 1, ticks: 2, ..FEW });
    assert!(what["adopted from the pool"] > 0, "{what:?}");
    let (_, what) = explore(Most { idle: 1, faults: 2, dead_births: 1, ..FEW });
    assert!(what["dead births"] > 0, "{what:?}");
}

// covers: C15-2, C15-must-machine, C15-3, FS-10, FS-15, CO-puma-2470
#[test]
fn a_preloader_may_be_replaced_stopped_and_promoted_at_every_point() {
    let (_, what) = explore(Most { idle: 1, orders: 2, ..FEW });
    assert!(what["spare"] > 0, "{what:?}");
    let (_, what) = explore(Most { faults: 1, orders: 1, dead_births: 1, ..FEW });
    assert!(what["fallen back"] > 0, "{what:?}");
    explore(Most { requests: 1, warm: true, idle: 2, faults: 1, orders: 1, ..FEW });
}

#[test]
#[ignore = "minutes; ./x explore model"]
fn full_a_native_preloader_may_die_or_be_replaced_at_every_point() {
    explore(Most { idle: 1, faults: 2, ticks: 1, ..FEW });
    explore(Most { faults: 1, ticks: 1, orders: 2, ..FEW });
    explore(Most { idle: 1, ticks: 1, orders: 2, ..FEW });
    explore(Most { idle: 2, warm: true, faults: 1, ticks: 1, orders: 1, ..FEW });
    explore(Most { requests: 3, faults: 1, orders: 2, dead_births: 1, ..FEW });
    explore(Most { requests: 3, idle: 1, faults: 1, orders: 1, ..FEW });
}

// covers: C15-2, C15-must-machine, CO-puma-3596
#[test]
fn many_requests_and_a_pool_come_through_anything_at_random() {
    let most = Most { requests: 24, idle: 4, faults: 12, orders: ORDERS.len(), ticks: 30, ..FEW };
    let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = |below: usize| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        (seed % below as u64) as usize
    };
    let mut workers = 0;
    for walk in 0..150 {
        let mut world = World::new(Most { warm: walk % 2 == 0, dead_births: walk % 3 * 2, ..most });
        for _ in 0..300 {
            let mut events = world.events();
            // Else they come at once, and there is nothing left to happen to.
            events.retain(|event| !matches!(event, Event::Stop | Event::Close | Event::Reload) || random(100) == 0);
            if events.is_empty() {
                break;
            }
            world = world.after(events[random(events.len())]);
        }
        workers += world.requests.values().filter(|seen| matches!(seen, Seen::Worker(_))).count();
    }
    assert!(workers > 500, "{workers}");
}
