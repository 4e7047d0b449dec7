//! The one way in which a mutex is taken here.

use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};

/// Locks, also after a panic elsewhere: the registry and its children must stay usable.
pub(crate) fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The same in a process that has just been forked, and has no other thread: code that it shares with nobody is where it is.
#[inline(always)]
pub(crate) fn lock_alone<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    match mutex.try_lock() {
        Ok(guard) => guard,
        Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
        Err(TryLockError::WouldBlock) => lock(mutex),
    }
}
