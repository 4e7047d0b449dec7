//! What every spawn would make of a command anew: for one by this process where its descriptors go and where its program may lie, kept from the first
//! spawn on; for one by a spawner its request, from the second.
//!
//! The trap: a command is a description, and what a child gets of the host is looked up at each spawn. So what is kept is compared with the host as it
//! stands now: its PATH, its environment string by string (a spawn by this process only takes pointers to that), its standard streams one by one
//! (the directory is the spawner's link's affair). And what is kept of a command is of that command: a clone has nothing, since it is made to be
//! changed, and who changes one in its place forgets it ([`Command::change`]).

use std::ffi::CString;
use std::slice;
use std::sync::{Arc, Mutex, OnceLock, TryLockError};

use nix::errno::Errno;

use super::{Command, EnvBase};
use crate::process::map::Map;
use crate::process::path::{self, Searched};
use crate::sys::environ::Snapshot;
use crate::sys::spawner::Standing;

/// An environment that is longer is not kept, nor is a request (`wire::INLINE`).
const MOST: u32 = 32 * 1024;

/// A request as it was sent, and of which host that is true.
#[derive(Debug)]
pub struct Known {
    request: Standing,
    /// See `Streams::inherited`.
    inherited: u8,
    /// `None`: it has nothing of the host's.
    environment: Option<Snapshot>,
}

#[derive(Debug, Default)]
enum State {
    /// Most commands are spawned once.
    #[default]
    New,
    Spawned,
    Known(Arc<Known>),
}

/// See the head of this file.
#[derive(Debug, Default)]
pub struct Prepared {
    request: Mutex<State>,
    map: OnceLock<Arc<Map>>,
    searched: Mutex<Option<Arc<Searched>>>,
}

impl Clone for Prepared {
    fn clone(&self) -> Self {
        Self::default()
    }
}

/// Whoever finds it taken does without: another thread, which perhaps is not there in a forked copy.
fn with<S, T>(kept: &Mutex<S>, act: impl FnOnce(&mut S) -> Option<T>) -> Option<T> {
    match kept.try_lock() {
        Ok(mut state) => act(&mut state),
        Err(TryLockError::Poisoned(poisoned)) => act(&mut poisoned.into_inner()),
        Err(TryLockError::WouldBlock) => None,
    }
}

/// The files that a program may be.
pub enum Files {
    /// The one that is named.
    Named,
    /// Those that a search may find.
    Searched(Arc<Searched>),
}

impl Known {
    /// The request, if it would be the same for this host.
    pub fn request(&self, command: &Command) -> Option<&Standing> {
        let is_so = self.request.is_right() && self.inherited == command.streams.inherited();
        (is_so && self.environment.as_ref().is_none_or(Snapshot::is_now)).then_some(&self.request)
    }
}

impl Command {
    /// Changes one that others may have a share of: they keep theirs.
    pub fn change(shared: &mut Arc<Self>) -> &mut Self {
        let changed = Arc::make_mut(shared);
        changed.prepared = Prepared::default();
        changed
    }

    /// Whether all its children are made by the same request, as long as the host stays as it is.
    pub(in crate::process) fn is_standing(&self) -> bool {
        // Programs are what they are.
        let Self { program: _, streams, identity, lifetime: _, gifts, readiness, prepared: _ } = self;
        !(streams.differ() || identity.differs() || gifts.differ() || readiness.differs() || self.is_made_here())
    }

    /// Where the descriptors of each child go, and that all else of it was checked; of one that is standing.
    pub(in crate::process) fn map(&self) -> Option<&Arc<Map>> {
        self.prepared.map.get()
    }

    /// Keeps that.
    pub(in crate::process) fn keep_map(&self, map: Option<Arc<Map>>) {
        if let Some(map) = map.filter(|_| self.is_standing()) {
            _ = self.prepared.map.set(map);
        }
    }

    /// What its program may be, by the PATH that its child has.
    pub(in crate::process) fn files(&self) -> Result<Files, Errno> {
        if path::is_file(&self.program.name) {
            return Ok(Files::Named);
        }
        self.program.env.with(b"PATH", |path| {
            let known = with(&self.prepared.searched, |known| known.clone()).filter(|known| known.is_by(path));
            if let Some(known) = known {
                return Ok(Files::Searched(known));
            }
            let made = Arc::new(Searched::of(&self.program.name, path)?);
            with(&self.prepared.searched, |known| known.replace(made.clone()));
            Ok(Files::Searched(made))
        })
    }

    /// Those.
    pub(in crate::process) fn candidates<'a>(&'a self, files: &'a Files) -> &'a [CString] {
        match files {
            Files::Named => slice::from_ref(&self.program.name),
            Files::Searched(searched) => searched.files(),
        }
    }

    /// What is known of its request.
    pub(in crate::process) fn known(&self) -> Option<Arc<Known>> {
        with(&self.prepared.request, |state| if let State::Known(known) = state { Some(known.clone()) } else { None })
    }

    /// Whether the request that is made now shall be kept.
    pub(in crate::process) fn is_to_be_kept(&self) -> bool {
        let before = with(&self.prepared.request, |state| {
            let spawned = !matches!(state, State::New);
            *state = State::Spawned;
            Some(spawned)
        });
        before == Some(true)
    }

    /// Keeps it. The environment is looked at now: nobody may change it during a spawn (`sys/environ.rs`).
    pub(in crate::process) fn keep(&self, request: Standing, inherited: u8) {
        let of_the_host = self.program.env.base != EnvBase::Clear;
        let environment = of_the_host.then(|| Snapshot::take(MOST));
        if environment.as_ref().is_none_or(Option::is_some) {
            let known = Known { request, inherited, environment: environment.flatten() };
            with(&self.prepared.request, |state| {
                *state = State::Known(Arc::new(known));
                Some(())
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;

    use super::*;
    use crate::process::command::Stdio;

    fn search(command: &Command) -> Arc<Searched> {
        match command.files().unwrap() {
            Files::Searched(searched) => searched,
            Files::Named => panic!("it was to be searched"),
        }
    }

    #[test]
    fn what_a_search_may_find_is_made_again_for_another_path_alone() {
        let mut command = Arc::new(Command::new("x").unwrap());
        let path = |command: &mut Arc<Command>, value| _ = Command::change(command).env("PATH", Some(OsStr::new(value))).unwrap();
        path(&mut command, "/a:/b");
        let first = search(&command);
        assert_eq!(first.files(), [c"/a/x".to_owned(), c"/b/x".to_owned()]);
        assert!(Arc::ptr_eq(&search(&command), &first));
        let clone = command.clone();
        path(&mut command, "/c");
        assert_eq!(search(&command).files(), [c"/c/x".to_owned()]);
        assert!(Arc::ptr_eq(&search(&clone), &first));
        let named = Command::new("./x").unwrap();
        assert_eq!(named.candidates(&named.files().unwrap()), [c"./x".to_owned()]);
    }

    #[test]
    fn descriptors_are_planned_once_where_each_child_has_the_same() {
        let mut command = Arc::new(Command::new("x").unwrap());
        Command::change(&mut command).stdio(0, Stdio::Null).unwrap();
        let map = Arc::new(Map::new(Vec::new(), &[0, 1, 2]));
        assert!(command.map().is_none());
        command.keep_map(Some(map.clone()));
        assert!(command.map().is_some_and(|kept| Arc::ptr_eq(kept, &map)));
        assert!(Command::clone(&command).map().is_none(), "it may be changed");
        Command::change(&mut command).stdio(1, Stdio::Pipe).unwrap();
        assert!(command.map().is_none());
        command.keep_map(Some(map));
        assert!(command.map().is_none(), "each child has a pipe of its own");
    }
}
