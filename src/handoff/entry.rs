//! The ways in: the first generation, a successor that the owner spawned, and one that comes by the control path.
//!
//! `PROCSUP_HANDOFF=<descriptor>:<inode>:<control path>` in the environment of a spawned successor names its channel. The variable is only read;
//! whoever inherits it later (a grandchild) has no socket of that inode there, so it means nothing to him.

use std::ffi::{OsStr, OsString};
use std::os::fd::{AsFd, AsRawFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use nix::errno::Errno;

use super::driver::{Driver, Party, is_admitted};
use super::epoch::{self, Record};
use super::machine::owner;
use super::machine::successor::{self, Successor};
use super::machine::{Notice, Reason};
use super::peer::{Leaving, Peer};
use super::wire::Link;
use super::wire::Refusal;
use super::{Handoff, Options, control, status_of};
use crate::clock::{self, Deadline, MILLI};
use crate::error::{Error, Result, Status};
use crate::lock::lock;
use crate::process::belongings::Belongings;
use crate::process::command::Command;
use crate::process::spawn;
use crate::sys::{environ, fds, poll, procfs, socket};

/// Names the channel of a spawned successor.
const VARIABLE: &str = "PROCSUP_HANDOFF";
/// How long the offer is waited for, and a path whose lock is held and where nobody listens.
const OFFER: i64 = 5_000 * MILLI;
const NOBODY: i64 = 1_000 * MILLI;

impl Handoff {
    /// Opens this process's end. A successor waits here until everything is offered (at most 5 seconds); nobody else waits.
    pub fn new(control_path: impl AsRef<Path>) -> Result<Self> {
        // The directory may change, and the path must be found again.
        let path =
            std::path::absolute(control_path.as_ref()).map_err(|_| Error::invalid("control_path", "control_path: the string is empty"))?;
        let path = path.as_path();
        control::check_path(path)?;
        spawn::prepare()?;
        let deadline = clock::now() + OFFER;
        let mut patience = clock::now() + NOBODY;
        // Until when an owner may be busy with what we have just left.
        let (mut spawned, mut again, mut busy) = (false, 0, None);
        let inherited = inherited();
        let meant = inherited.as_ref().is_some_and(|channel| channel.is_for(path));
        if let Some(socket) = if meant { inherited.as_ref().and_then(Channel::take) } else { None } {
            if let Met::Owner(handoff) = succeed(path, socket, true, deadline)? {
                return Ok(*handoff);
            }
            // Its owner is dying, and may take its time; or does not want it any more: then it must not come by the path instead.
            (spawned, patience) = (true, deadline);
        }
        loop {
            if let Some(lock) = control::try_lock(path)? {
                if let Some(channel) = inherited.as_ref().filter(|_| !meant) {
                    return Err(channel.is_not_opened());
                }
                return first(path, lock);
            }
            match if spawned { Err(Errno::EAGAIN) } else { socket::connect_to(path) } {
                Ok(socket) => match succeed(path, socket, false, deadline) {
                    Ok(Met::Owner(handoff)) => return Ok(*handoff),
                    // Whoever gets the lock is the first.
                    Ok(Met::Nobody) => patience = deadline,
                    Ok(Met::Another) => (again, patience) = (clock::now() + NOBODY, deadline),
                    Err(error) if error.status == Status::InProgress && clock::now() < again => busy = Some(error),
                    Err(error) => return Err(busy.filter(|_| error.status == Status::Timeout).unwrap_or(error)),
                },
                Err(Errno::ECONNREFUSED | Errno::ENOENT) => busy = None,
                Err(Errno::EAGAIN) => {}
                Err(errno) => return Err(Error::system("connect", errno, format!("cannot reach {}", path.display()))),
            }
            // The first generation holds the lock a moment before it listens, a dying one a moment after.
            let now = clock::now();
            if now >= patience.min(deadline) {
                return Err(busy.unwrap_or_else(|| nobody_answers(path, spawned)));
            }
            poll::pause(Deadline::at(patience));
        }
    }
}

fn nobody_answers(path: &Path, spawned: bool) -> Error {
    if spawned {
        return Error::new(Status::Aborted, "offer", "the generation that has spawned this process has closed its channel");
    }
    let holder = control::holder(path).map_or(String::new(), |pid| match procfs::start_time(pid) {
        Some(_) => format!(" (the last owner is process {pid})"),
        None => format!(" (the last owner, process {pid}, is dead: a process that it has forked holds the lock)"),
    });
    let text = format!("{} is locked, and nobody listens at {}{holder}", control::lock_path(path).display(), path.display());
    Error::new(Status::Locked, "flock", text)
}

/// The channel that the environment names, if it is there and was not taken.
struct Channel {
    number: RawFd,
    path: PathBuf,
}

fn inherited() -> Option<Channel> {
    // A set-user-id server has its environment from whoever started it (AT_SECURE in getauxval(3)).
    if environ::is_untrusted() {
        return None;
    }
    let value = environ::get(VARIABLE.as_bytes())?;
    let mut fields = value.to_bytes().splitn(3, |byte| *byte == b':');
    let mut number = || std::str::from_utf8(fields.next()?).ok()?.parse::<u64>().ok();
    let (number, inode) = (i32::try_from(number()?).ok()?, number()?);
    let path = PathBuf::from(OsStr::from_bytes(fields.next()?));
    (number >= 3 && socket::is_socket_with_inode(number, inode)).then_some(Channel { number, path })
}

impl Channel {
    /// Whether it leads to the generation at this path, by whatever name: they have one lock file.
    fn is_for(&self, path: &Path) -> bool {
        let identity = |path: &Path| std::fs::metadata(control::lock_path(path)).ok().map(|found| (found.dev(), found.ino()));
        self.path == path || identity(path).is_some_and(|here| identity(&self.path) == Some(here))
    }

    /// Moves it: taken once, and close-on-exec from then on.
    fn take(&self) -> Option<OwnedFd> {
        let given = fds::adopt(self.number).ok()?;
        fds::duplicate(&given).ok()
    }

    /// A new path in the configuration must not make a second owner beside the one that waits for this process.
    fn is_not_opened(&self) -> Error {
        let text =
            format!("control_path: this process was spawned to follow the generation at {}, which it has not opened", self.path.display());
        Error::invalid("control_path", text)
    }
}

/// Nobody was before us.
fn first(path: &Path, lock: OwnedFd) -> Result<Handoff> {
    let generation = epoch::last_generation(&lock).wrapping_add(1).max(1);
    let record = Record::create(generation).map_err(|errno| Error::system("memfd_create", errno, "cannot make the epoch record"))?;
    let mut driver = Driver::new(Party::Gone, true, path.to_owned(), Options::default())?;
    // Somebody answers there: he holds another file that was the lock, and that was removed or replaced beside him.
    // A killed owner's lock is free a moment before its socket is closed: that one goes away.
    let patience = clock::now() + NOBODY;
    loop {
        match socket::connect_to(path) {
            Err(Errno::ECONNREFUSED | Errno::ENOENT | Errno::ENOTSOCK) => break,
            Ok(_) | Err(Errno::EAGAIN) if clock::now() < patience => poll::pause(Deadline::at(patience)),
            Ok(_) | Err(Errno::EAGAIN) => {
                let text = format!(
                    "{} is free, but somebody listens at {}: the lock file was replaced",
                    control::lock_path(path).display(),
                    path.display()
                );
                return Err(Error::new(Status::LockReplaced, "flock", text));
            }
            Err(errno) => return Err(Error::system("connect", errno, format!("{} belongs to something else", path.display()))),
        }
    }
    let control = control::bind(path)?;
    (driver.lock, driver.record, driver.control) = (Some(lock), Some(record), Some(control));
    driver.become_owner(true);
    driver.tell(Notice::Live { unsealed: false });
    driver.rest();
    Handoff::around(driver)
}

/// Who was at the other end of a channel.
enum Met {
    /// Everything is offered.
    Owner(Box<Handoff>),
    /// One that died, or is dying, before it had offered everything.
    Nobody,
    /// An owner that the connection does not name, being older than it; a new one will.
    Another,
}

/// At this channel there is an owner.
fn succeed(path: &Path, socket: OwnedFd, spawned: bool, deadline: i64) -> Result<Met> {
    let failed = |step| move |errno: Errno| Error::system(step, errno, "cannot reach the running generation");
    socket::ask_for_identity(&socket).map_err(failed("setsockopt"))?;
    // Of a pair: who made it. Of a connection: who listened last, which is the owner, or the one before it that has not seen us yet.
    let maker = socket::peer(&socket).map_err(failed("getsockopt"))?;
    if spawned && !is_admitted(maker.uid) {
        return Err(Error::new(
            Status::PeerRejected,
            "offer",
            format!("user {} has made the channel, and may not hand over to this process", maker.uid),
        ));
    }
    let peer = if spawned { maker.pid } else { 0 };
    let mut driver = Driver::new(Party::Successor(Successor::new(Deadline::at(deadline))), false, path.to_owned(), Options::default())?;
    driver.trusted = if spawned { None } else { control::owner_of(path) };
    driver.begin_as_successor(Link::new(socket, peer)).map_err(failed("epoll_ctl"))?;
    loop {
        driver.pump();
        if let Party::Successor(machine) = driver.party
            && machine.is_offered()
        {
            driver.rest();
            return Handoff::around(driver).map(|handoff| Met::Owner(Box::new(handoff)));
        }
        if let Some(reason) = driver.ended_with() {
            return match reason {
                Reason::Died if driver.misnamed => Ok(Met::Another),
                Reason::Died | Reason::HungUp => Ok(Met::Nobody),
                _ => Err(refusal(reason, &driver)),
            };
        }
        driver.rest();
        if clock::now() >= deadline + MILLI {
            driver.feed_successor(successor::Event::Timeout);
            continue;
        }
        poll::wait(&[driver.set.as_fd()], Deadline::at(deadline + MILLI)).map_err(failed("poll"))?;
    }
}

fn refusal(reason: Reason, driver: &Driver) -> Error {
    let status = if driver.refusal == Some(Refusal::Busy) { Status::InProgress } else { status_of(reason) };
    let text = if driver.words.is_empty() { super::telling::reason_text(reason) } else { &driver.words };
    let message = format!("the running generation does not hand over: {text}");
    match driver.fault {
        Some((step, errno)) => Error { status: Status::of(errno), message, ..Error::system(step, errno, "") },
        None => Error::new(status, "offer", message),
    }
}

/// The in-process way in.
pub(super) fn upgrade(handoff: &Handoff, command: &Command, deadline_ms: i64) -> Result<()> {
    if deadline_ms <= 0 {
        return Err(Error::invalid("deadline_ms", format!("deadline_ms: {deadline_ms}; a handoff has an end")));
    }
    command.check_outlives_host()?;
    let path = handoff.with(|driver| {
        let busy = driver.spawning || driver.owner().is_some_and(|owner| !owner.is_idle());
        let idle = driver.owner().is_some_and(|owner| owner.phase == owner::Phase::Serving);
        if busy || driver.is_live_successor() {
            return Err(Error::new(Status::InProgress, "upgrade", "another handoff is under way"));
        }
        if !idle {
            return Err(Error::new(Status::State, "upgrade", "this process does not own: it has not answered LIVE, or is over"));
        }
        driver.spawning = true;
        Ok(driver.path.clone())
    })?;
    let whole = Deadline::after(deadline_ms.saturating_mul(MILLI));
    let mut spawning = Spawning { handoff, over: false };
    let mut made = Some(spawn_successor(command, &path));
    let begun = handoff.with(|driver| {
        // Under the very lock in which it begins: another upgrade, or a guest, must find one or the other.
        (driver.spawning, spawning.over) = (false, true);
        let (socket, peer) = made.take().expect("made above")?;
        driver.begin_spawned(socket, peer, whole).map_err(|errno| Error::system("epoll_ctl", errno, "cannot watch the successor"))
    });
    drop(spawning);
    // Freed meanwhile by another thread: nobody is left to look after it.
    if let Some(Ok((_, peer))) = made
        && let Some(leaving) = peer.dismiss()
    {
        end_all(vec![leaving]);
    }
    begun
}

/// Whatever happens in the spawn, a panic included, the handle is free again.
struct Spawning<'a> {
    handoff: &'a Handoff,
    /// It was said already; by now another may be spawning.
    over: bool,
}

impl Drop for Spawning<'_> {
    fn drop(&mut self) {
        if !self.over {
            lock(&self.handoff.driver).spawning = false;
        }
    }
}

fn spawn_successor(command: &Command, path: &Path) -> Result<(OwnedFd, Peer)> {
    let failed = |step| move |errno: Errno| Error::system(step, errno, "cannot make a channel for the successor");
    let (ours, theirs) = socket::pair().map_err(failed("socketpair"))?;
    let inode = socket::inode(&theirs).map_err(failed("fstat"))?;
    let mut command = command.clone();
    let number = command.free_number();
    command.pass_fd(theirs.as_raw_fd(), number)?;
    command.outlive_host();
    let mut value = OsString::from(format!("{number}:{inode}:"));
    value.push(path);
    command.env(VARIABLE, Some(&value))?;
    let child = spawn::spawn(&command, Belongings::default())?;
    let gone = || Error::new(Status::Exited, "spawn", "the successor has ended already");
    Ok((ours, Peer::spawned(child).ok_or_else(gone)?))
}

/// How long the end of a handle may take.
const CLOSING: i64 = 5_000 * MILLI;

/// Kills and reaps them; waits for that.
fn end_all(mut leaving: Vec<Leaving>) {
    let deadline = clock::now() + CLOSING;
    leaving.iter_mut().for_each(Leaving::kill);
    loop {
        let now = clock::now();
        leaving.retain_mut(|leaving| !leaving.tick(now));
        let Some(first) = leaving.first().filter(|_| now < deadline) else { return };
        let pidfd = first.pidfd().clone();
        if poll::wait(&[pidfd.as_fd()], Deadline::at(deadline)) == Ok(true) {
            // Readable and not to be reaped yet: a tracer holds it, or another frame is about to publish.
            poll::pause(Deadline::at(deadline));
        }
    }
}

/// The order: what can be called off is, the path goes before the lock, and nothing is waited for under the lock of the handle.
pub(super) fn close(handoff: &Handoff) {
    let (leaving, rubbish) = {
        let mut driver = lock(&handoff.driver);
        if driver.closed {
            return;
        }
        match driver.party {
            Party::Owner(machine) if machine.may_cancel() => driver.feed_owner(owner::Event::Cancel),
            // It serves, and the process lives on: the standby is not needed. Told and not yet serving: it gives back.
            Party::Successor(machine) if machine.phase == successor::Phase::Live => driver.feed_successor(successor::Event::Timeout),
            Party::Successor(machine) if machine.is_offered() => driver.feed_successor(successor::Event::Failed),
            _ => {}
        }
        (driver.shut(), std::mem::take(&mut driver.rubbish))
    };
    drop(rubbish);
    end_all(leaving);
}
