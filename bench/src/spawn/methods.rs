//! The methods that are measured beside each other. Each does the same work: the child gets a process group of its own
//! where the method can do that, inherits streams 0 to 2, and is reaped by its pid or pidfd.

use super::parts;
use crate::measure::{Cycle, Method};
use crate::peers::{self, EXIT, INIT};
use crate::procsup::{Api, Child};
use std::ffi::{CString, c_char, c_int};
use std::os::unix::process::CommandExt;
use std::process::Command;

type CCycle = unsafe extern "C" fn(*const c_char) -> c_int;

unsafe extern "C" {
    fn bench_floor_cycle(path: *const c_char) -> c_int;
    fn bench_contained_init(path: *const c_char);
    fn bench_contained_cycle(path: *const c_char) -> c_int;
    fn bench_vfork_cycle(path: *const c_char) -> c_int;
    fn bench_posix_spawn_cycle(path: *const c_char) -> c_int;
    fn bench_fork_cycle(path: *const c_char) -> c_int;
    #[cfg(have_libuv)]
    fn bench_uv_cycle(path: *const c_char) -> c_int;
    #[cfg(have_glib)]
    fn bench_glib_cycle(path: *const c_char) -> c_int;
}

/// All methods that were built; procsup first when the library is there.
pub fn all(api: Option<&'static Api>) -> Result<Vec<Method>, String> {
    let mut methods = Vec::new();
    if let Some(api) = api {
        methods.push(Method { id: "procsup", label: "procsup".into(), cycle: procsup(api, None)? });
    }
    methods.push(floor());
    methods.push(parts::stub());
    methods.push(Method { id: "vfork", label: "vfork".into(), cycle: c(bench_vfork_cycle) });
    methods.push(Method { id: "posix_spawn", label: "posix_spawn".into(), cycle: c(bench_posix_spawn_cycle) });
    methods.push(Method { id: "fork", label: "fork".into(), cycle: c(bench_fork_cycle) });
    #[cfg(have_libuv)]
    methods.push(Method {
        id: "libuv",
        label: format!("libuv {}", peers::libuv_version().unwrap()),
        cycle: c(bench_uv_cycle),
    });
    #[cfg(have_glib)]
    methods.push(Method {
        id: "glib",
        label: format!("GLib {}", peers::glib_version().unwrap()),
        cycle: c(bench_glib_cycle),
    });
    methods.push(Method { id: "std", label: "Rust std".into(), cycle: rust_std() });
    methods.extend(contained(api)?);
    Ok(methods)
}

/// What P1 is held against.
pub fn floor() -> Method {
    Method { id: "floor", label: "clone3 floor in C".into(), cycle: c(bench_floor_cycle) }
}

/// Both, where there are namespaces to be had.
fn contained(api: Option<&'static Api>) -> Result<Vec<Method>, String> {
    let init = CString::new(INIT).unwrap();
    // SAFETY: a NUL-terminated path, which is never freed.
    unsafe { bench_contained_init(init.into_raw()) };
    let mut floor = c(bench_contained_cycle);
    if floor().is_err() {
        return Ok(Vec::new());
    }
    let mut methods = Vec::new();
    if let Some(api) = api {
        let cycle = procsup(api, Some(PS_ISOLATE_CONTAINED))?;
        methods.push(Method { id: "contained", label: "procsup, contained".into(), cycle });
    }
    methods.push(Method { id: "contained_floor", label: "floor of that in C".into(), cycle: floor });
    Ok(methods)
}

fn c(cycle: CCycle) -> Cycle {
    let path = CString::new(EXIT).unwrap();
    // SAFETY: a NUL-terminated path; the C side keeps nothing of it.
    Box::new(move || done(unsafe { cycle(path.as_ptr()) }))
}

/// What a cycle in C answers: 0 or -errno.
pub fn done(status: c_int) -> Result<(), String> {
    match status {
        0 => Ok(()),
        error => Err(std::io::Error::from_raw_os_error(-error).to_string()),
    }
}

fn rust_std() -> Cycle {
    let mut command = Command::new(EXIT);
    command.process_group(0);
    Box::new(move || {
        let status = command.spawn().and_then(|mut child| child.wait()).map_err(|error| error.to_string())?;
        if status.success() { Ok(()) } else { Err(status.to_string()) }
    })
}

const PS_ISOLATE_CONTAINED: i32 = 3;

fn procsup(api: &'static Api, isolation: Option<i32>) -> Result<Cycle, String> {
    let command = api.command(EXIT)?;
    if let Some(isolation) = isolation {
        api.isolate(command, isolation)?;
    }
    Ok(Box::new(move || {
        let child: Child = api.spawn(None, command)?;
        api.reap(child)?;
        api.child_free(child);
        Ok(())
    }))
}
