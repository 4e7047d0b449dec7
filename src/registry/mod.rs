//! The process-global, signal-safe table of live children.
//!
//! Also of those that another process has made for us and that are adopted: strangers.
//!
//! Fixed addresses, no locks, no allocation on the way of a signal handler, and memory that a forked host finds wiped: its
//! child owns nothing, without an atfork hook.
//!
//! | part          | what                                                                          |
//! |---------------|-------------------------------------------------------------------------------|
//! | `word.rs`     | the protocol of one slot, one atomic word; model-checked                      |
//! | `freelist.rs` | which slots are free; model-checked                                           |
//! | `slot.rs`     | one child: identity, signals, look-sweep-reap                                 |
//! | `gate.rs`     | a birth: a place for a process that is not known yet; model-checked           |
//! | `all.rs`      | everything at once: the three calls a signal handler may make                 |
//! | `exit.rs`     | the exit record                                                               |
//! | `atomics.rs`  | the atomics under one name                                                    |

mod all;
mod atomics;
mod exit;
mod freelist;
mod gate;
mod slot;
pub mod word;

use core::sync::atomic::{AtomicU64, Ordering};
use std::os::fd::RawFd;

use nix::errno::Errno;
use once_cell::race::OnceBox;

use crate::sys::memory::{Row, WipedTable, wiped_row};
use crate::sys::oom;
use crate::sys::spawn::{Contained, Isolation};

pub use all::{has_number, is_alive, is_alive_twice, kill_and_reap_all, live_count, numbers, rounds, signal_all};
pub use exit::{Cause, Exit, Kind, Memory, Oom};
pub use slot::{Facts, Reaped, Slot, Tie};

/// The table and its header. The header lies in wiped memory too: a forked child starts with an empty free list and no slots.
struct Registry {
    table: WipedTable,
    header: &'static Row,
}

static REGISTRY: OnceBox<Registry> = OnceBox::new();

impl Registry {
    fn head(&self) -> &AtomicU64 {
        &self.header[0]
    }

    /// How many slots were ever in use.
    fn high(&self) -> &AtomicU64 {
        &self.header[1]
    }

    /// The process that the table belongs to. A child that the host made by vfork shares all memory, wiped or not: a signal
    /// handler of the host that runs in it must not act on its parent's children.
    fn is_ours(&self) -> bool {
        self.header[2].load(Ordering::Acquire) == crate::sys::getpid() as u64
    }

    fn slot(&self, index: u32) -> Option<Slot> {
        self.table.get(index as usize).map(Slot)
    }

    /// All slots that were ever in use.
    fn slots(&self) -> impl Iterator<Item = Slot> + '_ {
        (0..self.high().load(Ordering::Acquire) as u32).filter_map(|index| self.slot(index))
    }
}

fn registry() -> Result<&'static Registry, Errno> {
    REGISTRY.get_or_try_init(|| Ok(Box::new(Registry { table: WipedTable::new()?, header: wiped_row()? })))
}

/// A place in the registry that belongs to one child; end it with [`Lease::retire`].
#[derive(Debug, PartialEq, Eq)]
pub struct Lease {
    index: u32,
    generation: u32,
}

impl Lease {
    /// Takes a slot for a process that another has made, since then: it is in there when this returns. The pidfd stays open as long as the slot is
    /// taken.
    pub fn adopt(pid: i32, pidfd: RawFd, started: i64) -> Result<(Self, Slot), Errno> {
        let facts = Facts { tie: Tie::Stranger, isolation: Isolation::None, sweep: false, cgroup_kill: -1 };
        let (lease, slot) = Self::take_since(facts, started)?;
        slot.adopt(pid, pidfd);
        Ok((lease, slot))
    }

    /// Takes a slot for a birth that another process was asked for, then. Nobody is in it before [`Lease::register`].
    ///
    /// `gate`: a socket that the newborn waits on; kill-all shuts it down, so it must stay open as long as the lease is held and nobody is registered.
    pub fn expect(gate: Option<RawFd>, asked: i64) -> Result<Self, Errno> {
        let facts = Facts { tie: Tie::Child, isolation: Isolation::None, sweep: false, cgroup_kill: -1 };
        let (lease, slot) = Self::take_since(facts, asked)?;
        slot.expect(gate);
        Ok(lease)
    }

    /// Whether kill-all has come by since, of a birth: it must not go on.
    pub fn is_refused(&self) -> bool {
        self.slot().is_none_or(|slot| slot.is_refused())
    }

    /// The birth that was expected is this process: it is in the registry when this returns, and the gate is nobody's here any more. `false`: kill-all
    /// has begun since it was asked for; it is in there all the same, and is to be killed by the caller.
    pub fn register(&self, pid: i32, pidfd: RawFd, facts: Facts) -> bool {
        self.slot().is_some_and(|slot| slot.register(pid, pidfd, facts))
    }

    /// What is known of it is this from now on; whose it is stays.
    pub fn set_facts(&self, facts: Facts) {
        if let Some(slot) = self.slot() {
            slot.set_facts(facts);
        }
    }

    /// Takes a slot for a child that is about to be made, as begun then.
    pub fn take_since(facts: Facts, started: i64) -> Result<(Self, Slot), Errno> {
        let registry = registry()?;
        if registry.header[2].load(Ordering::Relaxed) == 0 {
            registry.header[2].store(crate::sys::getpid() as u64, Ordering::Release);
            // Once in the life of this process: what its children's ends are compared with.
            oom::look();
        }
        let next = |index| registry.slot(index).map_or(0, |slot| slot.next_word().load(Ordering::Relaxed));
        let index = match freelist::pop(registry.head(), next) {
            Some(index) => index,
            None => {
                let index = registry.high().fetch_add(1, Ordering::AcqRel) as u32;
                if let Err(errno) = registry.table.grow(index as usize) {
                    // The number stays unused: readers skip slots without memory, and it is offered again.
                    let _ = registry.high().compare_exchange(u64::from(index) + 1, u64::from(index), Ordering::AcqRel, Ordering::Relaxed);
                    return Err(errno);
                }
                index
            }
        };
        let slot = registry.slot(index).ok_or(Errno::ENOMEM)?;
        let generation = slot.begin(facts, started);
        Ok((Self { index, generation }, slot))
    }

    /// A contained child is about to be made in it.
    pub fn contain(&self, contained: &Contained) -> Result<(), Errno> {
        let slot = self.slot().ok_or(Errno::ESRCH)?;
        slot.set_entry(contained.address(self.index, self.generation)?);
        Ok(())
    }

    /// The slot, unless this process is a forked copy of the one that took it.
    pub fn slot(&self) -> Option<Slot> {
        let slot = REGISTRY.get()?.slot(self.index)?;
        (slot.generation() == self.generation && slot.state() != word::State::Free).then_some(slot)
    }

    /// Retires the slot though the child may live on: nobody here signals or reaps it any more. Answers as `retire` does.
    pub fn disown(self) -> bool {
        if let Some(slot) = self.slot() {
            slot.disown();
        }
        self.retire()
    }

    /// The slot is free again. The child must have been reaped (or, of a stranger, its end be published), or never have been made.
    ///
    /// `false`: a frame that signals or reaps the child has not come back. The slot is abandoned, and is no child's any more; what it may use by
    /// number (the pidfd, `cgroup.kill`) must stay open for good.
    #[must_use]
    pub fn retire(self) -> bool {
        let (Some(registry), Some(slot)) = (REGISTRY.get(), self.slot()) else { return true };
        let retired = slot.retire();
        if retired {
            freelist::push(registry.head(), self.index, |next| slot.next_word().store(next, Ordering::Relaxed));
        }
        retired
    }
}
