//! Another user: the child has its own ids, and the way it was made is one that shares no memory.

#![deny(unsafe_code)]

mod common;

use std::sync::Arc;

use common::*;
use procsup::{Command, Managed};

/// Starts it, hands it over, ends it. It must have answered once: a spawn returns while the kernel is still loading the
/// program, and /proc shows its environment only later.
fn looking_at(command: &Command, look: impl FnOnce(&Arc<Managed>)) {
    let (child, _input, _output) = spawn_echoing(command);
    look(&child);
    child.terminate(0).unwrap();
}

/// Each id must be that of no account: there is no look into a user database.
#[test]
fn credentials_are_taken_on() {
    if !is_root() {
        eprintln!("not run: only root can change the user");
        return;
    }
    let mut command = echoing();
    command.credentials(54_321, 54_322, &[54_323, 54_324]).unwrap();
    looking_at(&command, |child| {
        assert_eq!(status_of(child.pid(), "Uid"), "54321 54321 54321 54321");
        assert_eq!(status_of(child.pid(), "Gid"), "54322 54322 54322 54322");
        assert_eq!(status_of(child.pid(), "Groups"), "54323 54324");
        assert_eq!(child.spawn_tier().unwrap(), procsup::SpawnTier::Fork, "two users never share memory");
    });
    command.credentials(54_321, 54_322, &[]).unwrap();
    looking_at(&command, |child| assert_eq!(status_of(child.pid(), "Groups"), ""));
}
