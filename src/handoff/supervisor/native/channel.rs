//! The observer's end of the channel to an owner: connect, greet, take the estate, hear what becomes of handoffs.
//!
//! Traps.
//! - **Nobody may answer for a while**, and that means nothing: an owner accepts nobody from SEAL on, and who follows it only once it stands
//!   alone. A connection waits in the kernel's line meanwhile, and nothing here waits for it.
//! - **A successor may greet before its pid is known here**: the spawn returns after its first instruction. So EXPECT is said twice. Before the spawn
//!   without a pid (0): *a child of mine will come*. The owner then sets aside who greets and is not known, until the second EXPECT names the pid,
//!   the channel ends, a CALL_OFF comes (of pid 0), or a second has passed, after which it is a takeover like any other. An owner reads its observers
//!   before it hears a greeting, so what was said before the spawn is there before its child can be. Neither EXPECT is waited for.
//! - **Who answers need not be whom we know.** What it says is believed if it is root, this user, a process of ours, or the one that the path or the
//!   lock file names; and whatever it says, the worst is a duplicate of the wrong socket: who owns is decided by the word alone.
//!
//! ```text
//!   observer   HELLO (Role)                         NAK Unknown: an older owner, which is watched by its pidfd and lock file alone
//!   owner      ESTATE part 0 ..                      each acknowledged by ACK; the page, a pidfd of the owner, all that is handed on by name
//!   owner      OUTCOME ..                            those that are kept, oldest first; then one whenever a handoff has ended
//!   owner      PROGRESS                              where a handoff stands, when that changes, and once behind the estate if one is under way
//!   observer   EXPECT 0, EXPECT pid + pidfd          NAK Busy: another handoff is under way
//!   observer   CALL_OFF pid                          NAK Late: nothing, or no more, to be called off
//! ```

use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::Arc;

use nix::errno::Errno;

use crate::channel::seqpacket::{Admission, Found};
use crate::handoff::outcome::Outcome;
use crate::handoff::record::Glance;
use crate::handoff::trust;
use crate::handoff::wire::{self, Kind, Link, Message, Own, Place, Refusal};
use crate::sys::socket::{self, Identity};
use crate::sys::{Fault, getpid, pidfd, procfs};

/// What an owner has sent of itself, once all parts are there.
#[derive(Debug)]
pub struct Estate {
    /// Who has sent it, by the kernel's word.
    pub pid: i32,
    pub pidfd: OwnedFd,
    pub generation: u64,
    /// The word, to be looked at. `None`: it could not be mapped.
    pub word: Option<Glance>,
    pub named: Vec<(Vec<u8>, OwnedFd)>,
}

/// What was heard.
#[derive(Debug)]
pub enum Heard {
    /// Everything that the owner has is here.
    Estate(Box<Estate>),
    /// A handoff stands there.
    Progress { id: u64, phase: i32, peer: i32 },
    /// A handoff has ended; or did so before we came.
    Outcome(Box<Outcome>),
    /// Not taken: what was expected, or the calling off.
    Refused(Option<Refusal>),
    /// It serves no observers.
    Older,
    /// Descriptors did not arrive: none are to be had.
    Trouble,
    /// The channel has ended.
    End,
}

/// Parts that have come.
#[derive(Debug, Default)]
struct Arriving {
    next: u16,
    page: Option<OwnedFd>,
    process: Option<OwnedFd>,
    generation: u64,
    named: Vec<(Vec<u8>, OwnedFd)>,
}

/// See the head of this file.
#[derive(Debug)]
pub struct Channel {
    link: Link,
    arriving: Arriving,
    complete: bool,
}

impl Channel {
    /// Connects and greets. Never waits.
    pub fn begin(path: &Path) -> Result<Self, Fault> {
        let socket = socket::connect_to(path)?;
        let mut link = Link::new(socket, 0);
        let bytes = link
            .write(Kind::Hello)
            .versions_and(wire::SERVES_OBSERVERS)
            .start(procfs::start_time(getpid()).unwrap_or_default())
            .observes()
            .finish();
        link.send(bytes, Vec::new()).map_err(Fault::of("sendmsg"))?;
        Ok(Self { link, arriving: Arriving::default(), complete: false })
    }

    pub fn socket(&self) -> &Arc<OwnedFd> {
        self.link.socket()
    }

    /// Everything has come, and it listens.
    pub fn is_up(&self) -> bool {
        self.complete
    }

    /// Who is at the other end, once he has spoken.
    pub fn peer(&self) -> i32 {
        self.link.peer
    }

    pub fn wants_to_write(&self) -> bool {
        self.link.wants_to_write()
    }

    /// What stands in line.
    pub fn flush(&mut self) {
        // An end is found by reading.
        let _ = self.link.flush();
    }

    /// Says who is expected: 0, a child that is about to be made.
    pub fn expect(&mut self, pid: i32, process: Option<Arc<OwnedFd>>, whole: i64, drain: i64) {
        let mut writer = self.link.write(Kind::Expect);
        writer.expect(pid, whole, drain);
        if process.is_some() {
            writer.place(&Place::Own(Own::Process));
        }
        let bytes = writer.finish();
        let _ = self.link.send(bytes, process.into_iter().collect());
    }

    /// Its handoff shall not be.
    pub fn call_off(&mut self, pid: i32) {
        let bytes = self.link.write(Kind::CallOff).pid(pid).finish();
        let _ = self.link.send(bytes, Vec::new());
    }

    /// The next that there is to hear. `known`: processes of ours that may speak as owners, whatever user they have become.
    pub fn hear(&mut self, path: &Path, known: &[i32]) -> Option<Heard> {
        self.flush();
        let admit = |sender: Identity| {
            let fits = trust::is_admitted(sender.uid) || known.contains(&sender.pid) || trust::may_refuse(path, sender);
            if fits { Admission::Granted } else { Admission::Denied }
        };
        loop {
            let (message, fds) = match self.link.receive(admit) {
                Found::Nothing => return None,
                Found::Dropped | Found::Stranger(_) => continue,
                Found::Truncated => return Some(Heard::Trouble),
                Found::End | Found::Denied => return Some(Heard::End),
                Found::Message(message, fds) => (message, fds),
            };
            if let Some(heard) = self.take(message, fds) {
                return Some(heard);
            }
        }
    }

    fn take(&mut self, message: Message, fds: Vec<OwnedFd>) -> Option<Heard> {
        let body = message.body;
        match message.kind {
            Kind::Estate if !self.complete => self.take_part(body, fds),
            Kind::Progress => {
                let phase = body.phase.map_or(0, |phase| phase as i32);
                Some(Heard::Progress { id: body.handoff.unwrap_or_default(), phase, peer: body.pid.unwrap_or_default() })
            }
            Kind::Outcome => body.records.into_iter().next_back().map(|outcome| Heard::Outcome(Box::new(outcome))),
            Kind::Nak if !self.complete && body.reason.and_then(Refusal::from_code) == Some(Refusal::Unknown) => Some(Heard::Older),
            Kind::Nak if !self.complete => Some(Heard::End),
            Kind::Nak => Some(Heard::Refused(body.reason.and_then(Refusal::from_code))),
            _ => None,
        }
    }

    fn take_part(&mut self, body: wire::Body, fds: Vec<OwnedFd>) -> Option<Heard> {
        let (part, parts) = body.part.unwrap_or((0, 1));
        if part != self.arriving.next {
            return None;
        }
        for (place, fd) in body.places.into_iter().zip(fds) {
            match place {
                Place::Own(Own::Epoch) => self.arriving.page = Some(fd),
                Place::Own(Own::Process) => self.arriving.process = Some(fd),
                Place::Own(_) => {}
                Place::Named(name) if wire::is_reserved(&name) => {}
                Place::Named(name) => self.arriving.named.push((name, fd)),
            }
        }
        self.arriving.generation = body.generation.unwrap_or(self.arriving.generation);
        self.arriving.next += 1;
        let bytes = self.link.write(Kind::Ack).part(part, parts, 0).finish();
        let _ = self.link.send(bytes, Vec::new());
        if part + 1 < parts {
            return None;
        }
        let Arriving { page, process, generation, named, .. } = std::mem::take(&mut self.arriving);
        let pid = self.link.peer;
        let Ok(pidfd) = self.identity(pid, process) else { return Some(Heard::End) };
        self.complete = true;
        let word = page.and_then(|page| Glance::adopt(page).ok());
        Some(Heard::Estate(Box::new(Estate { pid, pidfd, generation, word, named })))
    }

    /// A pidfd of who speaks there: his own, if it is one of his; else what the kernel has.
    fn identity(&self, pid: i32, sent: Option<OwnedFd>) -> Result<OwnedFd, Errno> {
        use std::os::fd::AsRawFd;
        if let Some(sent) = sent.filter(|sent| pidfd::number_here(sent.as_raw_fd()) == Some(pid)) {
            return Ok(sent);
        }
        match socket::peer_pidfd(self.link.socket(), pid) {
            Ok((found, _)) if pidfd::number_here(found.as_raw_fd()) == Some(pid) => Ok(found),
            _ => pidfd::open(pid),
        }
    }
}
