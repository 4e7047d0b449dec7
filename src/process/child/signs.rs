//! What is known of a process on its way to being ready, and of what it has said of itself: data, and how a look changes it. Who looks, and what
//! follows, stands in `readying.rs`.
//!
//! The trap: it settles once, and everything that waits for that hangs on the one `step` that does it: the bell for who waits, the word for the
//! supervisor, the watchdog that begins there.

use std::os::fd::OwnedFd;
use std::sync::Arc;

use nix::errno::Errno;

use crate::clock::{self, Deadline};
use crate::coordination::notify::{Message, Receiver, Says, Whom};
use crate::coordination::probe::Connecting;
use crate::coordination::readiness::{Event, Machine, Sign, Spec, State, Why};
use crate::coordination::watchdog::{Heard, Watchdog};
use crate::error::Error;
use crate::process::command::Readiness;
use crate::sys::reactor::WakeUp;

/// How much of its descriptor is read at its end, once it is reaped: what a pipe holds as a rule.
const LAST_LOOK: usize = 64 * 1024;

/// What a process has said of itself through its NOTIFY_SOCKET.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Said {
    /// It reloads.
    pub reloading: bool,
    /// When it began to, microseconds of CLOCK_MONOTONIC, by its own word; 0: it did not say.
    pub reloading_usec: u64,
    /// It is about to end.
    pub stopping: bool,
    /// What it calls the reason of its failure; 0: none.
    pub errno: i32,
    /// The text of its state.
    pub status: Vec<u8>,
    /// Messages that counted.
    pub messages: u64,
    /// Messages that did not: of strangers, too long, or with a lie in them.
    pub refused: u32,
}

/// What a supervisor has not told yet.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct News {
    /// It is ready.
    pub ready: bool,
    /// It has said something of itself.
    pub said: bool,
}

/// How a process stands for one who waits for it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Standing {
    /// Nobody has asked: its exec was all.
    Unasked,
    /// Not ready yet.
    Waiting,
    /// Ready since then.
    Ready(i64),
    /// It never will be.
    Failed(Why),
}

/// When the steps of its route were done.
#[derive(Clone, Copy, Debug)]
pub struct Begun {
    /// The whole: before its process was made.
    pub at: i64,
    /// Its program has begun.
    pub executed: i64,
}

/// What a look at its descriptor has found.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Read {
    /// All that was there.
    All,
    /// So much as a look reads.
    More,
    /// It is closed.
    EndOfFile,
}

/// See the head of this file.
#[derive(Debug)]
pub(in crate::process) struct Readying {
    /// What is asked, and how far it is.
    pub(super) asked: Option<(Arc<Spec>, Machine)>,
    pub(super) begun: Begun,
    pub(super) pipe: Option<Arc<OwnedFd>>,
    pub(super) connecting: Option<(Connecting, i64)>,
    /// A thread is out to connect.
    pub(super) trying: bool,
    pub(super) receiver: Option<Arc<Receiver>>,
    pub(super) watchdog: Option<Watchdog>,
    /// It has been silent for too long, or gives itself up.
    pub(super) bitten: bool,
    pub(super) said: Said,
    pub(super) news: News,
    /// Why it never will be, by the word of somebody above.
    pub(super) told: Option<Box<Error>>,
    /// What a failure asks for was done.
    pub(super) acted: bool,
    /// Until then nobody has to look because of the time.
    pub(super) aside: Deadline,
    pub(super) waiters: Vec<Arc<WakeUp>>,
}

impl Readying {
    /// Of a process whose program has just begun.
    pub(in crate::process) fn new(command: &Readiness, begun: Begun, pipe: Option<OwnedFd>, receiver: Option<Receiver>) -> Self {
        let asked = command.spec.as_ref().map(|spec| (spec.clone(), Machine::begun(spec, begun.at)));
        let ready = asked.as_ref().is_some_and(|(_, machine)| machine.is_settled());
        let mut watchdog = command.watchdog_ms.map(Watchdog::new);
        if let Some(watchdog) = watchdog.as_mut().filter(|_| ready || asked.is_none()) {
            watchdog.ready(begun.executed);
        }
        Self {
            asked,
            begun,
            pipe: pipe.map(Arc::new),
            connecting: None,
            trying: false,
            receiver: receiver.map(Arc::new),
            watchdog,
            bitten: false,
            said: Said::default(),
            news: News { ready, said: false },
            told: None,
            acted: false,
            aside: Deadline::PAST,
            waiters: Vec::new(),
        }
    }

    pub(super) fn state(&self) -> Option<State> {
        self.asked.as_ref().map(|(_, machine)| machine.state())
    }

    pub(super) fn standing(&self) -> Standing {
        match self.state() {
            None => Standing::Unasked,
            Some(State::Waiting(_) | State::Closed(_)) => Standing::Waiting,
            Some(State::Ready(at)) => Standing::Ready(at),
            Some(State::Failed(why, _)) => Standing::Failed(why),
        }
    }

    pub(super) fn is_told(&self) -> bool {
        self.asked.as_ref().is_some_and(|(spec, _)| spec.sign == Sign::Told)
    }

    /// Nothing of it was ever watched, and no time is to be kept.
    pub(super) fn is_quiet(&self) -> bool {
        self.is_told() && self.pipe.is_none() && self.connecting.is_none() && self.receiver.is_none() && self.due().is_never()
    }

    /// When it has to be looked at.
    pub(super) fn due(&self) -> Deadline {
        self.time().max(self.aside)
    }

    /// When the clock has something to say.
    pub(super) fn time(&self) -> Deadline {
        let asked = self.asked.as_ref().map_or(Deadline::NEVER, |(_, machine)| machine.due());
        self.watchdog.as_ref().map_or(asked, |watchdog| asked.min(watchdog.due()))
    }

    pub(super) fn step(&mut self, event: Event, now: i64) {
        let Some((_, machine)) = &mut self.asked else { return };
        if !machine.step(event, now) {
            return;
        }
        let ready = matches!(machine.state(), State::Ready(_));
        self.news.ready |= ready;
        if let Some(watchdog) = self.watchdog.as_mut().filter(|_| ready) {
            watchdog.ready(now);
        }
        (self.pipe, self.connecting) = (None, None);
        self.waiters.drain(..).for_each(|waiter| waiter.raise());
    }

    /// Reads its descriptor.
    pub(super) fn read(&mut self, mut allowance: usize, now: i64) -> Read {
        let mut buffer = [0; 512];
        while let Some(pipe) = &self.pipe {
            if allowance == 0 {
                return Read::More;
            }
            match nix::unistd::read(pipe, &mut buffer) {
                Err(Errno::EINTR) => {}
                Err(Errno::EAGAIN) => return Read::All,
                Ok(count @ 1..) if buffer[..count].contains(&b'\n') => self.step(Event::Newline, now),
                Ok(count @ 1..) => allowance = allowance.saturating_sub(count),
                Ok(_) | Err(_) => {
                    // It stays readable from now on.
                    self.pipe = None;
                    return Read::EndOfFile;
                }
            }
        }
        Read::All
    }

    pub(super) fn heard(&mut self, message: Message, now: i64) {
        self.bitten |= self.watchdog.as_mut().is_some_and(|watchdog| watchdog.hear(&message, now));
        let Message { says, status, errno, extend_usec, watchdog: _, watchdog_usec: _, main_pid: _ } = message;
        self.said.messages += 1;
        let before = (self.said.reloading, self.said.stopping);
        match says {
            Some(Says::Ready) => {
                self.said.reloading = false;
                if self.asked.as_ref().is_some_and(|(spec, _)| spec.sign == Sign::Notify) {
                    self.step(Event::Message, now);
                }
            }
            Some(Says::Reloading(since)) => (self.said.reloading, self.said.reloading_usec) = (true, since.unwrap_or(0)),
            Some(Says::Stopping) => self.said.stopping = true,
            None => {}
        }
        let new = status.filter(|status| *status != self.said.status);
        self.news.said |= new.is_some() || before != (self.said.reloading, self.said.stopping);
        self.said.status = new.unwrap_or_else(|| std::mem::take(&mut self.said.status));
        self.said.errno = errno.unwrap_or(self.said.errno);
        if let Some(usec) = extend_usec {
            self.step(Event::Extend(i64::try_from(usec).unwrap_or(i64::MAX).saturating_mul(1000)), now);
        }
    }

    /// What its watchdog makes of its silence, after so much of what it had sent was heard.
    pub(super) fn judge(&mut self, heard: core::result::Result<bool, Errno>, stopping: bool) {
        let Some(watchdog) = &mut self.watchdog else { return };
        if stopping {
            watchdog.end();
        }
        let heard = match heard {
            Ok(true) => Heard::All,
            Ok(false) => Heard::Part,
            Err(_) => Heard::Nothing,
        };
        self.bitten |= watchdog.judge(clock::now(), heard);
    }

    /// The last look, before its end is told: all that it has said is there.
    pub(super) fn end(&mut self, whom: Whom<'_>, now: i64) {
        if let Some(receiver) = self.receiver.take() {
            receiver.hear_out(whom, |message| self.heard(message, now));
            self.said.refused = receiver.refused();
        }
        // Its end of file is its death.
        self.read(LAST_LOOK, now);
        self.step(Event::Dead, now);
    }
}
