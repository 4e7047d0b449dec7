//! A worker's own channel, once it has gone through its gate.
//!
//! The trap: the host may be gone at any moment, and that is how a worker learns it: its channel ends. What is done about it is the worker's business; it
//! may have work to finish. (Where a forked copy of the host lives on the channel does not end: `host.rs`.)

use std::os::fd::{AsFd, AsRawFd, OwnedFd, RawFd};
use std::sync::Arc;

use super::super::wire::{Kind, Link, Place};
use super::control::{Control, cannot_watch};
use super::host::Watch;
use super::{Preload, Stand, Wish, host_is_gone, opening, state};
use crate::channel::seqpacket::{Admission, Found};
use crate::clock::Deadline;
use crate::error::{Error, Result, Status};
use crate::sys::poll;
use crate::sys::reactor::{Reactor, Shape, Token};

/// A control channel that it was handed, to become a preloader by.
#[derive(Debug)]
pub struct Candidate {
    pub control: Control,
    pub until: Deadline,
}

/// The worker's end of its private pair.
#[derive(Debug)]
pub struct Private {
    link: Link,
    /// Since it was asked for the first time what the host wishes.
    host: Option<Watch>,
    /// The same two for an event loop.
    watched: Option<Box<Reactor>>,
    is_ready: bool,
    ended: bool,
    candidate: Option<Box<Candidate>>,
}

impl Private {
    /// Just through its gate.
    #[inline(always)]
    pub fn new(link: Link) -> Self {
        Self { link, host: None, watched: None, is_ready: false, ended: false, candidate: None }
    }

    fn host(&mut self) -> &Watch {
        self.host.get_or_insert_with(|| Watch::of(self.link.socket()))
    }

    /// What an event loop watches.
    pub fn fd(&mut self) -> Result<RawFd> {
        let (socket, host) = (self.link.socket().clone(), self.host().clone());
        let Some(pidfd) = host.pidfd() else { return Ok(socket.as_raw_fd()) };
        if self.watched.is_none() {
            let reactor = Reactor::new(Shape::Flat).map_err(cannot_watch)?;
            reactor.add(Token(0), &socket).and_then(|()| reactor.add(Token(1), pidfd)).map_err(cannot_watch)?;
            self.watched = Some(Box::new(reactor));
        }
        let reactor = self.watched.as_ref().ok_or_else(|| state("fd", "there is none"))?;
        Ok(reactor.work().map_err(cannot_watch)?.as_raw_fd())
    }

    /// The socket.
    pub fn socket(&self) -> &Arc<OwnedFd> {
        self.link.socket()
    }

    /// Its channel, of which nothing is taken any more.
    pub fn into_link(self) -> Link {
        self.link
    }

    fn say(&mut self, bytes: Vec<u8>) -> Result<()> {
        self.link.send(bytes, Vec::new()).map_err(|_| host_is_gone("sendmsg"))
    }

    #[inline(always)]
    fn say_ready(&mut self) -> Result<()> {
        if self.is_ready {
            return Err(state("ready", "it was said already"));
        }
        self.link.say(Kind::Ready, None).map_err(|_| host_is_gone("sendmsg"))?;
        self.is_ready = true;
        Ok(())
    }

    /// It does not come to work.
    pub fn say_failed(&mut self, status: Status, text: &str) -> Result<()> {
        let bytes = self.link.write(Kind::Failed).status(status).text(text).finish();
        self.say(bytes)
    }

    /// Whether it was asked to become something, and is in time. One that is late stays a worker, and its channel is closed.
    pub fn check_candidate(&mut self) -> Result<()> {
        let candidate =
            self.candidate.as_ref().ok_or_else(|| state("ready", "this is a worker, and nobody has asked it to become a preloader"))?;
        if !candidate.until.has_come() {
            return Ok(());
        }
        let late = Error::new(Status::Timeout, "promote", "the time for becoming a preloader is over: it stays a worker");
        if let Some(mut candidate) = self.take_candidate() {
            let _ = candidate.control.say_failed(late.status, &late.message);
        }
        Err(late)
    }

    /// What it was asked to become, taken.
    pub fn take_candidate(&mut self) -> Option<Box<Candidate>> {
        self.candidate.take()
    }

    /// What is wished, if anything is.
    fn look(&mut self) -> Wish {
        let _ = self.link.flush();
        // Before what it has said last.
        let is_gone = self.host().is_gone();
        while !self.ended {
            match self.link.receive(|_| Admission::Denied) {
                Found::Nothing if is_gone => self.ended = true,
                Found::Nothing => return Wish::Nothing,
                Found::End => self.ended = true,
                Found::Message(message, fds) if message.kind == Kind::Promote && message.body.places == [Place::Control] => {
                    let until = message.body.left.map_or(Deadline::NEVER, Deadline::of_millis);
                    // A channel that does not open is closed: its host sees that.
                    let opened = fds.into_iter().next().and_then(|fd| opening::handed(fd).ok());
                    if let Some(control) = opened {
                        self.candidate = Some(Box::new(Candidate { control, until }));
                        return Wish::Promote;
                    }
                }
                Found::Message(message, _) if message.kind == Kind::Stop => self.ended = true,
                Found::Message(..) | Found::Truncated | Found::Dropped | Found::Stranger(_) | Found::Denied => {}
            }
        }
        Wish::Stop
    }
}

impl Preload {
    #[inline(always)]
    fn with_private<T>(&self, what: impl FnOnce(&mut Private) -> Result<T>) -> Result<T> {
        match &mut self.state.lock().stand {
            Stand::Worker(private) => what(private),
            _ => Err(state("role", "this process is no worker")),
        }
    }

    /// It works.
    #[inline(always)]
    pub fn worker_ready(&self) -> Result<()> {
        self.with_private(Private::say_ready)
    }

    /// The same, where nothing stands in the way: no other library is called, and nothing allocated. `false`: it was not said.
    #[inline(always)]
    pub fn worker_ready_at_once(&self) -> bool {
        let Some(mut state) = self.state.try_lock() else { return false };
        if let Stand::Worker(private) = &mut state.stand { private.say_ready().is_ok() } else { false }
    }

    /// What the host wishes of this worker, in that time.
    pub fn worker_asked(&self, timeout_ms: i64) -> Result<Wish> {
        let deadline = Deadline::of_timeout("timeout_ms", timeout_ms)?;
        loop {
            let (wish, socket, host) =
                self.with_private(|private| Ok((private.look(), private.socket().clone(), private.host().clone())))?;
            if wish != Wish::Nothing || deadline.has_come() {
                return Ok(wish);
            }
            let woken = poll::any_or_interrupted(&host.and(socket.as_fd()), deadline)
                .map_err(|errno| Error::system("poll", errno, "cannot wait for the host"))?;
            if !woken {
                return Ok(Wish::Nothing);
            }
        }
    }
}
