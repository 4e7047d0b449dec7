//! Any bytes as what an application leaves for people: HTML, a dump of its environment, texts. As text it holds no tag; what is confidential is hidden, and
//! nothing grows beyond its bound.
#![no_main]

use libfuzzer_sys::fuzz_target;
use procsup::preloader::failure::markup::{LONGEST, text_of};
use procsup::preloader::failure::mask::{MASK, Mask};
use procsup::preloader::session::Arguments;
use procsup::preloader::session::variables::decode;
use procsup::preloader::session::words::text;

const SECRET: &str = "hunter2-Hunter2";

fuzz_target!(|data: &[u8]| {
    let parts: Vec<&[u8]> = data.split(|byte| *byte == 0xfe).collect();
    let said = |at: usize| text(parts.get(at).copied().unwrap_or_default());

    let shown = text_of(&said(0));
    assert!(shown.chars().count() <= LONGEST + 1);
    for tag in ["<script", "<b>", "</p>"] {
        // Only what was an entity can look like one; it is escaped like all other text.
        assert!(!shown.contains(tag) || said(0).contains('&') || said(0).contains("<<") || said(0).contains("< "), "{shown:?}");
    }

    let mut arguments = Arguments::default();
    let _ = arguments.set("environment_variables", Some(&said(1)));
    let _ = arguments.set("api_key", Some(SECRET));
    let mask = Mask::of(&arguments);
    for dump in [said(2), format!("{}{SECRET}{}", said(2), said(3)), format!("A={SECRET}\n{}", said(3))] {
        for hidden in [mask.environment(&dump), mask.text(&dump), mask.entry(&dump)] {
            assert!(!hidden.contains(SECRET) || MASK.contains(SECRET), "{hidden:?}");
        }
    }
    if let Some(variables) = decode(parts[0]) {
        assert!(variables.is_object());
    }
});
