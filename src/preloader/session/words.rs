//! The words that a process leaves in its files: states of steps, times, a category. Pure: bytes in, a meaning or none out.
//!
//! The traps: a time may be no number, lie before the machine's start or far ahead, or be of a clock that somebody has set since; and the protocol has
//! two clocks. A time that cannot be is none: a step without times is still a step.

use crate::journey::Progress;

/// The most that one of these words may have, in bytes.
pub const LONGEST: usize = 32;
/// How far ahead a time may be: clocks that are set a little differently.
const AHEAD: i64 = 60 * NANOS;
const NANOS: i64 = 1_000_000_000;

const STATES: [(Progress, &str); 4] = [
    (Progress::NotStarted, "STEP_NOT_STARTED"),
    (Progress::InProgress, "STEP_IN_PROGRESS"),
    (Progress::Performed, "STEP_PERFORMED"),
    (Progress::Errored, "STEP_ERRORED"),
];

/// How the protocol writes a state.
pub fn state_name(state: Progress) -> &'static str {
    STATES.iter().find(|(known, _)| *known == state).map_or("", |(_, name)| name)
}

/// What a state file says; `Ok(None)`: nothing.
#[allow(clippy::result_unit_err)]
pub fn state(bytes: &[u8]) -> Result<Option<Progress>, ()> {
    match bytes.trim_ascii() {
        b"" => Ok(None),
        word => STATES.iter().find(|(_, name)| name.as_bytes() == word).map(|(state, _)| Some(*state)).ok_or(()),
    }
}

/// Nanoseconds from decimal seconds, with or without a fraction. No sign, no exponent, no infinity.
pub fn seconds(bytes: &[u8]) -> Option<i64> {
    let text = core::str::from_utf8(bytes.trim_ascii()).ok()?;
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(fraction) {
        return None;
    }
    let nanos = fraction.bytes().chain(core::iter::repeat(b'0')).take(9).fold(0, |sum, digit| sum * 10 + i64::from(digit - b'0'));
    whole.parse::<i64>().ok()?.checked_mul(NANOS)?.checked_add(nanos)
}

/// The same the other way.
pub fn seconds_text(nanos: i64) -> String {
    let nanos = nanos.max(0);
    format!("{}.{:09}", nanos / NANOS, nanos % NANOS)
}

/// The clocks when a time is read.
#[derive(Clone, Copy, Debug)]
pub struct Now {
    /// CLOCK_MONOTONIC.
    pub monotonic: i64,
    /// How far CLOCK_REALTIME is ahead of it.
    pub wall_ahead: i64,
}

/// The time stamp that was meant; the monotonic one wins, where there are both. `Err`: what is there is no time that can be.
pub fn time(wall: Option<&[u8]>, monotonic: Option<&[u8]>, now: Now) -> Result<Option<i64>, &'static str> {
    let stamp = match (monotonic, wall) {
        (Some(bytes), _) => seconds(bytes),
        (None, Some(bytes)) => seconds(bytes).and_then(|time| time.checked_sub(now.wall_ahead)),
        (None, None) => return Ok(None),
    };
    match stamp {
        None => Err("is no time in decimal seconds"),
        Some(time) if time < 0 => Err("is a time before the machine was started"),
        Some(time) if time > now.monotonic.saturating_add(AHEAD) => Err("is a time that has not come yet"),
        Some(time) => Ok(Some(time)),
    }
}

/// What a category file says: capital letters and underscores, or nothing.
pub fn category(bytes: &[u8]) -> Option<String> {
    let word = bytes.trim_ascii();
    let is_one = !word.is_empty() && word.len() <= LONGEST && word.iter().all(|byte| byte.is_ascii_uppercase() || *byte == b'_');
    if is_one { String::from_utf8(word.to_vec()).ok() } else { None }
}

/// Text for people from whatever bytes: what is no UTF-8 is shown as such.
pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOW: Now = Now { monotonic: 1_000 * NANOS, wall_ahead: 1_700_000_000 * NANOS };

    // covers: PA-63
    #[test]
    fn a_state_is_one_of_four_words() {
        for (state_, name) in STATES {
            assert_eq!(state(format!(" {name}\n").as_bytes()), Ok(Some(state_)));
            assert_eq!(state_name(state_), name);
        }
        assert_eq!((state(b""), state(b" \n")), (Ok(None), Ok(None)));
        for word in ["step_performed", "STEP_DONE", "STEP_PERFORMED STEP_ERRORED", "\0"] {
            assert_eq!(state(word.as_bytes()), Err(()));
        }
    }

    // covers: PA-63, PA-70
    #[test]
    fn a_time_is_decimal_seconds_of_either_clock() {
        assert_eq!(time(None, Some(b"999.25\n"), NOW), Ok(Some(999 * NANOS + 250_000_000)));
        assert_eq!(time(Some(b"1700000999.25"), None, NOW), Ok(Some(999 * NANOS + 250_000_000)));
        assert_eq!(time(Some(b"garbage"), Some(b"1"), NOW), Ok(Some(NANOS)), "the monotonic one wins");
        assert_eq!(time(None, Some(b"1060"), NOW), Ok(Some(1060 * NANOS)), "clocks differ a little");
        assert_eq!(time(None, None, NOW), Ok(None));
    }

    // covers: D-10
    #[test]
    fn what_can_be_no_time_is_none() {
        for bytes in [
            "",
            " ",
            "NaN",
            "nan",
            "inf",
            "-1",
            "+1",
            "1e9",
            "1.",
            ".5",
            "1.2.3",
            "0x10",
            "9999999999999999999",
            "1,5",
            "1061",
            "9223372036.854775808",
        ] {
            assert!(time(None, Some(bytes.as_bytes()), NOW).is_err(), "{bytes:?}");
        }
        assert!(time(Some(b"12"), None, NOW).is_err(), "before the machine was started");
        assert!(time(Some(b"\xff"), None, NOW).is_err());
    }

    // covers: PA-25
    #[test]
    fn a_category_is_a_word_of_capitals() {
        assert_eq!(category(b" IO_ERROR\n").as_deref(), Some("IO_ERROR"));
        for bytes in [&b""[..], b"io_error", b"IO ERROR", b"<b>", b"A\0", &[b'A'; 33]] {
            assert_eq!(category(bytes), None);
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(nanos in 0..i64::MAX) {
            prop_assert_eq!(seconds(seconds_text(nanos).as_bytes()), Some(nanos));
        }

        #[test]
        fn no_bytes_are_too_much(bytes in proptest::collection::vec(any::<u8>(), 0..60), monotonic in any::<i64>(), wall_ahead in any::<i64>()) {
            let now = Now { monotonic, wall_ahead };
            for answer in [time(Some(&bytes), None, now), time(None, Some(&bytes), now)] {
                if let Ok(Some(time)) = answer {
                    prop_assert!(time >= 0 && time <= monotonic.saturating_add(AHEAD));
                }
            }
            let _ = (state(&bytes), category(&bytes), text(&bytes));
        }
    }
}
