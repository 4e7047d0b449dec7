//! What the child is told before the clone, and what it reports when it fails.
//!
//! The trap: in the fast tiers the child reads this in the memory of the host, between clone and exec, where nothing may be allocated; and in
//! the third tier in a copy of it. So it is plain numbers and pointers into memory that the caller keeps alive until the clone returns,
//! and what is written (the report, the descriptor that may move) is atomic.

use core::ffi::c_char;
use core::sync::atomic::{AtomicI32, AtomicU64};

use super::birth::Birth;

/// The most places where a child writes its own pid: LISTEN_PID and WATCHDOG_PID.
pub const OWN_PIDS: usize = 2;

/// Which step of the child failed; the names are those that an error shows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(i32)]
#[allow(missing_docs)]
pub enum Step {
    None = 0,
    Cgroup,
    CloseRange,
    Setpgid,
    Setsid,
    Nice,
    Rlimit,
    Lift,
    Dup2,
    Close,
    Setgroups,
    Setgid,
    Setuid,
    NoNewPrivs,
    Chdir,
    DieWithHost,
    Exec,
    Go,
    Null,
    Record,
    OomScoreAdj,
    SchedSetaffinity,
    SchedSetscheduler,
    LandlockRestrictSelf,
    Terminal,
    Foreground,
    UidMap,
    Init,
    /// The same of one whose program may have begun.
    InitBegun,
}

impl Step {
    const ALL: [(Step, &'static str); 29] = [
        (Step::None, ""),
        (Step::Cgroup, "cgroup"),
        (Step::CloseRange, "close_range"),
        (Step::Setpgid, "setpgid"),
        (Step::Setsid, "setsid"),
        (Step::Nice, "nice"),
        (Step::Rlimit, "rlimit"),
        (Step::Lift, "fcntl"),
        (Step::Dup2, "dup2"),
        (Step::Close, "close"),
        (Step::Setgroups, "setgroups"),
        (Step::Setgid, "setgid"),
        (Step::Setuid, "setuid"),
        (Step::NoNewPrivs, "no_new_privs"),
        (Step::Chdir, "chdir"),
        (Step::DieWithHost, "die_with_host"),
        (Step::Exec, "exec"),
        (Step::Go, "read"),
        (Step::Null, "open"),
        (Step::Record, "record"),
        (Step::OomScoreAdj, "oom_score_adj"),
        (Step::SchedSetaffinity, "sched_setaffinity"),
        (Step::SchedSetscheduler, "sched_setscheduler"),
        (Step::LandlockRestrictSelf, "landlock_restrict_self"),
        (Step::Terminal, "terminal"),
        (Step::Foreground, "foreground"),
        (Step::UidMap, "uid_map"),
        (Step::Init, "init"),
        (Step::InitBegun, "init"),
    ];

    /// The name that an error shows.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(step, _)| *step == self).map_or("", |(_, name)| name)
    }

    pub(in crate::sys) fn from_raw(raw: i32) -> Step {
        Self::ALL.iter().find(|(step, _)| *step as i32 == raw).map_or(Step::None, |(step, _)| *step)
    }
}

/// What the search for a program makes of an execve that failed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Found {
    /// No program here: try the next.
    Nothing,
    /// One that may not be run, or a directory that may not be looked into: try the next, and say so if there is no other.
    Denied,
    /// Nor can there be one behind a name that is too long: try the next.
    NoName,
    /// A program, and something is wrong with it, or with what it is given.
    Program,
}

impl Found {
    /// As execvp(3) does it (posix/execvpe.c of glibc 2.36). It skips only elements of PATH that are too long by themselves, and then
    /// tries the current directory, which nobody asked for; here each name that the kernel finds too long is skipped.
    #[inline(always)]
    pub(super) fn of(errno: i32) -> Self {
        match errno {
            // The last two: "some strange filesystems like AFS return even stranger error numbers".
            libc::ENOENT | libc::ENOTDIR | libc::ESTALE | libc::ENODEV | libc::ETIMEDOUT => Found::Nothing,
            libc::EACCES => Found::Denied,
            libc::ENAMETOOLONG => Found::NoName,
            _ => Found::Program,
        }
    }
}

/// One descriptor that the child gets: `from` in the parent's numbering, `to` in its own.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(C)]
pub struct Move {
    /// The number it has when the child begins, or [`Move::SCRATCH`], or [`Move::NULL`].
    pub from: i32,
    /// The number it must have at exec, or [`Move::SCRATCH`].
    pub to: i32,
}

impl Move {
    /// A number that the child finds for itself: free, and nobody's target. There is one; a later move to it overwrites it.
    pub const SCRATCH: i32 = -2;
    /// /dev/null, opened by the child itself: its own description, for one call and no number of the host's.
    pub const NULL: i32 = -1;
}

/// A range of descriptor numbers to close, both ends included.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(C)]
pub struct Gap {
    /// The first number to close.
    pub first: u32,
    /// The last one; `u32::MAX` for all above.
    pub last: u32,
}

/// One resource limit in the kernel's form (`struct rlimit64`, prlimit(2)).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(C)]
pub struct Limit {
    /// `RLIMIT_*`.
    pub resource: u32,
    /// The soft limit.
    pub soft: u64,
    /// The hard limit.
    pub hard: u64,
}

/// Where a child stands among the groups and sessions of the host.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Standing {
    /// In the group that it was born in.
    Same,
    /// It leads a group.
    Group,
    /// It leads a session.
    Session,
    /// In this group, of the session that it was born in: one that the command names, or the host's for a child of a spawner's, which is in no group of
    /// the host's choice.
    Of(i32),
}

/// Which terminal a child gets before its program begins.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Terminal {
    /// That of the session that it is in, if there is one.
    #[default]
    None,
    /// This one becomes that of the session that it leads.
    Controlling(i32),
    /// The one that it has, and its group is put into the foreground there, if the host's is.
    Foreground {
        /// The terminal, in the maker's numbering.
        fd: i32,
        /// The host's group.
        group: i32,
    },
}

/// A counted array that the child reads.
#[repr(C)]
pub(super) struct Span<T> {
    pub at: *const T,
    pub len: usize,
}

impl<T> Span<T> {
    pub fn of(slice: &[T]) -> Self {
        Self { at: slice.as_ptr(), len: slice.len() }
    }

    /// # Safety
    /// The slice that the span was made of must still be alive.
    #[inline(always)]
    pub unsafe fn get(&self, index: usize) -> *const T {
        self.at.wrapping_add(index)
    }
}

/// Who the child becomes (`switch.rs`).
pub(super) struct Switch {
    /// Which of them are said.
    parts: u32,
    pub uid: u32,
    pub gid: u32,
    /// In ascending order.
    pub groups: Span<u32>,
    /// Room for twice as many, this child's alone: those that are there, and a mark for each that was asked for.
    pub room: *mut u32,
    /// The number that any group shows that has none in this user namespace; `u32::MAX`: each has one.
    pub unseen: u32,
}

impl Switch {
    /// The user is said.
    pub const USER: u32 = 1;
    /// The group is.
    pub const GROUP: u32 = 1 << 1;
    /// The supplementary groups are.
    pub const GROUPS: u32 = 1 << 2;
    /// All three.
    #[cfg_attr(not(spawner_program), allow(dead_code))]
    pub const ALL: u32 = Self::USER | Self::GROUP | Self::GROUPS;
    /// Nothing changes.
    pub const NOBODY: Self =
        Self { parts: 0, uid: 0, gid: 0, groups: Span { at: core::ptr::null(), len: 0 }, room: core::ptr::null_mut(), unseen: u32::MAX };

    /// Groups and room stay alive until the child has begun.
    pub fn of(parts: u32, uid: u32, gid: u32, groups: Span<u32>, room: *mut u32) -> Self {
        Self { parts, uid, gid, groups, room, unseen: u32::MAX }
    }

    /// The groups stay as they are.
    #[cfg_attr(spawner_program, allow(dead_code))]
    pub fn keep_groups(&mut self) {
        self.parts &= !Self::GROUPS;
    }

    /// Whether there is anything to do.
    #[inline(always)]
    pub fn is_needed(&self) -> bool {
        self.parts != 0
    }

    /// Whether this part is said.
    #[inline(always)]
    pub fn has(&self, part: u32) -> bool {
        self.parts & part != 0
    }
}

/// What the child found, in memory it shares with the parent, or sent through `error_fd`.
#[derive(Default)]
#[repr(C)]
pub(super) struct Report {
    pub step: AtomicI32,
    pub errno: AtomicI32,
}

/// Everything the child needs, prepared before the clone.
pub(super) struct Orders {
    /// `cgroup.procs` of the group to join, in the parent's numbering; -1: born where it belongs.
    pub join_fd: i32,
    /// First descriptor number to drop while unsharing the table; -1: the table is not shared.
    pub unshare_first: i32,
    /// In this order.
    pub moves: Span<Move>,
    pub gaps: Span<Gap>,
    /// `close_range` is known to be missing: walk /proc/self/fd.
    pub no_close_range: bool,
    pub standing: Standing,
    pub terminal: Terminal,
    /// What keys have sent it before it had begun; bit n-1 is signal n. The child says so.
    pub late: AtomicI32,
    /// -1: leave it.
    pub umask: i32,
    /// `i32::MIN`: leave it.
    pub nice: i32,
    pub limits: Span<Limit>,
    pub switch: Switch,
    /// The directory is entered before that.
    pub chdir_first: bool,
    pub no_new_privs: bool,
    /// Null: stay.
    pub directory: *const c_char,
    /// The host's pid if the child must not outlive it, else 0.
    pub host: i32,
    /// The thread that made us in the host's name, or null; see `relay.rs`.
    pub relay: *const AtomicI32,
    /// Signals to reset; bit n-1 is signal n. All bits where the kernel did not clear handlers.
    pub reset: u64,
    /// Signals to ignore; none of them is among those.
    pub ignored: u64,
    /// What is blocked in the end.
    pub mask: u64,
    /// `i32::MIN`: leave it.
    pub oom_score_adj: i32,
    /// Files to try in turn, as execvp does.
    pub candidates: Span<*const c_char>,
    pub argv: *const *const c_char,
    pub envp: *const *const c_char,
    /// So often the child itself tries a program again that is open for writing, with longer and longer pauses.
    pub busy_pauses: u32,
    /// Where the digits of LISTEN_PID and the like go (room for eleven bytes each); null from the first one that is not wanted.
    pub own_pids: [*mut u8; OWN_PIDS],
    /// What it writes down of its birth, or null.
    pub birth: *mut Birth,
    pub birth_asks_for_pidfd: bool,
    /// Write end of the error pipe when memory is not shared, else -1. The child may move it.
    pub error_fd: AtomicI32,
    /// Wait for a word of the parent before anything else.
    pub gated: bool,
    /// The parent's end of it.
    pub parent_fd: AtomicI32,
    /// Where the child writes its own pid, if the kernel could not.
    pub own_pid: *const AtomicU64,
    pub report: *const Report,
    /// The processors it may run on, a bit each; none: as it was born.
    pub processors: Span<u64>,
    /// The kernel's policy, and in the low byte its priority; -1: as it was born.
    pub scheduling: i32,
    /// By what it restricts itself (landlock(7)), among its own numbers; -1: nothing.
    pub ruleset: i32,
    /// How it is contained (`contained/inside.rs`), or null.
    pub nest: *mut core::ffi::c_void,
}
