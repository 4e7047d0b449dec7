//! A hostile successor against a living owner, which must be as it was afterwards and serve a good one at once.
#![no_main]

#[path = "../../tests/hostile/mod.rs"]
mod hostile;

use std::path::PathBuf;
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use procsup::handoff::Handoff;

static OWNER: LazyLock<(tempfile::TempDir, PathBuf, Handoff)> = LazyLock::new(|| {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("control");
    let owner = Handoff::new(&path).unwrap();
    owner.next_event(0).unwrap();
    owner.live().unwrap();
    owner.set_state(b"").unwrap();
    (dir, path, owner)
});

fuzz_target!(|data: &[u8]| {
    let (_, path, owner) = &*OWNER;
    hostile::hostile_successor(owner, path, hostile::Choices(data));
});
