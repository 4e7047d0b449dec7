//! Guests of the control path: who has connected and not greeted yet.
//!
//! The trap: one that connects and says nothing must not keep others out (bug B8 of the older protocol), so guests wait beside each other, each
//! with a time of its own, until one greets. And one that may not come in shall hear why, or it comes back a hundred times a second.
//!
//! The successor that was spawned may come here as well: a wrapper has closed its channel or cleared its environment, or its program has
//! capabilities or a user of its own, so that it believes no environment (AT_SECURE). It is known by its pidfd. What such a wrapper has forked
//! is not: it could not be told from a stranger.

use std::os::fd::OwnedFd;
use std::sync::Arc;

use super::side::OwnerSide;
use crate::channel::seqpacket::{Admission, Found};
use crate::clock::{Deadline, MILLI};
use crate::handoff::core::{CONTROL, Core, RETRY};
use crate::handoff::machine::owner::Phase;
use crate::handoff::trust;
use crate::handoff::wire::{self, Kind, Link, Refusal};
use crate::registry;
use crate::sys::reactor::Token;
use crate::sys::{pidfd, procfs, socket};

/// How long a guest may take to greet.
const GREETING: i64 = 5_000 * MILLI;
/// How long one that may be the awaited one waits for the spawn to return.
const SPAWNING: i64 = 10 * MILLI;
/// How many guests may stand there at once; the oldest makes room.
const GUESTS: usize = 8;

/// Somebody who has connected and not greeted.
#[derive(Debug)]
pub struct Guest {
    link: Link,
    token: Token,
    /// As who it has connected.
    user: u32,
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

    /// Another socket in its place. Who has connected to the old one and was not seen yet comes again.
    pub fn replace(&mut self, core: &mut Core, listener: OwnedFd) {
        core.reactor.remove(CONTROL);
        let old = self.listener.replace(Arc::new(listener));
        core.rubbish.extend(old);
        self.watch(core);
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

    fn add(&mut self, core: &mut Core, link: Link, user: u32) {
        let token = core.number();
        if core.reactor.add(token, link.socket()).is_ok() {
            let _ = core.reactor.set_due(token, Deadline::after(GREETING));
            self.guests.push(Guest { link, token, user });
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
                    if let Some(why) = self.rejects(core, identity) {
                        link.refuse(Refusal::Denied, why);
                        continue;
                    }
                    if self.door.guests.len() == GUESTS {
                        let oldest = self.door.guests[0].token;
                        // It may have greeted already.
                        self.hear_guest(core, oldest);
                        drop(self.door.dismiss(core, oldest));
                    }
                    self.door.add(core, link, identity.uid);
                }
            }
        }
        core.more = true;
    }

    /// A guest says something. Anything but a greeting is no successor's.
    pub(super) fn hear_guest(&mut self, core: &mut Core, token: Token) {
        let Some(guest) = self.door.guests.iter_mut().find(|guest| guest.token == token) else { return };
        // It may be the one that is being spawned: who that is stands fast when the spawn returns.
        if self.spawning && registry::has_number(guest.link.peer) {
            return core.reactor.set_aside_for(token, SPAWNING);
        }
        let found = guest.link.receive(|_| Admission::Denied);
        if matches!(found, Found::Nothing) {
            return;
        }
        let Some(mut guest) = self.door.dismiss(core, token) else { return };
        let Found::Message(message, _) = found else { return };
        if message.kind != Kind::Hello {
            return;
        }
        let identity = socket::Identity { pid: guest.link.peer, uid: guest.user };
        if self.is_awaited(core, identity.pid) {
            return self.greet_by_path(core, guest.link, message);
        }
        if let Some(why) = self.rejects(core, identity) {
            return guest.link.refuse(Refusal::Denied, why);
        }
        if message.body.observes {
            return self.welcome_observer(core, guest.link, &message);
        }
        if self.comes_of_wrapper(core, identity.pid) {
            return self.reject_wrapped(core, identity.pid, Some(&mut guest.link));
        }
        if !wire::speaks_with_us(&message) {
            return guest.link.refuse(Refusal::Version, &wire::versions_text(&message));
        }
        // Events of an earlier attempt that nobody has taken: an application that takes none must not collect them for ever.
        if !self.is_serving() || self.spawning || core.has_untaken() {
            return guest.link.refuse(Refusal::Busy, "another handoff is under way");
        }
        // Who has started it may have said so just before.
        self.hear_observers(core);
        if self.keeps_out(identity.pid) {
            return guest.link.refuse(Refusal::Busy, "another successor is expected");
        }
        // Whoever follows needs the lock that lies at the path.
        if let Err(error) = self.check_files(core) {
            return guest.link.refuse(Refusal::Replaced, &error.message);
        }
        self.begin_takeover(core, guest.link, &message);
    }

    /// Whether this is the successor that was spawned and has not greeted: it lives, so its number is nobody else's.
    fn is_awaited(&self, core: &Core, pid: i32) -> bool {
        self.machine.phase == Phase::Greeting && core.peer.as_ref().is_some_and(|peer| peer.pid == pid && !peer.is_dead())
    }

    /// Whether the process that was spawned, and has not greeted, has forked this one.
    fn comes_of_wrapper(&self, core: &Core, pid: i32) -> bool {
        let wrapper = core.peer.as_ref().filter(|peer| self.machine.phase == Phase::Greeting && !peer.is_dead());
        wrapper.is_some_and(|wrapper| procfs::descends_from(pid, wrapper.pid) || pidfd::group_of_number(pid) == Some(wrapper.pid))
    }

    /// Why this process may not take over, if so.
    fn rejects(&self, core: &Core, guest: socket::Identity) -> Option<&'static str> {
        if guest.pid <= 0 {
            return Some("your process is not visible in the pid namespace of the running generation");
        }
        let ours = registry::has_number(guest.pid);
        if self.is_awaited(core, guest.pid) || (ours && self.spawning) {
            return None;
        }
        if !trust::is_admitted(guest.uid) {
            return Some("only the user of the running generation and root may take over");
        }
        // Its supervisor here would end it as a child, long after it owns.
        ours.then_some(
            "your process is a child of the running generation's supervisor, which would end it: an upgrade spawns its successor itself",
        )
    }
}
