//! A control group that belongs to one child: made for it, killed with it, removed after it.
//!
//! It is the only containment that nothing gets out of: a process is born in the group of its parent, and neither a double fork nor
//! a new session changes that. Removal waits for the kernel (see `sys/cgroup.rs`): what cannot go yet is kept in a list that
//! later calls try again, less and less often, and never forgotten.
//!
//! Traps. A name may be somebody else's: a directory that is there is taken only if it is empty, and nothing below it is touched. Two
//! children of this process must not get the same one: names in use are remembered. And a child that is started again finds the group
//! of its last run just leaving: that is waited for, briefly.

use std::collections::HashSet;
use std::ffi::{OsStr, OsString};
use std::io::ErrorKind;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use nix::errno::Errno;

use crate::clock::{self, Deadline, MILLI};
use crate::error::{Error, Result, Status};
use crate::lock::lock;
use crate::sys::cgroup::{self, Group};
use crate::sys::memory::{Home, PerProcess};
use crate::sys::poll;

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
    /// Whether its members end with the child, so that it can go soon.
    swept: bool,
}

/// A directory known by its inode.
#[derive(Debug)]
struct Place {
    path: PathBuf,
    identity: (u64, u64),
}

/// A directory that could not be removed so far.
#[derive(Debug)]
struct Leaving {
    place: Place,
    /// Its members were killed: it goes soon.
    soon: bool,
    next: Deadline,
    delay: i64,
}

#[derive(Default)]
struct Held {
    used: HashSet<PathBuf>,
    leaving: Vec<Leaving>,
}

/// What this process has; a forked host has none, they are its parent's.
struct Places {
    held: Mutex<Held>,
    /// When the next look at those that leave is due: a deadline, as a word.
    next: AtomicI64,
    home: Home,
}

static PLACES: PerProcess<Places> = PerProcess::new();

/// How long a start waits for the group of the last run: a hundred killed members on a busy machine need more than a tenth of that.
const GOING: i64 = 1_000 * MILLI;

/// The first retry, and the slowest.
const SOON: i64 = MILLI;
const SLOW: i64 = 1_000 * MILLI;

fn places() -> Result<&'static Places> {
    let make = || Ok(Places { held: Mutex::default(), next: AtomicI64::new(i64::MAX), home: Home::here() });
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

fn make_directory(path: &Path) -> core::result::Result<(), Errno> {
    std::fs::create_dir(path).map_err(|error| Errno::from_raw(error.raw_os_error().unwrap_or(libc::EIO)))
}

impl Cgroup {
    /// Makes the directory and its settings.
    pub fn create(spec: &Spec, swept: bool) -> Result<Self> {
        let failed = |step: &'static str, path: &Path, errno| {
            Error::system(step, errno, format!("cannot make the control group {}", path.display()))
        };
        let parent = if spec.inside { &spec.path } else { spec.path.parent().unwrap_or(Path::new("/")) };
        if !cgroup::is_cgroup2(parent).map_err(|errno| failed("statfs", parent, errno))? {
            let message = format!("{} is not in a cgroup v2 file system", parent.display());
            return Err(Error::new(Status::Unsupported, "cgroup", message));
        }
        retry_left();
        let path = if spec.inside { make_inside(parent) } else { make_named(&spec.path) }.map_err(|(path, errno)| match errno {
            Errno::EBUSY | Errno::ENOTEMPTY | Errno::EEXIST => Error { status: Status::State, ..failed("mkdir", &path, errno) },
            errno => failed("mkdir", &path, errno),
        })?;
        let group = match Group::open(&path) {
            Ok(group) => group,
            Err(errno) => {
                let _ = cgroup::remove_empty(&path);
                give_back_name(&path);
                return Err(failed("open", &path, errno));
            }
        };
        let identity = group.identity();
        let made = Self { group, place: Some(Place { path: path.clone(), identity }), swept };
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
fn make_inside(parent: &Path) -> Made {
    static LAST: AtomicU64 = AtomicU64::new(0);
    loop {
        let path = parent.join(format!("procsup-{}-{}", crate::sys::getpid(), LAST.fetch_add(1, Ordering::Relaxed) + 1));
        match make_directory(&path) {
            Err(Errno::EEXIST) => {}
            Err(errno) => return Err((path, errno)),
            Ok(()) => return Ok(path),
        }
    }
}

/// The directory of this name, which is ours from here on.
fn make_named(path: &Path) -> Made {
    let fail = |errno| (path.to_path_buf(), errno);
    let places = places().map_err(|error| fail(error.errno.unwrap_or(Errno::ENOMEM)))?;
    if !lock(&places.held).used.insert(path.to_path_buf()) {
        return Err(fail(Errno::EBUSY));
    }
    let until = Deadline::after(GOING);
    let made = loop {
        match make_directory(path) {
            Err(Errno::EEXIST) => {}
            other => break other,
        }
        // Our own of an earlier run, on its way out; or one that somebody left behind. Only an empty one is taken.
        let leaving = is_leaving(places, path);
        if leaving {
            retry_now(places, 1, |of| of.place.path == path);
        }
        match cgroup::remove_empty(path) {
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
        lock(&places.held).used.remove(path);
    }
}

fn is_leaving(places: &Places, path: &Path) -> bool {
    lock(&places.held).leaving.iter().any(|leaving| leaving.place.path == path)
}

impl Place {
    fn remove(&self) -> bool {
        match std::fs::symlink_metadata(&self.path) {
            Ok(found) if (found.dev(), found.ino()) == self.identity => cgroup::remove(&self.path).is_ok(),
            // Another one of that name.
            Ok(_) => true,
            Err(error) => matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory),
        }
    }
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
        if !place.remove() {
            let next = clock::now() + SOON;
            lock(&places.held).leaving.push(Leaving { place, soon: self.swept, next: Deadline::at(next), delay: SOON });
            places.next.fetch_min(next, Ordering::AcqRel);
        }
        lock(&places.held).used.remove(&path);
    }
}

/// When a look at groups that could not be removed is due.
pub fn left_due() -> Deadline {
    PLACES.get().map_or(Deadline::NEVER, |places| Deadline::at(places.next.load(Ordering::Acquire)))
}

/// Tries the failed removals again that are due. Costs one load when there are none.
pub fn retry_left() {
    if left_due().has_come()
        && let Some(places) = PLACES.get()
    {
        let now = clock::now();
        retry_now(places, 2, |leaving| leaving.next.is_over(now));
    }
}

/// Tries those again that will go soon, until they are gone, at most until then.
pub fn await_removals(until: Deadline) {
    let Some(places) = PLACES.get() else { return };
    while !left_due().is_never() && lock(&places.held).leaving.iter().any(|leaving| leaving.soon) && !until.has_come() {
        retry_now(places, 1, |leaving| leaving.soon);
        poll::wait_raw(-1, SOON / 2);
    }
}

/// Not under the lock: the file system takes its time. `longer`: by how much the wait for the next look grows.
fn retry_now(places: &Places, longer: i64, which: impl Fn(&Leaving) -> bool) {
    let mut tried: Vec<Leaving> = {
        let mut held = lock(&places.held);
        let (tried, rest) = std::mem::take(&mut held.leaving).into_iter().partition(which);
        held.leaving = rest;
        tried
    };
    tried.retain_mut(|leaving| {
        if leaving.place.remove() {
            return false;
        }
        leaving.delay = (leaving.delay * longer).min(SLOW);
        leaving.next = Deadline::after(leaving.delay);
        true
    });
    let mut held = lock(&places.held);
    held.leaving.append(&mut tried);
    let next = held.leaving.iter().filter_map(|leaving| leaving.next.nanos()).min();
    places.next.store(next.unwrap_or(i64::MAX), Ordering::Release);
}
