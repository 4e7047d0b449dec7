//! A control group that belongs to one child: made for it, killed with it, removed after it.
//!
//! It is the only containment that nothing gets out of: a process is born in the group of its parent, and neither a double fork nor
//! a new session changes that. Removal waits for the kernel (see `sys/cgroup.rs`): what cannot go yet is kept in a list that
//! later calls try again, and never forgotten.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use nix::errno::Errno;

use super::lock;
use crate::error::{Error, Result, Status};
use crate::sys::cgroup::{self, Group};
use crate::sys::memory::{self, PerProcess};

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
    place: Place,
}

/// A directory known by its inode.
#[derive(Debug)]
struct Place {
    path: PathBuf,
    identity: (u64, u64),
    instance: u32,
}

/// Groups that could not be removed so far. A forked host has none: they are its parent's.
static LEFT: PerProcess<Mutex<Vec<Place>>> = PerProcess::new();
/// How many those are: a look at this costs nothing.
static LEFT_COUNT: AtomicUsize = AtomicUsize::new(0);

impl Spec {
    /// Checks the name.
    pub fn new(directory: &Path) -> Result<Self> {
        let bytes = directory.as_os_str().as_bytes();
        if !directory.is_absolute() || directory.components().any(|part| part == Component::ParentDir) {
            return Err(Error::invalid("cgroup", format!("cgroup: {directory:?} is not an absolute path without \"..\"")));
        }
        Ok(Self { path: directory.to_path_buf(), inside: bytes.ends_with(b"/"), settings: Vec::new() })
    }

    /// Adds a file to write once the group is there.
    pub fn set(&mut self, file: &OsStr, value: &OsStr) -> Result<()> {
        let bytes = file.as_bytes();
        if bytes.is_empty() || bytes.contains(&b'/') || bytes == b"cgroup.procs" || bytes == b"cgroup.kill" || bytes == b"cgroup.threads" {
            return Err(Error::invalid("cgroup_set", format!("cgroup_set: {file:?} is no setting of a control group")));
        }
        self.settings.retain(|(name, _)| name != file);
        self.settings.push((file.to_owned(), value.as_bytes().to_vec()));
        Ok(())
    }
}

impl Cgroup {
    /// Makes the directory and its settings.
    pub fn create(spec: &Spec) -> Result<Self> {
        static LAST: AtomicU64 = AtomicU64::new(0);
        let path = if spec.inside {
            spec.path.join(format!("procsup-{}-{}", crate::sys::getpid(), LAST.fetch_add(1, Ordering::Relaxed) + 1))
        } else {
            spec.path.clone()
        };
        let failed = |step: &'static str, errno: Errno| Error::system(step, errno, format!("cannot make the control group {}", path.display()));
        let parent = path.parent().unwrap_or(Path::new("/"));
        if !cgroup::is_cgroup2(parent).map_err(|errno| failed("statfs", errno))? {
            let message = format!("{} is not in a cgroup v2 file system", parent.display());
            return Err(Error::new(Status::Unsupported, "cgroup", message));
        }
        retry_left();
        let make = || std::fs::create_dir(&path).map_err(|error| Errno::from_raw(error.raw_os_error().unwrap_or(libc::EIO)));
        let made = match make() {
            // Left by an earlier run of the host: an empty one can be had, one with processes in it is somebody's.
            Err(Errno::EEXIST) => cgroup::remove(&path).and_then(|()| make()),
            other => other,
        };
        made.map_err(|errno| match errno {
            Errno::EBUSY => Error { status: Status::State, ..failed("mkdir", errno) },
            errno => failed("mkdir", errno),
        })?;
        let identity = std::fs::symlink_metadata(&path).map(|found| (found.dev(), found.ino())).unwrap_or_default();
        let place = Place { path: path.clone(), identity, instance: memory::instance() };
        let group = Group::open(&path).map_err(|errno| {
            place.remove();
            failed("open", errno)
        })?;
        let made = Self { group, place };
        for (file, value) in &spec.settings {
            if let Err(errno) = made.group.set(file, value) {
                let step = format!("cannot set {} of the control group {}", file.to_string_lossy(), path.display());
                return Err(Error::system("cgroup_set", errno, step));
            }
        }
        Ok(made)
    }

    /// The group.
    pub fn group(&self) -> &Group {
        &self.group
    }
}

impl Place {
    fn remove(&self) -> bool {
        match std::fs::symlink_metadata(&self.path) {
            Ok(found) if (found.dev(), found.ino()) == self.identity => cgroup::remove(&self.path).is_ok(),
            // Gone, or another one of that name.
            _ => true,
        }
    }
}

impl Drop for Cgroup {
    fn drop(&mut self) {
        let place = Place { path: std::mem::take(&mut self.place.path), ..self.place };
        if place.instance == memory::instance()
            && !place.remove()
            && let Ok(left) = LEFT.get_or_try_init(|| Ok(Mutex::default()))
        {
            let mut left = lock(left);
            left.push(place);
            LEFT_COUNT.store(left.len(), Ordering::Release);
        }
    }
}

/// Whether groups wait for their removal.
pub fn any_left() -> bool {
    LEFT_COUNT.load(Ordering::Acquire) != 0
}

/// Tries the failed removals again. Cheap when there are none.
pub fn retry_left() {
    if !any_left() {
        return;
    }
    let Some(left) = LEFT.get() else { return };
    let mut again = std::mem::take(&mut *lock(left));
    again.retain(|place| !place.remove());
    let mut left = lock(left);
    left.append(&mut again);
    LEFT_COUNT.store(left.len(), Ordering::Release);
}
