//! The methods that are measured beside each other, and the programs that they spawn. Each does the same work: the
//! child gets a process group of its own where the method can do that, inherits streams 0 to 2, and is reaped by its
//! pid or pidfd.

use super::measure::{Cycle, Method};
use super::procsup::{Api, Child};
use std::ffi::{CStr, CString, c_char, c_int};
use std::os::unix::process::CommandExt;
use std::process::Command;

/// The program that only exits, and the one that waits to be killed.
pub const EXIT: &str = env!("TARGET_EXIT");
pub const PAUSE: &str = env!("TARGET_PAUSE");

type CCycle = unsafe extern "C" fn(*const c_char) -> c_int;

unsafe extern "C" {
    fn bench_floor_cycle(path: *const c_char) -> c_int;
    fn bench_vfork_cycle(path: *const c_char) -> c_int;
    fn bench_posix_spawn_cycle(path: *const c_char) -> c_int;
    fn bench_fork_cycle(path: *const c_char) -> c_int;
    #[cfg(have_libuv)]
    fn bench_uv_cycle(path: *const c_char) -> c_int;
    #[cfg(have_libuv)]
    fn bench_uv_version() -> *const c_char;
    #[cfg(have_glib)]
    fn bench_glib_cycle(path: *const c_char) -> c_int;
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

/// All methods that were built; procsup first when the library is there.
pub fn all(api: Option<&'static Api>) -> Result<Vec<Method>, String> {
    let mut methods = Vec::new();
    if let Some(api) = api {
        methods.push(Method { id: "procsup", label: "procsup".into(), cycle: procsup(api)? });
    }
    methods.push(Method { id: "floor", label: "clone3 floor in C".into(), cycle: c(bench_floor_cycle) });
    methods.push(Method { id: "vfork", label: "vfork".into(), cycle: c(bench_vfork_cycle) });
    methods.push(Method { id: "posix_spawn", label: "posix_spawn".into(), cycle: c(bench_posix_spawn_cycle) });
    methods.push(Method { id: "fork", label: "fork".into(), cycle: c(bench_fork_cycle) });
    #[cfg(have_libuv)]
    methods.push(Method {
        id: "libuv",
        label: format!("libuv {}", libuv_version().unwrap()),
        cycle: c(bench_uv_cycle),
    });
    #[cfg(have_glib)]
    methods.push(Method { id: "glib", label: format!("GLib {}", glib_version().unwrap()), cycle: c(bench_glib_cycle) });
    methods.push(Method { id: "std", label: "Rust std".into(), cycle: rust_std() });
    Ok(methods)
}

fn c(cycle: CCycle) -> Cycle {
    let path = CString::new(EXIT).unwrap();
    Box::new(move || {
        // SAFETY: a NUL-terminated path; the C side keeps nothing of it.
        match unsafe { cycle(path.as_ptr()) } {
            0 => Ok(()),
            error => Err(std::io::Error::from_raw_os_error(-error).to_string()),
        }
    })
}

fn rust_std() -> Cycle {
    let mut command = Command::new(EXIT);
    command.process_group(0);
    Box::new(move || {
        let status = command.spawn().and_then(|mut child| child.wait()).map_err(|error| error.to_string())?;
        if status.success() { Ok(()) } else { Err(status.to_string()) }
    })
}

fn procsup(api: &'static Api) -> Result<Cycle, String> {
    let command = api.command(EXIT)?;
    Ok(Box::new(move || {
        let child: Child = api.spawn(None, command)?;
        api.reap(child)?;
        api.child_free(child);
        Ok(())
    }))
}
