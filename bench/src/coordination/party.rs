//! `bench coordination-party` (hidden): a process of a measurement that has two of them. Times that both must know are
//! those of CLOCK_MONOTONIC, which all processes share.
//!
//! `lock METHOD PATH` obeys orders on its stream 0, one line each:
//!
//! | order     | answer                                                                             |
//! |-----------|------------------------------------------------------------------------------------|
//! | `hold`    | 1 when it has the lock                                                               |
//! | `wait`    | 1 just before it asks for the lock; the time at which it has it. It gives it back     |
//! | `release` | the time just before it gives the lock back                                          |
//!
//! `ready HOW PAGE` sleeps a little, writes the time into the page, says READY=1 and waits to be killed.

use super::library::{Lock, path};
use super::stamp::{Page, now_ns};
use crate::options::DEFAULT_LIB;
use crate::procsup::Api;
use std::ffi::CString;
use std::io::{BufRead, Write};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The other side sleeps when it is roused, as those who wait do.
pub const SILENCE: Duration = Duration::from_millis(2);
const PATIENCE_MS: i64 = 30_000;

#[derive(clap::Args)]
pub struct Options {
    role: String,
    method: String,
    file: PathBuf,
    /// libprocsup.so
    #[arg(long, env = "PROCSUP_LIB", default_value = DEFAULT_LIB)]
    lib: PathBuf,
}

pub fn run(options: &Options) -> Result<(), String> {
    match options.role.as_str() {
        "lock" => locks(options),
        "ready" => ready(&options.method, &options.file),
        other => Err(format!("no such role: {other}")),
    }
    .map_err(|problem| format!("{} {}: {problem}", options.role, options.method))
}

// ---- locks ----

fn locks(options: &Options) -> Result<(), String> {
    let api = if options.method == "procsup" { Some(Api::open(&options.lib)?) } else { None };
    let mut held = None;
    for line in std::io::stdin().lock().lines() {
        match line.map_err(|error| error.to_string())?.as_str() {
            "hold" => {
                held = Some(Held::take(options, api)?);
                answer(1)?;
            }
            "wait" => {
                answer(1)?;
                let mine = Held::take(options, api)?;
                let at = now_ns();
                drop(mine);
                answer(at)?;
            }
            "release" => {
                let mine = held.take().ok_or("nothing is held")?;
                let at = now_ns();
                drop(mine);
                std::thread::sleep(SILENCE); // the CPU is the other one's now
                answer(at)?;
            }
            _ => return Err("no such order".into()),
        }
    }
    Ok(())
}

fn answer(number: u64) -> Result<(), String> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{number}").and_then(|()| out.flush()).map_err(|error| error.to_string())
}

enum Held {
    #[expect(dead_code, reason = "released when it is dropped")]
    Ours(Lock),
    /// And what was waited with: to close that takes milliseconds.
    Flock(OwnedFd, #[expect(dead_code, reason = "closed when it is dropped")] Option<OwnedFd>),
}

impl Held {
    fn take(options: &Options, api: Option<&'static Api>) -> Result<Self, String> {
        let file = path(&options.file);
        match options.method.as_str() {
            "procsup" => Lock::acquire(api.expect("opened"), &file, PATIENCE_MS).map(Self::Ours),
            "flock" => {
                let fd = open(&file)?;
                check("flock", flock(&fd, libc::LOCK_EX))?;
                Ok(Self::Flock(fd, None))
            }
            "inotify" => by_inotify(&file).map(|(fd, watch)| Self::Flock(fd, watch)),
            "polling" => by_polling(&file).map(|fd| Self::Flock(fd, None)),
            other => Err(format!("no such method: {other}")),
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if let Self::Flock(fd, _) = self {
            flock(fd, libc::LOCK_UN);
        }
    }
}

fn check(what: &str, result: libc::c_int) -> Result<libc::c_int, String> {
    if result >= 0 { Ok(result) } else { Err(format!("{what}: {}", std::io::Error::last_os_error())) }
}

fn open(file: &CString) -> Result<OwnedFd, String> {
    // SAFETY: a string of our own; the descriptor is new.
    unsafe {
        let fd = libc::open(file.as_ptr(), libc::O_RDWR | libc::O_CREAT | libc::O_CLOEXEC, 0o600);
        check("open", fd).map(|fd| OwnedFd::from_raw_fd(fd))
    }
}

fn flock(fd: &OwnedFd, how: libc::c_int) -> libc::c_int {
    // SAFETY: numbers only.
    unsafe { libc::flock(fd.as_raw_fd(), how) }
}

/// What a wait with a deadline and without a thread comes to, and nothing else: the close of somebody's descriptor is
/// told, then the lock is tried. The kernel tells of the close of one who has died just before it frees his lock, so a
/// try may come too early, and is made again.
fn by_inotify(file: &CString) -> Result<(OwnedFd, Option<OwnedFd>), String> {
    let fd = open(file)?;
    let taken = || flock(&fd, libc::LOCK_EX | libc::LOCK_NB) == 0;
    if taken() {
        return Ok((fd, None));
    }
    // SAFETY: strings and memory of our own; the descriptor is new.
    let watch = unsafe {
        let watch = check("inotify_init1", libc::inotify_init1(libc::IN_CLOEXEC | libc::IN_NONBLOCK))?;
        check("inotify_add_watch", libc::inotify_add_watch(watch, file.as_ptr(), libc::IN_CLOSE_WRITE))?;
        OwnedFd::from_raw_fd(watch)
    };
    let mut patience = PATIENCE_MS as libc::c_int;
    while !taken() {
        let mut told = [0u8; 1024];
        let mut waiting = libc::pollfd { fd: watch.as_raw_fd(), events: libc::POLLIN, revents: 0 };
        // SAFETY: one structure and a buffer of our own.
        unsafe {
            check("poll", libc::poll(&mut waiting, 1, patience))?;
            if taken() {
                break;
            }
            libc::read(watch.as_raw_fd(), told.as_mut_ptr().cast(), told.len());
        }
        patience = 1;
    }
    Ok((fd, Some(watch)))
}

/// What is usual: try, sleep, try again.
fn by_polling(file: &CString) -> Result<OwnedFd, String> {
    let fd = open(file)?;
    while flock(&fd, libc::LOCK_EX | libc::LOCK_NB) != 0 {
        std::thread::sleep(Duration::from_millis(1));
    }
    Ok(fd)
}

// ---- readiness ----

/// `how`: "notify", or the number of a socket that is inherited.
fn ready(how: &str, page: &Path) -> Result<(), String> {
    let page = Page::open(page)?;
    let socket: UnixDatagram = if how == "notify" {
        let socket = UnixDatagram::unbound().map_err(|error| error.to_string())?;
        let name = std::env::var("NOTIFY_SOCKET").map_err(|_| "no NOTIFY_SOCKET")?;
        let address = match name.strip_prefix('@') {
            Some(name) => SocketAddr::from_abstract_name(name),
            None => SocketAddr::from_pathname(&name),
        };
        socket.connect_addr(&address.map_err(|error| error.to_string())?).map_err(|error| error.to_string())?;
        socket
    } else {
        let number: RawFd = how.parse().map_err(|_| "no number of a socket")?;
        // SAFETY: whoever started us has given us this one.
        unsafe { UnixDatagram::from_raw_fd(number) }
    };
    std::thread::sleep(SILENCE); // until the host waits
    page.write(now_ns());
    socket.send(b"READY=1").map_err(|error| error.to_string())?;
    std::thread::sleep(Duration::from_secs(30));
    Ok(())
}
