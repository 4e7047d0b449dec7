//! The preloader part of procsup's C face, by name: the other subjects can measure libraries without it.

use crate::measure::time;
use crate::preloader::Way;
use crate::procsup::{Api, Child, Command, Error, Supervisor};
use std::ffi::{CString, c_char, c_int, c_void};
use std::path::Path;
use std::ptr::{null, null_mut};
use std::time::Duration;

type Handle = *mut c_void;
type New = unsafe extern "C" fn(Command, *mut Handle, *mut Error) -> i32;
type Word = unsafe extern "C" fn(Command, *const c_char, *mut Error) -> i32;
type Session = unsafe extern "C" fn(Command, *const c_char, *const c_char, *mut Error) -> i32;
type Spawn = unsafe extern "C" fn(Handle, Supervisor, *const c_void, i64, *mut Handle, *mut Error) -> i32;
type ChildOf = unsafe extern "C" fn(Handle, *mut Child, *mut Error) -> i32;
type Signal = unsafe extern "C" fn(Child, c_int, *mut Error) -> i32;
type Reap = unsafe extern "C" fn(Child, i64, *mut c_void, *mut Error) -> i32;
type Free = unsafe extern "C" fn(Handle);

const PATIENCE_MS: i64 = 20_000;

pub struct Preloader {
    api: &'static Api,
    spawn: Spawn,
    child_of: ChildOf,
    signal: Signal,
    reap: Reap,
    worker_free: Free,
    free: Free,
    preloader: Handle,
    worker: Handle,
}

impl Preloader {
    pub fn new(api: &'static Api, base: &Path, app: &Path) -> Result<Self, String> {
        // SAFETY: the signatures are those of the documented C face.
        let (new, word, cwd, session): (New, Word, Word, Session) = unsafe {
            (
                api.function("ps_preloader_new")?,
                api.function("ps_command_arg")?,
                api.function("ps_command_cwd")?,
                api.function("ps_command_session")?,
            )
        };
        // SAFETY: the same.
        let (spawn, child_of, signal, reap, worker_free, free): (Spawn, ChildOf, Signal, Reap, Free, Free) = unsafe {
            (
                api.function("ps_preloader_spawn")?,
                api.function("ps_worker_child")?,
                api.function("ps_signal")?,
                api.function("ps_reap")?,
                api.function("ps_worker_free")?,
                api.function("ps_preloader_free")?,
            )
        };
        let command = api.command("/usr/bin/ruby")?;
        let text = |text: &str| CString::new(text).expect("no NUL");
        let mut error = null_mut();
        let app = app.to_str().ok_or("a path that is no text")?;
        let loader = text("/usr/share/passenger/helper-scripts/rack-preloader.rb");
        let directory = text(app);
        // SAFETY: valid pointers for the duration of the calls.
        unsafe {
            api.check("ps_command_arg", word(command, loader.as_ptr(), &mut error), error)?;
            api.check("ps_command_cwd", cwd(command, directory.as_ptr(), &mut error), error)?;
        }
        let startup = format!("{app}/config.ru");
        // As c/preloader_driver.c has them.
        let arguments = [
            ("app_root", app),
            ("startup_file", &startup),
            ("app_type", "rack"),
            ("app_group_name", "bench"),
            ("app_env", "production"),
            ("spawn_method", "smart"),
            ("starts_using_wrapper", "true"),
            ("integration_mode", "standalone"),
            ("log_level", "3"),
            ("passenger_root", "/usr/lib/ruby/vendor_ruby/phusion_passenger/locations.ini"),
            ("passenger_version", "6.0.17"),
            ("passenger_agent_path", "/usr/lib/passenger/support-binaries/PassengerAgent"),
            ("ruby_libdir", "/usr/lib/ruby/vendor_ruby"),
            ("spawn_dir", base.to_str().ok_or("a path that is no text")?),
        ];
        for (name, value) in arguments {
            let (name, value) = (text(name), text(value));
            // SAFETY: the same.
            let status = unsafe { session(command, name.as_ptr(), value.as_ptr(), &mut error) };
            api.check("ps_command_session", status, error)?;
        }
        let mut preloader = null_mut();
        // SAFETY: the same.
        api.check("ps_preloader_new", unsafe { new(command, &mut preloader, &mut error) }, error)?;
        Ok(Self { api, spawn, child_of, signal, reap, worker_free, free, preloader, worker: null_mut() })
    }
}

impl Way for Preloader {
    #[inline]
    fn ready(&mut self) -> Result<Duration, String> {
        let (none, mut error) = (Supervisor::NONE, null_mut());
        // SAFETY: handles are checked by the library; room for one more.
        let (status, took) =
            time(|| unsafe { (self.spawn)(self.preloader, none, null(), PATIENCE_MS, &mut self.worker, &mut error) });
        self.api.check("ps_preloader_spawn", status, error).map(|()| took)
    }

    fn end(&mut self) -> Result<(), String> {
        let (mut child, mut error) = (Child::NONE, null_mut());
        // SAFETY: as above.
        unsafe {
            self.api.check("ps_worker_child", (self.child_of)(self.worker, &mut child, &mut error), error)?;
            self.api.check("ps_signal", (self.signal)(child, libc::SIGKILL, &mut error), error)?;
            self.api.check("ps_reap", (self.reap)(child, PATIENCE_MS, null_mut(), &mut error), error)?;
            (self.worker_free)(self.worker);
        }
        self.api.child_free(child);
        self.worker = null_mut();
        Ok(())
    }
}

impl Drop for Preloader {
    fn drop(&mut self) {
        // SAFETY: as above.
        unsafe { (self.free)(self.preloader) }
    }
}
