//! Time: nanoseconds of CLOCK_MONOTONIC, as every time stamp and deadline of procsup.

use nix::time::{ClockId, clock_gettime};

/// Nanoseconds in a millisecond.
pub const MILLI: i64 = 1_000_000;

/// Now. Served by the vDSO, and safe in a signal handler (clock_gettime(2) is on the list of signal-safety(7)).
pub fn now() -> i64 {
    clock_gettime(ClockId::CLOCK_MONOTONIC).map_or(0, |t| t.tv_sec() * 1_000_000_000 + t.tv_nsec())
}

/// The deadline of a wait of `timeout_ms`; `None` for -1, which is "for ever".
pub fn deadline(timeout_ms: i64) -> Option<i64> {
    (timeout_ms >= 0).then(|| now().saturating_add(timeout_ms.saturating_mul(MILLI)))
}
