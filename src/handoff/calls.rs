//! The calls for the application. Each takes the handle's lock, does something to the driver, and puts descriptor and timer right behind it
//! ([`Handoff::with`]); what it needs from the kernel (duplicates, memory) is made before, and closed behind the lock.

use std::os::fd::{BorrowedFd, OwnedFd, RawFd};
use std::sync::{Arc, MutexGuard};

use nix::errno::Errno;

use super::driver::Driver;
use super::outcome::{BuildId, Outcome};
use super::side::{Answer, Side};
use super::terms::{Role, Timeout, Told};
use super::{Handoff, Mode, Standing, entry, wire};
use crate::clock::{Deadline, MILLI};
use crate::error::{Error, Result, Status};
use crate::lock::lock;
use crate::process::command::Command;
use crate::report::plain;
use crate::sys::poll::Patience;
use crate::sys::{fds, memfd};

impl Handoff {
    fn check(&self) -> Result<()> {
        self.home.check("handoff")
    }

    fn enter(&self) -> Result<MutexGuard<'_, Driver>> {
        self.check()?;
        Ok(lock(&self.driver))
    }

    /// Does something to the driver; the descriptor and the timer are put right behind it.
    pub(super) fn with<T>(&self, act: impl FnOnce(&mut Driver) -> Result<T>) -> Result<T> {
        let mut driver = self.enter()?;
        if driver.closed {
            return Err(Error::new(Status::Shutdown, "handoff", "the handoff has been freed"));
        }
        let answer = act(&mut driver);
        driver.rest();
        let rubbish = std::mem::take(&mut driver.core.rubbish);
        drop(driver);
        drop(rubbish);
        answer
    }

    /// Whether this process started cold.
    pub fn role(&self) -> Result<Role> {
        Ok(if self.enter()?.first { Role::First } else { Role::Successor })
    }

    /// Where this process stands: what is so, but no permission that was not taken.
    pub fn standing(&self) -> Result<Standing> {
        Ok(self.enter()?.standing())
    }

    /// Which generation owns, as far as is known here.
    pub fn generation(&self) -> Result<u64> {
        let driver = self.enter()?;
        let record = driver.party.as_side().and_then(Side::record);
        Ok(u64::from(record.map_or(driver.core.generation, |record| record.word().generation)))
    }

    /// Whether two generations may serve at once; the owner's choice counts.
    pub fn set_mode(&self, mode: Mode) -> Result<()> {
        self.with(|driver| {
            driver.core.options.mode = mode;
            Ok(())
        })
    }

    /// Whether an upgrade is refused where the service manager would not follow it.
    pub fn set_service_check(&self, on: bool) -> Result<()> {
        self.with(|driver| {
            driver.core.options.checks_service = on;
            Ok(())
        })
    }

    /// Sets one of the waits.
    pub fn set_timeout(&self, which: Timeout, timeout_ms: i64) -> Result<()> {
        let least = i64::from(which != Timeout::Probation);
        if timeout_ms < least {
            return Err(Error::invalid(
                "ms",
                format!("ms: {timeout_ms}; every wait of a handoff has an end, and this one at least {least} ms"),
            ));
        }
        let nanos = timeout_ms.saturating_mul(MILLI);
        self.with(|driver| {
            let options = &mut driver.core.options;
            *match which {
                Timeout::Drain => &mut options.limits.drain,
                Timeout::Seal => &mut options.limits.seal,
                Timeout::Live => &mut options.limits.live,
                Timeout::Probation => &mut options.limits.probation,
                Timeout::Takeover => &mut options.takeover,
            } = nanos;
            Ok(())
        })
    }

    /// Hands a descriptor on under this name, or, with -1, no more. A duplicate is kept.
    pub fn set_fd(&self, name: &[u8], fd: RawFd) -> Result<()> {
        check_name(name)?;
        if fd == -1 {
            return self.with(|driver| {
                let removed = driver.core.estate.holdings.remove(name).ok_or_else(|| not_found(name))?;
                driver.core.discard([removed]);
                Ok(())
            });
        }
        let copy = copy_of(fd)?;
        self.with(|driver| {
            if driver.is_over() {
                return Err(over());
            }
            driver.core.hand_on(name, copy);
            Ok(())
        })
    }

    /// Claims a descriptor that was handed on; `NotFound` if there is none of this name. It stays among what is handed on.
    pub fn take_fd(&self, name: &[u8]) -> Result<OwnedFd> {
        check_name(name)?;
        self.with(|driver| {
            let taken =
                driver.core.estate.received.take(name).map_err(|errno| Error::system("fcntl", errno, "cannot duplicate the descriptor"))?;
            let (fd, copy) = taken.ok_or_else(|| not_found(name))?;
            // The application's from here on.
            driver.core.custody.leave(&fd);
            driver.core.hand_on(name, copy);
            Ok(fd)
        })
    }

    /// The names that were handed on and not claimed, in the order of their bytes, each followed by a newline.
    pub fn fd_names(&self) -> Result<Vec<u8>> {
        let driver = self.enter()?;
        Ok(driver.core.estate.received.names().flat_map(|name| name.iter().chain(b"\n")).copied().collect())
    }

    /// Passes an open connection on, with what was read of it and not answered yet. From DRAIN on, until the answer to SEAL (overlap: to DRAIN).
    pub fn pass_connection(&self, fd: RawFd, read: &[u8]) -> Result<()> {
        self.check()?;
        let id = fds::file_of(fd).map_err(|errno| not_open(fd, errno, "fstat", "cannot look at the connection"))?;
        let sealed = |read| memfd::sealed(c"procsup-read", read).map_err(|fault| fault.error("cannot keep what was read"));
        let read = if read.is_empty() { None } else { Some(sealed(read)?) };
        self.with(|driver| {
            if !driver.passes() {
                return Err(not_now());
            }
            let holdings = &mut driver.core.estate.holdings;
            // Most are passed a second time, at SEAL: no duplicate is made for nothing.
            let copy = if holdings.has_passed(fd, Some(id)) { None } else { Some(copy_of(fd)?) };
            // A forked copy must not hold the client's connection open.
            let custody = driver.core.custody;
            copy.iter().for_each(|copy| custody.note_shared(copy));
            read.iter().for_each(|read| custody.note(read));
            let old = holdings.pass(fd, id, copy, read);
            driver.core.discard(old);
            Ok(())
        })
    }

    /// Passes it on no more. `NotFound`: it was not.
    pub fn keep_connection(&self, fd: RawFd) -> Result<()> {
        self.with(|driver| {
            let passes = driver.passes();
            let holdings = &mut driver.core.estate.holdings;
            if holdings.has_passed(fd, None) && !passes {
                return Err(Error::new(Status::State, "handoff", "the successor has it, or is about to"));
            }
            let old = holdings.keep(fd);
            let none = || Error::new(Status::NotFound, "fd", format!("fd: {fd} is not passed on"));
            let old = old.ok_or_else(none)?;
            driver.core.discard(old);
            Ok(())
        })
    }

    /// Claims the next connection, with what was read of it, if that has `room`; nothing of it is kept here. The length is told in any case.
    pub fn take_connection(&self, room: usize, needed: impl FnOnce(usize)) -> Result<(OwnedFd, Vec<u8>)> {
        let failed = |fault: crate::sys::Fault| fault.error("cannot read what was read");
        self.with(|driver| {
            if !driver.claims() {
                return Err(Error::new(Status::State, "handoff", "not before LIVE: until then the running generation reads them"));
            }
            let received = &mut driver.core.estate.received;
            let none = || Error::new(Status::NotFound, "handoff", "no connection is left to be taken");
            let (number, read) = received.next_connection().ok_or_else(none)?;
            let length = read.map_or(Ok(0), memfd::length).map_err(failed)?;
            needed(length);
            if length > room {
                return Err(Error::new(Status::Limit, "buf", format!("the buffer has {room} bytes, {length} are needed")));
            }
            // Before it is taken: where there is no memory for them it is still the next one.
            let bytes = read.map_or(Ok(Vec::new()), |file| memfd::read_all(file).map_err(failed))?;
            let (fd, read) = received.take_connection(&number).ok_or_else(none)?;
            driver.core.outcomes.note(|outcome| outcome.connections.taken = outcome.connections.taken.saturating_add(1));
            // The application's from here on.
            driver.core.custody.leave(&fd);
            driver.core.discard(read.map(Arc::new));
            Ok((fd, bytes))
        })
    }

    /// The state for the next generation, copied. Counts until the answer to SEAL (overlap: to DRAIN).
    pub fn set_state(&self, bytes: &[u8]) -> Result<()> {
        self.check()?;
        let made = memfd::sealed(c"procsup-state", bytes).map_err(|fault| fault.error("cannot keep the state"))?;
        self.with(|driver| {
            if driver.is_over() {
                return Err(over());
            }
            driver.core.custody.note(&made);
            let old = driver.core.estate.holdings.set_state(made);
            driver.core.discard(old);
            Ok(())
        })
    }

    /// The state that the last generation has handed on; empty if there is none. It stays readable.
    pub fn state(&self) -> Result<Vec<u8>> {
        let read = |file: OwnedFd| memfd::read_all(&file).map_err(|fault| fault.error("cannot read the state"));
        self.state_file()?.map_or(Ok(Vec::new()), read)
    }

    /// How long it is.
    pub fn state_length(&self) -> Result<usize> {
        let length = |file: OwnedFd| memfd::length(&file).map_err(|fault| fault.error("cannot read the state"));
        self.state_file()?.map_or(Ok(0), length)
    }

    /// A duplicate: it is read without the lock.
    fn state_file(&self) -> Result<Option<OwnedFd>> {
        let driver = self.enter()?;
        let copy = driver.core.estate.received.state().map(fds::duplicate).transpose();
        copy.map_err(|errno| Error::system("fcntl", errno, "cannot read the state"))
    }

    /// Readable while [`Handoff::next_event`] has something to do.
    pub fn fd(&self) -> Result<BorrowedFd<'_>> {
        self.check()?;
        self.reactor.fd().map_err(|fault| fault.error("cannot watch the handoff"))
    }

    /// The next event; does what is due. Waits up to `timeout_ms` (-1: for ever, 0: not at all). `None`: there is none. Who asks for it has worked
    /// off the last one.
    pub fn next_event(&self, timeout_ms: i64) -> Result<Option<Told>> {
        let deadline = Deadline::of_timeout("timeout_ms", timeout_ms)?;
        // A handler of the host's ends it as its time does: after a last look.
        let patience = Patience::or_handler(deadline);
        let mut comes_back = true;
        loop {
            let (told, is_busy) = self.with(|driver| {
                if std::mem::take(&mut comes_back) {
                    driver.core.worked_off();
                    driver.come_back();
                }
                if driver.core.notices.is_empty() {
                    driver.pump();
                }
                let told = driver.core.take_notice();
                // Nothing ever comes any more: a wait for ever would be one.
                let never = driver.is_over() && !driver.core.is_leaving() && deadline.is_never();
                if told.is_none() && never { Err(over()) } else { Ok((told, driver.awaits_return())) }
            })?;
            if told.is_some() || patience.is_over() {
                return Ok(told);
            }
            // Another thread works COMMITTED off, and the descriptor is readable meanwhile.
            if is_busy {
                patience.pause(deadline);
                continue;
            }
            self.reactor.wait_with(&patience).map_err(|fault| fault.error("cannot wait for events"))?;
        }
    }

    /// Successor: everything is loaded; LIVE, or ABORTED, follows.
    pub fn warm(&self) -> Result<()> {
        self.answer(Answer::Warm)
    }

    /// Answers DRAIN. Exclusive: SEAL follows as soon as the successor has shown that it is awake.
    pub fn drained(&self, open_connections: u32) -> Result<()> {
        self.answer(Answer::Drained(open_connections))
    }

    /// Answers SEAL: from here on this process writes nothing until RESUME.
    pub fn sealed(&self, revision: u64) -> Result<()> {
        self.answer(Answer::Sealed(revision))
    }

    /// Answers LIVE: this process serves. What was handed on and not claimed is closed.
    pub fn live(&self) -> Result<()> {
        self.answer(Answer::Live)
    }

    /// This side cannot go on with the handoff.
    pub fn failed(&self, reason: &str) -> Result<()> {
        self.answer(Answer::Failed(reason))
    }

    /// Owner: calls the handoff off; possible until the commit. RESUME (if DRAIN was told) and ABORTED follow.
    pub fn cancel(&self) -> Result<()> {
        self.answer(Answer::Cancel)
    }

    fn answer(&self, answer: Answer<'_>) -> Result<()> {
        self.with(|driver| match driver.with_side(|side, core| side.answer(core, answer)) {
            Some(true) => Ok(()),
            _ => Err(Error::new(Status::State, "handoff", "not now: this is not what is awaited")),
        })
    }

    /// Which build this process is, for the records of handoffs.
    pub fn set_build_id(&self, build: &[u8]) -> Result<()> {
        let build = BuildId::given("build_id", build)?;
        self.with(|driver| {
            driver.core.set_build(build);
            Ok(())
        })
    }

    /// What came of a handoff that is over: 0 is the last. `NotFound`: there were not so many.
    pub fn outcome(&self, index: u32) -> Result<Outcome> {
        let driver = self.enter()?;
        let found = driver.core.outcomes.get(index as usize);
        found.cloned().ok_or_else(|| Error::new(Status::NotFound, "index", format!("index: {index}; no more handoffs are on record")))
    }

    /// The words of the last ABORTED or PATH_CHANGED; they may be the other side's, so they are shown as a message is.
    pub fn reason(&self) -> Result<String> {
        Ok(plain::line(self.enter()?.core.verdict.latest()).into_owned())
    }

    /// Owner: spawns its successor, which has `deadline_ms` until the commit. Returns when its program has begun.
    pub fn upgrade(&self, command: &Command, deadline_ms: i64) -> Result<()> {
        self.check()?;
        entry::upgrade(self, command, deadline_ms)
    }

    /// Ends it: a handoff that may be called off is called off, a successor that this process spawned and that owns nothing is
    /// killed and reaped (at most 5 seconds), one that owns goes its own way. Waits for events end with `Shutdown`.
    pub fn close(&self) {
        if self.check().is_ok() {
            entry::close(self);
        }
    }
}

fn copy_of(fd: RawFd) -> Result<OwnedFd> {
    fds::duplicate_number(fd).map_err(|errno| not_open(fd, errno, "fcntl", "cannot duplicate the descriptor"))
}

fn not_open(fd: RawFd, errno: Errno, step: &'static str, text: &'static str) -> Error {
    match errno {
        Errno::EBADF => Error::invalid("fd", format!("fd: {fd} is not an open descriptor")).with_errno(errno),
        errno => Error::system(step, errno, text),
    }
}

fn check_name(name: &[u8]) -> Result<()> {
    if wire::is_reserved(name) {
        return Err(Error::invalid("name", "name: those that begin with \"procsup:\" are the library's"));
    }
    if wire::check_name(name) {
        return Ok(());
    }
    Err(Error::invalid("name", "name: 1 to 255 bytes, without a newline"))
}

fn not_found(name: &[u8]) -> Error {
    Error::new(Status::NotFound, "name", format!("nothing is handed on under the name {}", String::from_utf8_lossy(name)))
}

fn not_now() -> Error {
    Error::new(Status::State, "handoff", "not now: connections are passed on between DRAIN and the answer to SEAL (overlap: to DRAIN)")
}

fn over() -> Error {
    Error::new(Status::State, "handoff", "this generation is over")
}
