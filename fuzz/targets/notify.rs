//! Any bytes as the words of a child (NOTIFY_SOCKET), one message after the other: understood or passed over, never a panic, no longer than they
//! were; and its watchdog bites once at the most, and never before it is ready, but for a trigger.
#![no_main]

use libfuzzer_sys::fuzz_target;
use procsup::coordination::notify::{Bark, parse};
use procsup::coordination::watchdog::{Heard, Watchdog};

fuzz_target!(|data: &[u8]| {
    let mut watchdog = Watchdog::new(1);
    let (mut bites, mut ready, mut triggered) = (0, false, false);
    for (at, bytes) in data.split(|byte| *byte == 0xff).enumerate() {
        let message = parse(bytes);
        assert!(message.status.as_ref().is_none_or(|status| status.len() <= bytes.len()));
        assert!(message.main_pid.is_none_or(|pid| pid > 0) && message.errno.is_none_or(|errno| errno >= 0));
        let now = at as i64 * 700_000;
        triggered |= message.watchdog == Some(Bark::Trigger);
        bites += i32::from(watchdog.hear(&message, now));
        if message.is_ready() {
            watchdog.ready(now);
            ready = true;
        }
        bites += i32::from(watchdog.judge(now, if at % 3 != 0 { Heard::All } else { Heard::Part }));
    }
    assert!(bites <= 1 && (bites == 0 || ready || triggered));
});
