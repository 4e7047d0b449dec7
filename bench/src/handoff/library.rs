//! The handoff part of procsup's C face, by name: the other subjects can measure libraries without it.

use crate::procsup::{Api, Command, Error};
use std::ffi::{CString, OsStr, c_char, c_int};
use std::os::fd::RawFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::ptr::null_mut;

#[derive(Clone, Copy)]
#[repr(transparent)]
struct Pointer(*mut u8);

pub const SUCCESSOR: i32 = 1;
pub const OVERLAP: i32 = 1;
pub const TIMEOUT_PROBATION: i32 = 4;

pub const DRAIN: i32 = 1;
pub const SEAL: i32 = 2;
pub const LIVE: i32 = 3;
pub const RESUME: i32 = 4;
pub const RETIRE: i32 = 5;
pub const COMMITTED: i32 = 6;
pub const ABORTED: i32 = 7;

#[repr(C)]
#[derive(Clone, Copy)]
pub struct Event {
    size: u32,
    pub kind: i32,
    handoff_id: u64,
    pub revision: u64,
    pub unsealed: i32,
    peer_pid: i32,
    pub reason: i32,
    deadline_ns: i64,
    time_ns: i64,
}

const PS_PENDING: i32 = 1;
const PS_ERR_NOT_FOUND: i32 = -5;

/// Declares the table of functions and the code that fills it by name.
macro_rules! functions {
    ($($name:ident: fn($($argument:ty),*);)*) => {
        struct Functions {
            $($name: unsafe extern "C" fn($($argument),*) -> i32,)*
        }

        impl Functions {
            fn load(api: &Api) -> Result<Self, String> {
                // SAFETY: the signatures are those of the documented C face.
                Ok(unsafe { Self { $($name: api.function(stringify!($name))?,)* } })
            }
        }
    };
}

pub(super) use functions;

functions! {
    ps_command_arg: fn(Command, *const c_char, *mut Error);
    ps_handoff_new: fn(*const c_char, *mut Pointer, *mut Error);
    ps_handoff_role: fn(Pointer, *mut i32, *mut Error);
    ps_handoff_set_mode: fn(Pointer, i32, *mut Error);
    ps_handoff_set_timeout: fn(Pointer, i32, i64, *mut Error);
    ps_handoff_set_fd: fn(Pointer, *const c_char, c_int, *mut Error);
    ps_handoff_take_fd: fn(Pointer, *const c_char, *mut c_int, *mut Error);
    ps_handoff_pass_connection: fn(Pointer, c_int, *const u8, usize, *mut Error);
    ps_handoff_take_connection: fn(Pointer, *mut c_int, *mut u8, usize, *mut usize, *mut Error);
    ps_handoff_fd: fn(Pointer, *mut c_int, *mut Error);
    ps_handoff_next_event: fn(Pointer, i64, *mut Event, *mut Error);
    ps_handoff_warm: fn(Pointer, *mut Error);
    ps_handoff_drained: fn(Pointer, u32, *mut Error);
    ps_handoff_sealed: fn(Pointer, u64, *mut Error);
    ps_handoff_live: fn(Pointer, *mut Error);
    ps_handoff_upgrade: fn(Pointer, Command, i64, *mut Error);
}

/// One process's side.
pub struct Handoff {
    api: &'static Api,
    functions: Functions,
    handle: Pointer,
}

impl Handoff {
    pub fn new(api: &'static Api, control_path: &Path) -> Result<Self, String> {
        let functions = Functions::load(api)?;
        let path = text(control_path.as_os_str())?;
        let (mut handle, mut error) = (Pointer(null_mut()), null_mut());
        // SAFETY: valid pointers for the duration of the call; so everywhere below.
        let status = unsafe { (functions.ps_handoff_new)(path.as_ptr(), &mut handle, &mut error) };
        api.check("ps_handoff_new", status, error)?;
        Ok(Self { api, functions, handle })
    }

    fn call(&self, what: &str, call: impl FnOnce(*mut Error) -> i32) -> Result<(), String> {
        let mut error = null_mut();
        let status = call(&mut error);
        self.api.check(what, status, error)
    }

    pub fn is_successor(&self) -> Result<bool, String> {
        let mut role = 0;
        // SAFETY: as above.
        self.call("ps_handoff_role", |e| unsafe { (self.functions.ps_handoff_role)(self.handle, &mut role, e) })?;
        Ok(role == SUCCESSOR)
    }

    pub fn set_mode(&self, mode: i32) -> Result<(), String> {
        // SAFETY: as above.
        self.call("ps_handoff_set_mode", |e| unsafe { (self.functions.ps_handoff_set_mode)(self.handle, mode, e) })
    }

    pub fn set_timeout(&self, which: i32, ms: i64) -> Result<(), String> {
        let call = self.functions.ps_handoff_set_timeout;
        // SAFETY: as above.
        self.call("ps_handoff_set_timeout", |e| unsafe { call(self.handle, which, ms, e) })
    }

    pub fn set_fd(&self, name: &str, fd: RawFd) -> Result<(), String> {
        let name = text(OsStr::new(name))?;
        let call = self.functions.ps_handoff_set_fd;
        // SAFETY: as above.
        self.call("ps_handoff_set_fd", |e| unsafe { call(self.handle, name.as_ptr(), fd, e) })
    }

    pub fn take_fd(&self, name: &str) -> Result<RawFd, String> {
        let name = text(OsStr::new(name))?;
        let mut fd = -1;
        let call = self.functions.ps_handoff_take_fd;
        // SAFETY: as above.
        self.call("ps_handoff_take_fd", |e| unsafe { call(self.handle, name.as_ptr(), &mut fd, e) })?;
        Ok(fd)
    }

    /// No bytes go with it: requests here are read whole or not at all.
    pub fn pass_connection(&self, fd: RawFd) -> Result<(), String> {
        let call = self.functions.ps_handoff_pass_connection;
        // SAFETY: as above.
        self.call("ps_handoff_pass_connection", |e| unsafe { call(self.handle, fd, std::ptr::null(), 0, e) })
    }

    /// `None`: none is left.
    pub fn take_connection(&self) -> Result<Option<RawFd>, String> {
        let (mut fd, mut error) = (-1, null_mut());
        let call = self.functions.ps_handoff_take_connection;
        // SAFETY: as above; no buffer is given, and none is needed.
        let status = unsafe { call(self.handle, &mut fd, null_mut(), 0, null_mut(), &mut error) };
        if status == PS_ERR_NOT_FOUND {
            return Ok(None);
        }
        self.api.check("ps_handoff_take_connection", status, error).map(|()| Some(fd))
    }

    /// For the event loop; borrowed.
    pub fn fd(&self) -> Result<RawFd, String> {
        let mut fd = -1;
        // SAFETY: as above.
        self.call("ps_handoff_fd", |e| unsafe { (self.functions.ps_handoff_fd)(self.handle, &mut fd, e) })?;
        Ok(fd)
    }

    /// `None`: nothing within the time.
    #[inline]
    pub fn next_event(&self, timeout_ms: i64) -> Result<Option<Event>, String> {
        // SAFETY: plain numbers; `size` tells the library how many of them there are.
        let mut event: Event = unsafe { std::mem::zeroed() };
        event.size = size_of::<Event>() as u32;
        let mut error = null_mut();
        // SAFETY: as above.
        let status = unsafe { (self.functions.ps_handoff_next_event)(self.handle, timeout_ms, &mut event, &mut error) };
        if status == PS_PENDING {
            return Ok(None);
        }
        self.api.check("ps_handoff_next_event", status, error).map(|()| Some(event))
    }

    pub fn warm(&self) -> Result<(), String> {
        // SAFETY: as above.
        self.call("ps_handoff_warm", |e| unsafe { (self.functions.ps_handoff_warm)(self.handle, e) })
    }

    pub fn drained(&self) -> Result<(), String> {
        // SAFETY: as above.
        self.call("ps_handoff_drained", |e| unsafe { (self.functions.ps_handoff_drained)(self.handle, 0, e) })
    }

    #[inline]
    pub fn sealed(&self, revision: u64) -> Result<(), String> {
        // SAFETY: as above.
        self.call("ps_handoff_sealed", |e| unsafe { (self.functions.ps_handoff_sealed)(self.handle, revision, e) })
    }

    pub fn live(&self) -> Result<(), String> {
        // SAFETY: as above.
        self.call("ps_handoff_live", |e| unsafe { (self.functions.ps_handoff_live)(self.handle, e) })
    }

    /// Starts `words` as the successor.
    pub fn upgrade(&self, words: &[std::ffi::OsString], deadline_ms: i64) -> Result<(), String> {
        let command = self.api.command(&words[0].to_string_lossy())?;
        for word in &words[1..] {
            let word = text(word)?;
            let call = self.functions.ps_command_arg;
            // SAFETY: as above.
            self.call("ps_command_arg", |e| unsafe { call(command, word.as_ptr(), e) })?;
        }
        let call = self.functions.ps_handoff_upgrade;
        // SAFETY: as above.
        self.call("ps_handoff_upgrade", |e| unsafe { call(self.handle, command, deadline_ms, e) })
    }
}

fn text(words: &OsStr) -> Result<CString, String> {
    CString::new(words.as_bytes()).map_err(|_| "a NUL in a path".into())
}
