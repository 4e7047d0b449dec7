//! A process that is not, or no longer, a child in the registry: nobody sweeps, stops or reaps it unless its holder does so here.
//!
//! The trap: a number is safe only as long as its process cannot be reaped by anybody else, and here somebody else often can: its own
//! parent, or a host that waits for everything. So identity is a pidfd. Where a filter forbids signals through it the number serves, but
//! only for a child of this process, and only if a look just now finds it unreaped. A stranger is then out of reach. (What is left is the
//! instant between that look and the signal, in a host that reaps strangers' children, under a filter: the kernel has no call for that.)
//!
//! | who                                    | made by                     | signalled                 | how it ended           | its group            |
//! |----------------------------------------|-----------------------------|---------------------------|------------------------|----------------------|
//! | peer of a handoff, started by anyone   | [`Foreign::stranger`]       | through its pidfd         | as far as anybody tells: `sys/stranger.rs` | not ours |
//! | successor that we spawned (disowned at the commit: `Child::disown`) | [`Foreign::leader`] | pidfd, else its number | waitid       | goes with it, while its zombie pins the number |
//! | found again by its record (`lasting.rs`) | [`Foreign::stranger`], or, if it is a child of this process, [`Foreign::inherited`] | pidfd | as above | left alone |
//! | orphan that a subreaper adopted        | [`Foreign::adopted`]        | pidfd if there is one, else its number | waitid    | may be another's: left alone |
//!
//! A preloader's worker is in the registry (`adopt.rs`), but nobody's child here: it is signalled as a stranger, and how it ended is known as with one.
//!
//! It has no lock and no descriptor but its pidfd: whoever holds it calls `tick` when the pidfd is readable and when `due` has come. In a
//! forked copy of the host its holder must not touch it (`Home`).

use std::borrow::Cow;
use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::Arc;

use nix::errno::Errno;

use super::stop::{self, Ladder, Step};
use crate::clock::Deadline;
use crate::sys::pidfd::{self, Kept, Life, SendError};
use crate::sys::procfs;
use crate::sys::stranger::{self, End};
use crate::sys::wait::{self, Ending, Seen};

/// What it is to this process, which decides who may reap it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Tie {
    /// Somebody else's child.
    Stranger,
    /// Our child, but made by others: it may share its group with anybody.
    Adopted,
    /// Our child, made by us as the leader of a group.
    Leader,
}

/// One process.
#[derive(Debug)]
pub struct Foreign {
    pid: i32,
    /// None where a filter forbids it; only ever of a child of ours.
    pidfd: Option<Arc<OwnedFd>>,
    tie: Tie,
    plan: Cow<'static, [Step]>,
    ladder: Ladder,
}

impl Foreign {
    fn new(pid: i32, pidfd: Option<Arc<OwnedFd>>, tie: Tie) -> Self {
        Self { pid, pidfd, tie, plan: Cow::Borrowed(&stop::DEFAULT), ladder: Ladder::default() }
    }

    /// A process that somebody else has started, and will reap.
    pub fn stranger(pid: i32, pidfd: Arc<OwnedFd>) -> Self {
        Self::new(pid, Some(pidfd), Tie::Stranger)
    }

    /// A child of this process that it has not made. Whatever else is read of it by number is to be read afterwards: from here on the number
    /// is pinned, before it may have been another's.
    pub fn adopted(pid: i32) -> Self {
        Self::new(pid, pidfd::open(pid).ok().map(Arc::new), Tie::Adopted)
    }

    /// A child of this process that an earlier program of it has made: there is no other parent who would reap it.
    pub fn inherited(pid: i32, pidfd: Arc<OwnedFd>) -> Self {
        Self::new(pid, Some(pidfd), Tie::Adopted)
    }

    /// A child that this process has spawned, as the leader of a group, and gives up or may give up.
    pub fn leader(pid: i32, pidfd: Arc<OwnedFd>) -> Self {
        Self::new(pid, Some(pidfd), Tie::Leader)
    }

    /// Its number, for display.
    pub fn pid(&self) -> i32 {
        self.pid
    }

    /// Readable when it has ended. `None`: it cannot be watched, and every look asks.
    pub fn pidfd(&self) -> Option<&Arc<OwnedFd>> {
        self.pidfd.as_ref()
    }

    /// Whether this process has to reap it.
    pub fn is_ours(&self) -> bool {
        self.tie != Tie::Stranger
    }

    fn fd(&self) -> i32 {
        self.pidfd.as_ref().map_or(-1, |pidfd| pidfd.as_raw_fd())
    }

    /// The proof of its death, whoever reaps it.
    pub fn is_dead(&self) -> bool {
        match &self.pidfd {
            Some(pidfd) => pidfd::life(pidfd.as_raw_fd()) != Life::Running,
            None => wait::look(-1, self.pid) != Seen::Running,
        }
    }

    /// Whether it has crashed, and does nothing any more but write its core.
    pub fn is_dumping(&self) -> bool {
        self.pidfd.as_ref().is_some_and(|pidfd| procfs::runs_no_more(pidfd.as_raw_fd()))
    }

    /// Whether it has crashed: a kill would only cut its core.
    pub fn writes_core(&self) -> bool {
        self.pidfd.as_ref().is_some_and(|pidfd| procfs::writes_core(pidfd.as_raw_fd()))
    }

    /// Signals it, and it alone. `ENOSYS`: a filter leaves no way to reach it.
    pub fn signal(&self, number: i32) -> Result<(), Errno> {
        let sent = self.pidfd.as_ref().map_or(Err(SendError::Unavailable), |pidfd| pidfd::signal(pidfd.as_raw_fd(), number));
        match sent {
            Ok(()) => Ok(()),
            Err(SendError::Errno(errno)) => Err(errno),
            // A host that ignores SIGCHLD has its children reaped at once: then the number may be another's.
            Err(SendError::Unavailable) if self.is_ours() => match wait::look(self.fd(), self.pid) {
                Seen::Running => pidfd::kill_number(self.pid, number),
                _ => Err(Errno::ESRCH),
            },
            Err(SendError::Unavailable) => Err(Errno::ENOSYS),
        }
    }

    /// Whether this process can end it: it may be forbidden to, or a filter leaves no way.
    pub fn can_be_signalled(&self) -> bool {
        !matches!(self.signal(0), Err(Errno::EPERM | Errno::ENOSYS))
    }

    /// Kills it, and it alone.
    pub fn kill(&self) {
        let _ = self.signal(libc::SIGKILL);
    }

    /// Starts a stop plan, unless one runs already; a `grace_ms` of 0 or more replaces the wait of its first step.
    pub fn stop(&mut self, plan: impl Into<Cow<'static, [Step]>>, grace_ms: i64, now: i64) {
        if self.ladder == Ladder::Idle {
            self.plan = plan.into();
        }
        let number = self.ladder.begin(&self.plan, now, grace_ms, dump_ms(self.pid));
        self.climb(number);
    }

    /// Moves it along: climbs if it runs and the time has come; reaps it if it has ended and is ours. Never blocks.
    pub fn tick(&mut self, now: i64) -> Seen {
        if self.runs() {
            let number = self.ladder.advance(&self.plan, now, dump_ms(self.pid));
            self.climb(number);
            if self.ladder == Ladder::Over {
                // In vain: killed once more, and again after as long a wait.
                self.kill();
                self.ladder = Ladder::Step(self.plan.len() as u32, Deadline::at(now).plus(stop::LAST_WAIT_MS * crate::clock::MILLI));
            }
            return Seen::Running;
        }
        if self.tie == Tie::Leader {
            wait::sweep(self.fd(), self.pid);
        }
        self.reap()
    }

    /// A stopped process takes no TERM before it continues.
    fn climb(&self, number: Option<i32>) {
        let Some(number) = number else { return };
        let _ = self.signal(number);
        if number != libc::SIGKILL {
            let _ = self.signal(libc::SIGCONT);
        }
    }

    /// When `tick` has something to do, though nothing may have become readable.
    pub fn due(&self) -> Deadline {
        self.ladder.due()
    }

    /// Whether it has not ended.
    fn runs(&self) -> bool {
        if self.is_ours() { wait::look(self.fd(), self.pid) == Seen::Running } else { !self.is_dead() }
    }

    /// Reaps it if it has ended and is ours; how it ended, as far as anybody tells: `Gone` has ended, too. Never blocks.
    pub fn reap(&self) -> Seen {
        if !self.is_ours() {
            // Never taken: it may be a child that the host has made, and waits for.
            return match stranger::end(self.fd(), self.pid, false) {
                End::Running => Seen::Running,
                End::Ended(ending) => Seen::Ended(ending),
                // Its parent has not reaped it: dead all the same.
                End::NotYet | End::Lost => Seen::Gone,
            };
        }
        let seen = wait::reap(self.fd(), self.pid);
        if seen == Seen::Gone && self.pidfd.is_some() { self.kept() } else { seen }
    }

    /// The status that a kernel keeps behind the pidfd when somebody else has taken it (Linux 6.15).
    fn kept(&self) -> Seen {
        match pidfd::kept_status(self.fd()) {
            Kept::Status(status) => Seen::Ended(Ending::from_status(status)),
            Kept::NotYet | Kept::Lost => Seen::Gone,
        }
    }
}

/// A successor that crashes on its way out may leave its core, too.
fn dump_ms(pid: i32) -> impl Fn() -> i64 {
    move || if procfs::is_dumping_core(pid) { stop::CORE_WAIT_MS } else { 0 }
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsFd;

    use super::*;
    use crate::clock::{self, MILLI};
    use crate::process::belongings::Belongings;
    use crate::process::child::Child;
    use crate::process::command::{Command, Stdio};
    use crate::process::spawn;
    use crate::sys::poll;

    /// A shell that has said a line, which is answered with it. Its scripts leave nobody behind.
    fn shell(script: &str) -> (Child, String) {
        let mut command = Command::new("sh").unwrap();
        command.arg("-c").unwrap().arg(script).unwrap().stdio(1, Stdio::Pipe).unwrap();
        let child = spawn::spawn(&command, Belongings::default()).unwrap();
        let said = child.take_stream(1).unwrap();
        let (mut line, mut byte) = (Vec::new(), [0]);
        while nix::unistd::read(&said, &mut byte) == Ok(1) && byte[0] != b'\n' {
            line.push(byte[0]);
        }
        (child, String::from_utf8(line).unwrap())
    }

    /// Given up by the registry: nobody but this test reaps it.
    fn given_up(child: &Child) -> Foreign {
        let pidfd = child.disown().unwrap();
        Foreign::leader(child.pid(), pidfd)
    }

    fn await_end(foreign: &Foreign) {
        poll::wait(&[foreign.pidfd().unwrap().as_fd()], Deadline::after(20_000 * MILLI)).unwrap();
    }

    fn without_pidfd(foreign: Foreign) -> Foreign {
        Foreign { pidfd: None, ..foreign }
    }

    const BY_KILL: Ending = Ending { code: -1, signal: libc::SIGKILL, core: false, usage: None };

    fn ending(seen: Seen) -> Ending {
        match seen {
            Seen::Ended(ending) => Ending { usage: None, ..ending },
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_leader_is_stopped_by_its_plan_and_its_group_goes_with_it() {
        let (child, other) = shell("trap 'exit 7' TERM; sleep 1000 & echo $!; wait");
        let mut foreign = given_up(&child);
        let member = pidfd::open(other.parse().unwrap()).unwrap();
        let now = clock::now();
        foreign.stop(&stop::DEFAULT[..], -1, now);
        assert_eq!(foreign.due(), Deadline::at(now).plus(2_000 * MILLI));
        await_end(&foreign);
        assert_eq!(ending(foreign.tick(now)), Ending { code: 7, ..Ending::default() });
        assert!(poll::wait(&[member.as_fd()], Deadline::after(20_000 * MILLI)).unwrap(), "killed while the zombie pinned the group");
        assert!(foreign.is_dead());
        assert_eq!(foreign.signal(0), Err(Errno::ESRCH));
    }

    #[test]
    fn who_takes_no_term_is_killed_when_the_time_has_come() {
        let (child, _) = shell("trap '' TERM; echo; exec sleep 1000");
        let mut foreign = given_up(&child);
        foreign.stop(&stop::DEFAULT[..], 50, 0);
        assert_eq!(foreign.tick(49 * MILLI), Seen::Running);
        assert_eq!(foreign.due(), Deadline::at(50 * MILLI));
        assert_eq!(foreign.tick(50 * MILLI), Seen::Running, "killed by this tick");
        await_end(&foreign);
        assert_eq!(ending(foreign.tick(51 * MILLI)), BY_KILL);
    }

    #[test]
    fn a_plan_that_was_in_vain_ends_with_a_kill_that_is_repeated() {
        static ASKS: [Step; 1] = [Step { signal: libc::SIGURG, wait_ms: 10 }];
        let (child, _) = shell("echo; exec sleep 1000");
        let mut foreign = given_up(&child);
        foreign.stop(&ASKS[..], -1, 0);
        assert_eq!(foreign.tick(10 * MILLI), Seen::Running);
        assert_eq!(foreign.due(), Deadline::at((10 + stop::LAST_WAIT_MS) * MILLI));
        await_end(&foreign);
        assert_eq!(ending(foreign.tick(11 * MILLI)), BY_KILL);
    }

    #[test]
    fn a_stranger_is_signalled_and_never_reaped() {
        let (child, other) = shell("sleep 1000 & echo $!; wait; exec sleep 1000");
        let pid = other.parse().unwrap();
        let mut foreign = Foreign::stranger(pid, Arc::new(pidfd::open(pid).unwrap()));
        assert!(!foreign.is_dead() && !foreign.is_ours());
        assert_eq!(foreign.tick(0), Seen::Running);
        foreign.kill();
        await_end(&foreign);
        assert!(foreign.is_dead());
        // While it is a zombie /proc tells; where the shell was faster the kernel does, if it is new enough.
        match foreign.tick(1) {
            Seen::Ended(found) => assert_eq!(found, BY_KILL),
            seen => assert_eq!(seen, Seen::Gone),
        }
        let own = given_up(&child);
        own.kill();
        await_end(&own);
        assert_eq!(ending(own.reap()), BY_KILL);
    }

    #[test]
    fn without_a_pidfd_the_number_serves_while_it_is_certainly_its_own() {
        let (child, _) = shell("echo; exec sleep 1000");
        let witness = child.disown().unwrap();
        let foreign = without_pidfd(Foreign::adopted(child.pid()));
        assert_eq!(foreign.reap(), Seen::Running);
        foreign.kill();
        poll::wait(&[witness.as_fd()], Deadline::after(20_000 * MILLI)).unwrap();
        assert!(foreign.is_dead());
        assert_eq!(foreign.signal(0), Err(Errno::ESRCH), "a zombie can be reaped by the host at any moment");
        assert_eq!(ending(foreign.reap()), BY_KILL);
        assert_eq!((foreign.reap(), foreign.signal(libc::SIGKILL)), (Seen::Gone, Err(Errno::ESRCH)));
    }

    #[test]
    fn a_status_that_the_host_took_is_asked_for() {
        let (child, _) = shell("echo; exit 3");
        let mut foreign = given_up(&child);
        await_end(&foreign);
        nix::sys::wait::waitpid(nix::unistd::Pid::from_raw(child.pid()), None).unwrap();
        match foreign.tick(0) {
            Seen::Ended(found) => assert_eq!(found.code, 3, "kept since Linux 6.15"),
            seen => assert_eq!(seen, Seen::Gone),
        }
    }
}
