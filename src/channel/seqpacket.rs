//! One end of a channel: one message at a time, from the one process that belongs at its other end.
//!
//! Traps.
//! - **Who speaks is what the kernel says**, message by message: any process that inherited the other end can write to it. A message of
//!   another process than the peer, of another id, or one that came before, is dropped.
//! - **Nothing here waits.** What the other side has no room for stands in line until the socket can be written. A socket can be
//!   writable and yet refuse (ENOBUFS): then waiting for room would be spinning, and the end is *stalled* until the clock tries again.
//! - **Descriptors that did not arrive** (no numbers were free) leave a message that looks whole: it is told apart.

use std::collections::VecDeque;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd, RawFd};
use std::sync::Arc;

use nix::errno::Errno;

use super::tlv::{self, Malformed, MessageOf, Protocol, SHORT, Short, Unread, Writer};
use crate::sys::socket::{self, Identity, Packet, Received};

/// What a look at the channel found.
// Lives on the stack of one look, never in a list.
#[allow(clippy::large_enum_variant)]
#[derive(Debug)]
pub enum Found<M> {
    /// Nothing now.
    Nothing,
    /// A message from our peer, of this id, in order.
    Message(M, Vec<OwnedFd>),
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

/// What a look for messages of one kind has found.
#[derive(Debug)]
pub enum Only {
    /// Nothing that matters.
    Nothing,
    /// One: it is in the packet.
    Message,
    /// A long one: the packet has its descriptors.
    Long(Vec<u8>),
    /// Descriptors did not arrive: no numbers were free.
    Truncated,
    /// The channel has ended.
    End,
}

/// Whether a stranger may speak.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Admission {
    /// It is our peer.
    Granted,
    /// It may speak, and the listener judges what it says ([`End::unproven`]): nothing is done with it before.
    Unproven,
    /// No.
    Denied,
}

/// So long a message comes on the stack ([`End::receive_near`]).
const NEAR: usize = 256;

/// Bytes and descriptors that wait for room.
type Waiting = (Vec<u8>, Vec<Arc<OwnedFd>>);

/// One end.
#[derive(Debug)]
pub struct End<P> {
    socket: Arc<OwnedFd>,
    /// The process at the other end; 0 while it is not known.
    pub peer: i32,
    /// What the messages belong to; 0 while it is not known.
    pub id: u64,
    sent: u32,
    seen: u32,
    outbox: VecDeque<Waiting>,
    /// There was no memory to send or to receive.
    stalled: bool,
    /// The other end was never anybody else's: who speaks is not asked.
    trusted: bool,
    /// Who speaks there, as long as he has not shown that he may.
    pub unproven: Option<Identity>,
    /// The longest message fits. Empty as long as nothing was received in it.
    buffer: Vec<u8>,
    protocol: core::marker::PhantomData<P>,
}

impl<P: Protocol> End<P> {
    /// This end.
    pub fn new(socket: OwnedFd, peer: i32) -> Self {
        Self::with_buffer(Arc::new(socket), peer, vec![0; P::LONGEST])
    }

    /// The same for one of many, which receives in a room that they share ([`End::receive_in`]).
    pub fn lean(socket: OwnedFd, peer: i32) -> Self {
        Self::with_buffer(Arc::new(socket), peer, Vec::new())
    }

    #[inline(always)]
    fn with_buffer(socket: Arc<OwnedFd>, peer: i32, buffer: Vec<u8>) -> Self {
        Self {
            socket,
            peer,
            id: 0,
            sent: 0,
            seen: 0,
            outbox: VecDeque::new(),
            stalled: false,
            trusted: false,
            unproven: None,
            buffer,
            protocol: core::marker::PhantomData,
        }
    }

    /// This end, given to us by whoever holds the other one, and holds it alone. Who speaks is not asked: seen from a pid namespace of our own he
    /// may have no number.
    pub fn trusted(socket: OwnedFd, id: u64) -> Self {
        Self { trusted: true, id, ..Self::new(socket, 0) }
    }

    /// The same in a process that has just been forked, where each page that is written to must be copied first: nothing is allocated.
    /// `buffer`: of an end that is given up, or empty.
    #[inline(always)]
    pub fn newborn(socket: Arc<OwnedFd>, id: u64, buffer: Vec<u8>) -> Self {
        Self { trusted: true, id, ..Self::with_buffer(socket, 0, buffer) }
    }

    /// What it receives in; another one is made when it is needed.
    #[inline(always)]
    pub fn take_buffer(&mut self) -> Vec<u8> {
        core::mem::take(&mut self.buffer)
    }

    /// The socket.
    #[inline(always)]
    pub fn socket(&self) -> &Arc<OwnedFd> {
        &self.socket
    }

    /// Goes on over a duplicate of it.
    pub fn move_to(&mut self, duplicate: OwnedFd) {
        self.socket = Arc::new(duplicate);
    }

    /// Begins a message.
    pub fn write(&mut self, kind: P::Kind) -> Writer<P> {
        self.sent += 1;
        Writer::new(kind, self.id, self.sent)
    }

    /// Sends it, or puts it in line. An error: the channel is of no use any more.
    pub fn send(&mut self, bytes: Vec<u8>, fds: Vec<Arc<OwnedFd>>) -> Result<(), Errno> {
        self.outbox.push_back((bytes, fds));
        self.flush()
    }

    /// Sends it with these descriptors, now or not at all: `false`, there is no room.
    pub fn send_now(&mut self, bytes: &[u8], fds: &[RawFd]) -> Result<bool, Errno> {
        if !self.outbox.is_empty() {
            return Ok(false);
        }
        match socket::send_numbers(&self.socket, bytes, fds) {
            Ok(()) => Ok(true),
            Err(Errno::EAGAIN | Errno::ENOBUFS | Errno::ENOMEM) => Ok(false),
            Err(errno) => Err(errno),
        }
    }

    /// Sends a message of one short value, or of none. Nothing is allocated, if there is room for it.
    #[inline(always)]
    pub fn say(&mut self, kind: P::Kind, value: Option<(P::Tag, [u8; SHORT])>) -> Result<(), Errno> {
        self.sent += 1;
        let message = Short::new::<P>(kind, self.id, self.sent, value);
        if self.outbox.is_empty() {
            match socket::send_plain(&self.socket, message.bytes()) {
                Err(Errno::EAGAIN | Errno::ENOBUFS | Errno::ENOMEM) => {}
                other => return other,
            }
        }
        self.send(message.bytes().to_vec(), Vec::new())
    }

    /// Sends what stands in line, as far as there is room.
    pub fn flush(&mut self) -> Result<(), Errno> {
        self.stalled = false;
        while let Some((bytes, fds)) = self.outbox.front() {
            let borrowed: Vec<BorrowedFd<'_>> = fds.iter().map(|fd| fd.as_fd()).collect();
            match socket::send(&self.socket, bytes, &borrowed) {
                Ok(()) => drop(self.outbox.pop_front()),
                Err(Errno::EAGAIN) => break,
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

    /// How many messages stand in line for room.
    pub fn in_line(&self) -> usize {
        self.outbox.len()
    }

    /// Whether something is to be tried again a little later.
    pub fn is_stalled(&self) -> bool {
        self.stalled
    }

    /// Says that a message cannot be taken.
    pub fn refuse(&mut self, refusal: P::Refusal, text: &str) {
        // One that does not read its answers gets no more of them.
        if !self.outbox.is_empty() {
            return;
        }
        let mut writer = self.write(P::REFUSAL);
        P::refuse(&mut writer, refusal, text);
        let _ = self.send(writer.finish(), Vec::new());
    }

    /// What is found where not our peer speaks.
    fn judge(&mut self, bytes: &[u8], received: &Received, admit: impl FnOnce(Identity) -> Admission) -> Option<Found<MessageOf<P>>> {
        let Some(sender) = received.sender else {
            // Of a process that this pid namespace does not show.
            return Some(if self.peer == 0 { Found::Denied } else { Found::Dropped });
        };
        if self.peer == 0 {
            match admit(sender) {
                Admission::Denied => return Some(Found::Denied),
                Admission::Unproven => self.unproven = Some(sender),
                Admission::Granted => {}
            }
            self.peer = sender.pid;
        }
        if sender.pid == self.peer {
            return None;
        }
        let greets = tlv::read::<P>(bytes, received.fds.len()).is_ok_and(|message| message.kind == P::GREETING);
        Some(if greets { Found::Stranger(sender.pid) } else { Found::Dropped })
    }

    /// Whether the other side has said nothing that was not taken yet. What it has is thrown away.
    pub fn is_silent(&self) -> bool {
        matches!(socket::receive(&self.socket, &mut []), Err(Errno::EAGAIN))
    }

    /// Takes one message. `admit`: who may speak for a peer that is not known yet.
    pub fn receive(&mut self, admit: impl FnOnce(Identity) -> Admission) -> Found<MessageOf<P>> {
        let mut buffer = core::mem::take(&mut self.buffer);
        if buffer.is_empty() {
            buffer = vec![0; P::LONGEST];
        }
        let found = self.receive_in(&mut buffer, admit);
        self.buffer = buffer;
        found
    }

    /// The same in a process that has just been forked, of whoever speaks there; only messages of this kind matter, all others are dropped.
    /// `near`: where a short one is put.
    #[inline(always)]
    pub fn receive_only(&mut self, kind: P::Kind, near: &mut [u8], packet: &mut Packet) -> Only {
        if self.buffer.is_empty() {
            self.buffer = vec![0; P::LONGEST];
        }
        match packet.receive(&self.socket, near, &mut self.buffer) {
            Err(Errno::EAGAIN | Errno::ENOMEM | Errno::ENOBUFS) => return Only::Nothing,
            Err(_) | Ok(false) => return Only::End,
            Ok(true) if packet.truncated => return Only::Truncated,
            Ok(true) => {}
        }
        let in_order = |id: u64, seq: u32| (id == self.id || self.id == 0) && seq > self.seen;
        let short = near.get(..packet.length()).and_then(|bytes| Unread::of::<P>(bytes, kind));
        match short.filter(|message| in_order(message.id, message.seq)) {
            Some(message) => {
                self.seen = message.seq;
                Only::Message
            }
            None => self.take_other(kind, near, packet),
        }
    }

    /// Something long, or something else.
    #[cold]
    #[inline(never)]
    fn take_other(&mut self, kind: P::Kind, near: &[u8], packet: &Packet) -> Only {
        let bytes: Vec<u8> = near.iter().chain(&self.buffer).take(packet.length()).copied().collect();
        match Unread::of::<P>(&bytes, kind).filter(|message| (message.id == self.id || self.id == 0) && message.seq > self.seen) {
            Some(message) => {
                self.seen = message.seq;
                Only::Long(bytes)
            }
            None => {
                if matches!(tlv::read::<P>(&bytes, packet.count()), Err(Malformed::Unknown)) {
                    self.refuse(P::NOT_UNDERSTOOD, "a message of an unknown type or with unknown contents");
                }
                Only::Nothing
            }
        }
    }

    /// The same in a process that is about to be copied, of which each page that is written to must be copied anew: a short message comes on the stack, and
    /// the buffer is for what is long.
    pub fn receive_near(&mut self, admit: impl FnOnce(Identity) -> Admission) -> Found<MessageOf<P>> {
        let mut near = [0; NEAR];
        let mut buffer = core::mem::take(&mut self.buffer);
        if buffer.is_empty() {
            buffer = vec![0; P::LONGEST];
        }
        let received = socket::receive_in_two(&self.socket, &mut near, &mut buffer[..P::LONGEST - NEAR]);
        let found = match &received {
            Ok(Some(Received { length, .. })) if *length > NEAR => {
                let whole: Vec<u8> = near.iter().chain(&buffer).take(*length).copied().collect();
                self.take_in(received, &whole, admit)
            }
            _ => self.take_in(received, &near, admit),
        };
        self.buffer = buffer;
        found
    }

    /// The same, by way of this room, in which the longest message fits.
    pub fn receive_in(&mut self, buffer: &mut [u8], admit: impl FnOnce(Identity) -> Admission) -> Found<MessageOf<P>> {
        let received = socket::receive(&self.socket, buffer);
        self.take_in(received, buffer, admit)
    }

    fn take_in(
        &mut self,
        received: Result<Option<Received>, Errno>,
        buffer: &[u8],
        admit: impl FnOnce(Identity) -> Admission,
    ) -> Found<MessageOf<P>> {
        let received = match received {
            Err(Errno::EAGAIN) => return Found::Nothing,
            Err(Errno::ENOMEM | Errno::ENOBUFS) => {
                // It lies there still: readable, and nothing can be done about it now.
                self.stalled = true;
                return Found::Nothing;
            }
            Err(_) | Ok(None) => return Found::End,
            Ok(Some(received)) => received,
        };
        let bytes = &buffer[..received.length];
        if !self.trusted
            && let Some(found) = self.judge(bytes, &received, admit)
        {
            return found;
        }
        if received.truncated {
            return Found::Truncated;
        }
        match tlv::read::<P>(bytes, received.fds.len()) {
            Err(Malformed::Unknown) => {
                self.refuse(P::NOT_UNDERSTOOD, "a message of an unknown type or with unknown contents");
                Found::Dropped
            }
            Err(Malformed::Foreign | Malformed::Skip) => Found::Dropped,
            Ok(message) => {
                let of_this = message.id == self.id || self.id == 0;
                if !of_this || message.seq <= self.seen {
                    return Found::Dropped;
                }
                self.seen = message.seq;
                Found::Message(message, received.fds)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tlv::{Cursor, codes};
    use super::*;
    use crate::sys::{fds, getpid};

    codes! {
        /// What is said in these tests.
        Kind: u16 { Greeting = 1, Thing = 2, No = 3 }
    }
    codes! {
        /// One number, or one descriptor.
        Tag: u16 { Number = 1, Descriptor = 2 }
    }

    #[derive(Debug)]
    enum Talk {}

    impl Protocol for Talk {
        const MAGIC: u32 = 0x6B6C_6154;
        const LONGEST: usize = 4096;
        type Kind = Kind;
        type Tag = Tag;
        type Refusal = u8;
        type Body = Vec<u8>;
        const GREETING: Kind = Kind::Greeting;
        const REFUSAL: Kind = Kind::No;
        const NOT_UNDERSTOOD: u8 = 9;

        fn put(body: &mut Vec<u8>, tag: Tag, value: &mut Cursor<'_>) -> Option<()> {
            body.push(if tag == Tag::Number { value.u8()? } else { u8::MAX });
            Some(())
        }
        fn descriptors(body: &Vec<u8>) -> usize {
            body.iter().filter(|byte| **byte == u8::MAX).count()
        }
        fn refuse(writer: &mut Writer<Self>, refusal: u8, _text: &str) {
            writer.value(Tag::Number, &[&[refusal]]);
        }
    }

    /// Two ends in one process: each is the other's peer.
    fn ends() -> (End<Talk>, End<Talk>) {
        let (ours, theirs) = socket::pair().unwrap();
        socket::ask_for_identity(&theirs).unwrap();
        (End::new(ours, 0), End::new(theirs, getpid()))
    }

    fn admit(_: Identity) -> Admission {
        Admission::Granted
    }

    fn say(end: &mut End<Talk>, number: u8) -> Vec<u8> {
        end.write(Kind::Thing).value(Tag::Number, &[&[number]]).finish()
    }

    #[test]
    fn a_message_comes_once_and_in_sequence() {
        let (mut ours, mut theirs) = ends();
        let (first, second) = (say(&mut theirs, 1), say(&mut theirs, 2));
        for bytes in [&second, &first, &second] {
            theirs.send(bytes.clone(), Vec::new()).unwrap();
        }
        assert!(matches!(ours.receive(admit), Found::Message(message, _) if message.body == [2] && message.seq == 2));
        assert!(matches!(ours.receive(admit), Found::Dropped), "one that came before");
        assert!(matches!(ours.receive(admit), Found::Dropped), "the same again");
        assert!(matches!(ours.receive(admit), Found::Nothing));
        drop(theirs);
        assert!(matches!(ours.receive(admit), Found::End));
    }

    #[test]
    fn a_message_of_another_id_is_dropped() {
        let (mut ours, mut theirs) = ends();
        (ours.id, theirs.id) = (7, 8);
        let bytes = say(&mut theirs, 1);
        theirs.send(bytes, Vec::new()).unwrap();
        assert!(matches!(ours.receive(admit), Found::Dropped));
        theirs.id = 7;
        let bytes = say(&mut theirs, 1);
        theirs.send(bytes, Vec::new()).unwrap();
        assert!(matches!(ours.receive(admit), Found::Message(..)));
    }

    #[test]
    fn a_stranger_s_greeting_is_told_and_all_else_of_it_dropped() {
        let (mut ours, mut theirs) = ends();
        ours.peer = getpid() + 1;
        let bytes = say(&mut theirs, 1);
        theirs.send(bytes, Vec::new()).unwrap();
        let bytes = theirs.write(Kind::Greeting).finish();
        theirs.send(bytes, Vec::new()).unwrap();
        assert!(matches!(ours.receive(admit), Found::Dropped));
        assert!(matches!(ours.receive(admit), Found::Stranger(pid) if pid == getpid()));
    }

    #[test]
    fn who_has_shown_nothing_is_known_as_such() {
        let (mut ours, mut theirs) = ends();
        let bytes = say(&mut theirs, 1);
        theirs.send(bytes, Vec::new()).unwrap();
        assert!(matches!(ours.receive(|_| Admission::Unproven), Found::Message(..)));
        assert_eq!(ours.unproven.map(|sender| sender.pid), Some(getpid()));
    }

    #[test]
    fn descriptors_are_counted_and_what_cannot_be_understood_is_refused() {
        let (mut ours, mut theirs) = ends();
        let (read, _write) = fds::pipe().unwrap();
        let read = Arc::new(read);
        let bytes = theirs.write(Kind::Thing).value(Tag::Descriptor, &[]).finish();
        theirs.send(bytes.clone(), vec![read.clone(), read.clone()]).unwrap();
        assert!(matches!(ours.receive(admit), Found::Dropped), "one more than it has places for");
        assert!(matches!(theirs.receive(admit), Found::Message(message, _) if message.kind == Kind::No && message.body == [9]));
        theirs.send(bytes, vec![read]).unwrap();
        assert!(matches!(ours.receive(admit), Found::Message(_, fds) if fds.len() == 1));
    }

    #[test]
    fn what_has_no_room_stands_in_line() {
        let (mut ours, mut theirs) = ends();
        let mut sent = 0u32;
        while !theirs.wants_to_write() {
            let bytes = say(&mut theirs, 1);
            theirs.send(bytes, Vec::new()).unwrap();
            sent += 1;
        }
        theirs.refuse(1, "not sent: one that reads nothing gets no more answers");
        let mut got = 0;
        while let Found::Message(..) = ours.receive(admit) {
            got += 1;
        }
        theirs.flush().unwrap();
        assert!(!theirs.wants_to_write());
        while let Found::Message(..) = ours.receive(admit) {
            got += 1;
        }
        assert_eq!(got, sent);
    }
}
