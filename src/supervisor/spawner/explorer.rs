//! Every order of what can happen to two births, up to a depth: each is told of once, and nothing of it is left.

use std::collections::{BTreeMap, HashSet, VecDeque};

use super::births::{Action, Births, Event, Id};

/// What the world knows of a birth.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
struct Known {
    /// An answer is owed.
    owed: bool,
    sent: u8,
    born: bool,
    told: bool,
    called_off: bool,
    over: bool,
    unborn: u8,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
struct World {
    births: Births,
    known: BTreeMap<Id, Known>,
    now: i64,
    down: bool,
    gone: bool,
    busy: bool,
}

const DUE: i64 = 10;

impl World {
    fn step(&mut self, event: Event) {
        let mut actions = Vec::new();
        self.births.step(event, self.now, &mut actions);
        for action in actions {
            let (Action::Send(id) | Action::Show(id) | Action::Kill(id) | Action::Tell(id, _) | Action::Forget(id) | Action::Discard(id)) =
                action;
            let known = self.known.get_mut(&id).unwrap();
            assert!(!known.over, "{action:?} of one that is over");
            match action {
                Action::Send(_) => {
                    assert!(!known.owed && !known.told && !known.called_off && !known.born, "{known:?}");
                    assert!(!self.down && !self.busy);
                    (known.owed, known.sent) = (true, known.sent + 1);
                }
                Action::Show(_) => {
                    assert!(known.born && !known.told && !known.called_off);
                    (known.told, known.over) = (true, true);
                }
                Action::Kill(_) => assert!(known.owed && (known.told || known.called_off)),
                Action::Tell(..) => {
                    assert!(!known.told && !known.called_off && !known.born);
                    known.told = true;
                }
                Action::Forget(_) => {
                    assert!(!known.owed && !known.born && (known.told || known.called_off));
                    known.over = true;
                }
                Action::Discard(_) => {
                    assert!(known.born && (known.told || known.called_off));
                    known.over = true;
                }
            }
        }
        assert_eq!(self.births.count(), self.known.values().filter(|known| !known.over).count());
        for known in self.known.values() {
            assert!(known.unborn <= 2);
        }
    }

    /// What can come next.
    fn events(&self) -> Vec<Event> {
        let mut events = vec![Event::Tick];
        events.extend([1, 2].into_iter().filter(|id| !self.known.contains_key(id)).map(|id| Event::Ask(id, DUE)));
        for (id, known) in &self.known {
            if known.owed {
                events.extend([Event::Began(*id), Event::Failed(*id), Event::Busy(*id)]);
                events.extend(self.down.then_some(Event::Unborn(*id)));
            }
            events.extend((!known.called_off && !known.told).then_some(Event::CallOff(*id)));
        }
        let owed = self.known.values().any(|known| known.owed);
        events.extend((!self.down && !self.gone).then_some(Event::Down));
        events.extend((self.down && !self.gone && !owed).then_some(Event::Up));
        events.extend((self.down && !self.gone && !owed).then_some(Event::Gone));
        events.extend(self.busy.then_some(Event::Room));
        events
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Ask(id, _) => _ = self.known.insert(id, Known::default()),
            Event::Began(id) => {
                let known = self.known.get_mut(&id).unwrap();
                (known.owed, known.born) = (false, true);
            }
            Event::Failed(id) => self.known.get_mut(&id).unwrap().owed = false,
            Event::Unborn(id) => {
                let known = self.known.get_mut(&id).unwrap();
                (known.owed, known.unborn) = (false, known.unborn + 1);
            }
            Event::Busy(id) => (self.busy, self.known.get_mut(&id).unwrap().owed) = (true, false),
            Event::Room => self.busy = false,
            Event::CallOff(id) => self.known.get_mut(&id).unwrap().called_off = true,
            Event::Down => self.down = true,
            Event::Up => (self.down, self.busy) = (false, false),
            Event::Gone => self.gone = true,
            Event::Tick => self.now += 4,
        }
        self.step(event);
    }
}

// covers: C15-5, LAW-12
#[test]
fn each_birth_is_told_of_once_in_every_order() {
    const DEPTH: usize = 9;
    let (mut seen, mut line) = (HashSet::new(), VecDeque::from([(World::default(), 0)]));
    while let Some((world, depth)) = line.pop_front() {
        if depth == DEPTH {
            continue;
        }
        for event in world.events() {
            let mut next = world.clone();
            next.happen(event);
            if next.now <= 2 * DUE && seen.insert(next.clone()) {
                line.push_back((next, depth + 1));
            }
        }
    }
    println!("{} states", seen.len());
    // Whatever has happened: when all is answered and the time is over, nobody waits.
    for world in &seen {
        let mut world = world.clone();
        world.now += 100;
        world.happen(Event::Tick);
        for id in [1, 2] {
            if world.known.get(&id).is_some_and(|known| known.owed) {
                world.happen(Event::Failed(id));
            }
        }
        assert_eq!(world.births.count(), 0, "{world:?}");
        assert!(world.known.values().all(|known| known.over && (known.told || known.called_off)));
        assert_eq!(world.births.due(), i64::MAX);
    }
}
