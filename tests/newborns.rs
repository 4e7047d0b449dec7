//! Processes that another was asked to make, and that wait at their gates: expected, proven, registered, somebody's child. Here a copy of the test
//! stands for the maker: it forks, as a sibling of itself or as its own child, when it is told to.

#![deny(unsafe_code)]

mod common;
#[path = "common/refusing.rs"]
#[allow(dead_code)]
mod refusing;

use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::Arc;

use common::*;
use nix::sys::signal::Signal;
use procsup::adopt::{Bounds, Claim, Expected, Maker, Newborn, Strays, Streams};
use procsup::clock::Deadline;
use procsup::{Cause, Command, Exit, Kind, Status, Stdio};
use refusing::*;

/// A sibling of the maker, that leads a group of its own: what a newborn is.
const SIBLING: u8 = b's';
/// The same, still in its maker's group: it has not come far.
const EARLY: u8 = b'e';
/// The maker's own child.
const OWN: u8 = b'o';

/// A process that makes others.
struct Mother {
    maker: Maker,
    orders: OwnedFd,
    said: OwnedFd,
    /// What newborns wait for.
    gate: Option<OwnedFd>,
}

impl Mother {
    #[allow(unsafe_code)]
    fn new() -> Self {
        let ((orders_in, orders), (said, said_in), (gate, gate_out)) = (pipe(), pipe(), pipe());
        // SAFETY: the copy makes system calls and nothing else.
        let pid = unsafe { libc::fork() };
        if pid == 0 {
            drop((orders, said, gate_out));
            // SAFETY: as above.
            unsafe { bear(orders_in.as_raw_fd(), said_in.as_raw_fd(), gate.as_raw_fd()) }
        }
        drop((orders_in, said_in, gate));
        let mother = Self { maker: Maker::new(pid, Arc::new(open_pidfd(pid).unwrap())), orders, said, gate: Some(gate_out) };
        assert_eq!(mother.hear(), pid);
        mother
    }

    fn hear(&self) -> i32 {
        let mut number = [0; 4];
        assert!(is_readable(&self.said, patience()));
        assert_eq!(nix::unistd::read(&self.said, &mut number), Ok(4));
        i32::from_ne_bytes(number)
    }

    /// Has one made; it has said who it is.
    fn bears(&self, how: u8) -> (i32, OwnedFd) {
        nix::unistd::write(&self.orders, &[how]).unwrap();
        let pid = self.hear();
        (pid, open_pidfd(pid).unwrap())
    }

    fn claim(&self, pid: i32, pidfd: OwnedFd) -> Claim<'_> {
        Claim { pid, pidfd, maker: &self.maker, user: Some(nix::unistd::geteuid().as_raw()), bounds: Bounds::default() }
    }

    fn newborn(&self, how: u8) -> Newborn {
        let (pid, pidfd) = self.bears(how);
        Expected::new(None).unwrap().prove_and_register(self.claim(pid, pidfd)).unwrap()
    }

    fn opens_the_gate(&mut self) {
        self.gate = None;
    }

    fn dies(&self) {
        kill(self.maker.pid, Signal::SIGKILL);
        reap(self.maker.pid);
    }
}

impl Drop for Mother {
    fn drop(&mut self) {
        let _ = nix::sys::signal::kill(nix::unistd::Pid::from_raw(self.maker.pid), Signal::SIGKILL);
        let _ = nix::sys::wait::waitpid(nix::unistd::Pid::from_raw(self.maker.pid), None);
    }
}

fn reap(pid: i32) {
    nix::sys::wait::waitpid(nix::unistd::Pid::from_raw(pid), None).unwrap();
}

/// The copy's life.
#[allow(unsafe_code)]
unsafe fn bear(orders: i32, said: i32, gate: i32) -> ! {
    let mut order = 0u8;
    // SAFETY: system calls on descriptors and memory of our own; a clone without a stack or shared memory is a fork.
    unsafe {
        let say = || {
            let pid = libc::syscall(libc::SYS_getpid) as i32;
            libc::write(said, (&raw const pid).cast(), 4);
        };
        libc::setpgid(0, 0);
        say();
        while libc::read(orders, (&raw mut order).cast(), 1) == 1 {
            let flags = libc::SIGCHLD | if order == OWN { 0 } else { libc::CLONE_PARENT };
            if libc::syscall(libc::SYS_clone, flags, 0, 0, 0, 0) != 0 {
                continue;
            }
            if order != EARLY {
                libc::setpgid(0, 0);
            }
            libc::close(orders);
            say();
            while libc::read(gate, (&raw mut order).cast(), 1) < 0 {}
            libc::_exit(7);
        }
        libc::_exit(0)
    }
}

fn plain() -> Command {
    Command::new("worker").unwrap()
}

/// Waits for its end as for any child's: the type of it has no name out here.
macro_rules! end_of {
    ($child:expr) => {
        $child.wait(Deadline::of_millis(patience()), false, || None, || {}).unwrap().expect("it has not ended")
    };
}

#[track_caller]
fn assert_end(exit: Exit, kind: Kind, code: i32, signal: i32) {
    assert_eq!((exit.kind, exit.code, exit.signal), (kind, code, signal), "{exit:?}");
}

fn status<T: std::fmt::Debug>(result: Result<T, procsup::Error>) -> Status {
    result.unwrap_err().status
}

// covers: C15-1, FS-2, LAW-7
#[test]
fn a_sibling_is_a_child_as_any_other() {
    let worlds: [&[Rule]; 4] = [&[], &[NO_PIDFD_INFO], &[NO_WAITID_PIDFD], &[NO_PIDFD_SIGNAL]];
    if !alone("a_sibling_is_a_child_as_any_other", &worlds) {
        return;
    }
    let mut mother = Mother::new();
    let (first, second) = (mother.bears(SIBLING), mother.bears(SIBLING));
    enter_world();
    let expect = |(pid, pidfd)| Expected::new(None).unwrap().prove_and_register(mother.claim(pid, pidfd)).unwrap();
    let (first, second) = (expect(first), expect(second));
    assert_eq!(procsup::live_count(), 2, "also as long as it is nobody's");
    let command = plain();
    let child = first.into_child(&command, Streams::of(&command, &mut None).unwrap()).unwrap();
    child.signal(libc::SIGKILL).unwrap();
    let exit = end_of!(child);
    assert_end(exit, Kind::Signaled, -1, libc::SIGKILL);
    assert_eq!((exit.cause, exit.max_rss_kib > 0), (Cause::Owner, true), "first-hand");
    assert_eq!(process_state(child.pid()), None, "reaped");
    let child = second.into_child(&command, Streams::of(&command, &mut None).unwrap()).unwrap();
    mother.opens_the_gate();
    assert_end(end_of!(child), Kind::Exited, 7, 0);
    assert_eq!(procsup::live_count(), 0);
}

// covers: C15-1, FS-2
#[test]
fn a_child_of_its_maker_is_a_stranger() {
    if !alone("a_child_of_its_maker_is_a_stranger", &[&[], &[NO_PIDFD_INFO], &[NO_WAITID_PIDFD]]) {
        return;
    }
    let mut mother = Mother::new();
    let (pid, pidfd) = mother.bears(OWN);
    enter_world();
    let newborn = Expected::new(None).unwrap().prove_and_register(mother.claim(pid, pidfd)).unwrap();
    let command = plain();
    let child = newborn.into_child(&command, Streams::of(&command, &mut None).unwrap()).unwrap();
    mother.opens_the_gate();
    let exit = end_of!(child);
    assert_end(exit, Kind::Exited, 7, 0);
    assert_eq!((exit.max_rss_kib, process_state(pid)), (-1, Some('Z')), "its maker's to reap");
}

// covers: C15-1, LAW-2, FS-12
#[test]
fn another_is_not_passed_for_it() {
    if !alone("another_is_not_passed_for_it", &[&[], &[NO_PIDFD_INFO], &[NO_WAITID_PIDFD]]) {
        return;
    }
    // Older than the maker, and the host's own.
    let null = std::process::Stdio::null;
    let own = std::process::Command::new("sleep").arg("1000").stdout(null()).stderr(null()).spawn().unwrap();
    let ours = procsup::spawn(pausing().stdio(1, Stdio::Null).unwrap()).unwrap();
    let mother = Mother::new();
    let sibling = mother.newborn(SIBLING);
    let mut stranger = std::process::Command::new("sh");
    stranger.args(["-c", "sleep 1000 & echo $!; exec sleep 1000"]).stdout(std::process::Stdio::piped()).stderr(null());
    let mut stranger = stranger.spawn().unwrap();
    let grandchild: i32 = read_line(&stranger.stdout.take().unwrap().into()).parse().unwrap();
    // Younger, but it runs a program.
    let runs = std::process::Command::new("sleep").arg("1000").stdout(null()).stderr(null()).spawn().unwrap();
    enter_world();
    let parent = nix::unistd::getppid().as_raw();
    let itself = std::process::id() as i32;
    for (who, why) in [
        (own.id() as i32, "not made by"),
        (runs.id() as i32, "has begun a program"),
        (ours.pid(), "a child already"),
        (sibling.pid(), "a child already"),
        (mother.maker.pid, "who was asked"),
        (itself, "is this one"),
        (grandchild, "not made by"),
        (parent, "not made by"),
    ] {
        if who <= 1 {
            continue;
        }
        let refused = Expected::new(None).unwrap().prove_and_register(mother.claim(who, open_pidfd(who).unwrap())).unwrap_err();
        assert!(refused.status == Status::PeerRejected && refused.message.contains(why), "{who}: {refused}");
        assert!(!is_dead(who), "nothing is done to {who}");
    }
    // The number of one and the identity of another.
    let claim = mother.claim(sibling.pid(), open_pidfd(ours.pid()).unwrap());
    assert_eq!(status(Expected::new(None).unwrap().prove_and_register(claim)), Status::PeerRejected);
    for mut child in [own, runs, stranger] {
        child.kill().unwrap();
        child.wait().unwrap();
    }
    kill(grandchild, Signal::SIGKILL);
    ours.terminate(0).unwrap();
}

// covers: C15-1
#[test]
fn the_wrong_users_is_refused_and_so_is_a_dead_one() {
    if !alone("the_wrong_users_is_refused_and_so_is_a_dead_one", &[&[], &[NO_PIDFD_INFO]]) {
        return;
    }
    let mother = Mother::new();
    let (early, ends) = (mother.bears(SIBLING), mother.bears(SIBLING));
    enter_world();
    let claim = Claim { user: Some(4_242), ..mother.claim(early.0, early.1) };
    assert_eq!(status(Expected::new(None).unwrap().prove_and_register(claim)), Status::PeerRejected);
    kill(ends.0, Signal::SIGKILL);
    until("it has ended", || process_state(ends.0) == Some('Z'));
    assert_eq!(status(Expected::new(None).unwrap().prove_and_register(mother.claim(ends.0, ends.1))), Status::Exited);
    assert_eq!(process_state(ends.0), None, "nobody else would ever reap it");
    kill(early.0, Signal::SIGKILL);
    reap(early.0);
    assert_eq!(procsup::live_count(), 0);
}

// covers: C15-1, LAW-7, LAW-12
#[test]
fn kill_all_shuts_the_gates_and_refuses_who_is_born_later() {
    if !alone("kill_all_shuts_the_gates_and_refuses_who_is_born_later", &[&[], &[NO_PIDFD_SIGNAL]]) {
        return;
    }
    let mother = Mother::new();
    let (pid, pidfd) = mother.bears(SIBLING);
    let (inside, outside) = std::os::unix::net::UnixStream::pair().unwrap();
    let (unborn, late) = (Expected::new(Some(inside.as_raw_fd())).unwrap(), Expected::new(Some(inside.as_raw_fd())).unwrap());
    let known = mother.newborn(SIBLING);
    enter_world();
    assert!(!unborn.is_refused());
    assert_eq!((procsup::live_count(), procsup::kill_and_reap_all(patience())), (1, 0));
    assert!(known.has_ended() && unborn.is_refused() && late.is_refused());
    assert!(is_readable(&outside, 0), "the other side finds the end");
    assert_eq!(status(late.prove_and_register(mother.claim(pid, pidfd))), Status::Cancelled);
    until("it is killed, and reaped by whoever comes by", || {
        run(&command("true", &[]));
        process_state(pid).is_none()
    });
    drop(unborn);
    // What is asked for afterwards is another matter.
    mother.newborn(SIBLING);
}

/// Its facts are written anew when it becomes a child; what was done to it before stays: else a kill of ours would be taken for a stranger's.
#[test]
fn a_kill_of_ours_before_it_is_a_child_stays_ours() {
    if !alone("a_kill_of_ours_before_it_is_a_child_stays_ours", &[&[]]) {
        return;
    }
    let mother = Mother::new();
    let newborn = mother.newborn(SIBLING);
    assert!(procsup::signal_all(libc::SIGKILL));
    let command = plain();
    let child = newborn.into_child(&command, Streams::of(&command, &mut None).unwrap()).unwrap();
    let exit = end_of!(child);
    assert_end(exit, Kind::Signaled, -1, libc::SIGKILL);
    assert_eq!((exit.cause, exit.killed, exit.memory.kills, exit.memory.peak), (Cause::Owner, true, -1, -1));
}

// covers: C15-1, LAW-12
#[test]
fn one_that_is_dropped_is_killed_and_reaped() {
    if !alone("one_that_is_dropped_is_killed_and_reaped", &[&[], &[NO_PIDFD_SIGNAL]]) {
        return;
    }
    let mother = Mother::new();
    enter_world();
    for how in [SIBLING, OWN] {
        if how == OWN && refuses(NO_PIDFD_SIGNAL) {
            continue;
        }
        let newborn = mother.newborn(how);
        let pid = newborn.pid();
        drop(newborn);
        until("it is gone", || {
            run(&command("true", &[]));
            is_dead(pid) && procsup::live_count() == 0
        });
        let mut newborn = mother.newborn(how);
        assert!(newborn.reap().is_none() && !newborn.has_ended());
        newborn.kill();
        let mut end = None;
        until("it has ended", || {
            end = newborn.reap();
            end.is_some()
        });
        assert_end(end.unwrap(), Kind::Signaled, -1, libc::SIGKILL);
    }
}

// covers: C15-1, FS-12, LAW-2
#[test]
fn births_that_nobody_knows_are_found_when_their_maker_has_died() {
    let worlds: [&[Rule]; 3] = [&[], &[NO_PIDFD_SIGNAL], &[NO_PIDFD_INFO, NO_PIDFD_OPEN]];
    if !alone("births_that_nobody_knows_are_found_when_their_maker_has_died", &worlds) {
        return;
    }
    let mother = Mother::new();
    let (dead, alive, known, left) = (mother.bears(EARLY).0, mother.bears(EARLY).0, mother.bears(EARLY), mother.bears(SIBLING).0);
    // The host's own, in no group of the maker's.
    let mut own = std::process::Command::new("true").spawn().unwrap();
    enter_world();
    let known = Expected::new(None).unwrap().prove_and_register(mother.claim(known.0, known.1)).unwrap();
    let number = nix::unistd::Pid::from_raw;
    assert_eq!(nix::unistd::getpgid(Some(number(known.pid()))), Ok(number(known.pid())), "who is known leads a group");
    // And goes back to where it came from.
    nix::unistd::setpgid(number(known.pid()), number(mother.maker.pid)).unwrap();
    kill(dead, Signal::SIGKILL);
    mother.dies();
    let mut strays = Strays::of(&mother.maker);
    assert!(!strays.settle(), "one of them runs yet");
    until("the dead one is reaped", || {
        assert!(!strays.settle());
        process_state(dead).is_none()
    });
    kill(known.pid(), Signal::SIGKILL);
    until("it has ended", || process_state(known.pid()) == Some('Z'));
    kill(alive, Signal::SIGKILL);
    assert!(!strays.settle(), "who is known is reaped by who knows it");
    assert!(known.kill_and_reap(Deadline::of_millis(patience())));
    until("all are reaped", || strays.settle());
    assert!(process_state(alive).is_none());
    assert_eq!(process_state(left), Some('S'), "it has left the group, and could say who it is");
    until("it has ended", || process_state(own.id() as i32) == Some('Z'));
    assert!(own.wait().unwrap().success(), "nobody has taken it");
    kill(left, Signal::SIGKILL);
    reap(left);
}

// covers: LAW-2, LAW-8
#[test]
fn a_group_of_the_same_number_is_not_the_makers() {
    if !alone("a_group_of_the_same_number_is_not_the_makers", &[&[], &[NO_PIDFD_SIGNAL]]) {
        return;
    }
    let mother = Mother::new();
    // Whose group it is said to be: a number with a zombie of the host's own in it, behind the identity of one that is gone.
    let zombie = mother.bears(SIBLING).0;
    let member = mother.bears(EARLY).0;
    nix::unistd::setpgid(nix::unistd::Pid::from_raw(member), nix::unistd::Pid::from_raw(zombie)).unwrap();
    kill(member, Signal::SIGKILL);
    until("it has ended", || process_state(member) == Some('Z'));
    let mut gone = std::process::Command::new("true").spawn().unwrap();
    let pidfd = Arc::new(open_pidfd(gone.id() as i32).unwrap());
    gone.wait().unwrap();
    enter_world();
    assert!(Strays::of(&Maker::new(zombie, pidfd)).settle());
    assert_eq!(process_state(member), Some('Z'), "not ours to reap");
    reap(member);
    kill(zombie, Signal::SIGKILL);
    reap(zombie);
}

// covers: C15-1
#[test]
fn it_is_given_its_streams_and_what_cannot_be_given_is_refused() {
    let mother = Mother::new();
    let (lent, _other) = pipe();
    let mut command = plain();
    command.stdio(0, Stdio::Null).unwrap().stdio(1, Stdio::Pipe).unwrap().stdio(2, Stdio::Merge).unwrap();
    command.pass_fd(lent.as_raw_fd(), 9).unwrap().pass_fd(lent.as_raw_fd(), 11).unwrap();
    let streams = Streams::of(&command, &mut None).unwrap();
    let passed: Vec<(String, i32)> = streams.passed().map(|(fd, to)| (target(fd.as_raw_fd()), to)).collect();
    let lent = target(lent.as_raw_fd());
    assert_eq!(passed[0], ("/dev/null".to_owned(), 0));
    assert_eq!((&passed[1].1, &passed[2], passed.len()), (&1, &(passed[1].0.clone(), 2), 5), "{passed:?}");
    assert_eq!(passed[3..], [(lent.clone(), 9), (lent, 11)]);
    let child = mother.newborn(SIBLING).into_child(&command, streams).unwrap();
    assert_eq!(target(child.take_stream(1).unwrap().as_raw_fd()), passed[1].0);
    child.signal(libc::SIGKILL).unwrap();
    end_of!(child);

    let mut merged = plain();
    merged.stdio(2, Stdio::Merge).unwrap();
    assert_eq!(status(Streams::of(&merged, &mut None)), Status::InvalidArgument, "stream 1 is the preloader's");
    let mut wrong = plain();
    wrong.nice(3).unwrap();
    let newborn = mother.newborn(SIBLING);
    let pid = newborn.pid();
    assert_eq!(status(newborn.into_child(&wrong, Streams::of(&plain(), &mut None).unwrap())), Status::InvalidArgument);
    until("it is gone", || {
        run(&common::command("true", &[]));
        process_state(pid).is_none()
    });
}

fn target(fd: i32) -> String {
    std::fs::read_link(format!("/proc/self/fd/{fd}")).unwrap().to_string_lossy().into_owned()
}
