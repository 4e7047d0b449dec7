//! A supervisor that is closed and still there: in C its handle is gone with it.

#![deny(unsafe_code)]

mod common;

use common::*;
use procsup::{Cause, Status, Supervisor};

#[test]
fn closing_ends_a_wait_in_another_thread() {
    let supervisor = Supervisor::new().unwrap();
    let child = supervisor.spawn(&pausing(), 0).unwrap();
    supervisor.next_event(patience()).unwrap().expect("STARTED");
    std::thread::scope(|scope| {
        let waiter = scope.spawn(|| supervisor.next_event(-1));
        supervisor.close();
        assert_eq!(waiter.join().unwrap().unwrap_err().status, Status::Shutdown);
    });
    assert_eq!(supervisor.spawn(&pausing(), 0).unwrap_err().status, Status::Shutdown);
    assert_eq!(child.reap(0).unwrap().cause, Cause::Shutdown);
}
