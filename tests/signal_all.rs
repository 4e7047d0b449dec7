//! `signal_all` takes every child of the process, so it has a process to itself.

#![deny(unsafe_code)]

mod common;

use common::*;
use nix::sys::signal::Signal;
use procsup::{Cause, Supervisor, signal_all};

#[test]
fn ev04_signal_all_reaches_every_group_and_nobody_else() {
    // Nothing to do is no error.
    signal_all(libc::SIGKILL);

    // The host's own child, which procsup has not made.
    let mut bystander = std::process::Command::new("sleep").arg("100").spawn().unwrap();

    // A group that is dead already, among living ones, of several supervisors.
    let (dead, _supervisor) = spawn_zombie(&sh("exit 0"));
    let (first, line, _output) = spawn_ready(&mut sh("sleep 100 & echo $!; wait"));
    let supervisor = Supervisor::new().unwrap();
    let second = supervisor.spawn(&pausing(), 0).unwrap();
    signal_all(libc::SIGTERM);
    for child in [&first, &second] {
        let exit = child.reap(patience()).unwrap();
        assert_eq!((exit.signal, exit.cause), (libc::SIGTERM, Cause::Owner));
    }
    until("the grandchild's end", || is_dead(line.parse().unwrap()));
    let exit = dead.reap(patience()).unwrap();
    assert_eq!((exit.code, exit.cause), (0, Cause::Itself));

    // Numbers that are no signals reach nobody and leave no trace: the child still dies of its owner's signal, and group
    // signals still work.
    let (child, line, _output) = spawn_ready(&mut sh("sleep 100 & echo $!; wait"));
    child.signal(libc::SIGSTOP).unwrap();
    until("stopped", || process_state(child.pid()) == Some('T'));
    child.signal(libc::SIGTERM).unwrap();
    for bad in [-1, 0, 65, 999] {
        signal_all(bad);
    }
    kill(child.pid(), Signal::SIGCONT);
    let exit = child.reap(patience()).unwrap();
    assert_eq!((exit.signal, exit.cause), (libc::SIGTERM, Cause::Owner));
    until("the grandchild's end", || is_dead(line.parse().unwrap()));

    assert!(bystander.try_wait().unwrap().is_none(), "not ours to signal");
    bystander.kill().unwrap();
    bystander.wait().unwrap();
}
