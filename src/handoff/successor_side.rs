//! The successor's machine on real descriptors: what its actions do, and what the owner's messages are to it.

use std::os::fd::OwnedFd;

use nix::errno::Errno;

use super::driver::{Driver, Party, ticket_of};
use super::epoch::Record;
use super::machine::owner::Owner;
use super::machine::successor::{Action, Event, Phase};
use super::machine::word::Ask;
use super::machine::{Mode, Reason};
use super::owner_side::refused;
use super::peer::Peer;
use super::wire::Link;
use super::wire::{self, Kind, Message, Own, Place, Refusal};
use crate::clock::{self, Deadline};
use crate::sys::{getpid, procfs, socket};

impl Driver {
    /// One step of the successor, and everything that follows from it.
    pub fn feed_successor(&mut self, event: Event) {
        let Party::Successor(successor) = self.party else { return };
        let (next, actions) = successor.step(event, clock::now());
        self.party = Party::Successor(next);
        self.depth += 1;
        actions.iter().for_each(|action| self.act_as_successor(action));
        self.depth -= 1;
        // An answer of the word comes in the middle of a list: what is behind it comes first.
        match self.party {
            Party::Successor(machine) if self.depth == 0 && machine.phase == Phase::Settled => self.become_owner(false),
            Party::Successor(machine) if self.depth == 0 && machine.phase == Phase::Ended => self.party = Party::Gone,
            _ => {}
        }
    }

    fn act_as_successor(&mut self, action: Action) {
        match action {
            Action::Ask(ask) => self.ask_as_successor(ask),
            Action::SendAck(part) => {
                if let Some(link) = &mut self.link {
                    let bytes = link.write(Kind::Ack).part(part, part + 1, 0).finish();
                    let _ = link.send(bytes, Vec::new());
                }
            }
            Action::SendWarm => self.send_plain(Kind::Warm),
            Action::SendLive => self.send_plain(Kind::Live),
            Action::SendSettled => self.send_plain(Kind::Settled),
            Action::SendAbort(reason) => self.send_abort(reason),
            Action::Release => {
                self.close_link();
                self.drop_peer();
                self.close_unclaimed();
                if matches!(&self.party, Party::Successor(successor) if successor.phase == Phase::Ended) {
                    (self.control, self.lock, self.record) = (None, None, None);
                    self.clear_holdings();
                }
            }
            Action::Tell(notice) => self.tell(notice),
        }
    }

    fn ask_as_successor(&mut self, ask: Ask) {
        let Some(record) = &self.record else { return };
        let (done, seen) = record.ask(ask, self.ticket);
        self.generation = record.word().generation;
        self.feed_successor(Event::Record(ask, done, seen));
    }

    /// The first message.
    pub fn greet_owner(&mut self) {
        if let Some(link) = &mut self.link {
            let bytes = link.write(Kind::Hello).versions().start(procfs::start_time(getpid()).unwrap_or_default()).finish();
            let _ = link.send(bytes, Vec::new());
        }
    }

    pub fn take_as_successor(&mut self, message: Message, fds: Vec<OwnedFd>) {
        let Party::Successor(successor) = self.party else { return };
        let event = match message.kind {
            Kind::Offer => {
                let Some((part, parts)) = message.body.part.filter(|(part, _)| successor.awaits_offer(*part)) else { return };
                if part == 0 && !self.accept_terms(&message) {
                    return;
                }
                if !self.store(&message, fds) || (part == 0 && (self.record.is_none() || self.lock.is_none())) {
                    return self.trouble("the offer makes no sense");
                }
                let whole = Deadline::after(message.body.whole.unwrap_or_default());
                let (mode, limits) = (self.mode, self.limits);
                Event::Offer { part, parts, whole, mode, limits }
            }
            Kind::Delta => {
                let Some((part, _)) = message.body.part.filter(|_| successor.phase == Phase::Warm) else { return };
                if !self.store(&message, fds) {
                    return self.trouble("what changed since the offer makes no sense");
                }
                Event::Delta(part)
            }
            Kind::Commit => Event::Commit,
            Kind::Settle => Event::Settle,
            Kind::Abort => Event::Abort(wire::reason_of_peer(message.body.reason.unwrap_or_default())),
            Kind::Nak => {
                self.refusal = message.body.reason.and_then(Refusal::from_code);
                Event::Abort(refused(message.body.reason))
            }
            Kind::Hello | Kind::Ack | Kind::Warm | Kind::Live | Kind::Settled => return,
        };
        self.feed_successor(event);
    }

    /// The first part says how it goes, and who the owner is.
    fn accept_terms(&mut self, message: &Message) -> bool {
        let body = &message.body;
        let (Some(limits), Some(_)) = (body.limits, body.whole) else {
            self.trouble("the offer names no terms");
            return false;
        };
        let Some(link) = &mut self.link else { return false };
        link.id = message.id;
        let pid = link.peer;
        let found = socket::peer_pidfd(link.socket(), pid);
        // Or the connection is older than this owner, and only a new one names it.
        let older = socket::peer(link.socket()).is_ok_and(|peer| peer.pid != pid);
        let gone = match &found {
            Err(Errno::ESRCH) => true,
            Err(Errno::EPERM | Errno::ENOSYS) => older,
            Err(_) => false,
            Ok((_, certain)) => !certain && procfs::start_time(pid) != body.start,
        };
        self.fault = found.as_ref().err().map(|errno| ("pidfd_open", *errno));
        let found = found.ok().filter(|_| !gone);
        let Some((pidfd, _)) = found else {
            // Its number is nobody's, or another's by now: it has died since.
            if gone {
                // An owner that is another than this connection names: it shall not wait for us.
                self.misnamed = older;
                self.send_abort(Reason::System);
                self.feed_successor(Event::PeerGone);
            } else {
                self.trouble("the owner cannot be identified");
            }
            return false;
        };
        self.ticket = ticket_of(message.id);
        (self.limits, self.mode) = (limits, body.mode.unwrap_or(Mode::Exclusive));
        if let Err(errno) = self.watch_peer(Peer::stranger(pid, pidfd)) {
            self.fault = Some(("epoll_ctl", errno));
            self.trouble("the owner cannot be watched");
            return false;
        }
        true
    }

    /// Puts what has come in its places. `false`: it cannot be so.
    fn store(&mut self, message: &Message, fds: Vec<OwnedFd>) -> bool {
        for (place, fd) in message.body.places.iter().zip(fds) {
            match place {
                Place::Own(Own::Epoch) if self.record.is_none() => match Record::adopt(fd) {
                    Ok(record) => self.record = Some(record),
                    Err(errno) => {
                        self.fault = Some(("mmap", errno));
                        return false;
                    }
                },
                Place::Own(Own::Lock) if self.lock.is_none() => self.lock = Some(fd),
                Place::Own(Own::Control) if self.control.is_none() => self.control = Some(fd),
                place => {
                    if !self.received.put(place.clone(), fd) {
                        return false;
                    }
                }
            }
        }
        message.body.gone.iter().for_each(|name| self.received.drop_name(name));
        true
    }

    /// A successor at this channel.
    pub fn begin_as_successor(&mut self, link: Link) -> Result<(), nix::errno::Errno> {
        self.watch_link(link)?;
        self.greet_owner();
        Ok(())
    }

    /// Whether it serves, or is about to: then only its own word or its death gives that back.
    pub fn is_live_successor(&self) -> bool {
        matches!(&self.party, Party::Successor(successor) if successor.serves_now())
    }

    /// Which reason the last ABORTED had, if a successor ended.
    pub fn ended_with(&mut self) -> Option<Reason> {
        self.notices.iter().find_map(|told| match told.notice {
            super::machine::Notice::Aborted(reason) => Some(reason),
            _ => None,
        })
    }

    /// The owner's machine, if this is the owner.
    pub fn owner(&self) -> Option<Owner> {
        match self.party {
            Party::Owner(owner) => Some(owner),
            _ => None,
        }
    }
}
