//! One handshake, from when the process is there until it is ready or never will be: pure. It is told what one look has seen and the time, and
//! says how it stands; `follow.rs` looks.
//!
//! | state            | one look has seen (the first that holds)          | next                                            |
//! |------------------|---------------------------------------------------|-------------------------------------------------|
//! | any unsettled    | the process is over, and how is known             | Failed (exited)                                 |
//! | Ended            | its limit has come                                | Failed (exited)                                 |
//! | any but Ended    | the process has ended, how is not known yet       | Ended until now + [`LAST_BREATH`], or the end   |
//! | Closed           | its limit has come                                | Failed (end of file)                            |
//! | Waiting, Said    | the end has come                                  | Failed (timed out)                              |
//! | Waiting          | `1`, and no port is asked                         | Ready                                           |
//! | Waiting          | `1`, and a port is                                | Said: one more try at the port, at once         |
//! | Waiting          | another byte                                      | Failed (reported)                               |
//! | Waiting          | the end of the FIFO, the process lives            | Failed (end of file)                            |
//! | Waiting          | the end of the FIFO, the process is dying         | Closed until now + [`LAST_BREATH`], or the end  |
//! | Waiting, Said    | the port has answered                             | Ready, by its port                              |
//! | Waiting          | the port has not, or the try took too long        | Waiting, the next try after [`EVERY`]           |
//! | Said             | the port has not, or the try took too long        | Ready                                           |
//! | Ready, Failed    | any                                               | (stays)                                         |
//!
//! Traps. **What counts of several that are there at one look** is the order of the reference: the end of the process, then that of the time, then
//! what was said: a process that has written its `1` and is dead serves nobody. **The end of its output is no end of a process**: an application
//! may close its stdout, and a grandchild may hold it; so output is no event here at all. **A process closes its descriptors before it is dead**: the
//! end of the FIFO of one that has just died comes first, and to blame it for that would hide its exit. So who sees it looks whether the
//! process is dying. **There is one end**, given once: no state and no try has a time of its own beyond it.

use crate::clock::{Deadline, MILLI};

/// How long a process that is dying, or whose end is not known yet, may take before that is told as it is.
pub const LAST_BREATH: i64 = 3_000 * MILLI;
/// How often the port is tried.
pub const EVERY: i64 = 50 * MILLI;
/// How long one try may take.
pub const TRY: i64 = 100 * MILLI;

/// What the process has said.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Said {
    /// Nothing yet.
    #[default]
    Nothing,
    /// `1`.
    Ready,
    /// Another byte.
    Byte(u8),
    /// The FIFO was opened, and closed without a byte.
    EndOfFile,
}

/// Whether the process lives.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Life {
    /// It does, as far as was looked.
    #[default]
    Lives,
    /// It is on its way out.
    Dying,
    /// It has ended; how is not known yet.
    Ended,
    /// It has ended, and how is known.
    Over,
}

/// What came of the try at the port.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Port {
    /// None is under way, or it is under way.
    #[default]
    Nothing,
    /// Somebody accepts there.
    Answered,
    /// Nobody does.
    Refused,
}

/// What one look has seen.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Seen {
    /// Of the process.
    pub life: Life,
    /// Of what it says; the same at every look once there is something.
    pub said: Said,
    /// Of its port.
    pub port: Port,
}

/// Why it is not and will not be ready.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Why {
    /// It has ended; what it had said by then.
    Exited(Said),
    /// The time was over first.
    TimedOut,
    /// It has said so, by this byte.
    Reported(u8),
    /// It has closed the FIFO without a byte.
    EndOfFile,
}

/// How it stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum State {
    /// Not ready.
    Waiting,
    /// It has said that it is; its port is tried once more.
    Said,
    /// It has closed the FIFO and seems to die: until then that is waited for.
    Closed(Deadline),
    /// It has ended: until then its exit record is waited for.
    Ended(Deadline),
    /// Ready, since then; and whether its port has answered.
    Ready {
        /// When that was seen.
        at: i64,
        /// By its port.
        port: bool,
    },
    /// It failed, then.
    Failed(Why, i64),
}

/// When its port is tried.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Pinger {
    /// Never: there is none.
    None,
    /// From then on.
    Rests(Deadline),
    /// A try is under way, until then at the most.
    Tries(Deadline),
}

/// One process on its way.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Machine {
    state: State,
    end: Deadline,
    pinger: Pinger,
}

impl Machine {
    /// It begins, with what is left of the time. `port`: one is tried.
    pub fn begun(end: Deadline, port: bool, now: i64) -> Self {
        Self { state: State::Waiting, end, pinger: if port { Pinger::Rests(Deadline::at(now)) } else { Pinger::None } }
    }

    /// Whoever wants it gives it more time: the end may only come later.
    pub fn put_off(&mut self, end: Deadline) {
        self.end = self.end.max(end);
    }

    /// How it stands.
    pub fn state(&self) -> State {
        self.state
    }

    /// Whether nothing changes it any more.
    pub fn is_settled(&self) -> bool {
        matches!(self.state, State::Ready { .. } | State::Failed(..))
    }

    /// When somebody has to look, whatever comes.
    pub fn due(&self) -> Deadline {
        let ping = match self.pinger {
            Pinger::None => Deadline::NEVER,
            Pinger::Rests(at) | Pinger::Tries(at) => at,
        };
        match self.state {
            State::Waiting | State::Said => self.end.min(ping),
            State::Closed(until) | State::Ended(until) => until,
            State::Ready { .. } | State::Failed(..) => Deadline::NEVER,
        }
    }

    /// Whether to try the port now; then [`Machine::trying`].
    pub fn tries(&self, now: i64) -> bool {
        let open = matches!(self.state, State::Waiting | State::Said) && !self.end.is_over(now);
        open && matches!(self.pinger, Pinger::Rests(at) if at.is_over(now))
    }

    /// A try begins.
    pub fn trying(&mut self, now: i64) {
        self.pinger = Pinger::Tries(Deadline::at(now).plus(TRY));
    }

    /// Whether a try is under way that has not taken too long; otherwise what is left of it is to be dropped.
    pub fn is_trying(&self) -> bool {
        !self.is_settled() && matches!(self.pinger, Pinger::Tries(_))
    }

    /// One step. `true`: it is settled by it.
    pub fn step(&mut self, seen: Seen, now: i64) -> bool {
        let failed = |why| State::Failed(why, now);
        let breath = Deadline::at(now).plus(LAST_BREATH).min(self.end);
        let next = match (self.state, seen.life) {
            (State::Ready { .. } | State::Failed(..), _) => return false,
            (_, Life::Over) => failed(Why::Exited(seen.said)),
            (State::Ended(until), _) if until.is_over(now) => failed(Why::Exited(seen.said)),
            (State::Ended(_), _) => return false,
            (_, Life::Ended) => State::Ended(breath),
            (State::Closed(until), _) if until.is_over(now) => failed(Why::EndOfFile),
            (State::Closed(_), _) => return false,
            (State::Waiting | State::Said, _) if self.end.is_over(now) => failed(Why::TimedOut),
            (State::Said, _) => self.ping(seen.port, now),
            (State::Waiting, life) => match (seen.said, self.pinger) {
                (Said::Ready, Pinger::None) => State::Ready { at: now, port: false },
                (Said::Ready, _) if seen.port == Port::Answered => State::Ready { at: now, port: true },
                (Said::Ready, _) => {
                    // What is under way may have been refused by now, had it begun later.
                    self.pinger = Pinger::Rests(Deadline::at(now));
                    State::Said
                }
                (Said::Byte(byte), _) => failed(Why::Reported(byte)),
                (Said::EndOfFile, _) if life == Life::Dying => State::Closed(breath),
                (Said::EndOfFile, _) => failed(Why::EndOfFile),
                (Said::Nothing, _) => self.ping(seen.port, now),
            },
        };
        self.state = next;
        self.is_settled()
    }

    /// What came of a try.
    fn ping(&mut self, port: Port, now: i64) -> State {
        let Pinger::Tries(until) = self.pinger else { return self.state };
        match port {
            Port::Answered => return State::Ready { at: now, port: true },
            Port::Nothing if !until.is_over(now) => return self.state,
            Port::Nothing | Port::Refused => {}
        }
        self.pinger = Pinger::Rests(Deadline::at(now).plus(EVERY));
        if self.state == State::Said { State::Ready { at: now, port: false } } else { self.state }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const END: i64 = 1_000 * MILLI;

    fn machine(port: bool) -> Machine {
        Machine::begun(Deadline::at(END), port, 0)
    }

    fn said(said: Said) -> Seen {
        Seen { said, ..Seen::default() }
    }

    fn life(life: Life) -> Seen {
        Seen { life, ..Seen::default() }
    }

    fn port(port: Port) -> Seen {
        Seen { port, ..Seen::default() }
    }

    fn after(mut machine: Machine, seen: Seen, now: i64) -> State {
        machine.step(seen, now);
        machine.state()
    }

    // covers: PA-51
    #[test]
    fn a_1_is_success_and_everything_else_an_error() {
        assert_eq!(after(machine(false), said(Said::Ready), 5), State::Ready { at: 5, port: false });
        assert_eq!(after(machine(false), said(Said::Byte(b'0')), 5), State::Failed(Why::Reported(b'0'), 5));
        assert_eq!(after(machine(false), said(Said::Byte(0)), 5), State::Failed(Why::Reported(0), 5));
        assert_eq!(after(machine(false), said(Said::EndOfFile), 5), State::Failed(Why::EndOfFile, 5));
        assert_eq!(after(machine(false), said(Said::Nothing), 5), State::Waiting);
    }

    // covers: PA-50, PA-54
    #[test]
    fn of_several_at_one_look_the_end_comes_first_then_the_time_then_what_was_said() {
        let all = Seen { life: Life::Over, said: Said::Ready, port: Port::Answered };
        assert_eq!(after(machine(true), all, END), State::Failed(Why::Exited(Said::Ready), END));
        assert_eq!(after(machine(true), all, 1), State::Failed(Why::Exited(Said::Ready), 1));
        let late = Seen { life: Life::Lives, ..all };
        assert_eq!(after(machine(true), late, END), State::Failed(Why::TimedOut, END));
        assert_eq!(after(machine(false), said(Said::Byte(b'x')), END), State::Failed(Why::TimedOut, END));
        let mut tries = machine(true);
        tries.trying(0);
        let both = Seen { said: Said::Byte(b'0'), port: Port::Answered, ..Seen::default() };
        assert_eq!(after(tries, both, 1), State::Failed(Why::Reported(b'0'), 1), "what it says itself counts before its port");
    }

    // covers: PA-54
    #[test]
    fn the_end_of_the_fifo_of_one_that_dies_is_its_death() {
        let mut dies = machine(false);
        assert!(!dies.step(Seen { life: Life::Dying, said: Said::EndOfFile, ..Seen::default() }, 5));
        let mut hangs = dies;
        assert!(!dies.step(Seen { life: Life::Ended, said: Said::EndOfFile, ..Seen::default() }, 6));
        assert!(dies.step(Seen { life: Life::Over, said: Said::EndOfFile, ..Seen::default() }, 7));
        assert_eq!(dies.state(), State::Failed(Why::Exited(Said::EndOfFile), 7));
        assert_eq!(hangs.due(), Deadline::at(END), "no later than the end of all");
        assert!(hangs.step(said(Said::EndOfFile), END));
        assert_eq!(hangs.state(), State::Failed(Why::EndOfFile, END));
    }

    #[test]
    fn an_exit_record_that_does_not_come_is_not_waited_for_for_ever() {
        let mut machine = Machine::begun(Deadline::NEVER, false, 0);
        assert!(!machine.step(life(Life::Ended), 5));
        assert_eq!(machine.due(), Deadline::at(5 + LAST_BREATH));
        assert!(!machine.step(said(Said::Ready), 6), "whatever it had said");
        assert!(machine.step(life(Life::Ended), 5 + LAST_BREATH));
        assert_eq!(machine.state(), State::Failed(Why::Exited(Said::Nothing), 5 + LAST_BREATH));
    }

    // covers: PA-50, PA-52
    #[test]
    fn a_port_is_tried_every_50_ms_for_100_ms_at_the_most_until_the_end_of_all() {
        let mut refused = machine(true);
        let mut tries = Vec::new();
        while let Some(now) = refused.due().nanos().filter(|_| !refused.is_settled()) {
            if refused.tries(now) {
                refused.trying(now);
                tries.push(now / MILLI);
                refused.step(port(Port::Refused), now);
            }
            refused.step(Seen::default(), now);
        }
        assert_eq!(tries, (0..20).map(|n| n * 50).collect::<Vec<_>>());
        assert_eq!(refused.state(), State::Failed(Why::TimedOut, END));

        let mut silent = machine(true);
        silent.trying(0);
        assert!(silent.is_trying() && silent.due() == Deadline::at(100 * MILLI));
        silent.step(Seen::default(), 100 * MILLI);
        assert!(!silent.is_trying() && silent.due() == Deadline::at(150 * MILLI) && !silent.tries(149 * MILLI));
        silent.trying(150 * MILLI);
        assert!(silent.step(port(Port::Answered), 151 * MILLI));
        assert_eq!(silent.state(), State::Ready { at: 151 * MILLI, port: true });
    }

    // covers: PA-57
    #[test]
    fn who_says_that_it_is_ready_is_even_if_its_port_does_not_answer() {
        for (answer, answered) in [(Port::Refused, false), (Port::Answered, true)] {
            let mut says = machine(true);
            says.trying(0);
            says.step(port(Port::Refused), 0);
            assert!(!says.step(said(Said::Ready), 5));
            assert!(says.state() == State::Said && says.tries(5), "at once");
            says.trying(5);
            assert!(says.step(Seen { said: Said::Ready, port: answer, ..Seen::default() }, 6));
            assert_eq!(says.state(), State::Ready { at: 6, port: answered });
        }
        let mut silent = machine(true);
        silent.step(said(Said::Ready), 5);
        silent.trying(5);
        assert!(silent.step(said(Said::Ready), 5 + TRY), "one try, and no other");
        assert_eq!(silent.state(), State::Ready { at: 5 + TRY, port: false });
    }

    fn any_seen() -> impl Strategy<Value = Seen> {
        let life = prop_oneof![8 => Just(Life::Lives), 1 => Just(Life::Dying), 1 => Just(Life::Ended), 1 => Just(Life::Over)];
        let said = prop_oneof![8 => Just(Said::Nothing), 1 => Just(Said::Ready), 1 => any::<u8>().prop_map(Said::Byte), 1 => Just(Said::EndOfFile)];
        let port = prop_oneof![4 => Just(Port::Nothing), 1 => Just(Port::Answered), 2 => Just(Port::Refused)];
        (life, said, port).prop_map(|(life, said, port)| Seen { life, said, port })
    }

    /// The table at the head, written as what may be said of its outcome.
    fn is_just(seen: Seen, before: State, state: State, now: i64, end: i64) -> bool {
        match state {
            State::Failed(Why::Exited(_), _) => seen.life == Life::Over || matches!(before, State::Ended(until) if until.is_over(now)),
            State::Failed(Why::TimedOut, _) => now >= end && !matches!(seen.life, Life::Over | Life::Ended),
            State::Failed(Why::Reported(byte), _) => now < end && seen.said == Said::Byte(byte),
            State::Failed(Why::EndOfFile, _) => {
                matches!(before, State::Closed(until) if until.is_over(now)) || now < end && seen.said == Said::EndOfFile
            }
            State::Ready { port, .. } => {
                let spoke = seen.said == Said::Ready || before == State::Said;
                now < end && !matches!(seen.life, Life::Over | Life::Ended) && (spoke || port) && (!port || seen.port == Port::Answered)
            }
            _ => true,
        }
    }

    proptest! {
        // covers: PA-50, PA-52
        #[test]
        fn it_is_settled_once_by_what_was_seen_and_within_its_time(
            looks in proptest::collection::vec((any_seen(), 0..200 * MILLI), 0..60),
            has_port: bool,
        ) {
            let (mut machine, mut now, mut settled) = (machine(has_port), 0, None);
            for (seen, pause) in looks {
                now += pause;
                if machine.tries(now) {
                    machine.trying(now);
                }
                // No answer without a question.
                let seen = if machine.is_trying() { seen } else { Seen { port: Port::Nothing, ..seen } };
                let before = machine.state();
                let changed = machine.step(seen, now);
                if let Some(state) = settled {
                    prop_assert!(machine.state() == state && !changed);
                } else if changed {
                    prop_assert!(is_just(seen, before, machine.state(), now, END), "{:?} {:?} {:?}", before, seen, machine.state());
                    settled = Some(machine.state());
                } else {
                    prop_assert!(machine.due() <= Deadline::at(END.max(now)), "no state has a time of its own beyond the end");
                }
            }
            // Time alone settles it.
            prop_assert!(settled.is_some() || machine.step(Seen::default(), END.max(now)));
        }
    }
}
