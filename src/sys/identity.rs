//! What tells a process from all others that ever have its number, and how it is held again by that.
//!
//! The trap: a number in a file is anybody's by the time it is read, and so is every other mark of another boot: the kernel counts them anew. What
//! proves that it is the one, in one boot of the machine:
//!
//! | mark                     | since      | nobody else's                                                             |
//! |--------------------------|------------|---------------------------------------------------------------------------|
//! | file handle of its pidfd | Linux 6.14 | ever; opens a pidfd, in whatever pid namespace sees it; ESTALE when it was reaped |
//! | inode of its pidfd       | Linux 6.9  | ever; its number finds it, in the pid namespace in which that was written |
//! | start time               | always     | with its number, in its pid namespace: no number comes round within a tick of the clock |
//!
//! Source: name_to_handle_at(2), pidfd_open(2), fs/pidfs.c, proc_pid_stat(5).

use std::fmt::Write as _;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

use nix::errno::Errno;

use super::raw::{check, syscall};
use super::{getpid, pidfd, procfs};

/// A process, by what tells it from all others that ever have its number.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Marks {
    /// Its number in its own pid namespace.
    pub pid: i32,
    /// The inode of its pidfd; `None`: this kernel has none, or it could not be asked.
    pub inode: Option<u64>,
    /// Its start time, in ticks since boot, if it could be read.
    pub start: Option<u64>,
}

impl Marks {
    /// Whether they are of the process behind a pidfd that was opened by their number; `None`: that cannot be told. While the pidfd is held the number
    /// is nobody else's, unless its process is reaped: then what is answered is of a dead one.
    pub fn are_of(&self, pidfd: &OwnedFd) -> Option<bool> {
        match (self.inode, pidfd::number(pidfd)) {
            (Some(its), Some(found)) => Some(its == found),
            _ => self.start.and_then(|its| procfs::start_time(self.pid).map(|found| its == found)),
        }
    }
}

/// Where the marks of a process mean what they say.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Place {
    /// Which boot of the machine; empty: not known.
    pub boot: String,
    /// Which pid namespace; 0: not known.
    pub namespace: u64,
}

impl Place {
    /// That of this process.
    pub fn here() -> Self {
        Self { boot: procfs::boot_id(), namespace: procfs::pid_namespace() }
    }

    /// Whether it is known to be the same boot.
    pub fn is_of_boot(&self, other: &Self) -> bool {
        !self.boot.is_empty() && self.boot == other.boot
    }

    /// Whether a number means the same process in both.
    pub fn is(&self, other: &Self) -> bool {
        self.is_of_boot(other) && self.namespace != 0 && self.namespace == other.namespace
    }
}

/// As long as one may be: they have 8 bytes today.
const LONGEST: usize = 32;

/// `struct file_handle`.
#[repr(C)]
#[derive(Clone, Copy)]
struct Raw {
    length: u32,
    kind: i32,
    bytes: [u8; LONGEST],
}

/// The file handle of a pidfd.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Handle {
    kind: i32,
    length: usize,
    bytes: [u8; LONGEST],
}

impl Handle {
    /// `None`: there is none for processes here (before Linux 6.14, or a filter refuses the call).
    pub fn of(pidfd: &OwnedFd) -> Option<Self> {
        // Of another file system's descriptor it would be the handle of a file.
        if !pidfd::is_on_pidfs(pidfd) {
            return None;
        }
        let mut raw = Raw { length: LONGEST as u32, kind: 0, bytes: [0; LONGEST] };
        let mut mount = 0i32;
        // SAFETY: a terminated empty name, a handle that says how much room it has, and a number; all three outlive the call.
        let made = check(unsafe {
            syscall!(libc::SYS_name_to_handle_at, pidfd.as_raw_fd(), c"".as_ptr(), &raw mut raw, &raw mut mount, libc::AT_EMPTY_PATH)
        });
        made.ok()?;
        let length = usize::try_from(raw.length).ok().filter(|length| (1..=LONGEST).contains(length))?;
        Some(Self { kind: raw.kind, length, bytes: raw.bytes })
    }

    /// A pidfd of that process, close-on-exec. ESTALE: it was reaped, or this pid namespace does not see it. ENOSYS, EPERM, EACCES, EOPNOTSUPP,
    /// EINVAL: this kernel, or a filter, does not open any.
    pub fn open(&self) -> Result<OwnedFd, Errno> {
        // Any pidfd says on which file system. (Without one it is the number of that, since Linux 6.18.)
        const PIDFS_ROOT: i32 = -10_002;
        let own = pidfd::open(getpid()).ok();
        let mut raw = Raw { length: self.length as u32, kind: self.kind, bytes: self.bytes };
        let at = own.as_ref().map_or(PIDFS_ROOT, AsRawFd::as_raw_fd);
        // SAFETY: a handle of ours that says how long it is; the descriptor returned is new and owned by nobody else.
        let opened = unsafe {
            check(syscall!(libc::SYS_open_by_handle_at, at, &raw mut raw, libc::O_CLOEXEC)).map(|fd| OwnedFd::from_raw_fd(fd as i32))
        }?;
        // Whatever it is, it is to be a process.
        if pidfd::is_on_pidfs(&opened) { Ok(opened) } else { Err(Errno::EINVAL) }
    }

    /// For a file: its kind, and its bytes, in hexadecimal digits.
    pub fn text(&self) -> String {
        let mut text = format!("{:x}:", self.kind);
        for byte in &self.bytes[..self.length] {
            let _ = write!(text, "{byte:02x}");
        }
        text
    }

    /// Reads that.
    pub fn parse(text: &str) -> Option<Self> {
        let (kind, digits) = text.split_once(':')?;
        if !text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte) || byte == b':') {
            return None;
        }
        let kind = i32::from_str_radix(kind, 16).ok()?;
        let length = digits.len() / 2;
        if digits.len() % 2 != 0 || !(1..=LONGEST).contains(&length) {
            return None;
        }
        let mut bytes = [0; LONGEST];
        for (at, byte) in bytes[..length].iter_mut().enumerate() {
            *byte = u8::from_str_radix(digits.get(2 * at..2 * at + 2)?, 16).ok()?;
        }
        Some(Self { kind, length, bytes })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // covers: C16-8
    #[test]
    fn a_handle_opens_the_very_process_again() {
        let own = pidfd::open(getpid()).unwrap();
        let Some(handle) = Handle::of(&own) else { return eprintln!("skipped: pidfds have no file handles here (before Linux 6.14)") };
        let again = handle.open().unwrap();
        assert_eq!(pidfd::number(&again), pidfd::number(&own));
        assert_eq!(Handle::parse(&handle.text()), Some(handle));
    }

    // covers: C16-8
    #[test]
    fn a_handle_of_nobody_is_stale_and_one_of_a_file_is_none() {
        let own = pidfd::open(getpid()).unwrap();
        let Some(mut handle) = Handle::of(&own) else { return eprintln!("skipped: pidfds have no file handles here (before Linux 6.14)") };
        handle.bytes[7] ^= 0x40;
        assert_eq!(handle.open().unwrap_err(), Errno::ESTALE);
        let file: OwnedFd = std::fs::File::open("/proc/self/stat").unwrap().into();
        assert_eq!(Handle::of(&file), None);
    }

    #[test]
    fn what_is_no_handle_is_none() {
        for text in
            ["", ":", "fe", "fe:", "fe:0", "fe:0g", "-1:00", "fe:00:00", "FE:00", "100000000:00", &format!("fe:{}", "00".repeat(33))]
        {
            assert_eq!(Handle::parse(text), None, "{text}");
        }
        assert_eq!(Handle::parse("fe:0102").unwrap().text(), "fe:0102");
    }

    #[test]
    fn a_place_that_is_not_known_is_no_place() {
        let here = Place::here();
        assert!(here.is(&here.clone()));
        let nowhere = Place { boot: String::new(), namespace: 0 };
        assert!(!nowhere.is(&nowhere) && !nowhere.is_of_boot(&nowhere));
        let beside = Place { namespace: here.namespace + 1, ..here.clone() };
        assert!(beside.is_of_boot(&here) && !beside.is(&here));
    }
}
