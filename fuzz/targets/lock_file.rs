//! Any text in the lock file: a cold start, with a generation, over what procsup has written or a crash has left; anything else is left alone.
#![no_main]

use std::path::PathBuf;
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use procsup::handoff::{Handoff, Role};

static HERE: LazyLock<(tempfile::TempDir, PathBuf)> = LazyLock::new(|| {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("control");
    (dir, path)
});

fuzz_target!(|data: &[u8]| {
    let path = &HERE.1;
    let lock = path.with_file_name("control.lock");
    std::fs::write(&lock, data).unwrap();
    let first = match Handoff::new(path) {
        Ok(first) => first,
        Err(error) => {
            assert_eq!(error.status, procsup::Status::InvalidArgument);
            assert!(!data.starts_with(b"procsup handoff ") && (data.len() > 256 || data.iter().any(|byte| *byte != 0)));
            assert!(std::fs::read(&lock).unwrap() == data, "it was left alone");
            return;
        }
    };
    let generation = first.generation().unwrap();
    assert_eq!(first.role().unwrap(), Role::First);
    assert!((1..=u64::from(u32::MAX)).contains(&generation));
    drop(first);
    // What was published is the count that the next one reads.
    let next = Handoff::new(path).unwrap().generation().unwrap();
    assert!(next == generation + 1 || generation == u64::from(u32::MAX));
});
