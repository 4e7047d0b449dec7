//! The host forks: its copy owns nothing, touches nobody, and may begin anew.

#![deny(unsafe_code)]

mod common;

use std::time::Instant;

use common::*;
use procsup::{Status, Supervisor, kill_and_reap_all, live_count, signal_all};

#[test]
fn law06_ev06_a_forked_copy_owns_nothing() {
    let sandbox = tempfile::tempdir().unwrap().keep();
    let mut command = pausing();
    command.sandbox_dir(&sandbox).unwrap();
    let child = procsup::spawn(&command).unwrap();
    let supervisor = Supervisor::new().unwrap();
    let supervised = supervisor.spawn(&pausing(), 0).unwrap();
    let mut capturing = sh("echo mine; exec sleep 100");
    capturing.capture(100).unwrap();
    let captured = procsup::spawn(&capturing).unwrap();
    assert_eq!(live_count(), 3);

    in_forked_copy(|| {
        assert_eq!(live_count(), 0);
        signal_all(libc::SIGKILL);
        assert_eq!(kill_and_reap_all(-1), 0);
        for child in [&child, &supervised] {
            assert_eq!(child.signal(libc::SIGKILL).unwrap_err().status, Status::Forked);
            assert_eq!(child.reap(-1).unwrap_err().status, Status::Forked);
            assert_eq!(child.reap_nonblock().unwrap_err().status, Status::Forked);
            assert_eq!(child.terminate(0).unwrap_err().status, Status::Forked);
            assert_eq!(child.take_stream(0).unwrap_err().status, Status::Forked);
        }
        assert_eq!(supervisor.next_event(-1).unwrap_err().status, Status::Forked);
        assert_eq!(supervisor.spawn(&pausing(), 0).unwrap_err().status, Status::Forked);

        // It may spawn for itself, and end what it made.
        assert_eq!(run(&sh("exit 12")).code, 12);
        let own = procsup::spawn(&pausing()).unwrap();
        assert_eq!(live_count(), 1);
        assert_eq!(kill_and_reap_all(patience()), 0);
        assert_eq!(own.reap(0).unwrap().signal, libc::SIGKILL);
        let again = Supervisor::new().unwrap();
        again.spawn(&pausing(), 0).unwrap();
        drop(again);
        assert_eq!(live_count(), 0);
    });

    // Dropping inherited handles in the copy must not kill, reap or remove either.
    let began = Instant::now();
    let mut handles = Some((child, supervisor, supervised));
    in_forked_copy(|| drop(handles.take()));
    assert!(began.elapsed() < at_once());
    let (child, supervisor, supervised) = handles.take().unwrap();
    for child in [&child, &supervised, &captured] {
        assert_eq!(child.reap_nonblock().unwrap(), None, "still running");
    }
    assert!(sandbox.exists());
    until("its own output", || captured.output().unwrap() == b"mine\n");
    drop(supervisor);
    child.terminate(-1).unwrap();
    captured.terminate(-1).unwrap();
    assert!(!sandbox.exists());
}
