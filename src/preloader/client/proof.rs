//! Whether the process that a preloader names is the worker that it has forked, and whose.
//!
//! Traps. **The answer is a claim**: what is named could be anybody's, an older child of the host, the host itself, a number that was recycled. **The
//! writer is not always the worker**: `rack-preloader.rb` lets the worker write, and the kernel says who that is, by pidfd even; another preloader
//! writes for its child, and then the pidfd in hand is the preloader's: killing it would be the bug. **A number may go to another between two
//! looks**: so a pidfd is opened first, everything is looked at by number then, and the pidfd is asked last whether the number is its own still. **A
//! preloader in another pid namespace** numbers its children as it sees them: the kernel translates who has written, nobody translates the text.
//!
//! | the writer is                          | taken is    | which must be                                                              |
//! |----------------------------------------|-------------|----------------------------------------------------------------------------|
//! | who is named                           | the writer  | the right user's, alive, nobody of ours; a descendant of the preloader, or in its group, where the kernel gives no pidfd of it |
//! | in another pid namespace, named there  | the writer  | the same                                                                   |
//! | the preloader, or a descendant of it   | who is named | that, and a descendant of the preloader that was born after the command   |
//! | not known, or a stranger               | nobody      |                                                                            |

use std::os::fd::{AsRawFd, OwnedFd};

use nix::errno::Errno;

use crate::error::Status;
use crate::preloader::failure::{Category, Failure};
use crate::preloader::journey::step::SPAWNING_KIT_PROCESS_RESPONSE_FROM_PRELOADER as STEP;
use crate::registry;
use crate::sys::pidfd::{self, Life, SendError};
use crate::sys::{fds, getpid, procfs};

/// Who has written an answer, by the kernel's word.
#[derive(Debug, Default)]
pub struct Writer {
    /// As this process numbers it; `None`: the kernel did not say.
    pub pid: Option<i32>,
    /// That process, where the kernel gives it.
    pub pidfd: Option<OwnedFd>,
}

/// What is to be proven.
#[derive(Debug)]
pub struct Claim {
    /// Who is named.
    pub named: i64,
    /// Who has named it.
    pub writer: Writer,
    /// The preloader; it is our child, and not reaped, unless it has ended.
    pub preloader: i32,
    /// The user that the worker must be.
    pub uid: u32,
    /// When the command was begun, in the ticks of `procfs::start_time`.
    pub asked: u64,
}

/// The worker.
#[derive(Debug)]
pub struct Proven {
    /// As this process numbers it.
    pub pid: i32,
    /// Its identity.
    pub pidfd: OwnedFd,
}

/// Looks. Never waits; nobody is harmed by it.
pub fn prove(claim: Claim) -> Result<Proven, Failure> {
    let Claim { named, writer, preloader, uid, asked } = claim;
    let shown = i32::try_from(named).unwrap_or(0);
    let reject = |why: &str| Err(Failure::unproven(shown, why));
    let Some(wrote) = writer.pid else { return reject("the kernel does not say who has answered") };
    let elsewhere =
        || wrote != preloader && procfs::is_in_other_namespace(wrote) && procfs::numbers(wrote).any(|number| i64::from(number) == named);
    let itself = named == i64::from(wrote) || elsewhere();
    let pid = if itself { wrote } else { shown };
    if pid <= 1 || named <= 0 {
        return reject("no worker can have this number");
    }
    if pid == preloader {
        return reject("it is the preloader itself");
    }
    if pid == getpid() {
        return reject("it is this process");
    }
    let certain = itself && writer.pidfd.is_some();
    let pidfd = match writer.pidfd.filter(|_| itself) {
        Some(pidfd) => pidfd,
        None => open(pid)?,
    };
    let is_it = || pidfd::number_here(pidfd.as_raw_fd()) == Some(pid) && pidfd::life(pidfd.as_raw_fd()) == Life::Running;
    if registry::has_number(pid) && is_it() {
        return reject("it is another child of this process");
    }
    let is = pidfd::user(pidfd.as_raw_fd()).or_else(|| procfs::effective_user(pid));
    let origin = procfs::origin(pid);
    // Who has written of itself is not asked where it comes from, if the kernel says who that is: by number alone it may be a stranger's by now.
    let in_its_group = || itself && pidfd::group_of_number(pid) == Some(preloader);
    let descends = certain || in_its_group() || procfs::descends_from(pid, preloader);
    let teller_descends = itself || wrote == preloader || procfs::descends_from(wrote, preloader);
    if pidfd::signal(pidfd.as_raw_fd(), 0) == Err(SendError::Unavailable) {
        return Err(unsupported(pid, "pidfd_send_signal(2) cannot be used, so it could not be stopped"));
    }
    // Last of all: it was all of this process.
    if !is_it() {
        return Err(if pidfd::life(pidfd.as_raw_fd()) == Life::Running && pidfd::number_here(pidfd.as_raw_fd()).is_none() {
            unsupported(pid, NOBODY_SAYS)
        } else {
            Failure::exited(pid, None)
        });
    }
    match is {
        Some(is) if is == uid => {}
        Some(is) => return Err(Failure::wrong_user(pid, is, uid)),
        None => return reject("nobody says whose it is"),
    }
    // An orphan of a preloader that has just died may be ours by now (a subreaper).
    if origin.is_some_and(|(parent, _)| parent == getpid()) && !(itself && runs_no_more(preloader)) {
        return reject("it is another child of this process");
    }
    if itself && !descends {
        return reject("it is no descendant of the preloader, and the kernel does not say that it is who has answered");
    }
    if !itself {
        if !teller_descends {
            return reject("who has answered is neither the preloader nor of it");
        }
        if !descends {
            return reject("it is no descendant of the preloader");
        }
        if origin.is_none_or(|(_, began)| began < asked) {
            return reject("it is older than the command");
        }
    }
    Ok(Proven { pid, pidfd })
}

fn runs_no_more(pid: i32) -> bool {
    procfs::start_time(pid).is_none() || procfs::is_dying(pid)
}

fn open(pid: i32) -> Result<OwnedFd, Failure> {
    match pidfd::open(pid).and_then(fds::above_standard) {
        Ok(pidfd) => Ok(pidfd),
        Err(Errno::ESRCH) => Err(Failure::exited(pid, None)),
        // A thread's number, and no process's.
        Err(Errno::EINVAL | Errno::ENOENT) => Err(Failure::unproven(pid, "it is no process")),
        Err(errno @ (Errno::EMFILE | Errno::ENFILE | Errno::ENOMEM)) => {
            let message = format!("cannot open process {pid}: {}", errno.desc());
            Err(Failure { errno: Some(errno), ..Failure::new(Status::Limit, Category::default(), STEP, message) })
        }
        Err(_) => Err(unsupported(pid, NOBODY_SAYS)),
    }
}

const NOBODY_SAYS: &str = "neither pidfd_open(2) nor /proc can be used";

fn unsupported(pid: i32, why: &str) -> Failure {
    let message = format!("process {pid} cannot be taken in here: {why}");
    Failure::new(Status::Unsupported, Category::default(), STEP, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A stranger that has said this of itself: whoever has started this test.
    fn says_so(pid: i32, pidfd: Option<OwnedFd>) -> Result<Proven, Failure> {
        let writer = Writer { pid: Some(pid), pidfd };
        let uid = procfs::effective_user(pid).unwrap();
        prove(Claim { named: i64::from(pid), writer, preloader: i32::MAX, uid, asked: 0 })
    }

    // covers: LAW-2, LAW-8
    #[test]
    fn a_number_alone_may_be_a_strangers_by_now() {
        let parent = nix::unistd::getppid().as_raw();
        if parent <= 1 {
            return;
        }
        let known = pidfd::open(parent).unwrap();
        assert_eq!(says_so(parent, Some(known)).map(|proven| proven.pid).ok(), Some(parent), "the kernel says who it was");
        assert_eq!(says_so(parent, None).err().map(|failure| failure.status), Some(Status::PeerRejected));
    }
}
