//! What the tests share: waiting for a condition with a deadline (never for a time), looking at processes through /proc, and
//! a few ordinary programs as children. No helper programs of our own: what a child is, the kernel tells.

#![allow(dead_code)]

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use procsup::{Command, Exit, Managed, Stdio};

/// Milliseconds that a test waits for what must happen. `PROCSUP_TEST_SLOWNESS` multiplies it (valgrind, slow machines).
pub fn patience() -> i64 {
    let slowness = std::env::var("PROCSUP_TEST_SLOWNESS").ok().and_then(|text| text.parse().ok()).unwrap_or(1);
    20_000 * i64::max(slowness, 1)
}

/// A time that nothing which is meant to be immediate may reach; far below any grace of a test that uses it.
pub fn at_once() -> Duration {
    Duration::from_millis(patience() as u64 / 10)
}

/// Waits for the condition.
#[track_caller]
pub fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_millis(patience() as u64);
    while !condition() {
        assert!(Instant::now() < deadline, "never came true: {what}");
        let _ = poll(&mut [], PollTimeout::from(1u8));
    }
}

/// Sets the flag when it goes, also when a check fails: or the threads that look at it would keep their scope open.
pub struct Stop<'a>(pub &'a AtomicBool);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

// ---- commands ----------------------------------------------------------------------------------------------------------

/// A program with arguments; neither reads our input nor keeps our standard error open, should a failed test leave it behind.
pub fn command(program: &str, args: &[&str]) -> Command {
    let mut command = Command::new(program).unwrap();
    command.stdio(0, Stdio::Null).unwrap().stdio(2, Stdio::Null).unwrap();
    for arg in args {
        command.arg(arg).unwrap();
    }
    command
}

/// A shell script.
pub fn sh(script: &str) -> Command {
    command("sh", &["-c", script])
}

/// Runs until somebody ends it (but not for ever, should a test fail).
pub fn pausing() -> Command {
    command("sleep", &["100"])
}

/// Echoes its input: alive, and past its start-up, once the echo came.
pub fn echoing() -> Command {
    let mut command = command("cat", &[]);
    command.stdio(0, Stdio::Pipe).unwrap().stdio(1, Stdio::Pipe).unwrap();
    command
}

/// Starts `echoing` or something made from it, and waits for its echo.
#[track_caller]
pub fn spawn_echoing(command: &Command) -> (Arc<Managed>, OwnedFd, OwnedFd) {
    let child = procsup::spawn(command).unwrap();
    let (input, output) = (child.take_stream(0).unwrap(), child.take_stream(1).unwrap());
    nix::unistd::write(&input, b"here\n").unwrap();
    assert_eq!(read_line(&output), "here");
    (child, input, output)
}

/// Runs a command to its end.
#[track_caller]
pub fn run(command: &Command) -> Exit {
    procsup::spawn(command).unwrap().reap(patience()).unwrap()
}

/// Runs a command to its end; what it wrote to its standard output.
#[track_caller]
pub fn output_of(command: &mut Command) -> String {
    command.stdio(1, Stdio::Pipe).unwrap();
    let child = procsup::spawn(command).unwrap();
    let text = read_to_end(child.take_stream(1).unwrap());
    child.reap(patience()).unwrap();
    String::from_utf8(text).unwrap()
}

/// An `Option<&OsStr>` for `Command::env`.
pub fn value(text: &str) -> Option<&OsStr> {
    Some(OsStr::new(text))
}

// ---- descriptors -------------------------------------------------------------------------------------------------------

/// Whether the descriptor becomes readable (or its other end closes) in time.
pub fn is_readable(fd: impl AsFd, ms: i64) -> bool {
    let timeout = PollTimeout::try_from(i32::try_from(ms).unwrap()).unwrap();
    loop {
        match poll(&mut [PollFd::new(fd.as_fd(), PollFlags::POLLIN)], timeout) {
            Err(nix::errno::Errno::EINTR) => {}
            result => return result.unwrap() == 1,
        }
    }
}

/// All until end of file, waiting no longer than patience lasts.
#[track_caller]
pub fn read_to_end(fd: OwnedFd) -> Vec<u8> {
    let (mut file, mut all, mut buffer) = (File::from(fd), Vec::new(), vec![0; 65_536]);
    loop {
        assert!(is_readable(&file, patience()), "no end of file; so far: {}", String::from_utf8_lossy(&all));
        match file.read(&mut buffer) {
            Ok(0) => return all,
            Ok(count) => all.extend_from_slice(&buffer[..count]),
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => panic!("{error}"),
        }
    }
}

/// One line without its end.
#[track_caller]
pub fn read_line(fd: &OwnedFd) -> String {
    let (mut line, mut byte) = (Vec::new(), [0]);
    loop {
        assert!(is_readable(fd, patience()), "no line; so far: {}", String::from_utf8_lossy(&line));
        match nix::unistd::read(fd, &mut byte) {
            Ok(1) if byte[0] != b'\n' => line.push(byte[0]),
            Ok(_) => return String::from_utf8(line).unwrap(),
            Err(nix::errno::Errno::EINTR) => {}
            Err(errno) => panic!("{errno}"),
        }
    }
}

/// A pipe, close-on-exec: (read, write).
pub fn pipe() -> (OwnedFd, OwnedFd) {
    nix::unistd::pipe2(nix::fcntl::OFlag::O_CLOEXEC).unwrap()
}

/// The open descriptors of a process, with what they lead to.
pub fn descriptors(pid: i32) -> Vec<(i32, String)> {
    let listing = fs::read_dir(format!("/proc/{pid}/fd")).unwrap();
    let mut open: Vec<(i32, String)> = listing
        .filter_map(|entry| {
            let entry = entry.unwrap();
            // Our own listing has a descriptor too, which is gone by now.
            let target = fs::read_link(entry.path()).ok()?;
            Some((entry.file_name().to_str()?.parse().ok()?, target.to_string_lossy().into_owned()))
        })
        .collect();
    open.retain(|(_, target)| target != &format!("/proc/{pid}/fd"));
    open.sort();
    open
}

// ---- processes ---------------------------------------------------------------------------------------------------------

/// The fields of /proc/PID/stat after the name; the first is the state.
fn stat(pid: i32) -> Option<Vec<String>> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, fields) = stat.rsplit_once(") ")?;
    Some(fields.split_whitespace().map(str::to_owned).collect())
}

/// R, S, T, Z ...; none: there is no such process.
pub fn process_state(pid: i32) -> Option<char> {
    stat(pid)?[0].chars().next()
}

/// Dead for all purposes. Where nobody reaps orphans a zombie is all that ever comes of one.
pub fn is_dead(pid: i32) -> bool {
    matches!(process_state(pid), None | Some('Z' | 'X'))
}

/// A line of /proc/PID/status. What it says of signals is said of the main thread.
#[track_caller]
pub fn status_of(pid: i32, key: &str) -> String {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(':')).unwrap();
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Children of this process, zombies included.
pub fn children() -> Vec<i32> {
    let tasks = fs::read_dir("/proc/self/task").unwrap();
    let of = |task: fs::DirEntry| fs::read_to_string(task.path().join("children")).unwrap_or_default();
    tasks.flat_map(|task| of(task.unwrap()).split_whitespace().map(|pid| pid.parse().unwrap()).collect::<Vec<i32>>()).collect()
}

/// Sends a signal as a stranger would.
pub fn kill(pid: i32, signal: nix::sys::signal::Signal) {
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), signal).unwrap();
}

/// Whether the runner has put a system call filter around us (it says so): then newer calls of the kernel may be missing.
pub fn is_filtered() -> bool {
    std::env::var_os("PROCSUP_TEST_VARIANT").is_some()
}

/// Whether this is root.
pub fn is_root() -> bool {
    nix::unistd::geteuid().is_root()
}

/// Runs `body` in a forked copy of this process, and fails if that fails. The copy never returns to the test harness.
#[allow(unsafe_code)]
#[track_caller]
pub fn in_forked_copy(body: impl FnOnce()) {
    use nix::sys::wait::{WaitStatus, waitpid};
    // SAFETY: the copy has one thread; it uses the allocator, which glibc and musl keep usable across a fork, and leaves by _exit.
    match unsafe { nix::unistd::fork() }.unwrap() {
        nix::unistd::ForkResult::Child => {
            // Not by a print macro: the harness keeps those to itself, and its memory is a copy here.
            std::panic::set_hook(Box::new(|panic| drop(writeln!(std::io::stderr(), "in the forked copy: {panic}"))));
            let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(body));
            // SAFETY: ends the copy without running anything of the original's.
            unsafe { libc::_exit(i32::from(result.is_err())) }
        }
        nix::unistd::ForkResult::Parent { child } => {
            let ended = loop {
                match waitpid(child, None) {
                    Err(nix::errno::Errno::EINTR) => {}
                    other => break other.unwrap(),
                }
            };
            assert_eq!(ended, WaitStatus::Exited(child, 0), "the forked part failed; see above");
        }
    }
}
