//! The host that a measurement takes place in: how much memory it has resident, how many descriptors it has open, on
//! which CPU it runs. The harness stands in for a server, so each of these is made for real (touched pages, distinct
//! open files) and undone afterwards.

use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::sys::mman::{MapFlags, MmapAdvise, ProtFlags, madvise, mmap_anonymous, munmap};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::signal::{SigHandler, Signal, signal};
use nix::unistd::Pid;
use std::ffi::c_void;
use std::num::NonZeroUsize;
use std::os::unix::net::UnixDatagram;
use std::ptr::NonNull;

/// What the largest experiments need: 15 000 descriptors, or 8 000 pidfds, and some room.
const DESCRIPTORS_WANTED: u64 = 20_000;
const DESCRIPTORS_SPARE: u64 = 1_000;
const PAGE: usize = 4096;

pub struct Host {
    pub nofile: u64,
    pub cpu: Option<usize>,
    /// What had to be made smaller, in words.
    pub notes: Vec<String>,
    memory: u64,
    allowed: Option<CpuSet>,
}

impl Host {
    /// `cpu`: run there only; children inherit it.
    pub fn prepare(cpu: Option<usize>) -> Result<Self, String> {
        // Rust starts its programs with SIGPIPE ignored. The C programs that the harness stands in for do not, and an
        // ignored signal is work for those methods only that reset it. SAFETY: no handler of ours is replaced.
        unsafe { signal(Signal::SIGPIPE, SigHandler::SigDfl) }.map_err(|errno| format!("signal: {errno}"))?;
        glibc_signals_by_default();
        let allowed = sched_getaffinity(Pid::from_raw(0)).ok();
        if let Some(cpu) = cpu {
            pin(cpu)?;
        }
        let mut notes = Vec::new();
        let nofile = raise_nofile();
        if nofile < DESCRIPTORS_WANTED {
            notes.push(format!(
                "RLIMIT_NOFILE {nofile} instead of {DESCRIPTORS_WANTED}: fewer descriptors and children than named"
            ));
        }
        Ok(Self { nofile, cpu, notes, memory: available_memory(), allowed })
    }

    /// Until the value is dropped, everything that is started here may run on all CPUs that were ours at first. `None`:
    /// there is but one, or nobody was pinned.
    pub fn unpinned(&self) -> Option<Unpinned> {
        let (cpu, allowed) = (self.cpu?, self.allowed?);
        let cpus = (0..CpuSet::count()).filter(|&cpu| allowed.is_set(cpu) == Ok(true)).count();
        if cpus < 2 || sched_setaffinity(Pid::from_raw(0), &allowed).is_err() {
            return None;
        }
        Some(Unpinned { cpu, cpus })
    }

    /// The same with two CPUs: ours and another.
    pub fn on_two(&self) -> Option<Unpinned> {
        let cpu = self.cpu?;
        let mut two = CpuSet::new();
        let other = another_cpu_of(&self.allowed?, cpu);
        two.set(cpu).and_then(|()| two.set(other)).ok()?;
        if other == cpu || sched_setaffinity(Pid::from_raw(0), &two).is_err() {
            return None;
        }
        Some(Unpinned { cpu, cpus: 2 })
    }

    /// At most so many descriptors can be open here besides the harness's own.
    pub fn descriptors(&self, wanted: usize) -> usize {
        wanted.min(self.nofile.saturating_sub(DESCRIPTORS_SPARE) as usize)
    }

    /// Half of what is available: a forked child needs page tables, and the machine has other work.
    pub fn memory(&mut self, wanted: usize) -> usize {
        let most = (self.memory / 2) as usize / PAGE * PAGE;
        if wanted > most {
            self.notes.push(format!("{} MiB resident instead of {}: too little memory", most >> 20, wanted >> 20));
        }
        wanted.min(most)
    }
}

pub struct Unpinned {
    cpu: usize,
    pub cpus: usize,
}

impl Drop for Unpinned {
    fn drop(&mut self) {
        let _ = pin(self.cpu);
    }
}

/// The calling thread, and what it starts.
pub fn pin(cpu: usize) -> Result<(), String> {
    let mut set = CpuSet::new();
    let pinned = set.set(cpu).and_then(|()| sched_setaffinity(Pid::from_raw(0), &set));
    pinned.map_err(|errno| format!("CPU {cpu}: {errno}"))
}

/// The first CPU that this process may use and that is not `taken`, else that one.
pub fn another_cpu(taken: usize) -> usize {
    sched_getaffinity(Pid::from_raw(0)).map_or(taken, |allowed| another_cpu_of(&allowed, taken))
}

fn another_cpu_of(allowed: &CpuSet, taken: usize) -> usize {
    (0..CpuSet::count()).find(|cpu| *cpu != taken && allowed.is_set(*cpu) == Ok(true)).unwrap_or(taken)
}

/// A CPU of those that this process may use: the last one, since the first often has the interrupts.
pub fn last_cpu() -> Option<usize> {
    let allowed = sched_getaffinity(Pid::from_raw(0)).ok()?;
    (0..CpuSet::count()).rev().find(|&cpu| allowed.is_set(cpu) == Ok(true))
}

/// The same of two that nobody sees: whom glibc's posix_spawn has started (by cargo, say), has the signals ignored that glibc
/// keeps for itself. A program of a shell has not.
fn glibc_signals_by_default() {
    const GLIBC: [libc::c_long; 2] = [32, 33];
    let by_default = [0u64; 4]; // the kernel's struct sigaction
    for number in GLIBC {
        let mut found = [0u64; 4];
        // SAFETY: structures of our own of the right size, and a signal that nobody waits for: it is ignored.
        unsafe {
            if libc::syscall(libc::SYS_rt_sigaction, number, 0usize, found.as_mut_ptr(), 8usize) == 0
                && found[0] == libc::SIG_IGN as u64
            {
                libc::syscall(libc::SYS_rt_sigaction, number, by_default.as_ptr(), 0usize, 8usize);
            }
        }
    }
}

fn raise_nofile() -> u64 {
    let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE) else { return 1024 };
    if soft >= DESCRIPTORS_WANTED {
        return soft;
    }
    // The second form needs a privilege; the first is open to everyone.
    let ways = [(DESCRIPTORS_WANTED, hard), (DESCRIPTORS_WANTED, DESCRIPTORS_WANTED), (hard, hard)];
    let raised =
        ways.into_iter().find(|&(soft, hard)| soft <= hard && setrlimit(Resource::RLIMIT_NOFILE, soft, hard).is_ok());
    raised.map_or(soft, |(soft, _)| soft)
}

fn available_memory() -> u64 {
    let meminfo = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemAvailable:"));
    line.and_then(|rest| rest.split_whitespace().next()?.parse::<u64>().ok()).unwrap_or(0) * 1024
}

/// Open descriptors of the host: sockets, as a server's mostly are, each with a file and an inode of its own (copying
/// and closing them costs more than it does for duplicates of one file), and close-on-exec, as a careful server has
/// them.
pub struct Descriptors(#[expect(dead_code, reason = "held open")] Vec<UnixDatagram>);

impl Descriptors {
    pub fn open(n: usize) -> Result<Self, String> {
        let sockets: Result<Vec<_>, _> = (0..n).map(|_| UnixDatagram::unbound()).collect();
        sockets.map(Self).map_err(|error| format!("opening {n} descriptors: {error}"))
    }
}

/// Touched private memory of the host, in pages of 4 KiB: with huge pages fork would look far better than it does on an
/// ordinary heap.
pub struct Resident(Option<(NonNull<c_void>, usize)>);

impl Resident {
    pub fn touch(bytes: usize) -> Result<Self, String> {
        let Some(length) = NonZeroUsize::new(bytes) else { return Ok(Self(None)) };
        let failed = |errno| format!("{bytes} bytes of memory: {errno}");
        // SAFETY: a new private mapping, written page by page inside its bounds.
        unsafe {
            let start =
                mmap_anonymous(None, length, ProtFlags::PROT_READ | ProtFlags::PROT_WRITE, MapFlags::MAP_PRIVATE)
                    .map_err(failed)?;
            let _ = madvise(start, bytes, MmapAdvise::MADV_NOHUGEPAGE); // EINVAL: a kernel without huge pages
            for offset in (0..bytes).step_by(PAGE) {
                start.cast::<u8>().add(offset).write_volatile(1);
            }
            Ok(Self(Some((start, bytes))))
        }
    }
}

impl Drop for Resident {
    fn drop(&mut self) {
        if let Some((start, bytes)) = self.0 {
            // SAFETY: our own mapping.
            let _ = unsafe { munmap(start, bytes) };
        }
    }
}
