//! What a party of a handoff must answer: one trait, so that the driver never asks who it is.
//!
//! The order law stands here, in the methods that no party writes itself: whatever goes wrong, *first* it is looked whether the other
//! process is dead, and if it is, that is what counts. A crash closes the channel before its pidfd shows it, so an end of the channel, a send
//! that fails or a deadline may all be its first sign.
//!
//! A further party is a machine (`machine/`), a side that implements [`Side`], and a line in [`Party`].

use std::os::fd::OwnedFd;

use super::core::Core;
use super::machine::standing::{Heard, Standing};
use super::owner::OwnerSide;
use super::record::Record;
use super::successor::SuccessorSide;
use super::wire::Message;
use crate::channel::seqpacket::Admission;
use crate::clock::Deadline;
use crate::sys::reactor::Token;
use crate::sys::socket::Identity;

/// What befalls every party in the same way.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Incident {
    /// The other process is dead, by its pidfd, or dumps its core.
    PeerGone,
    /// The channel has ended.
    Hangup,
    /// The deadline has come.
    Timeout,
    /// Something could not be sent, received or made.
    Trouble,
}

/// What the application says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Answer<'a> {
    /// Everything is loaded.
    Warm,
    /// Background work has ended, and so many connections are open.
    Drained(u32),
    /// Nothing is written any more; this revision is durable.
    Sealed(u64),
    /// It serves.
    Live,
    /// It cannot go on, and why.
    Failed(&'a str),
    /// It is off.
    Cancel,
}

/// A party: its machine on real descriptors.
pub trait Side {
    // ---- what comes in ----

    /// A message of the other side: of this handoff, in sequence.
    fn take(&mut self, core: &mut Core, message: Message, fds: Vec<OwnedFd>);

    /// The application says something. `false`: that is not awaited now.
    fn answer(&mut self, core: &mut Core, answer: Answer<'_>) -> bool;

    /// It comes back, having worked off what it was told last.
    fn come_back(&mut self, _core: &mut Core) {}

    /// Whether something goes on only when it comes back.
    fn awaits_return(&self) -> bool {
        false
    }

    /// Tells the machine. Who may have died is looked at before: see [`Side::hang_up`] and [`Side::trouble`].
    fn befall(&mut self, core: &mut Core, incident: Incident);

    /// Whether the sender of the first message may speak, where nobody is known to be the peer yet.
    fn admit(&self, _sender: Identity) -> Admission {
        Admission::Denied
    }

    /// Somebody speaks who may not. The channel is closed already.
    fn deny(&mut self, _core: &mut Core) {}

    /// Another process than the peer greets on its channel.
    fn reject_stranger(&mut self, _core: &mut Core, _pid: i32) {}

    /// An entry of its own is ready.
    fn ready(&mut self, _core: &mut Core, _token: Token) {}

    /// Whether connections can be passed on now: drained or sealed, and not answered yet.
    fn passes(&self) -> bool {
        false
    }

    /// Whether connections that have come can be claimed: not before LIVE, for the owner reads them until then.
    fn claims(&self) -> bool {
        true
    }

    // ---- time ----

    /// Until when something is awaited.
    fn deadline(&self) -> Deadline;

    /// Whose answer has not come in time, where that ends the handoff.
    fn late_text(&self) -> Option<&'static str>;

    /// Whether the deadline that has come is put off, because what it waits for is under way.
    fn postpones(&mut self, _core: &Core, _now: i64) -> bool {
        false
    }

    /// A time of its own has come.
    fn due(&mut self, _core: &mut Core, _token: Token) {}

    /// Looks at what no message announces. `true`: something has come of it.
    fn look(&mut self, _core: &mut Core, _now: i64) -> bool {
        false
    }

    /// Whether the next message is the one that everybody waits for: it is read without a look at the reactor.
    fn is_urgent(&self) -> bool {
        false
    }

    /// Before the lock is given back: times of its own.
    fn rest(&mut self, _core: &mut Core) {}

    // ---- what it is ----

    /// What its application may do.
    fn standing(&self, heard: Heard) -> Standing;

    /// The record, if it has one.
    fn record(&self) -> Option<&Record>;

    /// What it becomes, once its machine has come to an end.
    fn next(&mut self, core: &mut Core) -> Option<Party>;

    /// The handle is about to be freed: what can be called off is. It may become another party by that.
    fn call_off(&mut self, core: &mut Core);

    /// The handle is freed: what is its own is closed.
    fn close(&mut self, _core: &mut Core) {}

    // ---- what is the same for all ----

    /// Whether the other process was seen dead; then the machine knows.
    fn look_at_peer(&mut self, core: &mut Core) -> bool {
        let dead = core.peer_has_died();
        if dead {
            self.befall(core, Incident::PeerGone);
        }
        dead
    }

    /// The channel has ended.
    fn hang_up(&mut self, core: &mut Core) {
        // The last words may say that it has settled: they were read before the end.
        core.close_link();
        if !self.look_at_peer(core) {
            self.befall(core, Incident::Hangup);
        }
    }

    /// Something stands in the way of the exchange.
    fn trouble(&mut self, core: &mut Core, words: &str) {
        if !self.look_at_peer(core) {
            words.clone_into(&mut core.verdict.said);
            self.befall(core, Incident::Trouble);
        }
    }
}

/// Who this process is in the handoff.
#[derive(Debug)]
pub enum Party {
    /// The generation that runs.
    Owner(Box<OwnerSide>),
    /// The one that is to come.
    Successor(Box<SuccessorSide>),
    /// Retired, or a successor that came to nothing.
    Gone,
}

impl Party {
    /// Whoever it is; nobody who is gone.
    pub fn side(&mut self) -> Option<&mut dyn Side> {
        match self {
            Party::Owner(side) => Some(&mut **side),
            Party::Successor(side) => Some(&mut **side),
            Party::Gone => None,
        }
    }

    /// The same, to be looked at.
    pub fn as_side(&self) -> Option<&dyn Side> {
        match self {
            Party::Owner(side) => Some(&**side),
            Party::Successor(side) => Some(&**side),
            Party::Gone => None,
        }
    }
}
