//! A process that one of our own makers (a native preloader, a spawner) was asked to make, before anybody owns it: it waits at its gate.
//!
//! The trap: what a maker says is a claim. A hostile one may name another child of this process, a stranger, or itself; so who comes out is who has said
//! HELLO on the private pair, by the kernel's word, and what else can be looked at is looked at. And it may be killed between any two lines: before its
//! HELLO nobody knows it (`strays.rs`).
//!
//! ```text
//!   Expected::new --- FORK --> HELLO --- prove_and_register --> Newborn --- into_child --> Child --- GO
//!        |                                      |                  |
//!        '-- kill-all shuts its gate            '-- refused        '-- kill, dropped: killed, reaped (now, or by the next calls that come by)
//! ```
//!
//! | it is                                   | its tie  | signalled                | how it ended                   |
//! |-----------------------------------------|----------|--------------------------|--------------------------------|
//! | a sibling of its maker (CLONE_PARENT)   | Child    | with its group           | first-hand                     |
//! | its maker's child (libc's fork)         | Stranger | alone, by pidfd          | `sys/stranger.rs`              |

use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::sync::{Arc, Mutex};

use nix::errno::Errno;
use nix::unistd::{Pid, setpgid};

use super::identity::{named, rejected};
use super::streams::Streams;
use crate::clock::{self, Deadline, MILLI};
use crate::error::{Error, Result, Status};
use crate::lock::lock;
use crate::process::belongings::Resources;
use crate::process::child::{Begun, Child, Tier, wanting};
use crate::process::command::Command;
use crate::process::descriptors::Ends;
use crate::process::leftovers::{self, Leftover, Pace};
use crate::process::lineage::Mark;
use crate::process::output::Output;
use crate::process::spawn::{Born, record};
use crate::registry::{self, Cause, Exit, Facts, Lease, Reaped, Tie};
use crate::sys::memory::Home;
use crate::sys::pidfd::{self, Life, SendError};
use crate::sys::spawn::Isolation;
use crate::sys::wait::{self, Seen};
use crate::sys::{getpid, poll, procfs};

/// A birth that was asked for, or is about to be: its place in the registry is taken.
#[derive(Debug)]
pub struct Expected {
    /// `None`: it has become a newborn.
    lease: Option<Lease>,
    asked_ns: i64,
}

/// Who is said to have been born.
#[derive(Debug)]
pub struct Claim<'a> {
    /// Its number here, by the kernel's word (who has said HELLO).
    pub pid: i32,
    /// Its identity.
    pub pidfd: OwnedFd,
    /// Who was asked to make it: a child of this process.
    pub maker: &'a Maker,
    /// The effective user that it must be; `None`: anybody.
    pub user: Option<u32>,
    /// What a child of ours is to be signalled and swept with; by default the group that it leads.
    pub bounds: Bounds,
}

/// Who makes processes for us when it is asked to: a child of this process that leads a group of its own, in which they are born.
#[derive(Clone, Debug)]
pub struct Maker {
    /// Its number here.
    pub pid: i32,
    /// Its identity.
    pub pidfd: Arc<OwnedFd>,
    /// The same as a number that grows from process to process; only where the kernel has that.
    number: Option<u64>,
}

impl Maker {
    /// This child. `None`: it has ended.
    pub fn of(child: &Child) -> Option<Self> {
        child.pidfd().map(|pidfd| Self::new(child.pid(), pidfd))
    }

    /// The process that this pidfd is of.
    pub fn new(pid: i32, pidfd: Arc<OwnedFd>) -> Self {
        Self { pid, number: pidfd::number(&pidfd), pidfd }
    }
}

/// What belongs to a sibling beside its process, and is signalled and swept with it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Bounds {
    /// `None`: it leads no group.
    pub isolation: Isolation,
    /// Whether the rest of its group ends with it.
    pub sweep: bool,
    /// `cgroup.kill` of its control group, -1 if it has none.
    pub cgroup_kill: RawFd,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { isolation: Isolation::Group, sweep: true, cgroup_kill: -1 }
    }
}

impl Expected {
    /// Takes its place. `gate`: the socket that it will wait on, this side; it must stay open until this value is gone. Never blocks.
    pub fn new(gate: Option<RawFd>) -> Result<Self> {
        let asked_ns = clock::now();
        let lease = Lease::expect(gate, asked_ns).map_err(|errno| Error::system("registry", errno, "cannot keep a process"))?;
        Ok(Self { lease: Some(lease), asked_ns })
    }

    /// When it was asked for, nanoseconds of CLOCK_MONOTONIC.
    pub fn asked_ns(&self) -> i64 {
        self.asked_ns
    }

    /// Whether kill-all has come by since: its gate is shut, and whoever is born is refused.
    pub fn is_refused(&self) -> bool {
        self.lease.as_ref().is_none_or(Lease::is_refused)
    }

    /// It is this process: it is in the registry when this returns, and its gate may be opened. Never blocks.
    ///
    /// `PEER_REJECTED`: it is another one, of ours, older than its maker, another user's, or no descendant of its maker. `EXITED`: it has ended.
    /// `CANCELLED`: kill-all has begun since it was asked for. `UNSUPPORTED`: nobody says which number its pidfd has. Nothing is done to a process that
    /// is refused, but to one that was proven: that is killed.
    pub fn prove_and_register(mut self, claim: Claim<'_>) -> Result<Newborn> {
        let Claim { pid, pidfd, maker, user, bounds } = claim;
        let (tie, user) = prove(pid, &pidfd, maker, user, bounds.isolation == Isolation::Group)?;
        let facts = match tie {
            Tie::Child => Facts { tie, isolation: bounds.isolation, sweep: bounds.sweep, cgroup_kill: bounds.cgroup_kill },
            Tie::Stranger => Facts { tie, isolation: Isolation::None, sweep: false, cgroup_kill: -1 },
        };
        let Some(lease) = self.lease.take() else { return Err(Error::new(Status::Internal, "adopt", "a birth was registered before")) };
        let accepted = lease.register(pid, pidfd.as_raw_fd(), facts);
        let newborn =
            Newborn { pid, user, facts, home: Home::here(), asked_ns: self.asked_ns, held: Some(Held { lease, pidfd: Arc::new(pidfd) }) };
        if registry::is_alive_twice(pid) {
            newborn.leave_alone();
            return Err(rejected(pid, "is a child already"));
        }
        if !accepted {
            let text = format!("process {pid} was born when all children of this process were to be killed");
            return Err(Error::new(Status::Cancelled, "adopt", text).with_pid(pid));
        }
        Ok(newborn)
    }
}

impl Drop for Expected {
    fn drop(&mut self) {
        if let Some(lease) = self.lease.take() {
            // A frame that hangs there keeps the place for good.
            let _ = lease.retire();
        }
    }
}

/// What the registry has of it.
#[derive(Debug)]
struct Held {
    lease: Lease,
    pidfd: Arc<OwnedFd>,
}

/// It is in the registry and is nobody's child yet. Dropped, it is killed and reaped.
#[derive(Debug)]
pub struct Newborn {
    pid: i32,
    /// Its effective user, if that was seen.
    user: Option<u32>,
    facts: Facts,
    home: Home,
    asked_ns: i64,
    /// `None`: it was given on.
    held: Option<Held>,
}

impl Newborn {
    /// Its number here.
    pub fn pid(&self) -> i32 {
        self.pid
    }

    /// Its effective user when it was proven. `None`: not known.
    pub fn user(&self) -> Option<u32> {
        let ask = || self.pidfd().and_then(|fd| pidfd::user(fd.as_raw_fd())).or_else(|| procfs::effective_user(self.pid));
        self.user.or_else(ask)
    }

    /// Whose child it is in the eyes of the kernel.
    pub fn tie(&self) -> Tie {
        self.facts.tie
    }

    /// Readable when it has ended. `None`: in a copy of the process that has made it.
    pub fn pidfd(&self) -> Option<Arc<OwnedFd>> {
        self.held.as_ref().filter(|_| self.home.is_here()).map(|held| held.pidfd.clone())
    }

    /// Whether it has ended, or was killed with all others. Never blocks.
    pub fn has_ended(&self) -> bool {
        self.pidfd().is_none_or(|pidfd| pidfd::life(pidfd.as_raw_fd()) != Life::Running)
    }

    /// Kills it (its group too, if it is a sibling of its maker). It is reaped when it is dropped, or by [`Newborn::reap`].
    pub fn kill(&self) {
        if let Some(held) = self.held.as_ref().filter(|_| self.home.is_here()) {
            held.kill();
        }
    }

    /// How it has ended, if it has: it is out of the registry then. Never blocks.
    pub fn reap(&mut self) -> Option<Exit> {
        if !self.home.is_here() {
            return None;
        }
        let held = self.held.take()?;
        match held.reap() {
            Ok(exit) => exit,
            Err(held) => {
                self.held = Some(held);
                None
            }
        }
    }

    /// Kills it, and waits so long for it to be gone. `false`: it is not; it is reaped later.
    pub fn kill_and_reap(mut self, until: Deadline) -> bool {
        self.kill();
        let Some(pidfd) = self.pidfd() else { return true };
        let left = until.left(clock::now());
        poll::wait_raw(pidfd.as_raw_fd(), left);
        self.reap().is_some() || self.held.is_none()
    }

    /// It becomes a child by this command ([`Command::check_birth`]); its streams are what [`Streams::of`] has made of it. Never blocks. On an error
    /// it is killed.
    pub fn into_child(mut self, command: &Command, streams: Streams) -> Result<Child> {
        command.check_birth()?;
        let mark = Mark::share_of(self.pid)?;
        let resources = mark.map(Resources::marked);
        let (ends, output) = streams.into_ends(command);
        self.become_child(command, ends, output, resources)
    }

    /// The same for who has planned its streams and belongings himself.
    pub(in crate::process) fn become_child(
        &mut self,
        command: &Command,
        ends: Ends,
        output: Option<Output>,
        resources: Option<Box<Resources>>,
    ) -> Result<Child> {
        let Some(Held { lease, pidfd }) = self.held.take() else {
            return Err(Error::new(Status::Internal, "adopt", "a newborn was given on before"));
        };
        if self.facts.tie == Tie::Child {
            lease.set_facts(Facts { sweep: command.sweeps(), ..self.facts });
        }
        let born = Born { pid: self.pid, pidfd, tier: Tier::Preloader, tie: self.facts.tie };
        let begun = Begun { at: self.asked_ns, executed: clock::now() };
        Ok(record(command, lease, born, ends, output, resources, || begun))
    }

    /// It is another's: nothing is done to it.
    fn leave_alone(mut self) {
        if let Some(held) = self.held.take()
            && !held.lease.disown()
        {
            // A frame that hangs in the slot may use the number yet.
            std::mem::forget(held.pidfd);
        }
    }
}

impl Drop for Newborn {
    fn drop(&mut self) {
        let Some(held) = self.held.take() else { return };
        if !self.home.is_here() {
            // The copy has its own pidfd, and nothing in the registry.
            return;
        }
        held.kill();
        if let Err(held) = held.reap() {
            leftovers::keep(Arc::new(Dying(Mutex::new(Some(held)))), Errno::EBUSY);
        }
    }
}

impl Held {
    fn kill(&self) {
        if let Some(slot) = self.lease.slot() {
            let _ = slot.signal_for(libc::SIGKILL, Cause::Shutdown);
        }
    }

    /// Takes it out of the registry if it has ended.
    fn reap(self) -> core::result::Result<Option<Exit>, Self> {
        let Some(slot) = self.lease.slot() else { return Ok(None) };
        match slot.try_reap(false) {
            Reaped::Running | Reaped::Elsewhere => Err(self),
            Reaped::Published => {
                let mut exit = slot.exit();
                self.retire();
                let dead = exit.ended_ns;
                wanting::tell(&mut exit, None, dead);
                Ok(Some(exit))
            }
        }
    }

    fn retire(self) {
        if !self.lease.retire() {
            // A frame that hangs in the slot may use the number yet.
            std::mem::forget(self.pidfd);
        }
    }
}

/// One that was killed, and is to be reaped.
struct Dying(Mutex<Option<Held>>);

/// A killed process is gone within milliseconds, but for one that waits for a device; a stranger's parent may take its time to reap it.
const DYING: Pace = Pace { first: MILLI, slowest: 1_000 * MILLI, most: 1_024, tries: 64 };

impl Leftover for Dying {
    fn remove(&self, _until: Deadline) -> core::result::Result<(), Errno> {
        let mut held = lock(&self.0);
        match held.take().map(Held::reap) {
            Some(Err(still)) => {
                *held = Some(still);
                Err(Errno::EBUSY)
            }
            _ => Ok(()),
        }
    }

    fn pace(&self) -> &'static Pace {
        &DYING
    }

    fn goes_soon(&self) -> bool {
        true
    }

    fn path(&self) -> Option<&std::path::Path> {
        None
    }

    /// The slot stays, so that kill-all finds it, and so must the pidfd whose number stands in it.
    fn give_up(&self) {
        if let Some(held) = lock(&self.0).take() {
            std::mem::forget(held);
        }
    }
}

/// Whose it is, if it is who was asked for; and its effective user, if that was seen.
fn prove(pid: i32, pidfd: &OwnedFd, maker: &Maker, user: Option<u32>, leads: bool) -> Result<(Tie, Option<u32>)> {
    if let Some((tie, user)) = is_plainly_its(pid, pidfd, maker, user) {
        if tie == Tie::Child && leads {
            lead(pid)?;
        }
        return Ok((tie, Some(user)));
    }
    if let Err(error) = named(pid, pidfd) {
        if error.status == Status::Exited {
            bury(pid, pidfd, maker);
        }
        return Err(error);
    }
    let fd = pidfd.as_raw_fd();
    if pid == maker.pid {
        return Err(rejected(pid, "is who was asked to make it"));
    }
    // One that has ended may be reaped by its parent, and its number go to this one, before that is looked at here.
    if registry::is_alive(pid) {
        return Err(rejected(pid, "is a child already"));
    }
    let tie = match wait::own(fd, pid) {
        Seen::Running => Tie::Child,
        Seen::Ended(_) => {
            bury(pid, pidfd, maker);
            return Err(ended(pid));
        }
        Seen::Gone => Tie::Stranger,
    };
    let made_by_it = match tie {
        // Nobody is asked whose child a sibling would have been: it must be younger than who has made it.
        Tie::Child => is_younger(pid, pidfd, maker),
        Tie::Stranger => procfs::descends_from(pid, maker.pid),
    };
    if !made_by_it {
        return Err(rejected(pid, "was not made by who was asked to"));
    }
    if tie == Tie::Stranger && pidfd::signal(fd, 0) == Err(SendError::Unavailable) {
        let text = format!("process {pid} cannot be taken in here: pidfd_send_signal(2) cannot be used, so it could not be stopped");
        return Err(Error::new(Status::Unsupported, "adopt", text).with_pid(pid));
    }
    if let Some(user) = user {
        match pidfd::user(fd).or_else(|| procfs::effective_user(pid)) {
            Some(is) if is == user => {}
            Some(is) => return Err(rejected(pid, &format!("is user {is}'s, and should be user {user}'s"))),
            None => return Err(rejected(pid, "is nobody's, as far as can be seen")),
        }
    }
    // It was all of this process.
    named(pid, pidfd)?;
    if tie == Tie::Child && leads {
        lead(pid)?;
    }
    Ok((tie, None))
}

/// Whose it is, and its effective user, where the kernel says all that is to be proven in few calls. `None`: it is none of the maker's, or that is
/// not to be had so simply.
///
/// The order: who runs at the end, and was not reaped since it was asked for its number, has had that number all the time. So what was seen of the
/// number meanwhile was seen of it; and so with its maker, whose number the kernel has named as its parent's.
fn is_plainly_its(pid: i32, pidfd: &OwnedFd, maker: &Maker, user: Option<u32>) -> Option<(Tie, u32)> {
    let fd = pidfd.as_raw_fd();
    let known = pidfd::known(fd).filter(|known| known.pid == pid && user.is_none_or(|user| known.user == user))?;
    if pid <= 1 || pid == maker.pid || registry::is_alive(pid) {
        return None;
    }
    let is_younger = || maker.number.is_some_and(|makers| pidfd::number(pidfd).is_some_and(|its| its > makers));
    let is_makers = || known.parent == maker.pid && pidfd::known(maker.pidfd.as_raw_fd()).is_some_and(|maker| maker.pid == known.parent);
    let runs = || pid != getpid() && pidfd::life(fd) == Life::Running;
    let tie = match wait::own(fd, pid) {
        Seen::Running if is_younger() => Tie::Child,
        Seen::Gone if is_makers() && runs() && pidfd::signal(fd, 0) != Err(SendError::Unavailable) => Tie::Stranger,
        Seen::Running | Seen::Ended(_) | Seen::Gone => return None,
    };
    Some((tie, known.user))
}

/// It has ended before it was known. If it is a sibling, nobody but us will ever reap it.
fn bury(pid: i32, pidfd: &OwnedFd, maker: &Maker) {
    let is_it = pidfd::number_here(pidfd.as_raw_fd()) == Some(pid) && pid != maker.pid && !registry::has_number(pid);
    if is_it && matches!(wait::own(pidfd.as_raw_fd(), pid), Seen::Ended(_)) && is_younger(pid, pidfd, maker) && procfs::has_no_exec(pid) {
        wait::reap(pidfd.as_raw_fd(), pid);
    }
}

/// It leads a group of its own, and has not begun a program: the kernel says so where it makes a child of ours lead one (setpgid(2)). So one that the host
/// has made for itself, and that runs a program, is none of ours however well it speaks. In another session only /proc tells.
fn lead(pid: i32) -> Result<()> {
    let process = Pid::from_raw(pid);
    match setpgid(process, process) {
        Ok(()) => Ok(()),
        Err(Errno::EPERM) if procfs::has_no_exec(pid) && pidfd::group_of_number(pid) == Some(pid) => Ok(()),
        Err(Errno::EACCES) => Err(rejected(pid, "has begun a program of its own")),
        Err(Errno::ESRCH) => Err(ended(pid)),
        Err(errno) => Err(rejected(pid, &format!("leads no group of its own ({})", errno.desc()))),
    }
}

fn ended(pid: i32) -> Error {
    Error::new(Status::Exited, "adopt", format!("process {pid} has ended")).with_pid(pid)
}

/// Where nobody can tell it is believed: who said HELLO had the private pair.
fn is_younger(pid: i32, pidfd: &OwnedFd, maker: &Maker) -> bool {
    match (pidfd::number(pidfd), maker.number) {
        (Some(its), Some(makers)) => its > makers,
        _ => procfs::start_time(pid).zip(procfs::start_time(maker.pid)).is_none_or(|(its, makers)| its >= makers),
    }
}
