//! The bare driver, which is written in C.

use crate::measure::time;
use crate::preloader::Way;
use std::ffi::{CString, c_char, c_int, c_void};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::ptr::null_mut;
use std::time::Duration;

unsafe extern "C" {
    fn bench_preloader_start(base: *const c_char, app: *const c_char, preloader: *mut *mut c_void) -> c_int;
    fn bench_preloader_worker(preloader: *mut c_void, worker: *mut *mut c_void) -> c_int;
    fn bench_preloader_worker_end(preloader: *mut c_void, worker: *mut c_void);
    fn bench_preloader_stop(preloader: *mut c_void);
}

pub struct Preloader {
    preloader: *mut c_void,
    worker: *mut c_void,
}

fn done(what: &str, status: c_int) -> Result<(), String> {
    if status == 0 { Ok(()) } else { Err(format!("{what}: {}", std::io::Error::from_raw_os_error(-status))) }
}

impl Preloader {
    pub fn new(base: &Path, app: &Path) -> Result<Self, String> {
        let text = |path: &Path| CString::new(path.as_os_str().as_bytes()).map_err(|error| error.to_string());
        let (base, app) = (text(base)?, text(app)?);
        let mut preloader = null_mut();
        // SAFETY: two strings, and room for what is made.
        done("the preloader", unsafe { bench_preloader_start(base.as_ptr(), app.as_ptr(), &mut preloader) })?;
        Ok(Self { preloader, worker: null_mut() })
    }
}

impl Way for Preloader {
    #[inline]
    fn ready(&mut self) -> Result<Duration, String> {
        // SAFETY: what was made above.
        let (status, took) = time(|| unsafe { bench_preloader_worker(self.preloader, &mut self.worker) });
        done("a worker", status).map(|()| took)
    }

    fn end(&mut self) -> Result<(), String> {
        // SAFETY: what was made just before, once.
        unsafe { bench_preloader_worker_end(self.preloader, self.worker) };
        self.worker = null_mut();
        Ok(())
    }
}

impl Drop for Preloader {
    fn drop(&mut self) {
        // SAFETY: made above, ended once.
        unsafe { bench_preloader_stop(self.preloader) }
    }
}
