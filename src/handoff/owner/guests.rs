//! Guests of the control path: who has connected and not greeted yet.
//!
//! The trap: one that connects and says nothing must not keep others out (bug B8 of the older protocol), so guests wait beside each other, each
//! with a time of its own, until one greets. And one that may not come in shall hear why, or it comes back a hundred times a second.

use std::os::fd::OwnedFd;
use std::sync::Arc;

use super::side::OwnerSide;
use crate::channel::seqpacket::{Admission, Found};
use crate::clock::{Deadline, MILLI};
use crate::handoff::core::{CONTROL, Core, RETRY};
use crate::handoff::trust;
use crate::handoff::wire::{self, Kind, Link, Refusal};
use crate::registry;
use crate::sys::reactor::Token;
use crate::sys::socket;

/// How long a guest may take to greet.
const GREETING: i64 = 5_000 * MILLI;
/// How many guests may stand there at once; the oldest makes room.
const GUESTS: usize = 8;

/// Somebody who has connected and not greeted.
#[derive(Debug)]
pub struct Guest {
    link: Link,
    token: Token,
}

/// The control path's listening socket, and who has come by it.
#[derive(Debug)]
pub struct Door {
    listener: Option<Arc<OwnedFd>>,
    guests: Vec<Guest>,
}

impl Door {
    pub fn new(listener: Option<OwnedFd>) -> Self {
        Self { listener: listener.map(Arc::new), guests: Vec::new() }
    }

    /// The socket. One owner hands it on to the next; nobody closes it for others.
    pub fn listener(&self) -> Option<&OwnedFd> {
        self.listener.as_deref()
    }

    /// Watches the path.
    pub fn watch(&mut self, core: &mut Core) {
        let Some(listener) = self.listener.as_ref().filter(|_| !core.reactor.has(CONTROL)) else { return };
        if core.reactor.add(CONTROL, listener).is_err() {
            let _ = core.reactor.set_due(CONTROL, Deadline::after(RETRY));
        }
    }

    /// Watches it no more, and dismisses who has come. Whoever connects meanwhile waits in the kernel's line.
    pub fn unwatch(&mut self, core: &mut Core) {
        core.reactor.remove(CONTROL);
        let _ = core.reactor.set_due(CONTROL, Deadline::NEVER);
        while let Some(guest) = self.guests.first() {
            let token = guest.token;
            drop(self.dismiss(core, token));
        }
    }

    /// He is a guest no more.
    pub fn dismiss(&mut self, core: &mut Core, token: Token) -> Option<Guest> {
        let at = self.guests.iter().position(|guest| guest.token == token)?;
        core.reactor.remove(token);
        let _ = core.reactor.set_due(token, Deadline::NEVER);
        Some(self.guests.remove(at))
    }

    fn add(&mut self, core: &mut Core, link: Link) {
        let token = core.number();
        if core.reactor.add(token, link.socket()).is_ok() {
            let _ = core.reactor.set_due(token, Deadline::after(GREETING));
            self.guests.push(Guest { link, token });
        }
    }
}

impl OwnerSide {
    /// Accepts who has connected.
    pub(super) fn welcome(&mut self, core: &mut Core) {
        for _ in 0..GUESTS {
            let Some(listener) = self.door.listener().filter(|_| core.reactor.has(CONTROL)) else { return };
            match socket::accept(listener) {
                Ok(None) => return,
                // No descriptors: whoever has connected stays in the kernel's line, and the listener readable.
                Err(_) => return core.reactor.set_aside_for(CONTROL, RETRY),
                Ok(Some(socket)) => {
                    let Ok(identity) = socket::peer(&socket) else { continue };
                    let mut link = Link::new(socket, identity.pid);
                    if let Some(why) = is_rejected(identity) {
                        link.refuse(Refusal::Denied, why);
                        continue;
                    }
                    if self.door.guests.len() == GUESTS {
                        let oldest = self.door.guests[0].token;
                        // It may have greeted already.
                        self.hear_guest(core, oldest);
                        drop(self.door.dismiss(core, oldest));
                    }
                    self.door.add(core, link);
                }
            }
        }
        core.more = true;
    }

    /// A guest says something. Anything but a greeting is no successor's.
    pub(super) fn hear_guest(&mut self, core: &mut Core, token: Token) {
        let Some(guest) = self.door.guests.iter_mut().find(|guest| guest.token == token) else { return };
        let found = guest.link.receive(|_| Admission::Denied);
        if matches!(found, Found::Nothing) {
            return;
        }
        let Some(mut guest) = self.door.dismiss(core, token) else { return };
        let Found::Message(message, _) = found else { return };
        if message.kind != Kind::Hello {
            return;
        }
        if !wire::speaks_with_us(&message) {
            return guest.link.refuse(Refusal::Version, &wire::versions_text(&message));
        }
        // Events of an earlier attempt that nobody has taken: an application that takes none must not collect them for ever.
        if !self.is_serving() || self.spawning || !core.notices.is_empty() {
            return guest.link.refuse(Refusal::Busy, "another handoff is under way");
        }
        self.begin_takeover(core, guest.link, &message);
    }
}

/// Why this process may not hand over here, if so.
fn is_rejected(guest: socket::Identity) -> Option<&'static str> {
    if guest.pid <= 0 {
        return Some("your process is not visible in the pid namespace of the running generation");
    }
    if !trust::is_admitted(guest.uid) {
        return Some("only the user of the running generation and root may take over");
    }
    // Its supervisor here would end it as a child, long after it owns.
    if registry::has_number(guest.pid) {
        return Some(
            "your process is a child of the running generation's supervisor, which would end it: an upgrade spawns its successor itself",
        );
    }
    None
}
