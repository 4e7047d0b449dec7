//! What a library may do to the program it lives in: nothing that it was not asked for. The whole state of the process is
//! compared before and after, so this has a process to itself.

#![deny(unsafe_code)]

mod common;

use std::fs;

use common::*;
use procsup::{Stdio, Supervisor};

/// Dispositions, mask, threads, limits, directory, umask, environment, subreaper.
fn state() -> Vec<String> {
    let pid = std::process::id() as i32;
    let mut state: Vec<String> =
        ["SigIgn", "SigCgt", "SigBlk", "Umask", "Threads", "NoNewPrivs", "Uid", "Gid", "Groups"].map(status_of_this_thread).into();
    state.push(fs::read_to_string("/proc/self/limits").unwrap());
    state.push(format!("{:?} {:?}", std::env::current_dir().unwrap(), group_and_session(pid)));
    state.push(format!("{:?}", std::env::vars_os().collect::<Vec<_>>()));
    state.push(format!("{:?} {}", nix::sys::prctl::get_child_subreaper(), nice_of(pid)));
    state
}

#[test]
fn law01_the_host_is_as_it_was() {
    let before = state();
    let supervisor = Supervisor::new().unwrap();
    assert_eq!(state(), before, "by a supervisor");
    let (read, _write) = pipe();
    let mut command = sh("cat; exit 2");
    command
        .cwd("/")
        .unwrap()
        .umask(0)
        .unwrap()
        .nice(5)
        .unwrap()
        .env("A", value("B"))
        .unwrap()
        .rlimit(libc::RLIMIT_CORE as i32, 0, 0)
        .unwrap();
    command.listen_fd(std::os::fd::AsRawFd::as_raw_fd(&read), None).unwrap().no_new_privs(true).die_with_host(false);
    command.stdio(0, Stdio::Pipe).unwrap().deadline(patience()).unwrap().capture(100).unwrap();
    let child = supervisor.spawn(&command, 0).unwrap();
    assert_eq!(state(), before, "by a spawn");
    drop(child.take_stream(0).unwrap());
    while supervisor.next_event(patience()).unwrap().unwrap().exit.is_none() {}
    assert_eq!(state(), before, "by events");
    procsup::spawn(&command).unwrap().terminate(0).unwrap();
    procsup::spawn(&common::command("/nonexistent", &[])).unwrap_err();
    assert_eq!(procsup::kill_and_reap_all(0), 0);
    drop(supervisor);
    assert_eq!(state(), before, "by the end of it all");

    // Law 2: a child that is not ours is not waited for.
    let mut own = std::process::Command::new("true").spawn().unwrap();
    until("a zombie", || process_state(own.id() as i32) == Some('Z'));
    run(&sh("exit 0"));
    procsup::kill_and_reap_all(0);
    assert_eq!(process_state(own.id() as i32), Some('Z'));
    assert!(own.wait().unwrap().success());
}
