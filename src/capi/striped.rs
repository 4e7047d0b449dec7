//! A lock for what is read all the time, by all threads, and seldom changed.
//!
//! The trap: a reader of an ordinary `RwLock` writes to it, so all processors that read pass one cache line around, and four threads are slower than one.
//! Here a reader takes one of several locks, by its thread; who changes something takes all of them, always in the same order.

use core::cell::UnsafeCell;
use core::ops::{Deref, DerefMut};
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

/// Which one this thread takes: by where its own memory lies.
fn stripe() -> usize {
    thread_local!(static HERE: u8 = const { 0 });
    let at = HERE.with(|here| core::ptr::from_ref(here).addr() as u64);
    ((at >> 12).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 61) as usize
}

impl<T> Striped<T> {
    /// Not twice by one thread at once.
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
