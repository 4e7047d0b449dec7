//! The machines on real descriptors: one epoll set, one timer, and the steps they lead to.
//!
//! Order matters: what the peer has sent comes before its death, its death before a deadline. A crash closes the channel first,
//! and a deadline that passes together with it must not win.

use std::collections::VecDeque;
use std::os::fd::{AsFd, OwnedFd};
use std::path::PathBuf;
use std::sync::Arc;

use nix::errno::Errno;

use super::control::Guest;
use super::epoch::Record;
use super::holdings::{Holdings, Part, Received};
use super::machine::owner::{self, Owner};
use super::machine::successor::{self, Successor};
use super::machine::word::{Ticket, View};
use super::machine::{Limits, Mode, Reason};
use super::peer::{Leaving, Peer};
use super::wire::Link;
use super::wire::{self, Kind, Message, Refusal};
use super::{Options, Told};
use crate::channel::seqpacket::{Admission, Found};
use crate::clock;
use crate::error::Error;
use crate::sys::memory::Home;
use crate::sys::poll::{Flag, Set, Timer};
use crate::sys::{procfs, socket};

/// Who this process is in the handoff.
#[derive(Debug)]
pub(super) enum Party {
    Owner(Owner),
    Successor(Successor),
    /// Retired, or a successor that came to nothing.
    Gone,
}

const FLAG: u64 = 0;
const TIMER: u64 = 1;
pub(super) const CHANNEL: u64 = 2;
pub(super) const PEER: u64 = 3;
pub(super) const CONTROL: u64 = 4;
/// Guests and those who leave have a number of their own each, from here on.
const FIRST_NUMBER: u64 = 16;

/// How long a dying owner is waited for beyond the deadline.
const DYING: i64 = 60_000 * clock::MILLI;

/// While connections cannot be accepted for want of descriptors.
pub(super) const RETRY: i64 = 100 * clock::MILLI;

/// Everything behind a handle.
#[derive(Debug)]
pub(super) struct Driver {
    pub set: Set,
    pub flag: Flag,
    pub raised: bool,
    pub timer: Timer,
    pub armed: Option<i64>,
    pub party: Party,
    pub first: bool,
    pub path: PathBuf,
    pub options: Options,
    pub record: Option<Record>,
    pub lock: Option<OwnedFd>,
    pub control: Option<OwnedFd>,
    pub control_watched: bool,
    pub control_again: Option<i64>,
    pub guests: Vec<Guest>,
    pub numbers: u64,
    pub link: Option<Link>,
    pub writing: bool,
    pub peer: Option<Peer>,
    pub leaving: Vec<(u64, Leaving)>,
    pub holdings: Holdings,
    pub received: Received,
    pub parts: Vec<Part>,
    /// The number of the first of them: an acknowledgement names one part of the whole handoff.
    pub first_part: u16,
    pub next_part: u16,
    pub ticket: Ticket,
    pub attempts: u32,
    pub generation: u32,
    /// A successor is being spawned: the lock of the handle is not held meanwhile.
    pub spawning: bool,
    pub peer_pid: i32,
    /// Which mode and times the handoff under way has.
    pub limits: Limits,
    pub mode: Mode,
    pub notices: VecDeque<Told>,
    /// Words for the last ABORTED.
    pub words: String,
    pub said: String,
    /// The system call that stood in the way.
    pub fault: Option<(&'static str, Errno)>,
    /// A deadline that has passed beside a dying owner is looked at again then.
    postponed: Option<i64>,
    dying_since: Option<i64>,
    home: Home,
    /// When a successor looks at the word by itself.
    pub look_at: Option<i64>,
    /// What is closed once the lock of the handle was given back: a close may take long.
    pub rubbish: Vec<Arc<OwnedFd>>,
    /// Steps within steps.
    pub depth: u32,
    /// The handle was freed.
    pub closed: bool,
    /// Whose server may run at the control path, besides this user's and root's.
    pub trusted: Option<u32>,
    /// How the owner has refused us.
    pub refusal: Option<Refusal>,
    /// The connection names an earlier owner than the one that answers.
    pub misnamed: bool,
}

impl Driver {
    pub fn new(party: Party, first: bool, path: PathBuf, options: Options) -> crate::Result<Self> {
        let failed = |step| move |errno: Errno| Error::system(step, errno, "cannot make a handoff");
        let set = Set::new().map_err(failed("epoll_create1"))?;
        let flag = Flag::new().map_err(failed("eventfd"))?;
        let timer = Timer::new().map_err(failed("timerfd_create"))?;
        set.add(&flag, FLAG).and_then(|()| set.add(&timer, TIMER)).map_err(failed("epoll_ctl"))?;
        Ok(Self {
            set,
            flag,
            raised: false,
            timer,
            armed: None,
            party,
            first,
            path,
            options,
            record: None,
            lock: None,
            control: None,
            control_watched: false,
            control_again: None,
            guests: Vec::new(),
            numbers: FIRST_NUMBER,
            link: None,
            writing: false,
            peer: None,
            leaving: Vec::new(),
            holdings: Holdings::default(),
            received: Received::default(),
            parts: Vec::new(),
            first_part: 0,
            next_part: 0,
            ticket: Ticket { generation: 0, handoff: 0 },
            attempts: 0,
            generation: 0,
            spawning: false,
            peer_pid: 0,
            limits: options.limits,
            mode: options.mode,
            notices: VecDeque::new(),
            words: String::new(),
            said: String::new(),
            fault: None,
            postponed: None,
            dying_since: None,
            home: Home::here(),
            look_at: None,
            rubbish: Vec::new(),
            depth: 0,
            closed: false,
            trusted: None,
            refusal: None,
            misnamed: false,
        })
    }

    pub fn is_owner(&self) -> bool {
        matches!(self.party, Party::Owner(_))
    }

    pub fn deadline(&self) -> Option<i64> {
        match &self.party {
            Party::Owner(owner) => owner.deadline.nanos(),
            Party::Successor(successor) => successor.deadline.nanos().map(|at| at.max(self.postponed.unwrap_or(at))),
            Party::Gone => None,
        }
    }

    pub fn is_warm(&self) -> bool {
        matches!(&self.party, Party::Successor(machine) if machine.phase == successor::Phase::Warm)
    }

    // ---- work ----

    /// Does what is due. Returns early once there is something to tell: the rest keeps the descriptor readable.
    pub fn pump(&mut self) {
        // The one message that everybody waits for: without a detour.
        if self.is_warm() {
            self.pump_link();
            if !self.notices.is_empty() {
                return;
            }
        }
        let mut ready = Vec::new();
        self.set.ready(&mut ready);
        if ready.is_empty() {
            return self.keep_time();
        }
        if ready.contains(&CHANNEL) {
            self.pump_link();
            if !self.notices.is_empty() {
                return;
            }
        }
        if ready.contains(&PEER) {
            self.look_at_peer();
        }
        for key in ready {
            match key {
                CONTROL => self.welcome(),
                key if key >= FIRST_NUMBER => {
                    self.pump_guest(key);
                    self.see_off(Some(key));
                }
                _ => {}
            }
        }
        self.keep_time();
    }

    fn pump_link(&mut self) {
        // A peer that never stops sending must not keep us here.
        for _ in 0..64 {
            let Some(link) = &mut self.link else { return };
            let lost = link.flush().is_err();
            let trusted = self.trusted;
            // A server that has given up its rights since it listened: the kernel says that it is the same process.
            let same = |pid: i32, socket: &OwnedFd| socket::peer(socket).is_ok_and(|peer| peer.pid == pid && is_admitted(peer.uid));
            let admit = |sender: socket::Identity, socket: &OwnedFd| match sender.uid {
                uid if is_admitted(uid) || same(sender.pid, socket) => Admission::Granted,
                uid if trusted == Some(uid) => Admission::RefusalsOnly,
                _ => Admission::Denied,
            };
            match link.receive(admit) {
                Found::Nothing if lost => return self.hang_up(),
                Found::Nothing => return,
                Found::Dropped => {}
                Found::Truncated => {
                    self.fault = Some(("recvmsg", Errno::EMFILE));
                    self.trouble("descriptors did not arrive: the limit of open files is reached");
                }
                Found::Denied => return self.deny(),
                Found::Stranger(pid) => self.reject_stranger(pid),
                Found::End => return self.hang_up(),
                Found::Message(message, fds) => self.take(message, fds),
            }
            if !self.notices.is_empty() {
                return;
            }
        }
    }

    fn take(&mut self, message: Message, fds: Vec<OwnedFd>) {
        if let (Kind::Abort | Kind::Nak, Some(text)) = (message.kind, &message.body.text) {
            self.said.clone_from(text);
        }
        match self.party {
            Party::Owner(_) => self.take_as_owner(message),
            Party::Successor(_) => self.take_as_successor(message, fds),
            Party::Gone => {}
        }
    }

    /// A successor finds somebody at the path who must not hand over to it.
    fn deny(&mut self) {
        self.said = "the running generation belongs to another user, or is not visible in this pid namespace".to_owned();
        self.refusal = Some(Refusal::Denied);
        self.close_link();
        self.feed_successor(successor::Event::Abort(Reason::Denied));
    }

    /// The channel has ended.
    pub fn hang_up(&mut self) {
        // The last words may say that it has settled: they were read before the end.
        self.close_link();
        if self.look_at_peer() {
            return;
        }
        match self.party {
            Party::Owner(_) => self.feed_owner(owner::Event::Hangup),
            Party::Successor(_) => self.feed_successor(successor::Event::Hangup),
            Party::Gone => {}
        }
    }

    /// Something stands in the way of the exchange.
    pub fn trouble(&mut self, words: &str) {
        // Whatever it is: if the other one is dead, that is what counts.
        if self.look_at_peer() {
            return;
        }
        self.said = words.to_owned();
        match self.party {
            Party::Owner(_) => self.feed_owner(owner::Event::Trouble),
            Party::Successor(_) => self.feed_successor(successor::Event::Trouble),
            Party::Gone => {}
        }
    }

    /// Whether the peer was seen dead.
    pub fn look_at_peer(&mut self) -> bool {
        let Some(peer) = self.peer.as_ref().filter(|peer| peer.is_dead()) else { return false };
        // A dead process's pidfd stays readable for ever.
        self.set.remove(peer.pidfd());
        if self.said.is_empty() {
            self.said = format!("process {} has ended", peer.pid);
        }
        match self.party {
            Party::Owner(_) => self.feed_owner(owner::Event::PeerGone),
            Party::Successor(_) => self.feed_successor(successor::Event::PeerGone),
            Party::Gone => {}
        }
        true
    }

    /// Deadlines, after everything else.
    fn keep_time(&mut self) {
        let now = clock::now();
        if let Some(link) = self.link.as_mut().filter(|link| link.is_stalled()) {
            // A channel that has ended is found by its end.
            let _ = link.flush();
        }
        if self.look_at.is_some_and(|at| now >= at) {
            self.look_at = None;
            // The owner may have been stopped between the commit and its message.
            if self.is_warm() && self.record.as_ref().is_some_and(|record| record.word().view(self.ticket) == View::Committed) {
                return self.feed_successor(successor::Event::Commit);
            }
        }
        if self.deadline().is_some_and(|at| now >= at) && !self.look_at_peer() && !self.postpone(now) {
            if let Some(text) = self.late_text() {
                self.said = text.to_owned();
            }
            match self.party {
                Party::Owner(_) => self.feed_owner(owner::Event::Timeout),
                Party::Successor(_) => self.feed_successor(successor::Event::Timeout),
                Party::Gone => {}
            }
        }
        if self.control_again.is_some_and(|at| now >= at) {
            self.control_again = None;
            // Not once the path is the successor's.
            if self.owner().is_some_and(|owner| owner.is_idle()) {
                self.watch_control(true);
            }
        }
        let expired: Vec<u64> = self.guests.iter().filter(|guest| now >= guest.until).map(|guest| guest.key).collect();
        expired.into_iter().for_each(|key| drop(self.send_away(key)));
        if self.leaving.iter().any(|(_, leaving)| leaving.due().is_some_and(|at| now >= at)) {
            self.see_off(None);
        }
    }

    /// A successor whose owner is dying waits for that: giving up now would leave nobody.
    fn postpone(&mut self, now: i64) -> bool {
        let waits =
            matches!(&self.party, Party::Successor(machine) if matches!(machine.phase, successor::Phase::Loading | successor::Phase::Warm));
        let dying = waits && self.peer.as_ref().is_some_and(|peer| procfs::is_dying(peer.pid));
        let since = *self.dying_since.get_or_insert(now);
        let waits = dying && now < since.saturating_add(DYING);
        self.postponed = waits.then(|| now + RETRY);
        waits
    }

    /// Nothing is handed on any more.
    pub fn clear_holdings(&mut self) {
        let held = std::mem::take(&mut self.holdings).into_fds();
        self.rubbish.extend(held);
        self.close_unclaimed();
        self.received = Received::default();
    }

    /// What was not taken is closed, the state aside.
    pub fn close_unclaimed(&mut self) {
        let unclaimed = self.received.take_unclaimed();
        self.rubbish.extend(unclaimed);
    }

    /// Gives everything up; who is still to be ended and reaped is the caller's.
    pub fn shut(&mut self) -> Vec<Leaving> {
        self.leave_path();
        self.let_go();
        self.notices.clear();
        self.closed = true;
        // Whoever waits for events shall hear of it.
        self.flag.raise();
        let leaving = std::mem::take(&mut self.leaving);
        leaving.iter().for_each(|(_, leaving)| self.set.remove(leaving.pidfd()));
        leaving.into_iter().map(|(_, leaving)| leaving).collect()
    }
}

/// Who may be the other side: this user, or root.
pub(super) fn is_admitted(uid: u32) -> bool {
    uid == 0 || uid == nix::unistd::geteuid().as_raw()
}

pub(super) fn id_of(ticket: Ticket) -> u64 {
    u64::from(ticket.generation) << 24 | u64::from(ticket.handoff)
}

pub(super) fn ticket_of(id: u64) -> Ticket {
    Ticket { generation: (id >> 24) as u32, handoff: (id & 0xFF_FFFF) as u32 }
}

pub(super) fn speaks_with_us(message: &Message) -> bool {
    message.body.versions.is_some_and(|(low, high)| low <= wire::VERSIONS.1 && high >= wire::VERSIONS.0)
}

pub(super) fn versions_text(message: &Message) -> String {
    let (low, high) = message.body.versions.unwrap_or((0, 0));
    format!("versions {low} to {high} are spoken there, {} to {} here", wire::VERSIONS.0, wire::VERSIONS.1)
}

impl Drop for Driver {
    /// A handle that could not be made in the end: the other side is told, and the path taken away.
    fn drop(&mut self) {
        // A forked copy of the host must touch neither the path nor the shared set.
        if self.closed || !self.home.is_here() {
            return;
        }
        if let Party::Successor(machine) = self.party
            && !machine.serves_now()
        {
            self.feed_successor(successor::Event::Failed);
        }
        self.shut();
    }
}

impl AsFd for Driver {
    fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
        self.set.as_fd()
    }
}
