//! What comes from the owner: the terms, who it is, and descriptors into their places.
//!
//! The trap: a pid in a message, or of a connection that is older than its owner, may be another process's by now. So the first part of the offer is
//! where the owner is identified: by a pidfd from the kernel, or by number and start time; and if that number is nobody's any more, the owner is
//! dead, and nothing else is believed.

use std::os::fd::OwnedFd;

use nix::errno::Errno;

use super::side::SuccessorSide;
use crate::clock::Deadline;
use crate::handoff::control;
use crate::handoff::core::{Attempt, Core};
use crate::handoff::machine::successor::Event;
use crate::handoff::machine::{Mode, Reason};
use crate::handoff::peer::{self, Peer};
use crate::handoff::record::Record;
use crate::handoff::side::{Incident, Side};
use crate::handoff::wire::{self, Message, Own, Place};
use crate::sys::socket;

/// What makes an owner, as far as it has arrived.
#[derive(Debug, Default)]
pub struct Arrived {
    pub record: Option<Record>,
    pub lock: Option<OwnedFd>,
    /// The control path's listening socket.
    pub control: Option<OwnedFd>,
}

impl SuccessorSide {
    /// A part of the offer; the first one says how it goes. `None`: not awaited, or trouble.
    pub(super) fn take_offer(&mut self, core: &mut Core, message: &Message, fds: Vec<OwnedFd>) -> Option<Event> {
        let (part, parts) = message.body.part.filter(|(part, _)| self.machine.awaits_offer(*part))?;
        if part == 0 && !self.accept_terms(core, message) {
            return None;
        }
        let stored = self.store(core, message, fds);
        if !stored || (part == 0 && (self.arrived.record.is_none() || self.arrived.lock.is_none())) {
            self.trouble(core, "the offer makes no sense");
            return None;
        }
        // Beside a lock that is not the path's, another start is no wonder: two would own.
        if part == 0
            && let Some(words) = self.arrived.lock.as_ref().and_then(|lock| control::why_not_received(&core.path, lock))
        {
            core.verdict.displaced = true;
            self.trouble(core, &words);
            return None;
        }
        let whole = Deadline::after(message.body.whole.unwrap_or_default());
        let Attempt { mode, limits, .. } = core.attempt;
        Some(Event::Offer { part, parts, whole, mode, limits })
    }

    /// The first part says how it goes, and who the owner is.
    fn accept_terms(&mut self, core: &mut Core, message: &Message) -> bool {
        let body = &message.body;
        let (Some(limits), Some(_)) = (body.limits, body.whole) else {
            self.trouble(core, "the offer names no terms");
            return false;
        };
        let Some(link) = &mut core.link else { return false };
        link.id = message.id;
        let pid = link.peer;
        let found = peer::identify(link.socket(), pid, body.start);
        // Or the connection is older than this owner, and only a new one names it.
        let older = socket::peer(link.socket()).is_ok_and(|peer| peer.pid != pid);
        let gone = match &found {
            Err(Errno::ESRCH) => true,
            Err(Errno::EPERM | Errno::ENOSYS) => older,
            Err(_) => false,
            Ok(found) => found.is_none(),
        };
        core.verdict.fault = found.as_ref().err().map(|errno| ("pidfd_open", *errno));
        let Some(found) = found.ok().flatten() else {
            // Its number is nobody's, or another's by now: it has died since.
            if gone {
                // An owner that is another than this connection names: it shall not wait for us.
                core.verdict.misnamed = older;
                core.send_abort(Reason::System);
                self.befall(core, Incident::PeerGone);
            } else {
                self.trouble(core, "the owner cannot be identified");
            }
            return false;
        };
        core.attempt = Attempt { ticket: wire::ticket_of(message.id), mode: body.mode.unwrap_or(Mode::Exclusive), limits };
        Self::begin_record(core, message, pid);
        if let Err(errno) = core.watch_peer(Peer::stranger(pid, found)) {
            core.verdict.fault = Some(("epoll_ctl", errno));
            self.trouble(core, "the owner cannot be watched");
            return false;
        }
        true
    }

    /// Puts what has come in its places. `false`: it cannot be so.
    pub(super) fn store(&mut self, core: &mut Core, message: &Message, fds: Vec<OwnedFd>) -> bool {
        for (place, fd) in message.body.places.iter().zip(fds) {
            // Its own as well: the application may get none of those.
            core.custody.note_shared(&fd);
            match place {
                Place::Own(Own::Epoch) if self.arrived.record.is_none() => match Record::adopt(fd) {
                    Ok(record) => self.arrived.record = Some(record),
                    Err(fault) => {
                        core.verdict.fault = Some((fault.step, fault.errno));
                        return false;
                    }
                },
                Place::Own(Own::Lock) if self.arrived.lock.is_none() => self.arrived.lock = Some(fd),
                Place::Own(Own::Control) if self.arrived.control.is_none() => self.arrived.control = Some(fd),
                place => {
                    if !core.estate.received.put(place.clone(), fd) {
                        return false;
                    }
                }
            }
        }
        message.body.gone.iter().for_each(|name| core.estate.received.withdraw(name));
        true
    }
}
