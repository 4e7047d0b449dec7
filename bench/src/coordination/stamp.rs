//! Moments that two processes know: the time of a clock that all share, in a page that both map.

use std::fs::File;
use std::os::fd::AsRawFd;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

pub fn now_ns() -> u64 {
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: one structure of our own.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &mut now) };
    now.tv_sec as u64 * 1_000_000_000 + now.tv_nsec as u64
}

/// Lives as long as its process.
pub struct Page(&'static AtomicU64);

impl Page {
    pub fn make(path: &Path) -> Result<Self, String> {
        let made = File::create(path).and_then(|file| file.set_len(size_of::<u64>() as u64));
        made.map_err(|error| format!("{}: {error}", path.display()))?;
        Self::open(path)
    }

    pub fn open(path: &Path) -> Result<Self, String> {
        let failed = |error| format!("{}: {error}", path.display());
        let file = File::options().read(true).write(true).open(path).map_err(failed)?;
        // SAFETY: a mapping of its own that is never undone, aligned, of a file that is large enough.
        unsafe {
            let access = libc::PROT_READ | libc::PROT_WRITE;
            let page =
                libc::mmap(std::ptr::null_mut(), size_of::<AtomicU64>(), access, libc::MAP_SHARED, file.as_raw_fd(), 0);
            if page == libc::MAP_FAILED {
                return Err(failed(std::io::Error::last_os_error()));
            }
            let page = Self(&*page.cast::<AtomicU64>());
            page.write(0); // no page fault between the time and its being written
            Ok(page)
        }
    }

    pub fn write(&self, ns: u64) {
        self.0.store(ns, Ordering::Release);
    }

    pub fn read(&self) -> u64 {
        self.0.load(Ordering::Acquire)
    }
}
