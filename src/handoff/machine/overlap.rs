//! Supervised overlap: a daemon that knows LISTEN_FDS and sd_notify(3), and nothing of procsup, is replaced by its successor.
//!
//! Two seats have the same listeners: the *current* one, which serves, and the *next* one, on trial. Whoever has lost his seat only *leaves*: he
//! finishes what he has begun, or is ended. Nobody but the supervisor decides, for the daemons know nothing of each other.
//!
//! The race is that between the trial and the end of the old one. **Until the next one has passed its trial the current one is not touched**, so there
//! is always somebody to go back to. And when the current one dies meanwhile, the trial is over: who is ready serves, whatever is still to be found
//! out, for a failure there has nobody to fall back on but the listeners themselves.
//!
//! A seat, as both are:
//!
//! | stage     | event                                          | next                                    |
//! |-----------|------------------------------------------------|-----------------------------------------|
//! | Waiting   | ready, health is asked for                     | Checking, healthy by now + its timeout  |
//! | Waiting   | ready, else                                    | Probation until now + that              |
//! | Waiting   | extend                                         | Waiting until now + that, if it is later |
//! | Waiting   | its time is over; readiness failed             | fails                                   |
//! | Checking  | found healthy                                  | Probation                               |
//! | Checking, Probation | not found healthy by its time        | fails                                   |
//! | Probation | its time is over, and the last look was good   | Proven                                  |
//! | any       | watchdog                                       | fails; leaves, aborted                  |
//! | any       | STOPPING=1                                     | fails; leaves by itself, and is stopped when that takes too long |
//!
//! And the two together:
//!
//! | current    | next              | event                    | and then                                                          |
//! |------------|-------------------|--------------------------|-------------------------------------------------------------------|
//! | serves     | proven            | -                        | COMMITTED: next is current, the old one's stop plan runs          |
//! | serves     | fails, dies, cancelled | -                   | ABORTED: the next one is ended                                    |
//! | dies       | not ready         | -                        | the next one goes on, with all its time                           |
//! | gone, or not ready | ready     | -                        | COMMITTED at once, unproven: its trial goes on while it serves    |
//! | gone       | fails, dies       | -                        | ABORTED, and start again                                          |
//! | fails, dies | none             | -                        | start again at once, also while it still leaves: the last command that was proven, from the listeners |
//! | gone       | none              | start refused, for now   | rest, and start again                                             |
//! | gone       | none              | start refused, for good  | GAVE_UP: nobody runs; the listeners are held                      |
//! | none       | none              | found, after a restart of ours | serves, proven: there is no trial of who serves             |
//! | any        | any               | stop                     | all are ended, STOPPED when the last has                          |
//!
//! RELOADING=1 and the READY=1 that follows change nothing: a trial finds out by its looks what a reload does to it. A daemon may put the end of its
//! start off, [`LONGEST`] at the most; nothing else of what it says moves a deadline.

use super::{Actions, after};
use crate::clock::{Deadline, MILLI};

/// However often a daemon puts its end off, its start ends at the latest so long after its begin (as with any child's).
pub const LONGEST: i64 = 24 * 3_600_000 * MILLI;
/// How long one that says STOPPING=1 may take, before it is stopped: as in systemd (DefaultTimeoutStopSec).
pub const STOPPING: i64 = 90_000 * MILLI;
/// The pause after a look that has found it unhealthy, and after a good one.
const PAUSES: (i64, i64) = (50 * MILLI, 500 * MILLI);

/// Which of the two.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Which {
    /// It serves, or is to.
    Current,
    /// It is to follow.
    Next,
}

/// How far it is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Stage {
    /// READY=1 is awaited.
    Waiting,
    /// It is ready, and is to be found healthy once.
    Checking,
    /// It was, and is to stay so.
    Probation,
    /// It has.
    Proven,
}

/// A look at its health.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Look {
    /// The next one begins then.
    Due(Deadline),
    /// Its answer is awaited.
    UnderWay,
}

/// One of the two.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Seat {
    /// How far it is.
    pub stage: Stage,
    /// It counts as serving: that was told.
    pub serves: bool,
    /// It is the one to go back to.
    pub approved: bool,
    /// When its start began.
    pub begun: i64,
    /// The end of this stage.
    pub until: Deadline,
    /// It must be found healthy by then.
    pub healthy_by: Deadline,
    /// The looks at its health.
    pub look: Look,
}

/// How long what may take, nanoseconds.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Limits {
    /// Until it is found healthy; `None`: it is not looked at.
    pub health: Option<i64>,
    /// How long it must stay so.
    pub probation: i64,
}

/// Why the next one never served.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, strum::IntoStaticStr)]
pub enum Failure {
    /// Not ready in time.
    NotReady,
    /// It never will be: its readiness failed before its time.
    Unready,
    /// It has ended.
    Died,
    /// It has said that it ends.
    Stopping,
    /// It was not found healthy in time.
    Unhealthy,
    /// It has been silent for too long.
    Watchdog,
    /// The application has called it off.
    Cancelled,
}

/// What happens.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Event {
    /// Application: the first one was spawned. Or one that was asked for by [`Action::Start`].
    Started {
        /// When it must be ready.
        by: Deadline,
    },
    /// After a restart of the supervisor: this one serves, as long as it does. Its command is not known, so it is nobody to go back to.
    Found,
    /// After a restart of the supervisor: one that was on trial then, or was sent away before, lives and is on its way out.
    Leaves,
    /// The answer to [`Action::Start`] otherwise; NEVER: for good.
    NotStarted {
        /// When to ask again.
        again: Deadline,
    },
    /// Application: a successor was spawned.
    Replace {
        /// When it must be ready.
        by: Deadline,
    },
    /// Application: call it off.
    Cancel,
    /// Application: end all.
    Stop,
    /// It is ready.
    Ready(Which),
    /// It needs so long from now on to be so.
    Extend(Which, i64),
    /// It never will be.
    Unready(Which),
    /// It says that it ends.
    Stopping(Which),
    /// Its watchdog has run out, or it gives itself up.
    Bitten(Which),
    /// It has ended.
    Died(Which),
    /// A look at its health is over.
    Looked(Which, bool),
    /// One of those that leave has ended; `drained`: whom a commit had sent away.
    Left {
        /// It was the old one of the last commit.
        drained: bool,
    },
    /// Time has passed.
    Timeout,
}

/// What the application is told.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Notice {
    /// The current one serves.
    Serving,
    /// The next one is the current one.
    Committed,
    /// The next one is not.
    Aborted(Failure),
    /// The current one has ended, or is on its way out.
    Ended(Failure),
    /// Nobody runs, and nobody will be started.
    GaveUp,
    /// All have ended, as the application wished.
    Stopped,
}

/// What the driver does, in this order.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Action {
    /// Begin to look at its health; the answer comes as an event.
    Look(Which),
    /// It failed, and leaves: its own stop plan runs.
    End(Which),
    /// It has been silent, and leaves: its stop plan runs, with a signal that leaves a core in front.
    Abort(Which),
    /// It leaves by itself: its stop plan runs after [`STOPPING`].
    Release(Which),
    /// The current one leaves: its stop plan runs, with the drain's time as its grace (that of a stop, where all are to end).
    Retire,
    /// The next one is the current one.
    Promote,
    /// The command of the current one is the one to go back to.
    Approve,
    /// Start the last approved command again (the first one, where none was), if the budget allows it.
    Start,
    /// Tell the application.
    Tell(Notice),
}

/// See the head of this file.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Overlap {
    /// Who serves, or is to.
    pub current: Option<Seat>,
    /// Who is to follow.
    pub next: Option<Seat>,
    /// So many leave.
    pub leaving: u32,
    /// One of them since a commit.
    pub draining: bool,
    /// All are to end.
    pub stopping: bool,
    /// Nobody runs: when to start again.
    pub rest: Deadline,
    limits: Limits,
}

type Done = Actions<Action>;

impl Seat {
    fn waiting(by: Deadline, now: i64) -> Self {
        let never = Deadline::NEVER;
        Self { stage: Stage::Waiting, serves: false, approved: false, begun: now, until: by, healthy_by: never, look: Look::Due(never) }
    }

    /// Whether it is ready.
    pub fn is_up(&self) -> bool {
        self.stage != Stage::Waiting
    }

    fn is_on_trial(&self) -> bool {
        matches!(self.stage, Stage::Checking | Stage::Probation)
    }

    fn ready(&mut self, limits: Limits, now: i64) {
        match limits.health {
            Some(timeout) => {
                (self.stage, self.until) = (Stage::Checking, Deadline::NEVER);
                (self.healthy_by, self.look) = (after(now, timeout), Look::Due(Deadline::at(now)));
            }
            None => (self.stage, self.until) = (Stage::Probation, after(now, limits.probation)),
        }
    }

    /// A look is over.
    fn looked(&mut self, healthy: bool, limits: Limits, now: i64) {
        if !self.is_on_trial() || self.look != Look::UnderWay {
            return;
        }
        if !healthy {
            self.look = Look::Due(after(now, PAUSES.0));
            return;
        }
        self.healthy_by = Deadline::NEVER;
        if self.stage == Stage::Checking {
            (self.stage, self.until) = (Stage::Probation, after(now, limits.probation));
        }
        // The last look is at the end.
        self.look = Look::Due(after(now, PAUSES.1).min(self.until));
        if self.until.is_over(now) {
            self.prove();
        }
    }

    fn prove(&mut self) {
        (self.stage, self.until) = (Stage::Proven, Deadline::NEVER);
        (self.healthy_by, self.look) = (Deadline::NEVER, Look::Due(Deadline::NEVER));
    }

    fn due(&self, limits: Limits) -> Deadline {
        let look = if let Look::Due(due) = self.look { due } else { Deadline::NEVER };
        // With looks, the end of the probation is theirs.
        let until = if self.stage == Stage::Probation && limits.health.is_some() { Deadline::NEVER } else { self.until };
        until.min(self.healthy_by).min(look)
    }
}

impl Overlap {
    /// Nobody runs.
    pub fn new(limits: Limits) -> Self {
        Self { current: None, next: None, leaving: 0, draining: false, stopping: false, rest: Deadline::NEVER, limits }
    }

    /// For the trials to come, and what is left of those under way.
    pub fn set_limits(&mut self, limits: Limits) {
        self.limits = limits;
    }

    /// Whether a first one may be started.
    pub fn may_start(&self) -> bool {
        self.current.is_none() && self.next.is_none() && self.rest.is_never() && !self.stopping
    }

    /// Whether there is somebody to replace. (Also one that does not come up: the next one may.)
    pub fn runs(&self) -> bool {
        !self.stopping && (self.current.is_some() || self.next.is_some() || !self.rest.is_never())
    }

    /// Whether a replacement is under way: until the old one has ended.
    pub fn is_busy(&self) -> bool {
        self.next.is_some() || self.draining
    }

    /// When [`Event::Timeout`] is due.
    pub fn due(&self) -> Deadline {
        let seats = self.current.iter().chain(&self.next).map(|seat| seat.due(self.limits));
        seats.fold(self.rest, Deadline::min)
    }

    fn seat(&mut self, which: Which) -> Option<&mut Seat> {
        match which {
            Which::Current => self.current.as_mut(),
            Which::Next => self.next.as_mut(),
        }
    }

    /// One step.
    pub fn step(mut self, event: Event, now: i64) -> (Self, Done) {
        let mut todo = Actions::none();
        let limits = self.limits;
        match event {
            Event::Started { by } if self.current.is_none() && !self.stopping => {
                (self.current, self.rest) = (Some(Seat::waiting(by, now)), Deadline::NEVER);
            }
            Event::Found if self.may_start() => {
                let never = Deadline::NEVER;
                let (stage, look) = (Stage::Proven, Look::Due(never));
                self.current = Some(Seat { stage, serves: true, approved: true, begun: now, until: never, healthy_by: never, look });
                todo.push(Action::Tell(Notice::Serving));
            }
            Event::Leaves if self.next.is_none() && !self.stopping => self.leaving += 1,
            Event::NotStarted { again } if self.current.is_none() && self.next.is_none() && !self.stopping => {
                self.rest = again;
                if again.is_never() {
                    todo.push(Action::Tell(Notice::GaveUp));
                }
            }
            Event::Replace { by } if self.runs() && !self.is_busy() => {
                (self.next, self.rest) = (Some(Seat::waiting(by, now)), Deadline::NEVER);
            }
            Event::Cancel => self.fail(Which::Next, Failure::Cancelled, &mut todo),
            Event::Stop if !self.stopping => self.stop(&mut todo),
            Event::Ready(which) => {
                if let Some(seat) = self.seat(which).filter(|seat| seat.stage == Stage::Waiting) {
                    seat.ready(limits, now);
                    self.advance(now, &mut todo);
                }
            }
            Event::Extend(which, nanos) => {
                if let Some(seat) = self.seat(which).filter(|seat| seat.stage == Stage::Waiting) {
                    seat.until = seat.until.max(after(now, nanos.max(0)).min(after(seat.begun, LONGEST)));
                }
            }
            Event::Unready(which) if self.seat(which).is_some_and(|seat| seat.stage == Stage::Waiting) => {
                self.fail(which, Failure::Unready, &mut todo);
            }
            Event::Unready(_) => {}
            Event::Stopping(which) => self.fail(which, Failure::Stopping, &mut todo),
            Event::Bitten(which) => self.fail(which, Failure::Watchdog, &mut todo),
            Event::Died(which) => self.fail(which, Failure::Died, &mut todo),
            Event::Looked(which, healthy) => {
                if let Some(seat) = self.seat(which) {
                    seat.looked(healthy, limits, now);
                    self.advance(now, &mut todo);
                }
            }
            Event::Left { drained } => {
                self.leaving = self.leaving.saturating_sub(1);
                self.draining &= !drained;
                self.tell_stopped(&mut todo);
            }
            Event::Timeout => self.timeout(now, &mut todo),
            _ => {}
        }
        (self, todo)
    }

    /// What follows from how far the two are.
    fn advance(&mut self, now: i64, todo: &mut Done) {
        if let Some(seat) = self.current.as_mut().filter(|seat| !seat.serves && matches!(seat.stage, Stage::Probation | Stage::Proven)) {
            seat.serves = true;
            todo.push(Action::Tell(Notice::Serving));
        }
        for which in [Which::Next, Which::Current] {
            let without_looks = self.limits.health.is_none();
            let Some(seat) = self.seat(which) else { continue };
            if without_looks && seat.stage == Stage::Probation && seat.until.is_over(now) {
                seat.prove();
            }
        }
        self.follow(todo);
    }

    /// The next one takes the seat, if it may.
    fn follow(&mut self, todo: &mut Done) {
        let alone = self.current.is_none_or(|seat| !seat.is_up());
        let Some(next) = self.next.filter(|next| next.is_up() && (alone || next.stage == Stage::Proven)) else {
            return self.approve(todo);
        };
        match self.current.map(|seat| seat.stage) {
            // It has never served anybody.
            Some(Stage::Waiting) => self.leave(Action::End(Which::Current), todo),
            Some(_) => {
                self.leave(Action::Retire, todo);
                self.draining = true;
            }
            None => {}
        }
        (self.current, self.next) = (Some(Seat { serves: true, ..next }), None);
        todo.push(Action::Promote);
        todo.push(Action::Tell(Notice::Committed));
        todo.push(Action::Tell(Notice::Serving));
        self.approve(todo);
    }

    /// The trial of the current one is over.
    fn approve(&mut self, todo: &mut Done) {
        if let Some(seat) = self.current.as_mut().filter(|seat| seat.stage == Stage::Proven && !seat.approved) {
            seat.approved = true;
            todo.push(Action::Approve);
        }
    }

    fn leave(&mut self, how: Action, todo: &mut Done) {
        self.leaving += 1;
        todo.push(how);
    }

    /// It will never serve, or does so no more.
    fn fail(&mut self, which: Which, failure: Failure, todo: &mut Done) {
        let gone = match which {
            Which::Current => self.current.take(),
            Which::Next => self.next.take(),
        };
        if gone.is_none() {
            return;
        }
        match failure {
            Failure::Died => {}
            Failure::Stopping => self.leave(Action::Release(which), todo),
            Failure::Watchdog => self.leave(Action::Abort(which), todo),
            _ => self.leave(Action::End(which), todo),
        }
        todo.push(Action::Tell(if which == Which::Next { Notice::Aborted(failure) } else { Notice::Ended(failure) }));
        self.follow(todo);
        self.start_again(todo);
    }

    fn start_again(&mut self, todo: &mut Done) {
        if self.current.is_none() && self.next.is_none() && !self.stopping {
            todo.push(Action::Start);
        }
        self.tell_stopped(todo);
    }

    fn stop(&mut self, todo: &mut Done) {
        (self.stopping, self.rest) = (true, Deadline::NEVER);
        self.fail(Which::Next, Failure::Cancelled, todo);
        if self.current.take().is_some() {
            self.leave(Action::Retire, todo);
        }
        self.tell_stopped(todo);
    }

    fn tell_stopped(&mut self, todo: &mut Done) {
        if self.stopping && self.current.is_none() && self.next.is_none() && self.leaving == 0 {
            self.stopping = false;
            todo.push(Action::Tell(Notice::Stopped));
        }
    }

    fn timeout(&mut self, now: i64, todo: &mut Done) {
        if self.rest.is_over(now) {
            self.rest = Deadline::NEVER;
            self.start_again(todo);
        }
        for which in [Which::Next, Which::Current] {
            let Some(seat) = self.seat(which) else { continue };
            match seat.stage {
                Stage::Waiting if seat.until.is_over(now) => self.fail(which, Failure::NotReady, todo),
                Stage::Checking | Stage::Probation if seat.healthy_by.is_over(now) => self.fail(which, Failure::Unhealthy, todo),
                _ => {}
            }
        }
        self.advance(now, todo);
        for which in [Which::Next, Which::Current] {
            let Some(timeout) = self.limits.health else { continue };
            let Some(seat) = self.seat(which).filter(|seat| seat.is_on_trial()) else { continue };
            if matches!(seat.look, Look::Due(due) if due.is_over(now)) {
                (seat.look, seat.healthy_by) = (Look::UnderWay, seat.healthy_by.min(after(now, timeout)));
                todo.push(Action::Look(which));
            }
        }
    }
}
