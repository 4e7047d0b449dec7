//! Guests of the control path: who has connected and not greeted yet.
//!
//! The trap: one that connects and says nothing must not keep others out (bug B8 of the older protocol), and one that may not come in shall hear
//! why, or it comes back a hundred times a second.

use super::control::{self, Guest};
use super::driver::{Driver, Party, RETRY, is_admitted, speaks_with_us, versions_text};
use super::machine::owner;
use super::wire::Link;
use super::wire::{Kind, Refusal};
use crate::channel::seqpacket::{Admission, Found};
use crate::clock;
use crate::registry;
use crate::sys::socket;

impl Driver {
    /// Accepts who has connected.
    pub fn welcome(&mut self) {
        for _ in 0..control::GUESTS {
            let Some(control) = self.control.as_ref().filter(|_| self.control_watched) else { return };
            match socket::accept(control) {
                Ok(None) => return,
                // No descriptors: a level-triggered set would spin.
                Err(_) => {
                    self.watch_control(false);
                    self.control_again = Some(clock::now() + RETRY);
                    return;
                }
                Ok(Some(socket)) => {
                    let Ok(identity) = socket::peer(&socket) else { continue };
                    if let Some(why) = is_rejected(identity) {
                        Link::new(socket, identity.pid).refuse(Refusal::Denied, why);
                        continue;
                    }
                    if self.guests.len() == control::GUESTS {
                        let oldest = self.guests[0].key;
                        // It may have greeted already.
                        self.pump_guest(oldest);
                        drop(self.send_away(oldest));
                    }
                    let key = self.number();
                    if self.set.add(&socket, key).is_ok() {
                        let link = Link::new(socket, identity.pid);
                        self.guests.push(Guest { link, key, until: clock::now() + control::GREETING });
                    }
                }
            }
        }
    }

    pub fn send_away(&mut self, key: u64) -> Option<Guest> {
        let at = self.guests.iter().position(|guest| guest.key == key)?;
        let guest = self.guests.remove(at);
        self.set.remove(guest.link.socket());
        Some(guest)
    }

    pub fn dismiss_guests(&mut self) {
        let keys: Vec<u64> = self.guests.iter().map(|guest| guest.key).collect();
        keys.into_iter().for_each(|key| drop(self.send_away(key)));
    }

    pub fn pump_guest(&mut self, key: u64) {
        let Some(at) = self.guests.iter().position(|guest| guest.key == key) else { return };
        let found = self.guests[at].link.receive(|_, _| Admission::Denied);
        let (Found::Message(_, _) | Found::End | Found::Dropped | Found::Stranger(_) | Found::Denied | Found::Truncated) = found else {
            return;
        };
        let Some(mut guest) = self.send_away(key) else { return };
        // Anything but a greeting is no successor's.
        let Found::Message(message, _) = found else { return };
        if message.kind != Kind::Hello {
            return;
        }
        if !speaks_with_us(&message) {
            return guest.link.refuse(Refusal::Version, &versions_text(&message));
        }
        let idle = matches!(&self.party, Party::Owner(owner) if owner.phase == owner::Phase::Serving);
        // Events of an earlier attempt that nobody has taken: an application that takes none must not collect them for ever.
        if !idle || self.spawning || !self.notices.is_empty() {
            return guest.link.refuse(Refusal::Busy, "another handoff is under way");
        }
        self.begin_takeover(guest.link, &message);
    }
}

/// Why this process may not hand over here, if so.
fn is_rejected(guest: socket::Identity) -> Option<&'static str> {
    if guest.pid <= 0 {
        return Some("your process is not visible in the pid namespace of the running generation");
    }
    if !is_admitted(guest.uid) {
        return Some("only the user of the running generation and root may take over");
    }
    // Its supervisor here would end it as a child, long after it owns.
    if registry::numbers().contains(&guest.pid) {
        return Some("your process is a child of the running generation's supervisor: it is to be spawned as the successor");
    }
    None
}
