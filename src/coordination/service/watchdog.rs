//! Whether a starter takes silence for death, and how soon. Who is watched sends `WATCHDOG=1` (`notify.rs`), best at half that time.
//!
//! The trap: the variable is inherited. A child of the watched process that believed it would keep its parent's watchdog quiet while that one
//! hangs; `WATCHDOG_PID` is there for that.
//!
//! Source: sd_watchdog_enabled(3). Where we differ: what is said to another process is not looked at, be it malformed or not.

use core::ffi::CStr;

use super::variables::{self, WATCHDOG_PID, WATCHDOG_USEC};
use crate::error::Result;
use crate::sys;

/// Microseconds, or 0: nobody watches.
fn period(usec: Option<&[u8]>, pid: Option<&[u8]>, own: i32) -> Result<i64> {
    let Some(usec) = usec else { return Ok(0) };
    if let Some(pid) = pid
        && !variables::is_pid(WATCHDOG_PID, pid, own)?
    {
        return Ok(0);
    }
    let number = variables::number(WATCHDOG_USEC, usec, 1)?;
    i64::try_from(number).map_err(|_| variables::malformed(WATCHDOG_USEC, usec, "longer than time"))
}

/// How many microseconds this process may be silent; 0: for ever.
pub fn enabled() -> Result<i64> {
    let (usec, pid) = (variables::value(WATCHDOG_USEC)?, variables::value(WATCHDOG_PID)?);
    period(usec.as_deref().map(CStr::to_bytes), pid.as_deref().map(CStr::to_bytes), sys::getpid())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::error::Status;

    #[test]
    fn only_the_process_that_is_meant_is_watched() {
        assert_eq!(period(None, None, 7).unwrap(), 0);
        assert_eq!(period(None, Some(b"7"), 7).unwrap(), 0);
        assert_eq!(period(Some(b"20000000"), None, 7).unwrap(), 20_000_000);
        assert_eq!(period(Some(b"20000000"), Some(b"7"), 7).unwrap(), 20_000_000);
        assert_eq!(period(Some(b"20000000"), Some(b"8"), 7).unwrap(), 0);
        assert_eq!(period(Some(b"nonsense"), Some(b"8"), 7).unwrap(), 0);
    }

    #[test]
    fn what_is_no_time_is_malformed() {
        for bad in [&b""[..], b"0", b"-1", b"1s", b"18446744073709551615", b"9223372036854775808"] {
            let error = period(Some(bad), None, 7).unwrap_err();
            assert_eq!((error.status, error.step), (Status::Protocol, WATCHDOG_USEC), "{bad:?}");
        }
        assert_eq!(period(Some(b"1"), Some(b""), 7).unwrap_err().step, WATCHDOG_PID);
    }

    proptest! {
        #[test]
        fn any_environment_is_read_or_refused(usec in "[0-9]{0,21}|.*", pid in proptest::option::of("[0-9]{0,3}|.*")) {
            match period(Some(usec.as_bytes()), pid.as_deref().map(str::as_bytes), 7) {
                Ok(usec) => prop_assert!(usec >= 0),
                Err(error) => prop_assert!(error.status == Status::Protocol && error.step.starts_with("WATCHDOG_")),
            }
        }
    }
}
