//! The supervisor's scheduler against a naive one: plain lists, every job done in no time. Whatever an owner and his children do, both must
//! tell the same in the same order. (What happens while jobs take their time is `scheduler_explorer.rs`.)

use std::collections::BTreeSet;

use procsup::restart::{Ended, History, Next};
use procsup::scheduler::{Action, Event, Id, News, Scheduler};
use procsup::{Restart, RestartWhen, Status};
use proptest::prelude::*;

const KEPT: Restart =
    Restart { when: RestartWhen::Always, min_delay_ms: 1, max_delay_ms: 8, failures: 3, healthy_ms: 10_000, early_exit_ms: 1_000 };

/// What is told, and to whom.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Told {
    Of(Id, News),
    Stopping(Id),
    Refused(Status),
    Done,
}

#[derive(Clone, Copy, Debug)]
enum Do {
    /// Whether it is kept alive, and whether its process can be made; its priority.
    Spawn(bool, bool, i32),
    /// One whose start may take its time.
    Begin(Making, i32),
    /// What became of one of those that took it; whether its process could be made.
    Made(usize, bool),
    Ready(usize),
    End(usize, Ended),
    Stop(usize),
    Tick(i64),
    Limit(usize, usize),
    Shutdown,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Making {
    Good,
    Bad,
    Later,
}

/// Few, so that there are equal ones.
fn priority() -> impl Strategy<Value = i32> {
    prop_oneof![4 => Just(0), 1 => Just(1), 1 => Just(100), 1 => Just(-100)]
}

fn doing() -> impl Strategy<Value = Do> {
    let how = prop_oneof![Just(Ended::Stopped), Just(Ended::Succeeded(0)), Just(Ended::Succeeded(1_000_000_000)), Just(Ended::Failed(1))];
    prop_oneof![
        6 => (any::<bool>(), prop::bool::weighted(0.8), priority()).prop_map(|(kept, good, priority)| Do::Spawn(kept, good, priority)),
        3 => (prop_oneof![Just(Making::Good), Just(Making::Bad), Just(Making::Later), Just(Making::Later)], priority())
            .prop_map(|(making, priority)| Do::Begin(making, priority)),
        3 => (0usize..4, prop::bool::weighted(0.7)).prop_map(|(which, good)| Do::Made(which, good)),
        4 => (0usize..4).prop_map(Do::Ready),
        6 => (0usize..4, how).prop_map(|(which, how)| Do::End(which, how)),
        2 => (0usize..6).prop_map(Do::Stop),
        3 => (0i64..20).prop_map(Do::Tick),
        1 => (0usize..4, 0usize..4).prop_map(|(running, pending)| Do::Limit(running, pending)),
        1 => Just(Do::Shutdown),
    ]
}

/// The machine, with a driver that does everything at once.
#[derive(Default)]
struct Real {
    machine: Scheduler,
    bad: BTreeSet<Id>,
    later: BTreeSet<Id>,
    told: Vec<Told>,
    now: i64,
}

impl Real {
    fn step(&mut self, event: Event) {
        let mut actions = Vec::new();
        self.machine.step(event, self.now, &mut actions);
        // What is released is told before what is made (`carry_out.rs`).
        let (mut after, mut made) = (Vec::new(), Vec::new());
        for action in actions {
            match action {
                Action::Tell(id, news) => self.told.push(Told::Of(id, news)),
                Action::TellDone => self.told.push(Told::Done),
                Action::Stop(id) => self.told.push(Told::Stopping(id)),
                Action::Refused(why) => self.told.push(Told::Refused(why)),
                Action::Make(id) => made.push(self.made(id)),
                Action::Release(id, _) | Action::CallOff(id, _) => after.push(Event::Released(id)),
                Action::Admitted(_) | Action::Promised(_) | Action::Forget(_) => {}
                Action::Ask(..) | Action::Land(_) | Action::Finish(..) | Action::GiveUp(..) => {
                    unreachable!("nobody is bound to a budget here")
                }
                Action::Destroy(_) | Action::Kill(_) => unreachable!("nothing ends in the middle of a start here"),
            }
        }
        after.into_iter().chain(made).for_each(|event| self.step(event));
    }

    fn made(&self, id: Id) -> Event {
        match (self.bad.contains(&id), self.later.contains(&id)) {
            (true, _) => Event::StartFailed(id, Status::System, 0),
            (_, true) => Event::Begun(id),
            _ => Event::Started(id),
        }
    }

    fn drain(&mut self) {
        while self.machine.can_start() {
            self.step(Event::Pull);
        }
    }

    fn spawn(&mut self, id: Id, (kept, begun, priority): (bool, bool, i32), making: Making) {
        match making {
            Making::Good => {}
            Making::Bad => drop(self.bad.insert(id)),
            Making::Later => drop(self.later.insert(id)),
        }
        let mut actions = Vec::new();
        let event = if begun { Event::Begin(None, priority) } else { Event::Admit(kept.then_some(KEPT), None, priority) };
        self.machine.step(event, self.now, &mut actions);
        match actions[..] {
            [Action::Admitted(given), ..] => {
                assert_eq!(given, id);
                self.step(if making == Making::Bad && !begun { Event::Dropped(id) } else { self.made(id) });
            }
            [Action::Promised(given), ..] => {
                assert_eq!(given, id);
                self.step(Event::Joined(id));
            }
            [Action::Refused(why), ..] => self.told.push(Told::Refused(why)),
            _ => unreachable!("{actions:?}"),
        }
        self.drain();
    }
}

/// Plain lists.
#[derive(Default)]
struct Naive {
    line: Vec<Id>,
    priorities: Vec<(Id, i32)>,
    running: Vec<Id>,
    /// Those of them that have no process yet.
    later: Vec<Id>,
    /// Those that are told of as ready or failed.
    promised: BTreeSet<Id>,
    /// Those of them that have said so.
    ready: Vec<Id>,
    resting: Vec<(i64, Id)>,
    kept: Vec<(Id, History)>,
    bad: BTreeSet<Id>,
    takes_time: BTreeSet<Id>,
    told: Vec<Told>,
    now: i64,
    max_running: usize,
    max_pending: usize,
    shut: bool,
    done: bool,
}

impl Naive {
    fn has_room(&self) -> bool {
        self.max_running == 0 || self.running.len() < self.max_running
    }

    fn say(&mut self, id: Id, news: News) {
        self.told.push(Told::Of(id, news));
    }

    fn priority(&self, id: Id) -> i32 {
        self.priorities.iter().find(|(known, _)| *known == id).unwrap().1
    }

    /// Behind all that are as high as it is.
    fn stand_in_line(&mut self, id: Id) {
        let priority = self.priority(id);
        let place = self.line.iter().position(|other| self.priority(*other) < priority).unwrap_or(self.line.len());
        self.line.insert(place, id);
    }

    /// What comes after a run of one that is kept.
    fn afterwards(&mut self, id: Id, how: Ended) -> Next {
        match self.kept.iter_mut().find(|(kept, _)| *kept == id) {
            Some((_, history)) if !self.shut => history.after(&KEPT, how, 0),
            _ => Next::Over,
        }
    }

    fn go_on(&mut self, id: Id, next: Next) {
        match next {
            Next::Over => {}
            Next::GiveUp => self.say(id, News::GaveUp),
            Next::Again(delay) => {
                self.resting.push((self.now + delay, id));
                self.resting.sort();
                self.say(id, News::Restarting(delay));
            }
        }
    }

    /// The first in line gets a process, or fails.
    fn start_first(&mut self) -> Id {
        let id = self.line.remove(0);
        self.running.push(id);
        id
    }

    fn conclude(&mut self, id: Id) {
        if self.takes_time.remove(&id) {
            return self.later.push(id);
        }
        if !self.bad.contains(&id) {
            return self.say(id, News::Started);
        }
        let next = self.afterwards(id, Ended::Failed(0));
        self.running.retain(|other| *other != id);
        self.say(id, News::Failed(Status::System));
        self.go_on(id, next);
    }

    fn drain(&mut self) {
        while !self.line.is_empty() && self.has_room() && !self.shut {
            let id = self.start_first();
            self.conclude(id);
        }
        self.check_done();
    }

    fn check_done(&mut self) {
        if self.shut && !self.done && self.running.is_empty() {
            self.done = true;
            self.told.push(Told::Done);
        }
    }

    fn spawn(&mut self, id: Id, (kept, begun, priority): (bool, bool, i32), making: Making) -> bool {
        if self.shut {
            self.told.push(Told::Refused(Status::Shutdown));
            return false;
        }
        let at_once = self.line.is_empty() && self.has_room();
        if !at_once && self.max_pending != 0 && self.line.len() >= self.max_pending {
            self.told.push(Told::Refused(Status::Limit));
            return false;
        }
        self.priorities.push((id, priority));
        if kept {
            self.kept.push((id, History::default()));
        }
        match making {
            Making::Good => {}
            Making::Bad => drop(self.bad.insert(id)),
            Making::Later => drop(self.takes_time.insert(id)),
        }
        if begun {
            self.promised.insert(id);
        }
        if !at_once {
            self.stand_in_line(id);
        } else if begun || making == Making::Good {
            self.running.push(id);
            self.conclude(id);
        }
        self.drain();
        true
    }

    fn made(&mut self, id: Id, good: bool) {
        self.later.retain(|other| *other != id);
        if !good {
            self.bad.insert(id);
        }
        self.conclude(id);
        self.drain();
    }

    fn make_ready(&mut self, id: Id) {
        if !self.ready.contains(&id) {
            self.ready.push(id);
            self.say(id, News::Ready);
        }
    }

    fn end(&mut self, id: Id, how: Ended) {
        self.running.retain(|other| *other != id);
        let unready = self.promised.contains(&id) && !self.ready.contains(&id);
        self.ready.retain(|other| *other != id);
        let next = self.afterwards(id, how);
        let first = (!self.line.is_empty() && self.has_room() && !self.shut).then(|| self.start_first());
        self.say(id, News::Exited);
        if unready {
            self.say(id, News::Unready);
        }
        self.go_on(id, next);
        if let Some(first) = first {
            self.conclude(first);
        }
        self.drain();
    }

    fn stop(&mut self, id: Id) {
        self.kept.retain(|(kept, _)| *kept != id);
        let waits = self.line.contains(&id) || self.later.contains(&id) || self.resting.iter().any(|(_, other)| *other == id);
        self.line.retain(|other| *other != id);
        self.resting.retain(|(_, other)| *other != id);
        if self.later.contains(&id) {
            self.later.retain(|other| *other != id);
            self.running.retain(|other| *other != id);
        }
        if waits {
            self.say(id, News::Cancelled(Status::Cancelled));
        } else if self.running.contains(&id) {
            self.told.push(Told::Stopping(id));
        }
        self.drain();
    }

    fn tick(&mut self, by: i64) {
        self.now += by;
        while let Some((_, id)) = self.resting.first().copied().filter(|(due, _)| *due <= self.now) {
            self.resting.remove(0);
            self.stand_in_line(id);
        }
        self.drain();
    }

    fn shut_down(&mut self) {
        self.shut = true;
        let resting: Vec<Id> = std::mem::take(&mut self.resting).into_iter().map(|(_, id)| id).collect();
        let mut later = std::mem::take(&mut self.later);
        later.sort();
        self.running.retain(|id| !later.contains(id));
        let waiting: Vec<Id> = std::mem::take(&mut self.line).into_iter().chain(resting).chain(later).collect();
        let mut running = self.running.clone();
        running.sort();
        self.told.extend(running.into_iter().map(Told::Stopping));
        waiting.into_iter().for_each(|id| self.say(id, News::Cancelled(Status::Shutdown)));
        self.check_done();
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn the_scheduler_tells_what_a_naive_one_tells(limit in 0usize..4, steps in prop::collection::vec(doing(), 1..60)) {
        let (mut real, mut naive) = (Real::default(), Naive::default());
        real.step(Event::Limit(Some(limit), Some(0)));
        naive.max_running = limit;
        let mut last = 0;
        for step in steps {
            match step {
                Do::Spawn(..) | Do::Begin(..) => {
                    let (how, making) = match step {
                        Do::Spawn(kept, good, priority) => ((kept, false, priority), if good { Making::Good } else { Making::Bad }),
                        Do::Begin(making, priority) => ((false, true, priority), making),
                        _ => unreachable!(),
                    };
                    let id = Id(last + 1);
                    let taken = naive.spawn(id, how, making);
                    real.spawn(id, how, making);
                    last += u64::from(taken);
                    if !taken {
                        real.bad.remove(&id);
                        real.later.remove(&id);
                    }
                }
                Do::Made(which, good) if which < naive.later.len() => {
                    let id = naive.later[which];
                    naive.made(id, good);
                    real.step(if good { Event::Started(id) } else { Event::StartFailed(id, Status::System, 0) });
                    real.drain();
                }
                Do::Ready(which) if which < naive.running.len() && !naive.later.contains(&naive.running[which]) => {
                    let id = naive.running[which];
                    naive.make_ready(id);
                    real.step(Event::Ready(id));
                }
                Do::End(which, how) if which < naive.running.len() && !naive.later.contains(&naive.running[which]) => {
                    let id = naive.running[which];
                    naive.end(id, how);
                    real.step(Event::Ended(id, how, 0));
                    real.drain();
                }
                Do::Stop(which) if which < last as usize => {
                    let id = Id(which as u64 + 1);
                    naive.stop(id);
                    real.step(Event::Stop(id));
                    real.drain();
                }
                Do::Tick(ms) => {
                    let by = ms * 1_000_000;
                    naive.tick(by);
                    real.now += by;
                    real.step(Event::Tick);
                    real.drain();
                }
                Do::Limit(running, pending) => {
                    (naive.max_running, naive.max_pending) = (running, pending);
                    naive.drain();
                    real.step(Event::Limit(Some(running), Some(pending)));
                    real.drain();
                }
                Do::Shutdown => {
                    naive.shut_down();
                    real.step(Event::Shutdown);
                }
                Do::End(..) | Do::Ready(_) | Do::Stop(_) | Do::Made(..) => {}
            }
            prop_assert_eq!(&real.told, &naive.told);
            let (waiting, active, _) = real.machine.counts();
            prop_assert_eq!((waiting, active), (naive.line.len() + naive.resting.len(), naive.running.len()));
        }
    }
}
