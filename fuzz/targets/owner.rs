//! A hostile owner against a living successor, which must give up, or wait, and never own by a message alone.
#![no_main]

#[path = "../../tests/hostile/mod.rs"]
mod hostile;

use std::path::PathBuf;
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use procsup::handoff::Handoff;

static HERE: LazyLock<(tempfile::TempDir, PathBuf)> = LazyLock::new(|| {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("control");
    // What is made once for a process is made now: descriptors are counted.
    drop(Handoff::new(&path).unwrap());
    (dir, path)
});

fuzz_target!(|data: &[u8]| {
    hostile::hostile_owner(&HERE.1, hostile::Choices(data));
});
