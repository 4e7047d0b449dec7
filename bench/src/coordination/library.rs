//! The coordination part of procsup's C face, by name: the other subjects can measure libraries without it.

use crate::procsup::{Api, Command, Error, Supervisor};
use std::ffi::{CStr, CString, c_char};
use std::path::Path;
use std::ptr::null_mut;

#[derive(Clone, Copy)]
#[repr(transparent)]
struct Pointer(*mut u8);

// SAFETY: handles are opaque values, which any thread may use.
unsafe impl Send for Pointer {}
// SAFETY: the same.
unsafe impl Sync for Pointer {}

const PS_OK: i32 = 0;
const PS_READY_NOTIFY: i32 = 1;

type New = unsafe extern "C" fn(u32, i64, *mut Pointer, *mut Error) -> i32;
type Begin = unsafe extern "C" fn(Pointer, *const c_char, *mut u64, *mut Error) -> i32;
type Finish = unsafe extern "C" fn(Pointer, u64, i32, *mut Error) -> i32;
type Free = unsafe extern "C" fn(Pointer);
type Acquire = unsafe extern "C" fn(*const c_char, i64, *mut Pointer, *mut Error) -> i32;
type Readiness = unsafe extern "C" fn(Command, i32, *const c_char, i64, *mut Error) -> i32;
type Word = unsafe extern "C" fn(Command, *const c_char, *mut Error) -> i32;

/// A `ps_budget` that nobody ever exhausts: each attempt succeeds.
pub struct Budget {
    begin: Begin,
    finish: Finish,
    free: Free,
    budget: Pointer,
}

impl Budget {
    pub fn new(api: &Api) -> Result<Self, String> {
        // SAFETY: the signatures are those of the documented C face.
        let (new, begin, finish, free): (New, Begin, Finish, Free) = unsafe {
            (
                api.function("ps_budget_new")?,
                api.function("ps_budget_begin")?,
                api.function("ps_budget_finish")?,
                api.function("ps_budget_free")?,
            )
        };
        let (mut budget, mut error) = (Pointer(null_mut()), null_mut());
        // SAFETY: valid pointers for the duration of the call.
        let status = unsafe { new(0, 0, &mut budget, &mut error) };
        api.check("ps_budget_new", status, error)?;
        Ok(Self { begin, finish, free, budget })
    }

    /// One attempt that succeeds. `false`: it was refused.
    #[inline]
    pub fn pair(&self, key: &CStr) -> bool {
        let mut permit = 0;
        // SAFETY: as above; no details of a failure are wanted.
        unsafe {
            (self.begin)(self.budget, key.as_ptr(), &mut permit, null_mut()) == PS_OK
                && (self.finish)(self.budget, permit, 1, null_mut()) == PS_OK
        }
    }
}

impl Drop for Budget {
    fn drop(&mut self) {
        // SAFETY: handles are checked by the library.
        unsafe { (self.free)(self.budget) }
    }
}

/// A held `ps_spawn_lock`.
pub struct Lock {
    release: Free,
    lock: Pointer,
}

impl Lock {
    pub fn acquire(api: &Api, path: &CStr, timeout_ms: i64) -> Result<Self, String> {
        // SAFETY: the signatures are those of the documented C face.
        let (acquire, release): (Acquire, Free) =
            unsafe { (api.function("ps_spawn_lock_acquire")?, api.function("ps_spawn_lock_release")?) };
        let (mut lock, mut error) = (Pointer(null_mut()), null_mut());
        // SAFETY: valid pointers for the duration of the call.
        let status = unsafe { acquire(path.as_ptr(), timeout_ms, &mut lock, &mut error) };
        api.check("ps_spawn_lock_acquire", status, error)?;
        Ok(Self { release, lock })
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // SAFETY: handles are checked by the library.
        unsafe { (self.release)(self.lock) }
    }
}

/// A command whose child says by NOTIFY_SOCKET that it is ready.
pub fn notifying_command(api: &Api, words: &[&str]) -> Result<Command, String> {
    // SAFETY: the signatures are those of the documented C face.
    let (word, readiness): (Word, Readiness) =
        unsafe { (api.function("ps_command_arg")?, api.function("ps_command_readiness")?) };
    let command = api.command(words[0])?;
    let mut error = null_mut();
    for text in &words[1..] {
        let text = CString::new(*text).unwrap();
        // SAFETY: valid pointers for the duration of the call.
        let status = unsafe { word(command, text.as_ptr(), &mut error) };
        api.check("ps_command_arg", status, error)?;
    }
    // SAFETY: as above; this kind takes no detail.
    let status = unsafe { readiness(command, PS_READY_NOTIFY, std::ptr::null(), 10_000, &mut error) };
    api.check("ps_command_readiness", status, error)?;
    Ok(command)
}

/// Measured on its default supervisor's peers: one of its own, so that its descriptor is in a poll of the host.
pub fn supervisor(api: &Api) -> Result<(Supervisor, i32), String> {
    let supervisor = api.supervisor()?;
    Ok((supervisor, api.supervisor_fd(supervisor)?))
}

pub fn path(path: &Path) -> CString {
    use std::os::unix::ffi::OsStrExt;
    CString::new(path.as_os_str().as_bytes()).unwrap()
}
