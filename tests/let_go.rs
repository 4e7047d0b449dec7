//! A value that is dropped while its child runs, as Rust programs do: the child goes on, and is never left a zombie for good.

#![deny(unsafe_code)]

mod common;

use common::*;
use nix::sys::signal::Signal;
use procsup::live_count;

// covers: P6
#[test]
fn p06_a_dropped_value_leaves_no_zombie() {
    let child = procsup::spawn(&pausing()).unwrap();
    let pid = child.pid();
    drop(child);
    assert_eq!(live_count(), 1);
    until("asleep: it is not ended by that", || process_state(pid) == Some('S'));
    kill(pid, Signal::SIGKILL);
    // Any later call reaps it, one about another child for instance.
    until("reaped in passing", || {
        run(&sh("exit 0"));
        process_state(pid).is_none()
    });
    assert_eq!((children(), live_count()), (vec![], 0));
}
