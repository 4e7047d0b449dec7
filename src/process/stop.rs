//! How a child is stopped: a plan of signals with waits, as a machine without clock or process.
//!
//! | state          | event                | next            | action               |
//! |----------------|----------------------|-----------------|----------------------|
//! | Idle           | begin                | Step(0, due)    | send the first signal|
//! | Step(n, due)   | now >= due, n+1 there| Step(n+1, due)  | send the next signal |
//! | Step(n, due)   | now >= due, no more  | Over            | -                    |
//! | Step(0, due)   | begin, shorter grace | Step(0, sooner) | -                    |
//! | Over           | begin                | Step(0, due)    | send the first signal|
//! | Step(n, due)   | refused, no more     | Over            | -                    |
//! | Step(n, due)   | refused for good     | Over            | -                    |
//! | (to Step(n))   | it kills, and the child is dumping core | Core(n, until) | -     |
//! | Core(n, until) | now >= until         | Step(n, due)    | send its signal      |
//! | any            | the child ended      | (left alone)    | -                    |
//!
//! A child that is dumping core has ended in all but name: SIGKILL would cut the dump, and stand in the record in place of what has happened.
//! No other signal touches a dump. So only a rung that kills waits for it, and not for ever: it may go to a pipe that nobody reads.
//!
//! A signal that the kernel refuses ends no ladder: the next rung may find that the child has given its privileges up again. But after the
//! last one there is nothing to wait for, and neither where no signal can ever be sent (a filter).
//!
//! The ladder never sleeps: whoever waits for the child waits until `due` at the most, and an exit ends all waits at once.

use crate::clock::{Deadline, MILLI};
use crate::sys::reserve;

/// How long a killed process may take to vanish before it is called unkillable (it sits in an uninterruptible call).
pub const LAST_WAIT_MS: i64 = 5_000;

/// How long a dump may go on by default before it is cut: some gigabytes on a disk of today.
pub const CORE_WAIT_MS: i64 = 10_000;

/// One rung: send the signal, wait this long for the end. -1: as long as the last rung ever waits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Step {
    /// The signal.
    pub signal: i32,
    /// Milliseconds.
    pub wait_ms: i64,
}

/// The default: TERM, two seconds, KILL.
pub static DEFAULT: [Step; 2] = [Step { signal: libc::SIGTERM, wait_ms: 2_000 }, Step { signal: libc::SIGKILL, wait_ms: -1 }];

/// For one that is not to have a grace.
pub static KILL: [Step; 1] = [Step { signal: libc::SIGKILL, wait_ms: -1 }];

/// For one that has been silent for too long: SIGABRT comes first, so that its core shows where it hangs. It may take as long over it as over the
/// first signal of its own plan. Without memory for the whole plan it is killed next.
pub fn with_abort(plan: &[Step]) -> Vec<Step> {
    let wait_ms = plan.first().map_or(-1, |step| step.wait_ms);
    let mut whole = reserve::room(plan.len() + 1).unwrap_or_default();
    let rest = if whole.capacity() > plan.len() { plan } else { &KILL };
    whole.push(Step { signal: libc::SIGABRT, wait_ms });
    whole.extend_from_slice(rest);
    whole
}

/// Where a ladder stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Ladder {
    /// Not begun.
    #[default]
    Idle,
    /// On this rung until then.
    Step(u32, Deadline),
    /// This rung's kill waits for a core dump, until then.
    Core(u32, Deadline),
    /// Every rung was tried, and the child is still there.
    Over,
}

impl Ladder {
    /// Enters a rung, unless it kills and has to wait for a dump.
    fn enter(&mut self, plan: &[Step], rung: u32, now: i64, grace_ms: i64, dump_ms: impl FnOnce() -> i64) -> Option<i32> {
        let kills = plan.get(rung as usize).is_some_and(|step| step.signal == libc::SIGKILL);
        let wait = if kills { dump_ms() } else { 0 };
        let (next, signal) = if wait > 0 {
            (Ladder::Core(rung, Deadline::at(now).plus(wait.saturating_mul(MILLI))), None)
        } else {
            Self::on(plan, rung, now, grace_ms)
        };
        *self = next;
        signal
    }

    fn on(plan: &[Step], rung: u32, now: i64, grace_ms: i64) -> (Self, Option<i32>) {
        let Some(step) = plan.get(rung as usize) else { return (Ladder::Over, None) };
        let wait = match (rung, grace_ms, step.wait_ms) {
            (0, grace, _) if grace >= 0 && (plan.len() > 1 || step.signal != libc::SIGKILL) => grace,
            (_, _, wait) if wait >= 0 => wait,
            _ => LAST_WAIT_MS,
        };
        (Ladder::Step(rung, Deadline::at(now).plus(wait.saturating_mul(MILLI))), Some(step.signal))
    }

    /// Starts, or starts again when it was through in vain. `grace_ms >= 0` replaces the wait of the first rung (but not that of
    /// a KILL which is the last: it is not a grace). `dump_ms`: how long it may take over a core that it is dumping now; asked before a kill.
    pub fn begin(&mut self, plan: &[Step], now: i64, grace_ms: i64, dump_ms: impl FnOnce() -> i64) -> Option<i32> {
        match self {
            Ladder::Step(rung, due) => {
                // Under way: a shorter grace shortens it.
                if *rung == 0 && grace_ms >= 0 {
                    *due = (*due).min(Deadline::at(now).plus(grace_ms.saturating_mul(MILLI)));
                }
                None
            }
            Ladder::Core(..) => None,
            Ladder::Idle | Ladder::Over => self.enter(plan, 0, now, grace_ms, dump_ms),
        }
    }

    /// Climbs if the rung's time is over; the signal to send now.
    pub fn advance(&mut self, plan: &[Step], now: i64, dump_ms: impl FnOnce() -> i64) -> Option<i32> {
        match *self {
            Ladder::Step(rung, due) if due.is_over(now) => self.enter(plan, rung + 1, now, -1, dump_ms),
            Ladder::Core(rung, until) if until.is_over(now) => self.enter(plan, rung, now, -1, || 0),
            _ => None,
        }
    }

    /// The signal just asked for was refused; `for_good`: as any other will be.
    pub fn refused(&mut self, plan: &[Step], for_good: bool) {
        if matches!(*self, Ladder::Step(rung, _) if for_good || rung as usize + 1 >= plan.len()) {
            *self = Ladder::Over;
        }
    }

    /// When to look again.
    pub fn due(&self) -> Deadline {
        match self {
            Ladder::Step(_, due) | Ladder::Core(_, due) => *due,
            Ladder::Idle | Ladder::Over => Deadline::NEVER,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn no_dump() -> i64 {
        0
    }

    fn not_asked() -> i64 {
        panic!("only a kill has to wait for a dump")
    }

    #[test]
    fn a_kill_waits_for_a_core_dump_until_its_time_is_over() {
        let plan = DEFAULT;
        let mut ladder = Ladder::default();
        assert_eq!(ladder.begin(&plan, 0, 100, not_asked), Some(libc::SIGTERM));
        assert_eq!(ladder.advance(&plan, 99 * MILLI, not_asked), None);
        assert_eq!(ladder.advance(&plan, 100 * MILLI, || 700), None);
        assert_eq!((ladder, ladder.due()), (Ladder::Core(1, Deadline::at(800 * MILLI)), Deadline::at(800 * MILLI)));
        assert_eq!(ladder.begin(&plan, 200 * MILLI, 0, not_asked), None, "it is under way");
        assert_eq!(ladder.advance(&plan, 799 * MILLI, not_asked), None);
        assert_eq!(ladder.advance(&plan, 800 * MILLI, not_asked), Some(libc::SIGKILL), "and does not begin anew");
        assert_eq!(ladder.due(), Deadline::at((800 + LAST_WAIT_MS) * MILLI));
        assert_eq!(ladder.advance(&plan, 6_000 * MILLI, not_asked), None);
        assert_eq!(ladder, Ladder::Over);
    }

    #[test]
    fn an_abort_comes_before_the_plan_and_waits_as_its_first_step_does() {
        let steps = |plan: &[Step]| with_abort(plan).iter().map(|step| (step.signal, step.wait_ms)).collect::<Vec<_>>();
        assert_eq!(steps(&DEFAULT), [(libc::SIGABRT, 2_000), (libc::SIGTERM, 2_000), (libc::SIGKILL, -1)]);
        assert_eq!(steps(&KILL), [(libc::SIGABRT, -1), (libc::SIGKILL, -1)]);
        let mut ladder = Ladder::default();
        ladder.begin(&with_abort(&KILL), 0, -1, not_asked);
        assert_eq!(ladder.due(), Deadline::at(LAST_WAIT_MS * MILLI));
    }

    #[test]
    fn a_plan_that_begins_with_a_kill_waits_too() {
        let plan = [Step { signal: libc::SIGKILL, wait_ms: -1 }];
        let mut ladder = Ladder::default();
        assert_eq!(ladder.begin(&plan, 0, 0, || 700), None);
        assert_eq!(ladder, Ladder::Core(0, Deadline::at(700 * MILLI)));
        assert_eq!(ladder.advance(&plan, 700 * MILLI, not_asked), Some(libc::SIGKILL));
    }

    #[test]
    fn ev11_term_then_kill_then_over() {
        let plan = DEFAULT;
        let mut ladder = Ladder::default();
        assert_eq!(ladder.begin(&plan, 0, -1, no_dump), Some(libc::SIGTERM));
        assert_eq!(ladder.begin(&plan, 0, -1, no_dump), None, "a ladder begins once");
        assert_eq!(ladder.advance(&plan, 1_999 * MILLI, no_dump), None);
        assert_eq!(ladder.advance(&plan, 2_000 * MILLI, no_dump), Some(libc::SIGKILL));
        assert_eq!(ladder.due(), Deadline::at((2_000 + LAST_WAIT_MS) * MILLI));
        assert_eq!(ladder.advance(&plan, 7_000 * MILLI, no_dump), None);
        assert_eq!(ladder, Ladder::Over);
        assert_eq!(ladder.due(), Deadline::NEVER);
        assert_eq!(ladder.begin(&plan, 9_000 * MILLI, -1, no_dump), Some(libc::SIGTERM), "and may be tried again");
    }

    #[test]
    fn a_shorter_grace_shortens_a_ladder_under_way() {
        let plan = DEFAULT;
        let mut ladder = Ladder::default();
        ladder.begin(&plan, 0, 8_000, no_dump);
        assert_eq!(ladder.begin(&plan, MILLI, 5, no_dump), None);
        assert_eq!(ladder.due(), Deadline::at(6 * MILLI));
        ladder.begin(&plan, MILLI, 9_000, no_dump);
        assert_eq!(ladder.due(), Deadline::at(6 * MILLI), "a longer one does not lengthen it");
    }

    #[test]
    fn a_refused_signal_ends_the_ladder_after_the_last_rung_only() {
        let plan = DEFAULT;
        let mut ladder = Ladder::default();
        ladder.begin(&plan, 0, 100, no_dump);
        ladder.refused(&plan, false);
        assert_eq!(ladder.due(), Deadline::at(100 * MILLI), "the next may be taken");
        assert_eq!(ladder.advance(&plan, 100 * MILLI, no_dump), Some(libc::SIGKILL));
        ladder.refused(&plan, false);
        assert_eq!((ladder, ladder.due()), (Ladder::Over, Deadline::NEVER));
        ladder.begin(&plan, 0, 100, no_dump);
        ladder.refused(&plan, true);
        assert_eq!((ladder, ladder.due()), (Ladder::Over, Deadline::NEVER), "none of them ever will be");
    }

    #[test]
    fn grace_replaces_the_first_wait() {
        let plan = DEFAULT;
        let mut ladder = Ladder::default();
        ladder.begin(&plan, 0, 0, no_dump);
        assert_eq!(ladder.advance(&plan, 0, no_dump), Some(libc::SIGKILL));
        let mut single = Ladder::default();
        single.begin(&[Step { signal: 9, wait_ms: 100 }], 0, 0, no_dump);
        assert_eq!(single.due(), Deadline::at(100 * MILLI), "a last KILL keeps its own wait");
        let mut single = Ladder::default();
        single.begin(&[Step { signal: 15, wait_ms: 100 }], 0, 7, no_dump);
        assert_eq!(single.due(), Deadline::at(7 * MILLI));
    }
}
