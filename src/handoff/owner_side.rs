//! The owner's machine on real descriptors: what its actions do, and what the successor's messages are to it.

use std::os::fd::OwnedFd;
use std::sync::Arc;

use nix::errno::Errno;

use super::control;
use super::driver::{Driver, Party, id_of, speaks_with_us, versions_text};
use super::epoch::{self, Record};
use super::holdings::{Item, Part};
use super::machine::owner::{Action, Event, Owner, Phase};
use super::machine::word::Ask;
use super::machine::{Mode, Notice, Reason};
use super::peer::Peer;
use super::telling::reason_text;
use super::wire::Link;
use super::wire::{self, Kind, Message, Own, Place, Refusal};
use crate::clock::{self, Deadline};
use crate::sys::{fds, getpid, procfs, socket};

/// Overlap: how long the owner may go on accepting beside its successor, whatever else was set.
const LONGEST_CLOSING: i64 = 60_000 * clock::MILLI;

impl Driver {
    /// One step of the owner, and everything that follows from it.
    pub fn feed_owner(&mut self, event: Event) {
        let Party::Owner(owner) = self.party else { return };
        let (next, actions) = owner.step(event, clock::now());
        self.party = Party::Owner(next);
        actions.iter().for_each(|action| self.act_as_owner(action));
    }

    fn act_as_owner(&mut self, action: Action) {
        match action {
            Action::Ask(ask) => self.ask_as_owner(ask),
            Action::SendOffer(part) => self.send_part(Kind::Offer, part),
            Action::SendDelta(part) => self.send_part(Kind::Delta, part),
            Action::SendCommit => self.send_commit(),
            Action::SendSettle => self.send_plain(Kind::Settle),
            Action::SendAbort(reason) => self.send_abort(reason),
            Action::Disown => {
                if let Some(peer) = &mut self.peer {
                    peer.disown();
                }
            }
            Action::Kill => {
                if let Some(peer) = &self.peer {
                    peer.kill();
                }
            }
            Action::Dismiss => {
                self.close_link();
                self.parts.clear();
                self.holdings.withdraw();
                if let Some(leaving) = self.drop_peer().and_then(Peer::dismiss) {
                    self.see_out(leaving);
                }
                self.watch_control(true);
            }
            Action::Release => self.let_go(),
            Action::Tell(notice) => {
                self.tell(notice);
                // Now, because what follows is the gap.
                if notice == Notice::Seal {
                    self.leave_control();
                }
                // Off the way: an owner again, or one that is about to be none.
                if matches!(notice, Notice::Resume { unsealed: true }) {
                    self.publish();
                }
            }
        }
    }

    fn ask_as_owner(&mut self, ask: Ask) {
        let Some(record) = &self.record else { return };
        let (done, seen) = record.ask(ask, self.ticket);
        if done && matches!(ask, Ask::TakeBack | Ask::Reclaim) {
            self.generation = record.word().generation;
            // Whoever connects from now on shall see this process at the other end.
            if let Some(control) = &self.control {
                let _ = socket::relisten(control);
            }
        }
        self.feed_owner(Event::Record(ask, done, seen));
        if done && ask == Ask::Commit {
            self.leave_control();
        }
    }

    /// The path is about to be the successor's: whoever connects waits for it.
    fn leave_control(&mut self) {
        self.watch_control(false);
        self.dismiss_guests();
    }

    pub fn send_plain(&mut self, kind: Kind) {
        if let Some(link) = &mut self.link {
            let bytes = link.write(kind).finish();
            // A peer that is gone is found by its pidfd or by the end of the channel.
            let _ = link.send(bytes, Vec::new());
        }
    }

    fn send_commit(&mut self) {
        let revision = self.record.as_ref().map_or(0, Record::revision);
        if let Some(link) = &mut self.link {
            let bytes = link.write(Kind::Commit).revision(revision).finish();
            let _ = link.send(bytes, Vec::new());
        }
    }

    pub fn send_abort(&mut self, reason: Reason) {
        let said = if self.said.is_empty() { reason_text(reason).to_owned() } else { self.said.clone() };
        if let Some(link) = &mut self.link {
            let bytes = link.write(Kind::Abort).reason(wire::reason_code(reason), &said).finish();
            let _ = link.send(bytes, Vec::new());
        }
    }

    fn send_part(&mut self, kind: Kind, index: u16) {
        let (whole, mode, limits) = (self.whole_left(), self.mode, self.limits);
        let (first, parts) = (self.first_part, self.parts.len() as u16);
        let Some(link) = &mut self.link else { return };
        let Some(part) = self.parts.get(index as usize) else { return self.trouble("a part of the offer is not there") };
        let mut writer = link.write(kind);
        writer.part(first.saturating_add(index), first.saturating_add(parts), part.items.len() as u16);
        if kind == Kind::Offer && index == 0 {
            writer.versions().terms(whole, mode, &limits).start(procfs::start_time(getpid()).unwrap_or_default());
        }
        for (place, _) in &part.items {
            writer.place(place);
        }
        for name in &part.gone {
            writer.gone(name);
        }
        let fds = part.items.iter().map(|(_, fd)| fd.clone()).collect();
        let bytes = writer.finish();
        match link.send(bytes, fds) {
            Ok(()) | Err(Errno::EPIPE | Errno::ECONNRESET | Errno::ENOTCONN) => {}
            Err(errno) => {
                self.fault = Some(("sendmsg", errno));
                self.trouble(&format!("descriptors cannot be sent: {}", errno.desc()));
            }
        }
    }

    fn whole_left(&self) -> i64 {
        let Party::Owner(owner) = &self.party else { return 0 };
        // Not that of the phase: its own ends with the acknowledgement, and the successor's loading begins there.
        owner.whole().left(clock::now())
    }

    /// All that the successor gets first: the protocol's own descriptors, the state and what the application has named.
    fn prepare_offer(&mut self) -> Result<u16, Errno> {
        let mut first: Vec<Item> = Vec::new();
        let record = self.record.as_ref().map(|record| (Own::Epoch, record.fd()));
        let rest = [(Own::Lock, self.lock.as_ref()), (Own::Control, self.control.as_ref())];
        for (own, fd) in record.into_iter().chain(rest.into_iter().filter_map(|(own, fd)| Some((own, fd?)))) {
            first.push((Place::Own(own), Arc::new(fds::duplicate(fd)?)));
        }
        // The successor's generation and that of a take-back are given away now: whatever dies when, no number comes twice (S4).
        if let Some(lock) = &self.lock {
            epoch::publish(lock, self.generation, self.generation.wrapping_add(2));
        }
        self.next_part = 0;
        let parts = self.holdings.offer(first);
        Ok(self.number_parts(parts))
    }

    /// Numbers them through: an acknowledgement of one that came before is not one of these.
    fn number_parts(&mut self, parts: Vec<Part>) -> u16 {
        // Closed behind the message: the last descriptor of a large state takes long.
        let old = std::mem::replace(&mut self.parts, parts);
        self.rubbish.extend(old.into_iter().flat_map(|part| part.items).map(|(_, fd)| fd));
        let count = self.parts.len() as u16;
        (self.first_part, self.next_part) = (self.next_part, self.next_part.saturating_add(count));
        count
    }

    /// What has changed since the offer, as parts to be sent.
    pub fn prepare_delta(&mut self) -> u16 {
        let parts = self.holdings.delta();
        self.number_parts(parts)
    }

    /// The same, one part at least: it is also the question whether the successor is awake.
    pub fn prepare_probe(&mut self) -> u16 {
        let mut parts = self.holdings.delta();
        if parts.is_empty() {
            parts.push(Part::default());
        }
        self.number_parts(parts)
    }

    /// A new attempt: its number is used up whatever becomes of it.
    pub fn begin_attempt(&mut self) {
        let Some(record) = &self.record else { return };
        let word = record.word();
        self.attempts = self.attempts.max(word.handoff);
        self.ticket = super::machine::word::Word { handoff: self.attempts, ..word }.next_ticket();
        self.attempts = self.ticket.handoff;
        record.set_revision(0);
        (self.mode, self.limits) = (self.options.mode, self.options.limits);
        if self.mode == Mode::Overlap {
            // Behind the commit the whole deadline no longer counts, and both serve until this answer.
            self.limits.seal = self.limits.seal.min(LONGEST_CLOSING);
        }
        self.said.clear();
        self.fault = None;
        if let Party::Owner(owner) = &mut self.party {
            owner.configure(self.mode, self.limits);
        }
    }

    /// A successor of our own has been spawned.
    pub fn begin_spawned(&mut self, socket: OwnedFd, peer: Peer, whole: Deadline) -> Result<(), Errno> {
        debug_assert!(self.owner().is_some_and(|owner| owner.phase == Phase::Serving), "a handoff began beside the spawn");
        let link = Link::new(socket, peer.pid);
        self.watch_peer(peer)?;
        if let Err(errno) = self.watch_link(link) {
            if let Some(leaving) = self.drop_peer().and_then(Peer::dismiss) {
                self.see_out(leaving);
            }
            return Err(errno);
        }
        self.begin_attempt();
        self.feed_owner(Event::Begin { whole });
        Ok(())
    }

    /// A guest has greeted.
    pub fn begin_takeover(&mut self, mut link: Link, hello: &Message) {
        let start = hello.body.start;
        let admitted =
            socket::peer_pidfd(link.socket(), link.peer).ok().filter(|(_, certain)| *certain || procfs::start_time(link.peer) == start);
        let Some((pidfd, _)) = admitted else {
            return link.refuse(Refusal::Unknown, "your process cannot be identified");
        };
        let parts = match self.prepare_offer() {
            Ok(parts) => parts,
            Err(errno) => return link.refuse(Refusal::Limit, &cannot_duplicate(errno)),
        };
        let peer = Peer::stranger(link.peer, pidfd);
        self.begin_attempt();
        link.id = id_of(self.ticket);
        if self.watch_peer(peer).is_err() {
            self.parts.clear();
            self.holdings.withdraw();
            return link.refuse(Refusal::Limit, "your process cannot be watched");
        }
        if self.watch_link(link).is_err() {
            self.parts.clear();
            self.holdings.withdraw();
            self.drop_peer();
            return;
        }
        let whole = Deadline::after(self.options.takeover);
        self.feed_owner(Event::Hello { whole, parts });
    }

    /// Somebody else than the spawned process greets on its channel: a wrapper stands between.
    pub fn reject_stranger(&mut self, pid: i32) {
        if self.owner().is_none_or(|owner| owner.phase != Phase::Greeting) {
            return;
        }
        self.said = format!("process {pid} greets, and process {} was spawned: a wrapper has to exec the server", self.peer_pid);
        if let Some(link) = &mut self.link {
            link.refuse(Refusal::Denied, &self.said);
        }
        self.feed_owner(Event::Abort(Reason::Denied));
    }

    /// The spawned successor has greeted.
    fn greet(&mut self) {
        match self.prepare_offer() {
            Ok(parts) => {
                if let Some(link) = &mut self.link {
                    link.id = id_of(self.ticket);
                }
                self.feed_owner(Event::Hello { whole: Deadline::NEVER, parts });
            }
            // The machine dismisses it: it is ended and reaped.
            Err(errno) => {
                self.fault = Some(("fcntl", errno));
                self.trouble(&cannot_duplicate(errno));
            }
        }
    }

    pub fn take_as_owner(&mut self, message: Message) {
        let Party::Owner(owner) = self.party else { return };
        let event = match message.kind {
            Kind::Hello if owner.phase == Phase::Greeting && !speaks_with_us(&message) => {
                self.said = versions_text(&message);
                if let Some(link) = &mut self.link {
                    let text = self.said.clone();
                    link.refuse(Refusal::Version, &text);
                }
                Event::Abort(Reason::Version)
            }
            Kind::Hello if owner.phase == Phase::Greeting => return self.greet(),
            Kind::Ack => match message.body.part {
                Some((part, _)) if part >= self.first_part => Event::Ack(part - self.first_part),
                _ => return,
            },
            Kind::Warm if owner.phase != Phase::Warming => return,
            // A process that cannot be ended could not be replaced if it hangs. Asked only now: a server may have dropped privileges meanwhile.
            Kind::Warm if self.peer.as_ref().is_some_and(Peer::is_out_of_reach) => {
                self.said = "this generation may not signal the successor, so it could not replace it if it hangs".to_owned();
                Event::Abort(Reason::Denied)
            }
            Kind::Warm => {
                // Duplicates made for the offer: not to be closed in the gap.
                self.parts.clear();
                Event::Warm
            }
            // It stood alone, and is dead already: this process has everything still.
            Kind::Settled if self.peer.as_ref().is_some_and(Peer::is_dead) => {
                self.look_at_peer();
                return;
            }
            Kind::Live => Event::Live,
            Kind::Settled => Event::Settled,
            Kind::Abort => Event::Abort(wire::reason_of_peer(message.body.reason.unwrap_or_default())),
            Kind::Nak => Event::Abort(refused(message.body.reason)),
            Kind::Hello | Kind::Offer | Kind::Delta | Kind::Commit | Kind::Settle => return,
        };
        self.feed_owner(event);
    }

    /// The successor stands alone: everything that it has as well is closed here. Or the handle ends.
    pub fn let_go(&mut self) {
        self.close_link();
        self.drop_peer();
        self.dismiss_guests();
        self.watch_control(false);
        (self.control, self.lock, self.record) = (None, None, None);
        self.clear_holdings();
        self.parts = Vec::<Part>::new();
        self.party = Party::Gone;
    }

    /// This process is the owner from here on: the first generation, or a successor that has settled.
    pub fn become_owner(&mut self, starting: bool) {
        let Some(record) = &self.record else { return };
        self.generation = record.word().generation;
        self.party = Party::Owner(Owner::new(starting, self.options.mode, self.options.limits));
        if let Some(control) = &self.control {
            let _ = socket::relisten(control);
        }
        self.publish();
        self.watch_control(true);
    }

    /// The path goes with the last generation.
    pub fn leave_path(&mut self) {
        if let (Party::Owner(owner), Some(_)) = (&self.party, &self.control)
            && owner.is_idle()
        {
            control::unbind(&self.path);
            // A standby that has not heard yet that this one has settled must not come back when it has ended in good order.
            if let Some(record) = &self.record {
                let ticket = record.word().next_ticket();
                record.ask(Ask::Offer, ticket);
                record.ask(Ask::Withdraw, ticket);
            }
        }
    }
}

fn cannot_duplicate(errno: Errno) -> String {
    format!("what is handed on cannot be duplicated: {}", errno.desc())
}

/// What a peer's refusal is to us.
pub(super) fn refused(code: Option<u8>) -> Reason {
    match code.and_then(Refusal::from_code) {
        Some(Refusal::Version) => Reason::Version,
        Some(Refusal::Denied) => Reason::Denied,
        Some(Refusal::Limit) => Reason::Limit,
        _ => Reason::Protocol,
    }
}
