//! A child's life after its spawn: RUNNING -> STOPPING -> EXITED, forward only.
//!
//! The exit is state, not a message: whoever asks, in whatever thread and how often, gets the same record until the handle
//! is gone. `settle` is the one place where what a child owned is released: the registry slot, the pidfd, the sandbox, its
//! descriptors; it runs exactly once, under the lock of `life`.
//!
//! Who may reap: any thread here, a signal handler through the registry, a host that waits for everything. All of them end
//! in a published slot; this file turns that into the record and the release.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use nix::errno::Errno;

use super::Line;
use super::belongings::Resources;
use super::cgroup::Cgroup;
use super::output::{Drained, Output};
use super::stop::{Ladder, Step};
use crate::clock::{self, Deadline};
use crate::error::{Error, Result, Status};
use crate::lock::lock;
use crate::registry::{Cause, Exit, Lease, Reaped};
use crate::sys::clone::Path;
use crate::sys::memory::Home;
use crate::sys::poll::ProcessWait;
use crate::sys::signal;

/// Where a child stands; only forward, but for a child with a restart policy, which is pending between its
/// runs.
#[derive(Clone, Copy, PartialEq, Eq, Debug, strum::FromRepr, strum::IntoStaticStr, strum::VariantNames)]
#[repr(i32)]
pub enum State {
    /// Not started yet, or waiting to be started again.
    #[strum(serialize = "PS_STATE_PENDING")]
    Pending = 0,
    /// It runs.
    #[strum(serialize = "PS_STATE_RUNNING")]
    Running = 1,
    /// Its stop plan runs.
    #[strum(serialize = "PS_STATE_STOPPING")]
    Stopping = 2,
    /// It has ended, was reaped, and will not be started again.
    #[strum(serialize = "PS_STATE_EXITED")]
    Exited = 3,
    /// It was cancelled before it started, or could not be started.
    #[strum(serialize = "PS_STATE_CANCELLED")]
    Cancelled = 4,
}

/// One child process.
#[derive(Debug)]
pub struct Child {
    pub(super) pid: i32,
    pub(super) path: Path,
    pub(super) sweep: bool,
    pub(super) home: Home,
    pub(super) life: Mutex<Life>,
    /// Rung when `exit` is set.
    pub(super) settled: Condvar,
    pub(super) streams: Mutex<[Option<OwnedFd>; 3]>,
    pub(super) lines: bool,
    pub(super) in_cgroup: bool,
    pub(super) output: Option<Box<Mutex<Output>>>,
}

/// What changes in a child's life.
#[derive(Debug)]
pub(super) struct Life {
    /// None once retired.
    pub lease: Option<Lease>,
    /// Shared with whoever waits on it: it is closed when the last of them has woken up.
    pub pidfd: Option<Arc<OwnedFd>>,
    pub exit: Option<Exit>,
    /// Threads that wait for `exit` to be set.
    pub awaiting: u32,
    pub ladder: Ladder,
    pub stop_cause: Cause,
    /// When the stop plan begins by itself.
    pub deadline: Deadline,
    pub plan: Arc<Vec<Step>>,
    pub resources: Option<Box<Resources>>,
    /// Why its output could not be put in place.
    pub complaint: Option<Box<Error>>,
}

impl Life {
    fn cgroup(&self) -> Option<&Cgroup> {
        self.resources.as_ref()?.cgroup.as_ref()
    }

    /// It has been reaped; `exit` follows when everything is released.
    fn has_ended(&self) -> bool {
        self.lease.is_none()
    }
}

impl Child {
    /// In a forked copy of the host, its parent's children are not its own.
    pub fn check(&self) -> Result<()> {
        self.home.check("child")
    }

    /// The process id, for display only.
    pub fn pid(&self) -> i32 {
        self.pid
    }

    /// Which tier made it.
    pub fn spawn_path(&self) -> Path {
        self.path
    }

    /// Where it stands. Does not look at the process.
    pub fn state(&self) -> State {
        let life = lock(&self.life);
        match (&life.exit, life.ladder) {
            (Some(_), _) => State::Exited,
            (None, Ladder::Idle) => State::Running,
            (None, _) => State::Stopping,
        }
    }

    /// Whether it has, or had, a control group of its own that goes soon after it.
    pub fn had_cgroup(&self) -> bool {
        self.in_cgroup && self.sweep
    }

    /// From now on it is no child of ours: nothing sweeps, stops or reaps it, also not kill-all. Answers its pidfd, unless it was
    /// reaped already.
    pub fn disown(&self) -> Option<Arc<OwnedFd>> {
        let mut life = lock(&self.life);
        if let Some(lease) = life.lease.take() {
            lease.abandon();
        }
        life.pidfd.clone()
    }

    /// Whether its stop plan has begun.
    pub fn is_stopping(&self) -> bool {
        lock(&self.life).ladder != Ladder::Idle
    }

    /// The exit record, if it has been taken.
    pub fn exit(&self) -> Option<Exit> {
        lock(&self.life).exit
    }

    /// The pidfd, as long as the exit has not been taken.
    pub fn pidfd(&self) -> Option<Arc<OwnedFd>> {
        lock(&self.life).pidfd.clone()
    }

    /// Our end of a piped stream; it now belongs to the caller.
    pub fn take_stream(&self, stream: i32) -> Result<OwnedFd> {
        self.check()?;
        let slot = usize::try_from(stream).ok().filter(|i| *i < 3);
        let slot = slot.ok_or_else(|| Error::invalid("stream", format!("stream {stream} is not 0, 1 or 2")))?;
        let taken = lock(&self.streams)[slot].take();
        taken.ok_or_else(|| Error::new(Status::NotFound, "stream", format!("stream {stream} is no pipe, or was taken already")))
    }

    /// Closes our ends of streams that nobody can take any more.
    pub fn drop_streams(&self) {
        let ends = std::mem::take(&mut *lock(&self.streams));
        drop(ends);
    }

    /// Signals the whole group (the process, if it has none). 0 only asks.
    pub fn signal(&self, number: i32) -> Result<()> {
        self.check()?;
        if !(0..=signal::MAX).contains(&number) {
            return Err(Error::invalid("signal", format!("{number} is no signal")));
        }
        let life = lock(&self.life);
        let slot = life.lease.as_ref().and_then(Lease::slot);
        let exited = || Error { pid: Some(self.pid), ..Error::new(Status::Exited, "signal", format!("process {} has ended", self.pid)) };
        let slot = slot.ok_or_else(exited)?;
        if number != 0 {
            slot.note_signal(number);
        }
        slot.signal(number).map_err(|errno| match errno {
            Errno::ESRCH => exited(),
            errno => Error { pid: Some(self.pid), ..Error::system("kill", errno, format!("cannot signal process {}", self.pid)) },
        })?;
        self.signal_escaped(&life, number);
        Ok(())
    }

    /// Those in its control group that left its process group.
    fn signal_escaped(&self, life: &Life, number: i32) {
        let Some(cgroup) = life.cgroup().filter(|_| number != 0) else { return };
        match number {
            libc::SIGKILL => cgroup.group().kill(),
            // The group has just been signalled, and nobody shall get it twice.
            _ => cgroup.group().signal(number, |pid| pid == self.pid || signal::group_of(pid) == Some(self.pid)),
        }
    }

    /// The shutdown of a supervisor leaves nobody: a plan that does not end with a kill gets one.
    pub fn end_plan_with_kill(&self) {
        let mut life = lock(&self.life);
        if life.plan.last().is_none_or(|step| step.signal != libc::SIGKILL) {
            let mut plan = life.plan.to_vec();
            // A last rung without an end of its own would hold up the shutdown.
            plan.push(Step { signal: libc::SIGKILL, wait_ms: -1 });
            life.plan = Arc::new(plan);
        }
    }

    /// Starts the stop plan, unless it runs already. Never blocks. `grace_ms >= 0` replaces the wait of its first step.
    pub fn stop(&self, grace_ms: i64, cause: Cause) -> Result<()> {
        self.check()?;
        self.climb(|life| {
            let number = life.ladder.begin(&life.plan, clock::now(), grace_ms);
            if number.is_some() {
                life.stop_cause = cause;
            }
            number
        });
        Ok(())
    }

    /// Moves the ladder if its time or the deadline has come. Never blocks.
    pub fn tick(&self) {
        let now = clock::now();
        self.climb(|life| match life.ladder {
            Ladder::Idle if life.deadline.is_over(now) => {
                life.stop_cause = Cause::Deadline;
                life.ladder.begin(&life.plan, now, -1)
            }
            _ => life.ladder.advance(&life.plan, now),
        });
    }

    fn climb(&self, next: impl FnOnce(&mut Life) -> Option<i32>) {
        let mut life = lock(&self.life);
        if life.has_ended() {
            return;
        }
        if let Some(number) = next(&mut life)
            && let Some(slot) = life.lease.as_ref().and_then(Lease::slot)
        {
            slot.blame(life.stop_cause);
            // A stopped process takes no TERM before it continues.
            let _ = slot.signal(number);
            if number != libc::SIGKILL {
                let _ = slot.signal(libc::SIGCONT);
            }
            self.signal_escaped(&life, number);
            if number != libc::SIGKILL {
                self.signal_escaped(&life, libc::SIGCONT);
            }
        }
    }

    /// When `tick` has something to do.
    pub fn due(&self) -> Deadline {
        let life = lock(&self.life);
        match life.ladder {
            _ if life.has_ended() => Deadline::NEVER,
            Ladder::Idle => life.deadline,
            ladder => ladder.due(),
        }
    }

    /// Whether the ladder is at its end and the child still there.
    fn is_unkillable(&self) -> bool {
        let life = lock(&self.life);
        !life.has_ended() && life.ladder == Ladder::Over
    }

    /// Kills the group at once, for this cause.
    pub fn kill(&self, cause: Cause) {
        if self.check().is_err() {
            return;
        }
        let life = lock(&self.life);
        if let Some(slot) = life.lease.as_ref().and_then(Lease::slot) {
            slot.blame(cause);
            let _ = slot.signal(libc::SIGKILL);
            self.signal_escaped(&life, libc::SIGKILL);
        }
    }

    /// The exit record if it has ended; reaps and releases. Never blocks. `read`: reads what it has said so far.
    pub fn try_reap(&self, read: bool) -> Result<Option<Exit>> {
        self.check()?;
        if let Some(output) = self.output.as_ref().filter(|_| read) {
            lock(output).drain(self.look_size());
        }
        self.reap_if(false)
    }

    /// How much a look reads: an empty line costs more than it says.
    fn look_size(&self) -> usize {
        if self.lines { 1 << 14 } else { 1 << 18 }
    }

    /// What it was to put in place shall not be: it was never wanted.
    pub fn discard_output(&self) {
        let file = lock(&self.life).resources.as_mut().and_then(|resources| resources.take_file());
        drop(file);
    }

    /// The same when its pidfd was seen readable.
    pub fn reap_ended(&self) -> Result<Option<Exit>> {
        self.reap_if(true)
    }

    fn reap_if(&self, ended: bool) -> Result<Option<Exit>> {
        self.check()?;
        let (exit, pidfd, resources) = {
            let mut life = lock(&self.life);
            let slot = life.lease.as_ref().and_then(Lease::slot);
            match slot {
                Some(slot) if slot.try_reap(ended) == Reaped::Published => {
                    // Read before the slot is given back: the next child writes its own there.
                    let exit = slot.exit();
                    let (pidfd, resources) = self.settle(&mut life);
                    (exit, pidfd, resources)
                }
                _ => return Ok(life.exit),
            }
        };
        // Closing and removing may take the file system's time: not under the lock. But nobody sees the exit before it is done.
        drop(pidfd);
        let complaint = resources.and_then(|resources| resources.release(&exit)).map(Box::new);
        let awaited = {
            let mut life = lock(&self.life);
            life.complaint = complaint;
            life.exit = Some(exit);
            life.awaiting != 0
        };
        // Ringing is a system call, heard or not.
        if awaited {
            self.settled.notify_all();
        }
        Ok(Some(exit))
    }

    /// The one release: who took the lease does it. Answers what is to be dropped outside the lock.
    fn settle(&self, life: &mut Life) -> (Option<Arc<OwnedFd>>, Option<Box<Resources>>) {
        if let Some(output) = &self.output {
            lock(output).finish(!self.sweep);
        }
        if let Some(cgroup) = life.cgroup().filter(|_| self.sweep) {
            cgroup.group().kill();
        }
        if let Some(lease) = life.lease.take() {
            lease.retire();
        }
        (life.pidfd.take(), life.resources.take())
    }

    /// Another thread is releasing what the child owned: waits for that.
    fn await_settled(&self, deadline: Deadline) {
        let mut life = lock(&self.life);
        life.awaiting += 1;
        let busy = |life: &mut Life| life.exit.is_none();
        let limit = Duration::from_nanos(deadline.left(clock::now()) as u64);
        let waited = self.settled.wait_timeout_while(life, limit, busy);
        waited.unwrap_or_else(std::sync::PoisonError::into_inner).0.awaiting -= 1;
    }

    /// Shows the captured output so far, in two pieces.
    pub fn with_output<T>(&self, read: bool, show: impl FnOnce(&[u8], &[u8]) -> T) -> Result<T> {
        self.check()?;
        let none = || Error::new(Status::State, "output", "the command did not ask for its output to be captured");
        let mut output = lock(self.output.as_ref().ok_or_else(none)?);
        if read {
            output.drain(self.look_size());
        }
        let (first, second) = output.pieces().ok_or_else(none)?;
        Ok(show(first, second))
    }

    /// Why its output could not be put in place, once it has ended.
    pub fn complaint(&self) -> Option<Error> {
        lock(&self.life).complaint.as_deref().cloned()
    }

    /// Whether somebody has to look at this child from time to time: it has output to drain or a time to keep.
    pub fn needs_driving(&self) -> bool {
        self.output.is_some() || !self.due().is_never()
    }

    /// The reading ends of its output, while more may come.
    pub fn pipes(&self) -> [Option<Arc<OwnedFd>>; 2] {
        self.output.as_ref().map_or_else(Default::default, |output| lock(output).pipes())
    }

    /// Drains one of them, at most so many bytes; `true` while more may come.
    pub fn drain(&self, place: usize, allowance: usize) -> bool {
        self.output.as_ref().is_some_and(|output| lock(output).drain_stream(place, allowance) == Drained::Open)
    }

    /// Whether its output comes through pipes that are read here.
    pub fn has_output(&self) -> bool {
        self.output.is_some()
    }

    /// Whether its output is cut into lines.
    pub fn has_output_lines(&self) -> bool {
        self.lines
    }

    /// The lines it has said since they were last taken.
    pub fn take_lines(&self) -> Vec<Line> {
        self.output.as_ref().map_or_else(Vec::new, |output| lock(output).take_lines())
    }

    /// Waits for the end, driving ladder, deadline and output meanwhile. `also` (asked before each sleep) is watched too, and
    /// `pump` called after each. `None`: the deadline came first, or (`give_up`) the stop plan is through and the child still there.
    pub fn wait<'a>(
        &self,
        deadline: Deadline,
        give_up: bool,
        also: impl Fn() -> Option<BorrowedFd<'a>>,
        pump: impl Fn(),
    ) -> Result<Option<Exit>> {
        let mut process = ProcessWait::default();
        let mut ended = false;
        // A wait that may block begins with the poll: most children have not ended yet.
        let mut look = !deadline.is_never();
        loop {
            if let Some(output) = &self.output {
                lock(output).drain(1 << 20);
            }
            if (look || ended || self.exit().is_some())
                && let Some(exit) = self.reap_if(ended)?
            {
                return Ok(Some(exit));
            }
            look = true;
            self.check()?;
            self.tick();
            if deadline.has_come() || (give_up && self.is_unkillable()) {
                return Ok(None);
            }
            let Some(pidfd) = self.pidfd() else {
                self.await_settled(deadline);
                continue;
            };
            let pipes = self.pipes();
            let mut watched = vec![pidfd.as_fd()];
            watched.extend(pipes.iter().flatten().map(|pipe| pipe.as_fd()));
            watched.extend(also());
            let until = deadline.min(self.due());
            ended = process.wait(&watched, until).map_err(|errno| Error::system("poll", errno, "cannot wait"))?;
            pump();
        }
    }
}

impl Drop for Child {
    /// Supervisors keep a child until its end. If one is dropped all the same, its slot stays, so that kill-all finds it, and
    /// so must the pidfd whose number is in the slot: another descriptor of that number would be signalled in its place.
    fn drop(&mut self) {
        let life = self.life.get_mut().unwrap_or_else(std::sync::PoisonError::into_inner);
        if life.lease.is_some() && self.home.is_here() {
            std::mem::forget(life.pidfd.take());
        }
    }
}
