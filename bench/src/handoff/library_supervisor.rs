//! The separate supervisor of procsup's C face, by name, as `library` has the handoff.

use super::library::functions;
use crate::procsup::{Api, Command, Error};
use std::ffi::{CString, c_char, c_int};
use std::os::fd::RawFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::ptr::{null, null_mut};
use std::time::{Duration, Instant};

#[derive(Clone, Copy)]
#[repr(transparent)]
struct Pointer(*mut u8);

#[derive(Clone, Copy)]
pub enum Protocol {
    Native = 0,
    Notify = 1,
    V1 = 2,
}

pub const STARTED: i32 = 1;
pub const SERVING: i32 = 2;
pub const PROGRESS: i32 = 3;
pub const COMMITTED: i32 = 4;
const READY_EXEC: i32 = 0;

#[repr(C)]
#[derive(Clone, Copy)]
pub struct Event {
    size: u32,
    pub kind: i32,
    handoff_id: u64,
    pub pid: i32,
    peer_pid: i32,
    generation: u64,
    phase: i32,
    pub reason: i32,
    exit_code: i32,
    exit_signal: i32,
    time_ns: i64,
    reserved: u64,
}

const PS_PENDING: i32 = 1;
const PS_ERR_IN_PROGRESS: i32 = -15;
const PS_RENDER_TEXT: i32 = 1;

functions! {
    ps_command_arg: fn(Command, *const c_char, *mut Error);
    ps_command_env: fn(Command, *const c_char, *const c_char, *mut Error);
    ps_command_stop_step: fn(Command, c_int, i64, *mut Error);
    ps_command_readiness: fn(Command, i32, *const c_char, i64, *mut Error);
    ps_handoff_supervisor_new: fn(*const c_char, *mut Pointer, *mut Error);
    ps_handoff_supervisor_listener: fn(Pointer, *const c_char, i32, *mut Error);
    ps_handoff_supervisor_set_protocol: fn(Pointer, i32, *mut Error);
    ps_handoff_supervisor_set_journal: fn(Pointer, *const c_char, *mut Error);
    ps_handoff_supervisor_set_health_command: fn(Pointer, Command, i64, *mut Error);
    ps_handoff_supervisor_set_probation: fn(Pointer, i64, *mut Error);
    ps_handoff_supervisor_start: fn(Pointer, Command, *mut Error);
    ps_handoff_supervisor_replace: fn(Pointer, Command, i64, i64, *mut Error);
    ps_handoff_supervisor_recover: fn(Pointer, *mut Error);
    ps_handoff_supervisor_outcome_text: fn(Pointer, u32, i32, *mut c_char, usize, *mut usize, *mut Error);
    ps_handoff_supervisor_fd: fn(Pointer, *mut i32, *mut Error);
    ps_handoff_supervisor_next_event: fn(Pointer, i64, *mut Event, *mut Error);
}

/// How a generation is started and ended.
#[derive(Default)]
pub struct Recipe {
    pub words: Vec<String>,
    pub env: Vec<(String, String)>,
    /// Signal, and milliseconds until the next one.
    pub stop: Vec<(i32, i64)>,
    /// It says nothing: ready when it is executed.
    pub silent: bool,
}

pub struct Supervisor {
    api: &'static Api,
    functions: Functions,
    free: unsafe extern "C" fn(Command),
    handle: Pointer,
}

impl Supervisor {
    pub fn new(api: &'static Api, control_path: Option<&Path>, protocol: Protocol) -> Result<Self, String> {
        let functions = Functions::load(api)?;
        // SAFETY: the signature is the one of the documented C face.
        let free = unsafe { api.function("ps_command_free") }?;
        let path = control_path.map(|path| text(path.as_os_str().as_bytes())).transpose()?;
        let (mut handle, mut error) = (Pointer(null_mut()), null_mut());
        let path = path.as_ref().map_or(null(), |path| path.as_ptr());
        // SAFETY: valid pointers for the duration of the call; so everywhere below.
        let status = unsafe { (functions.ps_handoff_supervisor_new)(path, &mut handle, &mut error) };
        api.check("ps_handoff_supervisor_new", status, error)?;
        let made = Self { api, functions, free, handle };
        let call = made.functions.ps_handoff_supervisor_set_protocol;
        // SAFETY: as above.
        made.call("set_protocol", |e| unsafe { call(made.handle, protocol as i32, e) })?;
        Ok(made)
    }

    fn call(&self, what: &str, call: impl FnOnce(*mut Error) -> i32) -> Result<(), String> {
        let mut error = null_mut();
        let status = call(&mut error);
        self.api.check(what, status, error)
    }

    pub fn listener(&self, name: &str, fd: RawFd) -> Result<(), String> {
        let (name, call) = (text(name.as_bytes())?, self.functions.ps_handoff_supervisor_listener);
        // SAFETY: as above.
        self.call("listener", |e| unsafe { call(self.handle, name.as_ptr(), fd, e) })
    }

    pub fn set_journal(&self, path: &Path) -> Result<(), String> {
        let (path, call) = (text(path.as_os_str().as_bytes())?, self.functions.ps_handoff_supervisor_set_journal);
        // SAFETY: as above.
        self.call("set_journal", |e| unsafe { call(self.handle, path.as_ptr(), e) })
    }

    pub fn set_health(&self, recipe: &Recipe, timeout_ms: i64) -> Result<(), String> {
        let (command, call) = (self.command(recipe)?, self.functions.ps_handoff_supervisor_set_health_command);
        // SAFETY: as above.
        let set = self.call("set_health_command", |e| unsafe { call(self.handle, command, timeout_ms, e) });
        self.free(command);
        set
    }

    pub fn set_probation(&self, ms: i64) -> Result<(), String> {
        let call = self.functions.ps_handoff_supervisor_set_probation;
        // SAFETY: as above.
        self.call("set_probation", |e| unsafe { call(self.handle, ms, e) })
    }

    /// They are copied where they are used.
    fn free(&self, command: Command) {
        // SAFETY: handles are checked by the library.
        unsafe { (self.free)(command) }
    }

    fn command(&self, recipe: &Recipe) -> Result<Command, String> {
        let Functions { ps_command_arg, ps_command_env, ps_command_stop_step, ps_command_readiness, .. } =
            self.functions;
        let command = self.api.command(recipe.words.first().ok_or("no program")?)?;
        for word in &recipe.words[1..] {
            let word = text(word.as_bytes())?;
            // SAFETY: as above.
            self.call("ps_command_arg", |e| unsafe { ps_command_arg(command, word.as_ptr(), e) })?;
        }
        for (name, value) in &recipe.env {
            let (name, value) = (text(name.as_bytes())?, text(value.as_bytes())?);
            // SAFETY: as above.
            self.call("ps_command_env", |e| unsafe { ps_command_env(command, name.as_ptr(), value.as_ptr(), e) })?;
        }
        for &(signal, wait_ms) in &recipe.stop {
            // SAFETY: as above.
            self.call("ps_command_stop_step", |e| unsafe { ps_command_stop_step(command, signal, wait_ms, e) })?;
        }
        if recipe.silent {
            // SAFETY: as above.
            self.call("readiness", |e| unsafe { ps_command_readiness(command, READY_EXEC, null(), 0, e) })?;
        }
        Ok(command)
    }

    /// The first generation; waits until it serves.
    pub fn start(&self, recipe: &Recipe) -> Result<(), String> {
        let (command, call) = (self.command(recipe)?, self.functions.ps_handoff_supervisor_start);
        // SAFETY: as above.
        let started = self.call("start", |e| unsafe { call(self.handle, command, e) });
        self.free(command);
        started?;
        self.expect(SERVING)
    }

    pub fn recover(&self) -> Result<(), String> {
        let call = self.functions.ps_handoff_supervisor_recover;
        // SAFETY: as above.
        self.call("recover", |e| unsafe { call(self.handle, e) })?;
        self.expect(SERVING)
    }

    /// Waits until it is done; first, where the last one is not over yet (its old generation drains), for that.
    pub fn replace(&self, recipe: &Recipe, deadline_ms: i64, drain_ms: i64) -> Result<(), String> {
        let (command, call) = (self.command(recipe)?, self.functions.ps_handoff_supervisor_replace);
        let until = Instant::now() + Duration::from_millis(deadline_ms.unsigned_abs());
        loop {
            let mut error = null_mut();
            // SAFETY: as above.
            let status = unsafe { call(self.handle, command, deadline_ms, drain_ms, &mut error) };
            if status != PS_ERR_IN_PROGRESS || Instant::now() > until {
                self.free(command);
                self.api.check("replace", status, error)?;
                break;
            }
            let _ = self.api.check("replace", status, error); // which frees the error
            if let Some(event) = self.next_event(5)? {
                self.only_said(event)?;
            }
        }
        self.expect(COMMITTED)?;
        self.expect(SERVING)
    }

    /// For an event loop; borrowed.
    pub fn fd(&self) -> Result<RawFd, String> {
        let (mut fd, call) = (-1, self.functions.ps_handoff_supervisor_fd);
        // SAFETY: as above.
        self.call("fd", |e| unsafe { call(self.handle, &mut fd, e) })?;
        Ok(fd)
    }

    /// `None`: nothing within the time.
    pub fn next_event(&self, timeout_ms: i64) -> Result<Option<Event>, String> {
        // SAFETY: plain numbers; `size` tells the library how many of them there are.
        let mut event: Event = unsafe { std::mem::zeroed() };
        event.size = size_of::<Event>() as u32;
        let mut error = null_mut();
        let call = self.functions.ps_handoff_supervisor_next_event;
        // SAFETY: as above.
        let status = unsafe { call(self.handle, timeout_ms, &mut event, &mut error) };
        if status == PS_PENDING {
            return Ok(None);
        }
        self.api.check("ps_handoff_supervisor_next_event", status, error).map(|()| Some(event))
    }

    fn expect(&self, kind: i32) -> Result<(), String> {
        let until = Instant::now() + Duration::from_secs(50);
        while Instant::now() < until {
            match self.next_event(100)? {
                Some(event) if event.kind == kind => return Ok(()),
                Some(event) => self.only_said(event)?,
                None => {}
            }
        }
        Err(format!("the supervisor does not come to event {kind}"))
    }

    /// Anything else is a failure, and in the record.
    pub fn only_said(&self, event: Event) -> Result<(), String> {
        if matches!(event.kind, STARTED | PROGRESS) {
            return Ok(());
        }
        let (kind, pid, reason) = (event.kind, event.pid, event.reason);
        Err(format!("the supervisor: event {kind} of {pid}, reason {reason}: {}", self.last_outcome()))
    }

    fn last_outcome(&self) -> String {
        let mut bytes = [0u8; 8192];
        let call = self.functions.ps_handoff_supervisor_outcome_text;
        let place = bytes.as_mut_ptr().cast();
        // SAFETY: as above; so many bytes are there.
        let status = unsafe { call(self.handle, 0, PS_RENDER_TEXT, place, bytes.len(), null_mut(), null_mut()) };
        let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(0);
        if status == 0 { String::from_utf8_lossy(&bytes[..end]).into_owned() } else { "no outcome".into() }
    }
}

fn text(bytes: &[u8]) -> Result<CString, String> {
    CString::new(bytes).map_err(|_| "a NUL in a word".into())
}
