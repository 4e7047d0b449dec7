//! A child's life after its spawn: RUNNING -> STOPPING -> EXITED, forward only.
//!
//! The race: it may end, and be reaped by somebody, between any two lines here. So nothing is done to it by number or by pidfd: signals go
//! through its slot in the registry, which knows whether it is still its child's, and all that changes stands under the lock of `life`.
//!
//! | file        | what                                                            |
//! |-------------|-----------------------------------------------------------------|
//! | `mod.rs`    | what it is, signals, its stop plan                              |
//! | `end.rs`    | reaped, recorded, released: once; and the waits for that        |
//! | `spoken.rs` | what it has said                                                |
//! | `fed.rs`    | what it is told while it runs                                   |
//! | `signs.rs`  | what is known of its being ready, and of what it says of itself |
//! | `readying.rs` | the looks at that, the waits for it                           |
//! | `terminal.rs` | its pseudo-terminal                                           |
//! | `tier.rs`   | which way it was made                                           |
//! | `wanting.rs` | whether it was killed for want of memory                       |
//! | `stopped.rs` | whether it is stopped, for who asks and who is told           |
//! | `words.rs`  | how it ended, for a sentence                                    |

mod end;
mod fed;
mod readying;
mod signs;
mod spoken;
mod stopped;
mod terminal;
mod tier;
pub(super) mod wanting;
mod words;

use std::num::NonZero;
use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::{Arc, Condvar, Mutex};

use nix::errno::Errno;

pub(super) use self::signs::Readying;
pub use self::signs::{Begun, Said, Standing};
pub use self::tier::Tier;
pub use self::words::{described, for_want_of_memory};
use super::belongings::Resources;
use super::cgroup::Cgroup;
use super::descriptors::Ours;
use super::output::Output;
use super::output::feed::Feed;
use super::scope::StopScope;
use super::stop::{self, KILL, Ladder, Step};
use super::stops::Stops;
use super::terminal::Master;
use crate::clock::{self, Deadline};
use crate::error::{Error, Result, Status};
use crate::lock::lock;
use crate::registry::{Cause, Exit, Lease, Slot, Tie};
use crate::sys::memory::Home;
use crate::sys::procfs;
use crate::sys::reserve;
use crate::sys::signal;

/// Where a child stands; only forward, but for a child with a restart policy, which is pending between its
/// runs.
#[derive(Clone, Copy, PartialEq, Eq, Debug, strum::FromRepr, strum::IntoStaticStr, strum::VariantNames)]
#[strum(suffix = "\0")]
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
    pub(super) tier: Tier,
    pub(super) tie: Tie,
    pub(super) sweep: bool,
    /// Whom its stop plan reaches.
    pub(super) scope: StopScope,
    pub(super) home: Home,
    pub(super) life: Mutex<Life>,
    /// Rung when `exit` is set.
    pub(super) settled: Condvar,
    pub(super) streams: Mutex<Ours>,
    pub(super) lines: bool,
    /// Pieces of lines are told, too.
    pub(super) pieces: bool,
    pub(super) in_cgroup: bool,
    /// It leads a process group of its own.
    pub(super) leads: bool,
    /// Most have nothing of it.
    pub(super) rare: Option<Box<Rare>>,
}

/// What few children have.
#[derive(Debug, Default)]
pub(super) struct Rare {
    /// Its input, where that is fed while it runs.
    pub feed: Option<Box<Mutex<Feed>>>,
    /// Our end of its terminal, until somebody takes it.
    pub terminal: Option<Box<Mutex<Master>>>,
    pub output: Option<Box<Mutex<Output>>>,
    /// Of a contained one: the numbers of its program here and inside, if it may speak for itself (`coordination/notify`), else 0. (`pid` is its init's.)
    pub inside: Option<(i32, i32)>,
    /// Where something is asked of it beside its exec.
    pub readying: Option<Box<Mutex<Readying>>>,
    /// Where it is to be told that it was stopped.
    pub stops: Option<Box<Mutex<Stops>>>,
}

impl Rare {
    const NOTHING: Self = Self { feed: None, terminal: None, output: None, inside: None, readying: None, stops: None };
}

/// What changes in a child's life.
#[derive(Debug)]
pub(super) struct Life {
    /// None once retired.
    pub lease: Option<Lease>,
    /// Shared with whoever waits on it: it is closed when the last of them has woken up.
    pub pidfd: Option<Arc<OwnedFd>>,
    /// Made when it has ended: most of a child's life has none.
    pub exit: Option<Box<Exit>>,
    /// Threads that wait for `exit` to be set.
    pub awaiting: u32,
    /// Since when another frame is about to publish its end.
    pub elsewhere_since: Option<NonZero<i64>>,
    pub ladder: Ladder,
    pub stop_cause: Cause,
    /// Why the plan's last signal could not be sent.
    pub refused: Option<Errno>,
    /// When the stop plan begins by itself.
    pub deadline: Deadline,
    pub plan: Arc<Vec<Step>>,
    /// How long the plan lets it dump its core, milliseconds.
    pub core_wait_ms: i64,
    pub resources: Option<Box<Resources>>,
    /// Why its output could not be put in place.
    pub complaint: Option<Box<Error>>,
}

/// A frame of this process that hangs in an abandoned slot may use these numbers yet: they stay its own, for good.
fn keep_open(pidfd: Option<&Arc<OwnedFd>>, resources: Option<&Resources>) {
    std::mem::forget(pidfd.cloned());
    if let Some(cgroup) = resources.and_then(|resources| resources.cgroup.as_ref()) {
        cgroup.group().keep_kill_open();
    }
}

/// By its pidfd for one that somebody else may reap.
fn dumps_core(stranger: Option<&OwnedFd>, pid: i32) -> bool {
    stranger.map_or_else(|| procfs::is_dumping_core(pid), |pidfd| procfs::writes_core(pidfd.as_raw_fd()))
}

impl Life {
    fn cgroup(&self) -> Option<&Cgroup> {
        self.resources.as_ref()?.cgroup.as_ref()
    }

    /// When its plan moves on, or begins by itself.
    fn due(&self) -> Deadline {
        match self.ladder {
            _ if self.has_ended() => Deadline::NEVER,
            Ladder::Idle => self.deadline,
            ladder => ladder.due(),
        }
    }

    /// It has been reaped; `exit` follows when everything is released.
    fn has_ended(&self) -> bool {
        self.lease.is_none()
    }
}

impl Child {
    pub(super) fn rare(&self) -> &Rare {
        static NOTHING: Rare = Rare::NOTHING;
        self.rare.as_deref().unwrap_or(&NOTHING)
    }

    /// In a forked copy of the host, its parent's children are not its own.
    pub fn check(&self) -> Result<()> {
        self.home.check("child")
    }

    /// The process id, for display only.
    pub fn pid(&self) -> i32 {
        self.pid
    }

    /// Which tier made it.
    pub fn spawn_tier(&self) -> Tier {
        self.tier
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
        if let Some(lease) = life.lease.take()
            && !lease.disown()
        {
            keep_open(life.pidfd.as_ref(), life.resources.as_deref());
        }
        life.pidfd.clone()
    }

    /// Whether its stop plan has begun.
    pub fn is_stopping(&self) -> bool {
        lock(&self.life).ladder != Ladder::Idle
    }

    /// Whether kill-all has killed it: known before its end is.
    pub fn was_killed_with_all(&self) -> bool {
        let life = lock(&self.life);
        let by_record = || life.exit.as_ref().is_some_and(|exit| exit.cause == Cause::KillAll);
        life.lease.as_ref().and_then(Lease::slot).map_or_else(by_record, |slot| slot.is_killed_with_all())
    }

    /// The exit record, if it has been taken.
    pub fn exit(&self) -> Option<Exit> {
        lock(&self.life).exit.as_deref().copied()
    }

    /// Whether it owns something whose release may take its time.
    pub fn owns(&self) -> bool {
        lock(&self.life).resources.as_deref().is_some_and(Resources::are_slow)
    }

    /// The pidfd, as long as the exit has not been taken.
    pub fn pidfd(&self) -> Option<Arc<OwnedFd>> {
        lock(&self.life).pidfd.clone()
    }

    /// Our end of a pipe that the child has as this number; it now belongs to the caller.
    pub fn take_stream(&self, stream: i32) -> Result<OwnedFd> {
        self.check()?;
        if stream < 0 {
            return Err(Error::invalid("stream", format!("stream {stream} cannot be the number of a descriptor")));
        }
        let taken = lock(&self.streams).take(stream);
        taken.ok_or_else(|| Error::new(Status::NotFound, "stream", format!("stream {stream} is no pipe, or was taken already")))
    }

    /// An end of one of its streams that came later than its process: from now on whoever asks for the stream gets it.
    #[allow(dead_code)]
    pub fn give_stream(&self, stream: i32, fd: OwnedFd) {
        let before = lock(&self.streams).put(stream, fd);
        drop(before);
    }

    /// Keeps it open until the process has ended.
    pub fn keep(&self, tie: Arc<OwnedFd>) {
        let mut life = lock(&self.life);
        if !life.has_ended() {
            life.resources.get_or_insert_default().tie = Some(tie);
        }
    }

    /// Whose child it is in the eyes of the kernel.
    pub fn tie(&self) -> Tie {
        self.tie
    }

    /// Closes our ends of streams that nobody can take any more, and ends the input that nobody can feed.
    pub fn close_streams(&self) {
        let ends = std::mem::take(&mut *lock(&self.streams));
        drop(ends);
        self.finish_input();
        let terminal = self.rare().terminal.as_ref().and_then(|master| lock(master).close());
        drop(terminal);
    }

    /// Signals the whole group (the process, if it has none). 0 only asks.
    pub fn signal(&self, number: i32) -> Result<()> {
        self.signal_some(number, false)
    }

    /// Signals the process alone, whatever group it leads.
    pub fn signal_alone(&self, number: i32) -> Result<()> {
        self.signal_some(number, true)
    }

    fn signal_some(&self, number: i32, alone: bool) -> Result<()> {
        self.check()?;
        if !(0..=signal::MAX).contains(&number) {
            return Err(Error::invalid("signal", format!("{number} is no signal")));
        }
        let life = lock(&self.life);
        let slot = life.lease.as_ref().and_then(Lease::slot);
        let exited = || Error::new(Status::Exited, "signal", format!("process {} has ended", self.pid)).with_pid(self.pid);
        let slot = slot.ok_or_else(exited)?;
        let sent = match (number, alone) {
            (0, _) => slot.signal(0),
            (_, true) => slot.signal_alone_as_owner(number),
            (_, false) => slot.signal_as_owner(number),
        };
        sent.map_err(|errno| match errno {
            Errno::ESRCH => exited(),
            errno => self.cannot_signal(errno),
        })?;
        if !alone {
            self.signal_escaped(&life, number);
        }
        Ok(())
    }

    fn cannot_signal(&self, errno: Errno) -> Error {
        let error = Error::system("kill", errno, format!("cannot signal process {}", self.pid)).with_pid(self.pid);
        // There is no safe way but by pidfd to one that is not our child.
        if errno == Errno::ENOSYS { error.with_status(Status::Unsupported) } else { error }
    }

    /// The last signal of its stop plan was refused: it has become another user's, or a filter forbids it.
    pub fn refusal(&self) -> Option<Error> {
        lock(&self.life).refused.map(|errno| self.cannot_signal(errno))
    }

    /// Those in its control group that left its process group.
    fn signal_escaped(&self, life: &Life, number: i32) {
        // Of a contained one it is not known who has got it already: those who left the group inside go with the program.
        let Some(cgroup) = life.cgroup().filter(|_| number != 0 && (self.rare().inside.is_none() || number == libc::SIGKILL)) else {
            return;
        };
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
            // A plan so long that there is no memory for another is not climbed to its end.
            let mut plan = reserve::room(life.plan.len() + 1).unwrap_or_default();
            if plan.capacity() > 0 {
                plan.extend_from_slice(&life.plan);
            }
            // A last rung without an end of its own would hold up the shutdown.
            plan.push(Step { signal: libc::SIGKILL, wait_ms: -1 });
            life.plan = Arc::new(plan);
        }
    }

    /// Starts the stop plan, unless it runs already. Never blocks. `grace_ms >= 0` replaces the wait of its first step.
    pub fn stop(&self, grace_ms: i64, cause: Cause) -> Result<()> {
        self.check()?;
        self.climb(|life| {
            let dump = self.dump_ms(life);
            // Also where a core dump holds up its first signal.
            if matches!(life.ladder, Ladder::Idle | Ladder::Over) {
                life.stop_cause = cause;
            }
            life.ladder.begin(&life.plan, clock::now(), grace_ms, dump)
        });
        Ok(())
    }

    /// Hears what it says of itself, looks whether it is stopped, and moves the ladder if its time or the deadline has come. Never blocks.
    pub fn tick(&self) {
        self.look_at_signs();
        self.look_for_stop();
        self.tell_pieces();
        let now = clock::now();
        self.climb(|life| {
            let dump = self.dump_ms(life);
            match life.ladder {
                Ladder::Idle if life.deadline.is_over(now) => {
                    life.stop_cause = Cause::Deadline;
                    life.ladder.begin(&life.plan, now, -1, dump)
                }
                _ => life.ladder.advance(&life.plan, now, dump),
            }
        });
    }

    /// It was not ready in time, or never will be: kills it, unless it is being stopped already. A core that it is dumping is waited for, and whom
    /// the kill reaches is said by its command, as in any plan.
    fn end_unready(&self) {
        self.climb(|life| {
            if life.ladder != Ladder::Idle {
                return None;
            }
            let dump = self.dump_ms(life);
            (life.plan, life.stop_cause) = (Arc::new(KILL.to_vec()), Cause::NotReady);
            life.ladder.begin(&life.plan, clock::now(), -1, dump)
        });
    }

    /// It has been silent for too long: its plan runs, with a signal in front that leaves a core. Unless it is being stopped already.
    fn abort(&self) {
        self.climb(|life| {
            if life.ladder != Ladder::Idle {
                return None;
            }
            let dump = self.dump_ms(life);
            (life.plan, life.stop_cause) = (Arc::new(stop::with_abort(&life.plan)), Cause::Watchdog);
            life.ladder.begin(&life.plan, clock::now(), -1, dump)
        });
    }

    /// How long it may take over a core that it is dumping; asked only where it matters, since that reads a file.
    fn dump_ms(&self, life: &Life) -> impl FnOnce() -> i64 + use<> {
        let (stranger, pid, wait, contained) = (self.stranger(life), self.pid, life.core_wait_ms, self.rare().inside.is_some());
        // Of a contained one it is not init that dumps.
        let program = move || if contained { procfs::first_child(pid).unwrap_or(pid) } else { pid };
        move || if wait > 0 && dumps_core(stranger.as_deref(), program()) { wait } else { 0 }
    }

    /// Of a contained one it is not init that runs the program, or dumps.
    fn number_of_program(&self) -> i32 {
        self.rare().inside.and_then(|_| procfs::first_child(self.pid)).unwrap_or(self.pid)
    }

    /// Its identity, if its number may be another's by now.
    fn stranger(&self, life: &Life) -> Option<Arc<OwnedFd>> {
        life.pidfd.clone().filter(|_| self.tie == Tie::Stranger)
    }

    fn climb(&self, next: impl FnOnce(&mut Life) -> Option<i32>) {
        let mut life = lock(&self.life);
        if life.has_ended() {
            return;
        }
        if let Some(number) = next(&mut life)
            && let Some(slot) = life.lease.as_ref().and_then(Lease::slot)
        {
            // One that is dumping core has ended already, of something else, and takes nothing but a kill.
            let too_late = number != libc::SIGKILL && dumps_core(self.stranger(&life).as_deref(), self.number_of_program());
            let sent = self.send_of_plan(slot, number, Some(life.stop_cause).filter(|_| !too_late));
            life.refused = sent.err().filter(|errno| matches!(errno, Errno::EPERM | Errno::ENOSYS));
            if let Some(errno) = life.refused {
                let Life { ladder, plan, .. } = &mut *life;
                ladder.refused(plan, errno == Errno::ENOSYS);
            }
            // A stopped process takes no TERM before it continues.
            if number != libc::SIGKILL {
                let _ = self.send_of_plan(slot, libc::SIGCONT, None);
            }
            if self.scope.is_alone(number) {
                return;
            }
            self.signal_escaped(&life, number);
            if number != libc::SIGKILL {
                self.signal_escaped(&life, libc::SIGCONT);
            }
        }
    }

    /// To whom its command says; what is answered is what became of the child itself.
    fn send_of_plan(&self, slot: Slot, number: i32, blamed: Option<Cause>) -> core::result::Result<(), Errno> {
        match (self.scope.is_alone(number), blamed) {
            (false, Some(cause)) => slot.signal_for(number, cause),
            (false, None) => slot.signal(number),
            (true, Some(cause)) => slot.signal_alone_for(number, cause),
            (true, None) => slot.signal_alone(number),
        }
    }

    /// When `tick` has something to do.
    pub fn due(&self) -> Deadline {
        let life = lock(&self.life);
        if life.has_ended() {
            return Deadline::NEVER;
        }
        let plan = life.due();
        let due = self.rare().readying.as_deref().map_or(plan, |readying| plan.min(lock(readying).due()));
        due.min(self.stop_due()).min(self.pieces_due())
    }

    /// Whether the ladder is at its end and the child still there.
    fn is_unkillable(&self) -> bool {
        let life = lock(&self.life);
        !life.has_ended() && life.ladder == Ladder::Over
    }

    /// Kills the group at once, for this cause, whatever its stop plan reaches: nobody is to be left.
    pub fn kill(&self, cause: Cause) {
        if self.check().is_err() {
            return;
        }
        let life = lock(&self.life);
        if let Some(slot) = life.lease.as_ref().and_then(Lease::slot) {
            let _ = slot.signal_for(libc::SIGKILL, cause);
            self.signal_escaped(&life, libc::SIGKILL);
        }
    }

    /// Whether somebody has to look at this child from time to time: it has output to drain, input to be written, a time to keep, or something to say of
    /// itself.
    pub fn needs_driving(&self) -> bool {
        let says = |(by, socket): (Option<_>, Option<_>)| by.is_some() || socket.is_some();
        self.rare().output.is_some() || self.rare().feed.is_some() || !self.due().is_never() || says(self.signs())
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
