//! How a child ended, and who wanted it so.

use nix::errno::Errno;

use crate::error::Status;
use crate::sys::wait::Ending;

/// How a child ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug, strum::FromRepr, strum::IntoStaticStr, strum::VariantNames)]
#[strum(suffix = "\0")]
#[repr(u8)]
pub enum Kind {
    /// It exited; code is set.
    #[strum(serialize = "PS_EXIT_EXITED")]
    Exited = 1,
    /// A signal ended it; signal is set.
    #[strum(serialize = "PS_EXIT_SIGNALED")]
    Signaled = 2,
    /// Somebody else reaped it (the host; of a preloader's worker its own parent), and the kernel keeps no
    /// status (before Linux 6.15).
    #[strum(serialize = "PS_EXIT_LOST")]
    Lost = 3,
}

impl Kind {
    pub(super) fn of(ending: &Ending) -> Self {
        if ending.signal == 0 { Kind::Exited } else { Kind::Signaled }
    }

    pub(super) fn from_raw(raw: u8) -> Self {
        Self::from_repr(raw).unwrap_or(Kind::Lost)
    }
}

/// Who ended a child: noted when its signal is sent, and not if the kernel refuses it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, strum::FromRepr, strum::IntoStaticStr, strum::VariantNames)]
#[strum(suffix = "\0")]
#[repr(u8)]
pub enum Cause {
    /// Nobody of us: by itself, or a signal from outside.
    #[strum(serialize = "PS_CAUSE_SELF")]
    Itself = 0,
    /// Its stop plan had begun.
    #[strum(serialize = "PS_CAUSE_STOP")]
    Stop = 1,
    /// Its deadline had passed.
    #[strum(serialize = "PS_CAUSE_DEADLINE")]
    Deadline = 2,
    /// Its supervisor was shut down or freed.
    #[strum(serialize = "PS_CAUSE_SHUTDOWN")]
    Shutdown = 3,
    /// All children were killed at once.
    #[strum(serialize = "PS_CAUSE_KILL_ALL")]
    KillAll = 4,
    /// It died of the very signal that the host had sent to it, or to all children.
    #[strum(serialize = "PS_CAUSE_OWNER")]
    Owner = 5,
    /// It was not ready in time, or said that it never will be.
    #[strum(serialize = "PS_CAUSE_NOT_READY")]
    NotReady = 6,
    /// It had not been heard of for longer than its watchdog allows.
    #[strum(serialize = "PS_CAUSE_WATCHDOG")]
    Watchdog = 7,
}

impl Cause {
    pub(super) fn from_raw(raw: u8) -> Self {
        Self::from_repr(raw).unwrap_or(Cause::Itself)
    }
}

/// Whether a child was killed for want of memory, and by whose limit.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, strum::FromRepr, strum::IntoStaticStr, strum::VariantNames)]
#[strum(suffix = "\0")]
#[repr(u8)]
pub enum Oom {
    /// Nothing says so.
    #[default]
    #[strum(serialize = "PS_OOM_NONE")]
    None = 0,
    /// By the kernel: a memory limit of its own control group, such as memory.max, was reached.
    #[strum(serialize = "PS_OOM_OWN")]
    Own = 1,
    /// By the kernel, and not for a limit of its own control group: a group above it has reached its limit, or
    /// the machine had no memory left.
    #[strum(serialize = "PS_OOM_ABOVE")]
    Above = 2,
    /// By a SIGKILL that nobody here has sent, and somebody was killed for want of memory: but that this was
    /// the child, no count tells.
    #[strum(serialize = "PS_OOM_PROBABLE")]
    Probable = 3,
}

/// What is known of a child's memory at its end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Memory {
    /// Whether it was killed for want of it.
    pub oom: Oom,
    /// How many processes of its control group were; -1 if unknown.
    pub kills: i32,
    /// The most that its control group had, bytes; -1 if unknown.
    pub peak: i64,
}

impl Default for Memory {
    fn default() -> Self {
        Self { oom: Oom::None, kills: -1, peak: -1 }
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
    /// Why its directory could not be removed.
    pub removal: Option<Errno>,
    /// It was sent SIGKILL by us while it lived.
    pub killed: bool,
    /// What is known of its memory.
    pub memory: Memory,
}

impl Exit {
    /// Exit code 0.
    pub fn success(&self) -> bool {
        self.kind == Kind::Exited && self.code == 0
    }

    /// Why its directory could not be removed, as a status.
    pub fn removal_status(&self) -> Option<Status> {
        self.removal.map(|errno| if errno == Errno::ETIMEDOUT { Status::Timeout } else { Status::of(errno) })
    }
}
