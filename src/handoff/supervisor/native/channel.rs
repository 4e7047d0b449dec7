//! The observer's end of the channel to an owner: connect, greet, take the estate, hear what becomes of handoffs.
//!
//! Traps.
//! - **Nobody may answer for a while**, and that means nothing: an owner accepts nobody from SEAL on, and who follows it only once it stands
//!   alone. A connection waits in the kernel's line meanwhile, and nothing here waits for it.
//! - **A successor may greet before its pid is known here**: the spawn returns after its first instruction. So EXPECT is said twice: before the spawn with
//!   pid 0, which an owner has read by the time that it hears the greeting, and with the pid once that is known.
//! - **Its answers are as many as it likes.** What a generation could not be given is let go of part by part, and one that asks and asks, or tells
//!   all anew without end, and reads nothing, is left.
//! - **Who answers need not be whom we know.** What it says is believed if it is root, this user, a process of ours, or the one that the path or the
//!   lock file names; and whatever it says, the worst is a duplicate of the wrong socket: who owns is decided by the word alone.
//!
//! ```text
//!   observer   HELLO (Role)                         NAK Unknown: an older owner, which is watched by its pidfd and lock file alone; Denied: not you
//!   owner      ESTATE part 0 ..                      each acknowledged by ACK; the page, a pidfd of the owner, all that is handed on by name, and
//!                                                    the records that are kept; again when that has changed
//!   owner      PROGRESS, OUTCOME                     where a handoff stands, and what came of it
//!   observer   EXPECT 0, EXPECT pid + pidfd          ACK; NAK Busy: another handoff is under way
//!   observer   CALL_OFF pid                          ACK: it had not begun; NAK Late: nothing, or no more, to be called off; else an OUTCOME
//! ```

use std::collections::VecDeque;
use std::ffi::CString;
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::Path;
use std::sync::Arc;

use nix::errno::Errno;

use crate::channel::seqpacket::{Admission, Found};
use crate::handoff::outcome::{KEPT, Outcome};
use crate::handoff::record::Glance;
use crate::handoff::supervisor::listeners::{self, Listeners};
use crate::handoff::trust;
use crate::handoff::wire::{self, Kind, Link, Message, Own, Place, Refusal};
use crate::sys::socket::{self, Identity};
use crate::sys::{Fault, getpid, pidfd, procfs};

/// How many messages may stand in line for an owner that does not read, or wait for its answer.
const IN_LINE: usize = 32;

/// What an owner has sent of itself, once all parts are there.
#[derive(Debug)]
pub struct Estate {
    /// Who has sent it, by the kernel's word.
    pub pid: i32,
    pub pidfd: OwnedFd,
    pub generation: u64,
    /// The word, to be looked at. `None`: it could not be mapped.
    pub word: Option<Glance>,
    /// Listeners, as a generation can be given them.
    pub named: Vec<(CString, OwnedFd)>,
    /// The records that it keeps, the latest last.
    pub records: VecDeque<Outcome>,
}

/// What was heard.
#[derive(Debug)]
pub enum Heard {
    /// Something that says nothing, or only a part.
    Nothing,
    /// Everything that the owner has is here.
    Estate(Box<Estate>),
    /// A handoff stands there.
    Progress { id: u64, phase: i32, peer: i32 },
    /// A handoff has ended; or did so before we came.
    Outcome(Box<Outcome>),
    /// What was expected is not, and why.
    Unexpected(Option<Refusal>),
    /// What was to be called off has not begun, or cannot be any more.
    NotCalledOff,
    /// It serves no observers.
    Older,
    /// It does not let us in, or is nobody to be believed; and why.
    Rejected(String),
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
    named: Vec<(CString, OwnedFd)>,
    records: VecDeque<Outcome>,
}

impl Arriving {
    /// As many as can be held, the last of a name; whatever else the owner hands on is not for us.
    fn name(&mut self, name: Vec<u8>, fd: OwnedFd) {
        let Some(name) = Listeners::fitting(name, &fd) else { return };
        if let Some((_, old)) = self.named.iter_mut().find(|(known, _)| *known == name) {
            *old = fd;
        } else if self.named.len() < listeners::MOST {
            self.named.push((name, fd));
        }
    }

    fn record(&mut self, outcome: Outcome) {
        if self.records.len() == KEPT {
            self.records.pop_front();
        }
        self.records.push_back(outcome);
    }
}

/// See the head of this file.
#[derive(Debug)]
pub struct Channel {
    link: Link,
    arriving: Arriving,
    complete: bool,
    /// What was asked and not answered, in order. A calling off that has its effect has no other answer, and is the last.
    asked: VecDeque<Kind>,
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
        Ok(Self { link, arriving: Arriving::default(), complete: false, asked: VecDeque::new() })
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

    /// Says that somebody will come, who is not there yet.
    pub fn announce(&mut self, whole: i64, drain: i64) {
        let bytes = self.link.write(Kind::Expect).expect(0, whole, drain).finish();
        let _ = self.link.send(bytes, Vec::new());
        self.asked.push_back(Kind::Expect);
    }

    /// Says who is expected.
    pub fn expect(&mut self, pid: i32, process: Arc<OwnedFd>, whole: i64, drain: i64) {
        let bytes = self.link.write(Kind::Expect).expect(pid, whole, drain).place(&Place::Own(Own::Process)).finish();
        let _ = self.link.send(bytes, vec![process]);
        self.asked.push_back(Kind::Expect);
    }

    /// Its handoff shall not be.
    pub fn call_off(&mut self, pid: i32) {
        let bytes = self.link.write(Kind::CallOff).pid(pid).finish();
        let _ = self.link.send(bytes, Vec::new());
        self.asked.push_back(Kind::CallOff);
    }

    /// The next message, whatever it is worth: who asks has to count them, for there may be another without end. `known`: processes of ours that may speak as owners, whatever user they have become.
    pub fn hear(&mut self, path: &Path, known: &[i32]) -> Option<Heard> {
        self.flush();
        if self.link.in_line() > IN_LINE || self.asked.len() > IN_LINE {
            return Some(Heard::End);
        }
        let admit = |sender: Identity| {
            let fits = trust::is_admitted(sender.uid) || known.contains(&sender.pid) || trust::may_refuse(path, sender);
            if fits { Admission::Granted } else { Admission::Denied }
        };
        match self.link.receive(admit) {
            Found::Nothing => None,
            Found::Dropped | Found::Stranger(_) => Some(Heard::Nothing),
            Found::Truncated => Some(Heard::Trouble),
            Found::End => Some(Heard::End),
            Found::Denied => Some(Heard::Rejected("who listens there is another user".to_owned())),
            Found::Message(message, fds) => Some(self.take(message, fds).unwrap_or(Heard::Nothing)),
        }
    }

    fn take(&mut self, message: Message, fds: Vec<OwnedFd>) -> Option<Heard> {
        let body = message.body;
        match message.kind {
            Kind::Estate => self.take_part(body, fds),
            Kind::Progress => {
                let phase = body.phase.map_or(0, |phase| phase as i32);
                Some(Heard::Progress { id: body.handoff.unwrap_or_default(), phase, peer: body.pid.unwrap_or_default() })
            }
            Kind::Outcome => body.records.into_iter().next_back().map(|outcome| Heard::Outcome(Box::new(outcome))),
            Kind::Nak if !self.complete && body.reason.and_then(Refusal::from_code) == Some(Refusal::Unknown) => Some(Heard::Older),
            Kind::Nak if !self.complete && body.reason.and_then(Refusal::from_code) == Some(Refusal::Denied) => {
                Some(Heard::Rejected(body.text.unwrap_or_default()))
            }
            Kind::Nak if !self.complete => Some(Heard::End),
            Kind::Nak => match self.asked.pop_front()? {
                Kind::CallOff => Some(Heard::NotCalledOff),
                _ => Some(Heard::Unexpected(body.reason.and_then(Refusal::from_code))),
            },
            Kind::Ack if self.asked.pop_front() == Some(Kind::CallOff) => Some(Heard::NotCalledOff),
            _ => None,
        }
    }

    fn take_part(&mut self, body: wire::Body, fds: Vec<OwnedFd>) -> Option<Heard> {
        let (part, parts) = body.part.unwrap_or((0, 1));
        if part == 0 {
            self.arriving = Arriving::default();
        }
        if part != self.arriving.next {
            return None;
        }
        for (place, fd) in body.places.into_iter().zip(fds) {
            match place {
                Place::Own(Own::Epoch) => self.arriving.page = Some(fd),
                Place::Own(Own::Process) => self.arriving.process = Some(fd),
                Place::Own(_) => {}
                Place::Named(name) if wire::is_reserved(&name) => {}
                Place::Named(name) => self.arriving.name(name, fd),
            }
        }
        self.arriving.generation = body.generation.unwrap_or(self.arriving.generation);
        body.records.into_iter().for_each(|record| self.arriving.record(record));
        self.arriving.next += 1;
        let bytes = self.link.write(Kind::Ack).part(part, parts, 0).finish();
        let _ = self.link.send(bytes, Vec::new());
        if part + 1 < parts {
            return None;
        }
        let Arriving { page, process, generation, named, records, .. } = std::mem::take(&mut self.arriving);
        let pid = self.link.peer;
        let Ok(pidfd) = self.identity(pid, process) else { return Some(Heard::End) };
        self.complete = true;
        let word = page.and_then(|page| Glance::adopt(page).ok());
        Some(Heard::Estate(Box::new(Estate { pid, pidfd, generation, word, named, records })))
    }

    /// A pidfd of who speaks there: his own, if it is one of his; else what the kernel has.
    pub fn identity(&self, pid: i32, sent: Option<OwnedFd>) -> Result<OwnedFd, Errno> {
        if let Some(sent) = sent.filter(|sent| pidfd::number_here(sent.as_raw_fd()) == Some(pid)) {
            return Ok(sent);
        }
        match socket::peer_pidfd(self.link.socket(), pid) {
            Ok((found, _)) if pidfd::number_here(found.as_raw_fd()) == Some(pid) => Ok(found),
            _ => pidfd::open(pid),
        }
    }
}
