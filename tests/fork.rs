//! The host forks, and its copy drops the values that it has inherited: nobody feels it.

#![deny(unsafe_code)]

mod common;

use std::time::Instant;

use common::*;
use procsup::handoff::{Handoff, Notice};
use procsup::{Status, Supervisor};

// covers: LAW-6
#[test]
fn law06_dropping_inherited_values_touches_nobody() {
    let sandbox = tempfile::tempdir().unwrap().keep();
    let mut command = pausing();
    command.sandbox_dir(&sandbox).unwrap();
    let child = procsup::spawn(&command).unwrap();
    let supervisor = Supervisor::new().unwrap();
    let supervised = supervisor.spawn(&pausing(), 0).unwrap();

    let began = Instant::now();
    let mut handles = Some((child, supervisor, supervised));
    in_forked_copy(|| drop(handles.take()));
    assert!(began.elapsed() < at_once());
    let (child, supervisor, supervised) = handles.take().unwrap();
    for child in [&child, &supervised] {
        assert_eq!(child.reap_nonblock().unwrap(), None, "still running");
    }
    assert!(sandbox.exists());
    drop(supervisor);
    child.terminate(-1).unwrap();
    assert!(!sandbox.exists());
}

// covers: F35, LAW-6
#[test]
fn law06_dropping_an_inherited_handoff_closes_it_there_and_nowhere_else() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("control");
    let handoff = Handoff::new(&path).unwrap();
    assert!(matches!(handoff.next_event(0).unwrap().unwrap().notice, Notice::Live { unsealed: false }));
    handoff.live().unwrap();
    let mut held = Some(handoff);
    in_forked_copy(|| {
        let handoff = held.take().unwrap();
        assert_eq!(handoff.live().unwrap_err().status, Status::Forked);
        drop(handoff);
        let lock = path.with_extension("lock");
        let leads_there = |entry: std::fs::DirEntry| std::fs::read_link(entry.path()).is_ok_and(|link| link == lock);
        assert!(!std::fs::read_dir("/proc/self/fd").unwrap().flatten().any(leads_there));
    });
    let handoff = held.take().unwrap();
    assert!(path.exists());
    handoff.close();
    assert!(!path.exists());
}
