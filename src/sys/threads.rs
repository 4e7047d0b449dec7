//! The threads of this process beside the calling one, by name: /proc/self/task, proc_pid_task(5).
//!
//! The trap: a thread that was joined is still listed for a moment. libc wakes whoever joins when the kernel clears the thread's id, and the kernel does
//! that on its way out. Such a thread runs no code of this process any more, so it is none: the kernel's own mark (PF_EXITING) tells.
//!
//! The count alone is one call: the directory has a link for each thread. That is asked before each fork; names are read only where there are any.

use std::os::fd::{AsRawFd, OwnedFd, RawFd};

use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::sys::stat::{Mode, fstat, stat};

use super::raw::{check, syscall};
use super::{fds, procfs};

/// A thread.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Thread {
    /// Its number.
    pub tid: i32,
    /// What it calls itself (pthread_setname_np(3)): may hold anything.
    pub name: String,
}

/// How many are read at the most.
const MOST: usize = 32;

/// All that run beside the calling thread, as far as they can be known.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Others {
    /// The first of them.
    pub named: Vec<Thread>,
    /// How many there are beyond.
    pub more: usize,
}

impl Others {
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.named.is_empty() && self.more == 0
    }
}

const TASKS: &str = "/proc/self/task";

/// A process with one thread has this many links at its task directory: two of a directory and one for the thread.
const ALONE: libc::nlink_t = 3;

/// Which threads run beside the calling one. `ENOTSUP`: there is no /proc, and the kernel cannot be asked in another way.
pub fn others() -> Result<Others, Errno> {
    if stat(TASKS).is_ok_and(|found| found.st_nlink == ALONE) {
        return Ok(Others::default());
    }
    let Ok(listed) = std::fs::read_dir(TASKS) else { return without_proc() };
    // As this /proc numbers it: it may be another pid namespace's.
    let own = procfs::own_thread();
    let mut others = Others::default();
    let numbers = listed.flatten().filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    for tid in numbers.filter(|tid| Some(*tid) != own) {
        match others.named.len() {
            MOST => others.more += 1,
            // One that is not there any more has ended.
            _ => others.named.extend(procfs::running_thread(tid).map(|name| Thread { tid, name })),
        }
    }
    Ok(others)
}

/// The directory of this process's threads, held open: its links are asked for without a walk through /proc.
#[derive(Debug)]
pub struct Directory {
    fd: OwnedFd,
    /// Another file may stand under its number one day, where an application closes what is not its own.
    file: (libc::dev_t, libc::ino_t),
}

impl Directory {
    /// That of this process. A copy of this process must not use it.
    pub fn open() -> Result<Self, Errno> {
        let flags = OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
        let fd = fds::above_standard(nix::fcntl::open(TASKS, flags, Mode::empty())?)?;
        let found = fstat(&fd)?;
        Ok(Self { fd, file: (found.st_dev, found.st_ino) })
    }

    /// Whether the calling thread is known to be the only one.
    fn tells_of_one(&self) -> bool {
        fstat(&self.fd).is_ok_and(|found| (found.st_dev, found.st_ino, found.st_nlink) == (self.file.0, self.file.1, ALONE))
    }

    /// Its number: a copy of this process that drops nothing closes that.
    pub fn number(&self) -> RawFd {
        self.fd.as_raw_fd()
    }
}

/// The same as [`others`], with the help of that.
pub fn others_by(directory: Option<&Directory>) -> Result<Others, Errno> {
    if directory.is_some_and(Directory::tells_of_one) { Ok(Others::default()) } else { others() }
}

/// unshare(2) of what only one thread can have for itself, which a single one has already: a question that changes nothing.
fn without_proc() -> Result<Others, Errno> {
    // SAFETY: no pointers.
    match check(unsafe { syscall!(libc::SYS_unshare, libc::CLONE_THREAD) }) {
        Ok(_) => Ok(Others::default()),
        Err(Errno::EINVAL) => Ok(Others { named: Vec::new(), more: 1 }),
        Err(_) => Err(Errno::ENOTSUP),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    // covers: FS-1
    #[test]
    fn a_thread_is_seen_by_its_name_until_it_is_joined() {
        let (say, hear) = mpsc::channel::<()>();
        let (began, begun) = mpsc::channel();
        let thread = std::thread::Builder::new().name("fs1-holder".into()).spawn(move || {
            began.send(()).unwrap();
            hear.recv().unwrap();
        });
        begun.recv().unwrap();
        let is_there = |others: &Others| others.named.iter().any(|thread| thread.name == "fs1-holder");
        // Tests run in threads of one process: a long list may hide it.
        let seen = others().unwrap();
        assert!(is_there(&seen) || seen.more > 0, "{seen:?}");
        say.send(()).unwrap();
        thread.unwrap().join().unwrap();
        assert!(!is_there(&others().unwrap()));
    }
}
