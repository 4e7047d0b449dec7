//! A directory of a session's own: a name that nobody guesses, made exclusively, mode 0700, and removed by the one who made it.
//!
//! Traps.
//! - **It will be another user's**, who may fill it with links, depth and mounts, rename it, and go on doing so while it is removed. So it is held open, and
//!   emptied by that descriptor (`sys/tree.rs`); its name is taken away only where it still is this one's. What takes longer is left to later
//!   calls (`process/leftovers.rs`): no application decides how long a call takes.
//! - **Its host may be killed.** It holds a lock on the directory, flock(2), that ends with it: the next host knows by that what may go (`place.rs`), and
//!   systemd-tmpfiles(8) spares what is locked, however old it is. Between the making and the lock a cleaner may come: whoever finds his directory
//!   locked or gone makes another.
//! - **A forked copy** has inherited it and removes nothing.

use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use nix::errno::Errno;
use nix::fcntl::{OFlag, openat};
use nix::sys::stat::{Mode, fchmod, fstat, mkdirat};
use nix::unistd::{UnlinkatFlags, unlinkat};

use super::place::Place;
use super::predefined::chance;
use crate::clock::{Deadline, MILLI};
use crate::error::{Error, Result};
use crate::lock::lock;
use crate::process::leftovers::{self, Leftover, Pace};
use crate::sys::memory::Home;
use crate::sys::tree::{self, Identity, Kind, Suspended};
use crate::sys::{fds, lockfile};

/// What its name begins with, and of how many characters by chance it consists beside that.
pub const PREFIX: &str = "procsup.";
/// See [`PREFIX`].
pub const RANDOM: usize = 16;
/// The beginning of one that is to stay: no cleaner takes it for a leftover.
const KEPT: &str = "procsup-debug.";

/// How long the call that ends a session works at its removal; and how many steps it takes beyond that: what a decent session has made goes at once, however
/// busy the machine is.
const AT_ONCE: i64 = 20 * MILLI;
const STEPS: usize = 300;
static PACE: Pace = Pace { first: 10 * MILLI, slowest: 60_000 * MILLI, most: 64, tries: 26 };

#[derive(Debug)]
struct Held {
    place: Arc<Place>,
    name: String,
    directory: OwnedFd,
    identity: Identity,
    /// How far its removal has come.
    state: Mutex<Option<Suspended>>,
}

/// A directory that goes when this is dropped.
#[derive(Debug)]
pub struct Private {
    held: Arc<Held>,
    path: PathBuf,
    keep: bool,
    home: Home,
}

impl Leftover for Held {
    fn remove(&self, until: Deadline) -> core::result::Result<(), Errno> {
        // It may be empty: a session's is (`layout.rs`).
        let is_it = || tree::identity_at(&self.place.directory, self.name.as_str()) == Ok(self.identity);
        if lock(&self.state).is_none() && is_it() && unlinkat(&self.place.directory, self.name.as_str(), UnlinkatFlags::RemoveDir).is_ok() {
            return Ok(());
        }
        // One thread at a time removes it.
        let mut state = lock(&self.state).take();
        let emptied = tree::empty(&self.directory, Kind::Files, until, &mut state);
        *lock(&self.state) = state;
        emptied?;
        tree::remove_directory(&self.place.directory, self.name.as_str(), self.identity)
    }

    fn pace(&self) -> &'static Pace {
        &PACE
    }

    fn goes_soon(&self) -> bool {
        false
    }

    fn path(&self) -> Option<&Path> {
        None
    }

    fn give_up(&self) {}
}

impl Private {
    /// Makes one. `keep`: it stays when this is dropped.
    pub fn make(place: &Arc<Place>, keep: bool) -> Result<Self> {
        let cannot =
            |step| move |errno| Error::system(step, errno, format!("spawn_dir: cannot make a directory in {}", place.path.display()));
        let mut last = Errno::EEXIST;
        // A name that is taken, or a directory that a cleaner was faster with: both are as likely as a collision of 80 bits, unless somebody means it.
        for _ in 0..16 {
            let name = format!("{}{}", if keep { KEPT } else { PREFIX }, chance(RANDOM));
            match mkdirat(&place.directory, name.as_str(), Mode::S_IRWXU) {
                Err(Errno::EEXIST) => continue,
                other => other.map_err(cannot("mkdirat"))?,
            }
            match take(place, &name) {
                Ok(Some((directory, identity))) => {
                    let path = place.path.join(&name);
                    let held = Arc::new(Held { place: place.clone(), name, directory, identity, state: Mutex::default() });
                    return Ok(Self { held, path, keep, home: Home::here() });
                }
                Ok(None) => last = Errno::EAGAIN,
                Err((step, errno)) => {
                    // Empty, and nobody else's name.
                    let _ = unlinkat(&place.directory, name.as_str(), UnlinkatFlags::RemoveDir);
                    return Err(cannot(step)(errno));
                }
            }
        }
        Err(cannot("mkdirat")(last))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether it is removed when this is dropped, here.
    pub fn goes(&self) -> bool {
        !self.keep && self.home.is_here()
    }

    /// Held, and readable.
    pub fn directory(&self) -> &OwnedFd {
        &self.held.directory
    }

    /// Whose it is, and whether its group is inherited from above.
    pub fn ownership(&self) -> Result<(u32, u32, bool)> {
        let facts = fstat(&self.held.directory).map_err(|errno| Error::system("fstat", errno, self.path.display().to_string()))?;
        Ok((facts.st_uid, facts.st_gid, facts.st_mode & libc::S_ISGID != 0))
    }
}

type Taken = (OwnedFd, Identity);

/// Opens and locks one that was just made. `None`: somebody else has it, or it is gone.
fn take(place: &Place, name: &str) -> core::result::Result<Option<Taken>, (&'static str, Errno)> {
    let held = match tree::hold(&place.directory, name) {
        Err(Errno::ENOENT | Errno::ENOTDIR | Errno::ELOOP) => return Ok(None),
        other => other.map_err(|errno| ("open", errno))?,
    };
    let seen = fstat(&held).map_err(|errno| ("fstat", errno))?;
    // The umask of the host has no say.
    if seen.st_mode & 0o700 != 0o700 {
        tree::allow(&held).map_err(|errno| ("chmod", errno))?;
    }
    let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
    let directory = openat(&held, ".", flags, Mode::empty()).and_then(fds::above_standard).map_err(|errno| ("open", errno))?;
    if seen.st_mode & 0o777 & !0o700 != 0 {
        fchmod(&directory, Mode::S_IRWXU).map_err(|errno| ("fchmod", errno))?;
    }
    // A file system without such locks (NFS, of what is open for reading): then no cleaner gets one either, and nothing is cleaned there.
    if lockfile::try_lock(&directory) == Ok(false) {
        return Ok(None);
    }
    let identity = (seen.st_dev, seen.st_ino);
    match tree::identity_at(&place.directory, name) {
        Ok(found) if found == identity => Ok(Some((directory, identity))),
        Ok(_) | Err(Errno::ENOENT) => Ok(None),
        Err(errno) => Err(("fstatat", errno)),
    }
}

impl Drop for Private {
    fn drop(&mut self) {
        if !self.goes() {
            return;
        }
        let mut removed = self.held.remove(Deadline::after(AT_ONCE));
        for _ in 0..STEPS {
            if removed != Err(Errno::ETIMEDOUT) {
                break;
            }
            removed = self.held.remove(Deadline::PAST);
        }
        if let Err(errno) = removed {
            leftovers::keep(self.held.clone(), errno);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    fn place() -> (tempfile::TempDir, Arc<Place>) {
        let home = tempfile::tempdir().unwrap();
        let mut arguments = super::super::Arguments::default();
        arguments.set("spawn_dir", home.path().to_str()).unwrap();
        let place = Place::of(&arguments).unwrap();
        (home, place)
    }

    // covers: PA-19, PA-20
    #[test]
    fn it_is_its_makers_alone_under_a_name_that_nobody_guesses() {
        let (_home, place) = place();
        let (one, other) = (Private::make(&place, false).unwrap(), Private::make(&place, false).unwrap());
        assert_ne!(one.path(), other.path());
        assert_eq!(std::fs::metadata(one.path()).unwrap().permissions().mode() & 0o7777, 0o700);
        let name = one.path().file_name().unwrap().to_str().unwrap();
        assert!(name.starts_with(PREFIX) && name.len() == PREFIX.len() + RANDOM, "{name}");
    }

    // covers: PA-31, LAW-17
    #[test]
    fn it_goes_with_all_that_is_in_it_and_nothing_else() {
        let (home, place) = place();
        let outside = home.path().join("outside");
        std::fs::create_dir(&outside).unwrap();
        std::fs::write(outside.join("file"), "stays").unwrap();
        let private = Private::make(&place, false).unwrap();
        let path = private.path().to_owned();
        symlink(&outside, path.join("link")).unwrap();
        symlink("/", path.join("root")).unwrap();
        let mut deep = path.clone();
        for _ in 0..100 {
            deep.push("d");
            std::fs::create_dir(&deep).unwrap();
        }
        std::fs::create_dir(path.join("closed")).unwrap();
        std::fs::write(path.join("closed/file"), "").unwrap();
        std::fs::set_permissions(path.join("closed"), std::fs::Permissions::from_mode(0o0)).unwrap();
        drop(private);
        // What one call has no time for is left to later ones.
        while path.exists() {
            leftovers::await_removals(Deadline::after(1_000 * MILLI));
        }
        assert_eq!(std::fs::read(outside.join("file")).unwrap(), b"stays");
    }

    // covers: PA-31
    #[test]
    fn one_that_was_replaced_is_emptied_and_the_other_one_stays() {
        let (home, place) = place();
        let private = Private::make(&place, false).unwrap();
        let path = private.path().to_owned();
        std::fs::write(path.join("file"), "").unwrap();
        let moved = home.path().join("moved");
        std::fs::rename(&path, &moved).unwrap();
        std::fs::create_dir(&path).unwrap();
        std::fs::write(path.join("others"), "").unwrap();
        drop(private);
        assert!(path.join("others").exists());
        assert_eq!(std::fs::read_dir(&moved).unwrap().count(), 0);
    }

    // covers: PA-31
    #[test]
    fn one_that_is_to_stay_stays_and_no_cleaner_takes_it() {
        let (_home, place) = place();
        let private = Private::make(&place, true).unwrap();
        let path = private.path().to_owned();
        drop(private);
        place.clean(Deadline::NEVER);
        assert!(path.exists());
    }

    // covers: D-17
    #[test]
    fn its_lock_is_held_as_long_as_it_is() {
        let (_home, place) = place();
        let private = Private::make(&place, false).unwrap();
        let other = openat(&place.directory, private.path(), OFlag::O_RDONLY, Mode::empty()).unwrap();
        assert_eq!(lockfile::try_lock(&other), Ok(false));
        drop(private);
        assert_eq!(lockfile::try_lock(&other), Ok(true));
    }
}
