//! The host forks, and its copy drops the values that it has inherited: nobody feels it.

#![deny(unsafe_code)]

mod common;

use std::time::Instant;

use common::*;
use procsup::Supervisor;

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
