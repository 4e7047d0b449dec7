//! The control channel of a preloader: what its host asks for, and what is said of it.
//!
//! Nothing here waits: [`Control::look`] takes what there is, and [`Control::reactor`] is what a wait is about.
//!
//! Traps. **Its end is the host's**: whoever is left behind goes, and so does who sees the host's process end (`host.rs`). **One that reads nothing gets nothing more**: while an answer stands in line for room, no
//! more births are read.

use std::os::fd::{AsFd, AsRawFd, OwnedFd, RawFd};
use std::sync::Arc;

use nix::errno::Errno;

use super::super::wire::{self, Kind, Link, Message, Place};
use super::asked::{Asked, Line};
use super::host::Watch;
use super::kept::Kept;
use super::{greet, host_is_gone};
use crate::channel::seqpacket::{Admission, Found};
use crate::clock::{self, Deadline};
use crate::error::{Error, Result, Status};
use crate::sys::reactor::{Reactor, Shape, Time, Token};
use crate::sys::threads::Directory;
use crate::sys::{Fault, fds, poll};

/// The channel's entry; children have the number of their birth, and the first of those is 1.
const CHANNEL: Token = Token(0);
/// The host's process. (No birth has such a number.)
const HOST: Token = Token(1 << 62);
/// Messages that one look takes at the most.
const AT_ONCE: usize = 64;

/// See the head of this file.
#[derive(Debug)]
pub struct Control {
    link: Link,
    host: Watch,
    reactor: Arc<Reactor>,
    line: Line<Arc<OwnedFd>>,
    kept: Kept,
    /// Told to go, or the host is gone.
    stopped: bool,
    /// It has said that it goes.
    left: bool,
    /// Somebody watches the descriptor.
    watched: bool,
    /// Something was watched beside the channel, or set aside: it may have left a time.
    timed: bool,
    /// Who else runs in this process is asked there; not in one that has no /proc.
    tasks: Option<Directory>,
    /// Of one that was a worker: its own channel, which it does not listen to any more.
    before: Option<Link>,
}

/// Numbers of descriptors, put together before a fork: the copy finds them on its stack.
#[derive(Debug, Default)]
pub struct Numbers {
    few: [RawFd; Self::FEW],
    count: usize,
    more: Vec<RawFd>,
}

impl Numbers {
    const FEW: usize = 8;

    fn push(&mut self, number: RawFd) {
        match self.few.get_mut(self.count) {
            Some(place) => (*place, self.count) = (number, self.count + 1),
            None => self.more.push(number),
        }
    }

    /// Closes them all.
    #[inline(always)]
    pub fn close(&self) {
        let mut at = 0;
        while at < self.count.min(Self::FEW) {
            fds::close_copy(&self.few[at]);
            at += 1;
        }
        if !self.more.is_empty() {
            self.close_more();
        }
    }

    #[cold]
    #[inline(never)]
    fn close_more(&self) {
        self.more.iter().for_each(fds::close_copy);
    }
}

/// For whoever wants to wait for the host.
pub fn cannot_watch(fault: Fault) -> Error {
    fault.error("cannot watch for what the host asks")
}

impl Control {
    /// Over this socket, in which the host's greeting lies.
    pub fn open(socket: OwnedFd, id: u64) -> Result<Self> {
        let mut link = Link::trusted(socket, id);
        let Found::Message(Message { kind: Kind::Hello, .. }, _) = link.receive(|_| Admission::Denied) else {
            return Err(Error::new(Status::Protocol, "hello", "the host's greeting is not where it was"));
        };
        greet(&mut link)?;
        let reactor = Arc::new(Reactor::new(Shape::Flat).map_err(cannot_watch)?);
        reactor.add(CHANNEL, link.socket()).map_err(cannot_watch)?;
        let host = Watch::of(link.socket());
        if let Some(pidfd) = host.pidfd() {
            reactor.add(HOST, pidfd).map_err(cannot_watch)?;
        }
        Ok(Self {
            link,
            host,
            reactor,
            line: Line::default(),
            kept: Kept::default(),
            stopped: false,
            left: false,
            watched: false,
            timed: false,
            tasks: Directory::open().ok(),
            before: None,
        })
    }

    /// The host's process.
    pub fn host(&self) -> &Watch {
        &self.host
    }

    /// By which it is seen who else runs here.
    pub fn tasks(&self) -> Option<&Directory> {
        self.tasks.as_ref()
    }

    /// What a wait is about.
    pub fn reactor(&self) -> &Arc<Reactor> {
        &self.reactor
    }

    /// For an event loop: readable while there is something to do.
    pub fn fd(&mut self) -> Result<RawFd> {
        self.watched = true;
        self.reactor.set_raised(self.is_awake());
        Ok(self.reactor.fd().map_err(cannot_watch)?.as_raw_fd())
    }

    fn is_awake(&self) -> bool {
        self.stopped || !self.line.is_empty()
    }

    /// Whether more are asked for, beside the one that was taken last.
    pub fn has_more(&self) -> bool {
        !self.line.is_empty()
    }

    /// Keeps what it was before.
    pub fn keep(&mut self, before: Link) {
        self.before = Some(before);
    }

    /// Whether it shall go.
    pub fn is_stopped(&self) -> bool {
        self.stopped
    }

    /// The numbers that a copy of this process is to close. It drops nothing of this: to free its memory would be to copy the pages in which that stands, and
    /// more than all of it.
    pub fn numbers(&self) -> Numbers {
        let mut numbers = Numbers::default();
        let own = [&self.link].into_iter().chain(&self.before).map(|link| link.socket().as_raw_fd());
        let own = own.chain(self.line.iter().map(|asked| asked.end.as_raw_fd())).chain(self.kept.numbers());
        own.chain(self.reactor.numbers()).chain(self.tasks.iter().map(Directory::number)).for_each(|number| numbers.push(number));
        numbers
    }

    /// In such a copy: what is large here.
    #[inline(always)]
    pub fn take_buffer(&mut self) -> Vec<u8> {
        self.link.take_buffer()
    }

    fn say(&mut self, bytes: Vec<u8>, fds: Vec<Arc<OwnedFd>>) -> Result<()> {
        match self.link.send(bytes, fds) {
            Ok(()) => Ok(()),
            Err(Errno::EPIPE | Errno::ECONNRESET | Errno::ENOTCONN) => {
                self.stopped = true;
                Err(host_is_gone("sendmsg"))
            }
            Err(errno) => Err(Error::system("sendmsg", errno, "cannot tell the host")),
        }
    }

    /// Loading is done.
    pub fn say_ready(&mut self, flags: u32) -> Result<()> {
        let bytes = self.link.write(Kind::Ready).flags(flags).finish();
        self.say(bytes, Vec::new())
    }

    /// Loading has failed.
    pub fn say_failed(&mut self, status: Status, text: &str) -> Result<()> {
        let bytes = self.link.write(Kind::Failed).status(status).text(text).finish();
        self.say(bytes, Vec::new())
    }

    /// Of one that was a worker and has said that it is ready: whether the host takes it as its preloader. Its answer, or its end, or none by then.
    pub fn is_taken(&mut self, by: Deadline) -> bool {
        loop {
            match self.link.receive(|_| Admission::Denied) {
                Found::Message(message, _) if message.kind == Kind::Go => return true,
                Found::End => return false,
                Found::Nothing if self.host.is_gone() || by.has_come() => return false,
                Found::Nothing => _ = poll::wait(&self.host.and(self.link.socket().as_fd()), by),
                _ => {}
            }
        }
    }

    /// It is made; `own`: it is this process's child, and its end is to be kept. `said`: the host is told; else its HELLO will do.
    pub fn born(&mut self, birth: u64, pid: i32, pidfd: Option<OwnedFd>, own: bool, said: bool) {
        let pidfd = pidfd.map(Arc::new);
        if said {
            let mut writer = self.link.write(Kind::Born);
            writer.birth(birth).pid(pid).flags(if own { 0 } else { wire::IS_SIBLING });
            if pidfd.is_some() {
                writer.place(Place::Pidfd);
            }
            let bytes = writer.finish();
            // A host that is gone is found out at the next look.
            let _ = self.say(bytes, pidfd.iter().cloned().collect());
        }
        if own {
            self.timed = true;
            self.kept.add(birth, pid, pidfd, &self.reactor);
        }
        self.settle();
    }

    /// It is not made, and why.
    pub fn refuse(&mut self, asked: Asked<Arc<OwnedFd>>, error: &Error) {
        // First said, then closed: who waits for the end of the pair knows by then why.
        let mut writer = self.link.write(Kind::Refused);
        writer.birth(asked.birth).status(error.status);
        if let Some(errno) = error.errno {
            writer.errno(errno as i32);
        }
        let bytes = writer.text(&error.message).finish();
        let _ = self.say(bytes, Vec::new());
        drop(asked);
        self.settle();
    }

    /// It goes: who stands in line is told.
    pub fn leave(&mut self) {
        if std::mem::replace(&mut self.left, true) {
            return;
        }
        let cancelled = Error::new(Status::Cancelled, "fork", "the preloader goes");
        while let Some(asked) = self.line.next() {
            self.refuse(asked, &cancelled);
        }
        let bytes = self.link.write(Kind::Leaving).finish();
        let _ = self.say(bytes, Vec::new());
    }

    /// Takes what there is now.
    pub fn look(&mut self) {
        if self.link.flush().is_err() {
            self.stopped = true;
        }
        for _ in 0..AT_ONCE {
            if self.stopped || !self.line.has_room() || self.link.wants_to_write() {
                break;
            }
            match self.link.receive_near(|_| Admission::Denied) {
                Found::Nothing => break,
                Found::Message(message, fds) => self.hear(message, fds),
                Found::End => self.stopped = true,
                // What was to come with it is closed with it: the host sees that at its own end.
                Found::Truncated | Found::Dropped | Found::Stranger(_) | Found::Denied => {}
            }
        }
        // Who is born meanwhile sees that at its gate.
        if self.line.is_empty() || self.link.wants_to_write() {
            self.stopped |= self.host.is_gone();
        }
        self.look_after_children();
        let now = clock::now();
        while let Some(asked) = self.line.late(now) {
            self.refuse(asked, &Error::new(Status::Timeout, "fork", "its time was over before its turn came"));
        }
    }

    /// Takes what there is now, and the next that is to be made.
    pub fn next(&mut self) -> Option<Asked<Arc<OwnedFd>>> {
        self.look();
        let next = if self.stopped { None } else { self.line.next() };
        // After that: one alone makes nobody look for it.
        self.settle();
        next
    }

    fn look_after_children(&mut self) {
        // A time that was set and is not needed any more comes even so: unheard, it would keep the descriptor readable for ever.
        if !self.timed {
            return;
        }
        let turn = self.reactor.turn();
        for token in turn.ready.into_iter().filter(|token| *token != CHANNEL && *token != HOST) {
            self.look_at(token.0);
        }
        // Asked for nothing it would make a timer for nothing.
        while turn.timer
            && let Some(Time::Due(token) | Time::Back(token)) = self.reactor.pop_time(clock::now())
        {
            self.look_at(token.0);
        }
    }

    fn look_at(&mut self, birth: u64) {
        if let Some((pid, ending)) = self.kept.look(birth, &self.reactor) {
            let bytes = self.link.write(Kind::Ended).birth(birth).pid(pid).ending(ending).finish();
            let _ = self.say(bytes, Vec::new());
        }
    }

    /// Brings what is watched in line with what there is to do.
    fn settle(&mut self) {
        let _ = self.reactor.set_writing(CHANNEL, self.link.wants_to_write());
        // What is not read meanwhile would keep the descriptor readable.
        if self.link.is_stalled() || self.link.wants_to_write() {
            self.timed = true;
            self.reactor.set_aside(CHANNEL);
        }
        if self.watched {
            self.reactor.set_raised(self.is_awake());
        }
    }

    fn hear(&mut self, message: Message, fds: Vec<OwnedFd>) {
        let (body, mut fds) = (message.body, fds.into_iter());
        match (message.kind, body.birth) {
            (Kind::Fork, Some(birth @ 1..)) if body.places == [Place::End] => {
                let Some(end) = fds.next().map(Arc::new) else { return };
                let until = body.left.map_or(Deadline::NEVER, Deadline::of_millis);
                let is_set = |flag| body.flags & flag != 0;
                let (hello_will_do, pooled) = (is_set(wire::HELLO_WILL_DO), is_set(wire::POOLED));
                if let Err(again) = self.line.push(Asked { birth, until, hello_will_do, end, pooled }) {
                    drop(again);
                    self.link.refuse(Status::Protocol, "a birth that is asked for already");
                }
            }
            (Kind::Cancel, Some(birth)) => {
                if let Some(asked) = self.line.call_off(birth) {
                    self.refuse(asked, &Error::new(Status::Cancelled, "fork", "called off before its turn came"));
                }
            }
            (Kind::Release, Some(birth)) => self.kept.release(birth, &self.reactor),
            (Kind::Stop, _) => {
                self.leave();
                self.stopped = true;
            }
            (Kind::Nak | Kind::Hello, _) => {}
            _ => self.link.refuse(Status::Protocol, "nothing that a preloader is asked"),
        }
    }
}
