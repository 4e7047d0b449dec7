//! When a process counts as ready: pure. It is told what was seen and the time, and says how it stands; `process/child/readying.rs` looks.
//!
//! | state   | event                                   | next                                              |
//! |---------|-----------------------------------------|---------------------------------------------------|
//! | -       | begun, EXEC                             | Ready                                             |
//! | -       | begun                                   | Waiting until begin + timeout                     |
//! | Waiting | newline (FD), READY=1 (NOTIFY), accepted (SOCKET) | Ready                                   |
//! | Waiting | told so (TOLD)                          | Ready, or Failed (told)                           |
//! | Waiting | end of file, and it lives               | Failed (end of file)                              |
//! | Waiting | end of file, and it is dying            | Closed until now + [`LAST_BREATH`]                |
//! | Waiting | refused, and that may pass              | Waiting, the next try after a longer pause        |
//! | Waiting | refused for good                        | Failed (refused)                                  |
//! | Waiting | extend                                  | Waiting until now + that, if it is later          |
//! | Waiting | tick, and the end has come              | Failed (timed out)                                |
//! | Closed  | tick, and the end has come              | Failed (end of file)                              |
//! | Waiting, Closed | dead                            | Failed (dead)                                     |
//! | Ready, Failed | any                               | (stays)                                           |
//!
//! Traps. **There is one budget**: it begins before the process is made, and every step takes its time off the same whole: a slow exec, each try. The
//! process may put its end off (EXTEND_TIMEOUT_USEC), which no longer bounds what it may do: so [`LONGEST`] does.
//! **A process closes its descriptors before it is dead**: the end of file of one that has just exited comes first, and blaming it for that would
//! hide its exit. So who sees the end of file looks whether it is dying.
//! **What was said counts before what has happened since**: who drives this reads all there is before it tells of a death, or of the time.

use nix::errno::Errno;

use super::probe::{self, Address};
use crate::clock::{Deadline, MILLI};
use crate::error::{Error, Result};
use crate::journey::Route;
use crate::sys::Fault;

/// A start until it is ready.
pub static ROUTE: Route = Route { kind: "START_UNTIL_READY", title: "starting until it is ready", steps: &["spawn", "exec", "ready"] };

/// The whole where the caller names none: as much as a daemon of running-process has.
pub const DEFAULT_MS: i64 = 60_000;
/// However often a process puts its end off, it comes at the latest so long after the begin.
pub const LONGEST: i64 = 24 * 3_600_000 * MILLI;
/// How long a process that is dying may take until it is dead, before its end of file is blamed.
pub const LAST_BREATH: i64 = 5_000 * MILLI;
/// The shortest and the longest pause between two tries to connect, for one that starts soon.
const PAUSES: (i64, i64) = (MILLI, 50 * MILLI);
/// One that takes long is tried less often: after this part of its time so far, and a pause of this length at the most. A thousand of them must
/// not take a processor.
const SLOW: (i64, i64) = (16, 250 * MILLI);

/// When a child counts as ready.
#[derive(Clone, Copy, PartialEq, Eq, Debug, strum::FromRepr, strum::IntoStaticStr, strum::VariantNames)]
#[repr(i32)]
pub enum Kind {
    /// Its program has begun (default).
    #[strum(serialize = "PS_READY_EXEC")]
    Exec = 0,
    /// It has sent READY=1 to its NOTIFY_SOCKET, as sd_notify(3) does.
    #[strum(serialize = "PS_READY_NOTIFY")]
    Notify = 1,
    /// It has written a newline to a descriptor, as services of s6 and dinit do.
    #[strum(serialize = "PS_READY_FD")]
    Fd = 2,
    /// Somebody accepts connections at an address.
    #[strum(serialize = "PS_READY_SOCKET")]
    Socket = 3,
}

/// By what it is known.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Sign {
    /// Its exec.
    Exec,
    /// Its message.
    Notify,
    /// A newline on the descriptor that has this number in the child.
    Fd(i32),
    /// A connection.
    Socket(Box<Address>),
    /// Somebody above says so, who has its own time.
    Told,
}

/// What a command asks for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Spec {
    /// By what.
    pub sign: Sign,
    /// Until when, from its begin; `None`: for ever.
    timeout: Option<i64>,
}

/// Numbers of descriptors that a child may have.
const MAX_FD: i32 = 1 << 20;

impl Spec {
    /// Somebody above says so.
    pub fn told() -> Self {
        Self { sign: Sign::Told, timeout: None }
    }

    /// How long it may take, from the begin of the spawn; nanoseconds. `None`: for ever.
    pub fn timeout(&self) -> Option<i64> {
        self.timeout
    }

    /// Checks what a caller gives. `timeout_ms`: -1 for ever, 0 the default.
    pub fn new(kind: Kind, detail: Option<&str>, timeout_ms: i64) -> Result<Self> {
        crate::clock::check_timeout("timeout_ms", timeout_ms)?;
        let bad = |why: String| Error::invalid("detail", format!("detail: {why}"));
        let sign = match (kind, detail) {
            (Kind::Exec, None) => Sign::Exec,
            (Kind::Notify, None) => Sign::Notify,
            (Kind::Exec | Kind::Notify, Some(_)) => return Err(bad("this kind of readiness has none: NULL".to_owned())),
            (Kind::Fd | Kind::Socket, None) => return Err(bad("it is NULL, and this kind of readiness needs it".to_owned())),
            (Kind::Fd, Some(text)) => {
                let number = Some(text).filter(|text| text.bytes().all(|byte| byte.is_ascii_digit())).and_then(|text| text.parse().ok());
                match number {
                    Some(number @ 3..MAX_FD) => Sign::Fd(number),
                    _ => return Err(bad(format!("{text:?} is not the number of a descriptor from 3 to {}", MAX_FD - 1))),
                }
            }
            (Kind::Socket, Some(text)) => Sign::Socket(Box::new(Address::parse("detail", text)?)),
        };
        let timeout = match timeout_ms {
            -1 => None,
            0 => Some(DEFAULT_MS),
            ms => Some(ms),
        };
        Ok(Self { sign, timeout: timeout.map(|ms| ms.saturating_mul(MILLI)) })
    }
}

/// What was seen.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Event {
    /// A newline on its descriptor.
    Newline,
    /// Its descriptor is closed, and it is dying or lives.
    EndOfFile {
        /// On its way out.
        dying: bool,
    },
    /// It says that it is ready.
    Message,
    /// It says that it needs so many nanoseconds from now on.
    Extend(i64),
    /// Somebody accepts at its address.
    Accepted,
    /// A try to connect was refused.
    Refused(Fault),
    /// Somebody above says that it is, or that it never will be.
    Told {
        /// It is.
        ready: bool,
    },
    /// Time has passed.
    Tick,
    /// It has ended.
    Dead,
}

/// Why it is not and will not be ready.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Why {
    /// Its time was over first.
    TimedOut,
    /// It has closed its descriptor.
    EndOfFile,
    /// No other try helps.
    Refused(Fault),
    /// Somebody above says so.
    Told,
    /// It has ended.
    Dead,
}

/// How it stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum State {
    /// Not ready; until then at the most.
    Waiting(Deadline),
    /// Its descriptor is closed and it seems to die: until then that is waited for.
    Closed(Deadline),
    /// Ready, since then.
    Ready(i64),
    /// It failed, then.
    Failed(Why, i64),
}

/// One process on its way.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Machine {
    state: State,
    begun: i64,
    /// When the next try to connect is due, and the pause behind that; NEVER: nothing is tried.
    next_try: Deadline,
    pause: i64,
    last: Option<Errno>,
}

impl Machine {
    /// It begins now, before its process is made.
    pub fn begun(spec: &Spec, now: i64) -> Self {
        let state = match spec.sign {
            Sign::Exec => State::Ready(now),
            _ => State::Waiting(spec.timeout.map_or(Deadline::NEVER, |timeout| Deadline::at(now).plus(timeout))),
        };
        let next_try = if matches!(spec.sign, Sign::Socket(_)) { Deadline::at(now) } else { Deadline::NEVER };
        Self { state, begun: now, next_try, pause: PAUSES.0, last: None }
    }

    /// How it stands.
    pub fn state(&self) -> State {
        self.state
    }

    /// Whether nothing changes it any more.
    pub fn is_settled(&self) -> bool {
        matches!(self.state, State::Ready(_) | State::Failed(..))
    }

    /// What the last try to connect came to.
    pub fn last(&self) -> Option<Errno> {
        self.last
    }

    /// When somebody has to look: its end, or the next try.
    pub fn due(&self) -> Deadline {
        match self.state {
            State::Waiting(end) => end.min(self.next_try),
            State::Closed(until) => until,
            State::Ready(_) | State::Failed(..) => Deadline::NEVER,
        }
    }

    /// Whether to try to connect now: its time has come, or it is the last chance.
    pub fn tries(&self, now: i64) -> bool {
        matches!(self.state, State::Waiting(end) if self.next_try.is_over(now) || !self.next_try.is_never() && end.is_over(now))
    }

    /// A try begins: the next one is due after the pause.
    pub fn trying(&mut self, now: i64) {
        self.next_try = Deadline::at(now).plus(self.pause);
        let longest = (now.saturating_sub(self.begun) / SLOW.0).clamp(PAUSES.1, SLOW.1);
        self.pause = (self.pause * 2).min(longest);
    }

    /// One step. `true`: it is settled by it.
    pub fn step(&mut self, event: Event, now: i64) -> bool {
        let failed = |why| State::Failed(why, now);
        let next = match (self.state, event) {
            (State::Ready(_) | State::Failed(..), _) => return false,
            (_, Event::Dead) => failed(Why::Dead),
            (State::Closed(until), Event::Tick) if until.is_over(now) => failed(Why::EndOfFile),
            (State::Closed(_), _) => return false,
            (State::Waiting(_), Event::Newline | Event::Message | Event::Accepted) => State::Ready(now),
            (State::Waiting(_), Event::Told { ready: true }) => State::Ready(now),
            (State::Waiting(_), Event::Told { ready: false }) => failed(Why::Told),
            (State::Waiting(_), Event::EndOfFile { dying: false }) => failed(Why::EndOfFile),
            (State::Waiting(_), Event::EndOfFile { dying: true }) => State::Closed(Deadline::at(now).plus(LAST_BREATH)),
            (State::Waiting(end), Event::Extend(nanos)) => {
                let latest = Deadline::at(self.begun).plus(LONGEST);
                State::Waiting(end.max(Deadline::at(now).plus(nanos.max(0)).min(latest)))
            }
            (State::Waiting(_), Event::Refused(fault)) => {
                self.last = Some(fault.errno);
                if probe::may_pass(fault) {
                    return false;
                }
                failed(Why::Refused(fault))
            }
            (State::Waiting(end), Event::Tick) if end.is_over(now) => failed(Why::TimedOut),
            (State::Waiting(_), Event::Tick) => return false,
        };
        self.state = next;
        self.is_settled()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::error::Status;

    fn spec(kind: Kind, detail: Option<&str>, timeout_ms: i64) -> Spec {
        Spec::new(kind, detail, timeout_ms).unwrap()
    }

    fn fd(timeout_ms: i64) -> Machine {
        Machine::begun(&spec(Kind::Fd, Some("3"), timeout_ms), 0)
    }

    fn refused(errno: Errno) -> Event {
        Event::Refused(Fault { step: "connect", errno })
    }

    #[test]
    fn details_are_checked_where_they_are_given() {
        for (kind, detail) in [
            (Kind::Exec, Some("")),
            (Kind::Notify, Some("x")),
            (Kind::Fd, None),
            (Kind::Fd, Some("2")),
            (Kind::Fd, Some("-3")),
            (Kind::Fd, Some("+3")),
            (Kind::Fd, Some("")),
            (Kind::Fd, Some("3 ")),
            (Kind::Fd, Some("1048576")),
            (Kind::Fd, Some("99999999999999")),
            (Kind::Socket, None),
            (Kind::Socket, Some("tcp:example.org:1")),
        ] {
            let error = Spec::new(kind, detail, -1).unwrap_err();
            assert_eq!((error.status, error.step), (Status::InvalidArgument, "detail"), "{kind:?} {detail:?}");
        }
        assert_eq!(Spec::new(Kind::Exec, None, -2).unwrap_err().step, "timeout_ms");
        assert_eq!(spec(Kind::Fd, Some("1048575"), 1).sign, Sign::Fd(1_048_575));
    }

    #[test]
    fn exec_is_ready_at_once_and_the_default_is_a_minute() {
        assert_eq!(Machine::begun(&spec(Kind::Exec, None, 5), 7).state(), State::Ready(7));
        assert_eq!(fd(0).due(), Deadline::at(60_000 * MILLI));
        assert_eq!(fd(-1).due(), Deadline::NEVER);
    }

    #[test]
    fn one_that_is_told_of_has_no_time_of_its_own_and_is_settled_once() {
        let told = Machine::begun(&Spec::told(), 7);
        assert_eq!(told.due(), Deadline::NEVER);
        let (mut ready, mut failed, mut dead) = (told, told, told);
        assert!(ready.step(Event::Told { ready: true }, 8) && !ready.step(Event::Told { ready: false }, 9));
        assert_eq!(ready.state(), State::Ready(8));
        assert!(failed.step(Event::Told { ready: false }, 8) && !failed.step(Event::Told { ready: true }, 9));
        assert_eq!(failed.state(), State::Failed(Why::Told, 8));
        assert!(dead.step(Event::Dead, 8) && !dead.step(Event::Told { ready: true }, 9));
        assert_eq!(dead.state(), State::Failed(Why::Dead, 8));
    }

    #[test]
    fn what_was_said_before_the_end_counts_and_nothing_after_it() {
        let mut machine = fd(10);
        assert!(!machine.step(Event::Tick, 10 * MILLI - 1));
        let mut late = machine;
        assert!(machine.step(Event::Newline, 10 * MILLI));
        assert!(!machine.step(Event::Dead, 10 * MILLI) && !machine.step(Event::Tick, i64::MAX));
        assert_eq!(machine.state(), State::Ready(10 * MILLI));
        assert!(late.step(Event::Tick, 10 * MILLI));
        assert!(!late.step(Event::Newline, 11 * MILLI));
        assert_eq!(late.state(), State::Failed(Why::TimedOut, 10 * MILLI));
    }

    #[test]
    fn the_end_of_file_of_one_that_lives_is_its_failure_and_of_one_that_dies_its_death() {
        let mut machine = fd(-1);
        assert!(machine.step(Event::EndOfFile { dying: false }, 5));
        assert_eq!(machine.state(), State::Failed(Why::EndOfFile, 5));
        let mut machine = fd(1);
        assert!(!machine.step(Event::EndOfFile { dying: true }, 5));
        // Its own time counts no more: it has said all it can.
        assert!(!machine.step(Event::Tick, MILLI));
        let mut hangs = machine;
        assert!(machine.step(Event::Dead, 2 * MILLI));
        assert_eq!(machine.state(), State::Failed(Why::Dead, 2 * MILLI));
        assert_eq!(hangs.due(), Deadline::at(5 + LAST_BREATH));
        assert!(hangs.step(Event::Tick, 5 + LAST_BREATH));
        assert_eq!(hangs.state(), State::Failed(Why::EndOfFile, 5 + LAST_BREATH));
    }

    #[test]
    fn the_end_is_put_off_never_brought_forward_and_not_for_ever() {
        let mut machine = Machine::begun(&spec(Kind::Notify, None, 10), 0);
        machine.step(Event::Extend(5 * MILLI), 0);
        assert_eq!(machine.due(), Deadline::at(10 * MILLI), "a shorter time changes nothing");
        machine.step(Event::Extend(10 * MILLI), 5 * MILLI);
        assert_eq!(machine.due(), Deadline::at(15 * MILLI));
        machine.step(Event::Extend(i64::MAX), 5 * MILLI);
        assert_eq!(machine.due(), Deadline::at(LONGEST));
        machine.step(Event::Extend(-1), 5 * MILLI);
        machine.step(Event::Extend(LONGEST), LONGEST - 1);
        assert_eq!(machine.due(), Deadline::at(LONGEST), "a day after the begin");
        let mut machine = Machine::begun(&spec(Kind::Notify, None, -1), 0);
        machine.step(Event::Extend(1), 0);
        assert_eq!(machine.due(), Deadline::NEVER);
    }

    #[test]
    fn rp12_tries_come_at_growing_pauses_and_all_take_from_one_whole() {
        let mut machine = Machine::begun(&spec(Kind::Socket, Some("unix:/x"), 200), 0);
        let mut tries = Vec::new();
        while !machine.is_settled() {
            let Some(now) = machine.due().nanos() else { break };
            if machine.tries(now) {
                machine.trying(now);
                tries.push(now / MILLI);
                assert!(!machine.step(refused(Errno::ECONNREFUSED), now));
            }
            machine.step(Event::Tick, now);
        }
        assert_eq!(tries, [0, 1, 3, 7, 15, 31, 63, 113, 163, 200], "and once more when the time is over");
        assert_eq!(machine.state(), State::Failed(Why::TimedOut, 200 * MILLI));
        assert_eq!(machine.last(), Some(Errno::ECONNREFUSED));
    }

    #[test]
    fn one_that_takes_long_is_tried_less_often_and_is_found_soon_for_its_time() {
        let mut machine = Machine::begun(&spec(Kind::Socket, Some("unix:/x"), -1), 0);
        let (mut before, mut tries) = (0, 0);
        while let Some(now) = machine.due().nanos().filter(|now| *now < 3_600_000 * MILLI) {
            assert!(now - before <= (before / 16).clamp(50 * MILLI, 250 * MILLI), "{before} {now}");
            assert!(machine.tries(now));
            machine.trying(now);
            (before, tries) = (now, tries + 1);
        }
        assert!((4 * 3600..4 * 3600 + 100).contains(&tries), "four times a second: {tries}");
    }

    #[test]
    fn what_no_other_try_can_mend_fails_at_once() {
        let mut machine = Machine::begun(&spec(Kind::Socket, Some("tcp:[::1]:1"), -1), 0);
        let fault = Fault { step: "socket", errno: Errno::EAFNOSUPPORT };
        assert!(machine.step(Event::Refused(fault), 3));
        assert_eq!(machine.state(), State::Failed(Why::Refused(fault), 3));
    }

    fn any_event() -> impl Strategy<Value = Event> {
        prop_oneof![
            Just(Event::Newline),
            any::<bool>().prop_map(|dying| Event::EndOfFile { dying }),
            Just(Event::Message),
            any::<i64>().prop_map(Event::Extend),
            Just(Event::Accepted),
            Just(refused(Errno::ENOENT)),
            Just(Event::Refused(Fault { step: "socket", errno: Errno::EPERM })),
            Just(Event::Tick),
            Just(Event::Dead),
        ]
    }

    proptest! {
        #[test]
        fn it_is_settled_once_and_within_its_bound(
            events in proptest::collection::vec((any_event(), 0..4_000_000 * MILLI), 0..60),
            timeout_ms in prop_oneof![Just(-1i64), 0..100_000_000i64],
        ) {
            let (mut machine, mut now, mut settled) = (fd(timeout_ms), 0, None);
            for (event, pause) in events {
                now += pause;
                let was = machine;
                let changed = machine.step(event, now);
                prop_assert_eq!(changed, machine.is_settled() && !was.is_settled());
                if let Some(state) = settled {
                    prop_assert_eq!(machine.state(), state);
                } else if changed {
                    settled = Some(machine.state());
                }
                if timeout_ms >= 0 && let State::Waiting(end) = machine.state() {
                    prop_assert!(end <= Deadline::at(LONGEST.max(timeout_ms * MILLI)));
                }
            }
            // Time alone settles what has an end.
            if !machine.due().is_never() {
                let end = machine.due().nanos().unwrap();
                prop_assert!(machine.step(Event::Tick, end));
            }
        }
    }
}
