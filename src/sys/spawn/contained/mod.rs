//! A child that nothing below it can get away from, without root and without a control group: PS_ISOLATE_CONTAINED.
//!
//! The child has a pid namespace of its own (pid_namespaces(7)), and where this process may not make one, a user namespace around it
//! (user_namespaces(7)). When the first process of a pid namespace ends, the kernel kills all the others, whatever they have done: double forks, sessions,
//! ignored signals. So who is what:
//!
//! ```text
//!   host ---- clone(NEWPID [NEWUSER]) ----> init: number 1 inside. The host's child: its pidfd, its slot, what is waited for and killed.
//!                                             |   first runs `inside.rs` in the host's memory, then a program of ours (`program/`)
//!                                             '-- clone ----> the program: number 2. It runs `child.rs` as any child of any command does,
//!                                                             so descriptors, limits, user, directory, and what is said of a failure are the same
//! ```
//!
//! The traps, and what is done about them:
//!
//! - **How the program has ended cannot be said by an init's own end**: the kernel lets the first process of a namespace die of no signal but SIGKILL from outside,
//!   and 256 exit codes leave no room. So init writes the status into an entry of a *file of fates* (in memory, one for the host; an entry for each
//!   slot of the registry) before it exits. Who publishes an end reads it there with one pread, which a signal handler may do as well, and which needs
//!   nothing of wait: it also tells the truth of a child that somebody else has reaped. If there is nothing (init itself was killed), the
//!   kernel's word is the truth.
//! - **SIGSTOP would stop init, not the program**, and two signals of one number are one. So what the host sends is an *order*: a signal that
//!   is queued (`wire::CARRIER`) and bears which signal goes to whom, and a secret: who queues a signal says himself who he is. What others send to
//!   init by kill(2) is passed on as it is.
//! - **Three processes share the host's memory** for a moment: at the head of `inside.rs`.
//! - **Init holds nothing of the caller's**: else pipes would not end. It has one descriptor, the file of fates.
//!
//! | file        | what                                                              |
//! |-------------|-------------------------------------------------------------------|
//! | `inside.rs` | what the first process does until it is init (between clone and exec) |
//! | `program/`  | init: no libc, no allocation                                      |
//! | `wire.rs`   | what both sides say to each other                                 |
//! | `kit.rs`    | the two files that all contained children of a host need          |

mod inside;
mod kit;
pub(crate) mod wire;

use core::ffi::CStr;
use core::sync::atomic::{AtomicI32, AtomicU64, Ordering};

use std::ffi::CString;

use nix::errno::Errno;

use self::inside::Line;
pub(super) use self::inside::{Nest, entry};
use super::landing::{LOW, Landing, Parked};
use super::orders::Step;
use crate::sys::Fault;
use crate::sys::raw::{check, syscall};

/// What a contained child is made with.
pub struct Contained {
    kit: kit::Numbers,
    /// Where the two are for the child to come, low if there was a place.
    init: i32,
    fates: i32,
    _parked: Option<Parked<'static>>,
    /// What is written to the maps of its user namespace, if it gets one.
    maps: Option<[CString; 2]>,
    host: i32,
    tells_number: bool,
    /// Slot and generation.
    address: AtomicU64,
    tries: AtomicU64,
}

impl Contained {
    /// Makes ready. `Fault` of step "memfd_create" with `EACCES`: files in memory may not be executed here (vm.memfd_noexec); of step "init" with
    /// `EOPNOTSUPP`: this build has no program for it.
    ///
    /// `tells_number`: it is to be known by which number it has outside ([`numbers`]).
    pub fn prepare(landing: &'static Landing, headroom: usize, dies_with_host: bool, tells_number: bool) -> Result<Self, Fault> {
        let kit = kit::ready()?;
        let (mut init, mut fates, mut parked) = (kit.init, kit.fates, None);
        if init.max(fates) >= LOW {
            landing.reserve(headroom);
            parked = landing.park(&[init, fates]);
            if let Some(parked) = &parked {
                (init, fates) = (parked.numbers[0], parked.numbers[1]);
            }
        }
        let maps = (!may_make_namespaces()).then(|| {
            let (user, group) = (nix::unistd::geteuid(), nix::unistd::getegid());
            let text = |id: u32| CString::new(format!("{id} {id} 1\n")).unwrap_or_default();
            [text(user.as_raw()), text(group.as_raw())]
        });
        let host = if dies_with_host { own_number_in_proc()? } else { 0 };
        Ok(Self { kit, init, fates, _parked: parked, maps, host, tells_number, address: AtomicU64::new(0), tries: AtomicU64::new(0) })
    }

    /// Its fate will stand in this slot's entry. Answers the word by which that is found again ([`fate`]).
    pub fn address(&self, slot: u32, generation: u32) -> Result<u64, Errno> {
        self.address.store(u64::from(slot) << 32 | u64::from(generation), Ordering::Relaxed);
        let end = (u64::from(slot) + 1) * wire::ENTRY;
        crate::sys::memfd::check_size(end as usize).map_err(|fault| fault.errno)?;
        Ok((self.kit.fates as u64) << 32 | u64::from(slot))
    }

    /// Numbers below this are needed in the child until the program is there.
    pub(super) fn first_unneeded(&self, first: i32) -> Option<i32> {
        Some(first.max(self.init + 1).max(self.fates + 1)).filter(|first| *first <= LOW)
    }

    /// Which namespaces the clone asks for.
    pub(super) fn flags(&self) -> u64 {
        libc::CLONE_NEWPID as u64 | if self.maps.is_some() { libc::CLONE_NEWUSER as u64 } else { 0 }
    }

    /// Whether it gets a user namespace.
    pub(super) fn has_maps(&self) -> bool {
        self.maps.is_some()
    }

    /// For one clone.
    pub(super) fn nest(&self, apart: bool) -> Box<Nest> {
        let (slot, generation) = (self.address.load(Ordering::Relaxed) >> 32, self.address.load(Ordering::Relaxed) as u32);
        let entry = slot * wire::ENTRY;
        if self.tries.fetch_add(1, Ordering::Relaxed) != 0 {
            // One that failed before may have left its fate, and that would be taken for this one's.
            let blank = [0u64; 2];
            // SAFETY: sixteen bytes of this frame.
            unsafe { syscall!(libc::SYS_pwrite64, self.kit.fates, blank.as_ptr(), wire::ENTRY, entry) };
        }
        let line = |text: &CStr| Line { text: text.as_ptr(), length: text.count_bytes() };
        let [user, group] = self.maps.as_ref().map_or([c"", c""], |[user, group]| [user, group]);
        Box::new(Nest {
            maps: [line(user), line(c"deny"), line(group)],
            mapped: self.maps.is_some(),
            init: self.init,
            fates: self.fates,
            entry,
            ticket: generation,
            host: self.host,
            tells_number: self.tells_number,
            apart,
            relay_gone: AtomicI32::new(0),
            done: AtomicI32::new(0),
            argument: [0; wire::ARGUMENT],
            secret: kit::secret(),
            environment: [0; wire::SECRET + 1],
            inner: core::mem::MaybeUninit::uninit(),
            stack: Box::new_uninit(),
        })
    }
}

/// How the program has ended whose entry this word names (a status of wait(2)), if its init has said so. Safe in a signal handler.
pub fn fate(entry: u64, generation: u32) -> Option<i32> {
    read(entry, 0, generation).map(|status| status as i32)
}

/// The value of an order to an init of this host's.
pub fn order(signal: i32, alone: bool) -> u64 {
    wire::order(kit::secret(), signal, alone)
}

/// The program's numbers outside and inside, if it has said so. Not to be signalled: the first may be another's by now.
pub fn numbers(entry: u64, generation: u32) -> Option<(i32, i32)> {
    read(entry, wire::NUMBER, generation).map(wire::numbered)
}

fn read(entry: u64, at: u64, generation: u32) -> Option<u32> {
    let (file, slot) = ((entry >> 32) as i32, entry & 0xFFFF_FFFF);
    let mut word = 0u64;
    // SAFETY: eight bytes of this frame.
    let got = unsafe { syscall!(libc::SYS_pread64, file, &raw mut word, 8, slot * wire::ENTRY + at) };
    wire::value(if got == 8 { word } else { 0 }, generation)
}

/// "Not to be had here", of a clone that was asked for namespaces: user namespaces are off, or a filter is on, or there are too many, or they are nested too
/// deep.
pub(super) fn is_refusal(errno: Errno) -> bool {
    matches!(errno, Errno::EPERM | Errno::EINVAL | Errno::ENOSPC | Errno::EUSERS | Errno::EACCES | Errno::EOPNOTSUPP)
}

/// The same, of a step of the first process; or /proc is not there.
pub(super) fn is_refused(step: &str, errno: Errno) -> bool {
    let of_namespaces = step == Step::UidMap.name() || step == Step::Init.name();
    of_namespaces && (is_refusal(errno) || matches!(errno, Errno::ENOENT | Errno::ENOSYS))
}

/// Whether the calling thread has CAP_SYS_ADMIN: capget(2).
fn may_make_namespaces() -> bool {
    const VERSION_3: u32 = 0x2008_0522;
    const CAP_SYS_ADMIN: u32 = 1 << 21;
    let (header, mut sets) = ([VERSION_3, 0], [[0u32; 3]; 2]);
    // SAFETY: a header of two words and two sets of three, as that version has them.
    let asked = check(unsafe { syscall!(libc::SYS_capget, header.as_ptr(), sets.as_mut_ptr()) });
    asked.is_ok() && sets[0][0] & CAP_SYS_ADMIN != 0
}

/// The number of this process as /proc has it: that may be another namespace's.
fn own_number_in_proc() -> Result<i32, Fault> {
    let link = nix::fcntl::readlink(c"/proc/self").map_err(Fault::of("die_with_host"))?;
    link.to_str().and_then(|text| text.parse().ok()).ok_or(Fault { step: "die_with_host", errno: Errno::EINVAL })
}
