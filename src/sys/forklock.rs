//! A lock that is taken and given back by a few instructions where it stands: futex(2) only where somebody else holds it.
//!
//! What for: a process that has just been forked has no page of code mapped but that in which it goes on, and each further one costs it some microseconds. The
//! lock of the standard library is code of its own.
//!
//! A panic within gives it back like any other way out, and what it guards stays usable (`lock.rs`).

use core::cell::UnsafeCell;
use core::marker::PhantomData;
use core::ops::{Deref, DerefMut};
use core::sync::atomic::{AtomicU32, Ordering};

use super::raw::syscall;

const FREE: u32 = 0;
const TAKEN: u32 = 1;
/// Taken, and somebody may wait.
const WAITED_FOR: u32 = 2;

/// See above.
pub struct ForkLock<T> {
    word: AtomicU32,
    value: UnsafeCell<T>,
}

// SAFETY: the value is reached through a guard alone, and there is one at a time.
unsafe impl<T: Send> Sync for ForkLock<T> {}

/// It is held as long as this lives.
pub struct Guard<'a, T> {
    lock: &'a ForkLock<T>,
    /// Who shares it shares the value.
    value: PhantomData<&'a mut T>,
}

impl<T> ForkLock<T> {
    pub fn new(value: T) -> Self {
        Self { word: AtomicU32::new(FREE), value: UnsafeCell::new(value) }
    }

    /// Waits for it.
    #[inline(always)]
    pub fn lock(&self) -> Guard<'_, T> {
        if self.word.compare_exchange(FREE, TAKEN, Ordering::Acquire, Ordering::Relaxed).is_err() {
            self.wait();
        }
        Guard { lock: self, value: PhantomData }
    }

    /// `None`: somebody has it.
    #[inline(always)]
    pub fn try_lock(&self) -> Option<Guard<'_, T>> {
        self.word.compare_exchange(FREE, TAKEN, Ordering::Acquire, Ordering::Relaxed).ok().map(|_| Guard { lock: self, value: PhantomData })
    }

    #[cold]
    #[inline(never)]
    fn wait(&self) {
        while self.word.swap(WAITED_FOR, Ordering::Acquire) != FREE {
            // Comes back at once if the word is another by then, and after a signal: both look again.
            // SAFETY: the word outlives the call; no timeout.
            unsafe { syscall!(libc::SYS_futex, self.word.as_ptr(), libc::FUTEX_WAIT | libc::FUTEX_PRIVATE_FLAG, WAITED_FOR, 0) };
        }
    }

    #[cold]
    #[inline(never)]
    fn wake(&self) {
        // SAFETY: the word outlives the call.
        unsafe { syscall!(libc::SYS_futex, self.word.as_ptr(), libc::FUTEX_WAKE | libc::FUTEX_PRIVATE_FLAG, 1) };
    }
}

impl<T> Deref for Guard<'_, T> {
    type Target = T;

    #[inline(always)]
    fn deref(&self) -> &T {
        // SAFETY: whoever has the guard has the lock.
        unsafe { &*self.lock.value.get() }
    }
}

impl<T> DerefMut for Guard<'_, T> {
    #[inline(always)]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: as above, and this guard is borrowed alone.
        unsafe { &mut *self.lock.value.get() }
    }
}

impl<T> Drop for Guard<'_, T> {
    #[inline(always)]
    fn drop(&mut self) {
        if self.lock.word.swap(FREE, Ordering::Release) == WAITED_FOR {
            self.lock.wake();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn one_has_it_at_a_time_and_nobody_is_forgotten() {
        let lock = Arc::new(ForkLock::new((0u64, 0u64)));
        let threads: Vec<_> = (0..4)
            .map(|_| {
                let lock = lock.clone();
                std::thread::spawn(move || {
                    for nth in 0..20_000 {
                        let mut both = lock.lock();
                        both.0 += 1;
                        if nth % 64 == 0 {
                            std::thread::yield_now();
                        }
                        both.1 += 1;
                        assert_eq!(both.0, both.1);
                    }
                })
            })
            .collect();
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        assert_eq!(*lock.lock(), (80_000, 80_000));
    }

    #[test]
    fn who_does_not_want_to_wait_learns_that_it_is_taken_and_a_panic_gives_it_back() {
        let lock = ForkLock::new(7);
        let guard = lock.lock();
        assert!(lock.try_lock().is_none());
        drop(guard);
        let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let _guard = lock.lock();
            std::panic::resume_unwind(Box::new(()));
        }));
        assert!(caught.is_err());
        assert_eq!(lock.try_lock().map(|guard| *guard), Some(7));
    }
}
