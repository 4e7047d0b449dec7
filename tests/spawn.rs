//! What C has no word for: a command that is cloned, names of tiers, and which tier these tests run on (`PROCSUP_SPAWN_TIER`).

#![deny(unsafe_code)]

mod common;

use common::*;
use procsup::{SpawnTier, Stdio};

/// A quiet fall to a slower tier must not go unnoticed.
#[test]
fn spawn_tier_is_the_forced_or_the_fastest_one() {
    let child = procsup::spawn(&pausing()).unwrap();
    let forced = std::env::var("PROCSUP_SPAWN_TIER").ok();
    if forced.is_some() || !is_filtered() {
        assert_eq!(procsup::tier_name(child.spawn_tier().unwrap()), forced.as_deref().unwrap_or("clone3"));
    }
    child.terminate(-1).unwrap();
}

#[test]
fn command_can_be_changed_between_spawns_and_clones_are_independent() {
    let mut command = sh("echo \"$#:$1:$V\"");
    command.arg("name").unwrap();
    let mut clone = command.clone();
    assert_eq!(output_of(&mut command), "0::\n");
    command.arg("more").unwrap().env("V", value("v")).unwrap();
    assert_eq!(output_of(&mut command), "1:more:v\n");
    assert_eq!(output_of(&mut clone), "0::\n");
}

#[test]
fn user_data_and_paths_have_names() {
    let mut command = pausing();
    command.user_data(u64::MAX).stdio(1, Stdio::Null).unwrap();
    assert_eq!(command.get_user_data(), u64::MAX);
    let child = procsup::spawn(&command).unwrap();
    assert_eq!((child.user_data(), child.token()), (u64::MAX, 0));
    child.terminate(-1).unwrap();
    assert_eq!([SpawnTier::Clone3, SpawnTier::Clone, SpawnTier::Fork].map(procsup::tier_name), ["clone3", "clone", "fork"]);
}
