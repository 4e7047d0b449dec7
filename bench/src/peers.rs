//! The programs that every method spawns, and which versions of the other libraries are here.

use std::ffi::{CStr, c_char};

/// The program that only exits, and the one that waits to be killed.
pub const EXIT: &str = env!("TARGET_EXIT");
pub const INIT: &str = env!("TARGET_INIT");
pub const PAUSE: &str = env!("TARGET_PAUSE");
/// The one that locks its stream 0.
pub const HOLD: &str = env!("TARGET_HOLD");
/// The application that is loaded once and forked from.
pub const PRELOADED_APP: &str = env!("TARGET_PRELOADED_APP");

unsafe extern "C" {
    #[cfg(have_libuv)]
    fn bench_uv_version() -> *const c_char;
    #[cfg(have_glib)]
    fn bench_glib_version(version: *mut u32);
}

pub fn libuv_version() -> Option<String> {
    #[cfg(have_libuv)]
    // SAFETY: a static string.
    return Some(unsafe { CStr::from_ptr(bench_uv_version()) }.to_string_lossy().into_owned());
    #[cfg(not(have_libuv))]
    None
}

pub fn glib_version() -> Option<String> {
    #[cfg(have_glib)]
    {
        let mut version = [0u32; 3];
        // SAFETY: writes three numbers.
        unsafe { bench_glib_version(version.as_mut_ptr()) };
        Some(version.map(|number| number.to_string()).join("."))
    }
    #[cfg(not(have_glib))]
    None
}

pub fn glibc_version() -> String {
    // SAFETY: a static string.
    unsafe { CStr::from_ptr(libc::gnu_get_libc_version()) }.to_string_lossy().into_owned()
}
