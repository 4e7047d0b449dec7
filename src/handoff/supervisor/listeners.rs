//! The listeners that a supervisor holds, by name: given by the application, or fetched from the owner. Every generation gets them as systemd would
//! give them (LISTEN_FDS), so one that finds nobody before it starts with them.
//!
//! The law: what is held here is a duplicate. It is never bound anew, shut down or changed, and closing it is felt by nobody as long as a generation
//! serves. What it is for is the time in which none does: then it alone keeps the queue of those who have connected.

use std::ffi::{CStr, CString};
use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::Arc;

use nix::errno::Errno;

use crate::clock::Deadline;
use crate::coordination::service::listening;
use crate::error::{Error, Result, Status};
use crate::process::command::Command;
use crate::process::systemd;
use crate::sys::custody::Custody;
use crate::sys::{fds, pidfd, procfs, socket};

/// How many there may be: as many as one message of the owner's can carry.
pub const MOST: usize = 252;

/// A listener that a generation has, by what finds it there.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Given {
    pub name: CString,
    /// Its number as a file, and what the kernel calls it; 0: not known.
    pub inode: u64,
    pub cookie: u64,
}

/// See the head of this file.
#[derive(Debug)]
pub struct Listeners {
    named: Vec<(Given, Arc<OwnedFd>)>,
    custody: Custody,
}

impl Listeners {
    pub fn new(custody: Custody) -> Self {
        Self { named: Vec::new(), custody }
    }

    /// Holds one that the application gives.
    pub fn add(&mut self, name: &CStr, fd: OwnedFd) -> Result<()> {
        systemd::name(Some(name)).map_err(|error| Error::invalid("name", error.message.replace("listen_fd", "name")))?;
        if !socket::is_open_to_all(&fd).map_err(|errno| Error::system("getsockopt", errno, "cannot tell what the descriptor is"))? {
            return Err(Error::invalid("fd", "fd: it neither listens nor takes datagrams"));
        }
        if self.is_held(name) {
            return Err(Error::invalid("name", format!("name: {} is held already", name.to_string_lossy())));
        }
        if self.named.len() == MOST {
            return Err(Error::new(Status::Limit, "listener", format!("no more than {MOST} listeners are held")));
        }
        self.put(name.to_owned(), fd);
        Ok(())
    }

    fn put(&mut self, name: CString, fd: OwnedFd) {
        self.custody.note_shared(&fd);
        let (inode, cookie) = (socket::inode(&fd).unwrap_or(0), socket::cookie(&fd).unwrap_or(0));
        self.named.push((Given { name, inode, cookie }, Arc::new(fd)));
    }

    /// The name, if it and what it stands for are as a generation can be given them: the owner hands on other things as well.
    pub fn fitting(name: Vec<u8>, fd: &OwnedFd) -> Option<CString> {
        CString::new(name).ok().filter(|name| systemd::name(Some(name)).is_ok() && is_listener(fd))
    }

    /// What the owner has under this name ([`Listeners::fitting`]), in the place of what was held. Answers what is to be closed.
    pub fn learn(&mut self, name: CString, fd: OwnedFd) -> Option<Arc<OwnedFd>> {
        let Some(at) = self.named.iter().position(|(known, _)| known.name == name) else {
            if self.named.len() == MOST {
                return Some(Arc::new(fd));
            }
            self.put(name, fd);
            return None;
        };
        // It keeps its place: a generation may count.
        self.put(name, fd);
        let (_, old) = self.named.swap_remove(at);
        self.custody.leave(&old);
        Some(old)
    }

    /// What this process's own starter has kept for it (LISTEN_FDS, systemd's descriptor store), as duplicates: of names that are not held yet, sockets
    /// only, of several with one name the first. The numbers are the application's, and stay as they are.
    pub fn fetch(&mut self) -> Result<()> {
        for (number, name) in listening::open_ones()? {
            let fits = CString::new(name).ok().filter(|name| systemd::name(Some(name)).is_ok());
            let Some(name) = fits.filter(|name| !self.is_held(name)) else { continue };
            let copy = match fds::duplicate_number(number) {
                // Closed by another thread just now.
                Err(Errno::EBADF) => continue,
                copy => copy.map_err(|errno| Error::system("fcntl", errno, "cannot duplicate what LISTEN_FDS holds"))?,
            };
            if self.named.len() < MOST && is_listener(&copy) {
                self.put(name, copy);
            }
        }
        Ok(())
    }

    /// The same of what a process has that was given these: the very sockets, by what the kernel calls them, if this process may look into that one.
    /// Until then.
    pub fn fetch_from(&mut self, pid: i32, pidfd: &OwnedFd, given: &[Given], until: Deadline) {
        let missing: Vec<_> = given.iter().filter(|given| given.cookie != 0 && !self.is_held(&given.name)).collect();
        if missing.is_empty() {
            return;
        }
        procfs::each_socket(pid, until, |number, inode| {
            for given in missing.iter().filter(|given| given.inode == inode) {
                let taken = if self.is_held(&given.name) { None } else { pidfd::take(pidfd, number).and_then(fds::above_standard).ok() };
                if let Some(copy) = taken.filter(|copy| socket::cookie(copy) == Some(given.cookie))
                    && self.named.len() < MOST
                    && is_listener(&copy)
                {
                    self.put(given.name.clone(), copy);
                }
            }
        });
    }

    /// Puts what was fetched behind the `first` ones into the order of these, what is none of them last: a generation may count, and a descriptor store
    /// has an order of its own.
    pub fn arrange(&mut self, first: usize, like: &[Given]) {
        let place = |held: &Given| like.iter().position(|given| given.name == held.name).unwrap_or(usize::MAX);
        if let Some(fetched) = self.named.get_mut(first..) {
            fetched.sort_by_key(|(held, _)| place(held));
        }
    }

    /// What a generation is given, for one who comes later.
    pub fn given(&self) -> impl Iterator<Item = Given> {
        self.named.iter().map(|(given, _)| given.clone())
    }

    /// Whether there is one of this name.
    pub fn is_held(&self, name: &CStr) -> bool {
        self.named.iter().any(|(known, _)| known.name.as_c_str() == name)
    }

    pub fn is_empty(&self) -> bool {
        self.named.is_empty()
    }

    /// Gives them to who is to be started; who spawns it keeps them open until that is done.
    pub fn give(&self, command: &mut Command) -> Result<Vec<Arc<OwnedFd>>> {
        for (Given { name, .. }, fd) in &self.named {
            command.listen_fd(fd.as_raw_fd(), Some(name))?;
        }
        Ok(self.named.iter().map(|(_, fd)| fd.clone()).collect())
    }

    /// The names, and what is held under them.
    pub fn iter(&self) -> impl Iterator<Item = (&CStr, &Arc<OwnedFd>)> {
        self.named.iter().map(|(given, fd)| (given.name.as_c_str(), fd))
    }

    /// Nothing is held any more.
    pub fn take(&mut self) -> Vec<Arc<OwnedFd>> {
        let all = std::mem::take(&mut self.named);
        all.into_iter()
            .map(|(_, fd)| {
                self.custody.leave(&fd);
                fd
            })
            .collect()
    }
}

/// Asked twice: what comes here is not sent again.
fn is_listener(fd: &OwnedFd) -> bool {
    socket::is_open_to_all(fd).or_else(|_| socket::is_open_to_all(fd)).unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_fetched_stands_as_the_generation_has_it() {
        let mut listeners = Listeners::new(Custody::new());
        for name in [c"own", c"new", c"admin", c"http"] {
            listeners.add(name, std::net::TcpListener::bind("127.0.0.1:0").unwrap().into()).unwrap();
        }
        let given = [c"http", c"gone", c"admin", c"own"].map(|name| Given { name: name.to_owned(), inode: 0, cookie: 0 });
        listeners.arrange(1, &given);
        let names: Vec<_> = listeners.iter().map(|(name, _)| name.to_owned()).collect();
        assert_eq!(names, [c"own", c"http", c"admin", c"new"].map(CStr::to_owned));
        listeners.arrange(9, &given);
    }
}
