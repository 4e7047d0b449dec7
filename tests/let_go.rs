//! A handle that goes while its child runs: the child goes on, and is never left a zombie for good.

#![deny(unsafe_code)]

mod common;

use common::*;
use nix::sys::signal::Signal;
use procsup::live_count;

#[test]
fn p06_a_handle_let_go_leaves_no_zombie() {
    let sandbox = tempfile::tempdir().unwrap().keep();
    let mut command = pausing();
    command.sandbox_dir(&sandbox).unwrap();
    let child = procsup::spawn(&command).unwrap();
    let pid = child.pid();
    child.let_go();
    drop(child);
    assert_eq!(live_count(), 1);
    until("asleep: it is not ended by that", || process_state(pid) == Some('S'));
    kill(pid, Signal::SIGKILL);
    // Any later call reaps it, one about another child for instance.
    until("reaped in passing", || {
        run(&sh("exit 0"));
        process_state(pid).is_none()
    });
    assert!(!sandbox.exists());
    assert_eq!((children(), live_count()), (vec![], 0));

    // Let go when it was over, but nobody had looked.
    let child = procsup::spawn(&sh("exit 0")).unwrap();
    let pid = child.pid();
    until("a zombie", || process_state(pid) == Some('Z'));
    child.let_go();
    drop(child);
    assert_eq!((process_state(pid), live_count()), (None, 0));

    // The same for a value that is just dropped, as Rust programs do.
    let child = procsup::spawn(&pausing()).unwrap();
    let pid = child.pid();
    drop(child);
    kill(pid, Signal::SIGKILL);
    until("reaped in passing", || {
        run(&sh("exit 0"));
        process_state(pid).is_none()
    });
}
