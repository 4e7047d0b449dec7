//! What host and spawner say to each other, byte for byte: both are built with this file. (They are two builds of one version, so nothing here is
//! negotiated.)
//!
//! The trap: addresses mean nothing in the other process. So a request is one block: a head, arrays and strings, each known by its offset from the
//! start of the block; an array of strings holds offsets, which the program turns into pointers where they stand. The descriptors that it
//! needs come with the message, in this order: the block (if it was too long for the message), the directory, the control group, the sources.
//!
//! A block that is sent again and again is kept over there, at a place that the host has chosen: from then on its head alone is sent. What came first is
//! received first, so the host knows what is kept where.

use core::sync::atomic::{AtomicI32, AtomicU32};

/// So many requests can be under way.
pub const SLOTS: usize = 255;

/// A request longer than this travels in a file.
pub const INLINE: usize = 32 * 1024;

/// So many blocks are kept by the spawner.
pub const PLACES: usize = 8;

/// None that is longer.
pub const LONGEST_KEPT: usize = 8 * 1024;

/// The most descriptors of one message: SCM_MAX_FD is 253.
pub const RIGHTS: usize = 253;

/// The numbers that a spawner starts with: its end of the channel.
pub const CHANNEL: i32 = 3;
/// The memory that is shared.
pub const BIRTHS: i32 = 4;
/// Its own program.
pub const PROGRAM: i32 = 5;
/// The host's working directory.
pub const DIRECTORY: i32 = 6;
/// A pidfd of the host, if [`Memory::watched`] says so.
pub const HOST: i32 = 7;

/// One child to be, in the memory that both share. A cache line.
#[repr(C, align(64))]
#[derive(Debug)]
pub struct Birth {
    /// Its number: the kernel writes it before its first instruction. [`UNNUMBERED`] while it is made by the old call, which may have made it already.
    pub pid: AtomicI32,
    /// What it finds at its gate: [`SHUT`], [`OPEN`] or [`BARRED`]. It waits there as on a futex(2).
    pub gate: AtomicU32,
    /// The step that failed, and its errno: as `Report` in `spawn/orders.rs`.
    pub step: AtomicI32,
    /// See there.
    pub errno: AtomicI32,
    /// Whose slot it is.
    pub ticket: AtomicU32,
    /// The host's end of the channel, while its hanging up says that no newborn is left (each has the other end until its exec); else -1. The host's own.
    pub channel: AtomicI32,
}

/// See [`Birth::pid`] and [`SEND_PIDFD`].
pub const UNNUMBERED: i32 = -1;

/// All of the memory.
#[repr(C)]
#[derive(Debug)]
pub struct Memory {
    /// The host's number.
    pub host: AtomicI32,
    /// Not 0: every gate is barred.
    pub barred: AtomicU32,
    /// Not 0: the spawner has a pidfd of the host.
    pub watched: AtomicU32,
    /// Not 0: a filter is on, which might kill for a call that is not needed.
    pub filtered: AtomicU32,
    /// So many children are to be on their way at once.
    pub processors: AtomicU32,
    /// By slot.
    pub births: [Birth; SLOTS],
}

/// A gate where a child waits.
pub const SHUT: u32 = 0;
/// A gate that it passes.
pub const OPEN: u32 = 1;
/// A gate where it ends.
pub const BARRED: u32 = 2;

/// An array within a request.
#[repr(C)]
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Part {
    /// From the start of the block.
    pub at: u32,
    /// How many of its kind.
    pub len: u32,
}

/// The block is in a file, whose descriptor comes first; the message has the head alone.
pub const LONG: u32 = 1;
/// A descriptor of the directory comes.
pub const HAS_DIRECTORY: u32 = 1 << 1;
/// One of the control group comes.
pub const HAS_CGROUP: u32 = 1 << 2;
/// The child must not share memory with the spawner.
pub const APART: u32 = 1 << 3;
/// clone3(2) is not to be called.
pub const NO_CLONE3: u32 = 1 << 4;
/// close_range(2) is not to be called.
pub const NO_CLOSE_RANGE: u32 = 1 << 5;
/// It changes its user.
pub const CREDENTIALS: u32 = 1 << 6;
/// No exec raises its privileges.
pub const NO_NEW_PRIVS: u32 = 1 << 7;
/// It dies with the host.
pub const DIES_WITH_HOST: u32 = 1 << 8;
/// It leads a group.
pub const GROUP: u32 = 1 << 9;
/// It leads a session.
pub const SESSION: u32 = 1 << 10;
/// The page of its birth asks for a pidfd.
pub const PIDFD_IN_RECORD: u32 = 1 << 11;
/// The host cannot open pidfds: one is to be sent also where clone(2) must do, which then has no place for the number but in the child's own first
/// moment.
pub const SEND_PIDFD: u32 = 1 << 12;
/// All but the head is what is kept.
pub const AS_KEPT: u32 = 1 << 13;
/// The directory is entered before it changes its user.
pub const CHDIR_FIRST: u32 = 1 << 20;
/// Where the three bits begin that say which of user, group and groups it changes: those of a `Switch` of `spawn/orders.rs`.
pub const SWITCH: u32 = 21;

/// The start of a request.
#[repr(C)]
#[derive(Clone, Copy, Default, Debug)]
pub struct Head {
    /// The whole block.
    pub length: u32,
    /// Its slot.
    pub slot: u32,
    /// What the slot is known by.
    pub ticket: u32,
    /// The bits above.
    pub flags: u32,
    /// A group that it joins, the host's or one that it was told; 0: it stays where it is.
    pub group: i32,
    /// -1: the spawner's.
    pub umask: i32,
    /// `i32::MIN`: the spawner's.
    pub nice: i32,
    /// Its user.
    pub uid: u32,
    /// Its group.
    pub gid: u32,
    /// So often it tries a program again that is open for writing.
    pub busy_pauses: u32,
    /// `Move`s: `from` is the place of the source among the descriptors that came, or -1 for /dev/null; all `to` differ. Before them there is room
    /// for as many more.
    pub moves: Part,
    /// `Gap`s.
    pub gaps: Part,
    /// `Limit`s.
    pub limits: Part,
    /// `u32`s, and room for twice as many behind them.
    pub groups: Part,
    /// Strings: `u64` offsets.
    pub candidates: Part,
    /// The same, and a 0 behind them that is not counted.
    pub argv: Part,
    /// The same.
    pub envp: Part,
    /// Where the digits of the pid go; 0: nowhere.
    pub own_pids: [u32; 2],
    /// A string; 0: none.
    pub directory: u32,
    /// A `Birth` of `spawn/birth.rs`; 0: none.
    pub record: u32,
    /// The number of the place where the block is kept from now on, or is ([`AS_KEPT`]); 0: none.
    pub place: u64,
    /// The signals that it ignores.
    pub ignored: u64,
    /// Those that are blocked in it.
    pub mask: u64,
    /// Its oom_score_adj; `i32::MIN`: the spawner's.
    pub oom_score_adj: i64,
    /// `u64`s, a bit for each processor; none: the spawner's.
    pub processors: Part,
    /// A policy and its priority, as in `Orders`; -1: the spawner's.
    pub scheduling: i32,
    /// By what it restricts itself, among its own numbers; -1: nothing.
    pub ruleset: i32,
}

/// Where the low byte of the flags of a [`Head`] lies: both machines are of the kind that has it first.
pub const FLAGS: usize = core::mem::offset_of!(Head, flags);

/// What a reply says.
#[repr(C)]
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Said {
    /// [`HELLO`] and the like.
    pub kind: u32,
    /// Of which slot.
    pub slot: u32,
    /// And whose that is.
    pub ticket: u32,
    /// The child's number; 0: there is none.
    pub pid: i32,
    /// The step that failed: of `Step`, or one of those below.
    pub step: i32,
    /// Its error.
    pub errno: i32,
}

/// The spawner runs.
pub const HELLO: u32 = 1;
/// A child waits at its gate.
pub const BORN: u32 = 2;
/// It has executed its program.
pub const BEGAN: u32 = 3;
/// It has not, and ends; or there is none.
pub const FAILED: u32 = 4;

/// Steps of the spawner itself, and their names in errors. The first is the child's at a barred gate.
pub const STEPS: [(i32, &str); 6] =
    [(GATE, "gate"), (RECEIVE, "recvmsg"), (MAP, "mmap"), (CLONE3, "clone3"), (CLONE, "clone"), (CGROUP, "cgroup")];
/// See [`STEPS`].
pub const GATE: i32 = 100;
/// See [`STEPS`].
pub const RECEIVE: i32 = 101;
/// See [`STEPS`].
pub const MAP: i32 = 102;
/// See [`STEPS`].
pub const CLONE3: i32 = 103;
/// See [`STEPS`].
pub const CLONE: i32 = 104;
/// See [`STEPS`].
pub const CGROUP: i32 = 105;
