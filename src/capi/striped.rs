//! A lock for what is read all the time, by all threads, and seldom changed.
//!
//! The trap: a reader of an ordinary `RwLock` writes to it, so all processors that read pass one cache line around, and four threads are slower than one.
//! Here a reader takes one of several locks, by its thread; who changes something takes all of them, always in the same order.

use core::cell::{Cell, UnsafeCell};
use core::ops::{Deref, DerefMut};
use core::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

const STRIPES: usize = 8;

/// Alone on its cache lines.
#[derive(Default)]
#[repr(align(128))]
struct Stripe(RwLock<()>);

/// See above.
#[derive(Default)]
pub(super) struct Striped<T> {
    stripes: [Stripe; STRIPES],
    value: UnsafeCell<T>,
}

// SAFETY: shared only by those who hold a stripe for reading, to itself only by who holds all for writing.
unsafe impl<T: Send + Sync> Sync for Striped<T> {}

pub(super) struct Reading<'a, T> {
    _stripe: RwLockReadGuard<'a, ()>,
    value: &'a T,
}

pub(super) struct Writing<'a, T> {
    _stripes: [RwLockWriteGuard<'a, ()>; STRIPES],
    value: &'a mut T,
}

/// Which one this thread takes: in turn, for by chance two of four threads have the same one more often than not.
fn stripe() -> usize {
    static LAST: AtomicUsize = AtomicUsize::new(0);
    thread_local!(static OURS: Cell<usize> = const { Cell::new(0) });
    let mut ours = OURS.get();
    if ours == 0 {
        // Odd: it is never 0, also not after the last number.
        ours = LAST.fetch_add(2, Ordering::Relaxed) | 1;
        OURS.set(ours);
    }
    (ours >> 1) % STRIPES
}

impl<T> Striped<T> {
    /// Not twice by one thread at once.
    #[inline(always)]
    pub(super) fn read(&self) -> Reading<'_, T> {
        let stripe = self.stripes[stripe()].0.read().unwrap_or_else(PoisonError::into_inner);
        // SAFETY: nobody has all stripes for writing.
        Reading { _stripe: stripe, value: unsafe { &*self.value.get() } }
    }

    pub(super) fn write(&self) -> Writing<'_, T> {
        let stripes = self.stripes.each_ref().map(|stripe| stripe.0.write().unwrap_or_else(PoisonError::into_inner));
        // SAFETY: all stripes are held for writing, so nobody reads.
        Writing { _stripes: stripes, value: unsafe { &mut *self.value.get() } }
    }
}

impl<T> Deref for Reading<'_, T> {
    type Target = T;
    fn deref(&self) -> &T {
        self.value
    }
}

impl<T> Deref for Writing<'_, T> {
    type Target = T;
    fn deref(&self) -> &T {
        self.value
    }
}

impl<T> DerefMut for Writing<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        self.value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_changes_is_alone() {
        let striped = Striped::<(u64, u64)>::default();
        std::thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    for _ in 0..2_000 {
                        let both = striped.read();
                        assert_eq!(both.0, both.1);
                    }
                });
            }
            for _ in 0..2 {
                scope.spawn(|| {
                    for _ in 0..500 {
                        let mut both = striped.write();
                        both.0 += 1;
                        std::thread::yield_now();
                        both.1 += 1;
                    }
                });
            }
        });
        assert_eq!(*striped.read(), (1_000, 1_000));
    }
}
