//! The clients: one thread that sends requests at times that were fixed before (an open loop), whatever the servers do,
//! and counts each latency from its intended time. So a server that stands still for 10 ms is seen by every request
//! that was due in them, not by the one that happened to wait (no coordinated omission).
//!
//! Most requests have a connection of their own. Some long-lived connections are kept, and opened again when the server
//! asks for that. A connection is closed by the server first, so no port of the client is blocked afterwards.
//!
//! What is said on a connection is a `Speech`: that of the servers here (`wire`), or HTTP (`daemons`).

use super::ring::now;
use super::wire::{GO_AWAY, KEEP, REPLY, Reply, Request};
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use nix::sys::socket::{
    AddressFamily, MsgFlags, SockFlag, SockType, SockaddrIn, connect, recv, send, setsockopt, socket, sockopt,
};
use nix::sys::time::{TimeSpec, TimeValLike};
use nix::sys::timerfd::{ClockId as TimerClock, Expiration, TimerFd, TimerFlags, TimerSetTimeFlags};
use nix::time::{ClockId, clock_gettime};
use std::collections::VecDeque;
use std::marker::PhantomData;
use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

/// A request without an answer for so long has failed.
const PATIENCE: Duration = Duration::from_secs(10);
const TIMER: u64 = u64::MAX;
/// In one go, before answers are looked at again.
const BURST: usize = 32;
const SECOND: u64 = 1_000_000_000;

#[derive(Clone, Copy)]
pub struct Load {
    pub port: u16,
    /// Connections per second, each with one request.
    pub rate: u64,
    /// Long-lived connections, and requests per second on each.
    pub kept: u64,
    pub kept_rate: u64,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    Answered,
    Refused,
    Reset,
    /// The end of the connection came instead of an answer.
    Closed,
    Late,
    /// An answer, but not the right one.
    Wrong,
}

#[derive(Clone, Copy)]
pub struct Sample {
    pub intended_ns: u64,
    pub us: f32,
    pub outcome: Outcome,
}

#[derive(Default)]
pub struct Log {
    pub samples: Vec<Sample>,
    /// Acknowledged: the request's id and the number that it was given.
    pub acknowledged: Vec<(u64, u64)>,
    /// Requests that were sent a second time: see `Speech::AGAIN`.
    pub again: u64,
    /// How much of its time this thread has used: a client that is busy is one that is measured.
    pub busy: f64,
}

/// What is said on a connection.
pub trait Speech {
    /// A kept connection may be closed by the server between two requests; one that was sent meanwhile is sent again on
    /// another connection, once (RFC 9112, 9.3.1).
    const AGAIN: bool;

    fn ask(id: u64, keep: bool, into: &mut Vec<u8>);

    /// `None`: not all of it is there yet.
    fn hear(id: u64, bytes: &[u8], log: &mut Log) -> Result<Option<Heard>, String>;
}

pub struct Heard {
    pub length: usize,
    pub right: bool,
    /// Nothing more is to be asked on this connection.
    pub last: bool,
}

/// The servers of this bench.
pub struct Own;

impl Speech for Own {
    const AGAIN: bool = false;

    fn ask(id: u64, keep: bool, into: &mut Vec<u8>) {
        into.extend_from_slice(&Request { id, flags: if keep { KEEP } else { 0 } }.bytes());
    }

    fn hear(id: u64, bytes: &[u8], log: &mut Log) -> Result<Option<Heard>, String> {
        let Some(bytes) = bytes.first_chunk::<REPLY>() else { return Ok(None) };
        let reply = Reply::read(bytes);
        if reply.id != id {
            return Err(format!("request {id} was answered for {}", reply.id));
        }
        log.acknowledged.push((reply.id, reply.sequence));
        Ok(Some(Heard { length: REPLY, right: true, last: reply.flags & GO_AWAY != 0 }))
    }
}

/// A request under way.
struct Asked {
    id: u64,
    intended_ns: u64,
    sent: bool,
    again: bool,
}

struct Line {
    fd: OwnedFd,
    /// `None`: a kept connection between two requests, or one that waits for its end.
    asked: Option<Asked>,
    kept: Option<usize>,
    /// Was answered on before.
    used: bool,
    /// The beginning of an answer.
    got: Vec<u8>,
}

#[derive(Default)]
struct Kept {
    line: Option<usize>,
    due: VecDeque<(u64, u64)>,
}

pub fn run<S: Speech>(load: Load, stop: &AtomicBool) -> Result<Log, String> {
    let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC).map_err(|errno| format!("epoll: {errno}"))?;
    let timer = TimerFd::new(TimerClock::CLOCK_MONOTONIC, TimerFlags::TFD_CLOEXEC | TimerFlags::TFD_NONBLOCK);
    let timer = timer.map_err(|errno| format!("timerfd: {errno}"))?;
    epoll.add(&timer, EpollEvent::new(EpollFlags::EPOLLIN, TIMER)).map_err(|errno| format!("epoll_ctl: {errno}"))?;
    let address = SockaddrIn::new(127, 0, 0, 1, load.port);
    let kept = (0..load.kept).map(|_| Kept::default()).collect();
    let (samples, acknowledged) = (Vec::with_capacity(1 << 20), Vec::with_capacity(1 << 20));
    let log = Log { samples, acknowledged, ..Log::default() };
    let (lines, words, speech) = (Vec::new(), Vec::new(), PhantomData::<S>);
    let (begun, used) = (now(), thread_time());
    let mut log =
        Client { epoll, timer, address, lines, open: 0, kept, next_id: 0, log, words, speech }.run(load, stop)?;
    log.busy = (thread_time() - used) as f64 / (now() - begun).max(1) as f64;
    Ok(log)
}

fn thread_time() -> u64 {
    let used = clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).expect("a clock that every Linux has");
    used.tv_sec() as u64 * SECOND + used.tv_nsec() as u64
}

struct Client<S> {
    epoll: Epoll,
    timer: TimerFd,
    address: SockaddrIn,
    /// By descriptor.
    lines: Vec<Option<Line>>,
    /// Requests under way.
    open: usize,
    kept: Vec<Kept>,
    next_id: u64,
    log: Log,
    /// Of one request.
    words: Vec<u8>,
    speech: PhantomData<S>,
}

/// Equal distances from a start: when the next one is due.
struct Schedule {
    next_ns: f64,
    step_ns: f64,
}

impl Schedule {
    fn new(start_ns: u64, per_second: u64) -> Self {
        let step_ns = if per_second == 0 { f64::INFINITY } else { SECOND as f64 / per_second as f64 };
        Self { next_ns: start_ns as f64 + step_ns, step_ns }
    }

    fn due(&mut self, now_ns: u64) -> Option<u64> {
        let due = self.next_ns;
        (due <= now_ns as f64).then(|| {
            self.next_ns += self.step_ns;
            due as u64
        })
    }
}

impl<S: Speech> Client<S> {
    fn run(mut self, load: Load, stop: &AtomicBool) -> Result<Log, String> {
        let start = now();
        let mut single = Schedule::new(start, load.rate);
        let mut kept = Schedule::new(start, load.kept * load.kept_rate);
        let mut turn = 0;
        let mut looked = start;
        loop {
            let stopping = stop.load(Relaxed);
            for _ in 0..BURST {
                let now_ns = now();
                let mut any = false;
                if let (false, Some(intended)) = (stopping, single.due(now_ns)) {
                    self.ask_once(intended)?;
                    any = true;
                }
                if let (false, Some(intended)) = (stopping, kept.due(now_ns)) {
                    self.ask_kept(turn % self.kept.len(), intended)?;
                    turn += 1;
                    any = true;
                }
                if !any {
                    break;
                }
            }
            if stopping && self.open == 0 {
                return Ok(self.log);
            }
            self.answers(single.next_ns.min(kept.next_ns) as u64, stopping)?;
            if now() - looked > SECOND / 4 {
                looked = now();
                self.give_up(looked);
            }
        }
    }

    fn id(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id
    }

    fn ask_once(&mut self, intended_ns: u64) -> Result<(), String> {
        let id = self.id();
        self.connect(Asked { id, intended_ns, sent: false, again: false }, None)
    }

    fn ask_kept(&mut self, which: usize, intended_ns: u64) -> Result<(), String> {
        let id = self.id();
        self.kept[which].due.push_back((id, intended_ns));
        self.next_kept(which)
    }

    /// One request at a time on each; those that are due meanwhile keep their intended times.
    fn next_kept(&mut self, which: usize) -> Result<(), String> {
        let line = self.kept[which].line.and_then(|at| self.lines[at].as_ref());
        if line.is_some_and(|line| line.asked.is_some()) {
            return Ok(());
        }
        let Some((id, intended_ns)) = self.kept[which].due.pop_front() else { return Ok(()) };
        let asked = Asked { id, intended_ns, sent: false, again: false };
        match self.kept[which].line {
            None => self.connect(asked, Some(which)),
            Some(at) => {
                self.open += 1;
                if let Some(line) = &mut self.lines[at] {
                    line.asked = Some(asked);
                }
                self.send(at)
            }
        }
    }

    fn connect(&mut self, asked: Asked, kept: Option<usize>) -> Result<(), String> {
        let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
        let fd =
            socket(AddressFamily::Inet, SockType::Stream, flags, None).map_err(|errno| format!("socket: {errno}"))?;
        if kept.is_some() {
            setsockopt(&fd, sockopt::TcpNoDelay, &true).map_err(|errno| format!("TCP_NODELAY: {errno}"))?;
        }
        let at = fd.as_raw_fd() as usize;
        match connect(fd.as_raw_fd(), &self.address) {
            Ok(()) | Err(nix::Error::EINPROGRESS) => {}
            Err(errno) => return self.failed(&asked, errno, kept),
        }
        // Writable wakes us once, when a handshake has taken longer than the call.
        let interest = EpollFlags::EPOLLIN | EpollFlags::EPOLLOUT | EpollFlags::EPOLLET;
        self.epoll.add(&fd, EpollEvent::new(interest, at as u64)).map_err(|errno| format!("epoll_ctl: {errno}"))?;
        if self.lines.len() <= at {
            self.lines.resize_with(at + 1, || None);
        }
        self.lines[at] = Some(Line { fd, asked: Some(asked), kept, used: false, got: Vec::new() });
        self.open += 1;
        if let Some(which) = kept {
            self.kept[which].line = Some(at);
        }
        self.send(at)
    }

    fn failed(&mut self, asked: &Asked, errno: nix::Error, kept: Option<usize>) -> Result<(), String> {
        let outcome = match errno {
            nix::Error::ECONNREFUSED => Outcome::Refused,
            nix::Error::ECONNRESET | nix::Error::EPIPE => Outcome::Reset,
            nix::Error::ETIMEDOUT => Outcome::Late,
            errno => return Err(format!("a client: {errno}")),
        };
        self.record(asked, outcome);
        kept.map_or(Ok(()), |which| self.next_kept(which))
    }

    fn record(&mut self, asked: &Asked, outcome: Outcome) {
        let us = now().saturating_sub(asked.intended_ns) as f32 / 1e3;
        self.log.samples.push(Sample { intended_ns: asked.intended_ns, us, outcome });
    }

    fn send(&mut self, at: usize) -> Result<(), String> {
        let Some(Line { fd, asked: Some(asked), kept, .. }) = &mut self.lines[at] else { return Ok(()) };
        if asked.sent {
            return Ok(());
        }
        self.words.clear();
        S::ask(asked.id, kept.is_some(), &mut self.words);
        match send(fd.as_raw_fd(), &self.words, MsgFlags::MSG_NOSIGNAL) {
            Ok(_) => asked.sent = true,
            Err(nix::Error::EAGAIN) => {} // not connected yet
            Err(errno) => return self.end(at, errno),
        }
        Ok(())
    }

    /// Ends a connection; a request under way has failed, or is sent again.
    fn end(&mut self, at: usize, errno: nix::Error) -> Result<(), String> {
        match self.take(at)? {
            Some((asked, kept)) => self.failed(&asked, errno, kept),
            None => Ok(()),
        }
    }

    /// A connection is over. The request under way on it that has failed.
    fn take(&mut self, at: usize) -> Result<Option<(Asked, Option<usize>)>, String> {
        let Some(line) = self.lines[at].take() else { return Ok(None) };
        if let Some(which) = line.kept {
            self.kept[which].line = None;
        }
        let Some(asked) = line.asked else { return Ok(None) };
        self.open -= 1;
        drop(line.fd);
        if S::AGAIN && line.used && line.got.is_empty() && !asked.again {
            self.log.again += 1;
            self.connect(Asked { sent: false, again: true, ..asked }, line.kept)?;
            return Ok(None);
        }
        Ok(Some((asked, line.kept)))
    }

    fn answers(&mut self, next_ns: u64, stopping: bool) -> Result<(), String> {
        let wait = if stopping || next_ns <= now() { 0 } else { 250 };
        if wait > 0 {
            let at = Expiration::OneShot(TimeSpec::nanoseconds(next_ns as i64));
            self.timer.set(at, TimerSetTimeFlags::TFD_TIMER_ABSTIME).map_err(|errno| format!("timerfd: {errno}"))?;
        }
        let mut events = [EpollEvent::empty(); 64];
        let wait = if stopping { 20 } else { wait };
        let count = match self.epoll.wait(&mut events, EpollTimeout::try_from(wait).expect("0 or more")) {
            Ok(count) => count,
            Err(nix::Error::EINTR) => 0,
            Err(errno) => return Err(format!("epoll_wait: {errno}")),
        };
        for event in &events[..count] {
            if event.data() != TIMER {
                self.look(event.data() as usize)?;
            }
        }
        Ok(())
    }

    /// Edge-triggered: sends what could not be sent yet, reads until there is no more.
    fn look(&mut self, at: usize) -> Result<(), String> {
        self.send(at)?;
        loop {
            let Some(Some(line)) = self.lines.get_mut(at) else { return Ok(()) };
            let mut bytes = [0; 4096];
            match recv(line.fd.as_raw_fd(), &mut bytes, MsgFlags::empty()) {
                Ok(0) => {
                    let Some((asked, kept)) = self.take(at)? else { return Ok(()) };
                    self.record(&asked, Outcome::Closed);
                    return kept.map_or(Ok(()), |which| self.next_kept(which));
                }
                Ok(count) => {
                    let Some(asked) = line.asked.take() else { return Err("an answer too many".into()) };
                    let whole = if line.got.is_empty() {
                        &bytes[..count]
                    } else {
                        line.got.extend_from_slice(&bytes[..count]);
                        &line.got
                    };
                    let Some(heard) = S::hear(asked.id, whole, &mut self.log)? else {
                        if line.got.is_empty() {
                            line.got.extend_from_slice(&bytes[..count]);
                        }
                        line.asked = Some(asked);
                        continue;
                    };
                    if heard.length != whole.len() {
                        return Err("more than an answer".into());
                    }
                    (line.used, line.got) = (true, Vec::new());
                    let kept = line.kept;
                    self.open -= 1;
                    self.record(&asked, if heard.right { Outcome::Answered } else { Outcome::Wrong });
                    if let Some(which) = kept {
                        if heard.last {
                            self.lines[at] = None;
                            self.kept[which].line = None;
                        }
                        self.next_kept(which)?;
                    }
                }
                Err(nix::Error::EAGAIN) => return Ok(()),
                Err(errno) => return self.end(at, errno),
            }
        }
    }

    fn give_up(&mut self, now_ns: u64) {
        for at in 0..self.lines.len() {
            let late = |asked: &Asked| now_ns.saturating_sub(asked.intended_ns) > PATIENCE.as_nanos() as u64;
            if self.lines[at].as_ref().is_some_and(|line| line.asked.as_ref().is_some_and(late)) {
                let _ = self.end(at, nix::Error::ETIMEDOUT);
            }
        }
    }
}
