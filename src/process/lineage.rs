//! Whose descendant a process is, when it has left its group, its session and its parent.
//!
//! The kernel keeps no family tree: an orphan that a subreaper adopts could be anybody's, also one of the host's own. A mark is needed
//! that is inherited through fork and exec, that a program neither sees nor clears in passing (as it does its environment), and
//! that can be read of a zombie too. A resource limit is that: RLIMIT_RTTIME, the processor time of a real-time thread that
//! never sleeps, given in microseconds, means nothing above a few days. So children get a number of centuries there, and the number
//! says whose they are. Nothing is marked unless the host asks for a subreaper.
//!
//! ```text
//!   62 .. 57   56 .. 33     32       31 .. 0
//!   level      instance     sweep    number of the child
//! ```
//!
//! The level falls by one in a host that is marked itself: a limit can be lowered, but not raised. Its instance is then made from its own
//! mark, so that the host above knows whose grandchildren it adopts when the inner host has died. A program that sets this
//! limit by itself (audio servers do) or a command that does loses the mark, and its orphans are nobody's.
//!
//! Sources: getrlimit(2), proc_pid_limits(5), PR_SET_CHILD_SUBREAPER in prctl(2).

use std::borrow::Cow;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::{BuildHasher, RandomState};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};

use nix::errno::Errno;
use nix::sys::resource::{RLIM_INFINITY, Resource, getrlimit};

use crate::error::Result as Checked;
use crate::lock::lock;
use crate::sys::Fault;
use crate::sys::memory::PerProcess;
use crate::sys::procfs;
use crate::sys::reserve::out_of_memory;
use crate::sys::spawn::Limit;

/// The limit that carries it. Its type is the C library's own: an int in musl.
#[allow(clippy::unnecessary_cast)]
const CARRIER: u32 = libc::RLIMIT_RTTIME as u32;
const LEVEL: u32 = 57;
const INSTANCE: u32 = 33;
const SWEEP: u64 = 1 << 32;
const INSTANCES: u64 = 0xFF_FFFF;

/// The instance of a host that carries this mark.
fn instance_below(mark: u64) -> u64 {
    mark.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40 & INSTANCES
}

struct Family {
    /// Level and instance.
    base: u64,
    last: AtomicU32,
    /// Children of ours that live: how many have this number, and the instance of the hosts among them.
    live: Mutex<HashMap<u32, (u32, u64)>>,
}

static FAMILY: PerProcess<Family> = PerProcess::new();

/// From now on children are marked. `EPERM`: this process has a limit of its own there.
pub fn begin() -> Result<(), Fault> {
    let (_, hard) = getrlimit(Resource::RLIMIT_RTTIME).map_err(Fault::of("getrlimit"))?;
    let level = if hard == RLIM_INFINITY { 63 } else { (hard >> LEVEL).saturating_sub(1) };
    if !(1..=63).contains(&level) {
        return Err(Fault { step: "RLIMIT_RTTIME", errno: Errno::EPERM });
    }
    let instance = if level == 63 { RandomState::new().hash_one(crate::sys::getpid()) & INSTANCES } else { instance_below(hard) };
    let family = Family { base: level << LEVEL | instance << INSTANCE, last: AtomicU32::new(0), live: Mutex::default() };
    FAMILY.get_or_try_init(|| Ok(family)).map(drop).map_err(Fault::of("mmap"))
}

/// The mark of one child, or a share in that of another; it lives as long as the child's process.
#[derive(Debug)]
pub struct Mark {
    number: u32,
    value: u64,
}

impl Mark {
    /// For a child that is about to be made; `None`: children are not marked.
    pub fn new(sweep: bool) -> Checked<Option<Self>> {
        let Some(family) = FAMILY.get() else { return Ok(None) };
        let number = family.last.fetch_add(1, Ordering::Relaxed);
        let value = family.base | u64::from(number) | if sweep { SWEEP } else { 0 };
        let mut live = lock(&family.live);
        live.try_reserve(1).map_err(out_of_memory)?;
        live.insert(number, (1, instance_below(value)));
        Ok(Some(Self { number, value }))
    }

    /// For a process that another of our children has made, whose mark it bears: what descends from it is wanted as long as it lives, though the other
    /// one may have ended. `None`: it bears none of ours.
    pub fn share_of(pid: i32) -> Checked<Option<Self>> {
        let Some(family) = FAMILY.get() else { return Ok(None) };
        let Some(value) = procfs::realtime_limit(pid).filter(|value| value & !(SWEEP | u64::from(u32::MAX)) == family.base) else {
            return Ok(None);
        };
        let number = value as u32;
        let mut live = lock(&family.live);
        live.try_reserve(1).map_err(out_of_memory)?;
        live.entry(number).or_insert((0, instance_below(value))).0 += 1;
        Ok(Some(Self { number, value }))
    }

    /// Whether a process bears it.
    pub fn is_on(&self, pid: i32) -> bool {
        procfs::realtime_limit(pid) == Some(self.value)
    }

    /// These limits, and the one that carries the mark: unless a limit of the command's own stands in its place.
    pub fn carried<'a>(mark: Option<&Self>, limits: &'a [Limit]) -> Cow<'a, [Limit]> {
        match mark.filter(|_| limits.iter().all(|limit| limit.resource != CARRIER)) {
            None => limits.into(),
            Some(Self { value, .. }) => {
                let carrier = Limit { resource: CARRIER, soft: *value, hard: *value };
                limits.iter().copied().chain([carrier]).collect()
            }
        }
    }
}

impl Drop for Mark {
    fn drop(&mut self) {
        if let Some(family) = FAMILY.get() {
            let mut live = lock(&family.live);
            if let Entry::Occupied(mut entry) = live.entry(self.number) {
                entry.get_mut().0 -= 1;
                if entry.get().0 == 0 {
                    entry.remove();
                }
            }
        }
    }
}

/// A descendant of one of our children.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Descendant {
    value: u64,
}

impl Descendant {
    /// Reads a process's mark. `None`: it descends from none of our children, or has lost the mark.
    pub fn of(pid: i32) -> Option<Self> {
        let family = FAMILY.get()?;
        let value = procfs::realtime_limit(pid)?;
        let own = value & !(SWEEP | u64::from(u32::MAX)) == family.base;
        // A lower level: marked by a host below one of our children.
        (own || (1..family.base >> LEVEL).contains(&(value >> LEVEL))).then_some(Self { value })
    }

    /// Its child has ended, and nobody was to survive it.
    pub fn is_unwanted(&self) -> bool {
        let Some(family) = FAMILY.get().filter(|_| self.value & SWEEP != 0) else { return false };
        let live = lock(&family.live);
        let (level, own) = (self.value >> LEVEL, family.base >> LEVEL);
        let instance = self.value >> INSTANCE & INSTANCES;
        match own - level {
            0 => !live.contains_key(&(self.value as u32)),
            1 => !live.values().any(|(_, below)| *below == instance),
            // Too far down to tell whose it is: it is reaped, and wanted as long as anybody lives.
            _ => live.is_empty(),
        }
    }
}
