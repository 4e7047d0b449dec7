//! What is handed on: named descriptors and the state, and on the successor's side what has come.
//!
//! Everything is a duplicate of ours: the application may close its own, and the other generation shares the open file
//! description, whose flags and options nobody here touches (law 16).
//!
//! Connections are named descriptors, too, under names that the application cannot give: so each version of the protocol carries them. The trap
//! is the duplicate: as long as one is kept, a close of the application's does not reach the client. So they are withdrawn with their
//! attempt, and a successor keeps none of what it gives out.

use std::collections::{BTreeMap, BTreeSet};
use std::os::fd::{OwnedFd, RawFd};
use std::sync::Arc;

use nix::errno::Errno;

use super::wire::{CONNECTION, LONGEST, Own, Place, READ, is_reserved};
use crate::sys::{fds, memfd, socket};

/// One descriptor of an offer, with its place.
pub type Item = (Place, Arc<OwnedFd>);

/// Which file a descriptor stands for: a number is another file's once it was closed.
pub type FileId = (u64, u64);

fn name_of(prefix: &[u8], number: RawFd) -> Vec<u8> {
    [prefix, number.to_string().as_bytes()].concat()
}

/// A part of an offer: what goes into one message.
#[derive(Clone, Debug, Default)]
pub struct Part {
    /// The descriptors, in order.
    pub items: Vec<Item>,
    /// Names that are no longer handed on.
    pub gone: Vec<Vec<u8>>,
}

/// What the owner hands on.
#[derive(Debug, Default)]
pub struct Holdings {
    named: BTreeMap<Vec<u8>, Arc<OwnedFd>>,
    state: Option<Arc<OwnedFd>>,
    /// The connections among the named, by the application's number, and which file that was.
    passed: BTreeMap<RawFd, FileId>,
    /// Counts the changes of what the application has named, connections apart.
    version: u64,
    /// There is an offer, of which a successor knows. Without one nothing is noted: a name for each connection would add up.
    offered: bool,
    /// Since then: names that were set or removed, and whether the state was.
    changed: BTreeSet<Vec<u8>>,
    state_changed: bool,
}

impl Holdings {
    /// Hands on a descriptor, in the place of one with the same name, which it answers.
    pub fn set(&mut self, name: &[u8], fd: OwnedFd) -> Option<Arc<OwnedFd>> {
        self.note(name);
        self.named.insert(name.to_vec(), Arc::new(fd))
    }

    /// Hands it on no more; answers what it was.
    pub fn remove(&mut self, name: &[u8]) -> Option<Arc<OwnedFd>> {
        let old = self.named.remove(name)?;
        self.note(name);
        Some(old)
    }

    /// Passes a connection on, and what was read of it. `fd`: a duplicate of the application's `number`, if that is not passed on already.
    /// Answers what is to be closed.
    pub fn pass(&mut self, number: RawFd, id: FileId, fd: Option<OwnedFd>, read: Option<OwnedFd>) -> Vec<Arc<OwnedFd>> {
        let mut old = Vec::new();
        if let Some(fd) = fd {
            self.passed.insert(number, id);
            old.extend(self.set(&name_of(CONNECTION, number), fd));
        }
        let name = name_of(READ, number);
        old.extend(match read {
            Some(read) => self.set(&name, read),
            None => self.remove(&name),
        });
        old
    }

    /// Whether this number is passed on, and (`id`) for this very file.
    pub fn has_passed(&self, number: RawFd, id: Option<FileId>) -> bool {
        self.passed.get(&number).is_some_and(|passed| id.is_none_or(|id| id == *passed))
    }

    /// Which state of what the application has named this is.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// For those who watch: what the application has named, behind what belongs to the protocol. Neither connections nor the state.
    pub fn shown(&self, first: Vec<Item>) -> Vec<Part> {
        let named = self.named.iter().filter(|(name, _)| !is_reserved(name));
        let named = named.map(|(name, fd)| (Place::Named(name.clone()), fd.clone()));
        cut(first.into_iter().chain(named).collect(), Vec::new())
    }

    /// How many connections are passed on.
    pub fn passed(&self) -> u32 {
        u32::try_from(self.passed.len()).unwrap_or(u32::MAX)
    }

    /// Passes it on no more. Answers what is to be closed; `None`: it was not.
    pub fn keep(&mut self, number: RawFd) -> Option<Vec<Arc<OwnedFd>>> {
        self.passed.remove(&number)?;
        Some([CONNECTION, READ].into_iter().filter_map(|prefix| self.remove(&name_of(prefix, number))).collect())
    }

    fn note(&mut self, name: &[u8]) {
        self.version += u64::from(!is_reserved(name));
        if self.offered {
            self.changed.insert(name.to_vec());
        }
    }

    /// Hands on this state; answers the one before.
    pub fn set_state(&mut self, state: OwnedFd) -> Option<Arc<OwnedFd>> {
        self.state_changed = self.offered;
        self.state.replace(Arc::new(state))
    }

    fn state_item(&self) -> Option<Item> {
        self.state.as_ref().map(|state| (Place::Own(Own::State), state.clone()))
    }

    /// Everything, behind what belongs to the protocol. Changes count from here.
    pub fn offer(&mut self, first: Vec<Item>) -> Vec<Part> {
        debug_assert!(self.passed.is_empty(), "connections are passed on once there is an offer, and withdrawn with it");
        (self.offered, self.state_changed) = (true, false);
        self.changed.clear();
        let named = self.named.iter().map(|(name, fd)| (Place::Named(name.clone()), fd.clone()));
        let items = first.into_iter().chain(self.state_item()).chain(named);
        cut(items.collect(), Vec::new())
    }

    /// There is no successor any more that would have to hear of changes, or to get connections. Answers what is to be closed.
    #[must_use]
    pub fn withdraw(&mut self) -> Vec<Arc<OwnedFd>> {
        (self.offered, self.state_changed) = (false, false);
        self.changed.clear();
        let passed = std::mem::take(&mut self.passed);
        let names = passed.into_keys().flat_map(|number| [CONNECTION, READ].map(|prefix| name_of(prefix, number)));
        names.filter_map(|name| self.named.remove(&name)).collect()
    }

    /// What has changed since.
    pub fn delta(&mut self) -> Vec<Part> {
        let changed = std::mem::take(&mut self.changed);
        let mut items: Vec<Item> = Vec::new();
        if std::mem::take(&mut self.state_changed) {
            items.extend(self.state_item());
        }
        let mut gone = Vec::new();
        for name in changed {
            match self.named.get(&name) {
                Some(fd) => items.push((Place::Named(name), fd.clone())),
                None => gone.push(name),
            }
        }
        if items.is_empty() && gone.is_empty() { Vec::new() } else { cut(items, gone) }
    }
}

/// Into parts that one message can carry; at least one.
fn cut(items: Vec<Item>, gone: Vec<Vec<u8>>) -> Vec<Part> {
    let room = LONGEST / 2;
    let mut parts = vec![Part::default()];
    let mut used = 0;
    let size = |name: &[u8]| name.len() + 8;
    for name in gone {
        used += size(&name);
        if used > room {
            parts.push(Part::default());
            used = size(&name);
        }
        parts.last_mut().expect("at least one").gone.push(name);
    }
    for item in items {
        used += if let Place::Named(name) = &item.0 { size(name) } else { 8 };
        if used > room || parts.last().is_some_and(|part| part.items.len() == socket::MAX_FDS) {
            parts.push(Part::default());
            used = 0;
        }
        parts.last_mut().expect("at least one").items.push(item);
    }
    parts
}

/// What is handed on, and what was handed on to us.
#[derive(Debug, Default)]
pub struct Estate {
    /// For the next generation.
    pub holdings: Holdings,
    /// From the last one.
    pub received: Received,
}

impl Estate {
    /// All of it, to be closed.
    pub fn into_fds(mut self) -> impl Iterator<Item = Arc<OwnedFd>> {
        let unclaimed = self.received.take_unclaimed();
        let state = self.received.state.map(Arc::new);
        self.holdings.named.into_values().chain(self.holdings.state).chain(unclaimed).chain(state)
    }
}

/// What a successor has received.
#[derive(Debug, Default)]
pub struct Received {
    named: BTreeMap<Vec<u8>, OwnedFd>,
    state: Option<OwnedFd>,
    /// What a newer one has replaced: closed with the unclaimed, for the last descriptor of a large state takes long.
    replaced: Vec<OwnedFd>,
}

impl Received {
    /// Puts a descriptor in its place; a newer one of the same name takes it. `false`: not one of the application's, or not sealed.
    pub fn put(&mut self, place: Place, fd: OwnedFd) -> bool {
        match place {
            Place::Named(name) if name.starts_with(READ) && !memfd::is_sealed(&fd) => return false,
            Place::Named(name) => {
                let old = self.named.insert(name, fd);
                self.replaced.extend(old);
            }
            Place::Own(Own::State) if memfd::is_sealed(&fd) => self.replaced.extend(self.state.replace(fd)),
            Place::Own(_) => return false,
        }
        true
    }

    /// The owner hands this on no more.
    pub fn withdraw(&mut self, name: &[u8]) {
        let old = self.named.remove(name);
        self.replaced.extend(old);
    }

    /// Gives a descriptor to the application; a duplicate stays, to be handed on.
    pub fn take(&mut self, name: &[u8]) -> Result<Option<(OwnedFd, OwnedFd)>, Errno> {
        let Some(fd) = self.named.get(name) else { return Ok(None) };
        let copy = fds::duplicate(fd)?;
        Ok(self.named.remove(name).map(|fd| (fd, copy)))
    }

    /// The names that were not taken.
    pub fn names(&self) -> impl Iterator<Item = &[u8]> {
        self.named.keys().map(|name| &name[..]).filter(|name| !is_reserved(name))
    }

    /// The next connection: its number at the owner, and the file of what was read of it.
    pub fn next_connection(&self) -> Option<(Vec<u8>, Option<&OwnedFd>)> {
        let (name, _) = self.named.range(CONNECTION.to_vec()..).next()?;
        let number = name.strip_prefix(CONNECTION)?;
        Some((number.to_vec(), self.named.get(&[READ, number].concat())))
    }

    /// Gives it to the application; nothing of it stays here.
    pub fn take_connection(&mut self, number: &[u8]) -> Option<(OwnedFd, Option<OwnedFd>)> {
        let fd = self.named.remove(&[CONNECTION, number].concat())?;
        Some((fd, self.named.remove(&[READ, number].concat())))
    }

    /// How many connections have come and were not taken.
    pub fn connections(&self) -> u32 {
        let ours = self.named.range(CONNECTION.to_vec()..).take_while(|(name, _)| name.starts_with(CONNECTION));
        u32::try_from(ours.count()).unwrap_or(u32::MAX)
    }

    /// The owner has read on since, and is dead: nobody knows where in a request they stand.
    pub fn forget_connections(&mut self) -> Vec<Arc<OwnedFd>> {
        let (gone, named) = std::mem::take(&mut self.named).into_iter().partition(|(name, _)| is_reserved(name));
        self.named = named;
        let gone: BTreeMap<_, OwnedFd> = gone;
        gone.into_values().map(Arc::new).collect()
    }

    /// What was not taken. The state stays readable.
    pub fn take_unclaimed(&mut self) -> impl Iterator<Item = Arc<OwnedFd>> + use<> {
        std::mem::take(&mut self.named).into_values().chain(std::mem::take(&mut self.replaced)).map(Arc::new)
    }

    /// The state, if there is one.
    pub fn state(&self) -> Option<&OwnedFd> {
        self.state.as_ref()
    }
}
