//! One child in the registry: sixteen words of wiped memory, each an atomic, readable from a signal handler.
//!
//! Written by the kernel: `pid` and `pidfd`, before the child's first instruction. Valid once `pid` is not zero: a clone
//! that fails late has already written a pidfd number that nobody owns.
//!
//! | who is in it                       | signalled                             | how it ended                          | its group                  |
//! |------------------------------------|---------------------------------------|---------------------------------------|----------------------------|
//! | a child that this process has made | with its group, by pidfd, else number | waitid, which one caller is answered  | swept before the reap      |
//! | the same, while a spawner makes it | the same by number: its own stands in memory that the spawner shares, and nobody reaps meanwhile | the same | the same |
//! | a contained child: the init of its pid namespace, of ours | by an order, which it passes on inside; killed as it is | the same, and what init has written down of its program | gone with it |
//! | a stranger: made by another        | alone, by pidfd, never by number      | `sys/stranger.rs`, told by one reaper at a time: the one who is alone | never touched |

use super::atomics::{AtomicU64, Ordering};
use super::exit::{Cause, Exit, Kind, Memory};
use super::gate;
use super::word::{self, State};
use crate::clock;
use crate::sys::memory::Row;
use crate::sys::pidfd::{self, Kept, Life, SendError};
use crate::sys::spawn::Isolation;
use crate::sys::spawn::Target;
use crate::sys::spawn::contained::{self, wire};
use crate::sys::spawner::Place;
use crate::sys::stranger::{self, End};
use crate::sys::wait::{self, Ending, Seen};
use crate::sys::{cgroup, poll, signal, socket, spawn};
use nix::errno::Errno;

/// How long another frame of this process is waited for that signals or reaps a child. What it does takes no time, so one that has not done it by
/// then may never: a handler that was left by longjmp, or whose thread stands still.
const PATIENCE: i64 = 1_000 * clock::MILLI;

/// How long after the death of another's child it is waited for that its parent lets the kernel tell how: an init may take a second and a half.
const PARENTS_PATIENCE: i64 = 2_000 * clock::MILLI;

/// A slot of the table.
#[derive(Clone, Copy)]
pub struct Slot(pub(super) &'static Row);

/// Whose child the process is in the eyes of the kernel.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Tie {
    /// This process's.
    Child,
    /// Another's, as far as is known: it becomes ours if its parent dies and this process gets the orphans.
    Stranger,
}

/// Bit of the facts: a spawner makes it, and where its number comes to stand is in the slot.
const ELSEWHERE: u64 = 1 << 10;

/// Bit of the facts: SIGKILL was sent to it while it lived.
const KILLED: u64 = 1 << 11;

/// Children that spawners are making.
static ELSEWHERE_COUNT: AtomicU64 = AtomicU64::new(0);

/// Whether a spawner is making children.
pub(super) fn any_is_made_elsewhere() -> bool {
    ELSEWHERE_COUNT.load(Ordering::SeqCst) != 0
}

/// What a signal or a reap must know of a child; in the slot because a signal handler does both.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Facts {
    /// Whose it is: a stranger has none of what follows.
    pub tie: Tie,
    /// Whether there is a group to signal and to sweep.
    pub isolation: Isolation,
    /// Whether the rest of the group ends with its leader.
    pub sweep: bool,
    /// `cgroup.kill` of its control group, -1 if it has none; open as long as the slot is taken.
    pub cgroup_kill: i32,
}

/// What an attempt to reap found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reaped {
    /// It runs.
    Running,
    /// It has ended and another frame of this process is about to publish how; it is no zombie any more, or will not be for long. Or it is a
    /// stranger that has ended, of which its parent has to be waited for.
    Elsewhere,
    /// Its exit record is in the slot.
    Published,
}

impl Slot {
    fn word(&self) -> &'static AtomicU64 {
        &self.0[0]
    }
    fn pid_word(&self) -> &'static AtomicU64 {
        &self.0[1]
    }
    fn pidfd_word(&self) -> &'static AtomicU64 {
        &self.0[2]
    }
    fn facts_word(&self) -> &'static AtomicU64 {
        &self.0[3]
    }
    fn cause_word(&self) -> &'static AtomicU64 {
        &self.0[4]
    }
    fn signal_word(&self) -> &'static AtomicU64 {
        &self.0[5]
    }
    fn record(&self) -> &'static [AtomicU64] {
        &self.0[6..12]
    }
    pub(super) fn next_word(&self) -> &'static AtomicU64 {
        &self.0[12]
    }
    /// Where the number of a child comes to stand that a spawner makes; read by who has a pin. On the free list it is the next one.
    fn place_word(&self) -> &'static AtomicU64 {
        self.next_word()
    }
    /// Where its fate is written, of a contained child (which no spawner makes).
    fn entry_word(&self) -> &'static AtomicU64 {
        self.place_word()
    }
    fn round_word(&self) -> &'static AtomicU64 {
        &self.0[13]
    }
    fn cgroup_word(&self) -> &'static AtomicU64 {
        &self.0[14]
    }

    /// Of a birth that nobody has come of yet (`gate.rs`).
    fn gate_word(&self) -> &'static AtomicU64 {
        &self.record()[1]
    }

    /// Signals held back until the child has begun, bit n-1 for signal n.
    fn held_word(&self) -> &'static AtomicU64 {
        &self.0[15]
    }

    /// Where the kernel writes the identity.
    fn target<'a>(&self, unpinned: &'a dyn Fn() -> bool, renew: &'a dyn Fn() -> bool) -> Target<'a> {
        Target { pid: self.pid_word(), pidfd: self.pidfd_word(), unpinned, renew }
    }

    /// Takes this free slot.
    pub(super) fn begin(&self, facts: Facts, started: i64) -> u32 {
        self.pid_word().store(0, Ordering::Relaxed);
        self.pidfd_word().store(u64::from(u32::MAX), Ordering::Relaxed);
        self.facts_word().store(0, Ordering::Relaxed);
        self.set_facts(facts);
        for word in [self.cause_word(), self.signal_word(), self.round_word(), self.held_word(), self.gate_word(), self.place_word()] {
            word.store(0, Ordering::Relaxed);
        }
        self.record()[0].store(started as u64, Ordering::Relaxed);
        word::begin(self.word()).unwrap_or_default()
    }

    /// Somebody is to be born, who waits there.
    pub(super) fn expect(&self, gate: Option<i32>) {
        gate::expect(self.gate_word(), gate);
    }

    /// Whether kill-all has come by since the slot was taken.
    pub(super) fn is_refused(&self) -> bool {
        self.round_word().load(Ordering::Acquire) != 0
    }

    /// Kill-all: nobody may be born into this slot any more. Whether somebody is in it is to be looked at afterwards.
    pub(super) fn close_gate(&self, round: u64) {
        gate::close(self.word(), self.gate_word(), self.round_word(), round, socket::shut);
    }

    /// See [`Lease::register`](super::Lease::register).
    pub(super) fn register(&self, pid: i32, pidfd: i32, facts: Facts) -> bool {
        self.set_facts(facts);
        let accepted = gate::register(self.gate_word(), self.round_word(), || self.adopt(pid, pidfd));
        // Who has the gate's number in hand may be about to shut it, and its holder to close it.
        poll::relax_until(PATIENCE, || !word::is_in_use(self.word())) && accepted
    }

    /// What is known of it now.
    pub(super) fn set_facts(&self, facts: Facts) {
        let isolation = match facts.isolation {
            Isolation::None => 0,
            Isolation::Group => 1,
            Isolation::Session => 2,
            Isolation::Contained => 3,
        };
        let facts_word = isolation | u64::from(facts.sweep) << 8 | u64::from(facts.tie == Tie::Stranger) << 9;
        // Kill-all may have been by since it was adopted.
        let _ = self.facts_word().fetch_update(Ordering::Relaxed, Ordering::Relaxed, |now| Some(facts_word | now & KILLED));
        self.cgroup_word().store(u64::from(facts.cgroup_kill as u32), Ordering::Relaxed);
    }

    /// There is a process to it that runs already: from here on signals reach it.
    pub(super) fn adopt(&self, pid: i32, pidfd: i32) {
        self.pidfd_word().store(pidfd as u64, Ordering::Relaxed);
        // In this order: nothing has to be held back.
        word::live(self.word());
        self.pid_word().store(pid as u64, Ordering::Release);
    }

    /// A spawner is about to be asked for its process, whose number the kernel writes there before its first instruction: from then on signals
    /// and reapers find it. The place must be valid until [`Slot::set_born`] or [`Slot::set_unborn`] has said that nobody looks there any more.
    pub fn await_birth(&self, place: Place) {
        ELSEWHERE_COUNT.fetch_add(1, Ordering::SeqCst);
        self.place_word().store(place.as_word(), Ordering::Relaxed);
        self.facts_word().fetch_or(ELSEWHERE, Ordering::Release);
    }

    /// This is the process; where its number stood is looked at no more. `false`: a frame may still, for ever.
    #[must_use]
    pub fn set_born(&self, pid: i32, pidfd: i32) -> bool {
        self.pidfd_word().store(pidfd as u64, Ordering::Release);
        self.pid_word().store(pid as u64, Ordering::Release);
        self.leave_place()
    }

    /// There is none, or it was reaped. Answers as `set_born` does.
    #[must_use]
    pub fn set_unborn(&self) -> bool {
        self.pid_word().store(0, Ordering::Release);
        self.leave_place()
    }

    fn leave_place(&self) -> bool {
        self.place_word().store(0, Ordering::Release);
        // Who comes from here on finds the pidfd, and no place.
        let left = self.is_unpinned();
        if left && self.facts_word().fetch_and(!ELSEWHERE, Ordering::AcqRel) & ELSEWHERE != 0 {
            ELSEWHERE_COUNT.fetch_sub(1, Ordering::SeqCst);
        }
        left
    }

    fn is_unpinned(&self) -> bool {
        poll::relax_until(PATIENCE, || !word::is_in_use(self.word()))
    }

    pub(super) fn is_made_elsewhere(&self) -> bool {
        self.facts_word().load(Ordering::Acquire) & ELSEWHERE != 0
    }

    /// Whether it is signalled by number, so that a reaper must keep signals out.
    fn goes_by_number(&self) -> bool {
        !pidfd::group_signals_are_exact() || self.is_made_elsewhere()
    }

    /// Its identity is a number alone.
    fn has_no_pidfd(&self) -> bool {
        self.is_made_elsewhere() && self.pidfd() < 0
    }

    /// The child runs its program: it gets what was held back.
    pub fn set_live(&self) {
        word::live(self.word());
        let mut held = word::take_held(self.held_word());
        while held != 0 {
            let _ = self.signal_as_owner(held.trailing_zeros() as i32 + 1);
            held &= held - 1;
        }
    }

    /// The generation now.
    pub fn generation(&self) -> u32 {
        word::generation(self.word())
    }

    /// The state now.
    pub fn state(&self) -> State {
        word::state(self.word())
    }

    fn facts(&self) -> Facts {
        let raw = self.facts_word().load(Ordering::Relaxed);
        let isolation = match raw & 0xFF {
            0 => Isolation::None,
            1 => Isolation::Group,
            3 => Isolation::Contained,
            _ => Isolation::Session,
        };
        let tie = if raw & 0x200 != 0 { Tie::Stranger } else { Tie::Child };
        Facts { tie, isolation, sweep: raw & 0x100 != 0, cgroup_kill: self.cgroup_word().load(Ordering::Relaxed) as u32 as i32 }
    }

    fn is_stranger(&self) -> bool {
        self.facts().tie == Tie::Stranger
    }

    /// How long its end may be `Elsewhere`.
    pub fn patience(&self) -> i64 {
        if self.is_stranger() { PARENTS_PATIENCE } else { PATIENCE }
    }

    /// Whether it has not ended, as far as can be seen; the caller keeps its identity from being another's.
    fn has_not_ended(&self) -> bool {
        match self.facts().tie {
            Tie::Child => wait::look(self.pidfd(), self.pid()) == Seen::Running,
            Tie::Stranger => pidfd::life(self.pidfd()) == Life::Running,
        }
    }

    /// The same, of whoever is in the slot now.
    pub(super) fn is_alive(&self) -> bool {
        self.is_running() && self.pinned(|| self.has_not_ended()) == Some(true)
    }

    /// The pid, 0 before there is one.
    pub fn pid(&self) -> i32 {
        match self.pid_word().load(Ordering::Acquire) as u32 as i32 {
            // Under a pin: else the place might be gone, or another's.
            0 if self.is_made_elsewhere() => self.pinned(|| Place::read(self.place_word().load(Ordering::Acquire))).unwrap_or(0),
            pid => pid,
        }
    }

    /// Whether its spawner, which has ended, may have made it, and it has no number yet.
    pub(super) fn owes_number(&self) -> bool {
        let owes = || self.pid_word().load(Ordering::Acquire) == 0 && Place::owes_number(self.place_word().load(Ordering::Acquire));
        self.is_made_elsewhere() && self.pinned(owes) == Some(true)
    }

    /// Who comes of it without a number ends at the gate.
    pub(super) fn bar_unnumbered(&self) {
        let bar = || Place::bar(self.place_word().load(Ordering::Acquire));
        if self.is_made_elsewhere() {
            let _ = self.pinned(bar);
        }
    }

    fn pidfd(&self) -> i32 {
        self.pidfd_word().load(Ordering::Acquire) as u32 as i32
    }

    /// Whether there is a child here that nobody has reaped.
    pub fn is_running(&self) -> bool {
        matches!(self.state(), State::Spawning | State::Live) && self.pid() != 0
    }

    /// Marks it as killed in this round of kill-all; a slot reused since then has no mark.
    fn mark_round(&self, round: u64) {
        self.round_word().store(round, Ordering::Relaxed);
    }

    pub(super) fn in_round(&self, round: u64) -> bool {
        self.round_word().load(Ordering::Relaxed) >= round
    }

    /// Signals the group (if it has one of its own), else the process. Safe in a signal handler.
    ///
    /// Before its own `setpgid` a child leads no group: then the process alone is signalled, never the host's group.
    pub fn signal(&self, signal: i32) -> Result<(), Errno> {
        self.pinned(|| self.signal_pinned(signal)).unwrap_or(Err(Errno::ESRCH))
    }

    /// Signals the process alone, whatever group it leads.
    pub fn signal_alone(&self, signal: i32) -> Result<(), Errno> {
        self.pinned(|| self.signal_alone_pinned(signal)).unwrap_or(Err(Errno::ESRCH))
    }

    /// As `signal`, as what ends it for this cause: noted if the signal was sent, nobody had ended it before, and it had not ended by itself.
    pub fn signal_for(&self, signal: i32, cause: Cause) -> Result<(), Errno> {
        self.pinned(|| self.blame(signal, cause, || self.signal_pinned(signal))).unwrap_or(Err(Errno::ESRCH))
    }

    /// The same to the process alone.
    pub fn signal_alone_for(&self, signal: i32, cause: Cause) -> Result<(), Errno> {
        self.pinned(|| self.blame(signal, cause, || self.signal_alone_pinned(signal))).unwrap_or(Err(Errno::ESRCH))
    }

    fn blame(&self, signal: i32, cause: Cause, send: impl FnOnce() -> Result<(), Errno>) -> Result<(), Errno> {
        // Before the signal, and taken back if it is refused: another frame may read the record of an end that the signal has made already.
        let swap = |from, to| self.cause_word().compare_exchange(from, to, Ordering::Relaxed, Ordering::Relaxed).is_ok();
        let lives = self.has_not_ended();
        let blamed = lives && swap(0, cause as u64);
        let sent = self.killing(signal == libc::SIGKILL && lives, send);
        // Gone is no refusal: it may have died of the same kill from another thread, which found the cause noted.
        if blamed && sent.is_err_and(|errno| errno != Errno::ESRCH) {
            swap(cause as u64, 0);
        }
        sent
    }

    /// As the owner's own signal: the last one that was sent is the cause of an end by it.
    pub fn signal_as_owner(&self, signal: i32) -> Result<(), Errno> {
        self.as_owner(signal, || self.signal_pinned(signal))
    }

    /// The same to the process alone, whatever group it leads.
    pub fn signal_alone_as_owner(&self, signal: i32) -> Result<(), Errno> {
        self.as_owner(signal, || self.signal_alone_pinned(signal))
    }

    fn as_owner(&self, signal: i32, send: impl Fn() -> Result<(), Errno>) -> Result<(), Errno> {
        let act = || {
            // As with a cause.
            let before = self.signal_word().swap(signal as u64, Ordering::Relaxed);
            let sent = self.killing(signal == libc::SIGKILL && self.pid() != 0 && self.has_not_ended(), &send);
            if sent.is_err_and(|errno| errno != Errno::ESRCH) {
                let _ = self.signal_word().compare_exchange(signal as u64, before, Ordering::Relaxed, Ordering::Relaxed);
            }
            sent
        };
        self.pinned(act).unwrap_or(Err(Errno::ESRCH))
    }

    /// Sends what may be the kill of one that lives: that is noted, as a cause is. Else whoever dies of a SIGKILL was killed by a stranger.
    fn killing(&self, kills: bool, send: impl FnOnce() -> Result<(), Errno>) -> Result<(), Errno> {
        let noted = kills && self.facts_word().fetch_or(KILLED, Ordering::Relaxed) & KILLED == 0;
        let sent = send();
        if noted && sent.is_err_and(|errno| errno != Errno::ESRCH) {
            self.facts_word().fetch_and(!KILLED, Ordering::Relaxed);
        }
        sent
    }

    /// Kills its group in a round of kill-all. All in one pin: between blame and kill the slot must not become another child's. `false`: it is
    /// not to be killed by us, and not in the round.
    pub(super) fn kill_in_round(&self, round: u64) -> bool {
        let act = || {
            // A child that failed before its exec has just gone, and another may be made in its place.
            if self.pid() == 0 {
                return true;
            }
            // Before the kill: a child that has been reaped meanwhile is in the round all the same.
            self.mark_round(round);
            let sent = self.blame(libc::SIGKILL, Cause::KillAll, || self.signal_pinned(libc::SIGKILL));
            let refused = matches!(sent, Err(Errno::EPERM | Errno::ENOSYS));
            if refused {
                self.mark_round(0);
            }
            !refused
        };
        self.pinned(act).unwrap_or(true)
    }

    /// Does something while the slot cannot be given to another child. `None`: it has no child that could be meant.
    fn pinned<T>(&self, act: impl FnOnce() -> T) -> Option<T> {
        if !word::pin(self.word()) {
            return None;
        }
        let result = act();
        word::unpin(self.word());
        Some(result)
    }

    /// What its group says is not what the child says: the group answers for any member that took the signal, and its leader may have left it
    /// (setpgid(2)), or refuse what a helper takes (it has become root).
    fn signal_pinned(&self, signal: i32) -> Result<(), Errno> {
        if self.pid() == 0 {
            return Err(Errno::ESRCH);
        }
        let facts = self.facts();
        if facts.tie == Tie::Stranger {
            return self.signal_stranger(signal);
        }
        if self.holds_back(signal) {
            return Ok(());
        }
        // As well as the group: the child may not be inside yet.
        let all_killed = signal == libc::SIGKILL && cgroup::kill_all(facts.cgroup_kill);
        if signal == 0 || facts.isolation == Isolation::None {
            return self.signal_process(signal);
        }
        if facts.isolation == Isolation::Contained {
            return match self.order(signal, false) {
                Err(Errno::EPERM) if all_killed => Ok(()),
                sent => sent,
            };
        }
        if signal == libc::SIGKILL {
            // Twice is once, so whoever leaves the group just now is not missed. The group first, while the child still pins its number.
            let (group, own) = (self.signal_group(signal), self.signal_process(signal));
            return match own {
                Err(Errno::ESRCH) => group,
                // cgroup.kill asks nobody's leave.
                Err(Errno::EPERM) if all_killed => Ok(()),
                own => own,
            };
        }
        let own = self.signal_process(0);
        let group = self.signal_group(signal);
        // Asked afterwards: who leaves it in between gets the signal twice rather than never.
        let outside = group == Err(Errno::ESRCH) || facts.isolation == Isolation::Group && self.has_left_its_group();
        if outside { self.signal_process(signal) } else { group.and(own) }
    }

    /// Its process, and nobody else. (Held back, it is its group's later: it is alone there then.)
    fn signal_alone_pinned(&self, signal: i32) -> Result<(), Errno> {
        if self.pid() == 0 {
            return Err(Errno::ESRCH);
        }
        if self.is_stranger() {
            return self.signal_stranger(signal);
        }
        if self.holds_back(signal) {
            return Ok(());
        }
        if self.facts().isolation == Isolation::Contained { self.order(signal, true) } else { self.signal_process(signal) }
    }

    /// Has the init of a contained child pass a signal on, to its program's group or to the program alone. A kill is for init itself: with it the kernel
    /// kills everybody.
    fn order(&self, signal: i32, alone: bool) -> Result<(), Errno> {
        if signal == libc::SIGKILL || signal == 0 {
            return self.signal_process(signal);
        }
        let value = contained::order(signal, alone);
        let sent = match pidfd::queue(self.pidfd(), wire::CARRIER, value) {
            Ok(()) => Ok(()),
            Err(SendError::Errno(errno)) => Err(errno),
            Err(SendError::Unavailable) => self.by_number(|| pidfd::queue_number(self.pid(), wire::CARRIER, value)),
        };
        match sent {
            // Its user has too many signals waiting (RLIMIT_SIGPENDING): most can be sent as what they are.
            Err(Errno::EAGAIN) if !alone && signal != libc::SIGSTOP => self.signal_process(signal),
            sent => sent,
        }
    }

    /// Between clone and exec a child shares the host's memory, and `ps_spawn` waits for it: stopped there it would hold up the host, and before
    /// Linux 5.16 its core dump would kill everybody who shares that memory. So a signal that does that waits until its program has begun.
    fn holds_back(&self, signal: i32) -> bool {
        let bit = |signal: i32| 1u64 << (signal - 1);
        if signal == libc::SIGCONT {
            self.held_word().fetch_and(!signal::STOPPING, Ordering::AcqRel);
        }
        signal != 0
            && bit(signal) & (signal::STOPPING | signal::DUMPING) != 0
            && word::hold_back(self.word(), self.held_word(), bit(signal))
    }

    /// Its group is its parent's, and its number another's as soon as that has reaped it. `ENOSYS`: a filter leaves no way to reach it.
    fn signal_stranger(&self, signal: i32) -> Result<(), Errno> {
        match pidfd::signal(self.pidfd(), signal) {
            Ok(()) => Ok(()),
            Err(SendError::Errno(errno)) => Err(errno),
            Err(SendError::Unavailable) => Err(Errno::ENOSYS),
        }
    }

    fn signal_process(&self, signal: i32) -> Result<(), Errno> {
        if self.has_no_pidfd() {
            return self.kill_by_number(self.pid(), signal);
        }
        match pidfd::signal(self.pidfd(), signal) {
            Ok(()) => Ok(()),
            Err(SendError::Errno(errno)) => Err(errno),
            Err(SendError::Unavailable) => self.kill_by_number(self.pid(), signal),
        }
    }

    /// `ESRCH`: nobody is in it.
    fn signal_group(&self, signal: i32) -> Result<(), Errno> {
        if self.has_no_pidfd() {
            return self.kill_by_number(-self.pid(), signal);
        }
        match pidfd::signal_group(self.pidfd(), signal) {
            Ok(()) => Ok(()),
            Err(SendError::Errno(errno)) => Err(errno),
            Err(SendError::Unavailable) => self.kill_by_number(-self.pid(), signal),
        }
    }

    /// Where the number cannot be asked about (a filter), or is another's by now, the answer is no.
    fn has_left_its_group(&self) -> bool {
        pidfd::group_of_number(self.pid()).is_some_and(|group| group != self.pid())
    }

    /// By number, for kernels before 6.9 and filters. The number is ours while the child is unreaped: our own reapers are
    /// kept out by the pin, and a host that reaps strangers' children is found out by the look.
    fn kill_by_number(&self, number: i32, signal: i32) -> Result<(), Errno> {
        self.by_number(|| pidfd::kill_number(number, signal))
    }

    fn by_number(&self, send: impl FnOnce() -> Result<(), Errno>) -> Result<(), Errno> {
        // In this order: a reaper who has left has published before.
        if word::has_reaper(self.word()) || self.state() == State::Exited || wait::look(self.pidfd(), self.pid()) == Seen::Gone {
            return Err(Errno::ESRCH);
        }
        send()
    }

    /// Looks, sweeps, reaps, publishes; never blocks. Safe in a signal handler.
    ///
    /// The order is the point: the zombie leader pins the group id, so what is left of its group is killed before the reap.
    ///
    /// `ended`: its pidfd was seen readable, which says the same as a look.
    pub fn try_reap(&self, ended: bool) -> Reaped {
        if self.state() == State::Exited {
            return Reaped::Published;
        }
        if self.pid() == 0 {
            return Reaped::Running;
        }
        if self.is_stranger() {
            return self.reap_stranger(false);
        }
        // Where signals go by number a reaper keeps them out: so one begins only when there is something to reap.
        let by_number = self.goes_by_number();
        if !ended && by_number && self.pinned(|| wait::look(self.pidfd(), self.pid())) == Some(Seen::Running) {
            return Reaped::Running;
        }
        if !word::enter(self.word(), by_number) {
            return match self.state() {
                State::Exited => Reaped::Published,
                _ if wait::look(self.pidfd(), self.pid()) == Seen::Running => Reaped::Running,
                _ => Reaped::Elsewhere,
            };
        }
        let result = self.reap_entered(ended && !by_number);
        word::leave(self.word());
        result
    }

    fn reap_entered(&self, ended: bool) -> Reaped {
        let (pid, fd) = (self.pid(), self.pidfd());
        if !ended && wait::look(fd, pid) == Seen::Running {
            return Reaped::Running;
        }
        self.sweep(pid, fd);
        match wait::reap(fd, pid) {
            Seen::Running => Reaped::Running,
            Seen::Ended(ending) => self.publish(Kind::of(&ending), &ending),
            Seen::Gone => {
                // In this order: a reaper who has left has published before.
                let alone = word::is_only_reaper(self.word());
                if self.state() == State::Exited {
                    return Reaped::Published;
                }
                if !alone {
                    // The frame that got the status is between its waitid and its publish.
                    return Reaped::Elsewhere;
                }
                self.publish_gone(fd)
            }
        }
    }

    /// Nothing is taken here, so several could find the same: one reaper at a time publishes, who has seen no other after it came in. `overdue`:
    /// others, and its parent, were waited for long enough.
    fn reap_stranger(&self, overdue: bool) -> Reaped {
        if !word::enter(self.word(), false) {
            return if self.state() == State::Exited { Reaped::Published } else { Reaped::Running };
        }
        let (pid, fd) = (self.pid(), self.pidfd());
        let result = if pidfd::life(fd) == Life::Running {
            Reaped::Running
        } else if !(overdue || word::is_only_reaper(self.word())) {
            Reaped::Elsewhere
        } else if self.state() == State::Exited {
            Reaped::Published
        } else {
            match stranger::end(fd, pid, true) {
                End::Running => Reaped::Running,
                End::Ended(ending) => self.publish(Kind::of(&ending), &ending),
                End::NotYet if !overdue => Reaped::Elsewhere,
                End::NotYet | End::Lost => self.publish(Kind::Lost, &Ending { code: -1, ..Ending::default() }),
            }
        };
        word::leave(self.word());
        result
    }

    /// Somebody else has reaped it. Newer kernels keep the status behind the pidfd.
    fn publish_gone(&self, fd: i32) -> Reaped {
        match pidfd::kept_status(fd) {
            Kept::NotYet => Reaped::Elsewhere,
            Kept::Status(status) => {
                let ending = Ending::from_status(status);
                self.publish(Kind::of(&ending), &ending)
            }
            Kept::Lost => self.publish(Kind::Lost, &Ending { code: -1, ..Ending::default() }),
        }
    }

    fn publish(&self, kind: Kind, ending: &Ending) -> Reaped {
        match self.fate(ending) {
            Some(told) => self.write_record(Kind::of(&told), &told),
            None => self.write_record(kind, ending),
        }
        word::publish(self.word());
        Reaped::Published
    }

    /// Of a contained child: how its program has ended, if its init has lived to write that down. What it used is init's and all its children's.
    fn fate(&self, ending: &Ending) -> Option<Ending> {
        if self.facts().isolation != Isolation::Contained {
            return None;
        }
        let status = contained::fate(self.entry_word().load(Ordering::Acquire), self.generation())?;
        Some(Ending { usage: ending.usage, ..Ending::from_status(status) })
    }

    /// `Elsewhere` was all that could be said for as long as [`PATIENCE`]: whoever was to publish the end may never. So what can be known without
    /// it is published. Should it come back all the same, it may write its record over this one, which has been read by then.
    pub fn reap_alone(&self) -> Reaped {
        if self.is_stranger() {
            return self.reap_stranger(true);
        }
        let (pid, fd) = (self.pid(), self.pidfd());
        // Where signals go by number, one that hangs there may be about to use it: the zombie stays, and pins it.
        let exact = !self.goes_by_number();
        let entered = exact && word::enter(self.word(), false);
        let result = match wait::look(fd, pid) {
            _ if self.state() == State::Exited => Reaped::Published,
            Seen::Running => Reaped::Running,
            Seen::Gone => self.publish_gone(fd),
            Seen::Ended(ending) => {
                self.sweep(pid, fd);
                match if exact { wait::reap(fd, pid) } else { Seen::Ended(ending) } {
                    Seen::Running => Reaped::Running,
                    Seen::Ended(ending) => self.publish(Kind::of(&ending), &ending),
                    Seen::Gone => self.publish_gone(fd),
                }
            }
        };
        if entered {
            word::leave(self.word());
        }
        result
    }

    /// Kills what is left of the groups of a child that has ended.
    fn sweep(&self, pid: i32, fd: i32) {
        let facts = self.facts();
        if !facts.sweep {
            return;
        }
        cgroup::kill_all(facts.cgroup_kill);
        if matches!(facts.isolation, Isolation::None | Isolation::Contained) {
            // Nobody is in its group, or everybody who was inside has been killed before it could be seen to have ended.
        } else if fd < 0 && self.is_made_elsewhere() {
            if matches!(wait::look(fd, pid), Seen::Ended(_)) {
                let _ = pidfd::kill_number(-pid, libc::SIGKILL);
            }
        } else {
            wait::sweep(fd, pid);
        }
    }

    /// Waits at most `nanos` for the child to end; for signal handlers.
    pub(super) fn await_end(&self, nanos: i64) {
        if word::pin(self.word()) {
            poll::wait_raw(self.pidfd(), nanos);
            word::unpin(self.word());
        }
    }

    fn write_record(&self, kind: Kind, ending: &Ending) {
        let record = self.record();
        let status = kind as u64 | u64::from(ending.core) << 8 | u64::from(ending.signal as u8) << 16 | u64::from(ending.code as u32) << 32;
        let usage = ending.usage.unwrap_or(wait::Usage { user_us: -1, system_us: -1, max_rss_kib: -1 });
        record[1].store(clock::now() as u64, Ordering::Relaxed);
        record[2].store(status, Ordering::Relaxed);
        record[3].store(usage.user_us as u64, Ordering::Relaxed);
        record[4].store(usage.system_us as u64, Ordering::Relaxed);
        record[5].store(usage.max_rss_kib as u64, Ordering::Relaxed);
    }

    /// The published record.
    pub fn exit(&self) -> Exit {
        let read = |i: usize| self.record()[i].load(Ordering::Relaxed) as i64;
        let status = read(2) as u64;
        let (kind, signal) = (Kind::from_raw(status as u8), (status >> 16) as u8 as i32);
        let asked = Cause::from_raw(self.cause_word().load(Ordering::Relaxed) as u8);
        let own_signal = self.signal_word().load(Ordering::Relaxed) as i32;
        let cause = if asked == Cause::Itself && signal != 0 && signal == own_signal { Cause::Owner } else { asked };
        Exit {
            kind,
            code: (status >> 32) as u32 as i32,
            signal,
            core_dumped: status >> 8 & 1 != 0,
            cause,
            user_us: read(3),
            system_us: read(4),
            max_rss_kib: read(5),
            started_ns: read(0),
            ended_ns: read(1),
            removal: None,
            killed: self.facts_word().load(Ordering::Relaxed) & KILLED != 0,
            memory: Memory::default(),
        }
    }

    /// Whether kill-all has killed who is in it.
    pub fn is_killed_with_all(&self) -> bool {
        Cause::from_raw(self.cause_word().load(Ordering::Relaxed) as u8) == Cause::KillAll
    }

    /// Leaves the child alone from now on, as if it had ended. Its record is read by nobody.
    pub(super) fn disown(&self) {
        word::publish(self.word());
    }

    /// Ends this generation; waits for signallers and reapers in other threads, whose calls never block. `false`: one of them has not come back
    /// ([`PATIENCE`]). Then the slot must never be used again, and no descriptor closed whose number stands in it.
    pub(super) fn retire(&self) -> bool {
        poll::relax_until(PATIENCE, || word::retire(self.word()))
    }
}

impl Slot {
    /// Its child is contained: its fate will be written to this entry.
    pub(super) fn set_entry(&self, entry: u64) {
        self.entry_word().store(entry, Ordering::Release);
    }

    /// The numbers outside and inside of a contained child's program, if it has said so.
    pub fn numbers_of_program(&self) -> Option<(i32, i32)> {
        contained::numbers(self.entry_word().load(Ordering::Acquire), self.generation())
    }

    /// Makes the child of this slot.
    pub fn spawn(&self, request: &spawn::Request<'_>) -> Result<spawn::Spawned, spawn::Failure> {
        let unpinned = || self.is_unpinned();
        // Kill-all may have published the end of the child that failed: then this place is over. Else what was meant for that one goes with it.
        let renew = || {
            let ours = self.state() == State::Spawning;
            if ours {
                for word in [self.cause_word(), self.signal_word(), self.round_word()] {
                    word.store(0, Ordering::Relaxed);
                }
                self.facts_word().fetch_and(!KILLED, Ordering::Relaxed);
            }
            ours
        };
        spawn::spawn(request, &self.target(&unpinned, &renew), &|pidfd, pid| self.bury(pidfd, pid))
    }

    /// The child that a spawner has made for this slot has failed before its exec, and is ending or has ended: reaps it, so that nobody ever sees
    /// it. Answers as `set_born` does.
    #[must_use]
    pub fn bury_born(&self, pid: i32, pidfd: i32) -> bool {
        self.bury(pidfd, pid);
        self.set_unborn()
    }

    /// Reaps a child that failed before its exec, as a reaper like any other: nobody may be about to signal its number.
    fn bury(&self, pidfd: i32, pid: i32) {
        // Kill-all may reap and publish it at any moment, also between these two steps: give back exactly what was taken.
        let mut entered = false;
        let settled = poll::relax_until(PATIENCE, || {
            self.state() != State::Spawning || {
                entered = word::enter(self.word(), true);
                entered
            }
        });
        // One that hangs there may be about to use the number: it stays a zombie's where signals go by that.
        if settled || pidfd::group_signals_are_exact() {
            wait::reap_ending(pidfd, pid);
        }
        if entered {
            word::leave(self.word());
        }
    }
}
