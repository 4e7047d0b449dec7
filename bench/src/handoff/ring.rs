//! What all processes of one measurement share: a mapped file with the settings of the servers and a ring of time
//! stamps. Only what a process stamps itself is a measurement: a gap lies between the last act of the old generation and
//! the first of the new one, and nobody else sees either. The clock is CLOCK_MONOTONIC, the same for all of them.

use nix::sys::mman::{MapFlags, ProtFlags, mmap};
use nix::time::{ClockId, clock_gettime};
use std::fs::{File, OpenOptions};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Acquire, Ordering::Relaxed, Ordering::Release};
use std::time::{Duration, Instant};

const STAMPS: usize = 1 << 15;

/// What a server stamps.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u32)]
pub enum Event {
    /// The new process runs `main`.
    Started = 1,
    /// Loaded; ready to take over.
    Warm,
    /// The old one was told to drain.
    Drain,
    AcceptOff,
    WriteOff,
    /// The old one's call that gives the ownership away has returned.
    Given,
    /// The new one knows that it owns.
    Owns,
    WriteOn,
    AcceptOn,
    /// Nobody stands behind it any more; the next handoff may begin.
    Settled,
}

const EVENTS: [Event; 10] = [
    Event::Started,
    Event::Warm,
    Event::Drain,
    Event::AcceptOff,
    Event::WriteOff,
    Event::Given,
    Event::Owns,
    Event::WriteOn,
    Event::AcceptOn,
    Event::Settled,
];

#[derive(Clone, Copy)]
pub struct Stamp {
    pub ns: u64,
    pub generation: u32,
    pub event: Event,
}

#[repr(C)]
struct Slot {
    ns: AtomicU64,
    /// Generation and event; 0: not written yet.
    what: AtomicU64,
}

/// The file, all zeroes at first.
#[repr(C)]
pub struct Ring {
    pub port: AtomicU32,
    pub backlog: AtomicU32,
    /// How long a successor loads.
    pub load_ms: AtomicU32,
    /// A futex: how often a generation has settled.
    settled: AtomicU32,
    generations: AtomicU32,
    /// Whoever starts the servers; without it they end.
    pub conductor: AtomicU32,
    /// The servers' CPU and the clients', and 1; 0: any.
    cpus: [AtomicU32; 2],
    /// A separate supervisor of procsup's.
    pub overseer: AtomicU32,
    /// The process that serves.
    pub owner: AtomicU32,
    next: AtomicU64,
    slots: [Slot; STAMPS],
}

pub fn path(dir: &Path) -> PathBuf {
    dir.join("ring")
}

pub fn now() -> u64 {
    let now = clock_gettime(ClockId::CLOCK_MONOTONIC).expect("a clock that every Linux has");
    now.tv_sec() as u64 * 1_000_000_000 + now.tv_nsec() as u64
}

impl Ring {
    /// Makes it anew: nobody may still use the old one.
    pub fn create(dir: &Path) -> Result<&'static Self, String> {
        let path = path(dir);
        let _ = std::fs::remove_file(&path);
        let made = OpenOptions::new().read(true).write(true).create_new(true).open(&path);
        let file = made.map_err(|error| format!("{}: {error}", path.display()))?;
        file.set_len(size_of::<Self>() as u64).map_err(|error| format!("{}: {error}", path.display()))?;
        Self::map(&file)
    }

    pub fn open(dir: &Path) -> Result<&'static Self, String> {
        let path = path(dir);
        let file = OpenOptions::new().read(true).write(true).open(&path);
        Self::map(&file.map_err(|error| format!("{}: {error}", path.display()))?)
    }

    fn map(file: &File) -> Result<&'static Self, String> {
        let length = NonZeroUsize::new(size_of::<Self>()).unwrap();
        let how = ProtFlags::PROT_READ | ProtFlags::PROT_WRITE;
        // Populated: a stamp must not cost a page fault. SAFETY: a new mapping of a whole file that nobody shortens; all
        // fields are atomic, so others may write them.
        unsafe {
            let place = mmap(None, length, how, MapFlags::MAP_SHARED | MapFlags::MAP_POPULATE, file, 0);
            place.map(|place| place.cast::<Self>().as_ref()).map_err(|errno| format!("the ring: {errno}"))
        }
    }

    /// The servers', and the clients'.
    pub fn cpus(&self) -> [Option<usize>; 2] {
        [0, 1].map(|i| (self.cpus[i].load(Acquire) as usize).checked_sub(1))
    }

    pub fn set_cpus(&self, servers: Option<usize>, clients: Option<usize>) {
        for (place, cpu) in self.cpus.iter().zip([servers, clients]) {
            place.store(cpu.map_or(0, |cpu| cpu as u32 + 1), Release);
        }
    }

    pub fn new_generation(&self) -> u32 {
        self.generations.fetch_add(1, Relaxed)
    }

    #[inline]
    pub fn stamp(&self, generation: u32, event: Event) {
        let ns = now();
        let slot = &self.slots[self.next.fetch_add(1, Relaxed) as usize % STAMPS];
        slot.ns.store(ns, Relaxed);
        slot.what.store(u64::from(generation) << 32 | u64::from(event as u32), Release);
    }

    /// The serving process stands alone; wakes the conductor.
    pub fn settle(&self, generation: u32) {
        self.stamp(generation, Event::Settled);
        self.settled.fetch_add(1, Release);
        // SAFETY: the address of a live atomic; no process-private futex, the waiter is another process.
        unsafe { libc::syscall(libc::SYS_futex, self.settled.as_ptr(), libc::FUTEX_WAKE, 1) };
    }

    pub fn settled(&self) -> u32 {
        self.settled.load(Acquire)
    }

    /// Waits until it has settled more than `before` times.
    pub fn wait_settled(&self, before: u32, patience: Duration) -> Result<(), String> {
        let deadline = Instant::now() + patience;
        while self.settled() == before {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(format!("nobody has settled within {} s", patience.as_secs()));
            }
            let slice = left.min(Duration::from_secs(1));
            let time = libc::timespec { tv_sec: slice.as_secs() as i64, tv_nsec: slice.subsec_nanos().into() };
            // SAFETY: as above, and a time of our own.
            unsafe { libc::syscall(libc::SYS_futex, self.settled.as_ptr(), libc::FUTEX_WAIT, before, &time) };
        }
        Ok(())
    }

    /// In the order of their time.
    pub fn stamps(&self) -> Result<Vec<Stamp>, String> {
        let count = self.next.load(Acquire) as usize;
        if count > STAMPS {
            return Err(format!("{count} stamps in a ring for {STAMPS}"));
        }
        let stamp = |slot: &Slot| {
            let what = slot.what.load(Acquire);
            let event = EVENTS.into_iter().find(|&event| event as u64 == what & 0xffff_ffff)?;
            Some(Stamp { ns: slot.ns.load(Relaxed), generation: (what >> 32) as u32, event })
        };
        let mut stamps: Vec<Stamp> = self.slots[..count].iter().filter_map(stamp).collect();
        stamps.sort_by_key(|stamp| stamp.ns);
        Ok(stamps)
    }
}
