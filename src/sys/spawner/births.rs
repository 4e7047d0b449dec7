//! The memory that host and spawner share: for each slot the number of the child, its gate, and what it reports.
//!
//! All of it is atomics, so a signal handler may look at it and close gates. Mapped for as long as the last share of it lives. A forked copy of the host
//! does not have it (MADV_DONTFORK), and finds nothing here.

use core::sync::atomic::Ordering;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, SealFlag, fcntl};
use nix::unistd::ftruncate;

use super::wire::{self, Birth, Memory};
use crate::clock::MILLI;
use crate::sys::memory::Home;
use crate::sys::raw::syscall;
use crate::sys::spawn::Step;
use crate::sys::{Fault, getpid, memfd, poll, procfs};

/// How long a newborn may take to its first moment, where nothing says that there is none.
const FIRST_MOMENT: i64 = 100 * MILLI;

/// Whether a child may go on to its program.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u32)]
pub enum Gate {
    /// It waits, and says that it was born.
    Shut = wire::SHUT,
    /// It goes on.
    Open = wire::OPEN,
    /// It ends, whether it is born yet or not.
    Barred = wire::BARRED,
}

/// What a slot says of its child after the spawner has ended and was reaped: from then on no other is born.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fate {
    /// It was never born, and never will be: the request may be made anew.
    Unborn,
    /// It was born with this number, and has reported no failure: it has begun, is about to, waits at its gate, or was killed.
    Born(i32),
    /// It was born and has ended, or is ending, with this step and error.
    Failed(i32, &'static str, Errno),
}

/// The name that an error shows.
pub(super) fn step_name(step: i32) -> &'static str {
    wire::STEPS.iter().find(|(number, _)| *number == step).map_or_else(|| Step::from_raw(step).name(), |(_, name)| *name)
}

/// The shared memory of one spawner.
#[derive(Debug)]
pub struct Births {
    memory: &'static Memory,
    home: Home,
}

impl Births {
    /// New memory, and the file that it lies in: sealed at its size. All gates are barred.
    pub(super) fn create() -> Result<(Self, OwnedFd), Fault> {
        let size = size_of::<Memory>();
        memfd::check_size(size)?;
        let file = memfd::create(c"procsup-births")?;
        ftruncate(&file, size as libc::off_t).map_err(Fault::of("ftruncate"))?;
        let seals = SealFlag::F_SEAL_GROW | SealFlag::F_SEAL_SHRINK | SealFlag::F_SEAL_SEAL;
        fcntl(&file, FcntlArg::F_ADD_SEALS(seals)).map_err(Fault::of("fcntl"))?;
        // All of its pages now: a signal handler, and the kernel in the middle of a clone, are to find them.
        let flags = libc::MAP_SHARED | libc::MAP_POPULATE;
        // SAFETY: a new shared mapping at an address of the kernel's choice touches no existing memory.
        let at = unsafe { libc::mmap(core::ptr::null_mut(), size, libc::PROT_READ | libc::PROT_WRITE, flags, file.as_raw_fd(), 0) };
        if at == libc::MAP_FAILED {
            return Err(Fault { step: "mmap", errno: Errno::last() });
        }
        // SAFETY: the range is the mapping made above; a failure only means that a forked copy would have it, too.
        unsafe { libc::madvise(at, size, libc::MADV_DONTFORK) };
        // SAFETY: mapped, aligned to a page, as long as the file for ever (sealed), unmapped only when this value is dropped, which hands
        // out no longer borrows, and reached through atomics alone.
        let memory = unsafe { &*at.cast::<Memory>() };
        memory.host.store(getpid(), Ordering::Relaxed);
        let processors = std::thread::available_parallelism().map_or(1, |count| count.get() as u32);
        memory.processors.store(processors.max(2), Ordering::Relaxed);
        memory.filtered.store(u32::from(procfs::is_filtered()), Ordering::Relaxed);
        memory.births.iter().for_each(|birth| birth.gate.store(wire::BARRED, Ordering::Relaxed));
        Ok((Self { memory, home: Home::here() }, file))
    }

    /// Where that is; null: nowhere.
    pub(super) fn address(&self, index: usize) -> *const Birth {
        self.births().get(index).map_or(core::ptr::null(), core::ptr::from_ref)
    }

    /// All slots; in a forked copy there are none.
    fn births(&self) -> &[Birth] {
        if self.home.is_here() { &self.memory.births } else { &[] }
    }

    /// The spawner has a pidfd of the host.
    pub(super) fn set_watched(&self) {
        self.memory.watched.store(1, Ordering::Relaxed);
    }

    /// Makes a slot ready for another child.
    pub(super) fn prepare(&self, index: usize, ticket: u32, gate: Gate, channel: RawFd) {
        let Some(birth) = self.births().get(index) else { return };
        birth.channel.store(channel, Ordering::Relaxed);
        birth.pid.store(0, Ordering::Relaxed);
        birth.step.store(0, Ordering::Relaxed);
        birth.errno.store(0, Ordering::Relaxed);
        birth.ticket.store(ticket, Ordering::Relaxed);
        birth.gate.store(gate as u32, Ordering::SeqCst);
    }

    /// The number of the child of this slot, 0 while it is not born. Written by the kernel before its first instruction. It may have been reaped by
    /// somebody else since. For signal handlers, too.
    pub fn pid(&self, index: usize) -> i32 {
        self.births().get(index).map_or(0, |birth| birth.pid.load(Ordering::Acquire)).max(0)
    }

    /// The channel is shut by the host itself: it hangs up whoever is left.
    pub(super) fn channel_is_shut(&self) {
        self.births().iter().for_each(|birth| birth.channel.store(-1, Ordering::Relaxed));
    }

    /// Opens the gate of one child, or bars it. `false`: it was barred before. One that has passed an open gate is not held back any more: that one
    /// has a number, and is signalled. For signal handlers, too.
    pub fn set(&self, index: usize, gate: Gate) -> bool {
        self.births().get(index).is_some_and(|birth| set(birth, gate))
    }

    /// Bars every gate, those of slots that are not taken yet included: from now on no child passes. For signal handlers, too.
    pub fn bar_all(&self) {
        if !self.home.is_here() {
            return;
        }
        self.memory.barred.store(1, Ordering::SeqCst);
        (0..wire::SLOTS).for_each(|index| {
            self.set(index, Gate::Barred);
        });
    }

    /// What became of the child of a slot. One that is born, and has not had its first moment, may have no number yet where clone(2) had to do
    /// (`wire::SEND_PIDFD`): it finds its gate barred, and is waited for, since nobody else would reap it.
    pub(super) fn fate(&self, index: usize) -> Fate {
        let Some(birth) = self.births().get(index) else { return Fate::Unborn };
        if birth.pid.load(Ordering::Acquire) <= 0 {
            self.set(index, Gate::Barred);
            poll::relax_until(FIRST_MOMENT, || !owes_number(birth));
        }
        match (birth.pid.load(Ordering::Acquire), birth.step.load(Ordering::Acquire)) {
            (..=0, _) => Fate::Unborn,
            (pid, 0) => Fate::Born(pid),
            (pid, step) => Fate::Failed(pid, step_name(step), Errno::from_raw(birth.errno.load(Ordering::Relaxed))),
        }
    }
}

/// See [`Births::set`].
pub(super) fn set(birth: &Birth, gate: Gate) -> bool {
    let changed = birth.gate.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |now| (now != wire::BARRED).then_some(gate as u32));
    if changed == Ok(wire::SHUT) {
        // SAFETY: a word of the shared memory.
        unsafe { syscall!(libc::SYS_futex, birth.gate.as_ptr(), libc::FUTEX_WAKE, 1) };
    }
    changed.is_ok()
}

/// Whether a child may be there that has no number yet. `false`: what stands there now is all that will. For signal handlers, too; asked only after the
/// spawner has ended.
pub(super) fn owes_number(birth: &Birth) -> bool {
    if birth.pid.load(Ordering::Acquire) != wire::UNNUMBERED {
        return false;
    }
    let channel = birth.channel.load(Ordering::Relaxed);
    channel < 0 || !poll::has_hung_up(channel)
}

impl Drop for Births {
    fn drop(&mut self) {
        // A forked copy does not have the mapping, and may have another one there.
        if self.home.is_here() {
            // SAFETY: our own mapping; borrows of it end with this value.
            unsafe { libc::munmap(core::ptr::from_ref(self.memory).cast_mut().cast(), size_of::<Memory>()) };
        }
    }
}
