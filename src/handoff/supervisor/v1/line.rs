//! One end of a channel of protocol v1: bytes that come and go without a wait, as messages.
//!
//! The trap: what a message says of its sender proves nothing. The kernel says who wrote each byte (`sys/stream.rs`), so a process that has inherited
//! the channel, or found the path, is not taken for the one that is meant.
//!
//! What is sent is short, and a socket has room for all that a handoff says; so what cannot be sent at once is trouble, never a wait.

use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::Arc;

use nix::errno::Errno;
use nix::unistd::geteuid;

use super::wire::{self, Inbox, Order, Refusal, Told};
use crate::handoff::trust;
use crate::sys::{Fault, directory, socket, stream};

/// How much is received at once.
const PIECE: usize = 4096;

/// What is heard.
#[derive(Debug)]
pub enum Heard {
    /// A message.
    Told(Told),
    /// There will be no more.
    End,
    /// It makes no sense.
    Refused(Refusal),
    /// Another process than the one that wrote first.
    Stranger(i32),
    /// It cannot be received.
    Failed(Errno),
}

/// See the head of this file.
#[derive(Debug)]
pub struct Line {
    socket: Arc<OwnedFd>,
    inbox: Inbox,
    /// Of our frames.
    version: u16,
    /// Who writes at the other end, where the kernel says so; and that process itself.
    pub writer: Option<i32>,
    pub pidfd: Option<OwnedFd>,
}

impl Line {
    fn around(socket: OwnedFd) -> Self {
        let (inbox, version) = (Inbox::default(), wire::VERSIONS.1);
        Self { socket: Arc::new(socket), inbox, version, writer: None, pidfd: None }
    }

    /// Whoever listens there. `EAGAIN`: too many wait to be accepted.
    pub fn connect(path: &Path) -> Result<Self, Fault> {
        stream::connect_to(path).map(Self::around)
    }

    /// One for a process that is to be started, and its end.
    pub fn pair() -> Result<(Self, OwnedFd), Fault> {
        stream::pair().map(|(ours, theirs)| (Self::around(ours), theirs))
    }

    /// To be watched.
    pub fn socket(&self) -> &Arc<OwnedFd> {
        &self.socket
    }

    /// Whether who listens there may be believed: root, this user, or, to root, whoever the path belongs to.
    pub fn is_trusted(&self, path: &Path) -> Result<bool, Fault> {
        let peer = socket::peer(self.socket.as_ref()).map_err(Fault::of("getsockopt"))?;
        let owns = || directory::look_at(path).is_ok_and(|found| found.st_uid == peer.uid);
        Ok(trust::is_admitted(peer.uid) || geteuid().is_root() && owns())
    }

    /// Frames have this version from now on.
    pub fn agree(&mut self, version: u16) {
        self.version = version;
        self.inbox.agree(version);
    }

    /// The next thing that has come; `None`: nothing more has.
    pub fn hear(&mut self) -> Option<Heard> {
        // An error that the socket has kept is told once, and then what comes after it.
        for _ in 0..1024 {
            match self.inbox.take() {
                Ok(None) => {}
                Ok(Some(told)) => return Some(Heard::Told(told)),
                Err(refusal) => return Some(Heard::Refused(refusal)),
            }
            let mut piece = [0; PIECE];
            // Asked twice: what is given up for an answer that fails once may have said Ready already.
            let again = |errno| errno != Errno::EAGAIN && errno != Errno::ECONNRESET && !passes(errno);
            let received = match stream::receive(&self.socket, &mut piece) {
                Err(errno) if again(errno) => stream::receive(&self.socket, &mut piece),
                other => other,
            };
            match received {
                Err(errno) if errno == Errno::EAGAIN || passes(errno) => return None,
                Err(Errno::ECONNRESET) => continue,
                Err(errno) => return Some(Heard::Failed(errno)),
                Ok(part) if part.length == 0 => return Some(Heard::End),
                Ok(part) => {
                    match (self.writer, part.writer) {
                        (Some(known), Some(writer)) if known != writer => return Some(Heard::Stranger(writer)),
                        (None, Some(_)) => (self.writer, self.pidfd) = (part.writer, part.pidfd),
                        _ => {}
                    }
                    if let Err(refusal) = self.inbox.put(&piece[..part.length]) {
                        return Some(Heard::Refused(refusal));
                    }
                }
            }
        }
        // A frame of a MiB has 256 pieces; who sends more than four of them at once is looked at again.
        None
    }

    /// Says it, whole.
    pub fn say(&mut self, order: Order<'_>) -> Result<(), Errno> {
        let frame = wire::frame(self.version, order);
        whole(twice(|| stream::send(&self.socket, &frame)), &frame)
    }

    /// Says it, whole, and behind it something that nobody will read, with this end of the channel in it: so the channel is open for as long as
    /// the other end is, whatever becomes of this process (B2). The kernel gives both up when the other end is closed.
    pub fn say_and_stay(&mut self, order: Order<'_>, unread: Order<'_>) -> Result<(), Errno> {
        let (frame, unread) = (wire::frame(self.version, order), wire::frame(self.version, unread));
        whole(twice(|| stream::send_and_stay(&self.socket, &frame, &unread)), &frame)
    }
}

/// The kernel had no room for a moment: nothing was received or sent, and what waits does so still.
fn passes(errno: Errno) -> bool {
    matches!(errno, Errno::EINTR | Errno::ENOMEM | Errno::ENOBUFS)
}

/// A message that is lost may cost a generation: a Commit that is not heard leaves one that waits for its lock.
fn twice(send: impl Fn() -> Result<usize, Errno>) -> Result<usize, Errno> {
    send().or_else(|errno| if passes(errno) { send() } else { Err(errno) })
}

/// What was sent in part is worse than nothing.
fn whole(sent: Result<usize, Errno>, frame: &[u8]) -> Result<(), Errno> {
    match sent {
        Ok(count) if count == frame.len() => Ok(()),
        Ok(_) => Err(Errno::EAGAIN),
        Err(errno) => Err(errno),
    }
}
