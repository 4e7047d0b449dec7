//! The words of sd_notify(3): one message, taken apart. Pure.
//!
//! The trap: a stranger to us wrote this. Nothing of it is believed but its own meaning, everything has a bound (the message has
//! 4096 bytes at the most), and what is not understood is passed over, as the convention demands: newer programs say more.
//!
//! A message is lines; a line is `NAME=value`. What stands behind a NUL is not read; of several lines with one name the first counts (as in
//! systemd: `strv_find_startswith`).
//!
//! | line                                     | is                                                                                |
//! |------------------------------------------|-----------------------------------------------------------------------------------|
//! | `STOPPING=1`, `READY=1`, `RELOADING=1`   | what it says of itself; in one message the first of this order wins, as in systemd |
//! | `MONOTONIC_USEC=n`                       | when a reload began. Without it, or not a number: it reloads, since nobody knows when |
//! | `STATUS=text`                            | bytes, as they came; an empty one takes it back                                   |
//! | `ERRNO=n`                                | 0 and more                                                                        |
//! | `EXTEND_TIMEOUT_USEC=n`                  | the time that runs out now ends so much later                                     |
//! | `WATCHDOG=1`, `WATCHDOG=trigger`         | it lives; it gives itself up                                                      |
//! | `WATCHDOG_USEC=n`                        | another period from now on                                                        |
//! | `MAINPID=n`                              | who speaks for it from now on: heard, not believed (see the receiver)             |
//! | `BARRIER=1`                              | nothing; its descriptor is closed by the receive. Must stand alone: else nothing of the message counts |
//! | `FDSTORE=1` and all others               | nothing. Descriptors are not kept                                                 |

/// What a program says of itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Says {
    /// It has started, or has reloaded.
    Ready,
    /// It reloads; READY follows. Since then (microseconds of CLOCK_MONOTONIC), if it said so.
    Reloading(Option<u64>),
    /// It is about to end.
    Stopping,
}

/// What it says to its watchdog.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Bark {
    /// It lives.
    Alive,
    /// It has found itself broken.
    Trigger,
}

/// One message, understood.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Message {
    /// READY, RELOADING, STOPPING.
    pub says: Option<Says>,
    /// Free text. Not cleaned: whoever shows it does that.
    pub status: Option<Vec<u8>>,
    /// Why it fails.
    pub errno: Option<i32>,
    /// Microseconds.
    pub extend_usec: Option<u64>,
    /// For the watchdog.
    pub watchdog: Option<Bark>,
    /// Microseconds.
    pub watchdog_usec: Option<u64>,
    /// The process that it calls its main one.
    pub main_pid: Option<i32>,
}

impl Message {
    /// Whether it says READY=1.
    pub fn is_ready(&self) -> bool {
        self.says == Some(Says::Ready)
    }

    /// Whether nothing of it was understood.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Takes a message apart. Allocates for the status alone, no more than the message is long; without memory for it, it has none.
pub fn parse(bytes: &[u8]) -> Message {
    let text = bytes.split(|byte| *byte == 0).next().unwrap_or_default();
    let lines = || text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    if lines().any(|line| line == b"BARRIER=1") {
        return Message::default();
    }
    let has = |line: &[u8]| lines().any(|found| found == line);
    let value = |name: &[u8]| lines().find_map(|line| line.strip_prefix(name));
    let says = if has(b"STOPPING=1") {
        Some(Says::Stopping)
    } else if has(b"READY=1") {
        Some(Says::Ready)
    } else if has(b"RELOADING=1") {
        Some(Says::Reloading(value(b"MONOTONIC_USEC=").and_then(number)))
    } else {
        None
    };
    let watchdog = value(b"WATCHDOG=").and_then(|value| match value {
        b"1" => Some(Bark::Alive),
        b"trigger" => Some(Bark::Trigger),
        _ => None,
    });
    Message {
        says,
        status: value(b"STATUS=").and_then(copy),
        errno: value(b"ERRNO=").and_then(number),
        extend_usec: value(b"EXTEND_TIMEOUT_USEC=").and_then(number),
        watchdog,
        watchdog_usec: value(b"WATCHDOG_USEC=").and_then(number),
        main_pid: value(b"MAINPID=").and_then(number).filter(|pid| *pid > 0),
    }
}

/// A number without sign, blanks or a tail: digits, and not too many of them.
fn number<T: std::str::FromStr>(digits: &[u8]) -> Option<T> {
    let only_digits = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    std::str::from_utf8(digits).ok().filter(|_| only_digits)?.parse().ok()
}

fn copy(text: &[u8]) -> Option<Vec<u8>> {
    let mut copy = Vec::new();
    copy.try_reserve_exact(text.len()).ok()?;
    copy.extend_from_slice(text);
    Some(copy)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_line_that_is_known_is_understood() {
        let all =
            b"READY=1\nSTATUS=up and \xffup\nERRNO=2\nEXTEND_TIMEOUT_USEC=5000000\nWATCHDOG=1\nWATCHDOG_USEC=20000\nMAINPID=77\nX_NEW=1\n";
        let message = parse(all);
        let expected = Message {
            says: Some(Says::Ready),
            status: Some(b"up and \xffup".to_vec()),
            errno: Some(2),
            extend_usec: Some(5_000_000),
            watchdog: Some(Bark::Alive),
            watchdog_usec: Some(20_000),
            main_pid: Some(77),
        };
        assert_eq!(message, expected);
        assert!(message.is_ready() && !message.is_empty());
        assert_eq!(parse(b"WATCHDOG=trigger").watchdog, Some(Bark::Trigger));
    }

    #[test]
    fn the_end_wins_over_ready_and_ready_over_a_reload() {
        let says = |text: &[u8]| parse(text).says;
        assert_eq!(says(b"READY=1\nSTOPPING=1"), Some(Says::Stopping));
        assert_eq!(says(b"RELOADING=1\nREADY=1"), Some(Says::Ready));
        assert_eq!(says(b"MONOTONIC_USEC=5\nRELOADING=1"), Some(Says::Reloading(Some(5))));
        for since in ["", "\nMONOTONIC_USEC=", "\nMONOTONIC_USEC=soon", "\nMONOTONIC_USEC=99999999999999999999999"] {
            assert_eq!(says(format!("RELOADING=1{since}").as_bytes()), Some(Says::Reloading(None)), "{since}");
        }
    }

    #[test]
    fn a_barrier_stands_alone() {
        assert!(parse(b"BARRIER=1").is_empty());
        assert!(parse(b"READY=1\nBARRIER=1\n").is_empty(), "and takes all that stands with it along");
        assert!(parse(b"READY=1\nBARRIER=10").is_ready(), "this is another word");
    }

    #[test]
    fn what_is_not_quite_a_word_is_none() {
        for text in [
            &b""[..],
            b"\n\n",
            b"READY",
            b"READY=",
            b"READY=0",
            b"READY=11",
            b" READY=1",
            b"READY=1 ",
            b"ready=1",
            b"\0READY=1",
            b"ERRNO=-1",
            b"ERRNO=+1",
            b"ERRNO=4294967296",
            b"ERRNO=0x10",
            b"MAINPID=0",
            b"MAINPID=-4",
            b"WATCHDOG=2",
            b"WATCHDOG_USEC=18446744073709551616",
            b"EXTEND_TIMEOUT_USEC= 5",
            b"FDSTORE=1\nFDNAME=x",
        ] {
            assert!(parse(text).is_empty(), "{:?}", String::from_utf8_lossy(text));
        }
        assert_eq!(parse(b"WATCHDOG_USEC=18446744073709551615").watchdog_usec, Some(u64::MAX));
    }

    #[test]
    fn the_first_of_several_counts_and_what_is_behind_a_nul_does_not() {
        assert_eq!(parse(b"STATUS=one\nSTATUS=two").status.unwrap(), b"one");
        assert_eq!(parse(b"STATUS=").status.unwrap(), b"");
        assert_eq!(parse(b"STATUS=one\0\nREADY=1"), Message { status: Some(b"one".to_vec()), ..Message::default() });
    }

    proptest! {
        #[test]
        fn whatever_comes_the_answer_is_no_longer(bytes in proptest::collection::vec(any::<u8>(), 0..5000)) {
            let message = parse(&bytes);
            prop_assert!(message.status.is_none_or(|status| status.len() <= bytes.len()));
        }

        #[test]
        fn lines_mean_the_same_in_any_order_among_others(
            noise in proptest::collection::vec("[A-Z_]{1,9}X=[ -~]{0,20}", 0..8),
            at in 0usize..9,
            usec in any::<u64>(),
        ) {
            let mut lines = noise;
            lines.insert(at.min(lines.len()), format!("WATCHDOG_USEC={usec}"));
            prop_assert_eq!(parse(lines.join("\n").as_bytes()), Message { watchdog_usec: Some(usec), ..Message::default() });
        }
    }
}
