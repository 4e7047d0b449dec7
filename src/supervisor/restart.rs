//! Whether a child that has ended is started again, and after which wait: pure, without clock or chance of its own.
//!
//! | the run ...                          | failures in a row | then                                                       |
//! |--------------------------------------|-------------------|------------------------------------------------------------|
//! | was stopped (plan, shutdown, kill-all)| -                | it is over                                                 |
//! | exited with 0, policy "on failure"   | 0                 | it is over                                                 |
//! | exited with 0 late, policy "always"  | 0                 | again after the shortest wait                              |
//! | exited with 0 early, policy "always" | as a failure      | as a failure                                               |
//! | failed, but was long enough healthy  | 1                 | again after the shortest wait                              |
//! | fell to its watchdog, exit 0 or not  | as a failure      | as a failure                                               |
//! | failed                               | one more          | again after a wait that doubles each time, or given up     |
//!
//! The trap is in the fourth row: a service that puts itself into the background exits with 0 at once, each time, and leaves a copy behind. A success
//! for ever is a loop as tight as any crash.
//!
//! The wait is spread by a quarter to both sides (within its bounds), so that workers that died together do not come back in step.
//! A spawn budget, when there is one, is asked after this table and before the start.

use crate::clock::MILLI;
use crate::process::command::{Restart, RestartWhen};
use crate::registry::{Cause, Exit};

/// How a run went.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Ended {
    /// Somebody here wanted it so.
    Stopped,
    /// It exited with 0 after so many nanoseconds.
    Succeeded(i64),
    /// It failed after so many nanoseconds; a failed start is a run of 0.
    Failed(i64),
}

impl Ended {
    /// What an exit record says.
    pub fn of(exit: &Exit) -> Self {
        let ran = exit.ended_ns - exit.started_ns;
        match exit.cause {
            Cause::Stop | Cause::Shutdown | Cause::KillAll => Ended::Stopped,
            // However long it was waited for: it has done nothing yet.
            Cause::NotReady => Ended::Failed(0),
            // However it took the signal.
            Cause::Watchdog => Ended::Failed(ran),
            _ if exit.success() => Ended::Succeeded(ran),
            _ => Ended::Failed(ran),
        }
    }
}

/// What comes next.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Next {
    /// Nothing: it is over.
    Over,
    /// Another run after so many nanoseconds.
    Again(i64),
    /// Too many failures in a row.
    GiveUp,
}

/// Counts one child's failures.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct History {
    failures: u32,
}

impl History {
    /// Decides. `chance`: any number.
    pub fn after(&mut self, policy: &Restart, ended: Ended, chance: u64) -> Next {
        match (policy.when, ended) {
            (RestartWhen::Never, _) | (_, Ended::Stopped) => return Next::Over,
            (RestartWhen::OnFailure, Ended::Succeeded(_)) => {
                self.failures = 0;
                return Next::Over;
            }
            (_, Ended::Succeeded(ran)) if ran >= policy.early_exit_ms.saturating_mul(MILLI) => self.failures = 0,
            (_, Ended::Failed(ran) | Ended::Succeeded(ran)) if ran >= policy.healthy_ms.saturating_mul(MILLI) && ran > 0 => {
                self.failures = 1
            }
            _ => self.failures = self.failures.saturating_add(1),
        }
        if policy.failures != 0 && self.failures >= policy.failures {
            return Next::GiveUp;
        }
        Next::Again(delay(policy, self.failures, chance))
    }
}

fn delay(policy: &Restart, failures: u32, chance: u64) -> i64 {
    let (min, max) = (policy.min_delay_ms.saturating_mul(MILLI), policy.max_delay_ms.saturating_mul(MILLI));
    // A shortest wait of 0 must be able to grow.
    let doubled = (min.max(MILLI) as i128) << failures.saturating_sub(1).min(62);
    let base = if failures == 0 { min } else { doubled.min(max as i128) as i64 };
    let (low, high) = ((base - base / 4).max(min), base.saturating_add(base / 4).min(max));
    if high <= low { low.min(max) } else { low + (chance % (high - low + 1) as u64) as i64 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const POLICY: Restart = Restart {
        when: RestartWhen::OnFailure,
        min_delay_ms: 100,
        max_delay_ms: 1_000,
        failures: 5,
        healthy_ms: 10_000,
        early_exit_ms: 1_000,
    };

    #[test]
    fn a_crash_loop_waits_longer_each_time_and_is_given_up() {
        let mut history = History::default();
        let base: Vec<Next> = (0..5).map(|_| history.after(&POLICY, Ended::Failed(1), 0)).collect();
        let again = |ms: i64| Next::Again(ms * MILLI);
        assert_eq!(base, [again(100), again(150), again(300), again(600), Next::GiveUp]);
    }

    #[test]
    fn health_and_success_start_the_count_anew() {
        let mut history = History::default();
        let always = Restart { when: RestartWhen::Always, ..POLICY };
        for _ in 0..100 {
            assert!(matches!(history.after(&always, Ended::Failed(1), 0), Next::Again(_)));
            assert_eq!(history.after(&always, Ended::Succeeded(1_000 * MILLI), 0), Next::Again(100 * MILLI));
            assert_eq!(history.after(&always, Ended::Failed(10_000 * MILLI), 0), Next::Again(100 * MILLI));
            assert_eq!(history.after(&always, Ended::Succeeded(1_000 * MILLI), 0), Next::Again(100 * MILLI));
        }
    }

    #[test]
    fn a_success_that_comes_at_once_counts_as_a_failure() {
        let mut history = History::default();
        let always = Restart { when: RestartWhen::Always, ..POLICY };
        let again = |ms: i64| Next::Again(ms * MILLI);
        let next: Vec<Next> = (0..5).map(|_| history.after(&always, Ended::Succeeded(1_000 * MILLI - 1), 0)).collect();
        assert_eq!(next, [again(100), again(150), again(300), again(600), Next::GiveUp]);
        // Mixed with crashes too; and one that was late starts the count anew.
        let mut history = History::default();
        assert_eq!([Ended::Succeeded(0), Ended::Failed(1)].map(|how| history.after(&always, how, 0)), [again(100), again(150)]);
        assert_eq!(history.after(&always, Ended::Succeeded(1_000 * MILLI), 0), again(100));
        assert_eq!(history.after(&always, Ended::Succeeded(0), 0), again(100));
        // Early, but healthy: as a failure after such a run.
        let short = Restart { healthy_ms: 10, ..always };
        assert!((0..100).all(|_| history.after(&short, Ended::Succeeded(20 * MILLI), 0) == again(100)));
        let never = Restart { early_exit_ms: 0, ..always };
        assert!((0..100).all(|_| history.after(&never, Ended::Succeeded(0), 0) == again(100)));
    }

    #[test]
    fn what_was_stopped_or_has_done_its_work_is_over() {
        let mut history = History::default();
        assert_eq!(history.after(&POLICY, Ended::Stopped, 0), Next::Over);
        assert_eq!(history.after(&POLICY, Ended::Succeeded(0), 0), Next::Over);
        assert_eq!(history.after(&Restart::default(), Ended::Failed(1), 0), Next::Over);
    }

    proptest! {
        #[test]
        fn waits_stay_within_their_bounds(min in 0i64..5_000, span in 0i64..100_000, failures in 0u32..200, chance in any::<u64>()) {
            let policy = Restart { min_delay_ms: min, max_delay_ms: min + span, failures: 0, ..POLICY };
            let wait = delay(&policy, failures, chance);
            prop_assert!((min * MILLI..=(min + span) * MILLI).contains(&wait), "{wait}");
        }
    }
}
