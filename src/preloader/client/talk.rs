//! One command to a preloader, on a real connection: connected, said, answered. What is decided when stands in `machine.rs`.
//!
//! Traps. **Who listens is not who we think**: anybody of the same user may bind a socket where the preloader's was; so who listens is asked of the
//! kernel, before a word is said. **A full line is no failure**: the preloader is busy, and is asked again by the clock. **The connection is
//! given up by both ends at once** (`hang_up`): a supervisor's loop may hold our end for a moment longer, and the other side must hear it now.

use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use nix::errno::Errno;

use super::answer::{Answer, Said};
use super::proof::Writer;
use crate::clock::{Deadline, MILLI};
use crate::error::Status;
use crate::preloader::failure::{Category, Failure};
use crate::preloader::journey::step;
use crate::sys::memory::Home;
use crate::sys::{Fault, procfs, socket, stream};

/// The pauses between two tries at a line that is full.
const FIRST_PAUSE: i64 = MILLI;
const LONGEST_PAUSE: i64 = 50 * MILLI;
/// What is read at once.
const PORTION: usize = 4096;

/// Where it has come to.
#[derive(Debug)]
pub enum Heard {
    /// No further, for now.
    Nothing,
    /// The connection is there.
    Connected,
    /// All was said.
    Sent,
    /// It has answered.
    Said(Said),
    /// The other side is gone; how that was noticed.
    Broken(String),
    /// Something else is wrong.
    Failed(Failure),
}

/// A command under way.
#[derive(Debug)]
pub struct Talk {
    path: PathBuf,
    /// Who must listen there.
    preloader: i32,
    uid: u32,
    connection: Option<Arc<OwnedFd>>,
    next_try: Deadline,
    pause: i64,
    line: Vec<u8>,
    said: usize,
    answer: Answer,
    writer: Option<Writer>,
    over: bool,
    home: Home,
}

impl Talk {
    /// To the socket of this preloader, about this work directory.
    pub fn new(path: &Path, preloader: i32, uid: u32, work_dir: &str) -> Self {
        let mut line = serde_json::json!({"command": "spawn", "work_dir": work_dir}).to_string().into_bytes();
        line.push(b'\n');
        Self {
            path: path.to_owned(),
            preloader,
            uid,
            connection: None,
            next_try: Deadline::PAST,
            pause: FIRST_PAUSE,
            line,
            said: 0,
            answer: Answer::default(),
            writer: None,
            over: false,
            home: Home::here(),
        }
    }

    /// Goes on as far as that is possible without waiting; one step at a time.
    pub fn go_on(&mut self, now: i64) -> Heard {
        match self.connection.clone() {
            _ if self.over => Heard::Nothing,
            None => self.connect(now),
            Some(connection) if self.said < self.line.len() => self.say(&connection),
            // Bounded by how long an answer can be.
            Some(connection) => loop {
                if let Some(heard) = self.listen(&connection) {
                    return heard;
                }
            },
        }
    }

    fn connect(&mut self, now: i64) -> Heard {
        use Errno::{EAGAIN, ECONNREFUSED, ECONNRESET, ENOENT, ENOTDIR, EPIPE};
        if !self.next_try.is_over(now) {
            return Heard::Nothing;
        }
        match stream::connect_to(&self.path) {
            Ok(connection) => match self.check_listener(&connection) {
                Ok(()) => {
                    self.connection = Some(Arc::new(connection));
                    Heard::Connected
                }
                Err(failure) => Heard::Failed(failure),
            },
            Err(Fault { step: "connect", errno: EAGAIN }) => {
                self.next_try = Deadline::at(now).plus(self.pause);
                self.pause = (self.pause * 2).min(LONGEST_PAUSE);
                Heard::Nothing
            }
            Err(Fault { step: "connect", errno: errno @ (ECONNREFUSED | ECONNRESET | ENOENT | ENOTDIR | EPIPE) }) => {
                Heard::Broken(format!("nobody accepts at {}: {}", self.path.display(), errno.desc()))
            }
            Err(fault) => {
                let error = fault.error(format!("cannot connect to the preloader at {}", self.path.display()));
                Heard::Failed(Failure::of(step::SPAWNING_KIT_CONNECT_TO_PRELOADER, &error))
            }
        }
    }

    /// Its number is its own as long as nobody has reaped it, and only we can.
    fn check_listener(&self, connection: &OwnedFd) -> Result<(), Failure> {
        let rejected = |why: String| {
            let message = format!("{} at {}", why, self.path.display());
            Err(Failure::new(Status::PeerRejected, Category::default(), step::SPAWNING_KIT_CONNECT_TO_PRELOADER, message))
        };
        match socket::peer(connection) {
            Ok(peer) if peer.uid != self.uid => rejected(format!("user {} listens, and not user {}", peer.uid, self.uid)),
            Ok(peer) if peer.pid == self.preloader => Ok(()),
            // Of a pid namespace that cannot be seen from here.
            Ok(peer) if peer.pid == 0 => Ok(()),
            Ok(peer) if procfs::descends_from(peer.pid, self.preloader) => Ok(()),
            Ok(peer) => rejected(format!("process {} listens, and not the preloader {}", peer.pid, self.preloader)),
            Err(errno) => rejected(format!("nobody says who listens ({})", errno.desc())),
        }
    }

    fn say(&mut self, connection: &OwnedFd) -> Heard {
        match stream::send(connection, &self.line[self.said..]) {
            Ok(sent) => {
                self.said += sent;
                if self.said == self.line.len() { Heard::Sent } else { Heard::Nothing }
            }
            Err(Errno::EAGAIN) => Heard::Nothing,
            Err(errno @ (Errno::ENOMEM | Errno::ENOBUFS)) => self.failed("sendmsg", errno, step::SPAWNING_KIT_SEND_COMMAND_TO_PRELOADER),
            Err(errno) => Heard::Broken(format!("the command could not be said: {}", errno.desc())),
        }
    }

    /// `None`: a part of it has come.
    fn listen(&mut self, connection: &OwnedFd) -> Option<Heard> {
        let mut buffer = [0; PORTION];
        let room = self.answer.room().min(PORTION);
        let part = match stream::receive(connection, &mut buffer[..room]) {
            Ok(part) => part,
            Err(Errno::EAGAIN) => return Some(Heard::Nothing),
            Err(errno @ (Errno::ENOMEM | Errno::ENOBUFS)) => {
                return Some(self.failed("recvmsg", errno, step::SPAWNING_KIT_READ_RESPONSE_FROM_PRELOADER));
            }
            // It left the command unread: what it had said before is lost by that, too.
            Err(errno) if !self.answer.has_begun() => {
                return Some(self.end(Heard::Broken(format!("it did not answer: {}", errno.desc()))));
            }
            Err(_) => {
                let said = self.answer.end();
                return Some(self.end(Heard::Said(said)));
            }
        };
        if part.length == 0 {
            let heard = match self.answer.end() {
                Said::Nothing => Heard::Broken("it has closed the connection without an answer".to_owned()),
                said => Heard::Said(said),
            };
            return Some(self.end(heard));
        }
        let writer = Writer { pid: part.writer, pidfd: part.pidfd };
        match &self.writer {
            // Whoever ends it has said nothing of it.
            Some(_) if buffer[0] == b'\n' => {}
            None => self.writer = Some(writer),
            // Each has said a part: nobody has said all of it.
            Some(first) if first.pid != writer.pid => self.writer = Some(Writer { pid: None, pidfd: None }),
            Some(_) => {}
        }
        let said = self.answer.take(&buffer[..part.length])?;
        Some(self.end(Heard::Said(said)))
    }

    fn end(&mut self, heard: Heard) -> Heard {
        self.over = true;
        heard
    }

    fn failed(&self, call: &'static str, errno: Errno, step: &'static str) -> Heard {
        let error = Fault { step: call, errno }.error("cannot speak with the preloader");
        Heard::Failed(Failure::of(step, &error))
    }

    /// Who has answered.
    pub fn take_writer(&mut self) -> Writer {
        self.writer.take().unwrap_or(Writer { pid: None, pidfd: None })
    }

    /// What it waits for: a descriptor, with whether for room to write; a time.
    pub fn wants(&self) -> (Option<(Arc<OwnedFd>, bool)>, Deadline) {
        match &self.connection {
            _ if self.over => (None, Deadline::NEVER),
            None => (None, self.next_try),
            Some(connection) => (Some((connection.clone(), self.said < self.line.len())), Deadline::NEVER),
        }
    }
}

impl Drop for Talk {
    fn drop(&mut self) {
        // A copy of the host has the same connection, not one of its own.
        if let Some(connection) = self.connection.as_ref().filter(|_| self.home.is_here()) {
            stream::hang_up(connection);
        }
    }
}
