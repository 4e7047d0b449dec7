//! The ways in: the first generation, a successor that the owner spawned, and one that comes by the control path.
//!
//! The races: a first generation holds the lock a moment before it listens, and a dying one's lock is free a moment before its socket is closed,
//! so neither "locked, and nobody answers" nor "free, and somebody does" is a verdict before a second has passed. And an owner that has just
//! been left may still say that it is busy: with us. All of that has one budget ([`Search`]).
//!
//! `PROCSUP_HANDOFF=<descriptor>:<inode>:<control path>` in the environment of a spawned successor names its channel. The variable is only read;
//! whoever inherits it later (a grandchild) has no socket of that inode there, so it means nothing to him.

use std::ffi::{OsStr, OsString};
use std::os::fd::{AsFd, AsRawFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use nix::errno::Errno;

use super::Handoff;
use super::control;
use super::core::{Core, RETRY};
use super::driver::Driver;
use super::machine::{Notice, Reason};
use super::owner::OwnerSide;
use super::peer::{Leaving, Peer};
use super::record::{self, Record};
use super::remains;
use super::side::{Incident, Party};
use super::successor::SuccessorSide;
use super::terms::Options;
use super::trust;
use super::wire::Link;
use crate::clock::{Budget, Deadline, MILLI};
use crate::coordination::service::unit;
use crate::error::{Error, Result, Status};
use crate::lock::lock;
use crate::process::belongings::Belongings;
use crate::process::command::Command;
use crate::process::spawn;
use crate::sys::custody::Custody;
use crate::sys::{Fault, environ, fds, poll, procfs, socket};

/// Names the channel of a spawned successor.
const VARIABLE: &str = "PROCSUP_HANDOFF";
/// The whole of it: until then everything must be offered.
const WHOLE: i64 = 5_000 * MILLI;
/// A step: a path whose lock is held and where nobody listens; and an owner that is busy with what has just been left.
const NOBODY: i64 = 1_000 * MILLI;

/// How long an owner may be silent before it is looked at whether it lives.
const SILENCE: i64 = 100 * MILLI;

impl Handoff {
    /// Opens this process's end. A successor waits here until everything is offered (at most 5 seconds); nobody else waits.
    pub fn new(control_path: impl AsRef<Path>) -> Result<Self> {
        let path = absolute(control_path.as_ref())?;
        spawn::prepare()?;
        Search::new(&path).run()
    }
}

/// The look-out for the generation before this one: one whole, and what may end it sooner.
struct Search<'a> {
    path: &'a Path,
    whole: Budget,
    /// Until when the lock may be held and nobody answer: the first generation holds it a moment before it listens, a dying one a moment after.
    silence: Deadline,
    /// Until when an owner may say that it is busy: with an attempt that has just been left.
    busy_until: Deadline,
    /// It has said so.
    busy: Option<Error>,
    /// An owner has spawned this process: it must not come to it by the path, and waits for the lock only.
    spawned: bool,
    /// No owner is left, and who has its listening socket will never answer: only the lock is waited for.
    orphaned: bool,
    /// Until when somebody may be at the path whose lock is free: one that is ending, or whose lock file was taken away.
    patience: Option<Deadline>,
}

impl<'a> Search<'a> {
    fn new(path: &'a Path) -> Self {
        let whole = Budget::of(WHOLE);
        Self {
            path,
            whole,
            silence: whole.step(NOBODY),
            busy_until: Deadline::PAST,
            busy: None,
            spawned: false,
            orphaned: false,
            patience: None,
        }
    }

    fn run(mut self) -> Result<Handoff> {
        let inherited = inherited();
        let meant = inherited.as_ref().is_some_and(|channel| channel.is_for(self.path));
        if let Some(socket) = if meant { inherited.as_ref().and_then(Channel::take) } else { None } {
            if let Met::Owner(handoff) = succeed(self.path, socket, true, self.whole)? {
                return Ok(*handoff);
            }
            // Its owner is dying, and may take its time; or does not want it any more.
            (self.spawned, self.silence) = (true, self.whole.end());
        }
        // Nothing is made beside what is no socket: that path is a mistake.
        if control::lock_identity(self.path).is_none()
            && let Err(error) = control::leftover(self.path)
            && error.status == Status::InvalidArgument
        {
            return Err(error);
        }
        loop {
            if self.waits_for_a_hidden_owner()? {
                continue;
            }
            if let Some(lock) = control::try_lock(self.path)? {
                if let Some(channel) = inherited.as_ref().filter(|_| !meant) {
                    return Err(channel.is_not_opened());
                }
                let patience = *self.patience.get_or_insert_with(|| self.whole.step(NOBODY));
                if let Some(handoff) = first(self.path, lock, patience)? {
                    return Ok(handoff);
                }
                // If he takes it, he is to have the time that anybody has.
                self.silence = self.whole.step(NOBODY);
                poll::pause(patience);
                continue;
            }
            if let Some(handoff) = self.ask_at_the_path()? {
                return Ok(*handoff);
            }
            if self.silence.has_come() {
                return Err(self.busy.unwrap_or_else(|| remains::error(self.path, nobody_listens(self.path, self.spawned))));
            }
            poll::pause(self.silence);
        }
    }

    /// Whether somebody listens at a path where nothing lies, and may make his files anew: then the lock that he wants is left alone.
    fn waits_for_a_hidden_owner(&mut self) -> Result<bool> {
        if self.spawned || !matches!(control::leftover(self.path), Ok(None)) {
            return Ok(false);
        }
        let Some(pid) = control::hidden_owner(self.path, Deadline::after(NOBODY), trust::is_admitted) else { return Ok(false) };
        let patience = *self.patience.get_or_insert_with(|| self.whole.step(NOBODY));
        if patience.has_come() {
            return Err(is_hidden(self.path, pid));
        }
        // When he has, he is to have the time that anybody has.
        self.silence = self.whole.step(NOBODY);
        poll::pause(patience);
        Ok(true)
    }

    /// Whoever listens there, if he hands over. `None`: not now.
    fn ask_at_the_path(&mut self) -> Result<Option<Box<Handoff>>> {
        if self.spawned || self.orphaned {
            return Ok(None);
        }
        let met = match socket::connect_to(self.path) {
            // It answers nobody any more, and holds the lock until its core is written.
            Ok(socket) if is_dumping(&socket) => Ok(Met::Nobody),
            Ok(socket) => succeed(self.path, socket, false, self.whole),
            Err(Fault { errno: Errno::ECONNREFUSED | Errno::ENOENT, .. }) => {
                self.busy = None;
                return Ok(None);
            }
            Err(Fault { step: "connect", errno: Errno::EAGAIN }) => return Ok(None),
            Err(fault) => return Err(control::cannot_reach(self.path, fault, &format!("cannot reach {}", self.path.display()))),
        };
        match met {
            Ok(Met::Owner(handoff)) => return Ok(Some(handoff)),
            // Whoever gets the lock is the first.
            Ok(Met::Nobody) => {}
            Ok(Met::Another) => self.busy_until = self.whole.step(NOBODY),
            Ok(Met::Copy) => {
                // Who is just ending with it may have his moment.
                (self.orphaned, self.silence) = (true, self.whole.step(NOBODY));
                return Ok(None);
            }
            Err(error) if error.status == Status::Timeout && self.busy.is_none() => return Err(remains::error(self.path, error)),
            Err(error) if error.status == Status::InProgress && !self.busy_until.has_come() => {
                self.busy = Some(error);
                return Ok(None);
            }
            Err(error) => return Err(self.busy.take().filter(|_| error.status == Status::Timeout).unwrap_or(error)),
        }
        self.silence = self.whole.end();
        Ok(None)
    }
}

/// Whether the process at the other end does nothing any more but write its core. By its number, which may be another's by now: then another
/// connection will tell.
fn is_dumping(socket: &OwnedFd) -> bool {
    socket::peer(socket).is_ok_and(|peer| procfs::is_dumping_core(peer.pid))
}

fn nobody_listens(path: &Path, spawned: bool) -> Error {
    if spawned {
        return Error::new(Status::Aborted, "offer", "the generation that has spawned this process has closed its channel");
    }
    let text = format!("{} is locked, and nobody listens at {}", control::lock_path(path).display(), path.display());
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
    let value = environ::get(VARIABLE.as_bytes()).ok()??;
    let mut fields = value.to_bytes().splitn(3, |byte| *byte == b':');
    let mut number = || std::str::from_utf8(fields.next()?).ok()?.parse::<u64>().ok();
    let (number, inode) = (i32::try_from(number()?).ok()?, number()?);
    let path = PathBuf::from(OsStr::from_bytes(fields.next()?));
    (number >= 3 && socket::is_socket_with_inode(number, inode)).then_some(Channel { number, path })
}

/// Whether this process was spawned to follow the generation at this path, or, without one, at any. Takes nothing.
pub fn was_spawned(control_path: Option<&Path>) -> Result<bool> {
    let path = control_path.map(absolute).transpose()?;
    Ok(inherited().is_some_and(|channel| path.is_none_or(|path| channel.is_for(&path))))
}

/// Whether whoever has started this process would follow it to its successor.
pub fn check_service() -> Result<()> {
    unit::check_replaceable()
}

/// The directory may change, and the path must be found again.
fn absolute(control_path: &Path) -> Result<PathBuf> {
    let path = std::path::absolute(control_path).map_err(|error| Error::relative("control_path", &error))?;
    control::check_path(&path)?;
    Ok(path)
}

impl Channel {
    /// Whether it leads to the generation at this path, by whatever name: they have one lock file.
    fn is_for(&self, path: &Path) -> bool {
        let here = control::lock_identity(path);
        self.path == path || (here.is_some() && control::lock_identity(&self.path) == here)
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

/// Nobody was before us. `None`: somebody is at the path all the same, who may be ending (a killed owner's lock is free a moment before its socket
/// is closed), or whose lock file was taken away: then he may want the one that lies there now, and it is let go meanwhile.
fn first(path: &Path, lock: OwnedFd, patience: Deadline) -> Result<Option<Handoff>> {
    // Which file it is, before it is known that nobody listens there: no other is removed.
    let leftover = control::leftover(path)?;
    match socket::connect_to(path) {
        Err(Fault { errno: Errno::ECONNREFUSED | Errno::ENOENT | Errno::ENOTSOCK, .. }) => {
            match control::hidden_owner(path, Deadline::after(NOBODY), trust::is_admitted) {
                None => {}
                Some(_) if !patience.has_come() => return Ok(None),
                Some(pid) => return Err(is_hidden(path, pid)),
            }
        }
        Ok(_) | Err(Fault { step: "connect", errno: Errno::EAGAIN }) if !patience.has_come() => return Ok(None),
        Ok(_) | Err(Fault { step: "connect", errno: Errno::EAGAIN }) => {
            let text = format!(
                "{} is free, but somebody listens at {}: the lock file was replaced",
                control::lock_path(path).display(),
                path.display()
            );
            return Err(Error::new(Status::LockReplaced, "flock", text));
        }
        Err(fault) if fault.step == "connect" => {
            return Err(control::cannot_reach(path, fault, &format!("{} belongs to something else", path.display())));
        }
        Err(fault) => return Err(fault.error(format!("cannot look who listens at {}", path.display()))),
    }
    let generation = record::last_generation(&lock).wrapping_add(1).max(1);
    let record = Record::create(generation).map_err(|fault| fault.error("cannot make the epoch record"))?;
    let mut core = Core::new(path.to_owned(), Options::default())?;
    let (listener, bound) = control::bind(path, &lock, leftover)?;
    record.set_bound(bound);
    let owner = OwnerSide::new(&mut core, record, lock, Some(listener), true);
    core.tell(Notice::Live { unsealed: false }, None, 0);
    let mut driver = Driver::new(core, Party::Owner(Box::new(owner)), true);
    driver.rest();
    Ok(Some(Handoff::around(driver)))
}

/// A generation lives whose files were removed: nobody finds it any more, and it still owns.
fn is_hidden(path: &Path, pid: i32) -> Error {
    let text = format!(
        "process {pid} listens at {}, though its socket and lock file are not there any more (a cleaner, or a directory or link that was changed): it still owns, so end it before another generation starts",
        path.display()
    );
    Error::new(Status::LockReplaced, "sock_diag", text).with_pid(pid)
}

/// Who was at the other end of a channel.
enum Met {
    /// Everything is offered.
    Owner(Box<Handoff>),
    /// One that died, or is dying, before it had offered everything.
    Nobody,
    /// An owner that the connection does not name, being older than it; a new one will.
    Another,
    /// A copy that a dead owner has forked, which holds the socket and accepts nobody.
    Copy,
}

/// At this channel there is an owner.
fn succeed(path: &Path, socket: OwnedFd, spawned: bool, whole: Budget) -> Result<Met> {
    let failed = |step| move |errno: Errno| Error::system(step, errno, "cannot reach the running generation");
    socket::ask_for_identity(&socket).map_err(failed("setsockopt"))?;
    // Of a pair: who made it. Of a connection: who listened last, which is the owner, or the one before it that has not seen us yet.
    let maker = socket::peer(&socket).map_err(failed("getsockopt"))?;
    let mut core = Core::new(path.to_owned(), Options::default())?;
    let mut link = Link::new(socket, if spawned { maker.pid } else { 0 });
    link.unproven = Some(maker).filter(|maker| spawned && !trust::is_admitted(maker.uid));
    core.watch_link(link).map_err(failed("epoll_ctl"))?;
    let mut side = SuccessorSide::new(whole.end());
    side.greet(&mut core);
    let mut driver = Driver::new(core, Party::Successor(Box::new(side)), false);
    // The machine has its own deadline; this one is only behind it.
    let late = whole.end().plus(MILLI);
    loop {
        driver.pump();
        if matches!(&driver.party, Party::Successor(side) if side.is_offered()) {
            driver.rest();
            return Ok(Met::Owner(Box::new(Handoff::around(driver))));
        }
        if let Some(reason) = driver.core.aborted() {
            return match reason {
                Reason::Died if driver.core.verdict.misnamed => Ok(Met::Another),
                Reason::Died | Reason::HungUp => Ok(Met::Nobody),
                _ => Err(driver.core.verdict.to_error(reason)),
            };
        }
        driver.rest();
        if late.has_come() {
            driver.with_side(|side, core| side.befall(core, Incident::Timeout));
            continue;
        }
        // Before its first message it has no pidfd here.
        if driver.core.peer.is_none() && driver.core.link.as_ref().is_some_and(|link| is_dumping(link.socket())) {
            return Ok(Met::Nobody);
        }
        // Only of a connection, where nobody has said a word yet.
        let silent = driver.core.link.as_ref().is_some_and(|link| link.peer == 0);
        let quiet = if silent { Deadline::after(SILENCE).min(late) } else { late };
        driver
            .core
            .reactor
            .wait(quiet.min(Deadline::after(RETRY)))
            .map_err(|fault| fault.error("cannot wait for the running generation"))?;
        if silent && quiet.has_come() && remains::is_orphaned(path) {
            return Ok(Met::Copy);
        }
    }
}

/// The in-process way in.
pub(super) fn upgrade(handoff: &Handoff, command: &Command, deadline_ms: i64) -> Result<()> {
    if deadline_ms <= 0 {
        return Err(Error::invalid("deadline_ms", format!("deadline_ms: {deadline_ms}; a handoff has an end")));
    }
    command.check_outlives_host()?;
    let path = handoff.with(|driver| {
        driver.come_back();
        let begins = || Error::new(Status::InProgress, "upgrade", "another handoff is under way");
        match &mut driver.party {
            Party::Owner(side) if side.spawning || !side.is_idle() => return Err(begins()),
            Party::Owner(side) if side.is_serving() => {
                if driver.core.options.checks_service {
                    unit::check_replaceable()?;
                }
                side.check_files(&mut driver.core)?;
                side.spawning = true;
            }
            Party::Successor(side) if side.serves_now() => return Err(begins()),
            _ => return Err(is_no_owner()),
        }
        Ok(driver.core.path.clone())
    })?;
    let whole = Deadline::after(deadline_ms.saturating_mul(MILLI));
    let mut spawning = Spawning { handoff, over: false };
    let mut made = Some(spawn_successor(command, &path, handoff.custody));
    let begun = handoff.with(|driver| {
        let Party::Owner(side) = &mut driver.party else { return Err(is_no_owner()) };
        // Under the very lock in which it begins: another upgrade, or a guest, must find one or the other.
        (side.spawning, spawning.over) = (false, true);
        let (socket, peer) = made.take().expect("made above")?;
        let begun = side.begin_spawned(&mut driver.core, socket, peer, whole);
        begun.map_err(|errno| Error::system("epoll_ctl", errno, "cannot watch the successor"))
    });
    drop(spawning);
    // Freed meanwhile by another thread: nobody is left to look after it.
    if let Some(Ok((_, peer))) = made {
        end_all(peer.dismiss().into_iter().collect());
    }
    begun
}

fn is_no_owner() -> Error {
    Error::new(Status::State, "upgrade", "this process does not own: it has not answered LIVE, or is over")
}

/// Whatever happens in the spawn, a panic included, the handle is free again.
struct Spawning<'a> {
    handoff: &'a Handoff,
    /// It was said already; by now another may be spawning.
    over: bool,
}

impl Drop for Spawning<'_> {
    fn drop(&mut self) {
        if self.over {
            return;
        }
        if let Party::Owner(side) = &mut lock(&self.handoff.driver).party {
            side.spawning = false;
        }
    }
}

fn spawn_successor(command: &Command, path: &Path, custody: Custody) -> Result<(OwnedFd, Peer)> {
    let failed = |fault: Fault| fault.error("cannot make a channel for the successor");
    let (ours, theirs) = socket::pair().map_err(failed)?;
    // A copy that has the successor's end would keep the channel alive after its death.
    [&ours, &theirs].into_iter().for_each(|end| custody.note(end));
    let inode = socket::inode(&theirs).map_err(Fault::of("fstat")).map_err(failed)?;
    let mut command = command.clone();
    let number = command.free_number();
    command.pass_fd(theirs.as_raw_fd(), number)?;
    command.outlive_host();
    command.succeed_watched();
    let mut value = OsString::from(format!("{number}:{inode}:"));
    value.push(path);
    command.env(VARIABLE, Some(&value))?;
    let child = spawn::spawn(&command, Belongings::default())?;
    let gone = || Error::new(Status::Exited, "spawn", "the successor has ended already");
    Ok((ours, Peer::spawned(child).ok_or_else(gone)?))
}

/// How long the end of a handle may take.
const CLOSING: i64 = 5_000 * MILLI;

/// Kills and reaps them; waits for that, and for cores that are being written.
fn end_all(mut leaving: Vec<Leaving>) {
    let whole = Budget::of(CLOSING);
    leaving.iter_mut().for_each(Leaving::kill);
    let mut wait = poll::ProcessWait::default();
    loop {
        leaving.retain_mut(|leaving| !leaving.tick());
        let Some(first) = leaving.first().filter(|_| !whole.is_spent()) else { break };
        let pidfd = first.pidfd().clone();
        let _ = wait.wait(&[pidfd.as_fd()], whole.end());
    }
    // A core that is not written yet is not cut.
    leaving.into_iter().for_each(Leaving::let_go);
}

/// The order: what can be called off is, the path goes before the lock, and nothing is waited for under the lock of the handle.
pub(super) fn close(handoff: &Handoff) {
    let (leaving, rubbish) = {
        let mut driver = lock(&handoff.driver);
        if driver.closed {
            return;
        }
        (driver.close(), std::mem::take(&mut driver.core.rubbish))
    };
    drop(rubbish);
    end_all(leaving);
}
