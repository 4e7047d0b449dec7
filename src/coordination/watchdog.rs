//! Whether a process has been silent for too long: pure. It is told what was heard and the time; who drives it reads all that was sent before it asks.
//!
//! | state            | event                                        | next                                | answer |
//! |------------------|----------------------------------------------|-------------------------------------|--------|
//! | Off              | ready                                        | Armed until now + period            | -      |
//! | Armed            | WATCHDOG=1                                   | Armed until now + period            | -      |
//! | any but Over     | WATCHDOG_USEC=n                              | period n; if Armed: until now + n   | -      |
//! | any but Over     | WATCHDOG=trigger                             | Over                                | bites  |
//! | Armed            | judged, and its time is over                 | Over                                | bites  |
//! | Armed            | the same, and nobody can know: doubted once  | Armed until now + period, in doubt  | -      |
//! | Armed            | the same, and nothing can be heard now       | Armed until now + period            | -      |
//! | any              | STOPPING=1, or its stop plan begins          | Over                                | -      |
//! | Over             | any                                          | (stays)                             | -      |
//!
//! A period of 0 never ends (as in systemd: the program has turned it off, and WATCHDOG_USEC turns it on again). A reload changes nothing.
//!
//! Traps. **A host that was stopped has heard nothing**, however often the process spoke: its words wait in the queue. So what is read counts as said
//! now, and is read before the silence is judged.
//! **When all stood still** (a frozen container, a machine that was suspended, a debugger) there are no words, and the time is over all the same. The
//! host sees it by coming late itself: then it gives one more period, from now on. Once: a host that always comes late must be able to lose a child,
//! too. The same where it could not read to the end, because somebody floods the queue.

use super::notify::{Bark, Message, Says};
use crate::clock::{Deadline, MILLI};

/// Later than by this part of the period is late.
const LATE: i64 = 8;

/// The longest period: a hundred years, which is never.
const LONGEST: i64 = 100 * 366 * 86_400_000 * MILLI;

/// The shortest that a process may choose for itself.
const SHORTEST: i64 = MILLI;

/// How much of what a process had sent by now was read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Heard {
    /// All of it.
    All,
    /// There is more, of whomever.
    Part,
    /// The host cannot read at all: it cannot judge either.
    Nothing,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum State {
    /// Not ready yet.
    Off,
    /// Until then it must have spoken.
    Armed {
        until: Deadline,
        /// Nothing was heard since a period was given for nothing.
        in_doubt: bool,
    },
    /// It has bitten, or is not wanted any more.
    Over,
}

/// Watches over one process.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Watchdog {
    /// Nanoseconds; 0: silence is allowed.
    period: i64,
    state: State,
}

impl Watchdog {
    /// Of this period, and not armed.
    pub fn new(period_ms: i64) -> Self {
        Self { period: period_ms.saturating_mul(MILLI).clamp(SHORTEST, LONGEST), state: State::Off }
    }

    fn until(&self, now: i64) -> Deadline {
        if self.period == 0 { Deadline::NEVER } else { Deadline::at(now).plus(self.period) }
    }

    fn arm(&mut self, now: i64, in_doubt: bool) {
        self.state = State::Armed { until: self.until(now), in_doubt };
    }

    /// Its process is ready: from now on it has to speak.
    pub fn ready(&mut self, now: i64) {
        if self.state == State::Off {
            self.arm(now, false);
        }
    }

    /// It has said this. `true`: it gives itself up.
    #[must_use]
    pub fn hear(&mut self, message: &Message, now: i64) -> bool {
        if self.state == State::Over {
            return false;
        }
        if let Some(usec) = message.watchdog_usec {
            let nanos = i64::try_from(usec).unwrap_or(i64::MAX).saturating_mul(1_000);
            self.period = if nanos == 0 { 0 } else { nanos.clamp(SHORTEST, LONGEST) };
        }
        let armed = matches!(self.state, State::Armed { .. });
        if armed && (message.watchdog_usec.is_some() || message.watchdog == Some(Bark::Alive)) {
            self.arm(now, false);
        }
        if message.says == Some(Says::Stopping) {
            self.end();
            return false;
        }
        let triggered = message.watchdog == Some(Bark::Trigger);
        if triggered {
            self.end();
        }
        triggered
    }

    /// After so much was heard. `true`: it has been silent for too long.
    #[must_use]
    pub fn judge(&mut self, now: i64, heard: Heard) -> bool {
        let State::Armed { until, in_doubt } = self.state else { return false };
        if !until.is_over(now) {
            return false;
        }
        let is_late = until.plus(self.period / LATE).is_over(now);
        if heard == Heard::Nothing || !in_doubt && (is_late || heard == Heard::Part) {
            self.arm(now, heard != Heard::Nothing);
            return false;
        }
        self.end();
        true
    }

    /// It is stopped, or stops by itself: its silence means nothing any more.
    pub fn end(&mut self) {
        self.state = State::Over;
    }

    /// When to judge.
    pub fn due(&self) -> Deadline {
        match self.state {
            State::Armed { until, .. } => until,
            State::Off | State::Over => Deadline::NEVER,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::*;
    use crate::coordination::notify::parse;

    const PERIOD: i64 = 80 * MILLI;

    fn armed() -> Watchdog {
        let mut watchdog = Watchdog::new(80);
        watchdog.ready(0);
        watchdog
    }

    fn says(watchdog: &mut Watchdog, text: &str, now: i64) -> bool {
        watchdog.hear(&parse(text.as_bytes()), now)
    }

    #[test]
    fn nobody_is_judged_before_he_is_ready() {
        let mut watchdog = Watchdog::new(80);
        assert!(!says(&mut watchdog, "WATCHDOG=1", 0) && watchdog.due().is_never());
        assert!(!watchdog.judge(i64::MAX, Heard::All));
        watchdog.ready(5);
        assert_eq!(watchdog.due(), Deadline::at(5 + PERIOD));
        watchdog.ready(50);
        assert_eq!(watchdog.due(), Deadline::at(5 + PERIOD), "ready again, as after a reload, is no sign of life");
    }

    #[test]
    fn words_put_it_off_and_silence_ends_it_once() {
        let mut watchdog = armed();
        assert!(!says(&mut watchdog, "WATCHDOG=1", PERIOD / 2));
        assert!(!watchdog.judge(PERIOD * 3 / 2 - 1, Heard::All));
        assert!(!says(&mut watchdog, "STATUS=busy\nRELOADING=1", PERIOD), "other words are none");
        assert!(watchdog.judge(PERIOD * 3 / 2, Heard::All));
        assert!(!watchdog.judge(i64::MAX, Heard::All) && watchdog.due().is_never());
        assert!(!says(&mut watchdog, "WATCHDOG=trigger", i64::MAX), "it bites once");
    }

    #[test]
    fn a_trigger_bites_at_once_also_before_ready_and_the_end_stops_all() {
        assert!(says(&mut Watchdog::new(80), "WATCHDOG=trigger", 0));
        assert!(says(&mut armed(), "READY=1\nWATCHDOG=trigger", 0));
        let mut watchdog = armed();
        assert!(!says(&mut watchdog, "STOPPING=1\nWATCHDOG=trigger", 0));
        assert!(!watchdog.judge(i64::MAX, Heard::All));
    }

    #[test]
    fn a_host_that_comes_late_gives_one_period_and_no_more() {
        let mut watchdog = armed();
        assert!(!watchdog.judge(4 * PERIOD, Heard::All));
        assert_eq!(watchdog.due(), Deadline::at(5 * PERIOD));
        let mut silent = watchdog;
        assert!(silent.judge(9 * PERIOD, Heard::All), "late again, and not a word meanwhile");
        assert!(!says(&mut watchdog, "WATCHDOG=1", 5 * PERIOD));
        assert!(!watchdog.judge(9 * PERIOD, Heard::All), "a word takes the doubt away");
        let mut watchdog = armed();
        assert!(watchdog.judge(PERIOD + PERIOD / LATE - 1, Heard::All), "a little late is in time");
    }

    #[test]
    fn who_could_not_read_to_the_end_waits_one_period() {
        let mut watchdog = armed();
        assert!(!watchdog.judge(PERIOD, Heard::Part));
        assert!(watchdog.judge(2 * PERIOD, Heard::Part));
    }

    #[test]
    fn the_period_is_the_programs_own_within_bounds() {
        let mut watchdog = armed();
        assert!(!says(&mut watchdog, "WATCHDOG_USEC=5000", MILLI));
        assert_eq!(watchdog.due(), Deadline::at(6 * MILLI));
        assert!(!says(&mut watchdog, "WATCHDOG_USEC=1", MILLI));
        assert_eq!(watchdog.due(), Deadline::at(2 * MILLI));
        assert!(!says(&mut watchdog, "WATCHDOG_USEC=0", MILLI));
        assert!(watchdog.due().is_never() && !watchdog.judge(i64::MAX, Heard::All));
        assert!(!says(&mut watchdog, "WATCHDOG=1", 3 * MILLI) && watchdog.due().is_never());
        assert!(!says(&mut watchdog, "WATCHDOG_USEC=18446744073709551615", MILLI));
        assert_eq!(watchdog.due(), Deadline::at(MILLI + LONGEST));
        let mut watchdog = Watchdog::new(80);
        assert!(!says(&mut watchdog, "WATCHDOG_USEC=5000", 0) && watchdog.due().is_never(), "not before it is ready");
        watchdog.ready(0);
        assert_eq!(watchdog.due(), Deadline::at(5 * MILLI));
    }

    /// What the explorer may do at each step; times are in eighths of the period.
    #[derive(Clone, Copy, Debug)]
    enum Act {
        Ready,
        Alive,
        Other,
        Trigger,
        Stopping,
        End,
        Judge(Heard),
    }

    /// The same told slowly: since when it must speak, what was heard last, how often a period was given.
    #[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
    struct Naive {
        since: Option<i64>,
        given: bool,
        over: bool,
    }

    impl Naive {
        fn step(&mut self, act: Act, now: i64) -> bool {
            let silent = self.since.map(|since| now - since);
            match act {
                _ if self.over => return false,
                Act::Ready => _ = self.since.get_or_insert(now),
                Act::Alive if self.since.is_some() => (self.since, self.given) = (Some(now), false),
                Act::Alive | Act::Other => {}
                Act::Stopping | Act::End => self.over = true,
                Act::Trigger => self.over = true,
                Act::Judge(heard) => {
                    let Some(silent) = silent.filter(|silent| *silent >= 8) else { return false };
                    if heard == Heard::Nothing {
                        (self.since, self.given) = (Some(now), false);
                        return false;
                    }
                    if !self.given && (silent >= 9 || heard == Heard::Part) {
                        (self.since, self.given) = (Some(now), true);
                        return false;
                    }
                    self.over = true;
                    return true;
                }
            }
            matches!(act, Act::Trigger)
        }
    }

    #[test]
    fn every_order_of_events_does_what_the_slow_model_does() {
        let acts = [
            Act::Ready,
            Act::Alive,
            Act::Other,
            Act::Trigger,
            Act::Stopping,
            Act::End,
            Act::Judge(Heard::All),
            Act::Judge(Heard::Part),
            Act::Judge(Heard::Nothing),
        ];
        let text = |act| match act {
            Act::Alive => "WATCHDOG=1",
            Act::Trigger => "WATCHDOG=trigger",
            Act::Stopping => "STOPPING=1",
            _ => "STATUS=x",
        };
        let mut seen = HashSet::new();
        let mut open = vec![(Watchdog::new(80), Naive::default(), 0i64)];
        while let Some(at @ (watchdog, naive, now)) = open.pop() {
            if now > 30 || !seen.insert(at) {
                continue;
            }
            for act in acts {
                let (mut watchdog, mut naive) = (watchdog, naive);
                let nanos = now * PERIOD / 8;
                let bites = match act {
                    Act::Ready => {
                        watchdog.ready(nanos);
                        false
                    }
                    Act::End => {
                        watchdog.end();
                        false
                    }
                    Act::Judge(heard) => watchdog.judge(nanos, heard),
                    act => says(&mut watchdog, text(act), nanos),
                };
                assert_eq!(bites, naive.step(act, now), "{act:?} at {now} of {watchdog:?}");
                for later in [0, 1, 7, 8, 9, 20] {
                    open.push((watchdog, naive, now + later));
                }
            }
        }
        assert!(seen.len() > 500, "{} states", seen.len());
    }

    fn any_heard() -> impl Strategy<Value = Heard> {
        prop_oneof![Just(Heard::All), Just(Heard::Part), Just(Heard::Nothing)]
    }

    #[test]
    fn who_can_hear_nothing_judges_nobody() {
        let mut watchdog = armed();
        for look in 1..100 {
            assert!(!watchdog.judge(look * 2 * PERIOD, Heard::Nothing));
        }
        assert!(!watchdog.judge(1_000 * PERIOD, Heard::All), "late, and nothing was given yet");
    }

    proptest! {
        #[test]
        fn who_speaks_twice_a_period_is_never_bitten(
            stalls in proptest::collection::vec(0..40 * PERIOD, 1..40),
            heard in any_heard(),
        ) {
            // The host looks now and then; the process has spoken each half period meanwhile, up to ten words in the queue.
            let (mut watchdog, mut now, mut spoke) = (armed(), 0, 0);
            for stall in stalls {
                now += stall;
                while spoke + PERIOD / 2 <= now {
                    spoke += PERIOD / 2;
                    prop_assert!(!says(&mut watchdog, "WATCHDOG=1", now));
                }
                prop_assert!(!watchdog.judge(now, heard));
            }
        }

        #[test]
        fn who_is_silent_is_bitten_by_the_second_judgement_after_its_time(
            looks in proptest::collection::vec((1..20 * PERIOD, prop_oneof![Just(Heard::All), Just(Heard::Part)]), 60),
        ) {
            let (mut watchdog, mut now, mut judged) = (armed(), 0, 0);
            for (later, heard) in looks {
                now += later;
                judged += i32::from(watchdog.due().is_over(now));
                if watchdog.judge(now, heard) {
                    prop_assert!(judged <= 2);
                    return Ok(());
                }
            }
            prop_assert!(judged < 2);
        }
    }
}
