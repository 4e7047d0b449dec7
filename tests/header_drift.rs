//! The committed C headers are those that these sources give.

use std::path::Path;

/// build.rs has written the fresh headers into the build's output directory.
#[test]
fn the_committed_headers_are_up_to_date() {
    for name in ["procsup.h", "procsup.ffi.h"] {
        let fresh = std::fs::read_to_string(Path::new(env!("OUT_DIR")).join(name)).unwrap();
        let committed = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("include").join(name)).unwrap_or_default();
        let different = committed.lines().zip(fresh.lines()).position(|(old, new)| old != new);
        let line = different.unwrap_or_else(|| committed.lines().count().min(fresh.lines().count()));
        assert!(
            fresh == committed,
            "include/{name} differs from what src/ and cbindgen.toml give, first in line {}:\n  committed: {}\n  generated: {}\nRun `./x header` and commit the result.",
            line + 1,
            committed.lines().nth(line).unwrap_or("(end)"),
            fresh.lines().nth(line).unwrap_or("(end)"),
        );
    }
}
