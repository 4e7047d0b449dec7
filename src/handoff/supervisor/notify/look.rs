//! One look at whether a generation is healthy, begun and moved along without ever waiting: a connect, a request of HTTP with its answer, or a command.
//!
//! Traps. **With shared listeners anybody may answer**: the old generation accepts at them, too. An address tells of the new one alone only if nobody
//! else has it, so `%p` in a detail is the new one's pid (`unix:/run/app/%p.sock`), and a command finds it in `PS_HEALTH_PID`.
//! **What answers is a stranger's program**: of an answer no more than [`LONGEST`] is read, and no more of it than the status counts.

use std::os::fd::OwnedFd;
use std::sync::Arc;

use nix::errno::Errno;

use crate::clock::{Deadline, MILLI};
use crate::coordination::probe::Address;
use crate::error::Result;
use crate::handoff::supervisor::core::Core;
use crate::handoff::supervisor::health::Health;
use crate::handoff::supervisor::health::http::{self, LONGEST, status};
use crate::handoff::supervisor::process::Process;
use crate::handoff::supervisor::way::Purpose;
use crate::sys::connect::{self, Begun, Target};
use crate::sys::{Fault, stream};

/// How long a connection may take at the least before another is tried.
const SHORTEST: i64 = 250 * MILLI;
/// Whom the command looks at.
const PID: &str = "PS_HEALTH_PID";
const GENERATION: &str = "PS_HEALTH_GENERATION";

#[derive(Debug)]
enum How {
    Connecting {
        fd: Arc<OwnedFd>,
        second: Option<Target>,
        request: Option<Vec<u8>>,
    },
    Asking {
        fd: Arc<OwnedFd>,
        request: Vec<u8>,
        sent: usize,
        answer: Vec<u8>,
    },
    /// The command is being started, by this number.
    Ordered(u64),
    Running(Box<Process>),
    Over(core::result::Result<(), String>),
}

/// See the head of this file.
#[derive(Debug)]
pub struct Look {
    how: How,
    /// It is over then, whatever has come.
    pub until: Deadline,
}

impl Look {
    /// Begins one.
    pub fn begin(health: &Health, pid: i32, generation: u64, core: &mut Core, now: i64) -> Self {
        let timeout = health.timeout().unwrap_or(0);
        // A connection that hangs may have met a worker that does: there is time for another.
        let part = (timeout / 4).max(SHORTEST).min(timeout);
        let (how, span) = match health {
            Health::None => (How::Over(Ok(())), 0),
            Health::Socket { address, .. } => (connecting(&filled(address, pid), None), part),
            Health::Http { url, .. } => match http::asked(&filled(url, pid)) {
                Ok((address, request)) => (connecting(&address, Some(request)), part),
                Err(error) => (How::Over(Err(error.take_apart().message)), 0),
            },
            Health::Command { command, .. } => {
                let mut command = (**command).clone();
                let set = |command: &mut crate::process::command::Command, name: &str, value: String| {
                    command.env(name, Some(value.as_ref())).map(drop)
                };
                let named = set(&mut command, PID, pid.to_string()).and_then(|()| set(&mut command, GENERATION, generation.to_string()));
                match named {
                    Ok(()) => (How::Ordered(core.order_as_it_is(Purpose::Health, command, Vec::new())), timeout),
                    Err(error) => (How::Over(Err(error.take_apart().message)), 0),
                }
            }
        };
        Self { how, until: Deadline::at(now).plus(span) }
    }

    /// Whether this order is its command; then it runs, or could not be started.
    pub fn born(&mut self, number: u64, child: &mut Option<Result<crate::process::child::Child>>) -> bool {
        if !matches!(self.how, How::Ordered(mine) if mine == number) {
            return false;
        }
        self.how = match child.take() {
            Some(Ok(child)) => match Process::spawned(child) {
                Some(process) => How::Running(Box::new(process)),
                None => How::Over(Err("the health command was reaped by somebody else".to_owned())),
            },
            Some(Err(error)) => How::Over(Err(error.take_apart().message)),
            None => How::Over(Err("the health command is gone".to_owned())),
        };
        true
    }

    /// What is to be watched, and whether for room to write.
    pub fn watched(&self) -> Option<(&Arc<OwnedFd>, bool)> {
        match &self.how {
            How::Connecting { fd, .. } => Some((fd, true)),
            How::Asking { fd, request, sent, .. } => Some((fd, *sent < request.len())),
            How::Running(process) => Some((process.pidfd(), false)),
            How::Ordered(_) | How::Over(_) => None,
        }
    }

    /// When to look at it by the clock.
    pub fn due(&self) -> Deadline {
        if matches!(self.how, How::Over(_)) { Deadline::PAST } else { self.until }
    }

    /// Moves it along; how it went, once it is over.
    pub fn step(&mut self, now: i64) -> Option<core::result::Result<(), String>> {
        loop {
            let before = core::mem::replace(&mut self.how, How::Over(Err(String::new())));
            let (next, again) = advance(before);
            self.how = next;
            if let How::Over(over) = &self.how {
                return Some(over.clone());
            }
            if !again {
                break;
            }
        }
        self.until.is_over(now).then(|| Err("it has not answered in time".to_owned()))
    }

    /// Given up: a command that still runs is to be ended.
    pub fn leave(self) -> Option<Process> {
        match self.how {
            How::Running(mut process) => {
                process.kill();
                Some(*process)
            }
            _ => None,
        }
    }
}

fn filled(text: &str, pid: i32) -> String {
    text.replace("%p", &pid.to_string())
}

fn connecting(address: &str, request: Option<Vec<u8>>) -> How {
    match Address::parse("detail", address) {
        Ok(address) => {
            let (first, second) = address.targets();
            to(&first, second, request)
        }
        Err(error) => How::Over(Err(error.take_apart().message)),
    }
}

fn to(target: &Target, second: Option<Target>, request: Option<Vec<u8>>) -> How {
    match connect::begin(target) {
        Ok(Begun::Connected(fd)) => connected(Arc::new(fd), request),
        Ok(Begun::UnderWay(fd)) => How::Connecting { fd: Arc::new(fd), second, request },
        Err(fault) => otherwise(fault, second, request),
    }
}

fn otherwise(fault: Fault, second: Option<Target>, request: Option<Vec<u8>>) -> How {
    match second.filter(|_| fault.step == "connect") {
        Some(second) => to(&second, None, request),
        None => How::Over(Err(format!("{}: {}", fault.step, fault.errno.desc()))),
    }
}

fn connected(fd: Arc<OwnedFd>, request: Option<Vec<u8>>) -> How {
    match request {
        Some(request) => How::Asking { fd, request, sent: 0, answer: Vec::new() },
        None => How::Over(Ok(())),
    }
}

/// One step; `true`: another may follow at once.
fn advance(how: How) -> (How, bool) {
    match how {
        How::Connecting { fd, second, request } => match connect::decided(&fd) {
            None => (How::Connecting { fd, second, request }, false),
            Some(Ok(())) => (connected(fd, request), true),
            Some(Err(errno)) => (otherwise(Fault { step: "connect", errno }, second, request), true),
        },
        How::Asking { fd, request, sent, answer } => ask(fd, request, sent, answer),
        How::Running(mut process) => match process.tick() {
            None => (How::Running(process), false),
            Some(end) if end.known && end.code == 0 && end.signal == 0 => (How::Over(Ok(())), false),
            Some(end) if end.signal != 0 => (How::Over(Err(format!("the health command was ended by signal {}", end.signal))), false),
            Some(end) => (How::Over(Err(format!("the health command has ended with {}", end.code))), false),
        },
        other => (other, false),
    }
}

fn ask(fd: Arc<OwnedFd>, request: Vec<u8>, mut sent: usize, mut answer: Vec<u8>) -> (How, bool) {
    if sent < request.len() {
        match stream::send(&fd, &request[sent..]) {
            Ok(count) => sent += count,
            Err(Errno::EAGAIN) => return (How::Asking { fd, request, sent, answer }, false),
            Err(errno) => return (How::Over(Err(format!("send: {}", errno.desc()))), false),
        }
        return (How::Asking { fd, request, sent, answer }, true);
    }
    let mut buffer = [0; LONGEST];
    let got = match nix::unistd::read(&*fd, &mut buffer) {
        Err(Errno::EAGAIN | Errno::EINTR) => return (How::Asking { fd, request, sent, answer }, false),
        Err(errno) => return (How::Over(Err(format!("read: {}", errno.desc()))), false),
        Ok(got) => got,
    };
    answer.extend_from_slice(&buffer[..got.min(LONGEST.saturating_sub(answer.len()))]);
    match status(&answer, got == 0) {
        None => (How::Asking { fd, request, sent, answer }, true),
        Some(verdict) => (How::Over(verdict), false),
    }
}
