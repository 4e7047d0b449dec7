//! The way to a lock: it is tried, waited for and tried again, until it is had or the time is over. No call here waits: `look` is called
//! when the watch tells something ([`Attempt::watch`]), or the time has come ([`Attempt::next_look`]).
//!
//! ```text
//!            open --refused, not there, no room--> the error, at once (once it waits: a directory that is gone may come again)
//!              |
//!   .------> flock --taken--> does the path name it? --yes--> held
//!   |          |busy                   |no
//!   |          v                       v
//!   |   does the path name it? --no--> open anew (a try, or again and again: LOCK_REPLACED)
//!   |          |yes
//!   '-- watch, and wait (a try, or the time is over: LOCKED)
//! ```
//!
//! Traps.
//! - **A watch that is made tells nothing of before**: it is tried once more behind it. And what it has told is taken before the try.
//! - **What waits keeps its descriptor.** Each close of one is told to all others who wait: who opened anew for each try would keep them
//!   all awake.
//! - **The path is resolved anew each time**: its directory can be another one by now. Who waits at a file that lost its name would
//!   wait for nobody's lock, so it is looked at after each try that was in vain as well.

use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use nix::errno::Errno;

use super::display;
use super::held::{SpawnLock, leave};
use super::pace::{Next, Pace};
use crate::clock::{self, Deadline, MILLI};
use crate::error::{Error, Result, Status};
use crate::sys::custody::Custody;
use crate::sys::directory::{Directory, Inode, is_at_path};
use crate::sys::lockfile::{self, Refusal};
use crate::sys::lockwatch::{self, LockWatch, Told};
use crate::sys::{fds, getpid, poll};

/// Files at the path that were others when they had been locked, one after the other in one look: after so many it is looked again later.
const MOST_IN_A_ROW: usize = 16;

/// What lies at the path, or lay there.
#[derive(Debug)]
struct Opened {
    file: OwnedFd,
    identity: Inode,
    word: display::Word,
}

/// What a try has come to.
enum Tried {
    Held(SpawnLock),
    /// Somebody has it.
    Busy,
    /// It is not what the path names, or the path names nothing. Whether it was locked.
    Replaced(bool),
}

/// See the head of this file.
#[derive(Debug)]
pub struct Attempt {
    path: PathBuf,
    deadline: Deadline,
    began: i64,
    file: Option<Opened>,
    watch: Option<LockWatch>,
    pace: Pace,
    next: Next,
    custody: Custody,
    /// Whether it has looked before.
    waits: bool,
}

impl Attempt {
    /// To lock this path until then. Touches nothing yet: `look` does.
    pub fn new(path: &Path, deadline: Deadline) -> Result<Self> {
        Self::noted(path, deadline, Custody::new())
    }

    /// The same; what it opens is noted there.
    pub(super) fn noted(path: &Path, deadline: Deadline, custody: Custody) -> Result<Self> {
        let named = path.file_name().is_some() && !path.as_os_str().as_encoded_bytes().ends_with(b"/");
        if !named {
            return Err(Error::invalid("path", format!("path: \"{}\" names no file", path.display())));
        }
        let path = std::path::absolute(path).map_err(|error| Error::relative("path", &error))?;
        let began = clock::now();
        // What differs from others who begin at once.
        let pace = Pace::new((getpid() as u64) << 32 ^ began as u64, began);
        let next = Next { at: began, heeds_watch: true };
        Ok(Self { path, deadline, began, file: None, watch: None, pace, next, custody, waits: false })
    }

    /// What is to be locked, from the root on.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What becomes readable when it is time to look again; none where it cannot be had, or is not to be heeded now. It may be another one after each look.
    pub fn watch(&self) -> Option<&Arc<OwnedFd>> {
        self.watch.as_ref().filter(|_| self.next.heeds_watch).and_then(LockWatch::fd)
    }

    /// When to look again if nothing is told before.
    pub fn next_look(&self) -> Deadline {
        Deadline::at(self.next.at).min(self.deadline)
    }

    /// Tries. `None`: not yet. An error is the end of it.
    pub fn look(&mut self) -> Result<Option<SpawnLock>> {
        let told = self.watch.as_ref().map_or(Told::Nothing, LockWatch::take);
        if told == Told::Moved {
            self.forget_watch();
        }
        let mut can_watch = true;
        for _ in 0..MOST_IN_A_ROW {
            let tried = self.try_once()?;
            if let Tried::Held(lock) = tried {
                return Ok(Some(lock));
            }
            let end = self.end_of(&tried);
            if let Tried::Replaced(locked) = tried {
                let was_there = self.file.is_some();
                self.let_go(locked);
                end?;
                if !was_there {
                    break;
                }
            } else {
                end?;
                if self.watch.is_some() || !can_watch {
                    break;
                }
                can_watch = self.make_watch();
            }
            self.waits = true;
        }
        self.waits = true;
        self.next = self.pace.in_vain(told, self.watch.is_some(), clock::now());
        Ok(None)
    }

    /// Waits for the next look.
    fn wait(&self) -> Result<()> {
        let fds = self.watch().map(|watch| watch.as_fd());
        poll::wait(fds.as_slice(), self.next_look())
            .map(drop)
            .map_err(|errno| Error::system("poll", errno, format!("cannot wait for {}", self.path().display())))
    }

    fn try_once(&mut self) -> Result<Tried> {
        if self.file.is_none() && !self.open()? {
            return Ok(Tried::Replaced(false));
        }
        let Some(Opened { file, identity, .. }) = &self.file else { return Ok(Tried::Replaced(false)) };
        let identity = *identity;
        let taken = lockfile::try_lock(file).map_err(|errno| self.failed("flock", errno))?;
        match is_at_path(&self.path, identity) {
            Ok(true) => {}
            Ok(false) => return Ok(Tried::Replaced(taken)),
            Err(errno) => {
                // It may be locked, and a copy of this process would keep it so.
                self.let_go(taken);
                return Err(self.failed("lstat", errno));
            }
        }
        match self.file.take_if(|_| taken) {
            None => Ok(Tried::Busy),
            Some(Opened { file, word, .. }) => {
                word.write(&file);
                Ok(Tried::Held(SpawnLock::new(file, self.watch.take(), self.path.clone(), identity, self.custody)))
            }
        }
    }

    /// Opens what the path names. `false`: it lay there before, and the directory is gone now.
    fn open(&mut self) -> Result<bool> {
        let name = self.path.file_name().unwrap_or_default();
        let open = || {
            let directory = Directory::of(&self.path).map_err(Refusal::Cannot)?;
            let file = lockfile::open_at(&directory, name)?;
            // Root must not keep the directory's own user out for ever.
            directory.give_to_owner(&file);
            Ok(file)
        };
        let mut opened = open();
        // The last number may be that of a watch which only lies there.
        if opened.as_ref().is_err_and(|refusal| *refusal == Refusal::Cannot(Errno::EMFILE)) && lockwatch::close_parked() {
            opened = open();
        }
        match opened {
            Err(Refusal::Cannot(Errno::ENOENT | Errno::ENOTDIR)) if self.waits => Ok(false),
            Err(refusal) => Err(self.refused(refusal)),
            Ok(file) => {
                let identity = lockfile::identity(&file).map_err(|errno| self.failed("fstat", errno))?;
                self.custody.note_shared(&file);
                let word = display::Word::over(&file);
                self.file = Some(Opened { file, identity, word });
                Ok(true)
            }
        }
    }

    /// Gives up a file that is not the path's.
    fn let_go(&mut self, locked: bool) {
        self.forget_watch();
        if let Some(Opened { file, .. }) = self.file.take() {
            self.custody.leave(&file);
            if locked {
                lockfile::release(file);
            }
        }
    }

    fn forget_watch(&mut self) {
        if let Some(watch) = self.watch.take() {
            leave(self.custody, &watch);
        }
    }

    /// `false`: there is none to be had, or no room for one.
    fn make_watch(&mut self) -> bool {
        let Ok(watch) = LockWatch::over(&self.path) else { return false };
        if let Some(fd) = watch.fd() {
            self.custody.note(fd);
            self.move_above(fd.as_raw_fd());
        }
        self.watch = Some(watch);
        true
    }

    /// Should this process be killed while it holds the lock, that ends before the watch does, which takes time (`sys/lockwatch.rs`).
    fn move_above(&mut self, number: i32) {
        if let Some(Opened { file, .. }) = &mut self.file
            && file.as_raw_fd() < number
            && let Ok(copy) = fds::duplicate_above(&*file, number)
        {
            self.custody.leave(file);
            *file = copy;
            self.custody.note_shared(file);
        }
    }

    /// The error, if the time is over.
    fn end_of(&self, tried: &Tried) -> Result<()> {
        let now = clock::now();
        if !self.deadline.is_over(now) {
            return Ok(());
        }
        let path = self.path.display();
        let waited = if self.waits { format!(", and was waited for {} ms", now.saturating_sub(self.began) / MILLI) } else { String::new() };
        if matches!(tried, Tried::Replaced(_)) {
            let text = format!("the file that was locked is not the one that {path} names now: it was removed or replaced{waited}");
            return Err(Error::new(Status::LockReplaced, "flock", text));
        }
        let pid = self.file.as_ref().and_then(|opened| display::read(&opened.file));
        let who = match pid {
            Some(pid) if pid == getpid() => "this process, as the file says, or another".to_owned(),
            Some(pid) => format!("another process, {pid} as the file says"),
            None => "another process, or this one".to_owned(),
        };
        let text = format!("{path} is held by {who}{waited}");
        Err(Error::new(Status::Locked, "flock", text).with_pid(pid).with_errno(Errno::EWOULDBLOCK))
    }

    fn failed(&self, step: &'static str, errno: Errno) -> Error {
        Error::system(step, errno, format!("cannot lock {}", self.path.display()))
    }

    fn refused(&self, refusal: Refusal) -> Error {
        // A link that came between the look and the open.
        let refusal = if refusal == Refusal::Cannot(Errno::ELOOP) { Refusal::Kind } else { refusal };
        match refusal {
            Refusal::Cannot(errno) => self.failed("open", errno),
            other => {
                let text = format!("cannot lock {}: it {}", self.path.display(), other.why().unwrap_or_default());
                Error::new(Status::Permission, "open", text).with_errno(Errno::EPERM)
            }
        }
    }
}

impl SpawnLock {
    /// Takes the lock of this path, whose file is made with mode 0600 if it is not there. Waits until the deadline ([`Deadline::PAST`]: not at
    /// all), without a thread; a signal does not end the wait. `Status::Locked`: another has it; `Status::LockReplaced`: the file was replaced
    /// in that moment, or again and again.
    pub fn acquire(path: &Path, deadline: Deadline) -> Result<Self> {
        Self::acquire_noted(path, deadline, Custody::new())
    }

    /// The same; what it opens is noted there.
    pub(super) fn acquire_noted(path: &Path, deadline: Deadline, custody: Custody) -> Result<Self> {
        let mut attempt = Attempt::noted(path, deadline, custody)?;
        loop {
            if let Some(lock) = attempt.look()? {
                return Ok(lock);
            }
            attempt.wait()?;
        }
    }
}

impl Drop for Attempt {
    fn drop(&mut self) {
        // It is closed without a word: it had no lock, so nobody waits for it.
        self.forget_watch();
        if let Some(Opened { file, .. }) = &self.file {
            self.custody.leave(file);
        }
    }
}
