//! A thousand children of every kind, and failed spawns between them: descriptors, children and slots are flat. C tests show the same of
//! the library as it is shipped; this is the build with debug assertions and checked arithmetic.

#![deny(unsafe_code)]

mod common;

use common::*;
use procsup::{Stdio, Supervisor, live_count};

fn one_of_each(supervisor: &Supervisor) {
    let mut full = sh("cat; exit 3");
    for stream in 0..3 {
        full.stdio(stream, Stdio::Pipe).unwrap();
    }
    let (_read, write) = pipe();
    full.own_fd(write).unwrap();
    let child = procsup::spawn(&full).unwrap();
    drop(child.take_stream(0).unwrap());
    assert_eq!(child.reap(patience()).unwrap().code, 3);
    // Its other two ends were not taken: they go with the handle.
    child.let_go();
    drop(child);

    let mut failing = command("/nonexistent/program", &[]);
    let (_read, write) = pipe();
    failing.stdio(1, Stdio::Pipe).unwrap().own_fd(write).unwrap();
    procsup::spawn(&failing).unwrap_err();

    let mut captured = sh("echo x");
    captured.capture(10).unwrap().deadline(patience()).unwrap();
    let child = supervisor.spawn(&captured, 0).unwrap();
    let pidfd = child.pidfd().unwrap();
    while supervisor.next_event(patience()).unwrap().unwrap().exit().is_none() {}
    drop(pidfd);
    child.let_go();
}

// covers: LAW-12
#[test]
fn law12_a_thousand_children_leave_nothing() {
    let supervisor = Supervisor::new().unwrap();
    for _ in 0..3 {
        one_of_each(&supervisor);
    }
    let before = descriptors(std::process::id() as i32);
    let memory = || status_of(std::process::id() as i32, "VmRSS").split(' ').next().unwrap().parse::<u64>().unwrap();
    let resident = memory();
    for _ in 0..330 {
        one_of_each(&supervisor);
    }
    assert_eq!(descriptors(std::process::id() as i32), before);
    assert_eq!((children(), live_count()), (vec![], 0));
    assert!(memory() < resident + 2048, "KiB: {resident} before, {} after", memory());
}
