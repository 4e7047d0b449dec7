//! A control group that belongs to one child: made for it, killed with it, removed after it.
//!
//! It is the only containment that nothing gets out of: a process is born in the group of its parent, and neither a double fork nor
//! a new session changes that. Removal waits for the kernel (see `sys/cgroup.rs`): what cannot go yet is a leftover, which later calls try
//! again (`leftovers.rs`).
//!
//! Traps. A name may be somebody else's: a directory that is there is taken only if it is empty, and nothing below it is touched. Two
//! children of this process must not get the same one: names in use are remembered. A child that is started again finds the group
//! of its last run just leaving: that is waited for, briefly. And a path may lead elsewhere by the next time: the directory above is opened
//! once for all that is done at a time, and the group known by its inode, which no other group ever has again.

use std::collections::HashSet;
use std::ffi::{OsStr, OsString};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use nix::errno::Errno;

use super::leftovers::{self, Leftover, Pace};
use crate::clock::{Deadline, MILLI};
use crate::error::{Error, Result, Status};
use crate::lock::lock;
use crate::sys::cgroup::{self, Group};
use crate::sys::memory::{Home, PerProcess};
use crate::sys::poll;
use crate::sys::tree::{self, Identity, Suspended};

/// What a command says about its control group.
#[derive(Clone, Debug)]
pub struct Spec {
    path: PathBuf,
    /// A fresh directory inside `path` for every child.
    inside: bool,
    settings: Vec<(OsString, Vec<u8>)>,
}

/// The control group of one child.
#[derive(Debug)]
pub struct Cgroup {
    group: Group,
    place: Option<Place>,
}

/// A directory known by its inode.
#[derive(Debug)]
struct Place {
    path: PathBuf,
    identity: Identity,
    /// Whether its members end with the child, so that it can go soon.
    swept: bool,
    /// How far a removal has come.
    state: Mutex<Option<Suspended>>,
}

/// What this process has; a forked host has none, they are its parent's.
struct Places {
    used: Mutex<HashSet<PathBuf>>,
    home: Home,
}

static PLACES: PerProcess<Places> = PerProcess::new();

/// How long a start waits for the group of the last run: a hundred killed members on a busy machine need more than a tenth of that.
const GOING: i64 = 1_000 * MILLI;

/// How long one try to remove a group may take, with all that its members have made in it.
const AT_ONCE: i64 = 500 * MILLI;

/// Between two looks at one that is waited for.
const SOON: i64 = MILLI;

static PACE: Pace = Pace { first: SOON, slowest: 1_000 * MILLI, most: usize::MAX, tries: u32::MAX };

fn places() -> Result<&'static Places> {
    let make = || Ok(Places { used: Mutex::default(), home: Home::here() });
    PLACES.get_or_try_init(make).map_err(|errno| Error::system("mmap", errno, "cannot keep control groups"))
}

impl Spec {
    /// Checks the name.
    pub fn new(directory: &Path) -> Result<Self> {
        let bytes = directory.as_os_str().as_bytes();
        if !directory.is_absolute() || directory.components().any(|part| part == Component::ParentDir) {
            return Err(Error::invalid("cgroup", format!("cgroup: {directory:?} is not an absolute path without \"..\"")));
        }
        Ok(Self { path: directory.components().collect(), inside: bytes.ends_with(b"/"), settings: Vec::new() })
    }

    /// Adds a file to write once the group is there.
    pub fn set(&mut self, file: &OsStr, value: &OsStr) -> Result<()> {
        let bytes = file.as_bytes();
        // A child that is born frozen never executes its program, and the spawn would wait for that for ever.
        let ours = [&b"cgroup.procs"[..], b"cgroup.threads", b"cgroup.kill", b"cgroup.freeze"];
        if bytes.is_empty() || bytes.contains(&b'/') || bytes == b"." || bytes == b".." || ours.contains(&bytes) {
            return Err(Error::invalid("cgroup_set", format!("cgroup_set: {file:?} is no setting of a control group")));
        }
        self.settings.retain(|(name, _)| name != file);
        self.settings.push((file.to_owned(), value.as_bytes().to_vec()));
        Ok(())
    }
}

/// The directory above a group, open, and the name of the group in it.
fn above(path: &Path) -> core::result::Result<(OwnedFd, &OsStr), Errno> {
    Ok((tree::hold_place(path.parent().unwrap_or(Path::new("/")))?, path.file_name().unwrap_or_default()))
}

impl Cgroup {
    /// Makes the directory and its settings.
    pub fn create(spec: &Spec, swept: bool) -> Result<Self> {
        let failed = |step: &'static str, path: &Path, errno| {
            Error::system(step, errno, format!("cannot make the control group {}", path.display()))
        };
        let parent = if spec.inside { &spec.path } else { spec.path.parent().unwrap_or(Path::new("/")) };
        let directory = tree::hold_place(parent).map_err(|errno| failed("open", parent, errno))?;
        if !cgroup::is_cgroup2(&directory).map_err(|errno| failed("fstatfs", parent, errno))? {
            let message = format!("{} is not in a cgroup v2 file system", parent.display());
            return Err(Error::new(Status::Unsupported, "cgroup", message));
        }
        let made = if spec.inside { make_inside(&directory, parent) } else { make_named(&directory, &spec.path) };
        let path = made.map_err(|(path, errno)| match errno {
            Errno::EBUSY | Errno::ENOTEMPTY | Errno::EEXIST => failed("mkdir", &path, errno).with_status(Status::State),
            errno => failed("mkdir", &path, errno),
        })?;
        let name = path.file_name().unwrap_or_default();
        let group = match Group::open(&directory, name) {
            Ok(group) => group,
            Err(errno) => {
                let _ = cgroup::remove_empty(&directory, name);
                give_back_name(&path);
                return Err(failed("open", &path, errno));
            }
        };
        let identity = group.identity();
        let made = Self { group, place: Some(Place { path: path.clone(), identity, swept, state: Mutex::default() }) };
        for (file, value) in &spec.settings {
            if let Err(errno) = made.group.set(file, value) {
                let doing = format!("cannot set {} of the control group {}", file.to_string_lossy(), path.display());
                return Err(Error::system("cgroup_set", errno, doing));
            }
        }
        Ok(made)
    }

    /// The group.
    pub fn group(&self) -> &Group {
        &self.group
    }
}

type Made = core::result::Result<PathBuf, (PathBuf, Errno)>;

/// A directory that nobody had before. An earlier host of our number may have left some: theirs are left alone.
fn make_inside(directory: &OwnedFd, parent: &Path) -> Made {
    static LAST: AtomicU64 = AtomicU64::new(0);
    loop {
        let path = parent.join(format!("procsup-{}-{}", crate::sys::getpid(), LAST.fetch_add(1, Ordering::Relaxed) + 1));
        match cgroup::make(directory, path.file_name().unwrap_or_default()) {
            Err(Errno::EEXIST) => {}
            Err(errno) => return Err((path, errno)),
            Ok(()) => return Ok(path),
        }
    }
}

/// The directory of this name, which is ours from here on.
fn make_named(directory: &OwnedFd, path: &Path) -> Made {
    let fail = |errno| (path.to_path_buf(), errno);
    let places = places().map_err(|error| fail(error.errno.unwrap_or(Errno::ENOMEM)))?;
    if !lock(&places.used).insert(path.to_path_buf()) {
        return Err(fail(Errno::EBUSY));
    }
    let name = path.file_name().unwrap_or_default();
    let until = Deadline::after(GOING);
    let made = loop {
        match cgroup::make(directory, name) {
            Err(Errno::EEXIST) => {}
            other => break other,
        }
        // Our own of an earlier run, on its way out; or one that somebody left behind. Only an empty one is taken.
        let leaving = leftovers::retry_path(path);
        match cgroup::remove_empty(directory, name) {
            Ok(()) | Err(Errno::ENOENT) => {}
            Err(Errno::EBUSY) if leaving && !until.has_come() => poll::wait_raw(-1, SOON),
            Err(errno) => break Err(errno),
        }
    };
    made.map(|()| path.to_path_buf()).map_err(|errno| {
        give_back_name(path);
        fail(errno)
    })
}

fn give_back_name(path: &Path) {
    if let Some(places) = PLACES.get() {
        lock(&places.used).remove(path);
    }
}

impl Leftover for Place {
    fn remove(&self, until: Deadline) -> core::result::Result<(), Errno> {
        // One thread at a time removes it.
        let mut state = lock(&self.state).take();
        let removed = above(&self.path).and_then(|(parent, name)| cgroup::remove(&parent, name, self.identity, until, &mut state));
        *lock(&self.state) = state;
        match removed {
            Err(Errno::ENOENT | Errno::ENOTDIR) => Ok(()),
            other => other,
        }
    }

    fn pace(&self) -> &'static Pace {
        &PACE
    }

    fn goes_soon(&self) -> bool {
        self.swept
    }

    fn path(&self) -> Option<&Path> {
        Some(&self.path)
    }

    fn give_up(&self) {}
}

impl Drop for Cgroup {
    fn drop(&mut self) {
        let Some(place) = self.place.take() else { return };
        // A forked copy of the host owns nothing, and its copy of the lock may be held for ever.
        let Ok(places) = places() else { return };
        if !places.home.is_here() {
            return;
        }
        let path = place.path.clone();
        if let Err(errno) = place.remove(Deadline::after(AT_ONCE)) {
            leftovers::keep(Arc::new(place), errno);
        }
        lock(&places.used).remove(&path);
    }
}
