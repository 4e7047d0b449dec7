//! Everything at once. These three may be called from a signal handler: no lock, no allocation, errno untouched.
//!
//! They never retire a slot or release what a child owned: ordinary calls do that later. They take all children of this
//! process, whichever supervisor made them; in a forked copy of the host the table is empty and they touch nobody, and neither do
//! they in a child that the host made by vfork, although it sees the table.

use core::sync::atomic::{AtomicU64, Ordering};

use nix::errno::Errno;

use super::slot::Reaped;
use super::{REGISTRY, Slot, slot};
use crate::clock::{self, Deadline};
use crate::sys::{poll, reserve, signal};

/// Numbers the rounds of kill-all, so that a round waits for exactly the children it killed.
static ROUND: AtomicU64 = AtomicU64::new(0);

/// How long one wait lasts before the whole is looked at again.
const SLICE: i64 = 10 * clock::MILLI;

/// How long newborns may take to their first moments. Whether one will come at all is not always known (`Birth::channel`).
const FIRST_MOMENTS: i64 = 1_000 * clock::MILLI;

/// Sends a signal to every live child's group. One that has just gone is no error. `false`: there is no such signal (1 to 64).
pub fn signal_all(signal: i32) -> bool {
    if !(1..=signal::MAX).contains(&signal) {
        return false;
    }
    let Some(registry) = REGISTRY.get().filter(|registry| registry.is_ours()) else { return true };
    for slot in registry.slots().filter(Slot::is_running) {
        let _ = slot.signal_as_owner(signal);
    }
    true
}

/// How many children have not been reaped.
pub fn live_count() -> u32 {
    REGISTRY.get().filter(|registry| registry.is_ours()).map_or(0, |registry| registry.slots().filter(Slot::is_running).count() as u32)
}

/// The numbers of the children that nobody has reaped; `ENOMEM` if there is no memory for so many.
pub fn numbers() -> Result<Vec<i32>, Errno> {
    // In a slot that was used before an old number may stand.
    REGISTRY.get().map_or(Ok(Vec::new()), |registry| reserve::list(registry.slots().filter(Slot::is_running).map(|slot| slot.pid())))
}

/// Whether one of those has this number.
pub fn has_number(pid: i32) -> bool {
    REGISTRY.get().is_some_and(|registry| registry.slots().filter(Slot::is_running).any(|slot| slot.pid() == pid))
}

/// Whether one of those, which has not ended, has this number.
pub fn is_alive(pid: i32) -> bool {
    REGISTRY.get().is_some_and(|registry| registry.slots().any(|slot| slot.pid() == pid && slot.is_alive()))
}

/// Whether two of those, which have not ended, have this number: they are one process.
pub fn is_alive_twice(pid: i32) -> bool {
    let of_it = |registry: &'static super::Registry| registry.slots().filter(|slot| slot.pid() == pid);
    // Mostly there is one, and nobody has to be asked whether it lives.
    let same = |registry| of_it(registry).nth(1).is_some() && of_it(registry).filter(Slot::is_alive).nth(1).is_some();
    REGISTRY.get().is_some_and(same)
}

/// Kills all groups, then reaps every leader; answers how many were left at the deadline. One that may not be killed (it has become another
/// user, or is a stranger where a filter forbids signals by pidfd) is left, and not waited for: that could be for ever. A stranger is reaped when it is
/// dead: how it ended may be published later.
pub fn kill_and_reap_all(deadline: Deadline) -> u32 {
    let Some(registry) = REGISTRY.get().filter(|registry| registry.is_ours()) else { return 0 };
    let round = ROUND.fetch_add(1, Ordering::SeqCst) + 1;
    // It may be a zombie: that refuses signals, too.
    let refuses = |slot: &Slot| !slot.kill_in_round(round) && slot.try_reap(false) == Reaped::Running;
    let mut refused = 0;
    for slot in registry.slots() {
        slot.close_gate(round);
        refused += u32::from(slot.is_running() && refuses(&slot));
    }
    let reap_round = || registry.slots().filter(|slot| slot.in_round(round)).map(|slot| u32::from(!reap(slot, round, deadline))).sum();
    let mut left: u32 = reap_round();
    if slot::any_is_made_elsewhere() {
        // The spawners have been killed with the others: what they have made meanwhile is all that comes of them. Its number may be written in its own
        // first moment, which is waited for; one that comes later finds its gate barred.
        let by = deadline.min(Deadline::after(FIRST_MOMENTS));
        for slot in registry.slots() {
            if !poll::relax_until(by.left(clock::now()), || !slot.owes_number()) {
                slot.bar_unnumbered();
            }
        }
        let late = |slot: &Slot| slot.is_made_elsewhere() && slot.is_running() && !slot.in_round(round);
        refused += registry.slots().filter(late).filter(refuses).count() as u32;
        left = reap_round();
    }
    left + refused
}

/// How many rounds of kill-all have begun.
pub fn rounds() -> u64 {
    ROUND.load(Ordering::SeqCst)
}

/// Reaps one killed child, waiting no longer than the deadline. A zombie that another frame of this process is reaping
/// counts as reaped: that frame may lie below us on this very stack, so waiting for it could be for ever. So does a dead stranger whose end is
/// not known yet: its parent may take its time, and there is nothing left to be killed.
fn reap(slot: Slot, round: u64, deadline: Deadline) -> bool {
    let mut elsewhere = 0;
    loop {
        if !slot.is_running() || !slot.in_round(round) {
            return true;
        }
        match slot.try_reap(false) {
            Reaped::Published => return true,
            Reaped::Elsewhere if elsewhere > 100 => return true,
            Reaped::Elsewhere => {
                elsewhere += 1;
                poll::relax();
            }
            Reaped::Running => {
                let left = deadline.left(clock::now());
                if left == 0 {
                    return false;
                }
                slot.await_end(left.min(SLICE));
            }
        }
    }
}
