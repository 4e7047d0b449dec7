//! What a starter does next: connect, lock, connect again, look, start. Pure.
//!
//! The trap is the second connect: between the first one and the lock somebody else may have started it, and be done. And what is looked at
//! afterwards counts only because the lock is held (see the head of this folder).
//!
//! ```text
//!  Connect --refused--> Lock --got--> Again --refused--> Look --nobody runs--> Start --ready--> Started
//!     |                                | ^                |                      '--failed--> (the caller's error)
//!     '--accepted--> Runs <--accepted--' '----Pause <-----'--one runs, and does not accept yet
//! ```
//!
//! | lock  | record: alive | dead  | unborn | unknown          | none  |
//! |-------|---------------|-------|--------|------------------|-------|
//! | held  | runs          | start | start  | runs             | runs  |
//! | free  | runs          | start | start  | start            | start |
//!
//! - held, dead: its workers hold on what they inherited. The new daemon's lock is another file.
//! - held, unborn: the starter died before its child was born; a copy that was forked from it holds the lock on.
//! - held, none: what is there is no record of ours. Who holds it is not known, but there is somebody.
//! - free, alive: it has closed what it inherited.
//! - A recorded pid that is another process's now is a dead one, whatever that other one is (`record.rs`).

/// What is known of the daemon from its record.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Recorded {
    /// It lives.
    Alive,
    /// It has ended.
    Dead,
    /// None was born.
    Unborn,
    /// One was born; whether it lives cannot be told from here.
    Unknown,
    /// There is no record, or none of ours.
    None,
}

/// Whether a daemon runs, as far as the holder of the lock can tell.
pub fn runs(held: bool, recorded: Recorded) -> bool {
    match (held, recorded) {
        (_, Recorded::Alive) => true,
        (_, Recorded::Dead | Recorded::Unborn) => false,
        (held, Recorded::Unknown | Recorded::None) => held,
    }
}

/// What is to be done.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Task {
    /// Connect to where the daemon listens.
    Connect,
    /// Take the lock.
    Lock,
    /// Look at lock and record of the daemon.
    Look,
    /// Wait a little, or until the daemon ends.
    Pause,
    /// Start it, and wait until it is ready.
    Start,
    /// Somebody else's runs.
    Runs,
    /// Ours runs.
    Started,
}

/// What came of it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Heard {
    /// Somebody accepts there, or does not.
    Accepts(bool),
    /// The lock was taken; the pause is over; the daemon was started, and is ready.
    Done,
    /// What the look has shown.
    Saw {
        /// Somebody holds the daemon's lock.
        held: bool,
        /// And its record says this.
        recorded: Recorded,
    },
}

/// Where a starter is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Machine {
    /// There is somewhere to connect to.
    endpoint: bool,
    locked: bool,
    task: Task,
}

impl Machine {
    /// At the beginning.
    pub const fn new(endpoint: bool) -> Self {
        Self { endpoint, locked: false, task: if endpoint { Task::Connect } else { Task::Lock } }
    }

    /// What is to be done now.
    pub const fn task(&self) -> Task {
        self.task
    }

    /// Whether it has the lock.
    pub const fn is_locked(&self) -> bool {
        self.locked
    }

    /// The task is done: answers the next one. What is heard that does not belong to the task changes nothing.
    pub fn hear(&mut self, heard: Heard) -> Task {
        self.task = match (self.task, heard) {
            (Task::Connect, Heard::Accepts(true)) => Task::Runs,
            (Task::Connect, Heard::Accepts(false)) => {
                if self.locked {
                    Task::Look
                } else {
                    Task::Lock
                }
            }
            (Task::Lock, Heard::Done) => {
                self.locked = true;
                if self.endpoint { Task::Connect } else { Task::Look }
            }
            (Task::Look, Heard::Saw { held, recorded }) => match runs(held, recorded) {
                false => Task::Start,
                // There is nothing else that would tell when it is ready.
                true if !self.endpoint => Task::Runs,
                true => Task::Pause,
            },
            (Task::Pause, Heard::Done) => Task::Connect,
            (Task::Start, Heard::Done) => Task::Started,
            (task, _) => task,
        };
        self.task
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_the_one_at_the_head_of_the_file() {
        use Recorded::{Alive, Dead, None, Unborn, Unknown};
        let row = |held: bool| [Alive, Dead, Unborn, Unknown, None].map(|recorded| runs(held, recorded));
        assert_eq!(row(true), [true, false, false, true, true]);
        assert_eq!(row(false), [true, false, false, false, false]);
    }

    #[test]
    fn nothing_is_started_before_a_second_connect_under_the_lock() {
        let mut machine = Machine::new(true);
        assert_eq!(machine.task(), Task::Connect);
        assert_eq!(machine.hear(Heard::Accepts(false)), Task::Lock);
        assert_eq!(machine.hear(Heard::Done), Task::Connect);
        assert_eq!(machine.hear(Heard::Accepts(true)), Task::Runs);
        let mut machine = Machine::new(true);
        machine.hear(Heard::Accepts(false));
        machine.hear(Heard::Done);
        assert_eq!(machine.hear(Heard::Accepts(false)), Task::Look);
        assert_eq!(machine.hear(Heard::Saw { held: true, recorded: Recorded::Alive }), Task::Pause);
        assert_eq!(machine.hear(Heard::Done), Task::Connect);
        assert_eq!(machine.hear(Heard::Accepts(false)), Task::Look);
        assert_eq!(machine.hear(Heard::Saw { held: true, recorded: Recorded::Dead }), Task::Start);
        assert_eq!(machine.hear(Heard::Done), Task::Started);
    }

    #[test]
    fn without_an_endpoint_the_record_alone_says_it() {
        let mut machine = Machine::new(false);
        assert_eq!(machine.task(), Task::Lock);
        assert_eq!(machine.hear(Heard::Done), Task::Look);
        assert_eq!(machine.hear(Heard::Saw { held: true, recorded: Recorded::Alive }), Task::Runs);
    }

    #[test]
    fn what_does_not_belong_to_the_task_changes_nothing() {
        for heard in [Heard::Done, Heard::Saw { held: false, recorded: Recorded::None }] {
            let mut machine = Machine::new(true);
            machine.hear(heard);
            assert_eq!(machine, Machine::new(true));
        }
    }
}
