//! What is common to all parties: the channel and the process at its other end, what is watched and until when, what is handed on, and
//! what is told.
//!
//! Traps.
//! - **A dead process's pidfd stays readable for ever**: its entry goes as soon as it was seen.
//! - **A process that dumps its core is silent**: nothing becomes readable, so as long as its entry is there it is looked at now and then.
//! - **The last descriptor of something large takes long to close** (a state of gigabytes, a socket that lingers). The handle's lock is not
//!   held for that: it goes to the `rubbish`, which is closed behind the lock.
//! - **The gap between SEAL and LIVE is one message.** [`Core::rest`] runs in it, and makes no system call there: the timer may go off early,
//!   and was brought forward before.

use std::collections::VecDeque;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::sync::Arc;

use nix::errno::Errno;

use super::control;
use super::holdings::Estate;
use super::machine::standing::{Heard, Seal, Standing};
use super::machine::word::Ticket;
use super::machine::{Limits, Mode, Notice, Reason};
use super::outcome::{BuildId, Kept, Outcome};
use super::peer::{Leaving, Peer};
use super::terms::{Options, Told};
use super::verdict::{Verdict, status_of};
use super::wire::{self, Kind, Link};
use crate::clock::{self, Deadline};
use crate::error::Status;
use crate::sys::Fault;
use crate::sys::custody::Custody;
use crate::sys::directory::{self, Inode};
use crate::sys::poll;
use crate::sys::reactor::{Reactor, Shape, Token};

/// The channel.
pub const CHANNEL: Token = Token(1);
/// The other process.
pub const PEER: Token = Token(2);
/// The control path.
pub const CONTROL: Token = Token(3);
/// The deadline of the machine.
const DEADLINE: Token = Token(4);
/// A channel that has no room though it is writable.
const STALLED: Token = Token(5);
/// When a party looks at the word by itself.
pub const LOOK: Token = Token(6);
/// The watch over the control path and the lock file, and when the owner looks at them by itself.
pub const KEEPER: Token = Token(7);
/// Guests and those who leave have a number of their own each, from here on.
const FIRST_NUMBER: u64 = 16;

/// How often it is looked whether the other process has crashed and dumps its core.
const DUMP: i64 = 80 * clock::MILLI;

/// Until what is not to be had now (descriptors, room) is asked for again.
pub const RETRY: i64 = 100 * clock::MILLI;

/// The attempt under way, or the last one: its ticket, and which mode and times it has.
#[derive(Debug)]
pub struct Attempt {
    /// What the word knows it by.
    pub ticket: Ticket,
    /// How it goes.
    pub mode: Mode,
    /// How long each waits for what.
    pub limits: Limits,
}

/// See the head of this file.
#[derive(Debug)]
pub struct Core {
    /// Which descriptors are this handle's, for a forked copy to close them. What the reactor watches notes itself.
    pub custody: Custody,
    /// What is watched. A waiting thread has a share of it, so that waiting needs no lock.
    pub reactor: Arc<Reactor>,
    numbers: u64,
    /// The control path.
    pub path: PathBuf,
    /// The root below which that was.
    root: Option<Inode>,
    /// For the attempts to come.
    pub options: Options,
    /// Which generation this party belongs to, or last knew of.
    pub generation: u32,
    /// The attempt.
    pub attempt: Attempt,
    /// This end of the channel.
    pub link: Option<Link>,
    /// The other process.
    pub peer: Option<Peer>,
    /// Its number, also when it is gone; for display.
    pub peer_pid: i32,
    leaving: Vec<(Token, Leaving)>,
    /// What is handed on, and what has come.
    pub estate: Estate,
    /// Events that nobody has taken.
    pub notices: VecDeque<Told>,
    /// It is no successor, or no longer.
    pub is_owner: bool,
    /// How far SEAL has come, since the last RESUME that was taken.
    pub seal: Seal,
    /// A successor was told COMMITTED, and has not come back for more.
    settling: bool,
    /// What came of it.
    pub verdict: Verdict,
    /// The record of it, and of those before.
    pub outcomes: Kept,
    /// What has come was not looked at to its end.
    pub more: bool,
    /// What is closed once the lock of the handle was given back.
    pub rubbish: Vec<Arc<OwnedFd>>,
}

impl Core {
    /// With nobody at the other end.
    pub fn new(path: PathBuf, options: Options) -> crate::Result<Self> {
        let failed = |fault: Fault| fault.error("cannot make a handoff");
        let custody = Custody::new();
        let reactor = Reactor::kept(Shape::Flat, custody).map_err(failed)?;
        reactor.wake_up().map_err(failed)?;
        reactor.prepare_timer().map_err(failed)?;
        Ok(Self {
            custody,
            reactor: Arc::new(reactor),
            numbers: FIRST_NUMBER,
            path,
            root: directory::root(),
            options,
            generation: 0,
            attempt: Attempt { ticket: Ticket { generation: 0, handoff: 0 }, mode: options.mode, limits: options.limits },
            link: None,
            peer: None,
            peer_pid: 0,
            leaving: Vec::new(),
            estate: Estate::default(),
            notices: VecDeque::new(),
            is_owner: false,
            seal: Seal::Not,
            settling: false,
            verdict: Verdict::default(),
            outcomes: Kept::default(),
            more: false,
            rubbish: Vec::new(),
        })
    }

    /// Why this lock is not the one of the control path any more, in words; `None`: it is, or that cannot be seen from here.
    pub fn why_displaced(&self, lock: &OwnedFd) -> Option<String> {
        if self.is_elsewhere() { None } else { control::why_displaced(&self.path, lock) }
    }

    /// Whether the path means another place now: this process has given up its root (chroot(2)). What lies there says nothing of its files, and it
    /// must not let go of the lock for it.
    pub fn is_elsewhere(&self) -> bool {
        // A look that fails says nothing.
        matches!((self.root, directory::root()), (Some(then), Some(now)) if then != now)
    }

    /// A token that nobody has.
    pub fn number(&mut self) -> Token {
        self.numbers += 1;
        Token(self.numbers)
    }

    // ---- the other side ----

    /// Begins to listen to the other end.
    pub fn watch_link(&mut self, link: Link) -> Result<(), Errno> {
        self.reactor.add(CHANNEL, link.socket()).map_err(|fault| fault.errno)?;
        self.link = Some(link);
        Ok(())
    }

    /// Closes this end of the channel.
    pub fn close_link(&mut self) {
        self.reactor.remove(CHANNEL);
        self.link = None;
    }

    /// Begins to watch for its death. On failure it is dismissed.
    pub fn watch_peer(&mut self, peer: Peer) -> Result<(), Errno> {
        self.peer_pid = peer.pid;
        if let Err(fault) = self.reactor.add(PEER, peer.pidfd()) {
            self.end(peer.dismiss());
            return Err(fault.errno);
        }
        self.peer = Some(peer);
        Ok(())
    }

    /// Watches it no more; what becomes of it is the caller's.
    pub fn unwatch_peer(&mut self) -> Option<Peer> {
        self.reactor.forget(PEER);
        self.peer.take()
    }

    /// Whether it is dead, or as good as dead: it dumps its core. Which is noted.
    pub fn peer_has_died(&mut self) -> bool {
        let Some(peer) = &self.peer else { return false };
        let how = match () {
            () if peer.is_dead() => "has ended",
            () if peer.is_dumping() => "has crashed, and its core is being written",
            () => return false,
        };
        let said = format!("process {} {how}", peer.pid);
        self.reactor.forget(PEER);
        if self.verdict.said.is_empty() {
            self.verdict.said = said;
        }
        true
    }

    /// Sends a message that carries nothing but what the other side may want to write down.
    pub fn send_plain(&mut self, kind: Kind) {
        let half = self.outcomes.half(wire::id_of(self.attempt.ticket));
        if let Some(link) = &mut self.link {
            let bytes = link.write(kind).half(half).finish();
            // A peer that is gone is found by its pidfd or by the end of the channel.
            let _ = link.send(bytes, Vec::new());
        }
    }

    /// Says that it is off.
    pub fn send_abort(&mut self, reason: Reason) {
        let reason = self.verdict.reason(reason);
        let said = if self.verdict.said.is_empty() { reason.text() } else { &self.verdict.said };
        let half = self.outcomes.half(wire::id_of(self.attempt.ticket));
        if let Some(link) = &mut self.link {
            let bytes = link.write(Kind::Abort).reason(wire::reason_code(reason), said).half(half).finish();
            let _ = link.send(bytes, Vec::new());
        }
    }

    // ---- those who leave ----

    /// Sees to the end of a process that is on its way out, or has gone its own way and is this one's to reap.
    pub fn end(&mut self, leaving: Option<Leaving>) {
        let Some(mut leaving) = leaving else { return };
        if leaving.tick() {
            return;
        }
        let token = self.number();
        let due = self.watch_leaving(token, &leaving);
        let _ = self.reactor.set_due(token, due);
        self.leaving.push((token, leaving));
    }

    /// Answers when it is to be looked at by the clock: also where it cannot be watched now.
    fn watch_leaving(&self, token: Token, leaving: &Leaving) -> Deadline {
        let watched = self.reactor.has(token) || self.reactor.add(token, leaving.pidfd()).is_ok();
        if watched { leaving.due() } else { leaving.due().min(Deadline::after(RETRY)) }
    }

    /// One of them has ended (`ready`), or its time has come.
    pub fn look_at_leaving(&mut self, token: Token, ready: bool) {
        let Some(at) = self.leaving.iter().position(|(known, _)| *known == token) else { return };
        let leaving = &mut self.leaving[at].1;
        let reaped = leaving.tick();
        let due = if reaped { Deadline::NEVER } else { self.watch_leaving(token, &self.leaving[at].1) };
        let _ = self.reactor.set_due(token, due);
        if reaped {
            self.reactor.remove(token);
            self.leaving.swap_remove(at);
        } else if ready {
            // Not to be reaped: a tracer holds it.
            self.reactor.set_aside(token);
        }
    }

    /// Whether somebody is still on his way out. Who has gone his own way may take years.
    pub fn is_leaving(&self) -> bool {
        self.leaving.iter().any(|(_, leaving)| leaving.is_ending())
    }

    /// They are somebody else's from here on. Who has gone his own way is nobody's.
    pub fn take_leaving(&mut self) -> Vec<Leaving> {
        let leaving = std::mem::take(&mut self.leaving);
        leaving.iter().for_each(|(token, _)| _ = self.reactor.remove(*token));
        leaving.into_iter().map(|(_, leaving)| leaving).filter(Leaving::is_ending).collect()
    }

    // ---- what is handed on ----

    /// Hands a descriptor on under this name, in the place of one with the same.
    pub fn hand_on(&mut self, name: &[u8], fd: OwnedFd) {
        self.custody.note_shared(&fd);
        let old = self.estate.holdings.set(name, fd);
        self.discard(old);
    }

    /// Closed behind the lock: these are nobody's any more.
    pub fn discard(&mut self, fds: impl IntoIterator<Item = Arc<OwnedFd>>) {
        for fd in fds {
            self.custody.leave(&fd);
            self.rubbish.push(fd);
        }
    }

    /// What was not claimed is closed, the state aside.
    pub fn close_unclaimed(&mut self) {
        let unclaimed = self.estate.received.take_unclaimed();
        self.discard(unclaimed);
    }

    /// Nothing is handed on any more.
    pub fn close_estate(&mut self) {
        let all = std::mem::take(&mut self.estate).into_fds();
        self.discard(all);
    }

    // ---- what is told, and when there is something to do ----

    /// Tells the application. `answer`: until when one is awaited, where that is.
    pub fn tell(&mut self, notice: Notice, answer: Option<Deadline>, revision: u64) {
        let notice = match notice {
            Notice::Aborted(reason) => {
                let reason = self.verdict.reason(reason);
                self.verdict.conclude(reason);
                Notice::Aborted(reason)
            }
            other => other,
        };
        let now = clock::now();
        self.write_down(notice, now);
        match notice {
            Notice::Seal => self.seal = Seal::Told,
            Notice::Committed => self.settling = !self.is_owner,
            _ => {}
        }
        self.notices.push_back(Told {
            notice,
            standing: Standing::said_by(notice, !self.is_owner, self.attempt.mode == Mode::Overlap),
            status: Status::Ok,
            handoff_id: wire::id_of(self.attempt.ticket),
            revision,
            peer_pid: self.peer_pid,
            deadline_ns: answer.map_or(0, |at| at.nanos().unwrap_or(i64::MAX)),
            time_ns: now,
        });
    }

    /// What is told is what goes on record.
    fn write_down(&mut self, notice: Notice, now: i64) {
        match notice {
            Notice::Live { unsealed: true } | Notice::Resume { unsealed: true } => self.outcomes.note(|outcome| outcome.unsealed = true),
            Notice::Retire => self.outcomes.commit(now),
            Notice::Committed if !self.is_owner => self.outcomes.commit(now),
            Notice::Aborted(reason) => self.outcomes.abort(status_of(reason), &self.verdict.words, now),
            _ => {}
        }
    }

    /// Which build this process is.
    pub fn set_build(&mut self, build: BuildId) {
        self.outcomes.build = build;
        let is_owner = self.is_owner;
        self.outcomes.note(|outcome| *if is_owner { &mut outcome.old_build } else { &mut outcome.new_build } = build);
    }

    /// A handoff begins: this attempt.
    pub fn begin_record(&mut self, began: i64) -> &mut Outcome {
        let mut outcome =
            Outcome::begin(wire::id_of(self.attempt.ticket), self.attempt.mode, began, began.saturating_add(clock::wall_ahead()));
        outcome.old_generation = u64::from(self.attempt.ticket.generation);
        self.outcomes.begin(outcome)
    }

    /// Tells the application how it is with the control path and the lock file. One that nobody has taken is no longer true.
    pub fn tell_path(&mut self, standing: Standing, status: Status, words: String, peer_pid: i32) {
        self.notices.retain(|told| told.notice != Notice::PathChanged);
        self.verdict.path_words = words;
        let (handoff_id, revision, deadline_ns) = (0, 0, 0);
        self.notices.push_back(Told {
            notice: Notice::PathChanged,
            standing,
            status,
            handoff_id,
            revision,
            peer_pid,
            deadline_ns,
            time_ns: clock::now(),
        });
    }

    /// Takes the next event. The words that are asked for now are its own.
    pub fn take_notice(&mut self) -> Option<Told> {
        let told = self.notices.pop_front()?;
        match told.notice {
            Notice::Resume { .. } => self.seal = Seal::Not,
            Notice::PathChanged => self.verdict.is_of_path = true,
            Notice::Aborted(_) => self.verdict.is_of_path = false,
            _ => {}
        }
        Some(told)
    }

    /// The application looks for more: what it has taken is worked off.
    pub fn worked_off(&mut self) {
        self.settling &= !self.notices.is_empty();
    }

    /// What the application knows.
    pub fn heard(&self) -> Heard {
        let resume = |told: &Told| match told.notice {
            Notice::Resume { unsealed } => Some(unsealed),
            _ => None,
        };
        Heard {
            seal: self.seal,
            live_waits: self.notices.iter().any(|told| matches!(told.notice, Notice::Live { .. })),
            resume_waits: self.notices.iter().find_map(resume),
            settling: self.settling,
        }
    }

    /// Whether nobody has taken what was told of the last attempt.
    pub fn has_untaken(&self) -> bool {
        self.notices.iter().any(|told| told.notice != Notice::PathChanged)
    }

    /// Why the attempt came to nothing, if that stands among what nobody has taken.
    pub fn aborted(&self) -> Option<Reason> {
        self.notices.iter().find_map(|told| match told.notice {
            Notice::Aborted(reason) => Some(reason),
            _ => None,
        })
    }

    /// What stalled is tried again.
    pub fn flush(&mut self) {
        if let Some(link) = self.link.as_mut().filter(|link| link.is_stalled()) {
            // A channel that has ended is found by its end.
            let _ = link.flush();
        }
    }

    /// What the descriptor shows must fit what there is to take; and the timer what is due. `raised`: something else is to be called for. Called
    /// when the lock is given back.
    pub fn rest(&mut self, deadline: Deadline, raised: bool) {
        self.reactor.set_raised(raised || !self.notices.is_empty());
        let _ = self.reactor.set_due(DEADLINE, deadline);
        if self.reactor.due(PEER).is_never() && self.reactor.has(PEER) {
            let _ = self.reactor.set_due(PEER, Deadline::after(DUMP));
        }
        let stalled = self.link.as_ref().is_some_and(Link::is_stalled);
        let _ = self.reactor.set_due(STALLED, if stalled { Deadline::after(poll::PAUSE) } else { Deadline::NEVER });
        if let Some(link) = &self.link {
            let _ = self.reactor.set_writing(CHANNEL, link.wants_to_write());
        }
    }
}
