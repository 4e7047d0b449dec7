//! Two requests, and a preloader that may die at each point of each of them: every order of what can happen, against the laws of the
//! machine.
//!
//! The world beside the machine is what the driver would have: processes by generation, attempts, what each request was told.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::machine::{Action, End, Event, Id, Machine, Phase, Preloader};
use crate::clock::Deadline;

/// How far a request is, as the one who asked sees it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Seen {
    Asked { begun: u32, reloads: u32 },
    Worker(u32),
    Told(End),
    CalledOff,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
struct World {
    machine: Machine,
    now: i64,
    requests: BTreeMap<Id, Seen>,
    /// The attempt that is under way: whose, with which generation, and how far.
    attempt: Option<(Id, u32, Phase)>,
    /// Processes that were started and not left; whether they are ready.
    processes: BTreeMap<u32, bool>,
    ended: BTreeSet<u32>,
    starts: u32,
    /// No generation below this one may bear any more.
    oldest: u32,
    faults: u32,
    reloads: u32,
    stops: u32,
    /// How many commands in a row found it silent.
    silent: u32,
    most: Most,
}

/// How much happens, at the most.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
struct Most {
    requests: u64,
    faults: u32,
    /// Reloads, stops and the one close, together.
    orders: u32,
}

impl World {
    fn new(most: Most) -> Self {
        let mut machine = Machine::new(0);
        machine.set_idle(Some(2));
        Self {
            machine,
            now: 0,
            requests: BTreeMap::new(),
            attempt: None,
            processes: BTreeMap::new(),
            ended: BTreeSet::new(),
            starts: 0,
            oldest: 0,
            faults: 0,
            reloads: 0,
            stops: 0,
            silent: 0,
            most,
        }
    }

    /// What can happen next.
    fn events(&self) -> Vec<Event> {
        let mut events = Vec::new();
        let next = self.requests.len() as u64 + 1;
        if next <= self.most.requests {
            events.push(Event::Ask(next, Deadline::at(next as i64)));
        }
        for (generation, ready) in &self.processes {
            if !ready && !self.ended.contains(generation) {
                events.push(Event::Started(*generation));
                if self.faults < self.most.faults {
                    events.push(Event::StartFailed(*generation));
                }
            } else if *ready && self.faults < self.most.faults && !self.ended.contains(generation) {
                events.push(Event::Ended(*generation));
            }
        }
        if let Some((id, _, phase)) = self.attempt {
            events.push(match phase {
                Phase::Connecting => Event::Connected(id),
                Phase::Sending => Event::Sent(id),
                Phase::Reading => Event::Answered(id),
                Phase::Proving => Event::Proven(id),
            });
            if self.faults < self.most.faults {
                events.extend([Event::Broken(id), Event::Failed(id)]);
            }
        }
        for (id, seen) in &self.requests {
            if matches!(seen, Seen::Asked { .. }) && *id == 1 {
                events.push(Event::CallOff(*id));
            }
        }
        if self.now < 4 {
            events.push(Event::Tick);
        }
        if self.reloads + self.stops < self.most.orders {
            if self.reloads < 1 {
                events.push(Event::Reload);
            }
            if self.stops < 1 {
                events.extend([Event::Stop, Event::Close]);
            }
        }
        events
    }

    fn after(&self, event: Event) -> Self {
        let mut next = self.clone();
        match event {
            Event::Ask(id, _) => _ = next.requests.insert(id, Seen::Asked { begun: 0, reloads: 0 }),
            Event::CallOff(id) => _ = next.requests.insert(id, Seen::CalledOff),
            Event::Started(generation) => _ = next.processes.insert(generation, true),
            Event::StartFailed(generation) | Event::Ended(generation) => {
                next.ended.insert(generation);
                next.faults += 1;
            }
            Event::Broken(_) => next.faults += 1,
            Event::Failed(_) => {
                next.faults += 1;
                if next.attempt.is_some_and(|(_, _, phase)| phase == Phase::Reading) {
                    next.silent = 0;
                }
            }
            Event::Connected(_) | Event::Sent(_) | Event::Answered(_) => {
                let (id, generation, phase) = next.attempt.unwrap();
                if matches!(event, Event::Answered(_)) {
                    next.silent = 0;
                }
                let further = [Phase::Connecting, Phase::Sending, Phase::Reading, Phase::Proving];
                next.attempt = Some((id, generation, further[further.iter().position(|known| *known == phase).unwrap() + 1]));
            }
            Event::Proven(id) => {
                let (_, generation, _) = next.attempt.take().unwrap();
                assert!(generation > next.oldest, "a birth of an old generation after a reload");
                next.requests.insert(id, Seen::Worker(generation));
            }
            Event::Tick => next.now += 1,
            Event::Reload => {
                next.reloads += 1;
                next.oldest = next.machine.generation();
                for seen in next.requests.values_mut() {
                    if let Seen::Asked { reloads, .. } = seen {
                        *reloads += 1;
                    }
                }
            }
            Event::Stop | Event::Close => next.stops += 1,
        }
        for action in next.machine.step(event, next.now) {
            next.carry_out(action);
        }
        next.check();
        next
    }

    fn carry_out(&mut self, action: Action) {
        match action {
            Action::Start(generation) => {
                self.starts += 1;
                assert_eq!(generation, self.starts, "generations are counted from 1");
                self.silent = 0;
                self.processes.insert(generation, false);
            }
            Action::Leave(generation) => {
                assert!(self.processes.remove(&generation).is_some(), "left once");
                self.silent = 0;
            }
            Action::Begin(id, generation) => {
                assert!(self.attempt.is_none(), "one command at a time");
                assert_eq!(self.processes.get(&generation), Some(&true), "said to one that is ready");
                assert!(generation > self.oldest, "an old generation is asked");
                let older = self.requests.range(..id).any(|(_, seen)| matches!(seen, Seen::Asked { .. }));
                assert!(!older, "the oldest first");
                match self.requests.get_mut(&id) {
                    Some(Seen::Asked { begun, reloads }) => {
                        *begun += 1;
                        assert!(*begun <= 2 + *reloads, "one more try");
                    }
                    other => panic!("begun for {other:?}"),
                }
                self.attempt = Some((id, generation, Phase::Connecting));
            }
            Action::Drop(id) => assert_eq!(self.attempt.take().map(|attempt| attempt.0), Some(id), "dropped once"),
            Action::Fail(id, end) => {
                let before = self.requests.insert(id, Seen::Told(end));
                assert!(matches!(before, Some(Seen::Asked { .. })), "{id} is told twice: {before:?}");
                assert!(self.attempt.is_none_or(|attempt| attempt.0 != id), "told before its attempt is dropped");
                match end {
                    End::Late(phase) if phase < Phase::Proving => self.silent = 1,
                    End::Silent(phase) => {
                        assert!(phase < Phase::Proving && self.silent == 1, "one that was silent once");
                        self.silent = 2;
                    }
                    _ => {}
                }
                if end == End::Crashed {
                    assert!(matches!(before, Some(Seen::Asked { begun: 2.., .. })), "{before:?}");
                }
            }
        }
    }

    /// What holds after each event.
    fn check(&self) {
        let asked = || self.requests.values().filter(|seen| matches!(seen, Seen::Asked { .. })).count();
        match self.machine.preloader() {
            Preloader::Absent | Preloader::Closed => {
                assert!(self.processes.is_empty(), "left alone: {self:?}");
                assert_eq!(asked(), 0, "nobody waits for nothing");
            }
            Preloader::Starting => {
                assert_eq!(self.processes.len(), 1);
                assert!(asked() > 0 && self.attempt.is_none());
            }
            Preloader::Ready => {
                assert_eq!(self.processes.len(), 1);
                assert!(asked() == 0 || self.attempt.is_some(), "somebody waits, and nobody is asked");
            }
        }
        assert_eq!(self.attempt.is_some(), self.attempt.is_some_and(|(id, ..)| matches!(self.requests[&id], Seen::Asked { .. })));
        // Two at most for each request, and one for each reload that somebody wanted more after.
        assert!(self.starts <= 2 * self.requests.len() as u32 + self.reloads, "{self:?}");
        assert!(self.silent < 2, "silent twice, and not replaced");
        // Whoever waits has a time, which the machine knows.
        assert!(asked() == 0 || !self.machine.due().is_never());
    }
}

// covers: PA-6, PA-84, LAW-15, CO-puma-3596, CO-puma-2470
#[test]
fn a_preloader_may_die_at_every_point_of_every_request() {
    explore(Most { requests: 2, faults: 2, orders: 0 });
    explore(Most { requests: 2, faults: 1, orders: 1 });
}

#[test]
#[ignore = "half a minute; ./x explore model"]
fn full_a_preloader_may_die_at_every_point_of_every_request() {
    explore(Most { requests: 2, faults: 2, orders: 2 });
    explore(Most { requests: 3, faults: 1, orders: 1 });
}

fn explore(most: Most) {
    let mut seen = HashSet::new();
    let mut line = vec![World::new(most)];
    let (mut workers, mut retried, mut replaced) = (0, 0, 0);
    while let Some(world) = line.pop() {
        for event in world.events() {
            let next = world.after(event);
            workers += usize::from(matches!(event, Event::Proven(_)));
            retried += usize::from(matches!(next.requests.get(&1), Some(Seen::Asked { begun: 2, .. })));
            replaced += usize::from(matches!(next.requests.get(&2), Some(Seen::Told(End::Silent(_)))));
            if seen.insert(next.clone()) {
                line.push(next);
            }
        }
    }
    println!("{} states", seen.len());
    assert!(seen.len() > 5_000 && workers > 0 && retried > 0 && replaced > 0);
    // Time passes: whatever nobody ends by itself has an end, within every state.
    for mut world in seen {
        while world.now < 5 {
            world = world.after(Event::Tick);
        }
        assert!(world.requests.values().all(|seen| !matches!(seen, Seen::Asked { .. })), "{world:?}");
        assert_eq!(world.attempt, None);
    }
}

#[test]
fn who_is_of_no_use_for_long_enough_goes_and_use_puts_it_off() {
    let mut machine = Machine::new(0);
    assert_eq!(machine.step(Event::Ask(1, Deadline::at(100)), 0), [Action::Start(1)]);
    assert_eq!(machine.step(Event::Started(1), 10), [Action::Begin(1, 1)]);
    machine.set_idle(Some(50));
    for event in [Event::Connected(1), Event::Sent(1), Event::Answered(1), Event::Proven(1)] {
        assert_eq!(machine.step(event, 20), []);
    }
    assert_eq!((machine.due(), machine.last_used()), (Deadline::at(70), 20));
    assert_eq!(machine.step(Event::Tick, 69), []);
    assert_eq!(machine.step(Event::Ask(2, Deadline::at(200)), 69), [Action::Begin(2, 1)]);
    assert_eq!(machine.step(Event::Tick, 75), [], "it is at work");
    assert_eq!(machine.step(Event::Failed(2), 80), [Action::Drop(2), Action::Fail(2, End::Failed)]);
    assert_eq!(machine.step(Event::Tick, 129), []);
    assert_eq!(machine.step(Event::Tick, 130), [Action::Leave(1)]);
    assert_eq!(machine.due(), Deadline::NEVER);
    assert_eq!(machine.step(Event::Ask(3, Deadline::at(200)), 131), [Action::Start(2)], "and comes back when it is needed");
}

#[test]
fn a_death_over_a_command_is_tried_once_more_and_before_all_others() {
    let mut machine = Machine::new(0);
    machine.step(Event::Ask(1, Deadline::NEVER), 0);
    machine.step(Event::Ask(2, Deadline::NEVER), 0);
    machine.step(Event::Started(1), 0);
    assert_eq!(machine.step(Event::Broken(1), 0), [Action::Drop(1), Action::Leave(1), Action::Start(2)]);
    assert_eq!(machine.step(Event::Started(2), 0), [Action::Begin(1, 2)]);
    let twice = [Action::Drop(1), Action::Fail(1, End::Crashed), Action::Leave(2), Action::Start(3)];
    assert_eq!(machine.step(Event::Ended(2), 0), twice, "the other one has had no try");
}

// covers: CO-spring-265, PA-84
#[test]
fn a_preloader_that_is_silent_for_two_commands_in_a_row_is_replaced() {
    let mut machine = Machine::new(0);
    for id in 1..=4 {
        machine.step(Event::Ask(id, Deadline::at(id as i64 * 10)), 0);
    }
    machine.step(Event::Started(1), 0);
    machine.step(Event::Connected(1), 0);
    machine.step(Event::Sent(1), 0);
    assert_eq!(machine.step(Event::Tick, 10), [Action::Drop(1), Action::Fail(1, End::Late(Phase::Reading)), Action::Begin(2, 1)]);
    // It was slow: what it says later is said.
    for event in [Event::Connected(2), Event::Sent(2), Event::Answered(2)] {
        machine.step(event, 11);
    }
    assert_eq!(machine.step(Event::Proven(2), 12), [Action::Begin(3, 1)]);
    assert_eq!(machine.step(Event::Tick, 30), [Action::Drop(3), Action::Fail(3, End::Late(Phase::Connecting)), Action::Begin(4, 1)]);
    machine.step(Event::Connected(4), 31);
    let replaced = [Action::Drop(4), Action::Fail(4, End::Silent(Phase::Sending)), Action::Leave(1)];
    assert_eq!(machine.step(Event::Tick, 40), replaced, "nothing since the one before");
    assert_eq!(machine.step(Event::Ask(5, Deadline::at(50)), 41), [Action::Start(2)]);
}
