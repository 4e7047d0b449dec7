//! A port on which nobody answers, for an application that is told where to listen (PA-28).
//!
//! The race: between the look and the application's bind anybody may take it; then the application fails, and says so. Round-robin makes that rare: one
//! that was just given away is the last to be given again. And each process begins somewhere else, or two hosts that start together would give the same.

use core::sync::atomic::{AtomicU32, Ordering};
use std::os::fd::AsFd;
use std::sync::OnceLock;

use super::Arguments;
use crate::clock::{self, Deadline, MILLI};
use crate::coordination::probe::{Address, Answer, Probe};
use crate::error::{Error, Result, Status};
use crate::sys::{poll, random};

/// How long one address has to answer.
const PATIENCE: i64 = 100 * MILLI;

/// Ports to choose from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Range {
    least: u16,
    most: u16,
}

impl Range {
    /// What the arguments say; else 5000 to 65535 (PA-1). What is wrong with it, as a sentence.
    pub fn of(arguments: &Arguments) -> core::result::Result<Self, String> {
        let end = |name: &str, otherwise: u16| match arguments.integer(name).map(u16::try_from) {
            None => Ok(otherwise),
            Some(Ok(port @ 1..)) => Ok(port),
            Some(_) => Err(format!("{name} is no port: it must be from 1 to 65535")),
        };
        let (least, most) = (end("start_port_min", 5000)?, end("start_port_max", 65_535)?);
        if least > most {
            return Err(format!("start_port_min is {least}, above start_port_max, which is {most}"));
        }
        Ok(Self { least, most })
    }

    fn count(self) -> u32 {
        u32::from(self.most - self.least) + 1
    }

    /// The ports, each once, beginning at that turn.
    fn from(self, turn: u32) -> impl Iterator<Item = u16> {
        (0..self.count()).map(move |step| {
            let place = (turn % self.count() + step) % self.count();
            self.least + place as u16
        })
    }
}

/// The next port of the range that is free by `answers`. `turn` is left at the one behind it.
fn choose(range: Range, turn: &AtomicU32, until: Deadline, answers: impl Fn(u16) -> Result<bool>) -> Result<u16> {
    let start = turn.load(Ordering::Relaxed);
    for (step, port) in (0..).zip(range.from(start)) {
        if until.has_come() {
            return Err(Error::new(
                Status::Timeout,
                "find_free_port",
                format!("the time was over while a free port was looked for, at {port}"),
            ));
        }
        if !answers(port)? {
            turn.store(start.wrapping_add(step + 1), Ordering::Relaxed);
            return Ok(port);
        }
    }
    Err(Error::new(Status::Limit, "find_free_port", format!("no port from {} to {} is free", range.least, range.most)))
}

/// Whether somebody answers there. Silence for [`PATIENCE`] is nobody.
fn answers_at(host: &str, port: u16, until: Deadline) -> Result<bool> {
    let until = until.min(Deadline::after(PATIENCE));
    let mut answer = Probe::begin(&Address::parse("find_free_port", &format!("tcp:{host}:{port}"))?);
    loop {
        match answer {
            Answer::Now(Ok(())) => return Ok(true),
            Answer::Now(Err(fault)) if fault.step == "connect" => return Ok(false),
            Answer::Now(Err(fault)) => return Err(fault.error("looking for a free port")),
            Answer::Later(connecting) => {
                if !poll::is_writable(connecting.fd().as_fd(), until).unwrap_or(false) && until.is_over(clock::now()) {
                    return Ok(false);
                }
                answer = connecting.finish();
            }
        }
    }
}

/// A free port of the range. Each look takes as long as the kernel needs to refuse a connection; where a filter drops it, 100 ms.
pub fn find(range: Range, until: Deadline) -> Result<u16> {
    static TURN: OnceLock<AtomicU32> = OnceLock::new();
    let begin = || {
        let chance = random::unique();
        AtomicU32::new(u32::from_ne_bytes([chance[0], chance[1], chance[2], chance[3]]) / 2)
    };
    choose(range, TURN.get_or_init(begin), until, |port| Ok(answers_at("127.0.0.1", port, until)? || answers_at("0.0.0.0", port, until)?))
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    const RANGE: Range = Range { least: 7000, most: 7004 };

    // covers: PA-1
    #[test]
    fn a_range_is_one() {
        let of = |least: Option<&str>, most: Option<&str>| {
            let mut arguments = Arguments::default();
            arguments.set("start_port_min", least).unwrap();
            arguments.set("start_port_max", most).unwrap();
            Range::of(&arguments)
        };
        assert_eq!(of(None, None), Ok(Range { least: 5000, most: 65_535 }));
        assert_eq!(of(Some("80"), Some("80")), Ok(Range { least: 80, most: 80 }));
        for (least, most) in [("81", "80"), ("0", "80"), ("-1", "80"), ("80", "65536"), ("80", "0")] {
            assert!(of(Some(least), Some(most)).is_err(), "{least} {most}");
        }
        assert!(of(Some("65000"), None).is_ok() && of(None, Some("4000")).is_err());
    }

    // covers: PA-28
    #[test]
    fn ports_are_given_in_turn_and_the_whole_range_is_tried_once() {
        let turn = AtomicU32::new(0);
        let given: Vec<u16> = (0..6).map(|_| choose(RANGE, &turn, Deadline::NEVER, |_| Ok(false)).unwrap()).collect();
        assert_eq!(given, [7000, 7001, 7002, 7003, 7004, 7000]);
        let asked = core::cell::RefCell::new(Vec::new());
        let error = choose(RANGE, &turn, Deadline::NEVER, |port| {
            asked.borrow_mut().push(port);
            Ok(true)
        })
        .unwrap_err();
        assert_eq!((error.status, error.step), (Status::Limit, "find_free_port"));
        assert_eq!(asked.into_inner(), [7001, 7002, 7003, 7004, 7000]);
        let whole: Vec<u16> = Range { least: 1, most: 65_535 }.from(u32::MAX).collect();
        assert_eq!(whole.iter().collect::<std::collections::HashSet<_>>().len(), 65_535);
    }

    // covers: PA-28
    #[test]
    fn time_that_is_over_is_another_error_than_none_that_is_free() {
        let error = choose(RANGE, &AtomicU32::new(0), Deadline::PAST, |_| Ok(false)).unwrap_err();
        assert_eq!(error.status, Status::Timeout);
    }

    // covers: PA-28
    #[test]
    fn a_port_that_answers_is_passed_over() {
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = taken.local_addr().unwrap().port();
        let only = Range { least: port, most: port };
        assert_eq!(find(only, Deadline::after(5_000 * MILLI)).unwrap_err().status, Status::Limit);
        drop(taken);
        // Another test may be given it at that moment.
        assert!((0..100).any(|_| find(only, Deadline::after(5_000 * MILLI)).is_ok()));
    }
}
