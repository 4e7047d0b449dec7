//! The application of all these measurements (`c/targets/preloaded_app.c`), as a preloader of the library's, or by itself when the library is not
//! measured; and a worker that the library has of it.

use super::orders::{Line, Listener};
use crate::measure::time;
use crate::peers::PRELOADED_APP;
use crate::preloader::Way;
use crate::procsup::{Api, Child, Command, Error, Supervisor};
use std::ffi::{CString, c_char, c_int, c_void};
use std::os::fd::AsRawFd;
use std::path::Path;
use std::ptr::{null, null_mut};
use std::rc::Rc;
use std::time::Duration;

/// The size of the application: what an interpreter with a framework has touched.
pub const MIB: usize = 20;
const PATIENCE_MS: i64 = 20_000;
const NATIVE: i32 = 1;
const LIBC: i32 = 0;
const SIBLING: i32 = 1;
const COLLAPSE: i32 = 0x100;

type Handle = *mut c_void;
type New = unsafe extern "C" fn(Command, *mut Handle, *mut Error) -> i32;
type Text = unsafe extern "C" fn(Command, *const c_char, *mut Error) -> i32;
type Protocol = unsafe extern "C" fn(Handle, i32, *mut Error) -> i32;
type Pool = unsafe extern "C" fn(Handle, u32, i64, *mut Error) -> i32;
type Warm = unsafe extern "C" fn(Handle, Supervisor, i64, *mut Error) -> i32;
type Spawn = unsafe extern "C" fn(Handle, Supervisor, *const c_void, i64, *mut Handle, *mut Error) -> i32;
type Lend = unsafe extern "C" fn(Command, c_int, c_int, *mut Error) -> i32;
type ChildOf = unsafe extern "C" fn(Handle, *mut Child, *mut Error) -> i32;
type Signal = unsafe extern "C" fn(Child, c_int, *mut Error) -> i32;
type Reap = unsafe extern "C" fn(Child, i64, *mut c_void, *mut Error) -> i32;
type Free = unsafe extern "C" fn(Handle);

/// What differs between the applications.
#[derive(Clone, Copy, Default)]
pub struct Variant {
    pub name: &'static str,
    /// CLONE_PARENT, else libc's fork.
    pub sibling: bool,
    pub collapse: bool,
    /// Its workers serve requests.
    pub serves: bool,
    /// The library keeps so many idle ones.
    pub idle: u32,
}

pub struct App {
    /// What the floors are asked for on.
    pub line: Line,
    pub listener: Listener,
    ours: Option<Preloader>,
    by_itself: Option<std::process::Child>,
}

impl App {
    pub fn start(api: Option<&'static Api>, lib: &Path, dir: &Path, variant: Variant) -> Result<Rc<Self>, String> {
        let listener = Listener::new(&dir.join(variant.name))?;
        let path = listener.path.to_str().ok_or("a path that is no text")?;
        let how = if variant.sibling { SIBLING } else { LIBC } | if variant.collapse { COLLAPSE } else { 0 };
        let library = if api.is_some() { lib.to_str().ok_or("a path that is no text")? } else { "-" };
        let number = |flag: bool| u8::from(flag).to_string();
        let words =
            [library, &MIB.to_string(), path, &how.to_string(), &number(variant.collapse), &number(variant.serves)]
                .map(ToOwned::to_owned);
        let (ours, by_itself) = match api {
            Some(api) => (Some(Preloader::new(api, &words, variant)?), None),
            None => {
                let process = std::process::Command::new(PRELOADED_APP).args(&words).spawn();
                (None, Some(process.map_err(|error| format!("{PRELOADED_APP}: {error}"))?))
            }
        };
        let (line, _) = listener.accept()?;
        Ok(Rc::new(Self { line, listener, ours, by_itself }))
    }

    pub fn library(&self) -> Option<&Preloader> {
        self.ours.as_ref()
    }
}

impl Drop for App {
    fn drop(&mut self) {
        if let Some(process) = &mut self.by_itself {
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

/// The part of procsup's C face that is needed, by name: the floors can be measured without it.
pub struct Preloader {
    api: &'static Api,
    warm: Warm,
    spawn: Spawn,
    child_of: ChildOf,
    signal: Signal,
    reap: Reap,
    worker_free: Free,
    free: Free,
    preloader: Handle,
    /// What a worker from the pool is given: three descriptors, as a server's is.
    gifts: Option<Command>,
}

fn text(text: &str) -> CString {
    CString::new(text).expect("no NUL")
}

impl Preloader {
    fn new(api: &'static Api, words: &[String], variant: Variant) -> Result<Self, String> {
        // SAFETY: the signatures are those of the documented C face.
        let (new, arg, protocol, pool): (New, Text, Protocol, Pool) = unsafe {
            (
                api.function("ps_preloader_new")?,
                api.function("ps_command_arg")?,
                api.function("ps_preloader_set_protocol")?,
                api.function("ps_preloader_set_pool")?,
            )
        };
        // SAFETY: the same.
        let mut ours = unsafe {
            Self {
                api,
                warm: api.function("ps_preloader_warm")?,
                spawn: api.function("ps_preloader_spawn")?,
                child_of: api.function("ps_worker_child")?,
                signal: api.function("ps_signal")?,
                reap: api.function("ps_reap")?,
                worker_free: api.function("ps_worker_free")?,
                free: api.function("ps_preloader_free")?,
                preloader: null_mut(),
                gifts: None,
            }
        };
        let command = api.command(PRELOADED_APP)?;
        let mut error = null_mut();
        for word in words {
            // SAFETY: valid pointers for the duration of the calls.
            let status = unsafe { arg(command, text(word).as_ptr(), &mut error) };
            api.check("ps_command_arg", status, error)?;
        }
        // SAFETY: the same.
        unsafe {
            api.check("ps_preloader_new", new(command, &mut ours.preloader, &mut error), error)?;
            api.check("ps_preloader_set_protocol", protocol(ours.preloader, NATIVE, &mut error), error)?;
        }
        if variant.idle > 0 {
            // SAFETY: the same.
            let status = unsafe { pool(ours.preloader, variant.idle, -1, &mut error) };
            api.check("ps_preloader_set_pool", status, error)?;
            ours.gifts = Some(ours.gifts()?);
        }
        ours.warm()?;
        Ok(ours)
    }

    fn gifts(&self) -> Result<Command, String> {
        // SAFETY: the signature is that of the documented C face.
        let lend: Lend = unsafe { self.api.function("ps_command_pass_fd")? };
        let command = self.api.command(PRELOADED_APP)?; // no worker's program: it has none of its own
        let (null_device, mut error) =
            (std::fs::File::open("/dev/null").map_err(|error| error.to_string())?, null_mut());
        let fd = null_device.as_raw_fd();
        for number in 10..13 {
            // SAFETY: valid pointers for the duration of the calls.
            let status = unsafe { lend(command, fd, number, &mut error) };
            self.api.check("ps_command_pass_fd", status, error)?;
        }
        std::mem::forget(null_device); // lent
        Ok(command)
    }

    /// Its process stands, and the pool is full.
    pub fn warm(&self) -> Result<(), String> {
        let mut error = null_mut();
        // SAFETY: handles are checked by the library.
        let status = unsafe { (self.warm)(self.preloader, Supervisor::NONE, PATIENCE_MS, &mut error) };
        self.api.check("ps_preloader_warm", status, error)
    }

    /// From before the call until the worker has said that it is ready.
    #[inline]
    pub fn worker(&self) -> Result<(Handle, Duration), String> {
        let (none, mut worker, mut error) = (Supervisor::NONE, null_mut(), null_mut());
        let gifts = self.gifts.map_or(null(), |command| command.raw().cast_const());
        // SAFETY: handles are checked by the library; room for one more.
        let (status, took) =
            time(|| unsafe { (self.spawn)(self.preloader, none, gifts, PATIENCE_MS, &mut worker, &mut error) });
        self.api.check("ps_preloader_spawn", status, error).map(|()| (worker, took))
    }

    pub fn bury(&self, worker: Handle) -> Result<(), String> {
        let (mut child, mut error) = (Child::NONE, null_mut());
        // SAFETY: as above.
        unsafe {
            self.api.check("ps_worker_child", (self.child_of)(worker, &mut child, &mut error), error)?;
            self.api.check("ps_signal", (self.signal)(child, libc::SIGKILL, &mut error), error)?;
            self.api.check("ps_reap", (self.reap)(child, PATIENCE_MS, null_mut(), &mut error), error)?;
            (self.worker_free)(worker);
        }
        self.api.child_free(child);
        Ok(())
    }
}

impl Drop for Preloader {
    fn drop(&mut self) {
        // SAFETY: as above.
        unsafe { (self.free)(self.preloader) }
    }
}

/// The library's workers, one after the other.
pub struct Ours {
    app: Rc<App>,
    worker: Handle,
    pool: bool,
}

impl Ours {
    pub fn new(app: &Rc<App>, variant: Variant) -> Self {
        Self { app: app.clone(), worker: null_mut(), pool: variant.idle > 0 }
    }

    fn library(&self) -> &Preloader {
        self.app.library().expect("started by the library")
    }
}

impl Way for Ours {
    #[inline]
    fn ready(&mut self) -> Result<Duration, String> {
        let (worker, took) = self.library().worker()?;
        self.worker = worker;
        Ok(took)
    }

    fn end(&mut self) -> Result<(), String> {
        self.library().bury(self.worker)?;
        if self.pool { self.library().warm() } else { Ok(()) }
    }
}
