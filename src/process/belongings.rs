//! What belongs to a child beside its process: a sandbox directory, descriptors, a control group, an output file.
//!
//! All of it is taken before the child is made and released exactly once: given back to the command if the child is never made, or the call that has
//! made it fails all the same, else released after its end. Every part is an owned value, so no path can forget one.

use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex};

use nix::errno::Errno;

use super::cgroup::Cgroup;
use super::command::Command;
use super::lineage::Mark;
use super::output::file::OutFile;
use super::sandbox::Share;
use super::terminal::Foreground;
use crate::coordination::notify::Receiver;
use crate::error::{Error, Result};
use crate::lock::lock;
use crate::registry::Exit;

/// What a child owns from the call that asked for it until it has ended for good, however often it is started again.
#[derive(Debug, Default)]
pub struct Belongings {
    sandbox: Option<Share>,
    owned: Vec<OwnedFd>,
    source: Option<Arc<Mutex<Vec<OwnedFd>>>>,
    bound: bool,
}

impl Belongings {
    /// Takes what the command gives to its next child.
    pub fn take(command: &Command) -> Result<Self> {
        let shared = command.gifts.sandbox.as_ref().map(|sandbox| sandbox.share()).transpose();
        let sandbox = shared.map_err(|errno| Error::system("sandbox_dir", errno, command.cannot()))?;
        let owned = std::mem::take(&mut *lock(&command.gifts.owned));
        let source = (!owned.is_empty()).then(|| command.gifts.owned.clone());
        Ok(Self { sandbox, owned, source, bound: false })
    }

    /// Whether there is nothing to own.
    pub fn is_empty(&self) -> bool {
        self.sandbox.is_none() && self.owned.is_empty()
    }

    /// They are the child's for good, also if it cannot be made in the end.
    pub fn bind(&mut self) {
        self.bound = true;
    }

    /// They are not: the call that made the child fails.
    pub fn unbind(mut self) -> Self {
        self.bound = false;
        self
    }

    /// The child has ended for good. Takes the file system's time. Answers why its directory could not be removed.
    pub fn release(mut self) -> Option<Errno> {
        self.sandbox.take().and_then(Share::release)
    }

    /// The child was never made: the directory stays, the descriptors are the command's again.
    pub fn give_back(mut self) {
        if self.bound {
            return;
        }
        if let Some(share) = self.sandbox.take() {
            share.give_back();
        }
        if let Some(source) = self.source.take() {
            lock(&source).append(&mut self.owned);
        }
    }
}

/// What one process of a child owns.
#[derive(Debug, Default)]
pub struct Resources {
    pub(super) cgroup: Option<Cgroup>,
    pub(super) file: Option<OutFile>,
    pub(super) keep_on_failure: bool,
    /// Its descendants are wanted as long as it is there.
    pub(super) mark: Option<Mark>,
    /// What it says of itself, until it has a process that is heard.
    pub(super) receiver: Option<Receiver>,
    /// Our end of what ties it to us.
    pub(super) tie: Option<Arc<OwnedFd>>,
    /// The host's terminal, where it is to be the foreground; and by what number it is that.
    pub(super) foreground: Option<Foreground>,
    pub(super) leader: i32,
    pub(super) lasting: Belongings,
}

impl Resources {
    /// Makes what the command asks for. What was made before something fails is removed again.
    pub(super) fn take(command: &Command) -> Result<Self> {
        let (sweep, outlives) = (command.sweeps(), command.lifetime.outlives);
        let file = command.streams.output_file.as_ref().map(|spec| OutFile::create(spec, command.owner())).transpose()?;
        let cgroup = command.gifts.cgroup.as_ref().map(|spec| Cgroup::create(spec, sweep)).transpose()?;
        let mark = if outlives { None } else { Mark::new(sweep)? };
        let receiver = command.readiness.access().map(Receiver::new).transpose();
        let receiver = receiver.map_err(|fault| fault.error(format!("{}: its NOTIFY_SOCKET", command.cannot())))?;
        let foreground = command.identity.foreground.then(|| Foreground::new(&command.cannot())).transpose()?;
        Ok(Self {
            cgroup,
            file,
            keep_on_failure: command.streams.keep_on_failure,
            mark,
            receiver,
            tie: None,
            foreground,
            leader: 0,
            lasting: Belongings::default(),
        })
    }

    /// The same for one whose process is told of none of it (`Command::is_standing`).
    pub(super) fn again(command: &Command) -> Result<Option<Box<Self>>> {
        let mark = if command.lifetime.outlives { None } else { Mark::new(command.sweeps())? };
        Ok(mark.map(Self::marked))
    }

    /// Nothing but a mark.
    pub(super) fn marked(mark: Mark) -> Box<Self> {
        Box::new(Self { mark: Some(mark), ..Self::default() })
    }

    /// Most children own nothing, and hold no room for it.
    pub(super) fn boxed(self) -> Option<Box<Self>> {
        (!self.is_empty()).then(|| Box::new(self))
    }

    /// Whether there is nothing to own.
    pub(super) fn is_empty(&self) -> bool {
        let Self { cgroup, file, keep_on_failure: _, mark, receiver, tie, foreground, leader: _, lasting } = self;
        let told = receiver.is_some() || tie.is_some();
        !(cgroup.is_some() || file.is_some() || mark.is_some() || told || foreground.is_some() || !lasting.is_empty())
    }

    /// Whether the file system has to do with what is to be released, or a descriptor whose close may wait.
    pub(super) fn are_slow(&self) -> bool {
        self.cgroup.is_some() || self.file.is_some() || !self.lasting.is_empty()
    }

    /// The output file, unpublished.
    pub(super) fn take_file(&mut self) -> Option<OutFile> {
        self.file.take()
    }

    /// The process has ended like this: publishes its output, and removes what it had. Takes the file system's time. Answers why the output
    /// is not in its place; in the record stands what else could not be done.
    pub(super) fn release(mut self, exit: &mut Exit) -> Option<Error> {
        // Before all that takes time: somebody is sitting there.
        if let Some(foreground) = self.foreground.take() {
            foreground.take_back(self.leader, self.mark.as_ref());
        }
        let published = match self.file.take() {
            Some(file) if exit.success() || self.keep_on_failure => file.publish(),
            _ => Ok(()),
        };
        // Whoever is left in it has been killed: it goes first.
        drop(self.cgroup.take());
        exit.removal = self.lasting.release();
        published.err()
    }
}
