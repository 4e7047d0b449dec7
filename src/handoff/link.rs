//! The channel between the two generations: one message at a time, from the one process that belongs at its other end.
//!
//! Nothing here waits: what the other side has no room for stands in line until the channel can be written. A message of a
//! stranger, of another handoff, or one that came before, is dropped (S10, S11).

use std::collections::VecDeque;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;

use nix::errno::Errno;

use super::wire::{self, Kind, Malformed, Message, Refusal, Writer};
use crate::sys::socket::{self, Identity};

/// What a look at the channel found.
// Lives on the stack of one look, never in a list.
#[allow(clippy::large_enum_variant)]
#[derive(Debug)]
pub enum Found {
    /// Nothing now.
    Nothing,
    /// A message from our peer, of this handoff, in order.
    Message(Message, Vec<OwnedFd>),
    /// Something that was dropped; look again.
    Dropped,
    /// Descriptors did not arrive: no numbers were free.
    Truncated,
    /// Another process than the peer greets.
    Stranger(i32),
    /// A stranger speaks where no peer is known yet.
    Denied,
    /// The channel has ended.
    End,
}

/// Whether a stranger may speak.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Admission {
    /// It is our peer.
    Granted,
    /// It may say no: nothing else is believed.
    RefusalsOnly,
    /// No.
    Denied,
}

/// Bytes and descriptors that wait for room.
type Waiting = (Vec<u8>, Vec<Arc<OwnedFd>>);

/// One end of the channel.
#[derive(Debug)]
pub struct Link {
    socket: OwnedFd,
    /// The process at the other end; 0 while it is not known.
    pub peer: i32,
    /// The handoff; 0 while it is not known.
    pub id: u64,
    sent: u32,
    seen: u32,
    outbox: VecDeque<Waiting>,
    stalled: bool,
    refusals_only: bool,
    /// Made once, not in the gap: the longest message fits.
    buffer: Vec<u8>,
}

impl Link {
    /// This end.
    pub fn new(socket: OwnedFd, peer: i32) -> Self {
        Self {
            socket,
            peer,
            id: 0,
            sent: 0,
            seen: 0,
            outbox: VecDeque::new(),
            stalled: false,
            refusals_only: false,
            buffer: vec![0; wire::LONGEST],
        }
    }

    /// The socket.
    pub fn socket(&self) -> &OwnedFd {
        &self.socket
    }

    /// Begins a message.
    pub fn write(&mut self, kind: Kind) -> Writer {
        self.sent += 1;
        Writer::new(kind, self.id, self.sent)
    }

    /// Sends it, or puts it in line. An error: the channel is of no use any more.
    pub fn send(&mut self, bytes: Vec<u8>, fds: Vec<Arc<OwnedFd>>) -> Result<(), Errno> {
        self.outbox.push_back((bytes, fds));
        self.flush()
    }

    /// Sends what stands in line, as far as there is room.
    pub fn flush(&mut self) -> Result<(), Errno> {
        self.stalled = false;
        while let Some((bytes, fds)) = self.outbox.front() {
            let borrowed: Vec<BorrowedFd<'_>> = fds.iter().map(|fd| fd.as_fd()).collect();
            match socket::send(&self.socket, bytes, &borrowed) {
                Ok(()) => drop(self.outbox.pop_front()),
                Err(Errno::EAGAIN) => break,
                // The socket is writable and yet this: to wait for room would be to spin.
                Err(Errno::ENOBUFS | Errno::ENOMEM) => {
                    self.stalled = true;
                    break;
                }
                Err(errno) => return Err(errno),
            }
        }
        Ok(())
    }

    /// Whether something stands in line for room.
    pub fn wants_to_write(&self) -> bool {
        !self.outbox.is_empty() && !self.stalled
    }

    /// Whether something is to be tried again a little later.
    pub fn is_stalled(&self) -> bool {
        self.stalled
    }

    /// Says that a message cannot be taken.
    pub fn refuse(&mut self, refusal: Refusal, text: &str) {
        // One that does not read its answers gets no more of them.
        if !self.outbox.is_empty() {
            return;
        }
        let bytes = self.write(Kind::Nak).reason(refusal as u8, text).finish();
        let _ = self.send(bytes, Vec::new());
    }

    /// Takes one message. `admit`: who may speak for a peer that is not known yet.
    pub fn receive(&mut self, admit: impl FnOnce(Identity, &OwnedFd) -> Admission) -> Found {
        let received = match socket::receive(&self.socket, &mut self.buffer) {
            Err(Errno::EAGAIN | Errno::ENOMEM | Errno::ENOBUFS) => return Found::Nothing,
            Err(_) | Ok(None) => return Found::End,
            Ok(Some(received)) => received,
        };
        let Some(sender) = received.sender else {
            // Of a process that this pid namespace does not show.
            return if self.peer == 0 { Found::Denied } else { Found::Dropped };
        };
        if self.peer == 0 {
            match admit(sender, &self.socket) {
                Admission::Denied => return Found::Denied,
                Admission::RefusalsOnly => self.refusals_only = true,
                Admission::Granted => {}
            }
            self.peer = sender.pid;
        }
        if sender.pid != self.peer {
            let greets = wire::read(&self.buffer[..received.length], received.fds.len()).is_ok_and(|message| message.kind == Kind::Hello);
            return if greets { Found::Stranger(sender.pid) } else { Found::Dropped };
        }
        if received.truncated {
            return Found::Truncated;
        }
        match wire::read(&self.buffer[..received.length], received.fds.len()) {
            Err(Malformed::Unknown) => {
                self.refuse(Refusal::Unknown, "a message of an unknown type or with unknown contents");
                Found::Dropped
            }
            Err(Malformed::Foreign | Malformed::Skip) => Found::Dropped,
            Ok(message) => {
                let of_this = message.id == self.id || self.id == 0;
                if !of_this || message.seq <= self.seen {
                    return Found::Dropped;
                }
                self.seen = message.seq;
                if self.refusals_only && message.kind != Kind::Nak {
                    return Found::Denied;
                }
                Found::Message(message, received.fds)
            }
        }
    }
}
