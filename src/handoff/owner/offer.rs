//! What is sent, in parts, and how an attempt begins: a successor that this process has spawned, or one that has come by the path.
//!
//! The trap: an acknowledgement names one part of the whole handoff, so parts are numbered through it. Were each list numbered from 0, a late
//! acknowledgement of the offer would count for what has changed since.

use std::os::fd::OwnedFd;
use std::sync::Arc;

use nix::errno::Errno;

use super::side::OwnerSide;
use crate::clock::{self, Deadline, MILLI};
use crate::handoff::core::{Attempt, Core};
use crate::handoff::holdings::{Item, Part};
use crate::handoff::machine::Mode;
use crate::handoff::machine::owner::{Event, Phase};
use crate::handoff::machine::word::Word;
use crate::handoff::peer::{self, Peer};
use crate::handoff::record;
use crate::handoff::side::Side;
use crate::handoff::wire::{self, Kind, Link, Message, Own, Place, Refusal};
use crate::sys::{fds, getpid, procfs};

/// Overlap: how long the owner may go on accepting beside its successor, whatever else was set.
const LONGEST_CLOSING: i64 = 60_000 * MILLI;

const CANNOT_IDENTIFY: &str = "your process cannot be identified";
const SPEAKS_AHEAD: &str = "your process cannot be identified: it says more before it is answered";

/// The parts that are being sent.
#[derive(Debug, Default)]
pub struct Offer {
    parts: Vec<Part>,
    /// The number of the first of them.
    first: u16,
    /// The number of the first that come after them.
    next: u16,
}

impl Offer {
    /// Numbers these through, behind those before. Answers how many they are, and what is to be closed.
    fn number(&mut self, parts: Vec<Part>) -> (u16, Vec<Part>) {
        let old = std::mem::replace(&mut self.parts, parts);
        let count = self.parts.len() as u16;
        (self.first, self.next) = (self.next, self.next.saturating_add(count));
        (count, old)
    }

    /// Which of them has this number. One that came before is none of these.
    pub fn index_of(&self, part: u16) -> Option<u16> {
        part.checked_sub(self.first)
    }

    /// Closes the duplicates that were made for it; its numbers stay used.
    pub fn close(&mut self) {
        self.parts.clear();
    }
}

impl OwnerSide {
    // ---- the parts ----

    pub(super) fn send_part(&mut self, core: &mut Core, kind: Kind, index: u16) {
        // Not the phase's deadline: its own ends with the acknowledgement, and the successor's loading begins there.
        let whole = self.machine.whole().left(clock::now());
        let (first, parts) = (self.offer.first, self.offer.parts.len() as u16);
        let Some(link) = &mut core.link else { return };
        let Some(part) = self.offer.parts.get(index as usize) else { return self.trouble(core, "a part of the offer is not there") };
        let mut writer = link.write(kind);
        writer.part(first.saturating_add(index), first.saturating_add(parts), part.items.len() as u16);
        if kind == Kind::Offer && index == 0 {
            let (mode, limits) = (core.attempt.mode, &core.attempt.limits);
            writer.versions_and(wire::SERVES_OBSERVERS).terms(whole, mode, limits);
            writer.start(procfs::start_time(getpid()).unwrap_or_default()).build(&core.outcomes.build);
            core.outcomes.iter().for_each(|outcome| _ = writer.record(outcome));
        }
        // With the wake probe: what follows it is the gap, and if this process dies there the successor knows the rest.
        if kind == Kind::Delta && index == 0 && self.machine.phase != Phase::Updating(0) {
            writer.half(core.outcomes.under_way());
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
                core.verdict.fault = Some(("sendmsg", errno));
                self.trouble(core, &format!("descriptors cannot be sent: {}", errno.desc()));
            }
        }
    }

    /// All that the successor gets first: the protocol's own descriptors, the state and what the application has named.
    fn prepare_offer(&mut self, core: &mut Core) -> Result<u16, Errno> {
        let own = [(Own::Epoch, Some(self.record.fd())), (Own::Lock, Some(&self.lock)), (Own::Control, self.door.listener())];
        let mut first: Vec<Item> = Vec::new();
        for (own, fd) in own.into_iter().filter_map(|(own, fd)| Some((own, fd?))) {
            let copy = fds::duplicate(fd)?;
            core.custody.note(&copy);
            first.push((Place::Own(own), Arc::new(copy)));
        }
        // The successor's generation and that of a take-back are given away now: whatever dies when, no number comes twice (S4).
        record::publish(&self.lock, core.generation, core.generation.wrapping_add(2));
        self.offer.next = 0;
        let parts = core.estate.holdings.offer(first);
        Ok(self.number_parts(core, parts))
    }

    /// Nobody is to have what was offered, or to hear of changes.
    pub(super) fn withdraw_offer(&mut self, core: &mut Core) {
        self.offer.close();
        let connections = core.estate.holdings.withdraw();
        core.discard(connections);
    }

    fn number_parts(&mut self, core: &mut Core, parts: Vec<Part>) -> u16 {
        let (count, old) = self.offer.number(parts);
        // Closed behind the message: the last descriptor of a large state takes long.
        core.rubbish.extend(old.into_iter().flat_map(|part| part.items).map(|(_, fd)| fd));
        count
    }

    /// What has changed since the offer, as parts to be sent.
    pub(super) fn prepare_delta(&mut self, core: &mut Core) -> u16 {
        let parts = core.estate.holdings.delta();
        self.number_parts(core, parts)
    }

    /// The same, one part at least: the wake probe, which a successor answers that does not hang, and for which it wakes up.
    pub(super) fn prepare_probe(&mut self, core: &mut Core) -> u16 {
        let mut parts = core.estate.holdings.delta();
        if parts.is_empty() {
            parts.push(Part::default());
        }
        self.number_parts(core, parts)
    }

    // ---- the beginning ----

    /// A new attempt: its number is used up whatever becomes of it.
    fn begin_attempt(&mut self, core: &mut Core, drain: Option<i64>) {
        let word = self.record.word();
        self.attempts = self.attempts.max(word.handoff);
        let ticket = Word { handoff: self.attempts, ..word }.next_ticket();
        self.attempts = ticket.handoff;
        self.record.set_revision(0);
        let (mode, mut limits) = (core.options.mode, core.options.limits);
        limits.drain = drain.unwrap_or(limits.drain);
        if mode == Mode::Overlap {
            // Behind the commit the whole deadline no longer counts, and both serve until this answer.
            limits.seal = limits.seal.min(LONGEST_CLOSING);
        }
        core.attempt = Attempt { ticket, mode, limits };
        Self::begin_record(core, clock::now());
        core.verdict.said.clear();
        (core.verdict.fault, core.verdict.displaced) = (None, false);
        self.machine.configure(mode, limits);
    }

    /// A successor of our own has been spawned.
    pub fn begin_spawned(&mut self, core: &mut Core, socket: OwnedFd, peer: Peer, whole: Deadline) -> Result<(), Errno> {
        debug_assert!(self.machine.phase == Phase::Serving, "a handoff began beside the spawn");
        let link = Link::new(socket, peer.pid);
        core.watch_peer(peer)?;
        if let Err(errno) = core.watch_link(link) {
            let peer = core.unwatch_peer();
            core.end(peer.and_then(Peer::dismiss));
            return Err(errno);
        }
        self.begin_attempt(core, None);
        self.feed(core, Event::Begin { whole });
        Ok(())
    }

    /// The spawned successor has greeted.
    pub(super) fn greet(&mut self, core: &mut Core) {
        match self.prepare_offer(core) {
            Ok(parts) => {
                if let Some(link) = &mut core.link {
                    link.id = wire::id_of(core.attempt.ticket);
                }
                self.feed(core, Event::Hello { whole: Deadline::NEVER, parts });
            }
            // The machine dismisses it: it is ended and reaped.
            Err(errno) => {
                core.verdict.fault = Some(("fcntl", errno));
                self.trouble(core, &cannot_duplicate(errno));
            }
        }
    }

    /// It has done so at the control path, without its channel: that one takes its place.
    pub(super) fn greet_by_path(&mut self, core: &mut Core, mut link: Link, hello: Message) {
        // The connection may be older than the spawn, and of a process that had its number before.
        let is_it = match peer::identify(link.socket(), link.peer, hello.body.start) {
            Ok(Some(found @ (_, true))) => !Peer::stranger(link.peer, found).is_dead(),
            _ => hello.body.start.is_some() && procfs::start_time(link.peer) == hello.body.start,
        };
        if !is_it {
            return link.refuse(Refusal::Unknown, CANNOT_IDENTIFY);
        }
        core.close_link();
        match core.watch_link(link) {
            Ok(()) => self.take(core, hello, Vec::new()),
            Err(errno) => {
                core.verdict.fault = Some(("epoll_ctl", errno));
                self.trouble(core, "the successor's channel cannot be watched");
            }
        }
    }

    /// A guest has greeted.
    pub(super) fn begin_takeover(&mut self, core: &mut Core, mut link: Link, hello: &Message) {
        let Ok(Some(found)) = peer::identify(link.socket(), link.peer, hello.body.start) else {
            return link.refuse(Refusal::Unknown, CANNOT_IDENTIFY);
        };
        // What lies there may be of one who has ended since, and what comes next is to tell who is behind the pidfd.
        if !found.1 && !link.is_silent() {
            return link.refuse(Refusal::Unknown, SPEAKS_AHEAD);
        }
        let parts = match self.prepare_offer(core) {
            Ok(parts) => parts,
            Err(errno) => return link.refuse(Refusal::Limit, &cannot_duplicate(errno)),
        };
        let peer = link.peer;
        let expected = self.expected_limits(peer);
        self.begin_attempt(core, expected.and_then(|(_, drain)| drain));
        link.id = wire::id_of(core.attempt.ticket);
        if core.watch_peer(Peer::stranger(link.peer, found)).is_err() {
            self.withdraw_offer(core);
            return link.refuse(Refusal::Limit, "your process cannot be watched");
        }
        if core.watch_link(link).is_err() {
            self.withdraw_offer(core);
            core.unwatch_peer();
            return;
        }
        if expected.is_some() {
            self.note_greeting_of(peer);
        }
        let whole = expected.map_or_else(|| Deadline::after(core.options.takeover), |(whole, _)| whole);
        self.feed(core, Event::Hello { whole, parts });
    }
}

fn cannot_duplicate(errno: Errno) -> String {
    format!("what is handed on cannot be duplicated: {}", errno.desc())
}
