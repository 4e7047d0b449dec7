//! A spawner as it is, driven by hand: what a request says is what the child is, and every end is told.

use std::ffi::CString;
use std::io::Read;
use std::os::fd::{AsFd, AsRawFd, OwnedFd, RawFd};
use std::os::unix::process::CommandExt;
use std::process::{self, Stdio};
use std::sync::Arc;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::*;
use crate::sys::environ::Block;
use crate::sys::spawn::{Credentials, Failure, Gap, Isolation, Move, Request, Scheduling};
use crate::sys::wait::{self, Ending, Seen};
use crate::sys::{cstr, fds, getpid};

/// A spawner, and its process.
struct Spawner {
    link: Link,
    process: process::Child,
}

impl Spawner {
    fn start() -> Self {
        let (link, outfit) = prepare().unwrap();
        let high = |(fd, to): (RawFd, i32)| (fds::duplicate_above(fds::duplicate_number(fd).unwrap(), 100).unwrap(), to);
        let passed: Vec<(OwnedFd, i32)> = outfit.passed().into_iter().map(high).collect();
        let mut command = process::Command::new(Outfit::PROGRAM.to_str().unwrap());
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let numbers: Vec<(RawFd, i32)> = passed.iter().map(|(fd, to)| (fd.as_raw_fd(), *to)).collect();
        // SAFETY: dup2 alone, between fork and exec.
        unsafe {
            command.pre_exec(move || {
                for (from, to) in &numbers {
                    if libc::dup2(*from, *to) < 0 {
                        return Err(std::io::Error::last_os_error());
                    }
                }
                Ok(())
            });
        }
        let spawner = Self { link, process: command.spawn().unwrap() };
        assert!(matches!(spawner.next(), Reply::Hello));
        spawner
    }

    fn next(&self) -> Reply {
        loop {
            if let Some(reply) = self.link.receive().unwrap() {
                return reply;
            }
            assert!(is_readable(self.link.fd()), "the spawner says nothing");
        }
    }

    fn submit(&self, request: &Request<'_>, gate: Gate) -> Slot {
        let slot = self.link.reserve(gate).unwrap();
        self.link.submit(slot, request).unwrap();
        slot
    }

    /// Begins, ends: how.
    fn run(&self, request: &Request<'_>) -> Ending {
        let slot = self.submit(request, Gate::Open);
        let Reply::Began(of, pid, Some(pidfd)) = self.next() else { panic!("it has not begun") };
        assert_eq!((of, self.link.births().pid(slot.index)), (slot, pid));
        self.link.release(slot);
        reap(&pidfd, pid)
    }

    fn fail(&self, request: &Request<'_>) -> Failure {
        let slot = self.submit(request, Gate::Open);
        let Reply::Failed(of, pid, pidfd, failure) = self.next() else { panic!("it has not failed") };
        assert_eq!(of, slot);
        self.link.release(slot);
        if let Some(pidfd) = pidfd {
            reap(&pidfd, pid);
        }
        failure
    }
}

impl Drop for Spawner {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Waits until it is.
fn is_readable(fd: &OwnedFd) -> bool {
    let mut waits = [PollFd::new(fd.as_fd(), PollFlags::POLLIN)];
    nix::poll::poll(&mut waits, 20_000u16) == Ok(1)
}

fn reap(pidfd: &OwnedFd, pid: i32) -> Ending {
    match wait::reap_ending(pidfd.as_raw_fd(), pid) {
        Seen::Ended(ending) => ending,
        other => panic!("{other:?}"),
    }
}

/// What a request borrows.
struct Wanted {
    candidates: Vec<CString>,
    argv: cstr::Array,
    moves: Vec<Move>,
    gaps: Vec<Gap>,
    credentials: Option<Credentials>,
}

impl Wanted {
    fn new(program: &str, arguments: &[&str]) -> Self {
        let text = |text: &str| CString::new(text).unwrap();
        Self {
            candidates: vec![text(program)],
            argv: cstr::Array::new(text(program), Arc::new(arguments.iter().map(|word| text(word)).collect())).unwrap(),
            moves: vec![Move { from: Move::NULL, to: 0 }, Move { from: Move::NULL, to: 1 }, Move { from: Move::NULL, to: 2 }],
            gaps: vec![Gap { first: 3, last: u32::MAX }],
            credentials: None,
        }
    }

    fn shell(script: &str) -> Self {
        Self::new("/bin/sh", &["-c", script])
    }

    /// Its output comes here.
    fn piped(mut self) -> (Self, std::fs::File) {
        let (read, write) = fds::pipe().unwrap();
        self.moves[1].from = write.as_raw_fd();
        // Kept by the test until its end: the write end is closed by the caller's drop of the leaked number below.
        std::mem::forget(write);
        (self, read.into())
    }

    fn request(&self) -> Request<'_> {
        Request {
            candidates: &self.candidates,
            argv: &self.argv,
            env: Block::Inherit,
            own_pids: [None, None],
            birth: None,
            directory: None,
            moves: &self.moves,
            gaps: &self.gaps,
            unshare_first: None,
            terminal: crate::sys::spawn::Terminal::None,
            isolation: Isolation::Group,
            group: 0,
            umask: None,
            nice: None,
            limits: &[],
            credentials: self.credentials.as_ref(),
            chdir_first: false,
            no_new_privs: false,
            die_with_host: false,
            cgroup: None,
            realtime_ignored: 0,
            keep_ignored: 0,
            mask: 0,
            oom_score_adj: None,
            processors: &[],
            scheduling: Scheduling::default(),
            ruleset: None,
            contained: None,
        }
    }
}

/// It has begun, and ended: how.
fn ending(spawner: &Spawner, slot: Slot) -> Ending {
    let Reply::Began(of, pid, Some(pidfd)) = spawner.next() else { panic!("it has not begun") };
    assert_eq!(of, slot);
    spawner.link.release(slot);
    reap(&pidfd, pid)
}

// covers: C15-5
#[test]
fn what_is_sent_again_is_its_own_however_many_are_kept() {
    let spawner = Spawner::start();
    let kept = |number: usize| {
        // One of them is too long for a place of the spawner.
        let script = format!("exit {number} # {}", "x".repeat(if number == 3 { wire::LONGEST_KEPT } else { 10 * number }));
        let wanted = Wanted::shell(&script);
        let slot = spawner.link.reserve(Gate::Open).unwrap();
        let standing = spawner.link.submit_and_keep(slot, &wanted.request()).unwrap().unwrap();
        assert_eq!(ending(&spawner, slot).code, number as i32);
        standing
    };
    let all: Vec<Standing> = (0..wire::PLACES + 3).map(kept).collect();
    let few = [0, 1, 3, 1, 0, 0].into_iter();
    for number in few.chain((0..all.len()).cycle().take(3 * all.len())).chain([2, 2, 3, 3]) {
        let slot = spawner.link.reserve(Gate::Open).unwrap();
        spawner.link.submit_again(slot, &all[number]).unwrap();
        assert_eq!(ending(&spawner, slot).code, number as i32);
    }
}

/// What the child writes.
fn said(spawner: &Spawner, wanted: Wanted) -> String {
    let (wanted, mut read) = wanted.piped();
    let slot = spawner.submit(&wanted.request(), Gate::Open);
    fds::close(wanted.moves[1].from);
    let reply = spawner.next();
    let Reply::Began(_, pid, Some(pidfd)) = reply else { panic!("{reply:?}") };
    spawner.link.release(slot);
    let mut text = String::new();
    read.read_to_string(&mut text).unwrap();
    assert_eq!(reap(&pidfd, pid).code, 0, "{text}");
    text
}

#[test]
fn a_child_is_the_hosts_own() {
    let spawner = Spawner::start();
    let text = said(&spawner, Wanted::shell("echo $PPID; kill -s 0 0 && ps -o pgid= -p $$ | tr -d ' '; echo $$"));
    let numbers: Vec<i32> = text.lines().map(|line| line.parse().unwrap()).collect();
    assert_eq!(numbers[0], getpid());
    assert_eq!(numbers[1], numbers[2], "it leads its group");
    assert_eq!(spawner.run(&Wanted::shell("exit 7").request()).code, 7);
}

#[test]
fn every_failure_has_its_step() {
    let spawner = Spawner::start();
    let no_program = Wanted::new("/no/such/program", &[]);
    assert_eq!((spawner.fail(&no_program.request()).step, spawner.fail(&no_program.request()).errno), ("exec", Errno::ENOENT));
    let wanted = Wanted::shell("exit 0");
    let chdir = spawner.fail(&Request { directory: Some(c"/no/such/directory"), ..wanted.request() });
    assert_eq!((chdir.step, chdir.errno), ("chdir", Errno::ENOENT));
}

#[test]
fn descriptors_go_where_they_must_and_no_other_is_open() {
    let spawner = Spawner::start();
    let mut wanted = Wanted::shell("ls /proc/self/fd | tr '\\n' ' '; for fd in 6 7 9; do echo $fd >&$fd; done");
    let mut ends = Vec::new();
    // They come to the spawner as 5, 6, and so on: where others must go.
    for to in 6..15 {
        let (read, write) = fds::pipe().unwrap();
        wanted.moves.push(Move { from: write.as_raw_fd(), to });
        ends.push((read, write));
    }
    wanted.gaps = vec![Gap { first: 3, last: 5 }, Gap { first: 15, last: u32::MAX }];
    // 3 is the directory that ls reads.
    assert_eq!(said(&spawner, wanted), "0 1 10 11 12 13 14 2 3 6 7 8 9 ");
    for (index, (read, write)) in ends.into_iter().enumerate() {
        drop(write);
        let mut text = String::new();
        std::fs::File::from(read).read_to_string(&mut text).unwrap();
        assert_eq!(text, if matches!(index, 0 | 1 | 3) { format!("{}\n", index + 6) } else { String::new() });
    }
}

#[test]
fn a_shut_gate_holds_the_child_and_a_barred_one_ends_it() {
    let spawner = Spawner::start();
    let directory = std::env::temp_dir().join(format!("procsup-gate-{}", getpid()));
    let wanted = Wanted::shell(&format!("touch {}", directory.display()));
    let slot = spawner.submit(&wanted.request(), Gate::Shut);
    let Reply::Born(of, pid, Some(pidfd)) = spawner.next() else { panic!("it is not born") };
    assert_eq!(of, slot);
    assert!(!directory.exists());
    assert!(spawner.link.births().set(slot.index, Gate::Barred));
    let Reply::Failed(_, ended, None, failure) = spawner.next() else { panic!("it has not failed") };
    assert_eq!((ended, failure.step, failure.errno), (pid, "gate", Errno::ECANCELED));
    reap(&pidfd, pid);
    spawner.link.release(slot);
    assert!(!directory.exists());

    let slot = spawner.submit(&wanted.request(), Gate::Shut);
    let Reply::Born(_, pid, Some(pidfd)) = spawner.next() else { panic!("it is not born") };
    assert!(spawner.link.births().set(slot.index, Gate::Open));
    assert!(matches!(spawner.next(), Reply::Began(_, of, None) if of == pid));
    assert_eq!(reap(&pidfd, pid).code, 0);
    assert!(directory.exists());
    std::fs::remove_file(directory).unwrap();
}

#[test]
fn those_that_are_held_up_hold_up_nobody() {
    let spawner = Spawner::start();
    let wanted = Wanted::shell("exit 7");
    // More than processors, whose number bounds how many are on their way at once.
    let held: Vec<_> = (0..6).map(|_| spawner.submit(&wanted.request(), Gate::Shut)).collect();
    let born: Vec<_> = held.iter().map(|_| spawner.next()).collect();
    assert_eq!(spawner.run(&wanted.request()).code, 7);
    for reply in born {
        let Reply::Born(slot, pid, Some(pidfd)) = reply else { panic!("it is not born") };
        assert!(held.contains(&slot) && spawner.link.births().set(slot.index, Gate::Open));
        assert!(matches!(spawner.next(), Reply::Began(of, ..) if of == slot));
        assert_eq!(reap(&pidfd, pid).code, 7);
    }
}

#[test]
fn a_child_is_scheduled_as_the_host_is() {
    let spawner = Spawner::start();
    let policy = |line: &str| line.rsplit(") ").next().unwrap().split(' ').nth(38).unwrap().to_owned();
    let ours = std::fs::read_to_string("/proc/thread-self/stat").unwrap();
    assert_eq!(policy(&said(&spawner, Wanted::shell("read -r line < /proc/self/stat; echo \"$line\""))), policy(&ours));
}

#[test]
fn no_child_passes_once_all_gates_are_barred() {
    let spawner = Spawner::start();
    let wanted = Wanted::shell("exit 0");
    let shut = spawner.submit(&wanted.request(), Gate::Shut);
    let Reply::Born(_, pid, Some(pidfd)) = spawner.next() else { panic!("it is not born") };
    spawner.link.births().bar_all();
    assert!(matches!(spawner.next(), Reply::Failed(of, _, None, failure) if of == shut && failure.errno == Errno::ECANCELED));
    reap(&pidfd, pid);
    assert_eq!(spawner.fail(&wanted.request()).step, "gate", "one that came later finds it so, too");
}

#[test]
fn a_long_request_arrives_whole() {
    let spawner = Spawner::start();
    let long = "x".repeat(100_000);
    assert_eq!(said(&spawner, Wanted::new("/bin/sh", &["-c", "echo ${#1} ${#2}", "sh", &long, &long])), "100000 100000\n");
}

#[test]
fn a_child_is_the_user_that_it_shall_be() {
    if !nix::unistd::geteuid().is_root() {
        return;
    }
    let spawner = Spawner::start();
    let mut wanted = Wanted::shell("id -u; id -G");
    wanted.credentials = Some(Credentials { uid: Some(65_534), gid: Some(65_534), groups: Some(vec![]) });
    assert_eq!(said(&spawner, wanted), "65534\n65534\n");
}

#[test]
fn who_becomes_another_user_shares_no_memory_with_the_spawner() {
    let spawner = Spawner::start();
    // kcmp(2): 0 says the same.
    let shares = |pid: i32| {
        // SAFETY: no pointers.
        let order = unsafe { libc::syscall(libc::SYS_kcmp, spawner.process.id(), pid, 1, 0, 0) };
        if order < 0 { None } else { Some(order == 0) }
    };
    let mut wanted = Wanted::shell("exit 0");
    for credentials in [None, Some(Credentials { uid: Some(65_534), gid: Some(65_534), groups: Some(vec![]) })] {
        let apart = credentials.is_some();
        wanted.credentials = credentials;
        let slot = spawner.submit(&wanted.request(), Gate::Shut);
        let Reply::Born(_, pid, pidfd) = spawner.next() else { panic!("it is not born") };
        // Without that call, or in the tier that shares nothing at all, there is nothing to be seen.
        if let Some(shared) = shares(pid).filter(|shared| apart || *shared) {
            assert_eq!(shared, !apart);
        }
        assert!(spawner.link.births().set(slot.index, Gate::Barred));
        let Reply::Failed(_, _, late, _) = spawner.next() else { panic!("it has not failed") };
        reap(&pidfd.or(late).unwrap(), pid);
        spawner.link.release(slot);
    }
}

#[test]
fn the_end_of_the_spawner_is_told_and_every_fate_known() {
    let mut spawner = Spawner::start();
    let wanted = Wanted::shell("exit 0");
    let born = spawner.submit(&wanted.request(), Gate::Shut);
    let Reply::Born(_, pid, Some(pidfd)) = spawner.next() else { panic!("it is not born") };
    kill(Pid::from_raw(spawner.process.id() as i32), Signal::SIGSTOP).unwrap();
    let unborn = spawner.submit(&wanted.request(), Gate::Open);
    spawner.process.kill().unwrap();
    spawner.process.wait().unwrap();
    assert_eq!(spawner.link.fate(unborn), Fate::Unborn);
    assert_eq!(spawner.link.fate(born), Fate::Born(pid));
    // The gate is the host's still.
    assert!(spawner.link.births().set(born.index, Gate::Barred));
    assert_eq!(reap(&pidfd, pid).code, 127);
    assert!(matches!(spawner.next(), Reply::Gone));
    assert!(matches!(spawner.link.fate(born), Fate::Failed(of, "gate", Errno::ECANCELED) if of == pid));
    assert_eq!(spawner.link.submit(unborn, &wanted.request()), Err(Refusal::Gone));
}

#[test]
fn the_spawner_ends_with_its_channel() {
    let spawner = Spawner::start();
    nix::sys::socket::shutdown(spawner.link.fd().as_raw_fd(), nix::sys::socket::Shutdown::Both).unwrap();
    let pidfd = crate::sys::pidfd::open(spawner.process.id() as i32).unwrap();
    assert!(is_readable(&pidfd), "it runs on");
}

#[test]
fn a_child_begins_where_the_host_is() {
    // In a copy: the directory is that of all threads.
    let spawner = Spawner::start();
    assert_eq!(said(&spawner, Wanted::shell("pwd")).trim(), std::env::current_dir().unwrap().to_str().unwrap());
}
