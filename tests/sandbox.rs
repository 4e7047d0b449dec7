//! A directory that goes with its child: exactly once, only that directory, and nothing that a link in it leads to.

#![deny(unsafe_code)]

mod common;

use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::sync::Arc;

use common::*;
use procsup::{Command, Error, Exit, Managed, Status, Supervisor};

/// Each child has a supervisor that only its own test looks at: with that test's reap the removal is done.
fn try_start(command: &Command) -> Result<Arc<Managed>, Error> {
    let supervisor: &Supervisor = Box::leak(Box::new(Supervisor::new()?));
    supervisor.spawn(command, 0)
}

#[track_caller]
fn start(command: &Command) -> Arc<Managed> {
    try_start(command).unwrap()
}

#[track_caller]
fn run_alone(command: &Command) -> Exit {
    start(command).reap(patience()).unwrap()
}

fn directory() -> PathBuf {
    let directory = tempfile::tempdir().unwrap().keep();
    fs::create_dir(directory.join("deep")).unwrap();
    fs::write(directory.join("deep/file"), "x").unwrap();
    directory
}

#[test]
fn ev12_the_sandbox_is_removed_with_the_reap_and_not_before() {
    let sandbox = directory();
    let mut command = sh("exit 0");
    command.sandbox_dir(&sandbox).unwrap();
    let (child, _supervisor) = spawn_zombie(&command);
    assert!(sandbox.join("deep/file").exists(), "an exit alone removes nothing");
    child.reap(patience()).unwrap();
    assert!(!sandbox.exists());
}

#[test]
fn ev12_the_sandbox_goes_whichever_way_the_child_is_reaped() {
    let sandbox = directory();
    let mut command = pausing();
    command.sandbox_dir(&sandbox).unwrap();
    start(&command).terminate(-1).unwrap();
    assert!(!sandbox.exists(), "terminate");

    let sandbox = directory();
    let mut command = sh("exit 0");
    command.sandbox_dir(&sandbox).unwrap();
    let child = start(&command);
    until("its end", || child.reap_nonblock().unwrap().is_some());
    assert!(!sandbox.exists(), "reap_nonblock");

    let sandbox = directory();
    let mut command = pausing();
    command.sandbox_dir(&sandbox).unwrap();
    let supervisor = Supervisor::new().unwrap();
    let _child = supervisor.spawn(&command, 0).unwrap();
    drop(supervisor);
    assert!(!sandbox.exists(), "the end of its supervisor");

    let sandbox = directory();
    let mut command = sh("exit 0");
    command.sandbox_dir(&sandbox).unwrap();
    let (child, _supervisor) = spawn_stolen(&command);
    child.reap(patience()).unwrap();
    assert!(!sandbox.exists(), "a host that reaped it");
}

#[test]
fn ev12_removal_never_follows_a_link() {
    let (sandbox, outside) = (directory(), tempfile::tempdir().unwrap());
    fs::write(outside.path().join("precious"), "x").unwrap();
    symlink(outside.path(), sandbox.join("link")).unwrap();
    symlink(outside.path().join("precious"), sandbox.join("deep/link")).unwrap();
    let mut command = sh("exit 0");
    command.sandbox_dir(&sandbox).unwrap();
    run_alone(&command);
    assert!(!sandbox.exists());
    assert!(outside.path().join("precious").exists());
}

/// The child replaces its own directory by a link to somebody else's.
#[test]
fn ev12_a_sandbox_that_became_a_link_is_left_alone() {
    let (sandbox, outside) = (directory(), tempfile::tempdir().unwrap());
    fs::write(outside.path().join("precious"), "x").unwrap();
    let mut command = sh(&format!("rm -r {0}; ln -s {1} {0}", sandbox.display(), outside.path().display()));
    command.sandbox_dir(&sandbox).unwrap();
    assert!(run_alone(&command).success());
    assert!(outside.path().join("precious").exists());
    assert!(sandbox.join("precious").exists(), "not ours any more");
    fs::remove_file(sandbox).unwrap();
}

#[test]
fn ev12_a_shared_sandbox_goes_with_the_last_child() {
    let sandbox = directory();
    let mut command = pausing();
    command.sandbox_dir(&sandbox).unwrap();
    let children: Vec<_> = (0..3).map(|_| start(&command)).collect();
    for child in &children {
        assert!(sandbox.exists());
        child.terminate(-1).unwrap();
    }
    assert!(!sandbox.exists());
}

/// Removed once: a directory of the same name that comes later is somebody else's.
#[test]
fn law12_the_sandbox_is_removed_exactly_once() {
    let sandbox = directory();
    let mut command = sh("exit 0");
    command.sandbox_dir(&sandbox).unwrap();
    let child = start(&command);
    child.reap(patience()).unwrap();
    assert!(!sandbox.exists());
    fs::create_dir(&sandbox).unwrap();
    child.reap(patience()).unwrap();
    child.terminate(-1).unwrap();
    run(&sh("exit 0"));
    drop((child, command));
    assert!(sandbox.exists());
    fs::remove_dir(sandbox).unwrap();
}

#[test]
fn law12_a_failed_spawn_leaves_the_sandbox_alone() {
    let sandbox = directory();
    let mut command = command("/nonexistent/program", &[]);
    command.sandbox_dir(&sandbox).unwrap();
    procsup::spawn(&command).unwrap_err();
    assert!(sandbox.join("deep/file").exists());
    drop(command);
    assert!(sandbox.join("deep/file").exists(), "it goes with a child only");
    fs::remove_dir_all(sandbox).unwrap();
}

/// One thread starts a child in a shared sandbox while another reaps the last one in it. Whoever was started has it.
#[test]
fn law12_a_sandbox_is_never_removed_under_a_new_child() {
    let sandbox = directory();
    let mut command = sh("read line; test -d \"$1\"");
    command.arg("name").unwrap().arg(&sandbox).unwrap().sandbox_dir(&sandbox).unwrap();
    command.stdio(0, procsup::Stdio::Pipe).unwrap();
    for _ in 0..200 {
        fs::create_dir_all(&sandbox).unwrap();
        let first = start(&command);
        drop(first.take_stream(0).unwrap());
        let second = std::thread::scope(|scope| {
            let spawner = scope.spawn(|| try_start(&command));
            first.reap(patience()).unwrap();
            spawner.join().unwrap()
        });
        // Too late is an answer too: then there was no directory any more.
        if let Ok(second) = second {
            assert!(sandbox.exists(), "removed under a child");
            drop(second.take_stream(0).unwrap());
            assert!(second.reap(patience()).unwrap().success());
        }
        assert!(!sandbox.exists());
    }
}

#[test]
fn sandbox_must_be_a_directory() {
    let scratch = tempfile::tempdir().unwrap();
    let (file, link) = (scratch.path().join("file"), scratch.path().join("link"));
    fs::write(&file, "x").unwrap();
    symlink(scratch.path(), &link).unwrap();
    for (path, status) in [(scratch.path().join("missing"), Status::NotFound), (file, Status::NotFound), (link, Status::NotFound)] {
        let mut command = sh("exit 0");
        command.sandbox_dir(&path).unwrap();
        let error = procsup::spawn(&command).unwrap_err();
        assert_eq!((error.status, error.step), (status, "sandbox_dir"), "{}", path.display());
    }
    for bad in ["", "/", "/tmp/../tmp", "a\0b"] {
        assert_eq!(sh("exit 0").sandbox_dir(bad).unwrap_err().status, Status::InvalidArgument, "{bad:?}");
    }
}
