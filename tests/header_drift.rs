//! The committed C headers are those that these sources give. `PROCSUP_UPDATE_HEADER=1` (`./x header`) makes them so.

mod header;

use std::path::Path;
use std::{env, fs};

#[test]
fn the_committed_headers_are_up_to_date() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let write = env::var_os("PROCSUP_UPDATE_HEADER").is_some_and(|wish| wish == "1");
    for (name, fresh) in header::headers(root, &Path::new(env!("CARGO_TARGET_TMPDIR")).join("item.rs")) {
        let file = root.join("include").join(name);
        let committed = fs::read_to_string(&file).unwrap_or_default();
        if write && fresh != committed {
            fs::write(&file, fresh).expect("write the header");
            continue;
        }
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
