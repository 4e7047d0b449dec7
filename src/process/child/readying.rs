//! A process on its way to being ready, and what it has said of itself: the machine of `coordination/readiness.rs` on real descriptors.
//!
//! Traps.
//! - **What was said counts before what has happened since.** So every look reads first and lets the clock, or the end, speak afterwards; and the
//!   last look is taken where the end is recorded (`settle` in `end.rs`), whoever has reaped: a handler that could not read has left it in the pipe and
//!   in the socket.
//! - **Anybody may look**, in any thread: whoever settles it rings all who wait ([`Child::await_ready`]), and leaves a word for the supervisor
//!   ([`Child::take_news`]), for only that may tell it.
//! - **A look must not wait, and nobody for a look.** Names in a file system are walked by connect(2), which may take the file system's time: so it
//!   is called without a lock, by one thread at a time.
//! - **A process chooses how much it says.** A look reads so much of it at the most; [`Child::look_at_signs`] says whether there is more.
//!
//! Locks: life, then this one.

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::sync::{Arc, Mutex};

use nix::errno::Errno;

use super::signs::{News, Read, Readying, Said, Standing};
use super::words::described;
use super::{Child, Life};
use crate::clock::{self, Deadline, MILLI};
use crate::coordination::notify::{Receiver, Whom};
use crate::coordination::probe::{Answer, Probe};
use crate::coordination::readiness::{Event, ROUTE, Sign, State, Why};
use crate::coordination::watchdog::Watchdog;
use crate::error::{Error, Result, Status};
use crate::journey::Journey;
use crate::lock::lock;
use crate::process::output::tail;
use crate::process::stop::Ladder;
use crate::registry::{Cause, Tie};
use crate::sys::pidfd;
use crate::sys::poll::{self, Patience, ProcessWait};
use crate::sys::procfs;
use crate::sys::reactor::WakeUp;
use crate::sys::wait::{self, Seen};

/// How much of its descriptor a look reads.
const LOOK: usize = 4096;
/// So often at its end, before it is reaped.
const LAST_LOOKS: u32 = 64;
/// A connect that has not been answered for so long is begun anew.
const UNANSWERED: i64 = 1_000 * MILLI;
/// How much of what it had written an error carries.
const OUTPUT: usize = 64 * 1024;

/// A descriptor, and whether it is watched for room to write.
type Watched = (Arc<OwnedFd>, bool);

/// Rings no more, however the wait ends.
struct Waiting<'a>(&'a Mutex<Readying>, Option<Arc<WakeUp>>);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        if let Some(waiter) = &self.1 {
            lock(self.0).waiters.retain(|other| !Arc::ptr_eq(other, waiter));
        }
    }
}

impl Child {
    /// Whether it is asked to say something of itself.
    pub fn has_signs(&self) -> bool {
        self.rare().readying.is_some()
    }

    /// By what it is heard, and its watchdog, if it has one: whoever takes them hears it from now on, also when it is no child of the registry any
    /// more. What it was to say by that, it says to him.
    pub fn take_voice(&self) -> Option<(Arc<Receiver>, Option<Watchdog>)> {
        let mut readying = lock(self.rare().readying.as_deref()?);
        Some((readying.receiver.take()?, readying.watchdog.take()))
    }

    /// Whether it leads a process group of its own.
    pub fn leads_group(&self) -> bool {
        self.leads
    }

    /// Who may speak for it.
    pub(super) fn whom<'a>(&self, life: &'a Life, reaped: bool) -> Whom<'a> {
        let cgroup = life.cgroup().map(|cgroup| cgroup.group());
        Whom { pid: self.pid, inside: self.rare().inside, pidfd: life.pidfd.as_deref(), reaped, leads: self.leads, cgroup }
    }

    /// Reads what it has said of itself, connects if it is time to, and looks at the clock; ends it where it has failed. Never waits. `true`:
    /// there may be more to read, which is left for later.
    pub fn look_at_signs(&self) -> bool {
        let Some(readying) = self.rare().readying.as_deref().filter(|_| self.home.is_here()) else { return false };
        let more = self.read_signs(readying);
        self.try_to_connect(readying);
        // One that has died by itself is not to be blamed on the clock: whoever reaps it tells.
        let late = lock(readying).time().is_over(clock::now());
        let gone = late && self.is_dead();
        let failed = !gone && {
            let mut readying = lock(readying);
            readying.step(Event::Tick, clock::now());
            matches!(readying.standing(), Standing::Failed(why) if why != Why::Dead) && !std::mem::replace(&mut readying.acted, true)
        };
        if gone {
            // Its end comes by its pidfd, and until then the clock has nothing to say.
            lock(readying).aside = Deadline::after(poll::PAUSE);
        }
        if failed {
            self.end_unready();
        }
        let bitten = std::mem::take(&mut lock(readying).bitten);
        if bitten && !self.is_dead() {
            self.abort();
        }
        more
    }

    /// The same of one that has ended, before it is reaped: while nobody can have its number, what was said by that is its own.
    pub(super) fn read_last_signs(&self, ended: bool) {
        let Some(readying) = self.rare().readying.as_deref().filter(|_| self.home.is_here()) else { return };
        if ended || self.is_dead() {
            _ = (0..LAST_LOOKS).any(|_| !self.read_signs(readying));
        }
    }

    fn read_signs(&self, readying: &Mutex<Readying>) -> bool {
        let more = self.hear(readying);
        let read = lock(readying).read(LOOK, clock::now());
        if read == Read::EndOfFile {
            // Somebody else may have reaped it already: then there is nothing left that could be seen to die.
            let dying = procfs::is_dying(self.pid) || self.is_dead();
            lock(readying).step(Event::EndOfFile { dying }, clock::now());
        }
        more || read == Read::More
    }

    fn is_dead(&self) -> bool {
        self.pidfd().is_none_or(|pidfd| match self.tie {
            Tie::Child => wait::look(pidfd.as_raw_fd(), self.pid) != Seen::Running,
            Tie::Stranger => pidfd::life(pidfd.as_raw_fd()) != pidfd::Life::Running,
        })
    }

    /// Under the lock of `life`: of two threads that hear, the one that heard first must take it in first. And nobody reaps it meanwhile.
    fn hear(&self, readying: &Mutex<Readying>) -> bool {
        let Some(receiver) = lock(readying).receiver.clone() else { return false };
        let life = lock(&self.life);
        if life.has_ended() {
            return false;
        }
        // By a stranger: ours do so under this lock, and tell it first.
        let reaped = life.pidfd.as_ref().is_none_or(|pidfd| wait::look(pidfd.as_raw_fd(), self.pid) == Seen::Gone);
        let heard = receiver.hear(self.whom(&life, reaped), |message| lock(readying).heard(message, clock::now()));
        let mut readying = lock(readying);
        readying.said.refused = receiver.refused();
        readying.judge(heard, life.ladder != Ladder::Idle);
        heard != Ok(true)
    }

    fn try_to_connect(&self, readying: &Mutex<Readying>) {
        let (spec, under_way, now) = {
            let mut readying = lock(readying);
            let (now, busy) = (clock::now(), readying.trying);
            let Some((spec, machine)) = readying.asked.as_mut().filter(|(spec, _)| matches!(spec.sign, Sign::Socket(_)) && !busy) else {
                return;
            };
            let (spec, tries) = (spec.clone(), machine.tries(now));
            if tries {
                machine.trying(now);
            }
            let under_way = readying.connecting.take().filter(|(_, since)| now - since < UNANSWERED);
            if under_way.is_none() && !tries {
                return;
            }
            readying.trying = true;
            (spec, under_way, now)
        };
        let Sign::Socket(address) = &spec.sign else { return };
        let (answer, since) = match under_way {
            Some((connecting, since)) => (connecting.finish(), since),
            None => (Probe::begin(address), now),
        };
        // Whoever it was that accepted, it is not this one any more.
        let too_late = matches!(answer, Answer::Now(Ok(()))) && self.is_dead();
        let mut readying = lock(readying);
        readying.trying = false;
        let now = clock::now();
        match answer {
            Answer::Now(Ok(())) if too_late => {}
            Answer::Now(Ok(())) => readying.step(Event::Accepted, now),
            Answer::Now(Err(fault)) => readying.step(Event::Refused(fault), now),
            Answer::Later(connecting) if readying.standing() == Standing::Waiting => readying.connecting = Some((connecting, since)),
            Answer::Later(_) => {}
        }
    }

    /// Somebody above says that it is ready. `true`: it stands so.
    pub fn told_ready(&self) -> bool {
        let Some(readying) = self.rare().readying.as_deref().filter(|_| self.home.is_here()) else { return false };
        let mut readying = lock(readying);
        if readying.is_told() {
            readying.step(Event::Told { ready: true }, clock::now());
        }
        matches!(readying.standing(), Standing::Ready(_))
    }

    /// Somebody above says that it never will be, and why; it is ended for that. One that died first is not, and what is said of it counts still.
    pub fn told_failed(&self, error: Error) {
        let Some(readying) = self.rare().readying.as_deref().filter(|_| self.home.is_here()) else { return };
        let failed = {
            let mut readying = lock(readying);
            if !readying.is_told() || matches!(readying.standing(), Standing::Ready(_)) || readying.told.is_some() {
                return;
            }
            readying.told = Some(Box::new(error));
            readying.step(Event::Told { ready: false }, clock::now());
            readying.standing() == Standing::Failed(Why::Told) && !std::mem::replace(&mut readying.acted, true)
        };
        if failed {
            self.end_unready();
        }
    }

    /// The status of why one that has ended was never ready, whatever it was.
    pub fn never_ready_status(&self) -> Status {
        let by_its_end = || match self.exit().map(|exit| exit.cause) {
            Some(Cause::Stop) => Status::Cancelled,
            Some(Cause::Shutdown) => Status::Shutdown,
            _ => Status::Exited,
        };
        self.unready_status().unwrap_or_else(by_its_end)
    }

    /// How it stands, without a look.
    pub fn standing(&self) -> Standing {
        self.rare().readying.as_deref().map_or(Standing::Unasked, |readying| lock(readying).standing())
    }

    /// Whether nothing of it need be heard, nor kept in time, until its end: somebody above says that it is ready, or has said so.
    pub fn is_quiet(&self) -> bool {
        let quiet = |readying: &Mutex<Readying>| lock(readying).is_quiet();
        self.rare().readying.as_deref().is_none_or(quiet) && !self.is_stopping()
    }

    /// What is to be told of it.
    pub fn take_news(&self) -> News {
        self.rare().readying.as_deref().map_or_else(News::default, |readying| std::mem::take(&mut lock(readying).news))
    }

    pub(super) fn has_news(&self) -> bool {
        let signs = self.rare().readying.as_deref().is_some_and(|readying| lock(readying).news != News::default());
        signs || self.has_stop_news() || self.has_pieces()
    }

    /// Shows what it has said of itself; `None`: it was not asked to.
    pub fn with_said<T>(&self, show: impl FnOnce(&Said) -> T) -> Option<T> {
        self.rare().readying.as_deref().map(|readying| show(&lock(readying).said))
    }

    /// The descriptors by which it is heard: that by which it is ready, and whether it is watched for writing; and its NOTIFY_SOCKET.
    pub fn signs(&self) -> (Option<Watched>, Option<Arc<OwnedFd>>) {
        let Some(readying) = self.rare().readying.as_deref().map(lock) else { return (None, None) };
        let pipe = readying.pipe.clone().map(|pipe| (pipe, false));
        let connecting = || readying.connecting.as_ref().map(|(connecting, _)| (connecting.fd().clone(), true));
        (pipe.or_else(connecting), readying.receiver.as_ref().map(|receiver| receiver.fd().clone()))
    }

    /// Since when it has done its work: since its start, or since it was ready. `None`: it never was.
    pub fn at_work_since(&self, started_ns: i64) -> Option<i64> {
        match self.standing() {
            Standing::Unasked => Some(started_ns),
            Standing::Ready(at) => Some(at),
            Standing::Waiting | Standing::Failed(_) => None,
        }
    }

    /// Waits until it is ready, or never will be, or has ended; drives it meanwhile as [`Child::wait`] does. `false`: the patience was over first.
    pub fn await_ready<'a>(&self, patience: &Patience, also: impl Fn() -> Option<BorrowedFd<'a>>, pump: impl Fn()) -> Result<bool> {
        let Some(readying) = self.rare().readying.as_deref() else { return Ok(true) };
        let waiter = WakeUp::new().ok().map(Arc::new);
        let waiting = Waiting(readying, waiter);
        // Before the first look: what settles it after that is heard.
        lock(readying).waiters.extend(waiting.1.clone());
        let mut process = ProcessWait::default();
        loop {
            self.check()?;
            if let Some(output) = &self.rare().output {
                lock(output).drain(1 << 20);
            }
            self.tick();
            if self.has_news() {
                pump();
            }
            if self.standing() != Standing::Waiting || self.exit().is_some() {
                return Ok(true);
            }
            if patience.is_over() {
                return Ok(false);
            }
            let Some(pidfd) = self.pidfd() else {
                self.await_settled(patience.deadline());
                continue;
            };
            let pipes = self.pipes();
            let (by, socket) = self.signs();
            let mut watched = vec![pidfd.as_fd()];
            watched.extend(pipes.iter().flatten().map(|pipe| pipe.as_fd()));
            watched.extend(by.iter().filter(|(_, writing)| !writing).map(|(fd, _)| fd.as_fd()));
            watched.extend(socket.iter().map(|fd| fd.as_fd()));
            watched.extend(waiting.1.iter().map(|waiter| waiter.as_fd()));
            let beside = also();
            watched.extend(beside);
            // Without a descriptor to be woken by: a look from time to time.
            let heard = beside.is_some() && waiting.1.is_some();
            let soon = if heard { Deadline::NEVER } else { Deadline::after(poll::PAUSE) };
            let until = self.due().min(soon);
            if process.wait_with(&watched, patience, until).map_err(|errno| Error::system("poll", errno, "cannot wait"))? {
                self.reap_ended(clock::now())?;
            }
            pump();
        }
    }

    /// Why it can never be ready, in a word: the status of [`Child::unready`]. Nothing where it did not fail so, or only died.
    pub fn unready_status(&self) -> Option<Status> {
        let readying = lock(self.rare().readying.as_deref()?);
        if let Some(told) = &readying.told {
            return Some(told.status);
        }
        match readying.asked.as_ref()?.1.state() {
            State::Failed(Why::TimedOut, _) => Some(Status::Timeout),
            State::Failed(Why::EndOfFile, _) => Some(Status::Protocol),
            State::Failed(Why::Refused(fault), _) => Some(fault.error("").status),
            State::Failed(Why::Dead | Why::Told, _) | State::Ready(_) | State::Waiting(_) | State::Closed(_) => None,
        }
    }

    /// Why it is not ready, with all that is known of it.
    pub fn unready(&self) -> Error {
        let Some(readying) = self.rare().readying.as_deref() else { return self.ended_after_all() };
        let told = lock(readying).told.as_deref().cloned();
        if let Some(told) = told {
            return told.with(|it| {
                it.pid = it.pid.or(Some(self.pid));
                if it.output.is_empty() {
                    it.output = self.tail();
                }
            });
        }
        let (exit, output) = (self.exit(), self.tail());
        let readying = lock(readying);
        let Some((spec, machine)) = &readying.asked else {
            drop(readying);
            return self.ended_after_all();
        };
        let pid = self.pid;
        let how = exit.as_ref().map_or_else(String::new, described);
        let (mut error, failed) = match machine.state() {
            State::Failed(Why::TimedOut, at) => {
                let sign = match (&spec.sign, machine.last()) {
                    (Sign::Socket(address), Some(last)) => format!(": {}: {} ({last:?})", address.text(), last.desc()),
                    (Sign::Socket(address), None) => format!(": nobody accepts at {}", address.text()),
                    _ => String::new(),
                };
                let error = Error::new(Status::Timeout, "ready", format!("process {pid} was not ready in time{sign}"));
                (error.with(|it| it.errno = machine.last()), Some(at))
            }
            State::Failed(Why::EndOfFile, at) => {
                let number = if let Sign::Fd(number) = spec.sign { number } else { -1 };
                let text = format!("process {pid} has closed its descriptor {number} before it was ready");
                (Error::new(Status::Protocol, "ready", text), Some(at))
            }
            State::Failed(Why::Refused(fault), at) => {
                let address = if let Sign::Socket(address) = &spec.sign { address.text() } else { "" };
                let error = fault.error(format!("process {pid} can never be found ready at {address}"));
                (error.with(|it| it.step = "ready"), Some(at))
            }
            State::Failed(Why::Dead | Why::Told, at) => {
                (Error::new(Status::Exited, "ready", format!("process {pid} has ended before it was ready{how}")), Some(at))
            }
            State::Ready(_) | State::Waiting(_) | State::Closed(_) => {
                (Error::new(Status::Exited, "ready", format!("process {pid} was ready and has ended{how}")), None)
            }
        };
        let mut journey = Journey::new(&ROUTE);
        let started = exit.map_or(readying.begun.executed, |exit| exit.started_ns);
        journey.begin("spawn", readying.begun.at);
        journey.end("spawn", started);
        journey.begin("exec", started);
        journey.end("exec", readying.begun.executed);
        journey.begin("ready", readying.begun.executed);
        match (failed, machine.state()) {
            (Some(at), _) => journey.fail("ready", at),
            (None, State::Ready(at)) => journey.end("ready", at),
            _ => false,
        };
        if readying.said.errno != 0 {
            error.errno = Some(Errno::from_raw(readying.said.errno));
        }
        (error.pid, error.output, error.journey) = (Some(pid), output, Some(Box::new(journey)));
        error
    }

    fn ended_after_all(&self) -> Error {
        let how = self.exit().as_ref().map_or_else(String::new, described);
        let error = Error::new(Status::Exited, "ready", format!("process {} has ended{how}", self.pid));
        error.with_pid(self.pid).with(|it| it.output = self.tail())
    }

    /// The last of what it had written, as far as that is kept.
    fn tail(&self) -> Vec<u8> {
        self.with_output(None, false, |pieces, _| tail(pieces, OUTPUT)).unwrap_or_default()
    }
}
