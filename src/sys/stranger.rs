//! How a process ended that is somebody else's child: by all that says so, in the order of how soon it does.
//!
//! The race: its parent may reap it between any two looks, and then the number may be another's. So what is read by number counts only if the
//! pidfd says afterwards that the number is still its own: a zombie that nobody has reaped yet pins it.
//!
//! | it is                          | who tells                                                      | answer             |
//! |--------------------------------|----------------------------------------------------------------|--------------------|
//! | alive                          | the pidfd is not readable                                      | Running            |
//! | ours by now: its parent died, and this process is the init or subreaper that got it | waitid on the pidfd | Ended, with usage  |
//! | a zombie                       | field 52 of /proc/PID/stat; 0 without ptrace rights            | Ended              |
//! | a zombie of another user       | nobody yet, if the kernel keeps a status: it will (Linux 6.15) | NotYet, else Lost  |
//! | reaped                         | ioctl PIDFD_GET_INFO                                           | Ended, else Lost   |
//!
//! Whether a 0 is an exit code or a refusal: with the same rights the link /proc/PID/cwd is read, which a zombie has no more (ENOENT), and which
//! others may not ask for (EACCES). Sources: proc_pid_stat(5), proc_pid_cwd(5), ptrace(2), pidfd_open(2), ioctl_pidfd(2).
//!
//! All of it may be done by a signal handler: nothing is allocated, and errno is left alone.

use super::pidfd::{self, Kept, Life};
use super::procline::{Name, STAT, number, number_of, read};
use super::raw::{check, syscall};
use super::wait::{self, Ending, Seen};
use nix::errno::Errno;

/// What is known of its end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum End {
    /// It has not ended. (Or it is a child of ours that a tracer holds.)
    Running,
    /// It ended like this; if it was a zombie of ours it was reaped, where that was asked for.
    Ended(Ending),
    /// It has ended, and how will be known when its parent has reaped it.
    NotYet,
    /// It has ended, and nobody can tell how.
    Lost,
}

/// Looks; with `take` it is reaped if it has become a child of this process. `pid`: its number here. Never blocks.
pub fn end(pidfd: i32, pid: i32, take: bool) -> End {
    if pidfd::life(pidfd) == Life::Running {
        return End::Running;
    }
    let by_pidfd = wait::of_pidfd(pidfd, take);
    match by_pidfd {
        Some(Seen::Ended(ending)) => return End::Ended(ending),
        Some(Seen::Running) => return End::Running,
        Some(Seen::Gone) | None => {}
    }
    let zombie = zombie(pidfd);
    // A filter forbids that wait. As a zombie of ours it is as safe by its number as any child is: nobody but this process takes it.
    if let Some(zombie) = zombie.filter(|zombie| by_pidfd.is_none() && take && zombie.is_ours(pid))
        && let Seen::Ended(ending) = wait::reap(pidfd, zombie.number)
    {
        return End::Ended(ending);
    }
    if let Some(status) = zombie.and_then(|zombie| zombie.status) {
        return End::Ended(Ending::from_status(status));
    }
    match pidfd::kept_for_others(pidfd) {
        Kept::Status(status) => End::Ended(Ending::from_status(status)),
        Kept::NotYet => End::NotYet,
        Kept::Lost => End::Lost,
    }
}

/// What /proc shows of the zombie behind a pidfd.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Zombie {
    /// As this /proc counts.
    number: i32,
    parent: i32,
    /// Unless it may not be seen.
    status: Option<i32>,
}

impl Zombie {
    /// Where this /proc is of another pid namespace its numbers say nothing here.
    fn is_ours(&self, pid: i32) -> bool {
        self.number == pid && self.parent == super::getpid()
    }
}

fn zombie(pidfd: i32) -> Option<Zombie> {
    let number = number_of(pidfd)?;
    let mut buffer = [0; STAT];
    let (parent, status) = parse(read(&Name::of(b"/proc/", number, b"/stat"), &mut buffer)?)?;
    let status = (status != 0 || may_be_seen(number)).then_some(status);
    // Last of all: it has been its own all the while.
    (number_of(pidfd) == Some(number)).then_some(Zombie { number, parent, status })
}

/// Parent and status of a process that has ended.
fn parse(stat: &[u8]) -> Option<(i32, i32)> {
    // The name may hold blanks and brackets. Fields 3, 4 and 52 stand behind it.
    let rest = &stat[memchr::memrchr(b')', stat)? + 1..];
    let mut fields = rest.split(|byte| matches!(byte, b' ' | b'\n')).filter(|field| !field.is_empty());
    let (state, parent) = (fields.next()?, number(fields.next()?)?);
    let status = number(fields.nth(47)?)?;
    matches!(state, b"Z" | b"X").then_some((parent, status))
}

/// Whether a status that is 0 can be believed.
fn may_be_seen(number: i32) -> bool {
    let (name, mut link) = (Name::of(b"/proc/", number, b"/cwd"), [0u8; 1]);
    // SAFETY: a terminated name and one byte, both of our own.
    let answer = check(unsafe { syscall!(libc::SYS_readlinkat, libc::AT_FDCWD, name.as_ptr(), link.as_mut_ptr(), link.len()) });
    matches!(answer, Ok(_) | Err(Errno::ENOENT))
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsRawFd;

    use super::*;

    #[test]
    fn parent_and_status_stand_behind_any_name() {
        let between = "0 ".repeat(47);
        let line = |state: &str| format!("7 (a) b) R) {state} 42 {between}1792\n");
        assert_eq!(parse(line("Z").as_bytes()), Some((42, 1792)));
        assert_eq!(parse(line("S").as_bytes()), None, "it has not ended");
        assert_eq!(parse(b"7 (a) Z 42 0"), None);
        assert_eq!(parse(b""), None);
    }

    #[test]
    fn a_process_is_known_by_the_number_of_its_pidfd() {
        let own = pidfd::open(crate::sys::getpid()).unwrap();
        assert_eq!(number_of(own.as_raw_fd()), Some(crate::sys::getpid()));
        assert_eq!(end(own.as_raw_fd(), crate::sys::getpid(), true), End::Running);
        assert_eq!(zombie(own.as_raw_fd()), None);
    }
}
