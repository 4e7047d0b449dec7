//! A process that another has made for us becomes a child: a preloader's worker, of which its client has proven whose it is.
//!
//! The trap: nothing of it is ours but a pidfd. Its number is its parent's to recycle, its group is its parent's own, and its exit status goes to its
//! parent. So it is signalled through the pidfd, alone; and how it ended is asked of those who know (`sys/stranger.rs`). All else is as with any
//! child: it is in the registry before it may go on (the caller opens its gate afterwards, [`Child::give_stream`]), its stop plan, its deadline and
//! its output are looked after, its end is recorded once.
//!
//! | it                                | and then                                                                                   |
//! |-----------------------------------|--------------------------------------------------------------------------------------------|
//! | is stopped, or traced             | a kill ends it all the same                                                                |
//! | becomes another user              | signals are refused as by a child that does (PERMISSION)                                   |
//! | is under a filter of ours that forbids signals by pidfd | no signal reaches it (UNSUPPORTED)                                   |
//! | dies, and is a zombie             | /proc tells how, at once                                                                   |
//! | dies, and its parent has reaped it | the kernel tells how, if it keeps that (Linux 6.15); else its exit is lost                |
//! | loses its parent                  | another gets it, who reaps it: an init, a subreaper; if that is this process, it is reaped here, with all that is known of a child |
//! | leaves others behind              | they are not ours to kill: what they say is kept for a while, as of any survivors          |
//!
//! What only its maker could give it is refused ([`Command::check_adoption`]).
//!
//! | file         | what                                                                              |
//! |--------------|-----------------------------------------------------------------------------------|
//! | `adopt.rs`   | a process that has begun, and was proven by the caller                            |
//! | `newborn.rs` | one that waits at its gate: expected, proven, in the registry, then somebody's     |
//! | `streams.rs` | what descriptors it is given                                                       |
//! | `strays.rs`  | those that were born and are known to nobody, for their maker has died            |

mod identity;
mod newborn;
mod strays;
mod streams;

use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::Arc;

use super::belongings::Resources;
use super::child::{Begun, Child, Tier};
use super::command::{Command, Stdio};
use super::descriptors::Ends;
use super::lineage::Mark;
use super::output::Output;
use super::spawn::{Born, record};
use crate::clock;
use crate::error::{Error, Result};
use crate::registry::{self, Lease, Tie};
use crate::sys::fds;
use crate::sys::pidfd;

use identity::{named, rejected};
pub use newborn::{Bounds, Claim, Expected, Maker, Newborn};
pub use strays::Strays;
pub use streams::{Pipe, Streams, pipe_for};

/// What is known of such a process.
#[derive(Debug)]
pub struct Adoption<'a> {
    /// Its number, in the pid namespace of this process.
    pub pid: i32,
    /// Its identity.
    pub pidfd: OwnedFd,
    /// What it says on its streams 1 and 2: read as stream 1, and captured as the command says; handed out if that is `Stdio::Pipe` and nothing is
    /// captured. A FIFO may be without a writer yet.
    pub output: Option<OwnedFd>,
    /// Stop plan, deadline, capture, user data.
    pub command: &'a Command,
    /// When its making began, nanoseconds of CLOCK_MONOTONIC.
    pub started_ns: i64,
}

/// Makes a child of it: it is in the registry when this returns. Never blocks.
///
/// That it is who it should be, and the right user's, is the caller's to know. Proven here is that the number and the pidfd are of one process, that
/// it has not ended (`EXITED`), and that it is in the registry once: a preloader may have named another child of ours, or ourselves
/// (`PEER_REJECTED`). `UNSUPPORTED`: neither the kernel nor /proc says which number a pidfd has. Nothing is done to a process that is refused; one
/// that there is no memory for is killed.
pub fn adopt(adoption: Adoption<'_>) -> Result<Child> {
    let Adoption { pid, pidfd, output, command, started_ns } = adoption;
    command.check_adoption()?;
    named(pid, &pidfd)?;
    let killed = |error: Error| {
        let _ = pidfd::signal(pidfd.as_raw_fd(), libc::SIGKILL);
        error
    };
    if let Some(output) = &output {
        let cannot = |errno| killed(Error::system("fcntl", errno, format!("cannot read what process {pid} says")));
        fds::set_nonblocking(output).map_err(cannot)?;
    }
    let mark = Mark::share_of(pid).map_err(killed)?;
    let lease = Lease::adopt(pid, pidfd.as_raw_fd(), started_ns);
    let (lease, _) = lease.map_err(|errno| killed(Error::system("registry", errno, format!("cannot keep process {pid}"))))?;
    if registry::is_alive_twice(pid) {
        if !lease.disown() {
            // A frame that hangs in the slot may use the number yet.
            std::mem::forget(pidfd);
        }
        return Err(rejected(pid, "is a child already"));
    }
    let (output, ours) = of_output(command, output);
    let born = Born { pid, pidfd: Arc::new(pidfd), tier: Tier::Preloader, tie: Tie::Stranger };
    let mut ends = Ends::default();
    ours.into_iter().for_each(|end| drop(ends.ours.put(1, end)));
    let resources = mark.map(Resources::marked);
    let begun = Begun { at: started_ns, executed: clock::now() };
    Ok(record(command, lease, born, ends, output, resources, || begun))
}

/// What is read here, and what is handed out. Somebody reads it in any case: else it could not write, or would be killed for it (SIGPIPE).
fn of_output(command: &Command, output: Option<OwnedFd>) -> (Option<Output>, Option<OwnedFd>) {
    let Some(output) = output else { return (None, None) };
    let streams = &command.streams;
    let is_read = streams.capture.is_some() || streams.lines;
    if !is_read && streams.stdio[1] == Stdio::Pipe {
        return (None, Some(output));
    }
    (Some(Output::of_fifo(output, streams.keep(), streams.cut())), None)
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsFd;

    use super::*;
    use crate::clock::{Deadline, MILLI};
    use crate::process::belongings::Belongings;
    use crate::process::spawn;
    use crate::sys::poll;

    fn line(from: &OwnedFd) -> String {
        let (mut line, mut byte) = (Vec::new(), [0]);
        while nix::unistd::read(from, &mut byte) == Ok(1) && byte[0] != b'\n' {
            line.push(byte[0]);
        }
        String::from_utf8(line).unwrap()
    }

    /// What a preloader is: it leads a group that its workers live in.
    fn preloader(shares: bool) -> (Child, OwnedFd) {
        let mut command = Command::new("sh").unwrap();
        command.arg("-c").unwrap().arg("trap 'exit 3' TERM; sleep 1000 & echo $!; read line").unwrap();
        command.stdio(0, Stdio::Pipe).unwrap().stdio(1, Stdio::Pipe).unwrap().shares_group(shares);
        let child = spawn::spawn(&command, Belongings::default()).unwrap();
        let worker = line(&child.take_stream(1).unwrap()).parse().unwrap();
        (child, pidfd::open(worker).unwrap())
    }

    fn ends(child: &Child) -> crate::registry::Exit {
        child.wait(Deadline::after(20_000 * MILLI), false, || None, || {}).unwrap().unwrap()
    }

    // covers: LAW-2, C14-3
    #[test]
    fn a_group_that_is_shared_is_neither_signalled_nor_swept() {
        let (preloader, worker) = preloader(true);
        assert_eq!(pidfd::group_of_number(pidfd::number_here(worker.as_raw_fd()).unwrap()), Some(preloader.pid()));
        preloader.signal(libc::SIGTERM).unwrap();
        // The shell hears it when its read is over.
        drop(preloader.take_stream(0).unwrap());
        assert_eq!(ends(&preloader).code, 3);
        assert_eq!(pidfd::life(worker.as_raw_fd()), pidfd::Life::Running);
        pidfd::signal(worker.as_raw_fd(), libc::SIGKILL).unwrap();
    }

    #[test]
    fn one_that_is_not_is_both() {
        let (preloader, worker) = preloader(false);
        preloader.signal(libc::SIGKILL).unwrap();
        ends(&preloader);
        assert!(poll::wait(&[worker.as_fd()], Deadline::after(20_000 * MILLI)).unwrap());
    }
}
