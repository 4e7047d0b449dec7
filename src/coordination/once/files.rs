//! The file `NAME.run` in its directory: looked at, and made for a new daemon.
//!
//! Traps. **The directory**: who can rename or remove in it decides who runs, so it must be this user's or root's, and closed to others or sticky. It
//! is opened once, and everything is done in what was opened; that it still is what its path means, and the lock still in it, is looked at
//! last, just before a daemon is made. **A name**: it becomes a file's, so it is letters and digits. **What is there**: no link is followed, nothing
//! of another user, or with a second name, is opened, read or locked (`sys/lockfile.rs`). **A leftover**: a starter that was killed leaves at most one
//! `NAME.run.new`, which only the holder of the lock may have made, and the next one removes.
//!
//! The record says which process to look at; that it is the one that was born, the kernel says (`identify`): by the inode of its pidfd, else its start
//! time, in this boot and this pid namespace.

use std::ffi::{OsStr, OsString};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::sys::stat::Mode;
use nix::unistd::geteuid;

use super::machine::Recorded;
use super::record::{self, Born, Record};
use crate::error::{Error, Result, Status};
use crate::sys::directory::{Directory, is_of};
use crate::sys::identity::Place as Here;
use crate::sys::lockfile::{self, Refusal};
use crate::sys::pidfd::{self, Life};
use crate::sys::procfs::{self, Fate};

/// The longest name.
pub const LONGEST_NAME: usize = 64;

/// Where the files of one daemon are.
#[derive(Debug)]
pub struct Place {
    directory: Directory,
    path: PathBuf,
    lock: OsString,
    run: OsString,
    new: OsString,
}

/// What a look has shown.
#[derive(Debug)]
pub struct Look {
    /// Somebody holds the daemon's lock.
    pub held: bool,
    /// What the record says.
    pub recorded: Recorded,
    /// The daemon, where it lives and has a pidfd to wait for.
    pub daemon: Option<OwnedFd>,
    /// Its number; for display.
    pub pid: Option<i32>,
}

/// A file that was made for a new daemon, and its lock. Closed without an unlock: the lock is then its heirs'.
#[derive(Debug)]
pub struct Made {
    /// The open description that the daemon inherits.
    pub file: OwnedFd,
    /// What stands in it.
    pub record: [u8; record::LENGTH],
}

/// Refuses what could lead out of the directory, hide a file, or mean something to a shell.
pub fn check_name(name: &[u8]) -> Result<()> {
    let why = match name {
        [] => "is empty",
        [b'.' | b'-', ..] => "begins with a dot or a dash",
        name if name.len() > LONGEST_NAME => "has more than 64 bytes",
        name if !name.iter().all(|byte| byte.is_ascii_alphanumeric() || b"._-@+:".contains(byte)) => {
            "holds something else than letters, digits and . _ - @ + :"
        }
        _ => return Ok(()),
    };
    let shown = String::from_utf8_lossy(&name[..name.len().min(LONGEST_NAME)]);
    Err(Error::invalid("name", format!("name: {shown:?} {why}")))
}

impl Place {
    /// Opens the directory, and looks whether it can be trusted.
    pub fn open(directory: &Path, name: &[u8]) -> Result<Self> {
        check_name(name)?;
        if directory.as_os_str().is_empty() {
            return Err(Error::invalid("dir", "dir: the string is empty"));
        }
        let path = std::path::absolute(directory).map_err(|error| Error::relative("dir", &error))?;
        let named = |suffix: &str| OsString::from(format!("{}{suffix}", String::from_utf8_lossy(name)));
        let (lock, run, new) = (named(".lock"), named(".run"), named(".run.new"));
        let cannot = |errno| Error::system("open", errno, format!("dir: {}", path.display()));
        let held = Directory::of(&path.join(&run)).map_err(cannot)?;
        let facts = held.facts().map_err(cannot)?;
        let user = geteuid().as_raw();
        let refused = |why: String| Err(Error::new(Status::Permission, "dir", format!("dir: {} {why}", path.display())));
        if facts.st_uid != user && facts.st_uid != 0 {
            return refused(format!("belongs to user {}, who could put other files there", facts.st_uid));
        }
        if facts.st_mode & 0o022 != 0 && facts.st_mode & libc::S_ISVTX == 0 {
            return refused(format!("has the mode {:03o}: others could put other files there", facts.st_mode & 0o777));
        }
        Ok(Self { directory: held, path, lock, run, new })
    }

    /// Where the lock of who starts is.
    pub fn lock_path(&self) -> PathBuf {
        self.path.join(&self.lock)
    }

    /// Where the record is.
    pub fn run_path(&self) -> PathBuf {
        self.path.join(&self.run)
    }

    /// The path must still mean the directory that is held: else the lock that was taken by its path is another daemon's.
    pub fn check_path(&self) -> Result<()> {
        match self.directory.is_of_path(&self.run_path()) {
            Ok(true) => Ok(()),
            Ok(false) => Err(self.replaced(&self.path)),
            Err(errno) => Err(Error::system("stat", errno, format!("dir: {}", self.path.display()))),
        }
    }

    fn replaced(&self, what: &Path) -> Error {
        Error::new(Status::LockReplaced, "dir", format!("{} was replaced meanwhile", what.display()))
    }

    fn refused(&self, name: &OsStr, refusal: Refusal) -> Error {
        let path = self.path.join(name);
        let why = match refusal {
            Refusal::Cannot(errno) => return Error::system("open", errno, format!("cannot open {}", path.display())),
            Refusal::Kind => "is no regular file".to_owned(),
            Refusal::Owner(user) => format!("belongs to user {user}"),
            Refusal::Links(count) => format!("has {count} names: it may be any file"),
        };
        Error::new(Status::Permission, "run", format!("{} {why}", path.display()))
    }

    /// Who runs, as far as the files tell. Only for who has the lock: nobody changes them meanwhile, and no birth is under way.
    pub fn look(&self) -> Result<Look> {
        let file = match lockfile::look_at(&self.directory, &self.run) {
            Ok(file) => file,
            // Nobody may take it away while we have the lock: who only seems to be gone is not taken for gone.
            Err(Refusal::Cannot(Errno::ENOENT)) => match self.directory.look(&self.run) {
                Err(Errno::ENOENT) => return Ok(Look { held: false, recorded: Recorded::None, daemon: None, pid: None }),
                Err(errno) => return Err(self.refused(&self.run, Refusal::Cannot(errno))),
                Ok(_) => return Err(self.replaced(&self.run_path())),
            },
            Err(refusal) => return Err(self.refused(&self.run, refusal)),
        };
        let cannot = |step: &'static str| move |errno| Error::system(step, errno, format!("cannot look at {}", self.run_path().display()));
        // One byte more than a record has: what is longer is none.
        let mut bytes = [0; record::LENGTH + 1];
        let length = lockfile::read(&file, &mut bytes).map_err(cannot("read"))?;
        let held = !lockfile::is_free(&file).map_err(cannot("flock"))?;
        drop(file);
        let Some(found) = record::parse(&bytes[..length]) else {
            return Ok(Look { held, recorded: Recorded::None, daemon: None, pid: None });
        };
        let (recorded, daemon) = identify(&found, &Here::here()).map_err(cannot("pidfd_open"))?;
        Ok(Look { held, recorded, daemon, pid: found.born.map(|born| born.pid) })
    }

    /// Makes the file of a new daemon: complete and locked before it has its name, so that nobody ever sees half of it. Whoever holds on to the one
    /// before has a file without a name.
    pub fn make(&self) -> Result<Made> {
        let doing = format!("cannot make {}", self.path.join(&self.new).display());
        let cannot = |step: &'static str| {
            let doing = &doing;
            move |errno| Error::system(step, errno, doing)
        };
        self.remove_leftover()?;
        let flags = OFlag::O_RDWR | OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_NONBLOCK;
        let file = self.directory.open(&self.new, flags, Mode::S_IRUSR | Mode::S_IWUSR).map_err(cannot("open"))?;
        let identity = lockfile::identity(&file).map_err(cannot("fstat"))?;
        let remove = || _ = self.directory.remove(&self.new, identity);
        let made = self.complete(file).inspect_err(|_| remove())?;
        self.check_path().inspect_err(|_| remove())?;
        self.directory.rename(&self.new, &self.run).map_err(cannot("rename")).inspect_err(|_| remove())?;
        match self.directory.names(&self.run, identity) {
            Ok(true) => Ok(made),
            Ok(false) => Err(self.replaced(&self.run_path())),
            Err(errno) => Err(cannot("fstatat")(errno)),
        }
    }

    /// What a starter left that was killed.
    fn remove_leftover(&self) -> Result<()> {
        let left = match self.directory.look(&self.new) {
            Ok(left) => left,
            Err(Errno::ENOENT) => return Ok(()),
            Err(errno) => return Err(self.refused(&self.new, Refusal::Cannot(errno))),
        };
        if !is_of(&left, libc::S_IFREG) {
            return Err(self.refused(&self.new, Refusal::Kind));
        }
        match self.directory.remove(&self.new, (&left).into()) {
            Ok(()) | Err(Errno::ENOENT) => Ok(()),
            Err(errno) => Err(Error::system("unlink", errno, format!("cannot remove {}", self.path.join(&self.new).display()))),
        }
    }

    fn complete(&self, file: OwnedFd) -> Result<Made> {
        let cannot = |step: &'static str| move |errno| Error::system(step, errno, format!("cannot make {}", self.run_path().display()));
        if !lockfile::try_lock(&file).map_err(cannot("flock"))? {
            return Err(Error::new(Status::Locked, "flock", format!("somebody else has locked {}", self.path.join(&self.new).display())));
        }
        lockfile::spare(&file);
        let record = record::unborn(&procfs::boot_id(), procfs::pid_namespace_of_children(), crate::sys::getpid());
        lockfile::write(&file, &record).map_err(cannot("pwrite"))?;
        Ok(Made { file, record })
    }
}

/// What became of who was born: in this boot, as this pid namespace numbers.
fn identify(record: &Record, here: &Here) -> core::result::Result<(Recorded, Option<OwnedFd>), Errno> {
    let Some(born) = record.born else { return Ok((Recorded::Unborn, None)) };
    // Another boot may be another machine's, on a file system of both, or this one's from before it was moved with all that runs: where the lock is
    // held there is somebody. After a reboot nobody holds it.
    if !record.place.is(here) {
        return Ok((Recorded::Unknown, None));
    }
    match pidfd::may_open().then(|| pidfd::open(born.pid)) {
        Some(Ok(pidfd)) => Ok(judge(born, pidfd)),
        Some(Err(Errno::ESRCH)) => Ok((Recorded::Dead, None)),
        // A thread has it by now (EINVAL, or ENOENT), or a filter forbids it: by number, then, which is its own as long as the start time is.
        None | Some(Err(Errno::EINVAL | Errno::ENOENT | Errno::ENOSYS | Errno::EPERM | Errno::EACCES)) => Ok((by_number(born), None)),
        Some(Err(errno)) => Err(errno),
    }
}

fn judge(born: Born, pidfd: OwnedFd) -> (Recorded, Option<OwnedFd>) {
    use std::os::fd::AsRawFd;
    let is_it = born.are_of(&pidfd);
    let lives = pidfd::life(pidfd.as_raw_fd()) == Life::Running;
    match is_it {
        _ if !lives => (Recorded::Dead, None),
        Some(true) => (Recorded::Alive, Some(pidfd)),
        Some(false) => (Recorded::Dead, None),
        None => (Recorded::Unknown, Some(pidfd)),
    }
}

fn by_number(born: Born) -> Recorded {
    match procfs::fate(born.pid, born.start) {
        Fate::Dead => Recorded::Dead,
        Fate::Unknown => Recorded::Unknown,
        _ if born.start.is_none() => Recorded::Unknown,
        Fate::Runs | Fate::Dumps | Fate::Ends => Recorded::Alive,
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn place(home: &tempfile::TempDir) -> Place {
        Place::open(home.path(), b"name").unwrap()
    }

    fn heard(look: &Look) -> (bool, Recorded) {
        (look.held, look.recorded)
    }

    #[test]
    fn names_are_names_of_files_in_the_directory() {
        for name in ["a", "A-1_x.y@z+2:3", &"x".repeat(64)] {
            check_name(name.as_bytes()).unwrap();
        }
        for name in ["", ".", "..", ".a", "-a", "a/b", "a b", "a\0b", "\u{e4}", &"x".repeat(65)] {
            assert_eq!(check_name(name.as_bytes()).unwrap_err().status, Status::InvalidArgument, "{name:?}");
        }
    }

    #[test]
    fn a_directory_in_which_others_write_is_refused_unless_it_is_sticky() {
        let home = tempfile::tempdir().unwrap();
        for (mode, trusted) in [(0o700, true), (0o755, true), (0o770, false), (0o707, false), (0o1777, true)] {
            std::fs::set_permissions(home.path(), PermissionsExt::from_mode(mode)).unwrap();
            assert_eq!(Place::open(home.path(), b"name").is_ok(), trusted, "{mode:o}");
        }
        assert_eq!(Place::open(&home.path().join("nowhere"), b"name").unwrap_err().status, Status::NotFound);
    }

    #[test]
    fn what_was_made_is_locked_and_of_nobody_until_it_is_closed() {
        let home = tempfile::tempdir().unwrap();
        let place = place(&home);
        assert_eq!(heard(&place.look().unwrap()), (false, Recorded::None));
        let made = place.make().unwrap();
        assert_eq!(heard(&place.look().unwrap()), (true, Recorded::Unborn));
        let again = place.make().unwrap();
        assert_ne!(lockfile::identity(&again.file), lockfile::identity(&made.file), "each daemon has a lock of its own");
        drop(again);
        assert_eq!(heard(&place.look().unwrap()), (false, Recorded::Unborn));
        assert_eq!(std::fs::metadata(place.run_path()).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(!home.path().join("name.run.new").exists());
    }

    #[test]
    fn a_directory_that_was_replaced_is_told_before_anything_is_put_there() {
        let home = tempfile::tempdir().unwrap();
        let (here, there) = (home.path().join("here"), home.path().join("there"));
        std::fs::create_dir(&here).unwrap();
        let place = Place::open(&here, b"name").unwrap();
        std::fs::rename(&here, &there).unwrap();
        std::fs::create_dir(&here).unwrap();
        assert_eq!(place.make().unwrap_err().status, Status::LockReplaced);
        assert_eq!(std::fs::read_dir(&here).unwrap().count() + std::fs::read_dir(&there).unwrap().count(), 0);
    }

    /// A process of ours as a record would have it, with what is changed.
    fn identified(change: impl FnOnce(&mut Record)) -> Recorded {
        let pid = crate::sys::getpid();
        let inode = pidfd::open(pid).ok().and_then(|pidfd| pidfd::number(&pidfd));
        let born = Born { pid, inode, start: procfs::start_time(pid) };
        let here = Here::here();
        let mut record = Record { place: here.clone(), starter: 1, born: Some(born) };
        change(&mut record);
        identify(&record, &here).unwrap().0
    }

    #[test]
    fn who_was_born_is_known_by_inode_or_start_time_in_one_boot_and_namespace() {
        assert_eq!(identified(|_| {}), Recorded::Alive);
        assert_eq!(identified(|record| record.born.as_mut().unwrap().inode = None), Recorded::Alive, "before Linux 6.9");
        assert_eq!(
            identified(|record| *record.born.as_mut().unwrap() = Born { inode: None, start: Some(1), ..record.born.unwrap() }),
            Recorded::Dead
        );
        assert_eq!(
            identified(|record| *record.born.as_mut().unwrap() = Born { inode: None, start: None, ..record.born.unwrap() }),
            Recorded::Unknown
        );
        assert_eq!(identified(|record| record.place.boot = "another".into()), Recorded::Unknown, "another machine's, if its lock is held");
        assert_eq!(identified(|record| record.place.boot.clear()), Recorded::Unknown);
        assert_eq!(identified(|record| record.place.namespace += 1), Recorded::Unknown);
        assert_eq!(identified(|record| record.place.namespace = 0), Recorded::Unknown);
        assert_eq!(identified(|record| record.born = None), Recorded::Unborn);
        if identified(|record| record.born.as_mut().unwrap().inode = Some(1)) == Recorded::Alive {
            assert_eq!(pidfd::number(&pidfd::open(crate::sys::getpid()).unwrap()), None, "another inode, and the start time counted");
        }
    }

    #[test]
    fn where_no_pidfd_is_to_be_had_the_number_counts_with_its_start_time() {
        let pid = crate::sys::getpid();
        let start = procfs::start_time(pid);
        assert_eq!(by_number(Born { pid, inode: None, start }), Recorded::Alive);
        assert_eq!(by_number(Born { pid, inode: None, start: Some(1) }), Recorded::Dead);
        assert_eq!(by_number(Born { pid, inode: None, start: None }), Recorded::Unknown);
        assert_eq!(by_number(Born { pid: i32::MAX, inode: None, start: Some(1) }), Recorded::Dead);
    }
}
