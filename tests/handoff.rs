//! The handoff through the Rust face, both generations in one process: a takeover by the control path.

use std::fs::File;
use std::os::fd::AsRawFd;
use std::thread;

use procsup::Status;
use procsup::handoff::{Handoff, Mode, Notice, Role, Timeout, Told};

/// The next event, which must come.
fn next(handoff: &Handoff) -> Told {
    handoff.next_event(10_000).unwrap().expect("an event within ten seconds")
}

fn expect(handoff: &Handoff, notice: Notice) -> Told {
    let told = next(handoff);
    assert_eq!(told.notice, notice);
    told
}

/// A first generation that serves.
fn owner(path: &std::path::Path) -> Handoff {
    let owner = Handoff::new(path).unwrap();
    assert_eq!(owner.role().unwrap(), Role::First);
    expect(&owner, Notice::Live { unsealed: false });
    owner.live().unwrap();
    owner.set_timeout(Timeout::Probation, 10).unwrap();
    owner
}

/// A successor by the control path; the owner is driven meanwhile.
fn successor(owner: &Handoff, path: &std::path::Path) -> Handoff {
    thread::scope(|scope| {
        let made = scope.spawn(|| Handoff::new(path).unwrap());
        while !made.is_finished() {
            assert_eq!(owner.next_event(1).unwrap(), None);
        }
        made.join().unwrap()
    })
}

fn here() -> (tempfile::TempDir, std::path::PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("control");
    (dir, path)
}

// covers: D1.7
#[test]
fn d1_7_takeover_exclusive_in_order() {
    let (dir, path) = here();
    let old = owner(&path);
    let file = File::create(dir.path().join("x")).unwrap();
    old.set_fd(b"file", file.as_raw_fd()).unwrap();
    old.set_state(b"first").unwrap();
    let new = successor(&old, &path);
    assert_eq!(new.role().unwrap(), Role::Successor);
    assert_eq!(new.fd_names().unwrap(), b"file\n");
    let _taken = new.take_fd(b"file").unwrap();
    assert_eq!(new.state().unwrap(), b"first");
    new.warm().unwrap();
    expect(&old, Notice::Drain);
    old.drained(0).unwrap();
    assert_eq!(old.next_event(0).unwrap(), None, "sealed before the successor has shown that it is awake");
    assert_eq!(new.next_event(0).unwrap(), None);
    expect(&old, Notice::Seal);
    old.set_state(b"last").unwrap();
    old.sealed(42).unwrap();
    assert_eq!(new.next_event(0).unwrap(), None);
    assert_eq!(old.next_event(0).unwrap(), None);
    let live = expect(&new, Notice::Live { unsealed: false });
    assert_eq!(live.revision, 42);
    assert_eq!(new.state().unwrap(), b"last");
    new.live().unwrap();
    expect(&old, Notice::Committed);
    assert_eq!(old.next_event(20).unwrap(), None);
    expect(&new, Notice::Committed);
    expect(&old, Notice::Retire);
    assert_eq!(new.generation().unwrap(), 2);
    drop(old);
    // L3: and at once the next one.
    let third = successor(&new, &path);
    assert_eq!(third.fd_names().unwrap(), b"file\n");
    drop(third);
    let told = expect(&new, Notice::Aborted(procsup::handoff::Reason::PeerFailed));
    assert_eq!(told.handoff_id >> 24, 2);
}

// covers: D1.7
#[test]
fn d1_7_overlap_seals_after_the_successor_serves() {
    let (_dir, path) = here();
    let old = owner(&path);
    old.set_mode(Mode::Overlap).unwrap();
    let new = successor(&old, &path);
    new.warm().unwrap();
    expect(&old, Notice::Drain);
    old.drained(0).unwrap();
    expect(&new, Notice::Live { unsealed: false });
    assert_eq!(old.next_event(0).unwrap(), None);
    new.live().unwrap();
    expect(&old, Notice::Seal);
    old.sealed(0).unwrap();
    expect(&old, Notice::Committed);
}

// covers: S11
#[test]
fn answers_that_are_not_awaited_change_nothing() {
    let (_dir, path) = here();
    let old = owner(&path);
    for answer in [old.warm(), old.live(), old.drained(0), old.sealed(1), old.cancel(), old.failed("x")] {
        assert_eq!(answer.unwrap_err().status, Status::State);
    }
    assert_eq!(old.take_fd(b"none").unwrap_err().status, Status::NotFound);
    let error = old.next_event(-2).unwrap_err();
    assert_eq!((error.status, error.step), (Status::InvalidArgument, "timeout_ms"));
    assert!(error.message.starts_with("timeout_ms: -2 ms"), "{error}");
}
