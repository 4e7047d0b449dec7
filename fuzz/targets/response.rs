//! Any bytes as the words that a process leaves in its files: states and times of its steps, a category, texts. Each means something that can be, or
//! nothing.
#![no_main]

use libfuzzer_sys::fuzz_target;
use procsup::preloader::session::words::{Now, category, seconds, seconds_text, state, text, time};

const NOW: Now = Now { monotonic: 1 << 50, wall_ahead: 1_700_000_000_000_000_000 };

fuzz_target!(|data: &[u8]| {
    for bytes in data.split(|byte| *byte == 0xfe) {
        let _ = state(bytes);
        if let Some(word) = category(bytes) {
            assert!(!word.is_empty() && word.len() <= 32);
        }
        assert!(text(bytes).len() <= 3 * bytes.len());
        if let Some(nanos) = seconds(bytes) {
            assert_eq!(seconds(seconds_text(nanos).as_bytes()), Some(nanos));
        }
        for stamp in [time(Some(bytes), None, NOW), time(None, Some(bytes), NOW), time(Some(b"1"), Some(bytes), NOW)] {
            if let Ok(Some(stamp)) = stamp {
                assert!(stamp >= 0 && stamp <= NOW.monotonic + 60_000_000_000);
            }
        }
    }
});
