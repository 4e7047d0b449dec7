//! How a child ended, and who wanted it so.

use crate::sys::wait::Ending;

/// What kind of end it was.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Kind {
    /// By `_exit` or a return from main.
    Exited = 1,
    /// By a signal.
    Signaled = 2,
    /// Somebody else reaped it, and the kernel keeps no status (before Linux 6.15).
    Lost = 3,
}

impl Kind {
    pub(super) fn of(ending: &Ending) -> Self {
        if ending.signal == 0 { Kind::Exited } else { Kind::Signaled }
    }

    pub(super) fn from_raw(raw: u8) -> Self {
        match raw {
            1 => Kind::Exited,
            2 => Kind::Signaled,
            _ => Kind::Lost,
        }
    }
}

/// Who ended it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Cause {
    /// Nobody: it ended by itself, or by a signal from outside.
    Itself = 0,
    /// Its stop plan had begun.
    Stop = 1,
    /// Its deadline had passed.
    Deadline = 2,
    /// Its supervisor was shut down or freed.
    Shutdown = 3,
    /// `kill_and_reap_all`.
    KillAll = 4,
    /// It died of the very signal that its owner had sent it.
    Owner = 5,
}

impl Cause {
    pub(super) fn from_raw(raw: u8) -> Self {
        match raw {
            1 => Cause::Stop,
            2 => Cause::Deadline,
            3 => Cause::Shutdown,
            4 => Cause::KillAll,
            5 => Cause::Owner,
            _ => Cause::Itself,
        }
    }
}

/// The exit record of a child.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Exit {
    /// Exited, signalled or lost.
    pub kind: Kind,
    /// Exit code; -1 if it did not exit.
    pub code: i32,
    /// The signal that ended it, or 0.
    pub signal: i32,
    /// Whether it left a core dump.
    pub core_dumped: bool,
    /// Who ended it.
    pub cause: Cause,
    /// Microseconds of user time; -1 if unknown.
    pub user_us: i64,
    /// Microseconds of system time; -1 if unknown.
    pub system_us: i64,
    /// Largest resident set in KiB; -1 if unknown.
    pub max_rss_kib: i64,
    /// When it was spawned, nanoseconds of CLOCK_MONOTONIC.
    pub started_ns: i64,
    /// When its end was recorded, nanoseconds of CLOCK_MONOTONIC.
    pub ended_ns: i64,
}

impl Exit {
    /// Exit code 0.
    pub fn success(&self) -> bool {
        self.kind == Kind::Exited && self.code == 0
    }
}
