//! Any names and values as the arguments of a session: names of files that lead nowhere else, values of their types; what is confidential is never shown.
#![no_main]

use std::path::Path;

use libfuzzer_sys::fuzz_target;
use procsup::preloader::session::arguments::{Arguments, CONFIDENTIAL, LONGEST_NAME, MOST};
use procsup::preloader::session::{Purpose, uses_wrapper};

fuzz_target!(|data: &[u8]| {
    let mut arguments = Arguments::default();
    for said in data.split(|byte| *byte == 0xfe) {
        let said = String::from_utf8_lossy(said);
        let (name, text) = said.split_once('=').map_or((&*said, None), |(name, text)| (name, Some(text)));
        let before = arguments.clone();
        if arguments.set(name, text).is_err() {
            assert!(arguments == before);
        }
    }
    assert!(arguments.iter().count() <= MOST);
    for (name, _) in arguments.iter() {
        let path = Path::new(name);
        assert!(path.components().count() == 1 && path.file_name().is_some() && name.len() <= LONGEST_NAME && !name.contains('\0'));
    }
    let shown = arguments.public();
    for name in CONFIDENTIAL {
        assert!(shown.get(name).is_none_or(|value| value == "(confidential)"));
    }
    for purpose in [Purpose::Direct, Purpose::StartPreloader, Purpose::Worker] {
        assert!(arguments.violations(purpose).len() <= 4 * MOST);
    }
    let _ = uses_wrapper(&arguments);
});
