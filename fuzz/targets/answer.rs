//! Any bytes, in any pieces, as what a preloader answers: a number, a reason, or what is wrong with it; the same however it comes, and bounded.
#![no_main]

use libfuzzer_sys::fuzz_target;
use procsup::preloader::client::answer::{Answer, LONGEST, Said};

/// In pieces of so many bytes, no more than there is room for.
fn said(bytes: &[u8], most: usize) -> Said {
    let (mut answer, mut rest) = (Answer::default(), bytes);
    while !rest.is_empty() {
        let room = answer.room();
        assert!((1..=LONGEST + 1).contains(&room));
        let (part, behind) = rest.split_at(rest.len().min(most).min(room));
        if let Some(said) = answer.take(part) {
            return said;
        }
        rest = behind;
    }
    answer.end()
}

fuzz_target!(|data: &[u8]| {
    let Some((first, bytes)) = data.split_first() else { return };
    // Some of it often, so that there is more than an answer has.
    let bytes = bytes.repeat(if first & 0x80 != 0 { 16 } else { 1 });
    let whole = said(&bytes, usize::MAX);
    assert_eq!(said(&bytes, usize::from(first & 0x7f) + 1), whole);
    let line = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
    match whole {
        Said::Nothing => assert!(bytes.is_empty()),
        Said::TooLong => assert!(line.len() > LONGEST),
        Said::Nonsense(why) => assert!(why.len() < 2048 && !why.contains(['\n', '\0', '\u{1b}'])),
        Said::Error(why) => assert!(why.len() <= 3 * line.len()),
        Said::Worker(_) => assert!(line.starts_with(b"{") || line.first().is_some_and(u8::is_ascii_whitespace)),
    }
});
