//! The handoff: a running generation is replaced by the next without a dropped connection or a lost write.
//!
//! | file                   | what                                                            |
//! |------------------------|-----------------------------------------------------------------|
//! | `machine/`             | who does what when: pure; the word that decides who owns        |
//! | `wire.rs`              | what is said: kinds of messages, tags, limits                   |
//! | `epoch.rs`             | the record that both generations map, and its copy in words     |
//! | `holdings.rs`          | the descriptors and the state that are handed on                |
//! | `peer.rs`              | the other process: pidfd, kill, reap                            |
//! | `control.rs` `guests.rs` | the control path and the lock file; who comes there            |
//! | `driver.rs`            | what comes in, and what is due: one step after the other        |
//! | `watching.rs` `telling.rs` | what is watched and until when; events and reasons          |
//! | `owner_side.rs` `successor_side.rs` | the machines' actions on real descriptors          |
//! | `entry.rs`             | the three ways in: first, spawned, takeover                     |
//! | `mod.rs`               | the calls for the application                                   |
//!
//! Locks: one per handle, never held across a call that can block (the spawn of a successor among them).

mod control;
mod driver;
mod entry;
mod epoch;
mod guests;
mod holdings;
#[doc(hidden)]
pub mod machine;
mod owner_side;
mod peer;
mod successor_side;
mod telling;
mod watching;
pub mod wire;

use std::os::fd::{AsFd, BorrowedFd, OwnedFd, RawFd};
use std::sync::{Mutex, MutexGuard};

use driver::{Driver, Party};
pub use machine::{Limits, Mode, Notice, Reason};
use machine::{owner, successor};

use crate::clock::{self, MILLI};
use crate::error::{Error, Result, Status};
use crate::lock::lock;
use crate::process::command::Command;
use crate::sys::memory::Home;
use crate::sys::{fds, memfd, poll};

/// How a handoff goes; counts from the next one on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Options {
    /// Whether two generations may serve at once.
    pub mode: Mode,
    /// How long each party waits for what, nanoseconds.
    pub limits: Limits,
    /// How long a handoff that began at the control path may take until its commit.
    pub takeover: i64,
}

impl Default for Options {
    fn default() -> Self {
        let limits = Limits { drain: i64::MAX, seal: i64::MAX, live: 5_000 * MILLI, probation: 2_000 * MILLI };
        Self { mode: Mode::Exclusive, limits, takeover: 60_000 * MILLI }
    }
}

/// The waits of a handoff.
#[derive(Clone, Copy, PartialEq, Eq, Debug, strum::FromRepr, strum::IntoStaticStr, strum::VariantNames)]
#[repr(i32)]
pub enum Timeout {
    /// For the answer to DRAIN; by default what is left of the whole deadline.
    #[strum(serialize = "PS_HANDOFF_TIMEOUT_DRAIN")]
    Drain = 1,
    /// For the answer to SEAL; by default what is left of the whole deadline.
    #[strum(serialize = "PS_HANDOFF_TIMEOUT_SEAL")]
    Seal = 2,
    /// For the answer to LIVE, and for the sign of life that ends the probation: a successor that is silent
    /// longer is killed. Also, but then at most 5000 ms, for the signs of life before and after SEAL: a
    /// successor that is silent longer is given up. Default 5000 ms.
    #[strum(serialize = "PS_HANDOFF_TIMEOUT_LIVE")]
    Live = 3,
    /// How long the old generation stands by. Default 2000 ms.
    #[strum(serialize = "PS_HANDOFF_TIMEOUT_PROBATION")]
    Probation = 4,
    /// For a whole handoff that began at the control path, until its commit. Default 60000 ms.
    #[strum(serialize = "PS_HANDOFF_TIMEOUT_TAKEOVER")]
    Takeover = 5,
}

/// Who a process is in the handoff.
#[derive(Clone, Copy, PartialEq, Eq, Debug, strum::FromRepr, strum::IntoStaticStr, strum::VariantNames)]
#[repr(i32)]
pub enum Role {
    /// It started cold.
    #[strum(serialize = "PS_HANDOFF_FIRST")]
    First = 0,
    /// It takes over from a running generation, or has done so.
    #[strum(serialize = "PS_HANDOFF_SUCCESSOR")]
    Successor = 1,
}

/// An event, with what belongs to it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Told {
    /// What it says.
    pub notice: Notice,
    /// Which handoff.
    pub handoff_id: u64,
    /// LIVE: what the last owner sealed.
    pub revision: u64,
    /// The other process, for display.
    pub peer_pid: i32,
    /// Until when an answer is awaited; 0: no answer is.
    pub deadline_ns: i64,
    /// When it came about.
    pub time_ns: i64,
}

/// One generation's end of the handoff.
#[derive(Debug)]
pub struct Handoff {
    driver: Mutex<Driver>,
    /// A second name for the driver's set, so that waiting needs no lock.
    set: OwnedFd,
    home: Home,
}

impl Handoff {
    fn around(driver: Driver) -> Result<Self> {
        let set = driver.as_fd().try_clone_to_owned().map_err(|error| {
            let errno = nix::errno::Errno::from_raw(error.raw_os_error().unwrap_or(libc::EMFILE));
            Error::system("fcntl", errno, "cannot make a handoff")
        })?;
        Ok(Self { driver: Mutex::new(driver), set, home: Home::here() })
    }

    fn check(&self) -> Result<()> {
        self.home.check("handoff")
    }

    fn enter(&self) -> Result<MutexGuard<'_, Driver>> {
        self.check()?;
        Ok(lock(&self.driver))
    }

    /// Does something to the driver; the descriptor and the timer are put right behind it.
    fn with<T>(&self, act: impl FnOnce(&mut Driver) -> Result<T>) -> Result<T> {
        let mut driver = self.enter()?;
        if driver.closed {
            return Err(Error::new(Status::Shutdown, "handoff", "the handoff has been freed"));
        }
        let answer = act(&mut driver);
        driver.rest();
        let rubbish = std::mem::take(&mut driver.rubbish);
        drop(driver);
        drop(rubbish);
        answer
    }

    /// Whether this process started cold.
    pub fn role(&self) -> Result<Role> {
        Ok(if self.enter()?.first { Role::First } else { Role::Successor })
    }

    /// Which generation owns, as far as is known here.
    pub fn generation(&self) -> Result<u64> {
        let driver = self.enter()?;
        Ok(u64::from(driver.record.as_ref().map_or(driver.generation, |record| record.word().generation)))
    }

    /// Whether two generations may serve at once; the owner's choice counts.
    pub fn set_mode(&self, mode: Mode) -> Result<()> {
        self.with(|driver| {
            driver.options.mode = mode;
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
            let options = &mut driver.options;
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
                let removed = driver.holdings.remove(name).ok_or_else(|| not_found(name))?;
                driver.rubbish.push(removed);
                Ok(())
            });
        }
        let copy = fds::duplicate_number(fd).map_err(|errno| match errno {
            nix::errno::Errno::EBADF => Error { errno: Some(errno), ..Error::invalid("fd", format!("fd: {fd} is not an open descriptor")) },
            errno => Error::system("fcntl", errno, "cannot duplicate the descriptor"),
        })?;
        self.with(|driver| {
            if matches!(driver.party, Party::Gone) {
                return Err(over());
            }
            let old = driver.holdings.set(name, copy);
            driver.rubbish.extend(old);
            Ok(())
        })
    }

    /// Claims a descriptor that was handed on; `NotFound` if there is none of this name. It stays among what is handed on.
    pub fn take_fd(&self, name: &[u8]) -> Result<OwnedFd> {
        check_name(name)?;
        self.with(|driver| {
            let taken = driver.received.take(name).map_err(|errno| Error::system("fcntl", errno, "cannot duplicate the descriptor"))?;
            let (fd, copy) = taken.ok_or_else(|| not_found(name))?;
            let old = driver.holdings.set(name, copy);
            driver.rubbish.extend(old);
            Ok(fd)
        })
    }

    /// The names that were handed on and not claimed, in the order of their bytes, each followed by a newline.
    pub fn fd_names(&self) -> Result<Vec<u8>> {
        let driver = self.enter()?;
        Ok(driver.received.names().flat_map(|name| name.iter().chain(b"\n")).copied().collect())
    }

    /// The state for the next generation, copied. Counts until the answer to SEAL (overlap: to DRAIN).
    pub fn set_state(&self, bytes: &[u8]) -> Result<()> {
        self.check()?;
        let made = memfd::sealed(c"procsup-state", bytes).map_err(|errno| Error::system("memfd_create", errno, "cannot keep the state"))?;
        self.with(|driver| {
            if matches!(driver.party, Party::Gone) {
                return Err(over());
            }
            let old = driver.holdings.set_state(made);
            driver.rubbish.extend(old);
            Ok(())
        })
    }

    /// The state that the last generation has handed on; empty if there is none. It stays readable.
    pub fn state(&self) -> Result<Vec<u8>> {
        let read = |file: OwnedFd| memfd::read_all(&file).map_err(|errno| Error::system("pread", errno, "cannot read the state"));
        self.state_file()?.map_or(Ok(Vec::new()), read)
    }

    /// How long it is.
    pub fn state_length(&self) -> Result<usize> {
        let length = |file: OwnedFd| memfd::length(&file).map_err(|errno| Error::system("fstat", errno, "cannot read the state"));
        self.state_file()?.map_or(Ok(0), length)
    }

    /// A duplicate: it is read without the lock.
    fn state_file(&self) -> Result<Option<OwnedFd>> {
        let driver = self.enter()?;
        let copy = driver.received.state().map(fds::duplicate).transpose();
        copy.map_err(|errno| Error::system("fcntl", errno, "cannot read the state"))
    }

    /// Readable while [`Handoff::next_event`] has something to do.
    pub fn fd(&self) -> Result<BorrowedFd<'_>> {
        self.check()?;
        Ok(self.set.as_fd())
    }

    /// The next event; does what is due. Waits up to `timeout_ms` (-1: for ever, 0: not at all). `None`: there is none.
    pub fn next_event(&self, timeout_ms: i64) -> Result<Option<Told>> {
        if timeout_ms < -1 {
            return Err(Error::invalid("timeout_ms", format!("a timeout of {timeout_ms} ms")));
        }
        let deadline = clock::deadline(timeout_ms);
        loop {
            let told = self.with(|driver| {
                if driver.notices.is_empty() {
                    driver.pump();
                }
                let told = driver.notices.pop_front();
                // Nothing ever comes any more: a wait for ever would be one.
                let over = matches!(driver.party, Party::Gone) && driver.leaving.is_empty();
                if told.is_none() && over && deadline.is_none() { Err(self::over()) } else { Ok(told) }
            })?;
            if told.is_some() || deadline.is_some_and(|at| clock::now() >= at) {
                return Ok(told);
            }
            poll::wait(&[self.set.as_fd()], deadline.into()).map_err(|errno| Error::system("poll", errno, "cannot wait for events"))?;
        }
    }

    /// Successor: everything is loaded; LIVE, or ABORTED, follows.
    pub fn warm(&self) -> Result<()> {
        self.answer(|driver| match driver.party {
            Party::Successor(machine) if machine.phase == successor::Phase::Loading => {
                driver.feed_successor(successor::Event::Warm);
                true
            }
            _ => false,
        })
    }

    /// Answers DRAIN. Exclusive: SEAL follows as soon as the successor has shown that it is awake.
    pub fn drained(&self, _open_connections: u32) -> Result<()> {
        self.answer(|driver| match driver.party {
            Party::Owner(machine) if machine.phase == owner::Phase::Draining => {
                let parts = if driver.mode == Mode::Overlap { driver.prepare_delta() } else { driver.prepare_probe() };
                driver.feed_owner(owner::Event::Drained(parts));
                true
            }
            _ => false,
        })
    }

    /// Answers SEAL: from here on this process writes nothing until RESUME.
    pub fn sealed(&self, revision: u64) -> Result<()> {
        self.answer(|driver| match driver.party {
            Party::Owner(machine) if machine.phase == owner::Phase::Sealing => {
                if let Some(record) = &driver.record {
                    record.set_revision(revision);
                }
                let parts = driver.prepare_delta();
                driver.feed_owner(owner::Event::Sealed(parts));
                true
            }
            Party::Owner(machine) if machine.phase == owner::Phase::Closing => {
                driver.feed_owner(owner::Event::Sealed(0));
                true
            }
            _ => false,
        })
    }

    /// Answers LIVE: this process serves. What was handed on and not claimed is closed.
    pub fn live(&self) -> Result<()> {
        self.answer(|driver| match driver.party {
            Party::Owner(machine) if machine.phase == owner::Phase::Starting => {
                driver.feed_owner(owner::Event::Opened);
                true
            }
            Party::Successor(machine) if machine.phase == successor::Phase::Opening => {
                driver.close_unclaimed();
                driver.feed_successor(successor::Event::Live);
                true
            }
            _ => false,
        })
    }

    /// This side cannot go on with the handoff.
    pub fn failed(&self, reason: &str) -> Result<()> {
        self.answer(|driver| {
            match driver.party {
                Party::Owner(machine) if machine.may_cancel() || machine.phase == owner::Phase::Closing => {
                    driver.said = reason.to_owned();
                    driver.feed_owner(owner::Event::Failed);
                }
                Party::Successor(machine) if machine.is_offered() && machine.phase != successor::Phase::Settled => {
                    driver.said = reason.to_owned();
                    driver.feed_successor(successor::Event::Failed);
                }
                _ => return false,
            }
            true
        })
    }

    /// Owner: calls the handoff off; possible until the commit. RESUME (if DRAIN was told) and ABORTED follow.
    pub fn cancel(&self) -> Result<()> {
        self.answer(|driver| match driver.party {
            Party::Owner(machine) if machine.may_cancel() => {
                driver.feed_owner(owner::Event::Cancel);
                true
            }
            _ => false,
        })
    }

    fn answer(&self, act: impl FnOnce(&mut Driver) -> bool) -> Result<()> {
        self.with(
            |driver| if act(driver) { Ok(()) } else { Err(Error::new(Status::State, "handoff", "not now: this is not what is awaited")) },
        )
    }

    /// The words of the last ABORTED.
    pub fn reason(&self) -> Result<String> {
        Ok(self.enter()?.words.clone())
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

impl Drop for Handoff {
    fn drop(&mut self) {
        self.close();
    }
}

fn check_name(name: &[u8]) -> Result<()> {
    if wire::check_name(name) {
        return Ok(());
    }
    Err(Error::invalid("name", "name: 1 to 255 bytes, without a newline"))
}

fn not_found(name: &[u8]) -> Error {
    Error::new(Status::NotFound, "name", format!("nothing is handed on under the name {}", String::from_utf8_lossy(name)))
}

fn over() -> Error {
    Error::new(Status::State, "handoff", "this generation is over")
}

/// What C calls a reason.
pub fn status_of(reason: Reason) -> Status {
    match reason {
        Reason::Cancelled => Status::Cancelled,
        Reason::Timeout => Status::Timeout,
        Reason::Died => Status::Exited,
        Reason::HungUp | Reason::Protocol => Status::Protocol,
        Reason::PeerFailed | Reason::Failed | Reason::Fenced => Status::Aborted,
        Reason::Version => Status::VersionMismatch,
        Reason::System => Status::System,
        Reason::Limit => Status::Limit,
        Reason::Denied => Status::PeerRejected,
    }
}
