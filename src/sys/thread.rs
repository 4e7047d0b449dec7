//! Thread cancellation: pthread_setcancelstate(3).
//!
//! The trap: poll, read and close of libc are cancellation points. A host that cancels a thread inside one of our calls would
//! have glibc unwind through Rust frames, which aborts the process. So our calls are no cancellation points.

unsafe extern "C" {
    fn pthread_setcancelstate(state: i32, before: *mut i32) -> i32;
}

const DISABLE: i32 = 1;

/// This thread cannot be cancelled until the value is dropped; a cancellation that comes meanwhile takes effect later.
pub struct NotCancellable(i32);

impl NotCancellable {
    /// From now on.
    pub fn begin() -> Self {
        let mut before = 0;
        // SAFETY: one int on our own stack. The call only sets a flag of this thread.
        unsafe { pthread_setcancelstate(DISABLE, &raw mut before) };
        Self(before)
    }
}

impl Drop for NotCancellable {
    fn drop(&mut self) {
        // SAFETY: the state is one that the same call has answered.
        unsafe { pthread_setcancelstate(self.0, core::ptr::null_mut()) };
    }
}

/// A umask for this thread alone, which from now on shares it with nobody: unshare(2). For tests.
#[cfg(test)]
pub fn own_umask(mask: libc::mode_t) -> Result<(), nix::errno::Errno> {
    // SAFETY: a number.
    nix::errno::Errno::result(unsafe { libc::unshare(libc::CLONE_FS) })?;
    // SAFETY: as above.
    unsafe { libc::umask(mask) };
    Ok(())
}
