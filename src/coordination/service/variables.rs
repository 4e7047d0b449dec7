//! What a starter says in the environment of its child: names, and how their values are read. One convention, two sides: `process/systemd.rs`
//! and the notification socket write it towards children, this room reads it in a program that is a child.
//!
//! The trap: an environment is inherited by everybody below. Who believes what was said to his parent closes descriptors that are not his, or
//! keeps a watchdog quiet in another's place. So what is for one process bears its pid (`LISTEN_PID`, `WATCHDOG_PID`), and is nothing to all
//! others, a forked copy included. `NOTIFY_SOCKET` bears none: there the kernel tells the reader who has sent.
//!
//! Values are a stranger's: plain decimal digits and no more (libsystemd would take `0x3` and ` 3`, too; no starter writes them).
//!
//! Source: sd_listen_fds(3), sd_notify(3), sd_watchdog_enabled(3).

use std::ffi::CString;

use crate::error::{Error, Result, Status};
use crate::sys::{environ, reserve};

/// For whom the descriptors are.
pub const LISTEN_PID: &str = "LISTEN_PID";
/// The same by the number that its pidfd has on pidfs, which no other process ever has (systemd 259).
pub const LISTEN_PIDFDID: &str = "LISTEN_PIDFDID";
/// How many there are.
pub const LISTEN_FDS: &str = "LISTEN_FDS";
/// Their names.
pub const LISTEN_FDNAMES: &str = "LISTEN_FDNAMES";
/// Where messages about readiness go.
pub const NOTIFY_SOCKET: &str = "NOTIFY_SOCKET";
/// How long a service may be silent.
pub const WATCHDOG_USEC: &str = "WATCHDOG_USEC";
/// Which process of it.
pub const WATCHDOG_PID: &str = "WATCHDOG_PID";

/// In everything that a unit starts, and below (systemd 232).
pub const INVOCATION_ID: &str = "INVOCATION_ID";
/// Which process systemd has started (systemd 248).
pub const SYSTEMD_EXEC_PID: &str = "SYSTEMD_EXEC_PID";

/// All about descriptors: the host's own stay with the host.
pub const LISTENING: [&str; 4] = [LISTEN_PID, LISTEN_PIDFDID, LISTEN_FDS, LISTEN_FDNAMES];
/// All about messages.
pub const NOTIFYING: [&str; 3] = [NOTIFY_SOCKET, WATCHDOG_USEC, WATCHDOG_PID];

/// The number of the first descriptor (`SD_LISTEN_FDS_START`).
pub const FIRST: i32 = 3;
/// A descriptor without a name is called so.
pub const UNNAMED: &[u8] = b"unknown";

/// How much of a value an error quotes.
const QUOTED: usize = 64;

/// The value of a variable, as it stands now: nothing is remembered, so that a forked copy and the next program read their own.
pub(super) fn value(name: &str) -> Result<Option<CString>> {
    environ::get(name.as_bytes()).map_err(reserve::out_of_memory)
}

/// A value that breaks the convention.
pub(super) fn malformed(name: &'static str, value: &[u8], why: &str) -> Error {
    let shown = String::from_utf8_lossy(&value[..value.len().min(QUOTED)]);
    let more = if value.len() > QUOTED { "..." } else { "" };
    Error::new(Status::Protocol, name, format!("{name} is \"{shown}{more}\": {why}"))
}

/// A number of decimal digits, at least `least`.
pub(super) fn number(name: &'static str, value: &[u8], least: u64) -> Result<u64> {
    let read = |text: &str| if text.bytes().all(|byte| byte.is_ascii_digit()) { text.parse().ok() } else { None };
    let found = core::str::from_utf8(value).ok().and_then(read).filter(|number| *number >= least);
    found.ok_or_else(|| malformed(name, value, &format!("not a number of {least} or more")))
}

/// Whether a variable that names a process names this one.
pub(super) fn is_pid(name: &'static str, value: &[u8], own: i32) -> Result<bool> {
    number(name, value, 1).map(|pid| i32::try_from(pid).is_ok_and(|pid| pid == own))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_decimal_digits_and_no_more() {
        assert_eq!(number("N", b"0", 0).unwrap(), 0);
        assert_eq!(number("N", b"18446744073709551615", 0).unwrap(), u64::MAX);
        for bad in [&b""[..], b"0", b"-1", b"+1", b" 1", b"1 ", b"0x1", b"1.0", b"18446744073709551616", b"\xff", b"1\n"] {
            let error = number("N", bad, 1).unwrap_err();
            assert_eq!((error.status, error.step), (Status::Protocol, "N"), "{bad:?}");
        }
    }

    #[test]
    fn a_pid_that_is_none_of_this_kernel_is_another_ones() {
        assert!(is_pid(LISTEN_PID, b"12", 12).unwrap());
        assert!(!is_pid(LISTEN_PID, b"4294967308", 12).unwrap());
        assert!(is_pid(LISTEN_PID, b"0", 12).is_err());
    }

    #[test]
    fn an_error_quotes_no_more_than_a_line() {
        assert!(malformed("N", &vec![b'9'; 1 << 20], "too long").message.len() < 200);
    }
}
