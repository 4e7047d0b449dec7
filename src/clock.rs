//! Time. Every time stamp is nanoseconds of CLOCK_MONOTONIC; a [`Deadline`] is such a moment or never; a [`Budget`] is what the steps of
//! one operation share until its deadline.
//!
//! The trap that these types are for: -1 and "for ever", milliseconds and nanoseconds, "no time left" and "no limit" are all just numbers
//! to a compiler. So a timeout is turned into a deadline once, where it enters (`Deadline::of_timeout` refuses what is below -1, in
//! one wording), and is a deadline from there on. Machines get the time told; who needs to ask for it asks a [`Clock`].

use nix::time::{ClockId, clock_gettime};

use crate::error::{Error, Result};

/// Nanoseconds in a millisecond.
pub const MILLI: i64 = 1_000_000;

/// Now. Served by the vDSO, and safe in a signal handler (clock_gettime(2) is on the list of signal-safety(7)).
// Never part of its callers, of which there are two hundred: it is a call as it is.
#[inline(never)]
pub fn now() -> i64 {
    clock_gettime(ClockId::CLOCK_MONOTONIC).map_or(0, |t| t.tv_sec() * 1_000_000_000 + t.tv_nsec())
}

/// How much CLOCK_REALTIME is ahead of [`now`]: what makes a time of day of a time stamp. It changes when somebody sets the clock.
pub fn wall_ahead() -> i64 {
    let wall = clock_gettime(ClockId::CLOCK_REALTIME).map_or(0, |t| t.tv_sec().saturating_mul(1_000_000_000).saturating_add(t.tv_nsec()));
    wall.saturating_sub(now())
}

/// Where the time comes from.
pub trait Clock {
    /// Nanoseconds since some moment that never changes; never goes backwards.
    fn now(&self) -> i64;
}

/// CLOCK_MONOTONIC.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Monotonic;

impl Clock for Monotonic {
    fn now(&self) -> i64 {
        now()
    }
}

/// A moment until which something may take, or never. Ordered: the earlier one is the smaller one, so `min` is "whichever comes first".
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Deadline(i64);

impl Deadline {
    /// It never comes.
    pub const NEVER: Self = Self(i64::MAX);
    /// It has always been over: a look, without a wait.
    pub const PAST: Self = Self(i64::MIN);

    /// At this time.
    pub const fn at(nanos: i64) -> Self {
        Self(nanos)
    }

    /// So many nanoseconds from now on.
    pub fn after(nanos: i64) -> Self {
        Self(now().saturating_add(nanos))
    }

    /// The end of a wait of so many milliseconds, as they come from a caller under the name `name`: -1 is for ever, less is refused.
    pub fn of_timeout(name: &'static str, ms: i64) -> Result<Self> {
        check_timeout(name, ms)?;
        Ok(Self::of_millis(ms))
    }

    /// The same of a number that was checked before. Allocates nothing, whatever the number is: for signal handlers.
    pub fn of_millis(ms: i64) -> Self {
        if ms < 0 { Self::NEVER } else { Self::after(ms.saturating_mul(MILLI)) }
    }

    /// Whether it never comes.
    pub const fn is_never(self) -> bool {
        self.0 == i64::MAX
    }

    /// Whether it has come.
    pub const fn is_over(self, now: i64) -> bool {
        now >= self.0 && !self.is_never()
    }

    /// Whether it has come by now.
    pub fn has_come(self) -> bool {
        self == Self::PAST || !self.is_never() && self.is_over(now())
    }

    /// Nanoseconds until then, none if it has come; `i64::MAX` if it never does.
    pub const fn left(self, now: i64) -> i64 {
        if self.is_never() {
            return i64::MAX;
        }
        match self.0.saturating_sub(now) {
            left if left > 0 => left,
            _ => 0,
        }
    }

    /// As a time stamp, if it ever comes.
    pub const fn nanos(self) -> Option<i64> {
        if self.is_never() { None } else { Some(self.0) }
    }

    /// So much later; never stays never.
    pub const fn plus(self, nanos: i64) -> Self {
        if self.is_never() { self } else { Self(self.0.saturating_add(nanos)) }
    }
}

impl From<Option<i64>> for Deadline {
    /// A time stamp, or never.
    fn from(at: Option<i64>) -> Self {
        at.map_or(Self::NEVER, Self)
    }
}

/// Whether this can be a timeout or a grace at all. For who has no error to say more with, and may not allocate one.
pub const fn is_timeout(ms: i64) -> bool {
    ms >= -1
}

/// Refuses a timeout or a grace that is none: the one place, and the one wording.
pub fn check_timeout(name: &'static str, ms: i64) -> Result<()> {
    if is_timeout(ms) {
        return Ok(());
    }
    Err(Error::invalid(name, format!("{name}: {ms} ms is no time: -1 is the least")))
}

/// What is left to one operation, however many steps it has: each takes from the same whole, which only ever shrinks.
#[derive(Clone, Copy, Debug)]
pub struct Budget<C = Monotonic> {
    end: Deadline,
    clock: C,
}

impl Budget {
    /// Until this moment.
    pub const fn until(end: Deadline) -> Self {
        Self { end, clock: Monotonic }
    }

    /// So many nanoseconds.
    pub fn of(nanos: i64) -> Self {
        Self::until(Deadline::after(nanos))
    }
}

impl<C: Clock> Budget<C> {
    /// So many nanoseconds of this clock.
    pub fn on(clock: C, nanos: i64) -> Self {
        Self { end: Deadline(clock.now().saturating_add(nanos)), clock }
    }

    /// When the whole is over.
    pub fn end(&self) -> Deadline {
        self.end
    }

    /// When the next step must be over, which may take so many nanoseconds by itself: its own end or that of the whole.
    pub fn step(&self, nanos: i64) -> Deadline {
        Deadline(self.clock.now().saturating_add(nanos)).min(self.end)
    }

    /// Nanoseconds that are left.
    pub fn left(&self) -> i64 {
        self.end.left(self.clock.now())
    }

    /// Whether nothing is.
    pub fn is_spent(&self) -> bool {
        self.end.is_over(self.clock.now())
    }

    /// The whole ends at this moment, if that is sooner: a budget never grows.
    pub fn shorten(&mut self, end: Deadline) {
        self.end = self.end.min(end);
    }
}

#[cfg(test)]
mod tests {
    use core::cell::Cell;

    use super::*;

    /// A clock that stands where it was put.
    struct Hand(Cell<i64>);

    impl Clock for &Hand {
        fn now(&self) -> i64 {
            self.0.get()
        }
    }

    #[test]
    fn the_earlier_deadline_is_the_smaller_one() {
        assert_eq!(Deadline::NEVER.min(Deadline::at(5)), Deadline::at(5));
        assert!(Deadline::PAST < Deadline::at(i64::MIN + 1));
        assert_eq!(Deadline::from(None), Deadline::NEVER);
        assert_eq!(Deadline::at(7).nanos(), Some(7));
    }

    #[test]
    fn never_stays_never_and_the_past_is_over() {
        assert!(!Deadline::NEVER.is_over(i64::MAX));
        assert_eq!(Deadline::NEVER.plus(-1), Deadline::NEVER);
        assert_eq!(Deadline::NEVER.left(0), i64::MAX);
        assert!(Deadline::PAST.is_over(i64::MIN));
        assert_eq!(Deadline::PAST.left(1), 0);
        assert_eq!(Deadline::at(i64::MAX - 1).left(-10), i64::MAX);
        assert_eq!((Deadline::at(10).left(4), Deadline::at(10).left(10), Deadline::at(10).left(11)), (6, 0, 0));
    }

    #[test]
    fn a_timeout_below_minus_one_is_refused_by_name() {
        let error = Deadline::of_timeout("grace_ms", -2).unwrap_err();
        assert!(error.message.contains("grace_ms: -2"), "{error}");
        assert_eq!(error.step, "grace_ms");
        assert_eq!(Deadline::of_timeout("timeout_ms", -1).unwrap(), Deadline::NEVER);
        assert!(Deadline::of_timeout("timeout_ms", 0).unwrap().has_come());
        assert!(!Deadline::of_timeout("timeout_ms", i64::MAX).unwrap().has_come());
    }

    #[test]
    fn the_steps_of_a_budget_share_one_whole() {
        let hand = Hand(Cell::new(100));
        let mut budget = Budget::on(&hand, 50);
        assert_eq!(budget.step(20), Deadline::at(120));
        hand.0.set(140);
        assert_eq!(budget.step(20), Deadline::at(150), "no step outlives the whole");
        assert_eq!(budget.left(), 10);
        budget.shorten(Deadline::at(145));
        budget.shorten(Deadline::at(200));
        assert_eq!(budget.end(), Deadline::at(145), "and the whole never grows");
        hand.0.set(145);
        assert!(budget.is_spent());
        assert_eq!(budget.left(), 0);
    }
}
