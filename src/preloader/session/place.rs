//! Where sessions make their directories: `spawn_dir`, else TMPDIR, else /tmp.
//!
//! Traps. **Whose it is**: who can rename in it decides what the path of a session means to the process that is told it; so it is this user's or root's, and
//! closed to others, or sticky. **What a dead host has left**: told by the lock that every directory's host holds (`private.rs`), never by age; looked
//! for once, in bounded time, and only under names that are made here.

use std::ffi::CStr;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::sys::stat::fstat;
use nix::unistd::geteuid;

use super::Arguments;
use super::private::{PREFIX, RANDOM};
use crate::clock::{Deadline, MILLI};
use crate::error::{Error, Result, Status};
use crate::lock::lock;
use crate::sys::memory::PerProcess;
use crate::sys::tree::{self, Identity, Kind};
use crate::sys::{environ, listing, lockfile};

/// What the search for leftovers of dead hosts may take, and how many names it looks at.
const SLICE: i64 = 20 * MILLI;
const LOOKS: usize = 4096;

/// A directory for directories, held.
#[derive(Debug)]
pub struct Place {
    /// Its descriptor.
    pub directory: OwnedFd,
    /// As it was named.
    pub path: PathBuf,
}

impl Place {
    /// Opens the one that the arguments name.
    pub fn of(arguments: &Arguments) -> Result<Arc<Self>> {
        let path = match arguments.text("spawn_dir") {
            Some(path) => PathBuf::from(path),
            None => default_path(),
        };
        Self::open(&path)
    }

    fn open(path: &Path) -> Result<Arc<Self>> {
        let cannot = |step| move |errno| Error::system(step, errno, format!("spawn_dir: {}", path.display()));
        let directory = tree::hold_place(path).map_err(cannot("open"))?;
        let facts = fstat(&directory).map_err(cannot("fstat"))?;
        let refused = |why: String| Err(Error::new(Status::Permission, "spawn_dir", format!("spawn_dir: {} {why}", path.display())));
        if facts.st_uid != geteuid().as_raw() && facts.st_uid != 0 {
            return refused(format!("belongs to user {}, who could put another directory in the place of a session's", facts.st_uid));
        }
        if facts.st_mode & 0o022 != 0 && facts.st_mode & libc::S_ISVTX == 0 {
            return refused(format!(
                "has the mode {:03o}: others could put another directory in the place of a session's",
                facts.st_mode & 0o777
            ));
        }
        let place = Arc::new(Self { directory, path: path.to_owned() });
        if let Ok(identity) = tree::identity(&place.directory)
            && is_first_look(identity)
        {
            place.clean(Deadline::after(SLICE));
        }
        Ok(place)
    }

    /// Removes what hosts that are no more have left here: the kernel has given up their locks. As far as it goes.
    pub fn clean(&self, until: Deadline) {
        let mut looks = 0;
        let _ = listing::names(&self.directory, |name| {
            if is_ours(name) {
                let _ = self.clean_one(name, until);
            }
            looks += 1;
            looks < LOOKS && !until.has_come()
        });
    }

    fn clean_one(&self, name: &CStr, until: Deadline) -> core::result::Result<(), Errno> {
        let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK | OFlag::O_CLOEXEC;
        // Not into a file system that somebody has mounted there: it may be one that answers whom it likes, or nobody.
        let stale = tree::open_within(&self.directory, name, flags)?;
        let facts = fstat(&stale)?;
        // Another user's are that user's hosts' to clean; root's sessions belong to whom they are for.
        if facts.st_uid != geteuid().as_raw() && !geteuid().is_root() {
            return Err(Errno::EPERM);
        }
        if !lockfile::try_lock(&stale)? {
            return Ok(());
        }
        let identity = (facts.st_dev, facts.st_ino);
        // It may be one that its host has just made, and has not locked yet: then that one finds it gone, and makes another.
        if tree::identity_at(&self.directory, name)? != identity {
            return Ok(());
        }
        tree::empty(&stale, Kind::Files, until, &mut None)?;
        tree::remove_directory(&self.directory, name, identity)
    }
}

/// Whether this is a name that a session's directory has.
fn is_ours(name: &CStr) -> bool {
    let rest = name.to_bytes().strip_prefix(PREFIX.as_bytes());
    rest.is_some_and(|rest| rest.len() == RANDOM && rest.iter().all(u8::is_ascii_alphanumeric))
}

/// Once for each of a few places in the life of a process.
fn is_first_look(place: Identity) -> bool {
    static SEEN: PerProcess<Mutex<Vec<Identity>>> = PerProcess::new();
    let Ok(seen) = SEEN.get_or_try_init(|| Ok(Mutex::default())) else { return false };
    let mut seen = lock(seen);
    if seen.contains(&place) || seen.len() == 16 || seen.try_reserve(1).is_err() {
        return false;
    }
    seen.push(place);
    true
}

fn default_path() -> PathBuf {
    let tmpdir = if environ::is_untrusted() { None } else { environ::get(b"TMPDIR").ok().flatten() };
    let tmpdir = tmpdir.and_then(|path| path.into_string().ok()).map(PathBuf::from);
    tmpdir.filter(|path| path.is_absolute()).unwrap_or_else(|| PathBuf::from("/tmp"))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::super::private::Private;
    use super::*;

    // covers: PA-19, D-13
    #[test]
    fn a_place_that_is_none_is_an_error_that_names_it() {
        let home = tempfile::tempdir().unwrap();
        let at = |name: &str| home.path().join(name);
        std::fs::write(at("file"), "").unwrap();
        symlink(at("nowhere"), at("dangling")).unwrap();
        symlink(at("round"), at("round")).unwrap();
        std::fs::create_dir(at("open")).unwrap();
        std::fs::set_permissions(at("open"), std::fs::Permissions::from_mode(0o777)).unwrap();
        for (name, errno) in [
            ("gone", Some(Errno::ENOENT)),
            ("file", Some(Errno::ENOTDIR)),
            ("dangling", Some(Errno::ENOENT)),
            ("round", Some(Errno::ELOOP)),
            ("open", None),
        ] {
            let error = Place::open(&at(name)).unwrap_err();
            assert_eq!(error.errno, errno, "{name}");
            assert!(error.message.contains("spawn_dir") && error.message.contains(at(name).to_str().unwrap()), "{}", error.message);
        }
        std::fs::set_permissions(at("open"), std::fs::Permissions::from_mode(0o1777)).unwrap();
        Place::open(&at("open")).unwrap();
        if geteuid().is_root() {
            std::os::unix::fs::chown(at("open"), Some(65_534), None).unwrap();
            assert_eq!(Place::open(&at("open")).unwrap_err().status, Status::Permission);
        }
    }

    // covers: D-17
    #[test]
    fn what_a_dead_host_has_left_goes_by_its_lock_and_what_lives_or_is_anybody_elses_stays() {
        let home = tempfile::tempdir().unwrap();
        let place = Place::open(home.path()).unwrap();
        let living = Private::make(&place, false).unwrap();
        let stale = home.path().join(format!("{PREFIX}0123456789abcdef"));
        std::fs::create_dir_all(stale.join("response/error")).unwrap();
        std::fs::write(stale.join("response/error/summary"), "x").unwrap();
        let others = [home.path().join("procsup.short"), home.path().join("somebody")];
        others.iter().for_each(|other| std::fs::create_dir(other).unwrap());
        symlink(&others[1], home.path().join(format!("{PREFIX}fedcba9876543210"))).unwrap();
        place.clean(Deadline::NEVER);
        assert!(!stale.exists());
        assert!(living.path().exists() && others.iter().all(|other| other.exists()));
    }
}
