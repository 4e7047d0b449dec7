//! procsup through its C face, opened with dlopen as a foreign program would. Only the few functions that are measured
//! are declared, by hand, so the harness builds before (and without) the library.

use libloading::{Library, Symbol};
use std::ffi::{CStr, CString, c_char, c_int};
use std::path::Path;
use std::ptr::null_mut;

const PS_OK: i32 = 0;
const PS_PENDING: i32 = 1;
const PS_EXIT_EXITED: i32 = 1;
pub const PS_EVENT_STARTED: i32 = 1;
pub const PS_EVENT_EXITED: i32 = 2;

/// Handles are opaque values; a pointer type of their own each keeps them apart.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(transparent)]
pub struct Command(*mut u8);
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(transparent)]
pub struct Child(*mut u8);
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(transparent)]
pub struct Supervisor(*mut u8);
pub type Error = *mut u8;

impl Command {
    /// For functions that take NULL or a command.
    pub fn raw(self) -> *mut std::ffi::c_void {
        self.0.cast()
    }
}

impl Child {
    pub const NONE: Self = Self(null_mut());
}

impl Supervisor {
    /// The default one.
    pub const NONE: Self = Self(null_mut());
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct Exit {
    size: u32,
    kind: i32,
    code: i32,
    signal: i32,
    core_dumped: i32,
    cause: i32,
    user_us: i64,
    system_us: i64,
    max_rss_kib: i64,
    started_ns: i64,
    ended_ns: i64,
    reserved: [u64; 4],
}

impl Exit {
    /// It ended by itself, with 0.
    pub fn success(&self) -> bool {
        self.kind == PS_EXIT_EXITED && self.code == 0
    }
}

/// As version 0.1 has it; `size` keeps a newer library from writing more.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Event {
    size: u32,
    pub kind: i32,
    pub child: Child,
    pid: i32,
    stream: i32,
    user_data: u64,
    time_ns: i64,
    pub exit: Exit,
}

/// Declares the table of functions and the code that fills it by name.
macro_rules! functions {
    ($($name:ident: fn($($argument:ty),*) $(-> $result:ty)?;)*) => {
        #[allow(clippy::type_complexity)]
        struct Functions {
            $($name: unsafe extern "C" fn($($argument),*) $(-> $result)?,)*
        }

        impl Functions {
            fn load(library: &Library) -> Result<Self, String> {
                Ok(Self {$(
                    $name: {
                        // SAFETY: the signature is the one of the documented C face.
                        let symbol: Result<Symbol<unsafe extern "C" fn($($argument),*) $(-> $result)?>, _> =
                            unsafe { library.get(stringify!($name)) };
                        *symbol.map_err(|error| error.to_string())?
                    },
                )*})
            }
        }
    };
}

functions! {
    ps_version_string: fn() -> *const c_char;
    ps_status_name: fn(i32) -> *const c_char;
    ps_error_step: fn(Error) -> *const c_char;
    ps_error_message: fn(Error) -> *const c_char;
    ps_error_free: fn(Error);
    ps_command_new: fn(*const c_char, *mut Command, *mut Error) -> i32;
    ps_command_isolate: fn(Command, i32, *mut Error) -> i32;
    ps_spawn: fn(Supervisor, Command, *mut Child, *mut Error) -> i32;
    ps_reap: fn(Child, i64, *mut Exit, *mut Error) -> i32;
    ps_child_pid: fn(Child, *mut i32, *mut Error) -> i32;
    ps_child_pidfd: fn(Child, *mut c_int, *mut Error) -> i32;
    ps_child_free: fn(Child);
    ps_kill_and_reap_all: fn(i64, *mut u32) -> i32;
    ps_supervisor_new: fn(*mut Supervisor, *mut Error) -> i32;
    ps_supervisor_free: fn(Supervisor);
    ps_supervisor_fd: fn(Supervisor, *mut c_int, *mut Error) -> i32;
    ps_supervisor_next_event: fn(Supervisor, i64, *mut Event, *mut Error) -> i32;
}

pub struct Api {
    functions: Functions,
    library: Library,
}

impl Api {
    /// Lives as long as the process: the methods borrow it, and a Rust library must not be unmapped anyway.
    pub fn open(path: &Path) -> Result<&'static Self, String> {
        // SAFETY: loading runs the library's constructors, which is what this program is for.
        let library = unsafe { Library::new(path) }.map_err(|error| {
            let why = std::error::Error::source(&error).map_or_else(|| error.to_string(), ToString::to_string);
            format!(
                "{why}\nBuild the library first (cargo build --release), name it with --lib, \
                 or measure the peers alone with --without-procsup."
            )
        })?;
        let functions = Functions::load(&library)?;
        Ok(Box::leak(Box::new(Self { functions, library })))
    }

    pub fn version(&self) -> String {
        // SAFETY: a static string.
        unsafe { CStr::from_ptr((self.functions.ps_version_string)()) }.to_string_lossy().into_owned()
    }

    /// Looked up when it is needed: older libraries can be measured without it. `F` is the type of the documented function.
    ///
    /// # Safety
    /// `F` must be exactly that.
    pub unsafe fn function<F: Copy>(&self, name: &str) -> Result<F, String> {
        // SAFETY: the caller's promise.
        let symbol: Result<Symbol<F>, _> = unsafe { self.library.get(name) };
        symbol.map(|symbol| *symbol).map_err(|error| format!("{name}: {error}"))
    }

    /// Whether it has this call.
    pub fn has(&self, name: &str) -> bool {
        // SAFETY: the address is not used.
        unsafe { self.library.get::<unsafe extern "C" fn()>(name) }.is_ok()
    }

    pub fn check(&self, what: &str, status: i32, error: Error) -> Result<(), String> {
        if status == PS_OK {
            return Ok(());
        }
        // SAFETY: the error functions take NULL and never give NULL.
        unsafe {
            let text = |text: *const c_char| CStr::from_ptr(text).to_string_lossy().into_owned();
            let name = text((self.functions.ps_status_name)(status));
            let detail = format!(
                "{what}: {name}, {} ({})",
                text((self.functions.ps_error_message)(error)),
                text((self.functions.ps_error_step)(error))
            );
            (self.functions.ps_error_free)(error);
            Err(detail)
        }
    }

    pub fn command(&self, program: &str) -> Result<Command, String> {
        let program = CString::new(program).unwrap();
        let (mut command, mut error) = (Command(null_mut()), null_mut());
        // SAFETY: valid pointers for the duration of the call.
        let status = unsafe { (self.functions.ps_command_new)(program.as_ptr(), &mut command, &mut error) };
        self.check("ps_command_new", status, error).map(|()| command)
    }

    pub fn isolate(&self, command: Command, isolation: i32) -> Result<(), String> {
        let mut error = null_mut();
        // SAFETY: valid pointers for the duration of the call.
        let status = unsafe { (self.functions.ps_command_isolate)(command, isolation, &mut error) };
        self.check("ps_command_isolate", status, error)
    }

    #[inline]
    pub fn spawn(&self, supervisor: Option<Supervisor>, command: Command) -> Result<Child, String> {
        let (mut child, mut error) = (Child(null_mut()), null_mut());
        // SAFETY: as above; NULL names the default supervisor.
        let status = unsafe {
            (self.functions.ps_spawn)(supervisor.unwrap_or(Supervisor(null_mut())), command, &mut child, &mut error)
        };
        self.check("ps_spawn", status, error).map(|()| child)
    }

    /// Waits for the child, which must exit with 0.
    #[inline]
    pub fn reap(&self, child: Child) -> Result<(), String> {
        // SAFETY: plain numbers; `size` tells the library how many of them there are.
        let mut exit: Exit = unsafe { std::mem::zeroed() };
        exit.size = size_of::<Exit>() as u32;
        let mut error = null_mut();
        // SAFETY: as above.
        let status = unsafe { (self.functions.ps_reap)(child, -1, &mut exit, &mut error) };
        self.check("ps_reap", status, error)?;
        if exit.success() { Ok(()) } else { Err(format!("kind {}, code {}", exit.kind, exit.code)) }
    }

    pub fn pid(&self, child: Child) -> Result<i32, String> {
        let (mut pid, mut error) = (0, null_mut());
        // SAFETY: as above.
        let status = unsafe { (self.functions.ps_child_pid)(child, &mut pid, &mut error) };
        self.check("ps_child_pid", status, error).map(|()| pid)
    }

    /// A duplicate, for the caller to close.
    pub fn pidfd(&self, child: Child) -> Result<c_int, String> {
        let (mut fd, mut error) = (-1, null_mut());
        // SAFETY: as above.
        let status = unsafe { (self.functions.ps_child_pidfd)(child, &mut fd, &mut error) };
        self.check("ps_child_pidfd", status, error).map(|()| fd)
    }

    #[inline]
    pub fn child_free(&self, child: Child) {
        // SAFETY: handles are checked by the library.
        unsafe { (self.functions.ps_child_free)(child) }
    }

    pub fn kill_and_reap_all(&self, timeout_ms: i64) -> Result<(), String> {
        let mut left = 0;
        // SAFETY: as above.
        let status = unsafe { (self.functions.ps_kill_and_reap_all)(timeout_ms, &mut left) };
        if status == PS_OK { Ok(()) } else { Err(format!("ps_kill_and_reap_all: status {status}, {left} left")) }
    }

    pub fn supervisor(&self) -> Result<Supervisor, String> {
        let (mut supervisor, mut error) = (Supervisor(null_mut()), null_mut());
        // SAFETY: as above.
        let status = unsafe { (self.functions.ps_supervisor_new)(&mut supervisor, &mut error) };
        self.check("ps_supervisor_new", status, error).map(|()| supervisor)
    }

    pub fn supervisor_free(&self, supervisor: Supervisor) {
        // SAFETY: as above.
        unsafe { (self.functions.ps_supervisor_free)(supervisor) }
    }

    /// The descriptor for event loops; borrowed.
    pub fn supervisor_fd(&self, supervisor: Supervisor) -> Result<c_int, String> {
        let (mut fd, mut error) = (-1, null_mut());
        // SAFETY: as above.
        let status = unsafe { (self.functions.ps_supervisor_fd)(supervisor, &mut fd, &mut error) };
        self.check("ps_supervisor_fd", status, error).map(|()| fd)
    }

    /// Libraries before 0.2 do not have it.
    pub fn set_max_running(&self, supervisor: Supervisor, n: u32) -> Result<(), String> {
        type Call = unsafe extern "C" fn(Supervisor, u32, *mut Error) -> i32;
        // SAFETY: the signature is the one of the documented C face.
        let call: Call = unsafe { self.function("ps_supervisor_set_max_running") }?;
        let mut error = null_mut();
        // SAFETY: as above.
        let status = unsafe { call(supervisor, n, &mut error) };
        self.check("ps_supervisor_set_max_running", status, error)
    }

    /// Older libraries do not have it.
    pub fn hold_processor(&self, supervisor: Supervisor) -> Result<(), String> {
        type Call = unsafe extern "C" fn(Supervisor, i32, *mut Error) -> i32;
        // SAFETY: the signature is the one of the documented C face.
        let call: Call = unsafe { self.function("ps_supervisor_set_hold_processor") }?;
        let mut error = null_mut();
        // SAFETY: as above.
        let status = unsafe { call(supervisor, 1, &mut error) };
        self.check("ps_supervisor_set_hold_processor", status, error)
    }

    /// `None`: nothing within the time.
    #[inline]
    pub fn next_event(&self, supervisor: Supervisor, timeout_ms: i64) -> Result<Option<Event>, String> {
        // SAFETY: as in `reap`.
        let mut event: Event = unsafe { std::mem::zeroed() };
        event.size = size_of::<Event>() as u32;
        event.exit.size = size_of::<Exit>() as u32;
        let mut error = null_mut();
        // SAFETY: as above.
        let status =
            unsafe { (self.functions.ps_supervisor_next_event)(supervisor, timeout_ms, &mut event, &mut error) };
        if status == PS_PENDING {
            return Ok(None);
        }
        self.check("ps_supervisor_next_event", status, error).map(|()| Some(event))
    }
}
