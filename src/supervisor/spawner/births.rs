//! The births that a spawner was asked for: where each stands, and what follows. Pure: no descriptor, lock or clock in here.
//!
//! | it is           | began     | failed          | unborn (the spawner has ended) | called off, or late             | no spawner any more         |
//! |-----------------|-----------|-----------------|--------------------------------|---------------------------------|-----------------------------|
//! | Waiting         | -         | -               | -                              | told, forgotten                 | told, forgotten             |
//! | Asked           | shown     | told, forgotten | Waiting, once; then told       | told, killed; an answer is owed | (asked for its fate before) |
//! | Asked, and told | discarded | forgotten       | forgotten                      | -                               |                             |
//!
//! Traps. **Told is not gone**: who was asked for may be born any moment, so a birth that nobody wants any more is kept until it is known what became
//! of it. **Asked once more is not born twice**: only what was never born goes to the next spawner, and only once. **A spawner that
//! hangs** (stopped, or out of time) answers nothing: every birth has its time, and is told when that is over, whether or not an answer is owed.

use std::collections::{BTreeMap, BTreeSet};

/// One birth; never used again.
pub type Id = u64;

/// What comes in.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Event {
    /// A process is to be made, and must have begun by then.
    Ask(Id, i64),
    /// It could not be sent just now: nothing is, until there is room.
    Busy(Id),
    /// There is room.
    Room,
    /// Its program has begun.
    Began(Id),
    /// It could not be made, or its program could not begin.
    Failed(Id),
    /// The spawner has ended, and has not made it.
    Unborn(Id),
    /// Nobody wants it any more.
    CallOff(Id),
    /// The spawner has ended, and what became of all who were asked for is known.
    Down,
    /// There is another.
    Up,
    /// There will be none.
    Gone,
    /// Time has passed.
    Tick,
}

/// Why there will be no process.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Why {
    /// For what the spawner has said.
    Failed,
    /// Its program has not begun in its time.
    Late,
    /// The spawner has ended, and there is no other, or that was asked already.
    Lost,
}

/// What is to be done. Of each birth comes one `Show`, or one `Tell` (none if it was called off) and, then or later, one `Forget` or `Discard`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Action {
    /// Ask the spawner for it.
    Send(Id),
    /// Its program has begun: hand it over.
    Show(Id),
    /// Whoever is there, or comes, must not run.
    Kill(Id),
    /// Tell that there will be none.
    Tell(Id, Why),
    /// Nothing is left of it.
    Forget(Id),
    /// Its process is there, and nobody wants it.
    Discard(Id),
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Stage {
    Waiting,
    /// An answer is owed.
    Asked,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
struct Birth {
    stage: Stage,
    due: i64,
    asked_again: bool,
    /// Its end was told, or nobody wants to hear of it.
    told: bool,
}

/// See the head of this file.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct Births {
    births: BTreeMap<Id, Birth>,
    /// Who waits, in the order of their coming.
    line: BTreeSet<Id>,
    /// When somebody is late.
    times: BTreeSet<(i64, Id)>,
    down: bool,
    busy: bool,
}

impl Births {
    /// One step at this time. What is to be done is appended, in order.
    pub fn step(&mut self, event: Event, now: i64, actions: &mut Vec<Action>) {
        match event {
            Event::Ask(id, due) => {
                let at_once = !self.down && !self.busy && self.line.is_empty();
                let stage = if at_once { Stage::Asked } else { Stage::Waiting };
                self.births.insert(id, Birth { stage, due, asked_again: false, told: false });
                if at_once {
                    actions.push(Action::Send(id));
                } else {
                    self.line.insert(id);
                }
                if due != i64::MAX {
                    self.times.insert((due, id));
                }
            }
            Event::Busy(id) => {
                self.busy = true;
                match self.asked_for(id) {
                    Some(birth) if birth.told => self.end(id, Why::Failed, actions),
                    Some(_) => self.wait(id),
                    None => {}
                }
            }
            Event::Room => self.busy = false,
            Event::Began(id) => self.began(id, actions),
            Event::Failed(id) if self.asked_for(id).is_some() => self.end(id, Why::Failed, actions),
            Event::Failed(_) => {}
            Event::Unborn(id) => self.unborn(id, actions),
            Event::CallOff(id) => self.give_up(id, None, actions),
            Event::Down => self.down = true,
            Event::Up => (self.down, self.busy) = (false, false),
            Event::Gone => {
                self.down = true;
                while let Some(id) = self.line.first().copied() {
                    self.give_up(id, Some(Why::Lost), actions);
                }
            }
            Event::Tick => self.tick(now, actions),
        }
        self.send(actions);
    }

    /// How many are not over.
    pub fn count(&self) -> usize {
        self.births.len()
    }

    /// Whether somebody waits for room.
    pub fn waits_for_room(&self) -> bool {
        self.busy && !self.line.is_empty()
    }

    /// When time will have something to do.
    pub fn due(&self) -> i64 {
        self.times.first().map_or(i64::MAX, |(at, _)| *at)
    }

    fn wait(&mut self, id: Id) {
        if let Some(birth) = self.births.get_mut(&id) {
            birth.stage = Stage::Waiting;
            self.line.insert(id);
        }
    }

    fn remove(&mut self, id: Id) -> Option<Birth> {
        let birth = self.births.remove(&id)?;
        self.line.remove(&id);
        self.times.remove(&(birth.due, id));
        Some(birth)
    }

    /// It is over without a process.
    fn end(&mut self, id: Id, why: Why, actions: &mut Vec<Action>) {
        let Some(birth) = self.remove(id) else { return };
        actions.extend((!birth.told).then_some(Action::Tell(id, why)));
        actions.push(Action::Forget(id));
    }

    fn send(&mut self, actions: &mut Vec<Action>) {
        if self.down || self.busy || self.line.is_empty() {
            return;
        }
        while let Some(id) = self.line.pop_first() {
            if let Some(birth) = self.births.get_mut(&id) {
                birth.stage = Stage::Asked;
                actions.push(Action::Send(id));
            }
        }
    }

    fn asked_for(&self, id: Id) -> Option<Birth> {
        self.births.get(&id).copied().filter(|birth| birth.stage == Stage::Asked)
    }

    fn began(&mut self, id: Id, actions: &mut Vec<Action>) {
        if let Some(birth) = self.asked_for(id) {
            self.remove(id);
            actions.push(if birth.told { Action::Discard(id) } else { Action::Show(id) });
        }
    }

    fn unborn(&mut self, id: Id, actions: &mut Vec<Action>) {
        let Some(birth) = self.asked_for(id) else { return };
        if birth.told || birth.asked_again {
            return self.end(id, Why::Lost, actions);
        }
        self.births.entry(id).and_modify(|birth| birth.asked_again = true);
        self.wait(id);
    }

    /// Nobody waits for it any more; `why`: whoever did is told.
    fn give_up(&mut self, id: Id, why: Option<Why>, actions: &mut Vec<Action>) {
        let Some(birth) = self.births.get_mut(&id).filter(|birth| !birth.told) else { return };
        birth.told = true;
        let (stage, due) = (birth.stage, birth.due);
        self.times.remove(&(due, id));
        actions.extend(why.map(|why| Action::Tell(id, why)));
        match stage {
            Stage::Asked => actions.push(Action::Kill(id)),
            Stage::Waiting => self.end(id, Why::Failed, actions),
        }
    }

    fn tick(&mut self, now: i64, actions: &mut Vec<Action>) {
        while let Some((at, id)) = self.times.first().copied().filter(|(at, _)| *at <= now) {
            self.times.remove(&(at, id));
            if self.births.get(&id).is_some_and(|birth| birth.due <= now) {
                self.give_up(id, Some(Why::Late), actions);
            }
        }
    }
}
