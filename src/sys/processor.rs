//! One processor, for a moment: a thread stays where it is while it makes children, and so do they until their exec. sched_setaffinity(2).
//!
//! The trap: whose wish a set of processors is. A thread that somebody has bound is left alone, for the kernel remembers such a wish apart from what a
//! cpuset allows (Linux 6.2): put back as a list it would stand in the way when the cpuset grows. So this is for threads that may go wherever
//! their cpuset lets them, and "anywhere" is what they and their children are given back. Whether a thread is one of these is tried each time, until
//! it is found to be none. And if somebody else has bound the thread meanwhile, it stays so.

use core::cell::Cell;
use core::sync::atomic::{AtomicU64, Ordering};

use nix::errno::Errno;

use super::procfs;
use super::raw::{check, syscall};

/// As many processors as there are bits; where a kernel knows more, nobody is held.
type Set = [u64; 16];

/// Wherever the cpuset allows.
const ANYWHERE: Set = [u64::MAX; 16];
static OF_CHILDREN: Set = ANYWHERE;

/// What a thread knows of itself: to look takes as long as a tenth of a short job.
#[derive(Clone, Copy)]
struct Seen {
    /// Since which request; 0: nothing.
    asked: u64,
    filtered: bool,
    /// What somebody has bound it to, and it is left alone with; empty: nothing.
    bound: Set,
}

std::thread_local! {
    static HELD: Cell<bool> = const { Cell::new(false) };
    static SEEN: Cell<Seen> = const { Cell::new(Seen { asked: 0, filtered: false, bound: [0; 16] }) };
}

/// A number for a request: each thread looks anew at itself after it.
pub fn ask() -> u64 {
    static LAST: AtomicU64 = AtomicU64::new(0);
    LAST.fetch_add(1, Ordering::Relaxed) + 1
}

fn get() -> Result<Set, Errno> {
    let mut set: Set = [0; 16];
    // SAFETY: so many bytes of this frame; 0 is the calling thread.
    check(unsafe { syscall!(libc::SYS_sched_getaffinity, 0, size_of::<Set>(), set.as_mut_ptr()) })?;
    Ok(set)
}

fn put(set: &Set) -> Result<(), Errno> {
    // SAFETY: so many bytes that are only read; 0 is the calling thread.
    check(unsafe { syscall!(libc::SYS_sched_setaffinity, 0, size_of::<Set>(), set.as_ptr()) }).map(drop)
}

/// Which processor this thread runs on now, as a set.
fn here() -> Option<Set> {
    // SAFETY: no arguments.
    let number = usize::try_from(unsafe { libc::sched_getcpu() }).ok()?;
    let mut set: Set = [0; 16];
    *set.get_mut(number / 64)? = 1 << (number % 64);
    Some(set)
}

/// What this thread knows of itself since that request.
fn seen_since(asked: u64) -> Seen {
    let mut seen = SEEN.get();
    if seen.asked < asked {
        seen = Seen { asked, filtered: procfs::is_filtered(), bound: [0; 16] };
        SEEN.set(seen);
    }
    seen
}

/// The thread stays on its processor until this goes.
#[derive(Debug)]
pub struct Held {
    to: Set,
}

impl Held {
    /// `None`: it cannot go anywhere else, has been bound, or a filter may forbid the call. `asked`: by which request ([`ask`]).
    pub fn here(asked: u64) -> Option<Self> {
        if HELD.get() {
            return None;
        }
        let seen = seen_since(asked);
        if seen.filtered {
            return None;
        }
        let before = get().ok()?;
        if before == seen.bound || before.iter().map(|word| word.count_ones()).sum::<u32>() < 2 {
            return None;
        }
        let to = here()?;
        put(&ANYWHERE).ok()?;
        if get() != Ok(before) {
            let _ = put(&before);
            SEEN.set(Seen { bound: before, ..seen });
            return None;
        }
        put(&to).ok()?;
        HELD.set(true);
        Some(Self { to })
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        HELD.set(false);
        if get() == Ok(self.to) {
            let _ = put(&ANYWHERE);
        }
    }
}

/// What a child that this thread makes is to be given for its processors: nothing, if it may have what the thread has.
pub fn of_children() -> &'static [u64] {
    if HELD.get() { &OF_CHILDREN } else { &[] }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn in_a_thread(test: fn()) {
        std::thread::spawn(test).join().unwrap();
    }

    #[test]
    fn a_thread_is_held_and_let_go() {
        in_a_thread(|| {
            let before = get().unwrap();
            let Some(held) = Held::here(ask()) else { return };
            assert_eq!(get().unwrap(), held.to);
            assert!(Held::here(ask()).is_none(), "once");
            assert_eq!(of_children(), &ANYWHERE);
            drop(held);
            assert_eq!((get().unwrap(), of_children().len()), (before, 0));
            // Whoever is bound stays so.
            put(&here().unwrap()).unwrap();
            let bound = get().unwrap();
            assert!(Held::here(ask()).is_none());
            assert_eq!(get().unwrap(), bound);
        });
    }

    #[test]
    fn who_was_bound_meanwhile_stays_so() {
        in_a_thread(|| {
            let Some(held) = Held::here(ask()) else { return };
            let others = held.to.map(|word| !word);
            put(&others).unwrap();
            let bound = get().unwrap();
            drop(held);
            assert_eq!(get().unwrap(), bound);
        });
    }

    #[test]
    fn a_thread_looks_at_itself_once_for_each_request() {
        in_a_thread(|| {
            let asked = ask();
            seen_since(asked);
            SEEN.set(Seen { filtered: true, ..SEEN.get() });
            assert!(seen_since(asked).filtered && seen_since(asked - 1).filtered, "as it was seen");
            assert_eq!(seen_since(ask()).filtered, procfs::is_filtered());
        });
    }
}
