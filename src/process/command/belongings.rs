//! What its child shall own: a directory, descriptors, a control group.
//!
//! The trap: a command can be spawned from two threads at once, and a descriptor that was given away may go to one child only: the first
//! to take it (`process/belongings.rs`). Directory and control group are looked up by name at each spawn.

use std::ffi::OsStr;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::path::Path;
use std::sync::{Arc, Mutex};

use super::{Command, c_string};
use crate::error::{Error, Result, Status};
use crate::lock::lock;
use crate::process::cgroup;
use crate::process::sandbox::Sandbox;

/// What a command gives to its children.
#[derive(Clone, Debug, Default)]
pub struct Gifts {
    pub(in crate::process) sandbox: Option<Arc<Sandbox>>,
    pub(in crate::process) owned: Arc<Mutex<Vec<OwnedFd>>>,
    pub(in crate::process) cgroup: Option<cgroup::Spec>,
}

impl super::Command {
    /// The same without what its children are given: a copy that is kept holds nothing that is given later.
    pub(crate) fn without_gifts(mut self) -> Self {
        self.gifts = Gifts::default();
        self
    }
}

impl Gifts {
    /// What would tie a child to this process. Names every field (see `lasting.rs`); none lends a descriptor.
    pub(super) fn tie(&self) -> Option<&'static str> {
        let Self { sandbox, owned: _, cgroup } = self;
        super::lasting::first([(cgroup.is_some(), "cgroup"), (sandbox.is_some(), "sandbox_dir")])
    }

    /// Whether something is made for each child that its process must be told of. Names every field (see `prepared.rs`).
    pub(super) fn differ(&self) -> bool {
        let Self { sandbox: _, owned: _, cgroup } = self;
        cgroup.is_some()
    }

    /// What only the maker of a process could give to it, or would have to know the end of all its descendants for.
    pub(super) fn of_a_maker(&self) -> Option<&'static str> {
        let Self { sandbox, owned, cgroup } = self;
        super::lasting::first([(cgroup.is_some(), "cgroup"), (sandbox.is_some(), "sandbox_dir"), (!lock(owned).is_empty(), "own_fd")])
    }
}

impl Command {
    /// A directory that is removed, with all in it, once the last child of this command has been reaped.
    pub fn sandbox_dir(&mut self, directory: impl AsRef<Path>) -> Result<&mut Self> {
        let directory = directory.as_ref();
        c_string("sandbox_dir", directory)?;
        if directory.as_os_str().is_empty() {
            return Err(Error::invalid("sandbox_dir", "sandbox_dir: the string is empty"));
        }
        let absolute = std::path::absolute(directory).map_err(|error| Error::relative("sandbox_dir", &error))?;
        if !absolute.components().any(|part| matches!(part, std::path::Component::Normal(_))) {
            return Err(Error::invalid("sandbox_dir", "sandbox_dir: the root directory cannot be removed"));
        }
        if absolute.components().any(|part| matches!(part, std::path::Component::ParentDir)) {
            return Err(Error::invalid("sandbox_dir", "sandbox_dir: a path with \"..\" may lead elsewhere by the time it is removed"));
        }
        self.gifts.sandbox = Some(Arc::new(Sandbox::new(absolute)));
        Ok(self)
    }

    /// Takes a descriptor that is closed once the first child spawned from now on has been reaped.
    pub fn own_fd(&mut self, fd: OwnedFd) -> Result<&mut Self> {
        let number = fd.as_raw_fd();
        let mut owned = lock(&self.gifts.owned);
        debug_assert!(owned.iter().all(|other| other.as_raw_fd() != number));
        owned.push(fd);
        drop(owned);
        Ok(self)
    }

    /// Whether this descriptor was taken already.
    pub fn owns_fd(&self, fd: RawFd) -> bool {
        lock(&self.gifts.owned).iter().any(|owned| owned.as_raw_fd() == fd)
    }

    /// A control group for the child: made before it, killed and removed after it. With a slash at the end: a fresh one inside that directory
    /// for every child.
    pub fn cgroup(&mut self, directory: impl AsRef<Path>) -> Result<&mut Self> {
        let directory = directory.as_ref();
        c_string("cgroup", directory)?;
        self.gifts.cgroup = Some(cgroup::Spec::new(directory)?);
        Ok(self)
    }

    /// A file of the control group to write before the child is born, such as "pids.max".
    pub fn cgroup_set(&mut self, file: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Result<&mut Self> {
        let none = || Error::new(Status::State, "cgroup_set", "cgroup_set: the command has no control group yet");
        self.gifts.cgroup.as_mut().ok_or_else(none)?.set(file.as_ref(), value.as_ref())?;
        Ok(self)
    }
}
